//! Connections that have ended: the last ones of a core, with what they were and why they went.
//!
//! A ring of `max_closed_clients` where pages are served, else none: a flood of strangers leaves nothing. Each record is small, and holds
//! at most [`KEPT_SUBSCRIPTIONS_MAX`] of the subscriptions that the connection had. What leaves the ring stays in the sums of its account.

use std::collections::VecDeque;
use std::time::Duration;

use super::{AccountFigures, ConnectionFilter, ConnectionInfo, SubscriptionInfo};
use crate::connection::close::CloseReason;
use crate::connection::{Connection, Counts};
use crate::ids::{AccountId, ConnId};
use crate::log::redact;
use crate::os::poll::Os;
use crate::reactor::Reactor;
use crate::reactor::connections::Client;
use crate::routing::Table;
use std::time::Instant;

/// Subscriptions of an ended connection that are remembered.
const KEPT_SUBSCRIPTIONS_MAX: usize = 32;

/// Bytes that a message has at least, with its line: to guess how many were lost.
const MESSAGE_BYTES_MIN: u64 = 12;

/// The ended connections of one core.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Closed {
    ring: VecDeque<ConnectionInfo>,
    /// How many have ever left the ring: the number of its first record.
    first: u64,
    /// What ended connections had, by account.
    sums: Vec<AccountFigures>,
}

impl Closed {
    /// One of an account has ended.
    fn count(&mut self, account: AccountId, counts: &Counts, slow: bool) {
        let account = account.0 as usize;
        if self.sums.len() <= account {
            self.sums.resize_with(account + 1, AccountFigures::default);
        }
        let sum = &mut self.sums[account];
        sum.slow_consumers += u64::from(slow);
        sum.counts.in_msgs += counts.in_msgs;
        sum.counts.in_bytes += counts.in_bytes;
        sum.counts.out_msgs += counts.out_msgs;
        sum.counts.out_bytes += counts.out_bytes;
    }

    /// Keeps a record, and `keep_max` in all.
    fn push(&mut self, info: ConnectionInfo, keep_max: u64) {
        while self.ring.len() as u64 >= keep_max {
            self.ring.pop_front();
            self.first += 1;
        }
        self.ring.push_back(info);
        if self.ring.len() == 1 {
            self.ring.shrink_to(64);
        }
    }

    /// Keeps none.
    fn clear(&mut self) {
        self.ring = VecDeque::new();
    }

    /// What ended connections of an account had.
    pub(super) fn sum(&self, account: usize) -> AccountFigures {
        self.sums.get(account).cloned().unwrap_or_default()
    }

    /// Records from a number on, and the number of the one after the last that was looked at; `None`: there are no more.
    pub(super) fn slice(
        &self,
        from: u64,
        count: usize,
        filter: &ConnectionFilter,
        into: &mut Vec<ConnectionInfo>,
    ) -> Option<u64> {
        let from = from.max(self.first);
        let skip = (from - self.first) as usize;
        for info in self.ring.iter().skip(skip).take(count).filter(|info| passes_closed(filter, info)) {
            let kept = if filter.with_kept { info.kept.clone() } else { Vec::new() };
            into.push(ConnectionInfo { kept, ..brief(info) });
        }
        let next = from + count as u64;
        (next < self.first + self.ring.len() as u64).then_some(next)
    }
}

/// A copy without the subscriptions.
fn brief(info: &ConnectionInfo) -> ConnectionInfo {
    ConnectionInfo {
        name: info.name.clone(),
        lang: info.lang.clone(),
        version: info.version.clone(),
        user: info.user.clone(),
        tls: info.tls.clone(),
        kept: Vec::new(),
        ..*info
    }
}

fn passes_closed(filter: &ConnectionFilter, info: &ConnectionInfo) -> bool {
    filter.cid.is_none_or(|cid| info.cid == cid)
        && filter.account.is_none_or(|account| info.account == account)
        && filter.user.as_ref().is_none_or(|user| info.user == *user)
        && (!filter.only_slow || info.ended.is_some_and(|(_, reason)| reason.starts_with("Slow Consumer")))
}

