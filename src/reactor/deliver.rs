//! A message to those who are to have it: receivers of this core, and the batches of others.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::Reactor;
use super::connections::Client;
use super::frame::{Frame, Message, line_of};
use super::run::{Author, PlainParts};
use super::settings::Settings;
use crate::buffer::{Buffer, Shared};
use crate::connection::Gate;
use crate::connection::close::CloseReason;
use crate::fabric::Rule;
use crate::fabric::batch::{Content, Entry, Groups};
use crate::fabric::message::{Origin, WHOLE, others, part};
use crate::ids::{AccountId, ConnId, SubId};
use crate::limits::{SHARED_PAYLOAD_BYTES_MIN, SHARED_WITH_ONE_BYTES_MIN};
use crate::os::poll::Os;
use crate::protocol::op::Publish;
use crate::routing::{Publisher, Routes, same};

/// A message on its way to receivers of this core: who they are, and the bytes that are the same for all.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub(super) routes: Routes,
    pub(super) frame: Frame,
    /// For which account and version of its table `routes` and the frame's subject belong together.
    pub(super) routed: (AccountId, u64),
}

/// Who sends a message to receivers of this core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A client of this core.
    Client,
    /// Another core.
    Core,
}

/// What came up while a message was delivered, to be settled after it. Mostly nothing.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// Whether there is any.
    pub(super) any: bool,
    /// Subscriptions that had their last message.
    expired: Vec<SubId>,
    /// Receivers that are too far behind.
    slow: Vec<u32>,
    /// Of the receivers that take bytes and have too many waiting, the one with the most: hold the publisher back.
    hold_for: Option<(u64, u32)>,
    /// Much is waiting for a receiver that could take it: write soon.
    write_soon: bool,
}

impl<O: Os> Reactor<O> {
    /// A client of this core has published. Whether its next operation may be taken at once.
    #[inline]
    pub(super) fn publish(&mut self, slot: u32, publish: &Publish<'_>, block: &Arc<Buffer>) -> bool {
        self.observed.sketch.left -= 1;
        if self.observed.sketch.left == 0 {
            return self.publish_seen(slot, publish, block);
        }
        self.publish_unseen(slot, publish, block)
    }

    #[inline]
    pub(super) fn publish_unseen(&mut self, slot: u32, publish: &Publish<'_>, block: &Arc<Buffer>) -> bool {
        self.stats.in_msgs += 1;
        self.stats.in_bytes += publish.content.len() as u64;
        if self.run.is_empty() {
            return self.publish_next(slot, publish, block);
        }
        // Publishers mostly go on with the subject they have.
        if same(self.own.frame.subject(), publish.subject)
            && publish.reply.is_empty()
            && let (line, content) = parts_of(block, publish)
            && let Some(plain) = plain_parts(&line, &content)
        {
            return !self.run.push(&plain) || self.deliver_run(block);
        }
        let calm = self.deliver_run(block);
        let ends = self.clients.at(slot).is_none_or(|client| client.connection.closing().is_some());
        !ends && self.publish_next(slot, publish, block) && calm
    }

    /// Publishes a message with no run at hand.
    #[inline]
    pub(super) fn publish_next(&mut self, slot: u32, publish: &Publish<'_>, block: &Arc<Buffer>) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        let traits = client.connection.traits();
        let walls = !self.os.breaks(Rule::WallsBetweenAccounts);
        let account = if walls { client.account } else { AccountId::GLOBAL };
        let origin = ConnId { core: self.this, slot, generation: client.generation };
        let from = Author { account, origin, no_echo: !traits.echo };
        let (line, content) = parts_of(block, publish);
        self.route_own(account, publish.subject, publish.reply, from.publisher(&self.os));
        if publish.reply.is_empty()
            && !traits.verbose
            && !traits.pedantic
            && let Some(plain) = plain_parts(&line, &content)
        {
            let start = place(block, publish.subject);
            if let Some(full) =
                self.begin_run(from, start..start + publish.subject.len(), &plain, block, traits.gate == Gate::Open)
            {
                return !full || self.deliver_run(block);
            }
        }
        let report = traits.no_responders && !publish.reply.is_empty();
        if self.own.routes.is_empty() {
            if report {
                self.no_responders(slot, publish.subject, publish.reply);
            }
            return true;
        }
        let routes = &self.own.routes;
        let elsewhere = routes.remote_plain != 0 || !routes.remote_groups.is_empty();
        let several = elsewhere || routes.local.len() > 1;
        let shared_from = if several { SHARED_PAYLOAD_BYTES_MIN } else { SHARED_WITH_ONE_BYTES_MIN };
        let shared = (content.len() >= shared_from)
            .then(|| Shared::of(block, block.bytes().get(content.clone()).unwrap_or_default()));
        let message = Message {
            subject: publish.subject,
            reply: publish.reply,
            header_len: publish.header_len,
            whole: block.bytes(),
            line,
            content,
            shared: shared.as_ref(),
            origin,
            no_echo: from.no_echo,
        };
        if self.own.routes.local.len() > self.settings.turn_receivers_max {
            self.spread(account, &message);
            self.send(account, &message, report);
            return false; // its next operation waits for the rest of the receivers
        }
        self.send(account, &message, report)
    }

