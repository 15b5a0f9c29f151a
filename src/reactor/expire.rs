//! What happens when a timer fires.

use std::time::Duration;

use super::Reactor;
use crate::connection::close::CloseReason;
use crate::connection::keepalive::Tick;
use crate::ids::ConnId;
use crate::os::poll::Os;
use crate::protocol::error::ProtocolError;

/// From so many freed bytes on it is worth giving them back, and how long after.
const FREED_BYTES_MIN: usize = 1024 * 1024;
const FREED_AFTER: Duration = Duration::from_secs(1);
/// Empty batches that were not used for so long are freed.
const BATCHES_KEPT_FOR: Duration = Duration::from_secs(1);

/// Timers fired in one turn.
const TIMERS_PER_TURN: usize = 1024;

/// What a timer is for. A stale one (another generation) is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerKey {
    /// PING, or stale.
    Keepalive(Place),
    /// What was offered must have been taken.
    WriteDeadline(Place),
    /// A publisher was held back for as long as may be.
    Held(Place),
    /// A closing connection's last words are written off.
    LastWords(Place),
    /// A proxy's header must be there.
    Header(Place),
    /// A client that was to begin with TLS gets INFO first.
    FirstBytes(Place),
    /// A TLS handshake must be over.
    Handshake(Place),
    /// Connections were turned away: the log is told.
    Rejected,
    /// It must have logged in by then.
    Login(Place),
    /// Passwords that wait to be checked are offered again.
    Logins,
    /// Lines about strangers that were not written are counted in one.
    StrangerLines,
    /// Accepting goes on.
    Accept,
    /// The next client is told to go.
    LameDuck,
    /// What has become free goes back to the system.
    Memory,
    /// Empty batches for other cores are looked at.
    Batches,
    /// Publishers were held back for as long as may be.
    Holds,
}

/// A connection of this core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    slot: u32,
    generation: u32,
}

impl Place {
    fn of(id: ConnId) -> Self {
        Self { slot: id.slot, generation: id.generation }
    }
}

impl TimerKey {
    pub(super) fn keepalive(id: ConnId) -> Self {
        Self::Keepalive(Place::of(id))
    }

    pub(super) fn write_deadline(id: ConnId) -> Self {
        Self::WriteDeadline(Place::of(id))
    }

    pub(super) fn held(id: ConnId) -> Self {
        Self::Held(Place::of(id))
    }

    pub(super) fn last_words(id: ConnId) -> Self {
        Self::LastWords(Place::of(id))
    }

    pub(super) fn header(id: ConnId) -> Self {
        Self::Header(Place::of(id))
    }

    pub(super) fn first_bytes(id: ConnId) -> Self {
        Self::FirstBytes(Place::of(id))
    }

    pub(super) fn handshake(id: ConnId) -> Self {
        Self::Handshake(Place::of(id))
    }

    pub(super) fn login(id: ConnId) -> Self {
        Self::Login(Place::of(id))
    }

    fn place(self) -> Option<Place> {
        match self {
            Self::Keepalive(place)
            | Self::WriteDeadline(place)
            | Self::Held(place)
            | Self::LastWords(place)
            | Self::Header(place)
            | Self::FirstBytes(place)
            | Self::Handshake(place)
            | Self::Login(place) => Some(place),
            Self::Rejected
            | Self::Logins
            | Self::StrangerLines
            | Self::Accept
            | Self::LameDuck
            | Self::Memory
            | Self::Batches
            | Self::Holds => None,
        }
    }
}

impl<O: Os> Reactor<O> {
    /// Fires what is due.
    pub(super) fn handle_timers(&mut self) {
        self.reports.forget(self.now);
        for _ in 0..TIMERS_PER_TURN {
            let Some((_, key)) = self.timers.poll_expired(self.now) else { return };
            match key.place() {
                Some(place) => {
                    let id = ConnId { core: self.this, slot: place.slot, generation: place.generation };
                    if self.clients.find(id).is_some() {
                        self.handle_timer_of(key, id);
                    }
                }
                None => self.handle_timer_of_core(key),
            }
        }
    }

