//! Connections come and go: accepting, handing over, INFO, closing, tearing down.

use std::io::ErrorKind;
use std::time::Duration;

use super::Reactor;
use super::connections::key_of;
use super::effects::Ended;
use super::expire::TimerKey;
use super::nonce::fresh_nonce;
use crate::config::AcceptMode;
use crate::connection::Connection;
use crate::connection::close::CloseReason;
use crate::fabric::message::{Accepted, CoreMessage, others};
use crate::ids::{AccountId, ConnId, CoreId};
use crate::os::poll::Os;
use crate::protocol::error::ProtocolError;

/// Connections that are accepted, and that are begun with, in one turn, and how long either may take before the rest waits: in small
/// bites, so that a storm does not hold up who is here.
const ACCEPTS_PER_TURN: usize = 32;
const ACCEPT_TIME_PER_TURN: Duration = Duration::from_micros(500);
/// How long accepting pauses when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Subscriptions of leaving connections that are torn down in one turn.
const TEARDOWN_PER_TURN: usize = 4096;

/// What one connection takes, roughly.
const CONNECTION_BYTES: usize = 1024;

impl<O: Os> Reactor<O> {
    /// Takes what waits at the listener.
    pub(super) fn accept(&mut self) {
        if !self.accept_due {
            return;
        }
        let until = self.os.now() + ACCEPT_TIME_PER_TURN;
        for _ in 0..ACCEPTS_PER_TURN {
            match self.os.accept() {
                Ok((socket, address)) => {
                    let client = self.shared.next_client();
                    let accepted = Accepted { socket, address, client, at: self.now };
                    self.place(accepted);
                    if self.os.now() >= until {
                        return;
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.accept_due = false;
                        return;
                    }
                    // It was there and has gone again: the next one may be well.
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted | ErrorKind::ConnectionReset => {}
                    _ => {
                        // No file descriptors or no memory left: who waits, waits in the kernel.
                        self.log_accept_failed(&error);
                        self.accept_due = false;
                        self.timers.insert(self.now + ACCEPT_PAUSE, TimerKey::Accept);
                        return;
                    }
                },
            }
        }
    }

    /// Gives an accepted connection to the core with the least weight, or keeps it where the way there is full.
    fn place(&mut self, accepted: Accepted<O::Socket>) {
        let to = match self.settings.accept {
            AcceptMode::Handoff => self.shared.lightest(),
            AcceptMode::ReusePort => self.this,
        };
        if to == self.this {
            self.shared.count(self.this, 1);
            return self.take_in(accepted);
        }
        self.shared.count(to, 1); // at once: a storm must not follow stale weights
        let message = CoreMessage::Accepted(Box::new(accepted));
        if let Err(CoreMessage::Accepted(back)) = self.fabric.outbox.hand_over(to, message, &self.os) {
            self.shared.count(to, -1);
            self.shared.count(self.this, 1);
            self.take_in(*back);
        }
    }

