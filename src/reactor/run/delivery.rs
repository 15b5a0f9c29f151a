//! A run on its way to receivers of this core, and to other cores.

use std::ops::Range;

use super::super::Reactor;
use crate::buffer::Buffer;
use crate::os::poll::Os;

/// How a run is delivered.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// To one subscription after the other.
    AtOnce,
    /// To one connection after the other: some have several of the subscriptions.
    ByConnection,
    /// One message after the other: a subscription ends after so many.
    OneByOne,
}

impl<O: Os> Reactor<O> {
    /// Delivers the run at hand, where there is one. Whether its publisher may go on.
    #[inline]
    pub(in super::super) fn end_run(&mut self, block: &Buffer) -> bool {
        self.run.is_empty() || self.deliver_run(block)
    }

    /// Delivers the run at hand. Whether its publisher may go on.
    #[inline(never)]
    pub(in super::super) fn deliver_run(&mut self, block: &Buffer) -> bool {
        if let Some(group) = self.run.group {
            if !self.deliver_dealt(group, block) {
                return self.deliver_one_by_one(block);
            }
        } else {
            match if self.run.parts.len() > 1 { self.way() } else { Way::AtOnce } {
                Way::AtOnce => self.deliver_at_once(block),
                Way::ByConnection => self.deliver_by_connection(block),
                Way::OneByOne => return self.deliver_one_by_one(block),
            }
            if self.own.routes.remote_plain != 0 {
                self.send_run_to_cores(0..self.run.parts.len(), block);
            }
        }
        self.run.clear();
        self.is_calm() || self.settle(self.run.from.account, self.run.from.origin)
    }

    /// How the run is delivered so that no receiver could tell.
    fn way(&mut self) -> Way {
        let table = &self.tables[self.run.from.account.0 as usize];
        self.run.number = self.run.number.wrapping_add(1);
        for &id in &self.own.routes.local {
            let subscription = table.subscription(id);
            if subscription.max().is_some() {
                return Way::OneByOne;
            }
            if let Some(client) = self.clients.at(subscription.conn_slot()) {
                if client.last_run == self.run.number {
                    return if self.gather_by_connection() { Way::ByConnection } else { Way::OneByOne };
                }
                client.last_run = self.run.number;
            }
        }
        Way::AtOnce
    }

    fn deliver_at_once(&mut self, block: &Buffer) {
        let run = &mut self.run;
        let table = &mut self.tables[run.from.account.0 as usize];
        let own = run.from.no_echo.then_some(run.from.origin.slot);
        let count = run.parts.len() as u64;
        let many = self.own.routes.local.len() > 1;
        let mut receivers = 0;
        run.composed_len = 0;
        for &id in &self.own.routes.local {
            let subscription = table.subscription_mut(id);
            let slot = subscription.conn_slot();
            let Some(client) = self.clients.at(slot) else { continue };
            if client.doomed || own == Some(slot) {
                continue;
            }
            subscription.delivered += count;
            if subscription.max().is_some_and(|max| subscription.delivered >= max) {
                self.trouble.expired(id);
            }
            let connection = &mut client.connection;
            run.write(&self.own.frame, block.bytes(), &mut connection.outbound, &mut self.pool, subscription, many);
            connection.counts.out_msgs += count;
            connection.counts.out_bytes += run.payload_bytes as u64;
            receivers += 1;
            self.trouble.after(client, slot, &self.settings, self.now, &mut self.dirty);
        }
        self.stats.out_msgs += receivers * count;
        self.stats.out_bytes += receivers * run.payload_bytes as u64;
    }

    /// As if there were no runs: what one message changes holds for the next.
    #[cold]
    fn deliver_one_by_one(&mut self, block: &Buffer) -> bool {
        let parts = std::mem::take(&mut self.run.parts);
        let (account, mut go_on) = (self.run.from.account, true);
        let publisher = self.run.from.publisher(&self.os);
        for part in &parts {
            let message = self.run.message(*part, block);
            self.route_own(account, message.subject, &[], publisher);
            go_on &= self.send(account, &message, false);
        }
        self.run.parts = parts;
        self.run.clear();
        go_on
    }

    pub(super) fn send_run_to_cores(&mut self, part: Range<usize>, block: &Buffer) {
        for at in part {
            let message = self.run.message(self.run.parts[at], block);
            self.send_to_cores(self.run.from.account, &message, false);
        }
    }
}
