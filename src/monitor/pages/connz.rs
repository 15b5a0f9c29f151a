//! `/connz`: connections, open and ended, sorted and in pages.
//!
//! Connections come in pieces; while they come, no more than twice as many are kept as the page can show, so that a server with many
//! costs no more memory than the page that was asked for.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::{Time, is_default, round_trip, uptime};
use super::super::query::{BadParameter, Query};
use super::super::site::{PageError, Site};
use crate::ids::AccountId;
use crate::reactor::snapshot::{ConnectionFilter, ConnectionInfo, Part, Question, SubscriptionInfo};
use crate::tls::certificate::Shown;

/// Connections of a page where no number is asked for.
const LIMIT_DEFAULT: usize = 1024;

#[derive(Debug, Serialize)]
struct Connz {
    server_id: String,
    now: Time,
    num_connections: usize,
    total: usize,
    offset: usize,
    limit: usize,
    connections: Option<Vec<Conn>>,
}

#[derive(Debug, Serialize)]
struct Conn {
    cid: u64,
    kind: &'static str,
    #[serde(rename = "type")]
    type_: &'static str,
    ip: String,
    port: u32,
    start: Time,
    last_activity: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Time>,
    #[serde(skip_serializing_if = "is_default")]
    reason: &'static str,
    rtt: String,
    uptime: String,
    idle: String,
    pending_bytes: u64,
    in_msgs: u64,
    out_msgs: u64,
    in_bytes: u64,
    out_bytes: u64,
    #[serde(skip_serializing_if = "is_default")]
    stalls: u64,
    subscriptions: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    lang: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "is_default")]
    tls_version: &'static str,
    #[serde(skip_serializing_if = "is_default")]
    tls_cipher_suite: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tls_peer_certs: Vec<PeerCert>,
    #[serde(skip_serializing_if = "is_default")]
    tls_first: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    authorized_user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    account: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions_list: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions_list_detail: Vec<SubDetail>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name_tag: String,
}

/// A certificate that a client has shown.
#[derive(Debug, Serialize)]
struct PeerCert {
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    spki_sha256: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cert_sha256: String,
}

impl From<&Shown> for PeerCert {
    fn from(shown: &Shown) -> Self {
        let Shown { subject, spki_sha256, cert_sha256 } = shown.clone();
        Self { subject, spki_sha256, cert_sha256 }
    }
}

/// One subscription.
#[derive(Debug, Serialize)]
pub(super) struct SubDetail {
    #[serde(skip_serializing_if = "String::is_empty")]
    account: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    account_tag: String,
    subject: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    qgroup: String,
    sid: String,
    msgs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    cid: u64,
}

impl SubDetail {
    /// With its account, where it is one of many accounts'.
    pub(super) fn of_account(self, name: String) -> Self {
        Self { account_tag: name.clone(), account: name, ..self }
    }
}

impl From<SubscriptionInfo> for SubDetail {
    fn from(info: SubscriptionInfo) -> Self {
        let (account, account_tag) = (String::new(), String::new());
        let SubscriptionInfo { subject, queue, sid, msgs, max, cid, .. } = info;
        Self { account, account_tag, subject, qgroup: queue, sid, msgs, max, cid }
    }
}

/// How connections are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Cid,
    Start,
    Subs,
    Pending,
    MsgsTo,
    MsgsFrom,
    BytesTo,
    BytesFrom,
    Last,
    Idle,
    Uptime,
    Rtt,
    Stop,
    Reason,
}

impl Sort {
    fn parse(text: &str, only_closed: bool) -> Result<Self, BadParameter> {
        let sort = match text {
            "" | "cid" => Self::Cid,
            "start" => Self::Start,
            "subs" => Self::Subs,
            "pending" => Self::Pending,
            "msgs_to" => Self::MsgsTo,
            "msgs_from" => Self::MsgsFrom,
            "bytes_to" => Self::BytesTo,
            "bytes_from" => Self::BytesFrom,
            "last" => Self::Last,
            "idle" => Self::Idle,
            "uptime" => Self::Uptime,
            "rtt" => Self::Rtt,
            "stop" if only_closed => Self::Stop,
            "reason" if only_closed => Self::Reason,
            "stop" | "reason" => {
                return Err(BadParameter(format!("sort by {text} only valid on closed connections")));
            }
            other => return Err(BadParameter(format!("invalid sorting option: {other}"))),
        };
        Ok(sort)
    }

