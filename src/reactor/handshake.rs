//! TLS begins: who speaks first, the handshake, its end.
//!
//! Owns the order of INFO and handshake, the deadlines of both, and the list of handshakes that wait: a handshake costs as much as
//! thousands of messages, so that a turn does a few and then serves those who are here. Nobody is twice on the list, so that it is
//! bounded by the number of connections; what a client sends meanwhile waits in the kernel.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use super::Reactor;
use super::connections::Client;
use super::expire::TimerKey;
use super::secure::{Layer, Stage};
use super::throttle::WINDOW;
use super::words::label;
use crate::config::security::HandshakeFirst;
use crate::connection::close::CloseReason;
use crate::connection::inbound::Inbound;
use crate::ids::ConnId;
use crate::log::Logger;
use crate::os::poll::{Os, Socket};
use crate::protocol::error::ProtocolError;
use crate::tls::session::{Failure, HANDSHAKE_RECORD, Progress};
use crate::tls::settings::Refusal;
use crate::tls::{Session, TlsSettings, words};

/// Steps of handshakes in one turn, and how long they may take before the rest waits: one step is 0.1 to 1 ms.
const STEPS_PER_TURN: usize = 4;
const TIME_PER_TURN: Duration = Duration::from_micros(500);
/// What is read to see whether a client begins with TLS.
const FIRST_BYTES_MAX: usize = 4096;

impl<O: Os> Reactor<O> {
    /// A client has come where TLS is spoken: INFO first or handshake first.
    pub(super) fn begin_secure(&mut self, id: ConnId, settings: &Arc<TlsSettings>) {
        let max = settings.connections_per_second_max;
        if max > 0 && !self.shared.throttle.allows(self.now, max) {
            self.send_info(id.slot, false); // clients look for it first
            if self.shared.throttle.reject() {
                self.timers.insert(self.now + WINDOW, TimerKey::Rejected);
            }
            return self.refuse(id.slot, ProtocolError::Throttled, b"");
        }
        let first = settings.handshake_first != HandshakeFirst::No;
        if let HandshakeFirst::Within(delay) = settings.handshake_first {
            self.timers.insert(self.now + delay, TimerKey::first_bytes(id));
        }
        self.expect_handshake(id, settings);
        if let Some(client) = self.clients.at(id.slot) {
            client.tls = Some(Box::new(Layer {
                stage: Stage::FirstBytes,
                settings: Arc::clone(settings),
                clear_until: 0,
                first,
                queued: false,
                announced: false,
                info: None,
            }));
        }
        if first {
            self.announce(id.slot);
        } else {
            self.send_clear_info(id.slot);
        }
    }

    /// From now on it must be over in time; behind a proxy from the end of its header.
    fn expect_handshake(&mut self, id: ConnId, settings: &TlsSettings) {
        if self.clients.at(id.slot).is_some_and(|client| client.header.is_some()) {
            return;
        }
        let mut until = self.now + settings.timeout;
        if let HandshakeFirst::Within(delay) = settings.handshake_first {
            until += delay;
        }
        self.timers.insert(until, TimerKey::handshake(id));
    }

    /// A proxy's header has come, and these bytes behind it.
    pub(super) fn go_on_secure(&mut self, id: ConnId, rest: &[u8]) {
        let layer = self.clients.at(id.slot).and_then(|client| client.tls.as_ref());
        let Some((settings, first)) = layer.map(|layer| (Arc::clone(&layer.settings), layer.first)) else { return };
        self.expect_handshake(id, &settings);
        if first || !settings.allow_plain {
            self.announce(id.slot);
        }
        if !rest.is_empty() && self.begin_session(id.slot, rest) {
            self.is_through(id.slot);
        }
    }

    /// INFO in the clear, and then the handshake, or whatever the client chooses.
    fn send_clear_info(&mut self, slot: u32) {
        self.send_info(slot, false);
        let Some(client) = self.clients.at(slot) else { return };
        let Some(layer) = &mut client.tls else { return };
        layer.clear_until = client.connection.outbound.added();
        let expected = !layer.settings.allow_plain;
        self.mark_dirty(slot);
        if expected {
            self.announce(slot);
        }
    }

    fn announce(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        if client.header.is_none()
            && client.tls.as_mut().is_some_and(|layer| !std::mem::replace(&mut layer.announced, true))
        {
            let label = label(&client.connection);
            self.log.debug(format_args!("{label} - Starting TLS client connection handshake"));
        }
    }

