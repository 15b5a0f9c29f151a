//! One message to very many receivers, a part each turn: others are served in between.
//!
//! The publisher's next operation waits until all have it, so its order and its PONG mean what they always do. Receivers are
//! those that matched when the message was published. A subscription that ends has its messages first, so that a subscriber can
//! hand over to another without a gap; only those of connections that have closed are left out.

use std::sync::Arc;

use super::Reactor;
use super::deliver::Sender;
use super::frame::Message;
use super::guard::NOTHING;
use crate::buffer::{Buffer, Shared};
use crate::ids::{AccountId, ConnId, SubId};
use crate::limits::SHARED_PAYLOAD_BYTES_MIN;
use crate::os::poll::Os;
use crate::routing::{Publisher, Subscription};

/// A message and who is still to have it.
#[derive(Debug)]
pub(super) struct Fanout {
    account: AccountId,
    origin: ConnId,
    no_echo: bool,
    subject: Box<[u8]>,
    reply: Box<[u8]>,
    header_len: usize,
    content: Arc<Buffer>,
    /// The last ones first.
    left: Vec<Receiver>,
}

/// A subscription, and what tells whether its id still stands for it.
#[derive(Clone, Copy, Debug)]
struct Receiver {
    id: SubId,
    conn: ConnId,
    pattern: u32,
}

impl<O: Os> Reactor<O> {
    /// Keeps the receivers beyond a turn's budget for later turns.
    #[cold]
    pub(super) fn spread(&mut self, account: AccountId, message: &Message<'_>) {
        let table = &self.tables[account.0 as usize];
        let mut later = self.own.routes.local.split_off(self.settings.turn_receivers_max);
        // Members of groups have it at once: nobody else would get it in their place.
        let members = later.extract_if(.., |id| table.subscription(*id).is_queue());
        self.own.routes.local.extend(members);
        // The routes are not whole any more: the next message of this subject is matched anew.
        self.own.routed.1 = u64::MAX;
        let receiver = |id: SubId| {
            let subscription = table.subscription(id);
            Receiver { id, conn: self.clients.id(subscription.conn_slot()), pattern: subscription.pattern_number() }
        };
        let mut content = Buffer::new(message.content().len());
        content.bytes_mut().copy_from_slice(message.content());
        let fanout = Fanout {
            account,
            origin: message.origin,
            no_echo: message.no_echo,
            subject: message.subject.into(),
            reply: message.reply.into(),
            header_len: message.header_len,
            content: Arc::new(content),
            left: later.into_iter().rev().map(receiver).collect(),
        };
        self.fanouts.push_back(fanout);
        if let Some(client) = self.clients.find(message.origin) {
            client.fanning_out = true;
        }
    }

    /// Goes on with what is being spread, within the turn's budget.
    pub(super) fn go_on_spreading(&mut self) {
        self.spread_to(self.settings.turn_receivers_max);
    }

    /// Ends what is being spread: a subscription is about to end, and what it had matched before must reach it.
    pub(super) fn finish_spreading(&mut self) {
        if !self.fanouts.is_empty() {
            self.spread_to(usize::MAX);
        }
    }

    fn spread_to(&mut self, mut budget: usize) {
        while budget > 0 {
            let Some(mut fanout) = self.fanouts.pop_front() else { return };
            budget = self.spread_part(&mut fanout, budget);
            if !fanout.left.is_empty() {
                self.fanouts.push_front(fanout);
                return;
            }
            if let Some(client) = self.clients.find(fanout.origin) {
                client.fanning_out = false;
                self.enqueue(fanout.origin.slot);
            }
        }
    }

    /// Delivers to so many more; what is left of the budget.
    fn spread_part(&mut self, fanout: &mut Fanout, budget: usize) -> usize {
        let part = fanout.left.split_off(fanout.left.len().saturating_sub(budget));
        let table = &self.tables[fanout.account.0 as usize];
        let routes = &mut self.others.routes;
        routes.clear();
        for receiver in part.iter().rev() {
            let same = |s: &Subscription| {
                s.conn_slot() == receiver.conn.slot && s.pattern_number() == receiver.pattern && !s.is_retired()
            };
            if self.clients.find(receiver.conn).is_some() && table.find_subscription(receiver.id).is_some_and(same) {
                routes.local.push(receiver.id);
            }
        }
        if table.has_guarded() {
            self.drop_denied(fanout.account, Sender::Core, &fanout.subject);
        }
        let content = fanout.content.bytes();
        let shared =
            (content.len() >= SHARED_PAYLOAD_BYTES_MIN).then(|| Shared::of(&fanout.content, fanout.content.bytes()));
        let message = Message {
            subject: &fanout.subject,
            reply: &fanout.reply,
            header_len: fanout.header_len,
            whole: content,
            line: 0..0,
            content: 0..content.len(),
            shared: shared.as_ref(),
            origin: fanout.origin,
            no_echo: fanout.no_echo,
        };
        self.others.frame.set_subject(&fanout.subject);
        self.others.routed = NOTHING; // these receivers are those of this message alone
        self.deliver(fanout.account, &message, Sender::Core);
        self.settle_remote(fanout.account, fanout.origin);
        budget - part.len()
    }

    /// Matches a message of this core again until no member was chosen whose connection is being torn down.
    #[cold]
    pub(super) fn route_past_leaving(&mut self, account: AccountId, subject: &[u8], publisher: Publisher) {
        while self.drop_leaving_members(account, Sender::Client) {
            let table = &mut self.tables[account.0 as usize];
            table.route(subject, publisher, &mut self.rng, &mut self.own.routes);
        }
    }

    /// Whether a member that a message was given to belongs to a connection that is being torn down. Such members are removed,
    /// and the message is to be matched again: it belongs to one of those that are left.
    #[cold]
    pub(super) fn drop_leaving_members(&mut self, account: AccountId, sender: Sender) -> bool {
        let parcel = if sender == Sender::Client { &self.own } else { &self.others };
        let table = &self.tables[account.0 as usize];
        let gone: Vec<SubId> = parcel
            .routes
            .local
            .iter()
            .copied()
            .filter(|&id| {
                let subscription = table.subscription(id);
                subscription.is_queue()
                    && !subscription.is_retired()
                    && self.clients.at(subscription.conn_slot()).is_none_or(|client| client.doomed)
            })
            .collect();
        for &id in &gone {
            self.expire(account, id);
        }
        !gone.is_empty()
    }
}
