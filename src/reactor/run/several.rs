//! Runs to connections of which some have several subscriptions to the subject: each connection gets a message for all of them, then
//! the next message.
//!
//! Connections that call theirs the same, in the same order, get bytes that are made once.

use super::super::Reactor;
use super::Run;
use crate::buffer::Buffer;
use crate::connection::outbound::{ChunkPool, Outbound, SLACK_BYTES, Writer};
use crate::ids::SubId;
use crate::os::poll::Os;
use crate::reactor::frame::Frame;
use crate::routing::SID_BLOCK;

/// Bytes that are made for several connections; where it would be more, they are made in the queue of each.
const COMPOSED_BYTES_MAX: usize = 256 * 1024;

/// No further subscription of this connection.
const NONE: usize = usize::MAX;

/// How a client calls a subscription.
type Name = ([u8; SID_BLOCK], usize);

/// The subscriptions that a run goes to, by connection.
#[derive(Debug, Default)]
pub(super) struct Several {
    links: Vec<Link>,
    connections: Vec<Share>,
    /// The subscriptions of the connection at hand, and those that the run was composed for.
    names: Vec<Name>,
    composed_names: Vec<Name>,
}

/// A subscription, and the place of the next one of its connection.
#[derive(Clone, Copy, Debug)]
struct Link {
    to: SubId,
    next: usize,
}

/// A connection, and the places of its first and its last subscription.
#[derive(Clone, Copy, Debug)]
struct Share {
    slot: u32,
    first: usize,
    last: usize,
}

impl Several {
    /// Bytes of a message for the connection at hand, less what is the same for each of its subscriptions.
    fn sid_bytes(&self) -> usize {
        self.names.iter().map(|(_, len)| len).sum()
    }
}

impl Run {
    /// Puts the run into the queue of the connection at hand; `many`: there are others.
    fn write_by_connection(
        &mut self,
        frame: &Frame,
        whole: &[u8],
        out: &mut Outbound,
        pool: &mut ChunkPool,
        many: bool,
    ) {
        if self.composed_len != 0 && self.several.names == self.several.composed_names {
            return out.push_long(self.composed.get(..self.composed_len).unwrap_or_default(), pool);
        }
        let (head_len, names) = (frame.msg_head().len(), self.several.names.len());
        let bytes = self.parts.len() * (names * head_len + self.several.sid_bytes()) + names * self.bytes;
        if !many || self.composed_len != 0 || bytes > COMPOSED_BYTES_MAX {
            for part in &self.parts {
                for (sid, sid_len) in &self.several.names {
                    let mut writer = out.writer(head_len + sid_len + (part.end - part.line) as usize, pool);
                    part.put(frame, whole, sid, *sid_len, &mut writer);
                }
            }
            return;
        }
        if self.composed.len() < bytes + SLACK_BYTES {
            self.composed.resize(bytes + SLACK_BYTES, 0);
        }
        let mut writer = Writer::new(&mut self.composed);
        for part in &self.parts {
            for (sid, sid_len) in &self.several.names {
                part.put(frame, whole, sid, *sid_len, &mut writer);
            }
        }
        out.push_long(self.composed.get(..bytes).unwrap_or_default(), pool);
        self.composed_len = bytes;
        std::mem::swap(&mut self.several.names, &mut self.several.composed_names);
    }
}

impl<O: Os> Reactor<O> {
    /// Sorts the subscriptions that the run goes to by connection. Whether that is enough: none has a long name or ends after so many
    /// messages.
    pub(super) fn gather_by_connection(&mut self) -> bool {
        let table = &self.tables[self.run.from.account.0 as usize];
        self.run.number = self.run.number.wrapping_add(1);
        let Several { links, connections, .. } = &mut self.run.several;
        links.clear();
        connections.clear();
        for (index, &id) in self.own.routes.local.iter().enumerate() {
            let subscription = table.subscription(id);
            if subscription.short_sid().is_none() {
                return false;
            }
            links.push(Link { to: id, next: NONE });
            let slot = subscription.conn_slot();
            let Some(client) = self.clients.at(slot) else { continue };
            if client.last_run == self.run.number {
                let share = &mut connections[client.run_place as usize];
                links[share.last].next = index;
                share.last = index;
            } else {
                (client.last_run, client.run_place) = (self.run.number, connections.len() as u32);
                connections.push(Share { slot, first: index, last: index });
            }
        }
        true
    }

    /// Delivers the run to one connection after the other, as they were gathered.
    pub(super) fn deliver_by_connection(&mut self, block: &Buffer) {
        let run = &mut self.run;
        let table = &mut self.tables[run.from.account.0 as usize];
        let own = run.from.no_echo.then_some(run.from.origin.slot);
        let count = run.parts.len() as u64;
        let connections = std::mem::take(&mut run.several.connections);
        let mut receivers = 0;
        run.composed_len = 0;
        for Share { slot, first, .. } in &connections {
            let Some(client) = self.clients.at(*slot) else { continue };
            if client.doomed || own == Some(*slot) {
                continue;
            }
            run.several.names.clear();
            let mut at = *first;
            while let Some(Link { to, next }) = run.several.links.get(at) {
                let subscription = table.subscription_mut(*to);
                subscription.delivered += count;
                run.several.names.extend(subscription.short_sid().map(|(sid, len)| (*sid, len)));
                at = *next;
            }
            let subscriptions = run.several.names.len() as u64;
            let connection = &mut client.connection;
            let (out, many) = (&mut connection.outbound, connections.len() > 1);
            run.write_by_connection(&self.own.frame, block.bytes(), out, &mut self.pool, many);
            connection.counts.out_msgs += count * subscriptions;
            connection.counts.out_bytes += run.payload_bytes as u64 * subscriptions;
            receivers += subscriptions;
            self.trouble.after(client, *slot, &self.settings, self.now, &mut self.dirty);
        }
        run.several.connections = connections;
        self.stats.out_msgs += receivers * count;
        self.stats.out_bytes += receivers * run.payload_bytes as u64;
    }
}
