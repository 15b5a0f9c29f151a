//! The end of a turn: push what other cores must know, then write.
//!
//! The one place that writes sockets. Push before write: whatever a client could learn from what is written now, the other
//! cores can know before it.

use std::io::{ErrorKind, IoSlice};

use super::Reactor;
use super::connections::key_of;
use super::expire::TimerKey;
use crate::connection::close::CloseReason;
use crate::fabric::Rule;
use crate::fabric::mail;
use crate::os::poll::{Os, Socket};

/// Slices of one write.
pub(super) const SLICES: usize = 64;

impl<O: Os> Reactor<O> {
    /// Pushes, then writes. Where interest is stuck, nothing is written, and the next turn tries again.
    pub(super) fn flush(&mut self) {
        self.write_soon = false;
        if self.os.breaks(Rule::PushBeforeWrite) {
            self.write_all();
        }
        if self.fabric.cores() > 1 && !self.push() {
            self.interest_stuck = true;
            return;
        }
        self.interest_stuck = false;
        mail::push_before_write();
        self.write_all();
    }

    fn push(&mut self) -> bool {
        if !self.fabric.outbox.push(&self.os) {
            return false;
        }
        if self.grace.has_fresh() {
            self.grace.pushed(&self.fabric.mails);
        }
        while let Some(id) = self.fabric.outbox.held.pop() {
            if let Some(client) = self.clients.find(id) {
                client.held += 1;
            }
        }
        while let Some(id) = self.fabric.outbox.released.pop() {
            let Some(client) = self.clients.find(id) else { continue };
            client.held = client.held.saturating_sub(1);
            if client.held == 0 {
                self.enqueue(id.slot);
                self.mark_dirty(id.slot);
            }
        }
        while let Some((core, bytes)) = self.fabric.outbox.repaid.pop() {
            self.fabric.inbox.give_back(core, bytes, &self.os);
        }
        let spilled = self.fabric.outbox.has_spill();
        self.fabric.mail().set_owes(spilled);
        if !spilled && self.owed == 0 {
            self.fabric.mail().end_turn();
        }
        true
    }

    fn write_all(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            self.write(slot);
            self.os.preempt();
        }
        // Writing makes nobody dirty; what it closes is torn down in the next turn.
        self.dirty = dirty;
        self.pool.forget_filled();
        self.watch_pool();
        self.watch_batches();
    }

    fn write(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        client.dirty = false;
        client.note_activity(self.now);
        if client.tls.is_some() {
            return self.write_secure(slot);
        }
        let answers_wait = client.held > 0 && !self.os.breaks(Rule::PongBehindSpill);
        let out = &mut client.connection.outbound;
        while !client.blocked && out.pending_bytes() > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let (count, total) = out.slices(&mut slices, answers_wait);
            if count == 0 {
                break;
            }
            match client.socket.write(&slices[..count]) {
                Ok(written) => {
                    client.blocked = (written as u64) < total;
                    client.took_at = self.now;
                    out.advance(written, &mut self.pool);
                    self.stats.writes += 1;
                    self.observed.meters.writes.note(written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => client.blocked = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if client.last_words => return self.look_again_at_leaving(slot),
                Err(_) => {
                    self.close(slot, CloseReason::WriteError);
                    return;
                }
            }
        }
        self.after_write(slot);
    }

    /// As much is written as the kernel takes now.
    pub(super) fn after_write(&mut self, slot: u32) {
        let id = self.clients.id(slot);
        let Some(client) = self.clients.at(slot) else { return };
        if client.blocked
            && !std::mem::replace(&mut client.writing_watched, true)
            && self.os.watch_writing(&mut client.socket, key_of(id)).is_err()
        {
            return self.close(slot, CloseReason::WriteError);
        }
        client.connection.outbound.keep();
        if client.last_words && client.connection.outbound.pending_bytes() == 0 {
            self.look_again_at_leaving(slot);
        }
        self.look_whether_caught_up(slot);
        self.watch_write_deadline(slot);
    }

    /// What is offered now must be taken within the write deadline.
    fn watch_write_deadline(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        if !client.blocked || client.connection.outbound.pending_bytes() == 0 {
            client.write_deadline = None;
            return;
        }
        let written = client.written();
        if client.write_deadline.is_none_or(|(mark, _)| written >= mark) {
            let at = self.now + self.settings.write_deadline;
            client.write_deadline = Some((client.connection.outbound.added(), at));
            if !client.write_timer {
                client.write_timer = true;
                self.timers.insert(at, TimerKey::write_deadline(self.clients.id(slot)));
            }
        }
    }
}
