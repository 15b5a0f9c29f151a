//! What a connection asked for, apart from publishing: subscriptions, their end, answers.

use super::Reactor;
use super::words::RefusalLine;
use crate::connection::Action;
use crate::connection::close::CloseReason;
use crate::fabric::Rule;
use crate::fabric::message::InterestChange;
use crate::ids::{AccountId, ConnId, SubId};
use crate::os::poll::Os;
use crate::protocol::error::ProtocolError;
use crate::protocol::{encoder, headers};
use crate::subject;

/// A subscription that has ended and is still served to other cores' messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) account: AccountId,
    pub(super) id: SubId,
    pub(super) conn: ConnId,
}

/// What one subscription takes, roughly.
const SUBSCRIPTION_BYTES: usize = 100;

impl<O: Os> Reactor<O> {
    /// Carries an action out. Whether the next operation may be taken at once.
    pub(super) fn carry_out(&mut self, slot: u32, action: Action<'_>) -> bool {
        match action {
            // The hot path has its own way (`Self::publish`).
            Action::None | Action::Publish(_) => true,
            Action::Subscribe { pattern, queue, sid } => {
                self.subscribe(slot, pattern, queue, sid);
                true
            }
            Action::Unsubscribe { sid, max } => {
                self.unsubscribe(slot, sid, max);
                true
            }
            Action::Pong => self.answer_ping(slot),
            Action::LogIn => self.log_in(slot),
            Action::Refused { violation, sid } => {
                self.trace_said(slot);
                self.log_violation(slot, violation, sid);
                true
            }
            Action::ClientError(text) => {
                self.log_client_error(slot, text);
                self.close(slot, CloseReason::ParseError);
                false
            }
        }
    }

    fn subscribe(&mut self, slot: u32, pattern: &[u8], queue: Option<&[u8]>, sid: &[u8]) {
        let Some(client) = self.clients.at(slot) else { return };
        let account = client.account;
        let table = &mut self.tables[account.0 as usize];
        let hash = self.sid_hash.hash(sid);
        let known = client.connection.subscriptions.find(hash, |id| table.subscription(id).sid() == sid);
        // In the peer's order: full, known, invalid.
        if client.connection.subscriptions.len() as u64 >= self.settings.rules_of(account).subscriptions_max {
            client.connection.complain(ProtocolError::MaxSubscriptions, &mut self.pool);
            self.log_full(slot);
            return;
        }
        // A name that is taken stays what it was.
        if known.is_none() {
            if !subject::is_valid_pattern(pattern) {
                client.connection.complain(ProtocolError::InvalidSubject, &mut self.pool);
                return;
            }
            let (id, members) = table.subscribe(pattern, queue, slot, sid);
            client.connection.subscriptions.insert(hash, id);
            if client.connection.rights.as_ref().is_some_and(|rights| rights.guards(pattern)) {
                table.set_guarded(id, true);
            }
            if let Some(members) = members {
                self.fabric.outbox.announce(&InterestChange { account, pattern, queue, members });
            }
        }
        client.connection.acknowledge(&mut self.pool);
    }

    fn unsubscribe(&mut self, slot: u32, sid: &[u8], max: Option<u64>) {
        self.finish_spreading();
        let Some(client) = self.clients.at(slot) else { return };
        let account = client.account;
        let table = &mut self.tables[account.0 as usize];
        let hash = self.sid_hash.hash(sid);
        let found = client.connection.subscriptions.find(hash, |id| table.subscription(id).sid() == sid);
        if let Some(id) = found {
            match max {
                Some(max) if max > table.subscription(id).delivered => table.subscription_mut(id).set_max(Some(max)),
                _ => {
                    client.connection.subscriptions.remove(hash, id);
                    client.connection.acknowledge(&mut self.pool);
                    if self.trace {
                        self.trace_said(slot);
                        self.trace_ended(account, id);
                    }
                    self.retire(account, id, slot);
                    return;
                }
            }
        }
        client.connection.acknowledge(&mut self.pool);
    }

    /// A client that connects again begins anew: what it subscribed to before is gone.
    pub(super) fn drop_subscriptions(&mut self, slot: u32) {
        self.finish_spreading();
        let Some(client) = self.clients.at(slot) else { return };
        let account = client.account;
        if self.trace {
            self.trace_all_ended(slot);
        }
        let Some(client) = self.clients.at(slot) else { return };
        for id in client.connection.subscriptions.take(usize::MAX) {
            self.retire(account, id, slot);
        }
    }

    /// Ends a subscription; messages of other cores, which may have matched it before, still reach it for a while.
    pub(super) fn retire(&mut self, account: AccountId, id: SubId, slot: u32) {
        if self.fabric.cores() == 1 || self.os.breaks(Rule::Grace) {
            self.remove(account, id);
            return;
        }
        let table = &mut self.tables[account.0 as usize];
        if let Some(members) = table.retire(id) {
            let (pattern, queue) = (table.pattern_text(id), table.queue_name(id));
            self.fabric.outbox.announce(&InterestChange { account, pattern, queue, members });
        }
        let conn = self.clients.id(slot);
        self.grace.retire(Ended { account, id, conn });
        if let Some(client) = self.clients.at(slot) {
            client.ending += 1;
        }
    }

