//! Runs to a queue group: a member is chosen for each message, and each connection gets its own in one go.

use std::sync::Arc;

use super::super::Reactor;
use super::{PlainParts, Run};
use crate::buffer::Buffer;
use crate::ids::{AccountId, SubId};
use crate::os::poll::Os;
use crate::protocol::op::Publish;

/// The messages of a run by the connection that they were chosen for.
#[derive(Debug, Default)]
pub(super) struct Choices {
    /// For each message of the run, the member, and the next message of the same connection.
    links: Vec<Link>,
    connections: Vec<Chosen>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    to: SubId,
    next: usize,
}

/// What one connection gets, in the order in which it was published.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    slot: u32,
    first: usize,
    last: usize,
    count: u64,
    payload_bytes: u64,
}

impl Choices {
    pub(super) fn clear(&mut self) {
        self.links.clear();
        self.connections.clear();
    }
}

impl Run {
    /// The message that is added next goes to this member of a group, and its connection.
    #[inline]
    pub(super) fn choose(&mut self, plain: &PlainParts, to: SubId, slot: u32) {
        let Choices { links, connections } = &mut self.choices;
        let (index, payload_bytes) = (links.len(), plain.payload_len() as u64);
        links.push(Link { to, next: usize::MAX });
        let Some(chosen) = connections.iter_mut().find(|chosen| chosen.slot == slot) else {
            return connections.push(Chosen { slot, first: index, last: index, count: 1, payload_bytes });
        };
        if let Some(last) = links.get_mut(chosen.last) {
            last.next = index;
        }
        chosen.last = index;
        chosen.count += 1;
        chosen.payload_bytes += payload_bytes;
    }
}

impl<O: Os> Reactor<O> {
    /// The next message of a run to a queue group: a member is chosen for it. Whether its publisher may go on.
    #[inline]
    pub(in super::super) fn join_chosen(&mut self, slot: u32, plain: &PlainParts, block: &Arc<Buffer>) -> bool {
        let from = self.run.from;
        let table = &self.tables[from.account.0 as usize];
        if table.route_again(from.publisher(&self.os), &mut self.rng, &mut self.own.routes)
            && let Some((to, slot)) = self.only_choice(from.account)
        {
            self.run.choose(plain, to, slot);
            return !self.run.push(plain) || self.deliver_run(block);
        }
        self.go_past_run(slot, plain, block)
    }

    /// The next message of a run, where another core or a member that gets only so many messages was chosen.
    #[cold]
    fn go_past_run(&mut self, slot: u32, plain: &PlainParts, block: &Arc<Buffer>) -> bool {
        let (from, bytes) = (self.run.from, block.bytes());
        let publish = Publish {
            subject: bytes.get(self.run.subject.clone()).unwrap_or_default(),
            reply: &[],
            has_headers: false,
            header_len: 0,
            content: bytes.get(plain.content..plain.end - 2).unwrap_or_default(),
        };
        if self.own.routes.local.is_empty() {
            // Connections of other cores get nothing of this run, so it may go before the rest of it.
            return self.publish_alone(from, &publish, block, false);
        }
        let version = self.tables[from.account.0 as usize].version();
        let calm = self.deliver_run(block);
        let still = self.tables[from.account.0 as usize].version() == version && self.leaving.is_empty();
        let go_on = if still {
            self.publish_alone(from, &publish, block, false)
        } else {
            self.publish_next(slot, &publish, block)
        };
        go_on && calm
    }

    /// The one receiver of the message that was just routed, where a queue group chose it and it may get more, and its connection.
    #[inline]
    pub(super) fn only_choice(&self, account: AccountId) -> Option<(SubId, u32)> {
        let id = self.own.routes.only_choice()?;
        let subscription = self.tables[account.0 as usize].subscription(id);
        subscription.max().is_none().then(|| (id, subscription.conn_slot()))
    }

    /// Each message to the member that was chosen for it.
    pub(super) fn deliver_chosen(&mut self, block: &Buffer) {
        let run = &mut self.run;
        let table = &mut self.tables[run.from.account.0 as usize];
        let own = run.from.no_echo.then_some(run.from.origin.slot);
        for chosen in &run.choices.connections {
            let Chosen { slot, first, count, payload_bytes, .. } = *chosen;
            let Some(client) = self.clients.at(slot) else { continue };
            if client.doomed || own == Some(slot) {
                continue;
            }
            let (connection, mut at) = (&mut client.connection, first);
            while let Some((link, part)) = run.choices.links.get(at).zip(run.parts.get(at)) {
                let subscription = table.subscription_mut(link.to);
                subscription.delivered += 1;
                part.write(&self.own.frame, block.bytes(), &mut connection.outbound, &mut self.pool, subscription);
                at = link.next;
            }
            connection.counts.out_msgs += count;
            connection.counts.out_bytes += payload_bytes;
            self.stats.out_msgs += count;
            self.stats.out_bytes += payload_bytes;
            self.trouble.after(client, slot, &self.settings, self.now, &mut self.dirty);
        }
    }
}