    /// What is asked for first comes first; where two are alike, the older one.
    fn compare(self, a: &ConnectionInfo, b: &ConnectionInfo) -> Ordering {
        let ended = |info: &ConnectionInfo| info.ended.map(|(at, _)| at);
        let lasted = |info: &ConnectionInfo| ended(info).unwrap_or(now_of(a, b)).saturating_duration_since(info.start);
        let order = match self {
            Self::Cid | Self::Start => Ordering::Equal,
            Self::Subs => b.subscriptions.cmp(&a.subscriptions),
            Self::Pending => b.pending_bytes.cmp(&a.pending_bytes),
            Self::MsgsTo => b.counts.out_msgs.cmp(&a.counts.out_msgs),
            Self::MsgsFrom => b.counts.in_msgs.cmp(&a.counts.in_msgs),
            Self::BytesTo => b.counts.out_bytes.cmp(&a.counts.out_bytes),
            Self::BytesFrom => b.counts.in_bytes.cmp(&a.counts.in_bytes),
            Self::Last => b.last_activity.cmp(&a.last_activity),
            Self::Idle => a.last_activity.cmp(&b.last_activity),
            Self::Uptime => lasted(a).cmp(&lasted(b)),
            Self::Rtt => b.rtt.cmp(&a.rtt),
            Self::Stop => ended(b).cmp(&ended(a)),
            Self::Reason => a.ended.map(|(_, reason)| reason).cmp(&b.ended.map(|(_, reason)| reason)),
        };
        let age = if self == Self::Start { a.start.cmp(&b.start) } else { Ordering::Equal };
        order.then(age).then(a.cid.cmp(&b.cid))
    }
}

/// A time at which neither has ended: how long two open ones have lasted is compared by any.
fn now_of(a: &ConnectionInfo, b: &ConnectionInfo) -> Instant {
    let latest = |info: &ConnectionInfo| info.ended.map_or(info.last_activity.max(info.start), |(at, _)| at);
    latest(a).max(latest(b))
}

/// With which subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subs {
    None,
    Names,
    Detail,
}

/// What is asked for.
struct Wanted {
    sort: Sort,
    auth: bool,
    subs: Subs,
    offset: usize,
    limit: usize,
    filter: ConnectionFilter,
    /// An account that there is none of.
    nobody: bool,
}

impl Wanted {
    fn parse(site: &Site, query: &Query) -> Result<Self, PageError> {
        let (open, closed) = match query.text("state").to_ascii_lowercase().as_str() {
            "" | "open" => (true, false),
            "closed" => (false, true),
            "any" | "all" => (true, true),
            _ => return Err(PageError::Bad(format!("Error decoding state for {}", query.text("state")))),
        };
        let auth = query.boolean("auth")?;
        let subs = match query.text("subs") {
            text if text.eq_ignore_ascii_case("detail") => Subs::Detail,
            _ if query.boolean("subs")? => Subs::Names,
            _ => Subs::None,
        };
        let (offset, limit) = (query.count("offset", 0)?, query.count("limit", LIMIT_DEFAULT)?);
        let cid = Some(query.unsigned("cid")?).filter(|&cid| cid > 0);
        let sort = Sort::parse(query.text("sort"), closed && !open)?;
        let (user, account, mqtt) = (query.text("user"), query.text("acc"), query.text("mqtt_client"));
        let number = site.view.account(account);
        let filter = ConnectionFilter {
            open: open || cid.is_some() && !closed,
            // One that is asked for by its number may have ended.
            closed: closed || cid.is_some() && open,
            cid,
            account: number,
            user: (!user.is_empty()).then(|| user.to_owned()),
            only_slow: false,
            with_kept: subs != Subs::None,
        };
        let nobody = !account.is_empty() && number.is_none();
        let limit = if cid.is_some() { 1 } else { limit };
        let none = !mqtt.is_empty(); // nobody speaks MQTT here
        let filter = if none { ConnectionFilter { open: false, closed: false, ..filter } } else { filter };
        Ok(Self { sort, auth, subs, offset, limit, filter, nobody })
    }
}

