//! A run to a queue group: each member that is dealt a stretch of it gets that in one go.

use std::ops::Range;

use super::super::Reactor;
use super::write_parts;
use crate::buffer::Buffer;
use crate::ids::{CoreId, SubId};
use crate::os::poll::Os;
use crate::routing::{Choice, GroupRef, Stretch};

impl<O: Os> Reactor<O> {
    /// Divides the run among the members of its group. Whether that was possible: not where one gets only so many messages, and may end
    /// within the run.
    pub(super) fn deliver_dealt(&mut self, group: GroupRef, block: &Buffer) -> bool {
        let from = self.run.from;
        let table = &self.tables[from.account.0 as usize];
        let mut stretches = std::mem::take(&mut self.run.stretches);
        let messages = self.run.parts.len();
        table.deal(&self.own.routes, from.publisher(&self.os), &mut self.rng, messages, &mut stretches);
        let bounded = |stretch: &Stretch| match stretch.to {
            Choice::Here(id) => table.subscription(id).max().is_some(),
            Choice::There(_) => false,
        };
        let possible = !stretches.iter().any(bounded);
        if possible {
            let mut at = 0;
            for stretch in &stretches {
                let part = at..at + stretch.count;
                at = part.end;
                match stretch.to {
                    Choice::Here(id) => self.deliver_stretch(id, part, block),
                    Choice::There(core) => self.send_stretch(core, group, part, block),
                }
            }
        }
        self.run.stretches = stretches;
        possible
    }

    fn deliver_stretch(&mut self, id: SubId, part: Range<usize>, block: &Buffer) {
        let run = &self.run;
        let subscription = self.tables[run.from.account.0 as usize].subscription_mut(id);
        let slot = subscription.conn_slot();
        let Some(client) = self.clients.at(slot).filter(|client| !client.doomed) else { return };
        if run.from.no_echo && run.from.origin.slot == slot {
            return;
        }
        let parts = run.parts.get(part).unwrap_or_default();
        let (count, connection) = (parts.len() as u64, &mut client.connection);
        subscription.delivered += count;
        let out = &mut connection.outbound;
        let payload_bytes = write_parts(parts, &self.own.frame, block.bytes(), out, &mut self.pool, subscription);
        connection.counts.out_msgs += count;
        connection.counts.out_bytes += payload_bytes;
        self.stats.out_msgs += count;
        self.stats.out_bytes += payload_bytes;
        self.trouble.after(client, slot, &self.settings, self.now, &mut self.dirty);
    }

    fn send_stretch(&mut self, core: CoreId, group: GroupRef, part: Range<usize>, block: &Buffer) {
        let routes = &mut self.own.routes;
        routes.remote_groups.clear();
        routes.remote_groups.push((core, group));
        self.send_run_to_cores(part, block);
    }
}
