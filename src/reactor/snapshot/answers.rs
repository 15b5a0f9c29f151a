//! Answers in slices: a bounded piece of work a turn, between the timers and the flush.
//!
//! Holds how far each answer has come: a place in the slab of connections, in the ring of ended ones, in a table. What comes and
//! goes between two slices may or may not be told, as with any list that is read while it changes; nothing is told twice.

use std::collections::VecDeque;

use super::closed::{info_of, subscription_of};
use super::{AccountFigures, Ask, ConnectionFilter, Part, Question, SubjectFigures, SubscriptionFilter};
use crate::connection::Counts;
use crate::ids::{AccountId, ConnId};
use crate::os::poll::Os;
use crate::reactor::Reactor;

/// Connections looked at in one turn.
const CONNECTIONS_PER_TURN: u32 = 128;
/// Subscriptions and patterns looked at in one turn.
const SUBSCRIPTIONS_PER_TURN: u32 = 1024;
/// Subjects matched in one turn.
const SUBJECTS_PER_TURN: usize = 64;

/// Answers that are being given.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Answering {
    asks: VecDeque<(Ask, Place)>,
}

/// How far an answer has come.
#[derive(Debug, Default)]
struct Place {
    /// Slot, number of a pattern, or bucket of a connection's subscriptions.
    at: u32,
    /// Account, or which of the connections.
    outer: usize,
    /// In the ring of ended connections.
    closed: u64,
    open_done: bool,
    told: usize,
    sums: Vec<AccountFigures>,
}

impl Answering {
    pub(in crate::reactor) fn is_empty(&self) -> bool {
        self.asks.is_empty()
    }

    pub(in crate::reactor) fn push(&mut self, ask: Ask) {
        self.asks.push_back((ask, Place::default()));
    }
}

impl<O: Os> Reactor<O> {
    /// The next piece of the first answer. Others wait for it.
    pub(in crate::reactor) fn answer(&mut self) {
        let Some((ask, mut place)) = self.observed.answering.asks.pop_front() else { return };
        let (part, more) = self.piece(&ask.question, &mut place);
        // Where nobody listens any more, nobody needs the rest.
        let heard = part.is_none_or(|part| ask.to.send((self.this, part)).is_ok());
        if more && heard {
            self.observed.answering.asks.push_front((ask, place));
        } else {
            drop(ask.to.send((self.this, Part::End)));
        }
    }

    fn piece(&mut self, question: &Question, place: &mut Place) -> (Option<Part>, bool) {
        match question {
            Question::Figures => (Some(Part::Figures(Box::new(self.figures()))), false),
            Question::Accounts => self.sum_accounts(place),
            Question::Connections(filter) => self.some_connections(filter, place),
            Question::SubscriptionsOf(ids) => self.some_subscriptions_of(ids, place),
            Question::Subscriptions(filter) => self.some_subscriptions(filter, place),
            Question::Groups => self.some_groups(place),
            Question::Receivers(subjects) => self.some_receivers(subjects, place),
            Question::Subjects => (Some(Part::Subjects(Box::new(self.subjects()))), false),
        }
    }

    /// Slots of this turn's piece; whether they are the last.
    fn slots_of_piece(&self, place: &mut Place) -> (std::ops::Range<u32>, bool) {
        let end = (place.at.saturating_add(CONNECTIONS_PER_TURN)).min(self.clients.slots_end());
        let slots = place.at..end;
        place.at = end;
        (slots, end >= self.clients.slots_end())
    }

    fn sum_accounts(&mut self, place: &mut Place) -> (Option<Part>, bool) {
        place.sums.resize_with(self.tables.len(), AccountFigures::default);
        let (slots, last) = self.slots_of_piece(place);
        for slot in slots {
            let Some(client) = self.clients.at(slot).filter(|client| client.connection.closing().is_none()) else {
                continue;
            };
            let Some(sum) = place.sums.get_mut(client.account.0 as usize) else { continue };
            sum.connections += 1;
            sum.pending_bytes += client.connection.outbound.pending_bytes();
            add(&mut sum.open, &client.connection.counts);
        }
        if !last {
            return (None, true);
        }
        for (account, sum) in place.sums.iter_mut().enumerate() {
            let ended = self.observed.closed.sum(account);
            sum.counts = sum.open;
            add(&mut sum.counts, &ended.counts);
            sum.slow_consumers = ended.slow_consumers;
            sum.table = self.tables.get(account).map(|table| table.counts()).unwrap_or_default();
        }
        (Some(Part::Accounts(std::mem::take(&mut place.sums))), false)
    }