    /// Whether what a client with TLS sends are bytes of the protocol. Otherwise its handshake is on the list.
    pub(super) fn is_through(&mut self, slot: u32) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        if client.header.is_some() {
            self.read_header(slot);
            return false;
        }
        let Some(layer) = &mut client.tls else { return true };
        if layer.is_open() {
            return true;
        }
        // Looked at again after its step: that reads until the socket is empty.
        client.readable = false;
        if !std::mem::replace(&mut layer.queued, true) {
            self.handshakes.push_back(slot);
            let waiting = self.handshakes.len() as u64;
            self.stats.handshakes_waiting_max = self.stats.handshakes_waiting_max.max(waiting);
        }
        false
    }

    /// Advances handshakes, as far as the turn's budget goes.
    pub(super) fn shake_hands(&mut self) {
        if self.handshakes.is_empty() {
            return;
        }
        let until = self.os.now() + TIME_PER_TURN;
        for _ in 0..STEPS_PER_TURN {
            let Some(slot) = self.handshakes.pop_front() else { return };
            self.shake(slot);
            self.stats.handshake_steps += 1;
            if self.os.now() >= until {
                return;
            }
        }
    }

    fn shake(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let Some(layer) = &mut client.tls else { return };
        // A slot may have another client by now.
        if !std::mem::take(&mut layer.queued) || client.connection.closing().is_some() {
            return;
        }
        if matches!(layer.stage, Stage::FirstBytes) && !self.take_first_bytes(slot) {
            return;
        }
        let Some(client) = self.clients.at(slot) else { return };
        let Some(session) = client.tls.as_mut().and_then(|layer| layer.session()) else { return };
        let progress = session.shake(&mut client.socket, &mut self.scratch);
        client.readable |= session.has_more() || client.ended;
        self.mark_secure(slot);
        match progress {
            Progress::Waits => self.enqueue(slot),
            Progress::Done => self.open(slot),
            Progress::Failed(failure) => self.fail(slot, failure),
        }
    }

    /// The first bytes say whether there will be a session, where a client may choose. Whether there is one.
    fn take_first_bytes(&mut self, slot: u32) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        let Some(layer) = &client.tls else { return false };
        let mut bytes = [0; FIRST_BYTES_MAX];
        let mut count = 0;
        if layer.settings.allow_plain && !layer.first {
            match client.socket.read(&mut bytes) {
                Ok(0) => {
                    self.close(slot, CloseReason::ClientClosed);
                    return false;
                }
                Ok(some) => count = some,
                Err(error) if is_for_later(&error) => {
                    client.readable |= client.ended;
                    self.enqueue(slot);
                    return false;
                }
                Err(_) => {
                    self.close(slot, CloseReason::ReadError);
                    return false;
                }
            }
        }
        self.begin_session(slot, &bytes[..count])
    }

    /// Whether there is a session, with a client that has begun with these bytes.
    fn begin_session(&mut self, slot: u32, bytes: &[u8]) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        let Some(layer) = &client.tls else { return false };
        if layer.settings.allow_plain && !layer.first && bytes.first() != Some(&HANDSHAKE_RECORD) {
            self.go_on_in_the_clear(slot, bytes);
            return false;
        }
        match Session::new(&layer.settings, bytes) {
            Ok(session) => {
                if let Some(layer) = &mut client.tls {
                    layer.stage = Stage::Handshake(Box::new(session));
                }
                self.announce(slot);
                true
            }
            Err(error) => {
                self.fail(slot, Failure::Tls(error));
                false
            }
        }
    }

    /// A client without TLS, where that is allowed: it has said so, or nothing for so long.
    fn go_on_in_the_clear(&mut self, slot: u32, bytes: &[u8]) {
        let Some(client) = self.clients.at(slot) else { return };
        client.tls = None;
        client.readable = true;
        if !bytes.is_empty() {
            client.connection.inbound = Inbound::Rest(bytes.to_vec());
            client.unacted = true;
        }
        self.begin_protocol(self.clients.id(slot));
        self.enqueue(slot);
    }

    /// The handshake went well.
    fn open(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let Some(layer) = &mut client.tls else { return };
        let Stage::Handshake(session) = &layer.stage else { return };
        let admitted = layer.settings.admit(session).and_then(|info| match &self.settings.tls {
            // Pinned keys may have changed while the handshake went on.
            Some(now) => now.check_pinned(&info).map(|()| info),
            None => Ok(info),
        });
        let info = match admitted {
            Ok(info) => info,
            Err(refusal) => return self.turn_away(slot, &refusal),
        };
        let label = label(&client.connection);
        self.log.debug(format_args!("{label} - TLS handshake complete"));
        self.log.debug(format_args!("{label} - TLS version {}, cipher suite {}", info.version, info.cipher_suite));
        if let Stage::Handshake(session) = std::mem::replace(&mut layer.stage, Stage::FirstBytes) {
            layer.stage = Stage::Open(session);
        }
        layer.info = Some(Box::new(info));
        let info_is_due = layer.first;
        client.readable = true;
        self.stats.handshakes += 1;
        if info_is_due {
            self.send_info(slot, false);
        }
        self.begin_protocol(self.clients.id(slot));
        self.mark_dirty(slot);
        self.enqueue(slot);
    }

    fn fail(&mut self, slot: u32, failure: Failure) {
        let layer = self.clients.at(slot).and_then(|client| client.tls.as_mut());
        let hello = layer.and_then(|layer| layer.session()).map_or(u16::MAX, |session| session.hello_version());
        let text = match failure {
            Failure::NotTls => "tls: first record does not look like a TLS handshake".into(),
            Failure::Gone { midway: true } => "unexpected EOF".into(),
            Failure::Gone { midway: false } => "EOF".into(),
            Failure::TooLong => "tls: handshake message exceeds what a client may send".into(),
            Failure::Socket(ref error) => crate::os::errno::text(error),
            Failure::Tls(ref error) => words::handshake(error, hello),
        };
        if matches!(failure, Failure::NotTls) {
            if let Some(client) = self.clients.at(slot) {
                self.log.debug(format_args!("{} - TLS handshake error: {text}", label(&client.connection)));
            }
        } else {
            self.log_handshake_error(slot, &text);
        }
        self.stats.handshakes_failed += 1;
        self.close(slot, CloseReason::TlsHandshakeFailure);
    }

    fn log_handshake_error(&mut self, slot: u32, text: &str) {
        if self.may_log_stranger()
            && let Some(client) = self.clients.at(slot)
        {
            self.log.error(format_args!("{} - TLS handshake error: {text}", label(&client.connection)));
        }
    }

    /// The handshake went well, and the client must not come in.
    fn turn_away(&mut self, slot: u32, refusal: &Refusal) {
        let Some(client) = self.clients.at(slot) else { return };
        log_unpinned(&self.log, client, refusal);
        match refusal {
            Refusal::NoneToPin | Refusal::NotPinned(_) => self.log_handshake_error(slot, "certificate not pinned"),
            Refusal::Resumed(why) => self.log_handshake_error(slot, why),
        }
        self.stats.handshakes_failed += 1;
        self.close(slot, CloseReason::TlsHandshakeFailure);
    }

    /// A client that was to begin with TLS has said nothing: it gets INFO first.
    pub(super) fn stop_waiting_for_first_bytes(&mut self, id: ConnId) {
        let Some(client) = self.clients.find(id) else { return };
        let Some(layer) = &mut client.tls else { return };
        // One that has begun, or will in this turn, goes on.
        if matches!(layer.stage, Stage::FirstBytes) && !layer.queued && client.connection.closing().is_none() {
            layer.first = false;
            self.send_clear_info(id.slot);
        }
    }

    /// The time for a handshake is over.
    pub(super) fn check_handshake(&mut self, id: ConnId) {
        let Some(client) = self.clients.find(id) else { return };
        let Some(layer) = &client.tls else { return };
        if layer.is_open() || client.connection.closing().is_some() {
            return;
        }
        if layer.settings.allow_plain && !layer.first && matches!(layer.stage, Stage::FirstBytes) && !layer.queued {
            return self.go_on_in_the_clear(id.slot, b"");
        }
        let label = label(&client.connection);
        let from = client.connection.address;
        self.log.debug(format_args!("{label} - TLS handshake timeout"));
        if self.trace {
            self.log.trace(format_args!("{label} - ->> [-ERR {}]", ProtocolError::TlsRequired.err_text()));
        }
        self.log.debug(format_args!("{label} - TLS handshake error: read tcp {from}: i/o timeout"));
        self.stats.handshakes_failed += 1;
        self.close(id.slot, CloseReason::TlsHandshakeFailure);
    }

    /// How many were turned away in the last second.
    pub(super) fn say_rejected(&mut self) {
        let count = self.shared.throttle.take_rejected();
        self.log.warn(format_args!("Rejected {count} connections due to TLS rate limiting"));
    }

    /// Other keys are pinned: clients with other certificates go.
    pub(super) fn check_pinned(&mut self) {
        let Some(settings) = self.settings.tls.clone() else { return };
        let mut gone = 0;
        for slot in self.clients.slots().collect::<Vec<_>>() {
            let Some(client) = self.clients.at(slot) else { continue };
            let refusal = client.tls_info().map(|info| settings.check_pinned(info));
            if let Some(Err(refusal)) = refusal
                && client.connection.closing().is_none()
            {
                log_unpinned(&self.log, client, &refusal);
                gone += 1;
                self.close(slot, CloseReason::TlsHandshakeFailure);
            }
        }
        if gone > 0 {
            self.log.info(format_args!("Disconnect {gone} clients due to pinned certs reload"));
        }
    }
}

fn log_unpinned<S>(log: &Logger, client: &Client<S>, refusal: &Refusal) {
    let label = label(&client.connection);
    match refusal {
        Refusal::NoneToPin => {
            log.debug(format_args!("{label} - Failed pinned cert test as client did not provide a certificate"));
        }
        Refusal::NotPinned(key) => {
            log.debug(format_args!("{label} - Failed pinned cert test for key id: {key}"));
        }
        Refusal::Resumed(_) => {}
    }
}

fn is_for_later(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
