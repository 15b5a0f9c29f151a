//! What other cores sent: the look at the mail, messages for this core's receivers, and what becomes of those that find nobody.

use super::Reactor;
use super::deliver::{Parcel, Sender};
use super::frame::Message;
use super::guard::NOTHING;
use crate::fabric::Rule;
use crate::fabric::batch::{Batch, Content, Entry, Groups};
use crate::fabric::message::{CoreMessage, MAIN_BIT, Origin, Undelivered, others, part};
use crate::ids::{AccountId, CoreId};
use crate::os::poll::Os;
use crate::routing::{Choice, same};

impl<O: Os> Reactor<O> {
    /// Looks at the mail. Whether everything that it found has been handled; if not, what was read must wait.
    ///
    /// In this order: note how far each batch ring is filled, apply all interest that is there, handle the batches up to the
    /// note. So whatever a noted batch could have been caused by is known before it is handled.
    pub(super) fn look(&mut self) -> bool {
        if self.owed > 0 {
            return false;
        }
        if !self.fabric.mail().any() {
            self.end_look(); // a look that finds no mail is a look
            return true;
        }
        if self.fabric.mail().take() & MAIN_BIT != 0 {
            self.control_due = true;
        }
        if self.os.breaks(Rule::InterestBeforeBatches) {
            self.note();
            self.handle_batches();
        }
        self.note();
        self.apply_interest();
        self.handle_batches()
    }

    /// A look that leaves the batches where they are: only a broken rule does so.
    pub(super) fn look_at_interest_only(&mut self) {
        self.apply_interest();
    }

    fn note(&mut self) {
        for core in others(self.this, self.fabric.cores()) {
            self.notes[core.index()] = self.fabric.inbox.batches_waiting(core);
            self.os.preempt();
        }
        self.owed = self.notes.iter().sum();
    }

    fn apply_interest(&mut self) {
        for core in others(self.this, self.fabric.cores()) {
            for _ in 0..self.fabric.inbox.messages_waiting(core) {
                match self.fabric.inbox.next_message(core) {
                    Some(CoreMessage::Interest(batch)) => {
                        self.free(batch.len_bytes());
                        for change in batch.iter() {
                            // Another core may have learnt of an account before this one has.
                            self.make_tables(change.account.0 as usize + 1);
                            let table = &mut self.tables[change.account.0 as usize];
                            table.apply(core, change.pattern, change.queue, change.members);
                        }
                    }
                    Some(CoreMessage::Undelivered(report)) => self.handle_undelivered(&report),
                    Some(CoreMessage::Hold { conn, at_most, by }) => self.hold_back(conn, core, at_most, by),
                    Some(CoreMessage::Release { conn }) => self.let_go(conn, core),
                    Some(CoreMessage::Accepted(accepted)) => self.arrivals.push_back(accepted),
                    None => break,
                }
            }
            self.os.preempt();
        }
        self.end_look();
        if self.os.breaks(Rule::RemovalsLag) {
            self.end_look();
        }
    }

    fn end_look(&mut self) {
        for table in &mut self.tables {
            if table.removals_pending() {
                table.end_look();
            }
        }
    }

    /// Handles noted batches while the turn's budget lasts, and until something is to leave soon. Whether none is left.
    pub(super) fn handle_batches(&mut self) -> bool {
        if self.owed > 0 {
            self.is_not_drained();
        }
        for core in others(self.this, self.fabric.cores()) {
            while self.notes[core.index()] > 0 {
                if self.write_soon || self.turn.remote_messages >= self.settings.turn_messages_max {
                    return false;
                }
                let Some(batch) = self.fabric.inbox.next_batch(core) else { break };
                self.notes[core.index()] -= 1;
                self.owed -= 1;
                let kept = self.handle_batch(core, &batch);
                let withheld = self.os.breaks(Rule::CreditDespiteSlowReceiver) && self.somebody_is_slow();
                let credit = if withheld { 0 } else { batch.cost() - kept };
                self.fabric.inbox.done(core, batch, credit, &self.os);
                // Said for this turn alone: even where nothing can be written yet, each turn handles a batch.
                self.write_soon |= self.has_queued_much();
                self.os.preempt();
            }
        }
        true
    }

    /// Handles each message of a batch. How many bytes of its credit are kept, for what was sent on.
    fn handle_batch(&mut self, from: CoreId, batch: &Batch) -> u64 {
        let (mut at, mut kept, mut seen_to) = (0, 0, 0);
        while let Some((entry, next)) = batch.entry(at) {
            if at >= seen_to {
                seen_to = self.look_ahead_in(batch, at, entry.account);
            }
            let by_reference = match entry.content {
                Content::Shared(shared) => shared.len(),
                Content::Inline { .. } => 0,
            };
            if self.handle_next_entry(from, &entry, (next - at + by_reference) as u64) {
                kept += (next - at + by_reference) as u64;
            }
            self.turn.remote_messages += 1;
            at = next;
        }
        kept
    }

