//! `/metrics`: for Prometheus.
//!
//! What prometheus-nats-exporter makes of the pages, under its names and types (`gnatsd_*`, and of JetStream what a server without it
//! has), so that dashboards made for it work; and Dunlin's own under `dunlin_*`. The number of series is bounded: by cores, pages and
//! accounts (up to [`ACCOUNTS_MAX`]), never by connections or subjects.

use serde_json::Value;

use super::super::http::{Request, Response};
use super::super::query::Query;
use super::super::site::{PageError, Site};
use super::exposition::{Exposition, Kind};
use super::{health, own_metrics, subsz, varz};
use crate::ids::AccountId;
use crate::reactor::snapshot::AccountFigures;

/// Accounts that have series of their own.
const ACCOUNTS_MAX: usize = 1000;
/// Connections of one page: what the exporter reads.
const CONNECTIONS_LIMIT: u64 = 1024;

pub(super) fn page(site: &mut Site, _: &Query, request: &Request) -> Result<Response, PageError> {
    let open_metrics = request.accept.contains("application/openmetrics-text");
    let figures = site.figures()?;
    let accounts = site.accounts()?;
    let varz = varz::read(site, &figures);
    let busy = site.busy_percents(&figures);
    let mut out = Exposition::new(open_metrics);
    let id = site.view.server_id.clone();
    flatten(&mut out, &id, "varz", "", &serde_json::to_value(&varz).unwrap_or_default());
    connections(&mut out, &id, &accounts);
    let all = subsz::summary(site, &accounts);
    flatten(&mut out, &id, "subsz", "", &serde_json::to_value(all).unwrap_or_default());
    account_figures(&mut out, site, &accounts);
    absent(&mut out, site, &varz.server_name);
    own_metrics::write(&mut out, &id, &figures, &busy);
    let mut response = Response::text(200, out.finish());
    response.content_type = if open_metrics {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    Ok(response)
}

/// Texts of a page that become a gauge with a label; the two times become their milliseconds.
const LABELS: &[&str] = &["server_id", "server_name", "version", "domain", "leader", "name"];
const TIMES: &[&str] = &["start", "config_load_time"];

/// Every number of a page, by its path.
fn flatten(out: &mut Exposition, id: &str, page: &str, path: &str, value: &Value) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        let path = joined(path, key);
        let name = format!("gnatsd_{page}_{path}");
        match value {
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                out.single(&name, Kind::Gauge, &path, &[("server_id", id)], number);
            }
            Value::String(text) if LABELS.contains(&key.as_str()) => {
                out.single(&name, Kind::Gauge, &path, &[("server_id", id), ("value", text)], 1.0);
            }
            Value::String(text) if TIMES.contains(&key.as_str()) => {
                let at = text.parse().map_or(0, |at: jiff::Timestamp| at.as_millisecond());
                out.single(&name, Kind::Gauge, &path, &[("server_id", id)], at as f64);
            }
            Value::Object(_) => flatten(out, id, page, &path, value),
            _ => {}
        }
    }
}

