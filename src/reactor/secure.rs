//! TLS beside a client's socket: how far it is, and bytes through it.
//!
//! Owns the layer of one client and what is read and written through it. A client without one pays a look at an empty `Option`
//! for each read and each flush. Handshakes are begun, advanced and ended in `handshake`.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use super::Reactor;
use super::connections::Client;
use super::flush::SLICES;
use super::snapshot::TlsOfConnection;
use crate::connection::close::CloseReason;
use crate::fabric::Rule;
use crate::os::poll::{Os, Socket};
use crate::tls::session::Scratch;
use crate::tls::{Info, Session, TlsSettings};

/// TLS of one client.
#[derive(Debug)]
pub struct Layer {
    /// How far it is.
    pub(super) stage: Stage,
    /// What it goes by: of the time when the client came.
    pub(super) settings: Arc<TlsSettings>,
    /// Bytes before this position in all that was ever queued leave in the clear: INFO.
    pub(super) clear_until: u64,
    /// INFO comes after the handshake.
    pub(super) first: bool,
    /// On the list of handshakes that wait for their turn.
    pub(super) queued: bool,
    /// The log has said that the handshake begins.
    pub(super) announced: bool,
    /// What is known since the handshake is over.
    pub(super) info: Option<Box<Info>>,
}

/// How far TLS is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing has come: there is no session, and maybe there will be none.
    FirstBytes,
    /// The handshake goes on.
    Handshake(Box<Session>),
    /// Bytes of the protocol go through it.
    Open(Box<Session>),
}

impl Layer {
    pub(super) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::FirstBytes => None,
            Stage::Handshake(session) | Stage::Open(session) => Some(session),
        }
    }

    /// For monitoring: what is known of it since its handshake is over.
    pub(super) fn shown(&self) -> Option<TlsOfConnection> {
        let info = self.info.as_deref()?.clone();
        Some(TlsOfConnection { info, first: self.first })
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }
}

impl<S: Socket> Client<S> {
    /// Reads bytes of the protocol.
    #[inline]
    pub(super) fn read(&mut self, into: &mut [u8], scratch: &mut Scratch) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.read(into),
            Some(layer) => match &mut layer.stage {
                Stage::Open(session) => session.read(&mut self.socket, into, scratch),
                Stage::FirstBytes | Stage::Handshake(_) => Err(ErrorKind::WouldBlock.into()),
            },
        }
    }

    /// Whether the next read may bring something, where the last one filled its room or did not.
    #[inline]
    pub(super) fn has_more(&self, filled: bool) -> bool {
        match &self.tls {
            None => filled,
            Some(layer) => match &layer.stage {
                Stage::Open(session) => session.has_more(),
                Stage::FirstBytes | Stage::Handshake(_) => false,
            },
        }
    }

    /// Nothing more will be written.
    pub(super) fn shut_down(&mut self) {
        if let Some(session) = self.tls.as_mut().and_then(|layer| layer.session())
            && !self.blocked
        {
            session.say_goodbye(&mut self.socket);
        }
        if !self.ended {
            self.socket.shutdown(); // who has ended knows; closing says the same once more
        }
    }
}

impl<S> Client<S> {
    /// What is known of its TLS; nothing where it has none, or not yet.
    pub fn tls_info(&self) -> Option<&Info> {
        self.tls.as_ref()?.info.as_deref()
    }

    /// It began with TLS, and got INFO through it.
    pub fn is_tls_first(&self) -> bool {
        self.tls.as_ref().is_some_and(|layer| layer.first)
    }
}

impl<O: Os> Reactor<O> {
    /// Writes what a client with TLS has waiting: what must go in the clear, what is sealed, what is to be sealed.
    pub(super) fn write_secure(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let answers_wait = client.held > 0 && !self.os.breaks(Rule::PongBehindSpill);
        let Client { tls, socket, connection, blocked, took_at, last_words, .. } = client;
        let Some(layer) = tls else { return };
        // Who may speak in the clear and has not begun yet is told so why it ends.
        if matches!(layer.stage, Stage::FirstBytes) && layer.settings.allow_plain && connection.closing().is_some() {
            layer.clear_until = connection.outbound.added();
        }
        let out = &mut connection.outbound;
        while !*blocked {
            let unsent = layer.session().map_or(0, |session| session.unsent());
            let result = match &mut layer.stage {
                _ if layer.clear_until > out.added() - out.pending_bytes() => {
                    let mut slices = [IoSlice::new(&[])];
                    out.slices(&mut slices, answers_wait);
                    let left = layer.clear_until - (out.added() - out.pending_bytes());
                    let rest = slices[0].get(..left as usize).unwrap_or(&slices[0]);
                    socket.write(&[IoSlice::new(rest)])
                }
                Stage::Handshake(session) | Stage::Open(session) if unsent > 0 => session.flush(socket),
                Stage::Open(session) => {
                    let mut slices = [IoSlice::new(&[]); SLICES];
                    let (count, _) = out.slices(&mut slices, answers_wait);
                    if count == 0 {
                        break;
                    }
                    session.send(socket, &slices[..count], &mut self.scratch)
                }
                Stage::Handshake(_) | Stage::FirstBytes => break,
            };
            let left = layer.session().map_or(0, |session| session.unsent());
            if left != unsent {
                *took_at = self.now;
            }
            match result {
                Ok(written) => {
                    *took_at = self.now;
                    // What was written off since it was sealed is not there any more.
                    out.advance(written.min(out.pending_bytes() as usize), &mut self.pool);
                    self.stats.writes += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => *blocked = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if *last_words => return self.look_again_at_leaving(slot),
                Err(_) => return self.close(slot, CloseReason::WriteError),
            }
        }
        self.after_write(slot);
    }

    /// A client's TLS has something to write that is not in its queue.
    pub(super) fn mark_secure(&mut self, slot: u32) {
        if let Some(client) = self.clients.at(slot)
            && !client.dirty
            && client.tls.as_mut().and_then(|layer| layer.session()).is_some_and(|session| session.unsent() > 0)
        {
            client.dirty = true;
            self.dirty.push(slot);
        }
    }
}