    /// Delivers a message that another core sent. Whether it was sent on, keeping its credit.
    pub(super) fn handle_entry(&mut self, from: CoreId, entry: &Entry<'_>, cost: u64) -> bool {
        let (account, origin) = (entry.account, entry.origin);
        self.route_entry(entry);
        if !self.leaving.is_empty() && self.drop_leaving_members(account, Sender::Core) {
            return self.handle_entry(from, entry, cost);
        }
        if self.tables[account.0 as usize].has_guarded() && !self.os.breaks(Rule::CheckAtDelivery) {
            let names: Vec<&[u8]> = entry.groups.iter().collect();
            self.guard(account, Sender::Core, entry.subject, entry.reply, &names);
        }
        let routes = &mut self.others.routes;
        let gone = std::mem::take(&mut routes.gone);
        let denied = std::mem::take(&mut routes.denied);
        let mut delivered = 0;
        if !routes.local.is_empty() {
            let (whole, line, content, shared) = match entry.content {
                Content::Inline { whole, line, end } => (whole, 0..line, line..end, None),
                Content::Shared(shared) => (shared.bytes(), 0..0, 0..shared.len(), Some(shared)),
            };
            let message = Message {
                subject: entry.subject,
                reply: entry.reply,
                header_len: entry.header_len as usize,
                whole,
                line,
                content,
                shared,
                origin: origin.conn,
                no_echo: entry.no_echo,
            };
            delivered = self.deliver(account, &message, Sender::Core);
            self.settle_remote(account, origin.conn);
        }
        let nobody = !gone.is_empty() || !denied.is_empty();
        let sent_on = nobody && self.send_on(from, entry, (&gone, &denied), delivered == 0, cost);
        self.others.routes.gone = gone;
        self.others.routes.denied = denied;
        if entry.report && delivered == 0 && !sent_on && !self.os.breaks(Rule::ReportUndelivered) {
            self.report(account, origin, entry.subject, entry.reply);
        }
        sent_on
    }

    /// Finds who gets a message of another core, unless it is known from the one before.
    #[inline]
    fn route_entry(&mut self, entry: &Entry<'_>) {
        let not_to = self.not_to(entry);
        let table = &mut self.tables[entry.account.0 as usize];
        let Parcel { routes, frame, routed } = &mut self.others;
        let only_plain = entry.plain && entry.groups.is_empty();
        if only_plain && *routed == (entry.account, table.version()) && same(frame.subject(), entry.subject) {
            return;
        }
        table.route_remote(entry.subject, entry.plain, entry.groups.iter(), not_to, &mut self.rng, routes);
        *routed = if only_plain { (entry.account, table.version()) } else { NOTHING };
        frame.set_subject(entry.subject);
    }

    /// The publisher's slot, where it is on this core and must not get its own message.
    fn not_to(&self, entry: &Entry<'_>) -> Option<u32> {
        let publisher = entry.origin.conn;
        let forbidden = entry.no_echo && publisher.core == self.this && !self.os.breaks(Rule::NoEchoInChoice);
        forbidden.then_some(publisher.slot)
    }

    /// The chosen members of some groups have gone: chooses again over what is known now; or nobody here may have the message:
    /// then the next core is asked, in a circle. Whether there was anybody.
    fn send_on(
        &mut self,
        from: CoreId,
        entry: &Entry<'_>,
        (gone, denied): (&[usize], &[usize]),
        nobody: bool,
        cost: u64,
    ) -> bool {
        if self.os.breaks(Rule::ChooseAgain) || usize::from(entry.hops) > 2 * self.fabric.cores() {
            return false;
        }
        let not_to = self.not_to(entry);
        let table = &mut self.tables[entry.account.0 as usize];
        let mut ways = Vec::with_capacity(gone.len() + denied.len());
        for (index, group) in entry.groups.iter().enumerate() {
            if gone.contains(&index) {
                if let Some(Choice::There(to)) = table.choose_again(entry.subject, group, not_to, &mut self.rng) {
                    ways.push((to, group));
                }
            } else if denied.contains(&index)
                && let Some((to, _)) = table.next_core_with(entry.subject, group)
            {
                ways.push((to, group));
            }
        }
        for (index, (to, group)) in ways.iter().enumerate() {
            let mut names = Vec::with_capacity(4 + group.len());
            Groups::push(&mut names, group);
            let share = part(entry.origin.share, index as u32, ways.len() as u32);
            let forward = Entry {
                origin: Origin { share, ..entry.origin },
                plain: self.os.breaks(Rule::ForwardGroupOnly),
                groups: Groups::new(&names),
                hops: entry.hops + 1,
                report: entry.report && nobody,
                ..*entry
            };
            self.stats.forwarded += 1;
            self.fabric.outbox.deliver(*to, &forward, (index == 0).then_some((from, cost)));
        }
        !ways.is_empty()
    }

    /// Tells the origin of a request that nobody here got it.
    fn report(&mut self, account: AccountId, origin: Origin, subject: &[u8], reply: &[u8]) {
        let report = Undelivered { origin, account, subject: subject.into(), reply: reply.into() };
        if origin.conn.core == self.this {
            self.handle_undelivered(&report);
        } else {
            self.fabric.outbox.send(origin.conn.core, CoreMessage::Undelivered(Box::new(report)));
        }
    }

    /// A part of a request of this core has found nobody. When all of it has, the requester is told.
    fn handle_undelivered(&mut self, report: &Undelivered) {
        if self.reports.is_whole(&report.origin, self.now)
            && let Some(client) = self.clients.find(report.origin.conn)
            && client.account == report.account
        {
            self.no_responders(report.origin.conn.slot, &report.subject, &report.reply);
        }
    }

    fn somebody_is_slow(&mut self) -> bool {
        let from = self.settings.stall_from_bytes;
        let slots: Vec<u32> = self.clients.slots().collect();
        slots.into_iter().any(|s| self.clients.at(s).is_some_and(|c| c.connection.outbound.pending_bytes() >= from))
    }
}
