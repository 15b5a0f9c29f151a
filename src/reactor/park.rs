//! When a core sleeps, and how: say so, look at the mail once more, then wait in the poll.

use std::time::Duration;

use super::Reactor;
use crate::fabric::Rule;
use crate::os::poll::{LISTENER, Os};

impl<O: Os> Reactor<O> {
    /// Whether nothing of this core waits to be done, so that it may sleep.
    pub(super) fn is_idle(&self) -> bool {
        self.to_serve.is_empty()
            && self.newcomers.is_empty()
            && self.arrivals.is_empty()
            && self.handshakes.is_empty()
            && self.fanouts.is_empty()
            && self.dirty.is_empty()
            && self.leaving.is_empty()
            && self.owed == 0
            && !self.interest_stuck
            && !self.control_due
            && self.observed.answering.is_empty()
            && !(self.accept_due && self.takes_input())
            && self.grace.is_empty()
            && !self.rechecks()
            && !self.drains()
            && self.fabric.outbox.may_sleep()
            && self.tables.iter().all(|t| !t.removals_pending())
    }

    /// Waits for readiness, mail or a timer; not at all where there is something to do.
    pub(super) fn park(&mut self) {
        if !self.settings.rest.is_zero() {
            self.rest();
        }
        let mut timeout = Some(Duration::ZERO);
        let mut sleeps = false;
        if self.is_idle() && self.spun_enough() {
            self.fabric.mail().publish_sleep();
            sleeps = true;
            if self.os.breaks(Rule::LookBeforeSleep) || !self.fabric.mail().any() {
                let now = self.os.now();
                self.observed.meters.turn_ends(now);
                timeout = self.timers.next_deadline().map(|at| at.saturating_duration_since(now));
                self.stats.parks += 1;
            }
            self.os.preempt();
        }
        let mut events = std::mem::take(&mut self.events);
        if let Err(error) = self.os.poll(&mut events, timeout) {
            self.log_poll_failed(&error);
            events.clear();
        }
        if sleeps {
            self.fabric.mail().awake();
        }
        self.now = self.os.now();
        self.observed.meters.turn_begins(self.now);
        for event in events.drain(..) {
            if event.key == LISTENER {
                self.accept_due = true;
            } else {
                self.handle_event(event);
            }
        }
        self.events = events;
    }

    /// Whether this core has looked for mail long enough to sleep (`--spin_us`).
    fn spun_enough(&mut self) -> bool {
        if self.settings.spin.is_zero() {
            return true;
        }
        let now = self.os.now();
        if self.turn.did_something() {
            self.idle_since = now;
        }
        self.stats.spins += 1;
        now.saturating_duration_since(self.idle_since) >= self.settings.spin
    }
}
