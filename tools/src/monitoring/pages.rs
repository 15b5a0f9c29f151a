//! The pages by their content: what `top` and `server check` look at, and nothing else.
//!
//! Reads from JSON that is believed in nothing: every field may be missing.

use jiff::Timestamp;
use serde_json::Value;

use super::fields::{count, counts, list, maybe_count, moment, number, text};

/// Messages and bytes in both directions, as the server counts: `in` comes from clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) in_msgs: u64,
    pub(crate) in_bytes: u64,
    pub(crate) out_msgs: u64,
    pub(crate) out_bytes: u64,
}

impl Traffic {
    fn read(page: &Value) -> Self {
        Self {
            in_msgs: count(page, "in_msgs"),
            in_bytes: count(page, "in_bytes"),
            out_msgs: count(page, "out_msgs"),
            out_bytes: count(page, "out_bytes"),
        }
    }
}

/// `/varz`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Varz {
    pub(crate) server_id: String,
    pub(crate) server_name: String,
    pub(crate) version: String,
    pub(crate) uptime: String,
    pub(crate) start: Option<Timestamp>,
    pub(crate) now: Option<Timestamp>,
    pub(crate) cpu: f64,
    pub(crate) mem: u64,
    pub(crate) connections: u64,
    pub(crate) max_connections: u64,
    pub(crate) subscriptions: u64,
    pub(crate) slow_consumers: u64,
    pub(crate) auth_required: bool,
    pub(crate) tls_required: bool,
    pub(crate) traffic: Traffic,
}

impl Varz {
    pub(crate) fn read(page: &Value) -> Self {
        Self {
            server_id: text(page, "server_id"),
            server_name: text(page, "server_name"),
            version: text(page, "version"),
            uptime: text(page, "uptime"),
            start: moment(page, "start"),
            now: moment(page, "now"),
            cpu: number(page, "cpu"),
            mem: count(page, "mem"),
            connections: count(page, "connections"),
            max_connections: count(page, "max_connections"),
            subscriptions: count(page, "subscriptions"),
            slow_consumers: count(page, "slow_consumers"),
            auth_required: page["auth_required"].as_bool().unwrap_or_default(),
            tls_required: page["tls_required"].as_bool().unwrap_or_default(),
            traffic: Traffic::read(page),
        }
    }

    /// Seconds since the server has started, by its own clock.
    pub(crate) fn uptime_seconds(&self) -> Option<f64> {
        Some(self.now?.duration_since(self.start?).as_secs_f64().max(0.0))
    }
}

/// `/connz`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connz {
    pub(crate) now: Option<Timestamp>,
    pub(crate) total: u64,
    pub(crate) connections: Vec<Connection>,
}

/// One line of `/connz`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    pub(crate) cid: u64,
    pub(crate) ip: String,
    pub(crate) port: u64,
    pub(crate) name: String,
    pub(crate) subscriptions: u64,
    pub(crate) pending_bytes: u64,
    pub(crate) lang: String,
    pub(crate) version: String,
    pub(crate) uptime: String,
    pub(crate) last_activity: String,
    pub(crate) subjects: Vec<String>,
    pub(crate) traffic: Traffic,
}

impl Connz {
    pub(crate) fn read(page: &Value) -> Self {
        let connections = list(page, "connections").iter().map(|line| Connection {
            cid: count(line, "cid"),
            ip: text(line, "ip"),
            port: count(line, "port"),
            name: text(line, "name"),
            subscriptions: count(line, "subscriptions"),
            pending_bytes: count(line, "pending_bytes"),
            lang: text(line, "lang"),
            version: text(line, "version"),
            uptime: text(line, "uptime"),
            last_activity: text(line, "last_activity"),
            subjects: list(line, "subscriptions_list").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            traffic: Traffic::read(line),
        });
        Self { now: moment(page, "now"), total: count(page, "total"), connections: connections.collect() }
    }
}

/// `/corez`: Dunlin's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Corez {
    pub(crate) now: Option<Timestamp>,
    pub(crate) cores: Vec<Core>,
}

/// One core.
#[derive(Clone, Debug, Default)]
pub(crate) struct Core {
    pub(crate) core: u64,
    pub(crate) cpu_id: Option<u64>,
    pub(crate) busy_percent: f64,
    pub(crate) turn_us_p50: f64,
    pub(crate) turn_us_p99: f64,
    pub(crate) turn_us_max: f64,
    pub(crate) connections: u64,
    pub(crate) subscriptions: u64,
    pub(crate) traffic: Traffic,
    pub(crate) wakes: u64,
    pub(crate) parks: u64,
    pub(crate) stalls: u64,
    pub(crate) credit_stalls: u64,
    pub(crate) cache_hits: u64,
    pub(crate) cache_misses: u64,
    /// Bytes under way to all other cores, now and at most, and those that found no room.
    pub(crate) in_flight_bytes: u64,
    pub(crate) high_water_bytes: u64,
    pub(crate) spill_bytes: u64,
    pub(crate) memory_bytes: u64,
}

impl Corez {
    pub(crate) fn read(page: &Value) -> Self {
        let cores = list(page, "cores").iter().map(core).collect();
        Self { now: moment(page, "now"), cores }
    }
}

