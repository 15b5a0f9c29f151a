//! How values are told of in logs of a reload and to people.
//!
//! Owns forms that several keys have in common. Shows no secret.

use crate::config::monitoring::MonitorListener;
use crate::config::{Advertised, Config, CoreChoice, duration};
use std::path::PathBuf;
use std::time::Duration;

/// A bound; none is 0.
pub(super) fn bound(value: Option<u64>) -> String {
    value.unwrap_or(0).to_string()
}

/// A duration, as Go writes it.
pub(crate) fn time(value: Duration) -> String {
    duration::shown(i64::try_from(value.as_nanos()).unwrap_or(i64::MAX))
}

pub(super) fn path(value: Option<&PathBuf>) -> String {
    value.map(|path| path.display().to_string()).unwrap_or_default()
}

pub(super) fn listener(config: &Config) -> Option<&MonitorListener> {
    config.monitoring.listener.as_ref()
}

/// Port of the pages, where they are served so.
pub(super) fn page_port(config: &Config, tls: bool) -> String {
    listener(config).filter(|listener| listener.tls == tls).map_or(0, |listener| listener.port).to_string()
}

pub(super) fn advertised(value: Option<&Advertised>) -> String {
    match value {
        Some(to) => to.port.map_or_else(|| to.host.clone(), |port| format!("{}:{port}", to.host)),
        None => String::new(),
    }
}

/// Which cores, as `--cores` takes them.
pub(crate) fn cores(choice: &CoreChoice) -> String {
    match choice {
        CoreChoice::Automatic => String::new(),
        CoreChoice::Count(count) => count.to_string(),
        CoreChoice::Cpus(cpus) => {
            let list: Vec<String> = cpus.iter().map(ToString::to_string).collect();
            if list.len() == 1 { list.concat() + "," } else { list.join(",") }
        }
    }
}
