//! What the main thread orders: other settings, lame duck, stop.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::Reactor;
use super::expire::TimerKey;
use super::settings::Settings;
use super::shared::{Applied, Order};
use crate::connection::close::CloseReason;
use crate::fabric::message::others;
use crate::os::poll::Os;
use std::sync::atomic::Ordering;

/// Clients are being sent away.
#[derive(Debug)]
pub(super) struct LameDuck {
    /// Those that are left, the next one last.
    order: Vec<u32>,
    interval: Duration,
}

/// The server ends.
#[derive(Debug)]
pub(super) struct Stopping {
    /// What is not delivered by then is lost.
    until: Instant,
    /// This core has said that nothing of it is on its way. Taken back before it handles what comes later: a message that it
    /// sends on for a group is on its way again, and whoever sent it to this core has its credit back, and says so, only after that.
    drained: bool,
}

/// How long a lame duck that has no clients left may take to end.
const LAST_TURNS: Duration = Duration::from_secs(1);

impl<O: Os> Reactor<O> {
    /// Carries out what was ordered.
    pub(super) fn handle_orders(&mut self) {
        if !std::mem::take(&mut self.control_due) {
            return;
        }
        for order in self.shared.take_orders(self.this) {
            match order {
                Order::Settings { settings, done } => self.go_by(settings, done),
                Order::LameDuck { grace, duration } => self.become_lame_duck(grace, duration),
                Order::Stop { within } => {
                    self.os.close_listener();
                    self.stopping = Some(Stopping { until: self.now + within, drained: false });
                }
                Order::Checked { conn, grant } => self.handle_checked(conn, grant),
                Order::Report(to) => drop(to.send(self.stats)),
                Order::Ask(ask) => self.observed.answering.push(*ask),
            }
        }
    }

    /// Goes by other settings. Who can be told where to connect from now on is; other changes of INFO are for new clients, as on
    /// the peer.
    fn go_by(&mut self, settings: Arc<Settings>, done: Sender<Applied>) {
        let before = std::mem::replace(&mut self.settings, settings);
        self.info_lines.forget();
        self.check_pinned();
        self.make_tables(self.settings.accounts.len());
        let closed = self.close_excess();
        self.begin_recheck(done, Applied { closed });
        let (old, new) = (&before.info, &self.settings.info);
        if (&old.host, old.port) != (&new.host, new.port) {
            for slot in self.clients.slots().collect::<Vec<_>>() {
                if self.clients.at(slot).is_some_and(|c| c.connection.takes_info()) {
                    self.send_info(slot, false);
                    self.mark_dirty(slot);
                }
            }
        }
    }

    fn become_lame_duck(&mut self, grace: Duration, duration: Duration) {
        self.os.close_listener();
        let mut order: Vec<u32> = self.clients.slots().collect();
        for i in (1..order.len()).rev() {
            order.swap(i, self.rng.below(i as u64 + 1) as usize);
        }
        let left = u32::try_from(order.len()).unwrap_or(u32::MAX).max(1);
        let slots = order.clone();
        self.lame_duck = Some(LameDuck { order, interval: duration / left });
        for slot in slots {
            if self.clients.at(slot).is_some_and(|c| c.connection.takes_info()) {
                self.send_info(slot, false);
                self.mark_dirty(slot);
            }
        }
        self.timers.insert(self.now + grace, TimerKey::LameDuck);
    }

    /// The lame duck's next client goes.
    pub(super) fn send_one_away(&mut self) {
        let Some(duck) = &mut self.lame_duck else { return };
        let (next, interval) = (duck.order.pop(), duck.interval);
        if let Some(slot) = next {
            self.close(slot, CloseReason::ServerShutdown);
            self.timers.insert(self.now + interval, TimerKey::LameDuck);
        } else {
            // Those that were on their way between cores when it began.
            for slot in self.clients.slots().collect::<Vec<_>>() {
                self.close(slot, CloseReason::ServerShutdown);
            }
            if !self.clients.is_empty() {
                self.timers.insert(self.now + interval, TimerKey::LameDuck);
            }
        }
    }

    /// Whether this core has ended: all cores have drained their rings, and what waits for clients was offered to them.
    pub(super) fn has_stopped(&mut self) -> bool {
        if self.lame_duck.is_some() && self.stopping.is_none() && self.shared.connections() == 0 {
            self.stopping = Some(Stopping { until: self.now + LAST_TURNS, drained: false });
        }
        let quiet = self.is_quiet();
        let Some(stopping) = &mut self.stopping else { return false };
        let until = stopping.until;
        if !stopping.drained && (quiet || self.now >= until) {
            stopping.drained = true;
            self.shared.drained.fetch_add(1, Ordering::SeqCst);
            for core in others(self.this, self.fabric.cores()) {
                self.os.wake(core);
            }
        }
        let all = self.shared.drained.load(Ordering::SeqCst) as usize >= self.fabric.cores();
        // Looked at again: what came before the last core had drained must be seen.
        if !(all && self.is_quiet() || self.now >= until) {
            return false;
        }
        for slot in self.clients.slots().collect::<Vec<_>>() {
            self.close(slot, CloseReason::ServerShutdown);
        }
        self.clients.is_empty() || self.now >= until
    }

    /// Whether nothing that clients have sent waits here, or on the way to another core.
    fn is_quiet(&self) -> bool {
        let mut others = others(self.this, self.fabric.cores());
        self.fanouts.is_empty()
            && self.arrivals.is_empty()
            && self.fabric.outbox.is_empty()
            && others.all(|to| self.fabric.outbox.in_flight(to) == 0)
            && self.owed == 0
            && !self.fabric.mail().any()
    }

    /// Messages are about to be handled: if this core has said that it is drained, that is no longer so.
    pub(super) fn is_not_drained(&mut self) {
        if let Some(stopping) = &mut self.stopping
            && std::mem::take(&mut stopping.drained)
        {
            self.shared.drained.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Whether this core stops and waits for its messages to be handled by others: nobody wakes it for that.
    pub(super) fn drains(&self) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| !stopping.drained)
    }

    /// Whether input is still taken.
    pub(super) fn takes_input(&self) -> bool {
        self.stopping.is_none()
    }
}