    /// Finds who gets a message of this core's client.
    #[inline(always)]
    pub(super) fn route_own(&mut self, account: AccountId, subject: &[u8], reply: &[u8], publisher: Publisher) {
        let table = &mut self.tables[account.0 as usize];
        let Parcel { routes, frame, routed } = &mut self.own;
        let again = *routed == (account, table.version())
            && same(frame.subject(), subject)
            && (!routes.grouped || table.route_again(publisher, &mut self.rng, routes));
        let mut guarded = false; // nothing that was guarded is remembered
        if !again {
            table.route(subject, publisher, &mut self.rng, routes);
            *routed = (account, table.version());
            frame.set_subject(subject);
            guarded = table.has_guarded() && !self.os.breaks(Rule::CheckAtDelivery);
        }
        if routes.grouped && !self.leaving.is_empty() {
            self.route_past_leaving(account, subject, publisher);
        }
        if guarded {
            self.guard(account, Sender::Client, subject, reply, &[]);
        }
    }

    /// Delivers to this core's receivers and fills the batches of others.
    #[inline]
    pub(super) fn send(&mut self, account: AccountId, message: &Message<'_>, report: bool) -> bool {
        let delivered = self.deliver(account, message, Sender::Client);
        let routes = &self.own.routes;
        if routes.remote_plain != 0 || !routes.remote_groups.is_empty() {
            self.send_to_cores(account, message, report && delivered == 0);
        } else if report && delivered == 0 {
            self.no_responders(message.origin.slot, message.subject, message.reply);
        }
        self.is_calm() || self.settle(account, message.origin)
    }

    /// Whether a publisher may go on: nothing is to be settled or written first.
    #[inline]
    pub(super) fn is_calm(&self) -> bool {
        !self.trouble.any && !self.has_queued_much()
    }

    /// The turn has filled so much of its receivers' queues that they are to be written first.
    #[inline]
    pub(super) fn has_queued_much(&self) -> bool {
        let (bytes, each) = (self.pool.filled_bytes(), self.settings.write_bytes_wanted);
        bytes >= self.settings.turn_queued_bytes_max && bytes >= each * self.dirty.len()
    }

    /// Puts a message into the batch of each core that is to have it.
    pub(super) fn send_to_cores(&mut self, account: AccountId, message: &Message<'_>, report: bool) {
        let routes = &self.own.routes;
        let grouped = routes.remote_groups.iter().fold(0, |mask, (core, _)| mask | core.bit());
        let targets = routes.remote_plain | grouped;
        self.message_number += 1;
        let (mut index, count) = (0, targets.count_ones());
        for core in others(self.this, self.fabric.cores()) {
            if targets & core.bit() == 0 {
                continue;
            }
            self.group_names.clear();
            if grouped & core.bit() != 0 {
                let table = &self.tables[account.0 as usize];
                for (_, group) in routes.remote_groups.iter().filter(|(c, _)| *c == core) {
                    Groups::push(&mut self.group_names, table.group_name(*group));
                }
            }
            let share = part(WHOLE, index, count);
            index += 1;
            let entry = Entry {
                account,
                origin: Origin { conn: message.origin, number: self.message_number, share },
                no_echo: message.no_echo,
                report,
                plain: routes.remote_plain & core.bit() != 0,
                hops: 0,
                groups: Groups::new(&self.group_names),
                subject: message.subject,
                reply: message.reply,
                header_len: message.header_len as u32,
                content: match message.shared {
                    Some(shared) => Content::Shared(shared),
                    None => message.inline(),
                },
            };
            self.fabric.outbox.deliver(core, &entry, None);
        }
    }