pub(super) fn page(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let wanted = Wanted::parse(site, query)?;
    let (server_id, now) = (site.view.server_id.clone(), Time::now());
    let (offset, limit) = (wanted.offset, wanted.limit);
    if wanted.nobody {
        // As the peer answers it.
        let nothing =
            Connz { server_id: String::new(), now, num_connections: 0, total: 0, offset, limit, connections: None };
        return Site::page(&nothing);
    }
    let (found, counted) = collect(site, &wanted)?;
    let total = total(site, query, &wanted, counted)?;
    let mut details = subscriptions_of(site, &wanted, &found)?;
    let connections: Vec<Conn> = found.into_iter().map(|info| shown(site, &wanted, info, details.as_mut())).collect();
    Site::page(&Connz {
        server_id,
        now,
        num_connections: connections.len(),
        total,
        offset,
        limit,
        connections: Some(connections),
    })
}

/// How many there are apart from paging; by user or number the peer counts all.
fn total(site: &Site, query: &Query, wanted: &Wanted, counted: usize) -> Result<usize, PageError> {
    if wanted.filter.cid.is_none() && wanted.filter.user.is_none() && query.text("mqtt_client").is_empty() {
        return Ok(counted);
    }
    let state = query.text("state").to_ascii_lowercase();
    let (open, closed) = (state != "closed", !matches!(state.as_str(), "" | "open"));
    let filter = ConnectionFilter { open, closed, account: wanted.filter.account, ..ConnectionFilter::default() };
    let mut total = 0;
    let since = remembered_since(site, closed)?;
    site.ask(&Question::Connections(filter), |part| {
        if let Part::Connections(some) = part {
            total += some.iter().filter(|info| is_remembered(info, since)).count();
        }
    })?;
    Ok(total)
}

/// Each core remembers as many ended connections as all of them together are to; the time from which on they count. `None`: all do.
fn remembered_since(site: &Site, closed: bool) -> Result<Option<End>, PageError> {
    let max = usize::try_from(site.view.settings().0.closed_clients_max).unwrap_or(usize::MAX);
    if !closed || site.view.cores.count() == 1 {
        return Ok(None);
    }
    let mut ends: Vec<End> = Vec::new();
    site.ask(&Question::Connections(ConnectionFilter { closed: true, ..ConnectionFilter::default() }), |part| {
        if let Part::Connections(some) = part {
            ends.extend(some.iter().filter_map(end_of));
        }
    })?;
    if ends.len() <= max || max == 0 {
        return Ok(None);
    }
    let place = ends.len() - max;
    let (_, since, _) = ends.select_nth_unstable(place);
    Ok(Some(*since))
}

/// When a connection ended, and its number: several end in one turn.
type End = (Instant, u64);

fn end_of(info: &ConnectionInfo) -> Option<End> {
    info.ended.map(|(at, _)| (at, info.cid))
}

fn is_remembered(info: &ConnectionInfo, since: Option<End>) -> bool {
    since.is_none_or(|since| end_of(info).is_none_or(|end| end >= since))
}

/// Those of the page, in order; and how many there are in all.
fn collect(site: &Site, wanted: &Wanted) -> Result<(Vec<ConnectionInfo>, usize), PageError> {
    let mut found: Vec<ConnectionInfo> = Vec::new();
    let mut total = 0;
    let keep = wanted.offset.saturating_add(wanted.limit);
    let order = |a: &ConnectionInfo, b: &ConnectionInfo| wanted.sort.compare(a, b);
    let since = remembered_since(site, wanted.filter.closed)?;
    site.ask(&Question::Connections(wanted.filter.clone()), |part| {
        if let Part::Connections(mut some) = part {
            some.retain(|info| is_remembered(info, since));
            total += some.len();
            found.extend(some);
            if found.len() > keep.saturating_mul(2).max(1024) {
                found.sort_by(order);
                found.truncate(keep);
            }
        }
    })?;
    found.sort_by(order);
    found.truncate(keep);
    found.drain(..wanted.offset.min(found.len()));
    Ok((found, total))
}