fn core(line: &Value) -> Core {
    let over_links = |name| list(line, "links").iter().fold(0_u64, |sum, link| sum.saturating_add(count(link, name)));
    let pools = line["memory"].as_object().into_iter().flat_map(|pools| pools.values()).filter_map(Value::as_u64);
    Core {
        core: count(line, "core"),
        cpu_id: maybe_count(line, "cpu_id"),
        busy_percent: number(line, "busy_percent"),
        turn_us_p50: number(&line["turn_us"], "p50"),
        turn_us_p99: number(&line["turn_us"], "p99"),
        turn_us_max: number(&line["turn_us"], "max"),
        connections: count(line, "connections"),
        subscriptions: count(line, "subscriptions"),
        traffic: Traffic::read(line),
        wakes: count(line, "wakes"),
        parks: count(line, "parks"),
        stalls: count(line, "stalls"),
        credit_stalls: count(line, "credit_stalls"),
        cache_hits: count(&line["match_cache"], "hits"),
        cache_misses: count(&line["match_cache"], "misses"),
        in_flight_bytes: over_links("in_flight_bytes"),
        high_water_bytes: over_links("high_water_bytes"),
        spill_bytes: over_links("spill_bytes"),
        memory_bytes: pools.fold(0, u64::saturating_add),
    }
}

/// `/slowz`: Dunlin's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slowz {
    pub(crate) num_slow: u64,
    pub(crate) connections: Vec<Slow>,
    pub(crate) closed: Vec<Closed>,
    pub(crate) held_back: Vec<HeldBack>,
}

/// A connection that is behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slow {
    pub(crate) cid: u64,
    pub(crate) name: String,
    pub(crate) ip: String,
    pub(crate) port: u64,
    pub(crate) account: String,
    pub(crate) core: u64,
    pub(crate) pending_bytes: u64,
    pub(crate) behind_ms: u64,
    pub(crate) stalls_caused: u64,
}

/// One that was closed for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closed {
    pub(crate) cid: u64,
    pub(crate) name: String,
    pub(crate) ip: String,
    pub(crate) reason: String,
    pub(crate) stop: String,
    pub(crate) pending_bytes: u64,
    pub(crate) lost_msgs: u64,
}

/// A publisher that had to wait, and for whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldBack {
    pub(crate) cid: u64,
    pub(crate) name: String,
    pub(crate) ip: String,
    pub(crate) stalls: u64,
    pub(crate) by: Vec<u64>,
}

impl Slowz {
    pub(crate) fn read(page: &Value) -> Self {
        let connections = list(page, "connections").iter().map(|line| Slow {
            cid: count(line, "cid"),
            name: text(line, "name"),
            ip: text(line, "ip"),
            port: count(line, "port"),
            account: text(line, "account"),
            core: count(line, "core"),
            pending_bytes: count(line, "pending_bytes"),
            behind_ms: count(line, "behind_ms"),
            stalls_caused: count(line, "stalls_caused"),
        });
        let closed = list(page, "closed").iter().map(|line| Closed {
            cid: count(line, "cid"),
            name: text(line, "name"),
            ip: text(line, "ip"),
            reason: text(line, "reason"),
            stop: text(line, "stop"),
            pending_bytes: count(line, "pending_bytes"),
            lost_msgs: count(line, "lost_msgs"),
        });
        let held_back = list(page, "held_back").iter().map(|line| HeldBack {
            cid: count(line, "cid"),
            name: text(line, "name"),
            ip: text(line, "ip"),
            stalls: count(line, "stalls"),
            by: counts(line, "by"),
        });
        Self {
            num_slow: count(page, "num_slow"),
            connections: connections.collect(),
            closed: closed.collect(),
            held_back: held_back.collect(),
        }
    }
}

/// `/subjectz`: Dunlin's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subjectz {
    pub(crate) sample_every: u64,
    pub(crate) error_bound_msgs: u64,
    pub(crate) subjects: Vec<Subject>,
}

/// One subject, or a prefix of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) subject: String,
    pub(crate) account: String,
    pub(crate) traffic: Traffic,
    pub(crate) in_msgs_rate: f64,
    pub(crate) in_bytes_rate: f64,
    pub(crate) last_seen: String,
    pub(crate) subscribers: u64,
}

impl Subjectz {
    pub(crate) fn read(page: &Value) -> Self {
        let subjects = list(page, "subjects").iter().map(|line| Subject {
            subject: text(line, "subject"),
            account: text(line, "account"),
            traffic: Traffic::read(line),
            in_msgs_rate: number(line, "in_msgs_rate"),
            in_bytes_rate: number(line, "in_bytes_rate"),
            last_seen: text(line, "last_seen"),
            subscribers: count(line, "subscribers"),
        });
        Self {
            sample_every: count(page, "sample_every"),
            error_bound_msgs: count(page, "error_bound_msgs"),
            subjects: subjects.collect(),
        }
    }
}

/// `/queuez`: Dunlin's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queuez {
    pub(crate) now: Option<Timestamp>,
    pub(crate) groups: Vec<Group>,
}

/// One queue group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) account: String,
    pub(crate) subject: String,
    pub(crate) queue: String,
    pub(crate) members: u64,
    pub(crate) picks: u64,
    pub(crate) fairness: f64,
    pub(crate) members_by_core: Vec<u64>,
}

impl Queuez {
    pub(crate) fn read(page: &Value) -> Self {
        let groups = list(page, "groups").iter().map(|line| Group {
            account: text(line, "account"),
            subject: text(line, "subject"),
            queue: text(line, "queue"),
            members: count(line, "members"),
            picks: count(line, "picks"),
            fairness: number(line, "fairness"),
            members_by_core: counts(line, "members_by_core"),
        });
        Self { now: moment(page, "now"), groups: groups.collect() }
    }
}