    /// Queues a message for receivers of this core. How many got it; what else came up is left in `trouble`.
    pub(super) fn deliver(&mut self, account: AccountId, message: &Message<'_>, sender: Sender) -> usize {
        let Parcel { routes, frame, .. } = match sender {
            Sender::Client => &mut self.own,
            Sender::Core => &mut self.others,
        };
        if routes.local.is_empty() {
            return 0;
        }
        let table = &mut self.tables[account.0 as usize];
        frame.prepare(message);
        let own = (message.origin.core == self.this && message.no_echo).then_some(message.origin.slot);
        let (mut delivered, mut bytes) = (0, 0);
        for &id in &routes.local {
            let subscription = table.subscription_mut(id);
            let slot = subscription.conn_slot();
            let Some(client) = self.clients.at(slot) else { continue };
            if client.doomed || own == Some(slot) {
                continue;
            }
            subscription.delivered += 1;
            if self.os.breaks(Rule::CountDeliveryOnce) && message.origin.core != self.this {
                subscription.delivered += 1;
            }
            if subscription.max().is_some_and(|max| subscription.delivered >= max) {
                self.trouble.expired(id);
            }
            let connection = &mut client.connection;
            let headers = message.header_len > 0 && connection.traits().headers;
            let content = frame.write(&mut connection.outbound, &mut self.pool, message, headers, subscription);
            connection.counts.out_msgs += 1;
            connection.counts.out_bytes += content as u64;
            bytes += content;
            delivered += 1;
            self.trouble.after(client, slot, &self.settings, self.now, &mut self.dirty);
        }
        self.stats.out_msgs += delivered as u64;
        self.stats.out_bytes += bytes as u64;
        if self.trace {
            self.trace_deliveries(account, message, sender);
        }
        delivered
    }

    /// What follows from a delivery: ended subscriptions, slow consumers, a hold. Whether the publisher may go on.
    #[cold]
    pub(super) fn settle(&mut self, account: AccountId, publisher: ConnId) -> bool {
        let Trouble { expired, slow, hold_for, write_soon, .. } = std::mem::take(&mut self.trouble);
        for id in expired {
            self.expire(account, id);
        }
        for slot in slow {
            self.close(slot, CloseReason::SlowConsumerPendingBytes);
        }
        let write_soon = write_soon || self.has_queued_much();
        let mut go_on = !write_soon;
        if let Some((_, receiver)) = hold_for
            && self.settings.fast_producer_stall
        {
            go_on &= !self.hold(publisher, receiver);
        }
        self.write_soon |= write_soon;
        go_on
    }

    /// Settles what came up with a message of another core, which does not wait for it.
    pub(super) fn settle_remote(&mut self, account: AccountId, publisher: ConnId) {
        if self.trouble.any {
            self.settle(account, publisher);
        }
    }
}

impl Trouble {
    /// A subscription has had its last message.
    #[cold]
    pub(super) fn expired(&mut self, id: SubId) {
        self.any = true;
        self.expired.push(id);
    }

    /// A receiver has got something: it is on the list of those with something to write, and not too far behind.
    #[inline]
    pub(super) fn after<S>(
        &mut self,
        client: &mut Client<S>,
        slot: u32,
        settings: &Settings,
        now: Instant,
        dirty: &mut Vec<u32>,
    ) {
        if !client.dirty {
            client.dirty = true;
            dirty.push(slot);
        }
        if client.connection.outbound.pending_bytes() >= settings.pressure_bytes {
            self.judge(client, slot, settings, now);
        }
    }

    /// Whether a receiver with much waiting is slow, is to be waited for, or should just be written to.
    #[cold]
    fn judge<S>(&mut self, client: &mut Client<S>, slot: u32, settings: &Settings, now: Instant) {
        let pending = client.connection.outbound.pending_bytes();
        if pending > settings.pending_bytes_max {
            client.doomed = true;
            self.slow.push(slot);
        } else if !client.blocked {
            self.write_soon = true;
        } else if pending >= settings.stall_from_bytes && !client.patience(now, &settings.patience).is_zero() {
            self.hold_for = self.hold_for.max(Some((pending, slot)));
        } else {
            return;
        }
        self.any = true;
    }
}

/// Where in the block a part of it begins.
#[inline]
fn place(block: &Buffer, part: &[u8]) -> usize {
    part.as_ptr().addr() - block.bytes().as_ptr().addr()
}

/// Where in the block the line of a MSG stands ready, if it does, and where the content is with the line end that follows it (the parser
/// has seen that one does).
#[inline]
fn parts_of(block: &Buffer, publish: &Publish<'_>) -> (Range<usize>, Range<usize>) {
    let start = place(block, publish.content);
    let content = start..start + publish.content.len() + 2;
    let line = if publish.has_headers { 0..0 } else { line_of(block.bytes(), publish, &content) };
    (line, content)
}

/// Where the parts are of a message that is delivered as it was written, and copied.
#[inline]
fn plain_parts(line: &Range<usize>, content: &Range<usize>) -> Option<PlainParts> {
    let plain = !line.is_empty() && content.len() < SHARED_PAYLOAD_BYTES_MIN;
    plain.then_some(PlainParts { line: line.start, content: content.start, end: content.end })
}