/// A path as a part of a name: one `_` between its parts, none at the ends, and nothing that a name may not have.
fn joined(path: &str, key: &str) -> String {
    let whole = format!("{path}_{key}");
    let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let clean: String = whole.chars().map(clean).collect();
    clean.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

fn connections(out: &mut Exposition, id: &str, accounts: &[AccountFigures]) {
    let sum = |of: fn(&AccountFigures) -> u64| accounts.iter().map(of).sum::<u64>();
    let count = sum(|account| account.connections);
    for (name, kind, value) in [
        ("num_connections", Kind::Gauge, count.min(CONNECTIONS_LIMIT)),
        ("total", Kind::Gauge, count),
        ("offset", Kind::Gauge, 0),
        ("limit", Kind::Gauge, CONNECTIONS_LIMIT),
        ("pending_bytes", Kind::Gauge, sum(|account| account.pending_bytes)),
        ("subscriptions", Kind::Gauge, sum(|account| account.table.subscriptions as u64)),
        ("in_bytes", Kind::Counter, sum(|account| account.open.in_bytes)),
        ("out_bytes", Kind::Counter, sum(|account| account.open.out_bytes)),
        ("in_msgs", Kind::Counter, sum(|account| account.open.in_msgs)),
        ("out_msgs", Kind::Counter, sum(|account| account.open.out_msgs)),
    ] {
        out.single(&format!("gnatsd_connz_{name}"), kind, name, &[("server_id", id)], value as f64);
    }
}

/// A metric of each account: its name, and what it is.
type OfAccount = (&'static str, fn(&AccountFigures) -> u64);

const ACCSTATZ: &[OfAccount] = &[
    ("current_connections", |account| account.connections),
    ("total_connections", |account| account.connections),
    ("subscriptions", |account| account.table.subscriptions as u64),
    ("leaf_nodes", |_| 0),
    ("sent_messages", |account| account.counts.out_msgs),
    ("sent_bytes", |account| account.counts.out_bytes),
    ("received_messages", |account| account.counts.in_msgs),
    ("received_bytes", |account| account.counts.in_bytes),
    ("slow_consumers", |account| account.slow_consumers),
];

const ACCOUNTZ: &[OfAccount] = &[
    ("client_connections", |account| account.connections),
    ("leafnode_connections", |_| 0),
    ("subscriptions", |account| account.table.subscriptions as u64),
    ("expired", |_| 0),
    ("complete", |_| 1),
    ("jetstream_enabled", |_| 0),
    ("limit_subs", |_| 0),
    ("limit_data", |_| 0),
    ("limit_payload", |_| 0),
    ("limit_imports", |_| 0),
    ("limit_exports", |_| 0),
    ("limit_wildcards", |_| 0),
    ("limit_conn", |_| 0),
    ("limit_leaf", |_| 0),
];

fn account_figures(out: &mut Exposition, site: &Site, accounts: &[AccountFigures]) {
    let id = &site.view.server_id;
    let named = accounts.iter().take(ACCOUNTS_MAX).enumerate();
    let named: Vec<_> = named.map(|(at, account)| (site.view.account_name(AccountId(at as u32)), account)).collect();
    for (name, of) in ACCSTATZ {
        let mut family = out.family(&format!("gnatsd_accstatz_{name}"), Kind::Gauge, name);
        for (account, figures) in &named {
            let labels =
                [("server_id", id.as_str()), ("account", account), ("account_id", account), ("account_name", account)];
            family.sample("", &labels, of(figures) as f64);
        }
    }
    let system = site.view.system_account();
    let mut is_system = out.family("gnatsd_accountz_is_system", Kind::Gauge, "is_system");
    for (account, _) in &named {
        let labels = [("server_id", id.as_str()), ("account_id", account), ("account_name", account)];
        is_system.sample("", &labels, f64::from(u8::from(system.as_ref() == Some(account))));
    }
    for (name, of) in ACCOUNTZ {
        let mut family = out.family(&format!("gnatsd_accountz_{name}"), Kind::Gauge, name);
        for (account, figures) in &named {
            let labels = [("server_id", id.as_str()), ("account_id", account), ("account_name", account)];
            family.sample("", &labels, of(figures) as f64);
        }
    }
}

/// Health, and what is not here.
fn absent(out: &mut Exposition, site: &Site, server_name: &str) {
    let id = site.view.server_id.as_str();
    let sick = f64::from(u8::from(health::is_going(site)));
    for page in ["healthz", "healthz_js_enabled_only", "healthz_js_server_only"] {
        out.single(&format!("gnatsd_{page}_status"), Kind::Gauge, "status", &[("server_id", id)], sick);
    }
    for (name, help, text) in [("server_id", "server_id", id), ("server_name", "server_name", server_name)] {
        let labels = [("server_id", id), ("value", text)];
        out.single(&format!("gnatsd_routez_{name}"), Kind::Gauge, help, &labels, 1.0);
    }
    out.single("gnatsd_routez_num_routes", Kind::Gauge, "num_routes", &[("server_id", id)], 0.0);
    out.single("gnatsd_leafz_conn_nodes_total", Kind::Gauge, "nodes_total", &[("server_id", id)], 0.0);
    let labels = [
        ("server_id", id),
        ("server_name", server_name),
        ("cluster", ""),
        ("domain", ""),
        ("meta_leader", ""),
        ("is_meta_leader", "true"),
    ];
    for (name, help, value) in [
        ("jetstream_disabled", "JetStream disabled or not", 1.0),
        ("total_streams", "Total number of streams in JetStream", 0.0),
        ("total_consumers", "Total number of consumers in JetStream", 0.0),
        ("total_messages", "Total number of stored messages in JetStream", 0.0),
        ("total_message_bytes", "Total number of bytes stored in JetStream", 0.0),
        ("max_memory", "JetStream Max Memory", 0.0),
        ("max_storage", "JetStream Max Storage", 0.0),
    ] {
        out.single(&format!("jetstream_server_{name}"), Kind::Gauge, help, &labels, value);
    }
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn names_are_joined_as_the_exporter_joins_them() {
        for (path, key, expected) in [
            ("", "cpu", "cpu"),
            ("http_req_stats", "/", "http_req_stats"),
            ("http_req_stats", "/debug/vars", "http_req_stats_debug_vars"),
            ("slow_consumer_stats", "clients", "slow_consumer_stats_clients"),
        ] {
            assert_eq!(joined(path, key), expected);
        }
    }
}