    fn handle_timer_of_core(&mut self, key: TimerKey) {
        match key {
            TimerKey::Accept => self.accept_due = true,
            TimerKey::LameDuck => self.send_one_away(),
            TimerKey::Rejected => self.say_rejected(),
            TimerKey::Logins => self.offer_waiting_checks(),
            TimerKey::StrangerLines => self.log_dropped_lines(),
            TimerKey::Batches => self.free_batches(),
            TimerKey::Holds => self.forget_ended_holds(),
            _ => {
                self.freed = 0;
                self.pool.clear();
                self.blocks.clear();
                self.shared.memory_became_free();
            }
        }
    }

    /// So many bytes have become free; when they are many, and a moment later, they go back to the system.
    pub(super) fn free(&mut self, bytes: usize) {
        let before = self.freed;
        self.freed += bytes;
        if before < FREED_BYTES_MIN && self.freed >= FREED_BYTES_MIN {
            self.timers.insert(self.now + FREED_AFTER, TimerKey::Memory);
        }
    }

    /// Many empty chunks and blocks are kept for the next burst, and given back a moment later.
    pub(super) fn watch_pool(&mut self) {
        if self.freed < FREED_BYTES_MIN && self.pool.free_bytes() + self.blocks.large.bytes() >= FREED_BYTES_MIN {
            self.free(FREED_BYTES_MIN);
        }
    }

    /// Batches were made for other cores: those that are not used any more are freed later.
    pub(super) fn watch_batches(&mut self) {
        if self.fabric.outbox.begins_to_keep() {
            self.timers.insert(self.now + BATCHES_KEPT_FOR, TimerKey::Batches);
        }
    }

    fn free_batches(&mut self) {
        let (bytes, more) = self.fabric.outbox.free_unused();
        if more {
            self.timers.insert(self.now + BATCHES_KEPT_FOR, TimerKey::Batches);
        }
        self.free(bytes);
    }

    fn handle_timer_of(&mut self, key: TimerKey, id: ConnId) {
        match key {
            TimerKey::Keepalive(_) => self.keep_alive(id),
            TimerKey::WriteDeadline(_) => self.check_write_deadline(id),
            TimerKey::Held(_) => self.end_holds_of(id),
            TimerKey::LastWords(_) => self.look_again_at_leaving(id.slot),
            TimerKey::Header(_) => self.check_header(id),
            TimerKey::FirstBytes(_) => self.stop_waiting_for_first_bytes(id),
            TimerKey::Handshake(_) => self.check_handshake(id),
            TimerKey::Login(_) => self.handle_login_timer(id),
            // Those of the core: `handle_timer_of_core`.
            _ => {}
        }
    }

    fn keep_alive(&mut self, id: ConnId) {
        let Some(client) = self.clients.find(id) else { return };
        if client.connection.closing().is_some() {
            return;
        }
        let interval = self.settings.ping_interval;
        // While we do not read it, silence is ours.
        if client.held > 0 || client.is_held_back() || client.pong_waits || client.verifying.is_some() {
            client.connection.keepalive.handle_bytes(self.now);
            self.timers.insert(self.now + interval, TimerKey::keepalive(id));
            return;
        }
        match client.connection.keepalive.handle_timer(self.now, interval, self.settings.pings_out_max) {
            Tick::Later(at) => self.timers.insert(at, TimerKey::keepalive(id)),
            Tick::Ping(next) => {
                if self.trace {
                    client.connection.said.get_or_insert_default();
                }
                client.connection.ping(&mut self.pool);
                self.timers.insert(next, TimerKey::keepalive(id));
                self.mark_dirty(id.slot);
                self.log_ping(id.slot);
                self.trace_said(id.slot);
            }
            Tick::Stale => {
                self.log_ping(id.slot);
                self.refuse(id.slot, ProtocolError::StaleConnection, b"");
            }
        }
    }

    fn check_write_deadline(&mut self, id: ConnId) {
        let Some(client) = self.clients.find(id) else { return };
        client.write_timer = false;
        let Some((_, at)) = client.write_deadline else { return };
        if at > self.now {
            client.write_timer = true;
            self.timers.insert(at, TimerKey::write_deadline(id));
        } else if self.settings.write_timeout_retries {
            client.write_deadline = None;
        } else {
            self.close(id.slot, CloseReason::SlowConsumerWriteDeadline);
        }
    }
}