    /// A subscription had its last message.
    pub(super) fn expire(&mut self, account: AccountId, id: SubId) {
        let subscription = self.tables[account.0 as usize].subscription(id);
        if subscription.is_retired() {
            // It had been ended before; what waits for that need not wait any longer.
            for ended in self.grace.take_where(|ended| ended.account == account && ended.id == id) {
                self.end(ended);
            }
            return;
        }
        let hash = self.sid_hash.hash(subscription.sid());
        if let Some(client) = self.clients.at(subscription.conn_slot()) {
            client.connection.subscriptions.remove(hash, id);
        }
        self.log_expired(account, id);
        self.remove(account, id);
    }

    /// A subscription is gone for good.
    pub(super) fn remove(&mut self, account: AccountId, id: SubId) {
        let table = &mut self.tables[account.0 as usize];
        if let Some(members) = table.retire(id) {
            let (pattern, queue) = (table.pattern_text(id), table.queue_name(id));
            self.fabric.outbox.announce(&InterestChange { account, pattern, queue, members });
        }
        table.remove(id);
        self.free(SUBSCRIPTION_BYTES);
    }

    /// PONG, at once or when what ended before it is gone for good. Whether the next operation may be taken.
    fn answer_ping(&mut self, slot: u32) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        if client.ending > 0 {
            client.pong_waits = true;
            return false;
        }
        client.connection.pong(&mut self.pool);
        if client.connection.take_info_due() {
            self.send_info(slot, true);
        }
        true
    }

    /// Subscriptions that ended are gone when every other core has ended the turn it was in, or sleeps.
    pub(super) fn end_grace(&mut self) {
        let over = self.grace.over(&self.fabric.mails);
        if over == 0 {
            return;
        }
        self.os.preempt();
        // What those turns pushed is in the rings by now: it comes first.
        if !self.os.breaks(Rule::GraceLooks) && !self.look() {
            return;
        }
        for _ in 0..over {
            for ended in self.grace.take_first() {
                self.end(ended);
            }
        }
    }

    /// A subscription that had ended is gone for good; the last one of a connection sets free the PONG that waits for it.
    fn end(&mut self, Ended { account, id, conn }: Ended) {
        self.remove(account, id);
        let Some(client) = self.clients.find(conn) else { return };
        client.ending -= 1;
        if client.ending == 0 && client.pong_waits {
            client.pong_waits = false;
            self.answer_ping(conn.slot);
            self.trace_said(conn.slot);
            self.mark_dirty(conn.slot);
            self.enqueue(conn.slot);
        }
    }

    /// Tells a requester that nobody listens: on its own subscription for the answer, if it has one.
    pub(super) fn no_responders(&mut self, slot: u32, subject: &[u8], reply: &[u8]) {
        let Some(client) = self.clients.at(slot) else { return };
        let table = &mut self.tables[client.account.0 as usize];
        let Some(id) = table.find_of(reply, slot) else { return };
        if client.connection.rights.as_ref().is_some_and(|rights| !rights.may_deliver(reply, None)) {
            return;
        }
        let block = headers::no_responders(subject);
        let mut message = Vec::with_capacity(block.len() + reply.len() + 64);
        encoder::put_hmsg_head(&mut message, reply, table.subscription(id).sid(), b"", block.len(), block.len());
        message.extend_from_slice(&block);
        message.extend_from_slice(b"\r\n");
        client.connection.outbound.push(&message, &mut self.pool);
        self.mark_dirty(slot);
    }

    fn complain(&mut self, slot: u32, error: ProtocolError) {
        if let Some(client) = self.clients.at(slot) {
            if self.trace {
                client.connection.said.get_or_insert_default();
            }
            client.connection.complain(error, &mut self.pool);
            if self.trace {
                self.trace_said(slot);
            }
        }
    }

    /// A client broke the protocol: it is told, and closed.
    pub(super) fn refuse(&mut self, slot: u32, error: ProtocolError, input: &[u8]) {
        let Some(client) = self.clients.at(slot) else { return };
        if client.connection.closing().is_none() {
            let reason = CloseReason::Protocol(error);
            let line = RefusalLine::of(error);
            if line == RefusalLine::First {
                self.log_refusal(slot, error, input);
            }
            self.complain(slot, error);
            if line == RefusalLine::Between {
                self.log_refusal(slot, error, input);
            }
            self.log_closed(slot, reason);
            if line == RefusalLine::Last {
                self.log_refusal(slot, error, input);
            }
            self.remember(slot, reason);
            if let Some(client) = self.clients.at(slot) {
                client.connection.close(reason, self.now, &mut self.pool);
            }
        }
        self.leave(slot);
    }
}