/// What an open connection is now.
pub(super) fn info_of<S>(id: ConnId, client: &Client<S>, now: Instant) -> ConnectionInfo {
    let connection = &client.connection;
    let pending_bytes = connection.outbound.pending_bytes();
    let who = connection.named();
    let pressure = client.pressure.as_deref().cloned().unwrap_or_default();
    let text = |pick: fn(&crate::protocol::handshake::ConnectOptions) -> &str| {
        redact::name(who.map(pick).unwrap_or_default()).to_owned()
    };
    let behind = if client.blocked && pending_bytes > 0 {
        now.saturating_duration_since(client.took_at)
    } else {
        Duration::ZERO
    };
    ConnectionInfo {
        id,
        cid: connection.client.0,
        account: client.account,
        address: connection.address,
        start: connection.started,
        last_activity: client.active_at,
        ended: None,
        rtt: connection.keepalive.round_trip(),
        pending_bytes,
        behind,
        lost_msgs: 0,
        counts: connection.counts,
        subscriptions: connection.subscriptions.len() as u64,
        stalls_caused: pressure.stalls_caused,
        held_back_by: pressure.held_back_by,
        name: text(|who| &who.name),
        lang: text(|who| &who.lang),
        version: text(|who| &who.version),
        user: user_of(connection),
        tls: client.tls.as_ref().and_then(|layer| layer.shown()).map(Box::new),
        kept: Vec::new(),
    }
}

/// Who a client is, or says that it is where nobody has to say so; secrets are not shown.
fn user_of(connection: &Connection) -> String {
    if let Some(name) = connection.grant().and_then(|grant| grant.identity.name()) {
        return name.to_owned();
    }
    let Some(who) = connection.claimed() else { return String::new() };
    if !who.nkey.is_empty() {
        redact::name(&who.nkey).to_owned()
    } else if !who.user.is_empty() {
        redact::name(&who.user).to_owned()
    } else if !who.auth_token.is_empty() {
        "[REDACTED]".to_owned()
    } else {
        String::new()
    }
}

/// One subscription as it is told.
pub(super) fn subscription_of(table: &Table, account: AccountId, id: crate::ids::SubId, cid: u64) -> SubscriptionInfo {
    let text = |bytes: &[u8]| String::from_utf8_lossy(&redact::arguments(bytes)).into_owned();
    let subscription = table.subscription(id);
    SubscriptionInfo {
        account,
        subject: text(table.pattern_text(id)),
        queue: table.queue_name(id).map(text).unwrap_or_default(),
        sid: text(subscription.sid()),
        msgs: subscription.delivered,
        max: subscription.max(),
        cid,
    }
}

impl<O: Os> Reactor<O> {
    /// A connection is about to end: what it is now is remembered.
    pub(in crate::reactor) fn remember(&mut self, slot: u32, reason: CloseReason) {
        let id = self.clients.id(slot);
        let now = self.now;
        let keep_max = self.settings.closed_clients_max;
        let Some(client) = self.clients.at(slot) else { return };
        let slow = matches!(reason, CloseReason::SlowConsumerPendingBytes | CloseReason::SlowConsumerWriteDeadline);
        self.observed.closed.count(client.account, &client.connection.counts, slow);
        if keep_max == 0 {
            return self.observed.closed.clear();
        }
        let mut info = info_of(id, client, now);
        info.ended = Some((now, reason.name()));
        if !reason.flushes() {
            let usual = (client.connection.outbound.added() / info.counts.out_msgs.max(1)).max(MESSAGE_BYTES_MIN);
            info.lost_msgs = info.pending_bytes / usual;
        }
        let table = &self.tables[client.account.0 as usize];
        let ids = client.connection.subscriptions.iter().take(KEPT_SUBSCRIPTIONS_MAX);
        info.kept = ids.map(|id| subscription_of(table, info.account, id, info.cid)).collect();
        self.observed.closed.push(info, keep_max);
    }
}
