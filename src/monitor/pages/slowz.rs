//! `/slowz`: who is behind, whom that holds back, and what was lost with those that were closed for it.

use std::cmp::Reverse;

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::Time;
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::reactor::snapshot::{ConnectionFilter, ConnectionInfo, Part, Question};

/// Lines of each list where no number is asked for.
const LIMIT_DEFAULT: usize = 100;

#[derive(Debug, Serialize)]
struct Slowz {
    server_id: String,
    now: Time,
    num_slow: usize,
    connections: Vec<Slow>,
    closed: Vec<Closed>,
    held_back: Vec<HeldBack>,
}

#[derive(Debug, Serialize)]
struct Slow {
    cid: u64,
    name: String,
    ip: String,
    port: u32,
    account: String,
    core: usize,
    pending_bytes: u64,
    behind_ms: u64,
    stalls_caused: u64,
}

#[derive(Debug, Serialize)]
struct Closed {
    cid: u64,
    name: String,
    ip: String,
    reason: &'static str,
    stop: Time,
    pending_bytes: u64,
    lost_msgs: u64,
}

#[derive(Debug, Serialize)]
struct HeldBack {
    cid: u64,
    name: String,
    stalls: u64,
    by: Vec<u64>,
}

pub(super) fn page(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let limit = query.count("limit", LIMIT_DEFAULT)?;
    let filter = ConnectionFilter { open: true, closed: true, only_slow: true, ..ConnectionFilter::default() };
    let (mut behind, mut closed, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let mut num_slow = 0;
    site.ask(&Question::Connections(filter), |part| {
        let Part::Connections(some) = part else { return };
        for info in some {
            if info.ended.is_some() {
                closed.push(info);
                continue;
            }
            num_slow += usize::from(!info.behind.is_zero());
            if info.counts.stalls > 0 {
                held.push(info.clone());
            }
            if info.pending_bytes > 0 || info.stalls_caused > 0 {
                behind.push(info);
            }
        }
        keep_most(&mut behind, limit, |info| (info.pending_bytes, info.stalls_caused));
        keep_most(&mut closed, limit, |info| info.ended.map(|(at, _)| at));
        keep_most(&mut held, limit, |info| info.counts.stalls);
    })?;
    let shown = |info: ConnectionInfo| Slow {
        cid: info.cid,
        account: site.view.account_name(info.account),
        core: info.id.core.index(),
        pending_bytes: info.pending_bytes,
        behind_ms: u64::try_from(info.behind.as_millis()).unwrap_or(u64::MAX),
        stalls_caused: info.stalls_caused,
        ip: info.address.host(),
        port: info.address.port(),
        name: info.name,
    };
    let ended = |info: ConnectionInfo| {
        let (at, reason) = info.ended?;
        let (ip, stop) = (info.address.host(), site.view.time(at));
        let ConnectionInfo { cid, name, pending_bytes, lost_msgs, .. } = info;
        Some(Closed { cid, name, ip, reason, stop, pending_bytes, lost_msgs })
    };
    let waiting = |info: ConnectionInfo| {
        let by = info.held_back_by.into_iter().filter(|&cid| cid > 0).collect();
        HeldBack { cid: info.cid, name: info.name, stalls: info.counts.stalls, by }
    };
    Site::page(&Slowz {
        server_id: site.view.server_id.clone(),
        now: Time::now(),
        num_slow,
        connections: behind.into_iter().map(shown).collect(),
        closed: closed.into_iter().filter_map(ended).collect(),
        held_back: held.into_iter().map(waiting).collect(),
    })
}

/// Keeps those with the most, in order.
fn keep_most<K: Ord>(list: &mut Vec<ConnectionInfo>, limit: usize, of: impl Fn(&ConnectionInfo) -> K) {
    list.sort_by_key(|info| (Reverse(of(info)), info.cid));
    list.truncate(limit);
}