/// Subscriptions of the open ones, by connection.
fn subscriptions_of(
    site: &Site,
    wanted: &Wanted,
    found: &[ConnectionInfo],
) -> Result<Option<HashMap<u64, Vec<SubscriptionInfo>>>, PageError> {
    if wanted.subs == Subs::None {
        return Ok(None);
    }
    let ids = found.iter().filter(|info| info.ended.is_none() && info.subscriptions > 0).map(|info| info.id).collect();
    let mut by_cid: HashMap<u64, Vec<SubscriptionInfo>> = HashMap::new();
    site.ask(&Question::SubscriptionsOf(ids), |part| {
        if let Part::Subscriptions(some, _) = part {
            for subscription in some {
                by_cid.entry(subscription.cid).or_default().push(subscription);
            }
        }
    })?;
    Ok(Some(by_cid))
}

fn shown(
    site: &Site,
    wanted: &Wanted,
    mut info: ConnectionInfo,
    details: Option<&mut HashMap<u64, Vec<SubscriptionInfo>>>,
) -> Conn {
    let end = info.ended.map_or_else(Instant::now, |(at, _)| at);
    // As on the peer: the global account is named by its tag alone, and for an ended connection not at all.
    let is_global = info.account == AccountId::GLOBAL;
    let account = if wanted.auth { site.view.account_name(info.account) } else { String::new() };
    let tls = info.tls.take();
    let certificates = tls.iter().filter(|_| wanted.auth).flat_map(|tls| &tls.info.certificates);
    let since = |from: Instant| uptime(end.checked_duration_since(from).unwrap_or(Duration::ZERO));
    let subscriptions = match details {
        Some(_) if info.ended.is_some() => std::mem::take(&mut info.kept),
        Some(details) => details.remove(&info.cid).unwrap_or_default(),
        None => Vec::new(),
    };
    let (names, detail) = match wanted.subs {
        Subs::Detail => (Vec::new(), subscriptions.into_iter().map(SubDetail::from).collect()),
        _ => (subscriptions.into_iter().map(|subscription| subscription.subject).collect(), Vec::new()),
    };
    Conn {
        cid: info.cid,
        kind: "Client",
        type_: "nats",
        ip: info.address.host(),
        port: info.address.port(),
        start: site.view.time(info.start),
        last_activity: site.view.time(info.last_activity),
        stop: info.ended.map(|(at, _)| site.view.time(at)),
        reason: info.ended.map_or("", |(_, reason)| reason),
        rtt: round_trip(info.rtt),
        uptime: since(info.start),
        idle: since(info.last_activity),
        pending_bytes: info.pending_bytes,
        in_msgs: info.counts.in_msgs,
        out_msgs: info.counts.out_msgs,
        in_bytes: info.counts.in_bytes,
        out_bytes: info.counts.out_bytes,
        stalls: info.counts.stalls,
        subscriptions: info.subscriptions,
        name: info.name,
        lang: info.lang,
        version: info.version,
        tls_version: tls.as_ref().map_or("", |tls| tls.info.version),
        tls_cipher_suite: tls.as_ref().map_or("", |tls| tls.info.cipher_suite),
        tls_peer_certs: certificates.map(PeerCert::from).collect(),
        tls_first: tls.as_ref().is_some_and(|tls| tls.first),
        authorized_user: if wanted.auth { info.user } else { String::new() },
        account: if is_global { String::new() } else { account.clone() },
        subscriptions_list: names,
        subscriptions_list_detail: detail,
        name_tag: if is_global && info.ended.is_some() { String::new() } else { account },
    }
}
