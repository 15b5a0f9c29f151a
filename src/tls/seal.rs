//! The sending half of a session: bytes of the protocol become records, records go to the socket.
//!
//! Owns the batch that is sealed at once. Seals only what it is about to write, so that what the kernel does not take is bounded
//! by one batch; it is kept for the next time, as records must leave in order. Invariant: bytes of the outbound queue count as
//! done when the last record of their batch is the kernel's, not before.

use std::io::{self, ErrorKind, IoSlice};

use rustls::Error;
use rustls::server::ServerConnectionData;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus, WriteTraffic};

use super::session::{Scratch, Session, encode, is_for_later};
use crate::os::poll::Socket;

/// Bytes of the protocol in one record.
const FRAGMENT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of the protocol that are sealed at once, and so at most ahead of what the kernel takes.
const SEALED_BYTES_MAX: usize = 4 * FRAGMENT_BYTES_MAX;
/// Room for that many and what else may be due (an answer to a key update).
const SEALED_ROOM: usize = SEALED_BYTES_MAX + SEALED_BYTES_MAX / 16 + 4096;

impl Session {
    /// Writes what was sealed before. How many bytes at the front of the outbound queue are done with.
    ///
    /// # Errors
    /// `WouldBlock` where the kernel does not take all, else what it says.
    pub fn flush<S: Socket>(&mut self, socket: &mut S) -> io::Result<usize> {
        while let Some(rest) = self.outgoing.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match socket.write(&[IoSlice::new(rest)]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.outgoing = Vec::new();
        self.sent = 0;
        Ok(std::mem::take(&mut self.covers))
    }

    /// Seals the front of `slices` and writes it; only when nothing is left of what was sealed before. How many bytes are done
    /// with; fewer than there are.
    ///
    /// # Errors
    /// `WouldBlock` where the kernel did not take all: what it left is kept for [`Self::flush`], and the bytes count then.
    /// Else what the kernel says, or `InvalidData` where no more can be sealed.
    pub fn send<S: Socket>(
        &mut self,
        socket: &mut S,
        slices: &[IoSlice<'_>],
        scratch: &mut Scratch,
    ) -> io::Result<usize> {
        debug_assert!(self.outgoing.is_empty(), "records leave in order");
        scratch.sealed.resize(SEALED_ROOM, 0);
        let (plain, len) = self.seal(slices, scratch).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let sealed = scratch.sealed.get(..len).unwrap_or_default();
        let taken = match socket.write(&[IoSlice::new(sealed)]) {
            Ok(taken) => taken,
            Err(error) if is_for_later(&error) => 0,
            Err(error) => return Err(error),
        };
        if taken >= len {
            return Ok(plain);
        }
        self.outgoing = sealed.get(taken..).unwrap_or_default().to_vec();
        self.covers = plain;
        Err(ErrorKind::WouldBlock.into())
    }

    /// Seals as much of `slices` as is sealed at once. How many bytes of the protocol, and of records.
    fn seal(&mut self, slices: &[IoSlice<'_>], scratch: &mut Scratch) -> Result<(usize, usize), Error> {
        let Scratch { sealed, gathered, .. } = scratch;
        let mut len = 0;
        self.when_writable(|mut traffic, due| {
            // An answer to a key update, made before this.
            sealed.get_mut(..due.len()).ok_or(Error::EncryptError)?.copy_from_slice(due);
            len = due.len();
            let mut plain = 0;
            let (mut index, mut at) = (0, 0);
            while plain < SEALED_BYTES_MAX {
                let Some(fragment) = fragment(slices, &mut index, &mut at, gathered) else { break };
                let room = sealed.get_mut(len..).unwrap_or_default();
                len += traffic.encrypt(fragment, room).map_err(|_| Error::EncryptError)?;
                plain += fragment.len();
            }
            Ok(plain)
        })
        .map(|plain| (plain, len))
    }

    /// Tells the other side that nothing more comes, as far as the kernel takes it now.
    pub fn say_goodbye<S: Socket>(&mut self, socket: &mut S) {
        if !self.open {
            return;
        }
        let mut alert = [0; 128];
        let sealed = self
            .when_writable(|mut traffic, _| traffic.queue_close_notify(&mut alert).map_err(|_| Error::EncryptError));
        if let Ok(len) = sealed {
            self.outgoing.extend_from_slice(alert.get(..len).unwrap_or_default());
            drop(self.flush(socket)); // whoever does not take it does not need it
        }
    }

    /// Has `work` done by rustls in the state in which it seals. `work` gets what must be sent before.
    fn when_writable<T>(
        &mut self,
        work: impl FnOnce(WriteTraffic<'_, ServerConnectionData>, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.failed {
            return Err(Error::HandshakeNotComplete);
        }
        let mut due = Vec::new();
        loop {
            let UnbufferedStatus { discard, state } = self.rustls.process_tls_records(&mut self.incoming);
            match state {
                Ok(ConnectionState::WriteTraffic(traffic)) => {
                    let done = work(traffic, &due);
                    self.incoming.drain(..discard);
                    return done;
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, &mut due)?,
                Ok(ConnectionState::TransmitTlsData(sent)) => sent.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        self.plain.extend_from_slice(record?.payload);
                    }
                }
                Ok(_) => return Err(Error::HandshakeNotComplete),
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
            self.incoming.drain(..discard);
        }
    }
}

/// The next bytes for one record: where they lie if that is enough, else gathered from several pieces.
fn fragment<'a>(
    slices: &'a [IoSlice<'_>],
    index: &mut usize,
    at: &mut usize,
    gathered: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    let rest = slices.get(*index)?.get(*at..).unwrap_or_default();
    if rest.len() >= FRAGMENT_BYTES_MAX || *index + 1 == slices.len() {
        let (now, later) = rest.split_at(rest.len().min(FRAGMENT_BYTES_MAX));
        *at += now.len();
        if later.is_empty() {
            (*index, *at) = (*index + 1, 0);
        }
        return Some(now).filter(|now| !now.is_empty());
    }
    gathered.clear();
    while gathered.len() < FRAGMENT_BYTES_MAX
        && let Some(slice) = slices.get(*index)
    {
        let rest = slice.get(*at..).unwrap_or_default();
        let (now, later) = rest.split_at(rest.len().min(FRAGMENT_BYTES_MAX - gathered.len()));
        gathered.extend_from_slice(now);
        *at += now.len();
        if later.is_empty() {
            (*index, *at) = (*index + 1, 0);
        }
    }
    Some(gathered)
}
