//! What the log says of a reload, in the peer's words and order.
//!
//! Owns that order and those words; what has changed, its values and whether it can change come from `config::changes` and so from
//! the table of keys. A name that is not in the order is one of Dunlin's own and comes last.

use std::time::Duration;

use crate::config::Config;
use crate::config::changes::Change;
use crate::reactor::settings::login_timeout;

/// Names in the order in which the peer looks at its options: it refuses the first that is fixed, and tells the others so.
const ORDER: &[&str] = &[
    "ServerName",
    "Host",
    "Port",
    "client_advertise",
    "trace",
    "debug",
    "trace_verbose",
    "trace_headers",
    "NoSublistCache",
    "NoHeaderSupport",
    "logtime",
    "logtime_utc",
    "max_connections",
    "MaxSubs",
    "MaxSubTokens",
    "authorization nkey users",
    "authorization users",
    "accounts",
    "NoAuthUser",
    "SystemAccount",
    "NoSystemAccount",
    "authorization username",
    "authorization password",
    "authorization token",
    "ping_interval",
    "ping_max",
    "ProxyProtocol",
    "HTTPHost",
    "HTTPPort",
    "HTTPBasePath",
    "HTTPSPort",
    AUTHORIZATION_TIMEOUT,
    "max_control_line",
    "max_payload",
    "MaxPending",
    "no_fast_producer_stall",
    "pid_file",
    "ports_file_dir",
    "log_file",
    "LogSizeLimit",
    "LogMaxFiles",
    "syslog",
    "remote_syslog",
    "tls timeout",
    "tls",
    "pinned_certs",
    "TLSRateLimit",
    "AllowNonTLS",
    "Client TLS handshake first",
    "Client TLS handshake first fallback delay",
    "write_deadline",
    "WriteTimeout",
    "MaxClosedClients",
    "LameDuckDuration",
    "LameDuckGracePeriod",
    "max_traced_msg_len",
    "tags",
    "server_metadata",
    "proxies",
];

const AUTHORIZATION_TIMEOUT: &str = "authorization timeout";
/// The peer tells of these at every reload, whether they differ or not.
const ALWAYS: [&str; 2] = ["authorization users", "accounts"];
/// What is told elsewhere: by the process, and for TLS as a whole.
const ELSEWHERE: [&str; 2] = ["no_coredump", AUTHORIZATION_TIMEOUT];

/// Where a name stands in the order.
fn rank(name: &str) -> usize {
    ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len())
}

/// Changes that cannot be made, the one that the peer would name first.
pub(super) fn refused(changes: Vec<Change>) -> Vec<Change> {
    let mut refused: Vec<Change> = changes.into_iter().filter(|change| change.refusal().is_some()).collect();
    refused.sort_by_key(|change| rank(change.name));
    refused
}

/// The lines of a reload that is carried out; `tls_differs`: files that the block names have changed, or it itself.
pub(super) fn carried_out(old: &Config, new: &Config, changes: &[Change], tls_differs: bool) -> Vec<String> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for name in ALWAYS {
        lines.push((rank(name), format!("Reloaded: {name}")));
    }
    // Each part of the block is told as the block, once.
    let told = |change: &&Change| {
        !(ALWAYS.contains(&change.name)
            || ELSEWHERE.contains(&change.name)
            || change.key.starts_with("tls.") && rank(change.name) == ORDER.len())
    };
    for change in changes.iter().filter(told) {
        lines.extend(line(change).map(|line| (rank(change.name), line)));
    }
    if tls_differs && old.tls.is_some() && new.tls.is_some() {
        lines.push((rank("tls"), "Reloaded: tls = enabled".to_owned()));
    }
    let (before, now) = (login_timeout(old), login_timeout(new));
    if before != now {
        lines.push((rank(AUTHORIZATION_TIMEOUT), format!("Reloaded: {AUTHORIZATION_TIMEOUT} = {}", seconds(now))));
    }
    lines.sort_by_key(|&(rank, _)| rank);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// What is said of one change, where anything is.
fn line(change: &Change) -> Option<String> {
    let new = change.values.as_ref().map_or("", |(_, new)| new.as_str());
    Some(match change.name {
        "client_advertise" => format!("Reload: client_advertise = {new}"),
        "no_fast_producer_stall" => {
            let not = if new == "true" { "not " } else { "" };
            format!("Reloaded: fast producers will {not}be stalled")
        }
        "pid_file" if new.is_empty() => return None,
        "tags" => "Reloaded: tags".to_owned(),
        "server_metadata" => "Reloaded: metadata".to_owned(),
        _ => format!("Reloaded: {}", change.line()),
    })
}

/// Why a change refuses the reload, for who wrote it.
pub(super) fn reason(change: &Change) -> String {
    let (key, why) = (&change.key, change.refusal().unwrap_or_default());
    let (old, new) = change.values.as_ref().map_or(("", ""), |(old, new)| (old.as_str(), new.as_str()));
    format!("{key} cannot change from {old:?} to {new:?} while the server runs: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{RawConfig, changes, keys};

    fn config() -> Config {
        RawConfig::default().resolve().expect("defaults are right").0
    }

    #[test]
    fn names_in_the_order_are_there_once_and_those_of_the_table_are_in_it() {
        for (at, name) in ORDER.iter().enumerate() {
            assert_eq!(rank(name), at, "{name} is there twice");
        }
        let own = |path: &str| path.starts_with("dunlin.");
        for (path, key) in keys::all().into_iter().filter(|(path, _)| !own(path)) {
            assert!(key.shown.is_none_or(|shown| rank(shown.name) < ORDER.len()), "{path} has no place in the order");
        }
    }

    #[test]
    fn lines_come_in_the_peers_order_and_words() {
        let (old, mut new) = (config(), config());
        new.logging.debug = true;
        new.logging.trace = true;
        new.fast_producer_stall = false;
        new.server_tags = vec!["a".into()];
        new.limits.connections_max = Some(7);
        new.limits.payload_bytes_max = 100;
        new.security.timeout = Some(Duration::from_secs(3));
        new.pid_file = None;
        let lines = carried_out(&old, &new, &changes::diff(&old, &new), false);
        let expected = [
            "Reloaded: trace = true",
            "Reloaded: debug = true",
            "Reloaded: max_connections = 7",
            "Reloaded: authorization users",
            "Reloaded: accounts",
            "Reloaded: authorization timeout = 3",
            "Reloaded: max_payload = 100",
            "Reloaded: fast producers will not be stalled",
            "Reloaded: tags",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn all_that_is_fixed_is_named_the_peers_first_one_first() {
        let (old, mut new) = (config(), config());
        new.limits.pending_bytes_max = 2 << 20;
        new.host = "127.0.0.1".into();
        new.timing.lame_duck_duration = Duration::from_secs(50);
        let refused = refused(changes::diff(&old, &new));
        let names: Vec<&str> = refused.iter().map(|change| change.name).collect();
        assert_eq!(names, ["Host", "MaxPending", "LameDuckDuration"]);
        for change in &refused {
            let reason = reason(change);
            assert!(reason.contains(" cannot change from \"") && !reason.ends_with(": "), "{reason}");
        }
    }
}