    fn some_connections(&mut self, filter: &ConnectionFilter, place: &mut Place) -> (Option<Part>, bool) {
        let mut found = Vec::new();
        if filter.open && !place.open_done {
            let (slots, last) = self.slots_of_piece(place);
            let now = self.now;
            for slot in slots {
                let id = self.clients.id(slot);
                let Some(client) = self.clients.at(slot).filter(|client| client.connection.closing().is_none()) else {
                    continue;
                };
                if filter.cid.is_some_and(|cid| client.connection.client.0 != cid)
                    || filter.account.is_some_and(|account| client.account != account)
                    || filter.only_slow && !client.is_of_interest()
                {
                    continue;
                }
                let info = info_of(id, client, now);
                if filter.user.as_ref().is_none_or(|user| info.user == *user) {
                    found.push(info);
                }
            }
            place.open_done = last;
            return (Some(Part::Connections(found)), !last || filter.closed);
        }
        let next = if filter.closed {
            self.observed.closed.slice(place.closed, CONNECTIONS_PER_TURN as usize, filter, &mut found)
        } else {
            None
        };
        place.closed = next.unwrap_or_default();
        (Some(Part::Connections(found)), next.is_some())
    }

    fn some_subscriptions_of(&mut self, ids: &[ConnId], place: &mut Place) -> (Option<Part>, bool) {
        let mut found = Vec::new();
        let mut budget = SUBSCRIPTIONS_PER_TURN;
        while budget > 0 {
            let Some(&id) = ids.get(place.outer) else { break };
            let client = if id.core == self.this { self.clients.find(id) } else { None };
            let Some(client) = client else {
                (place.outer, place.at, budget) = (place.outer + 1, 0, budget - 1);
                continue;
            };
            let table = &self.tables[client.account.0 as usize];
            let cid = client.connection.client.0;
            let (some, next) = client.connection.subscriptions.slice(place.at as usize, budget as usize);
            budget = budget.saturating_sub(some.len() as u32 + 1);
            found.extend(some.into_iter().map(|id| subscription_of(table, client.account, id, cid)));
            match next {
                Some(next) => place.at = next as u32,
                None => (place.outer, place.at) = (place.outer + 1, 0),
            }
        }
        (Some(Part::Subscriptions(found, 0)), place.outer < ids.len())
    }

    fn some_subscriptions(&mut self, filter: &SubscriptionFilter, place: &mut Place) -> (Option<Part>, bool) {
        let account = match filter.account {
            Some(account) => account.0 as usize,
            None => place.outer,
        };
        let Some(table) = self.tables.get(account) else { return (None, false) };
        let number = AccountId(account as u32);
        let (mut found, mut counted) = (Vec::new(), 0);
        let next = table.visit_subscriptions(place.at, SUBSCRIPTIONS_PER_TURN, |id, subscription| {
            if filter.subject.as_ref().is_some_and(|subject| !table.pattern_matches(id, subject)) {
                return;
            }
            if place.told < filter.keep_max {
                place.told += 1;
                let cid = self.clients.at(subscription.conn_slot()).map_or(0, |client| client.connection.client.0);
                found.push(subscription_of(table, number, id, cid));
            } else {
                counted += 1;
            }
        });
        let more = self.step(next, filter.account.is_none(), place);
        (Some(Part::Subscriptions(found, counted)), more)
    }

    fn some_groups(&mut self, place: &mut Place) -> (Option<Part>, bool) {
        let Some(table) = self.tables.get(place.outer) else { return (None, false) };
        let account = AccountId(place.outer as u32);
        let mut found = Vec::new();
        let next = table.visit_groups(place.at, SUBSCRIPTIONS_PER_TURN, |group| found.push((account, group)));
        let more = self.step(next, true, place);
        (Some(Part::Groups(found)), more)
    }

    /// Goes on in the same table, or with the next; whether there is one.
    fn step(&self, next: Option<u32>, all_tables: bool, place: &mut Place) -> bool {
        match next {
            Some(next) => {
                place.at = next;
                true
            }
            None => {
                (place.outer, place.at) = (place.outer + 1, 0);
                all_tables && place.outer < self.tables.len()
            }
        }
    }

    fn some_receivers(&mut self, subjects: &[(AccountId, Box<[u8]>)], place: &mut Place) -> (Option<Part>, bool) {
        let first = place.outer;
        let piece = subjects.iter().skip(first).take(SUBJECTS_PER_TURN);
        let counts: Vec<u64> = piece
            .map(|(account, subject)| {
                self.tables.get_mut(account.0 as usize).map_or(0, |table| table.receivers(subject) as u64)
            })
            .collect();
        place.outer += counts.len();
        (Some(Part::Receivers(first, counts)), place.outer < subjects.len())
    }

    fn subjects(&self) -> SubjectFigures {
        SubjectFigures {
            sample_every: self.settings.subject_sample,
            error_msgs: self.observed.sketch.error_msgs(),
            entries: self.observed.sketch.entries().to_vec(),
        }
    }
}

fn add(sum: &mut Counts, counts: &Counts) {
    sum.in_msgs += counts.in_msgs;
    sum.in_bytes += counts.in_bytes;
    sum.out_msgs += counts.out_msgs;
    sum.out_bytes += counts.out_bytes;
}