    /// Begins with connections that other cores have accepted.
    pub(super) fn take_arrivals(&mut self) {
        if self.arrivals.is_empty() {
            return;
        }
        let until = self.os.now() + ACCEPT_TIME_PER_TURN;
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(accepted) = self.arrivals.pop_front() else { return };
            self.take_in(*accepted);
            if self.os.now() >= until {
                return;
            }
        }
    }

    /// A connection begins on this core, which already counts it.
    pub(super) fn take_in(&mut self, accepted: Accepted<O::Socket>) {
        let Accepted { socket, address, client, at } = accepted;
        let headers = self.settings.rules.headers;
        let mut connection = Connection::new(client, address, at, headers);
        if self.settings.directory.is_required() {
            connection.require_login(self.settings.directory.wants_nonce().then(fresh_nonce));
        }
        let id = self.clients.insert(socket, connection, AccountId::GLOBAL);
        let Some(entry) = self.clients.at(id.slot) else { return };
        if self.os.register(&mut entry.socket, key_of(id)).is_err() {
            self.finish(id.slot);
            return;
        }
        self.stats.accepted += 1;
        self.log_created(id.slot);
        let proxied = self.settings.proxy_protocol;
        if proxied {
            self.await_header(id);
        }
        if self.shared.enter(self.settings.connections_max) {
            if let Some(client) = self.clients.at(id.slot) {
                client.admitted = true;
            }
        } else {
            self.send_info(id.slot, false); // clients look for it first
            return self.refuse(id.slot, ProtocolError::MaxConnections, b"");
        }
        if let Some(tls) = self.settings.tls.clone() {
            return self.begin_secure(id, &tls);
        }
        if !proxied {
            self.begin_protocol(id);
        }
        self.send_info(id.slot, false);
        self.mark_dirty(id.slot);
    }

    /// A client can speak from now on: its silence counts, and its login is due. With TLS that is after the handshake.
    pub(super) fn begin_protocol(&mut self, id: ConnId) {
        let Some(client) = self.clients.find(id) else { return };
        client.connection.keepalive.handle_bytes(self.now);
        let first_ping = client.connection.keepalive.first_deadline(self.settings.ping_interval);
        self.timers.insert(first_ping, TimerKey::keepalive(id));
        if self.settings.directory.is_required() {
            self.timers.insert(self.now + self.settings.login_timeout, TimerKey::login(id));
        } else {
            self.enter_account(id.slot, AccountId::GLOBAL);
        }
    }

    /// Ends a connection for a reason that is not its client's protocol.
    pub(super) fn close(&mut self, slot: u32, reason: CloseReason) {
        let Some(client) = self.clients.at(slot) else { return };
        if client.connection.closing().is_none() {
            let unsent = client.connection.outbound.pending_bytes() as usize;
            self.free(unsent);
            self.log_closing(slot, reason);
            self.remember(slot, reason);
            if let Some(client) = self.clients.at(slot) {
                client.connection.close(reason, self.now, &mut self.pool);
            }
        }
        self.leave(slot);
    }

    /// A connection that ends is torn down: its subscriptions first, then, when its last words are out, its socket.
    pub(super) fn leave(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        if client.leaving {
            return;
        }
        client.leaving = true;
        client.doomed = true;
        if std::mem::take(&mut client.admitted) {
            self.shared.exit();
        }
        client.pong_waits = false;
        self.leaving.push_back(slot);
        self.release_publishers(slot);
        self.mark_dirty(slot);
    }

    /// Tears down subscriptions of connections that end, within the turn's budget.
    pub(super) fn tear_down(&mut self) {
        let mut budget = TEARDOWN_PER_TURN;
        for _ in 0..self.leaving.len() {
            let Some(slot) = self.leaving.pop_front() else { return };
            let Some(client) = self.clients.at(slot) else { continue };
            let account = client.account;
            let some = client.connection.subscriptions.take(budget);
            let ending = std::mem::take(&mut client.ending);
            budget -= some.len();
            for id in some {
                self.remove(account, id);
            }
            if ending > 0 {
                // Nobody may be served in the name of a slot that is used again.
                for Ended { account, id, .. } in self.grace.take_where(|ended| ended.conn.slot == slot) {
                    self.remove(account, id);
                }
            }
            let Some(client) = self.clients.at(slot) else { continue };
            if client.connection.subscriptions.is_empty() {
                self.silent.push(slot);
            } else {
                self.leaving.push_back(slot);
            }
            if budget == 0 {
                return;
            }
        }
    }

    /// Closes the sockets of those that are torn down and have nothing more to say (after a flush).
    pub(super) fn close_silent(&mut self) {
        if self.interest_stuck {
            return; // nothing was written: they may have much to say
        }
        let mut silent = std::mem::take(&mut self.silent);
        silent.retain(|&slot| {
            let Some(client) = self.clients.at(slot) else { return false };
            // What is pending waits for room at the kernel, or behind what waits for credit.
            let waits = client.blocked || client.held > 0;
            let speaks = client.connection.outbound.pending_bytes() > 0 && waits;
            let until = client.connection.closing().map(|c| c.until);
            if speaks && until.is_some_and(|until| self.now < until) {
                client.last_words = true;
                let id = self.clients.id(slot);
                if let Some(until) = until {
                    self.timers.insert(until, TimerKey::last_words(id));
                }
                return false; // its timer, or the write that empties it, brings it back
            }
            self.finish(slot);
            false
        });
        self.silent = silent;
    }

    /// A leaving connection can write again, or its time is over.
    pub(super) fn look_again_at_leaving(&mut self, slot: u32) {
        self.silent.push(slot);
    }

    /// The end of a connection.
    pub(super) fn finish(&mut self, slot: u32) {
        let Some(mut client) = self.clients.remove(slot) else { return };
        client.shut_down();
        if client.counted {
            self.settings.leave_account(client.account);
        }
        let unsent = client.connection.outbound.discard(&mut self.pool);
        self.free(CONNECTION_BYTES + unsent as usize);
        self.shared.count(self.this, -1);
        self.stats.closed += 1;
        if self.lame_duck.is_some() && self.shared.connections() == 0 {
            for core in others(self.this, self.fabric.cores()) {
                self.os.wake(core); // that was the last one: all cores end
            }
        }
    }

    /// Which core this is.
    pub fn core(&self) -> CoreId {
        self.this
    }
}
