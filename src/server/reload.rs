//! Another configuration for a server that runs.
//!
//! Each setting that a reload can touch is a row: its name in the log, how it is shown, and whether it can change. One change that
//! cannot be made refuses all of them, and the old configuration stays.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Server;
use crate::config::{Config, duration};
use crate::log::LogError;
use crate::reactor::settings::Settings;
use crate::reactor::shared::Order;

/// Why a configuration is not taken over. Nothing has changed then.
#[derive(Debug)]
pub enum ReloadError {
    /// This setting cannot change while the server runs.
    Fixed {
        /// Its name, as the peer gives it.
        name: &'static str,
        /// What it is.
        old: String,
        /// What it was to become.
        new: String,
    },
    /// The log cannot be opened where it was to go.
    Log(LogError),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { name, old, new } => {
                write!(f, "config reload not supported for {name}: old={old}, new={new}")
            }
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReloadError {}

/// One setting.
struct Row {
    name: &'static str,
    changes: bool,
    show: fn(&Config) -> String,
}

const fn fixed(name: &'static str, show: fn(&Config) -> String) -> Row {
    Row { name, changes: false, show }
}

const fn changes(name: &'static str, show: fn(&Config) -> String) -> Row {
    Row { name, changes: true, show }
}

fn bound(value: Option<u64>) -> String {
    value.unwrap_or(0).to_string()
}

fn time(value: Duration) -> String {
    duration::shown(i64::try_from(value.as_nanos()).unwrap_or(i64::MAX))
}

fn path(value: &Option<std::path::PathBuf>) -> String {
    value.as_deref().map(|path| path.display().to_string()).unwrap_or_default()
}

/// In the order in which they are checked and told. Fixed ones have the peer's names for its options.
const ROWS: &[Row] = &[
    fixed("Host", |c| c.host.clone()),
    fixed("Port", |c| c.port.to_string()),
    fixed("ServerName", |c| c.server_name.clone()),
    fixed("LogSizeLimit", |c| c.logging.file_bytes_max.to_string()),
    fixed("LogMaxFiles", |c| c.logging.files_max.to_string()),
    fixed("MaxPending", |c| c.limits.pending_bytes_max.to_string()),
    fixed("MaxSubs", |c| bound(c.limits.subscriptions_max)),
    fixed("MaxSubTokens", |c| bound(c.limits.sub_tokens_max.map(u64::from))),
    fixed("MaxClosedClients", |c| c.limits.closed_clients_max.to_string()),
    fixed("WriteTimeout", |c| c.timing.write_timeout_retries.to_string()),
    fixed("LameDuckDuration", |c| time(c.timing.lame_duck_duration)),
    fixed("LameDuckGracePeriod", |c| time(c.timing.lame_duck_grace)),
    fixed("NoHeaderSupport", |c| (!c.headers).to_string()),
    fixed("NoSublistCache", |c| (!c.match_cache).to_string()),
    fixed("cores", |c| format!("{:?}", c.cores)),
    changes("client_advertise", |c| match &c.client_advertise {
        Some(to) => to.port.map_or_else(|| to.host.clone(), |port| format!("{}:{port}", to.host)),
        None => String::new(),
    }),
    changes("trace", |c| c.logging.trace.to_string()),
    changes("trace_verbose", |c| c.logging.trace_verbose.to_string()),
    changes("trace_headers", |c| c.logging.trace_headers.to_string()),
    changes("debug", |c| c.logging.debug.to_string()),
    changes("logtime", |c| c.logging.time.to_string()),
    changes("logtime_utc", |c| c.logging.time_utc.to_string()),
    changes("log_file", |c| path(&c.logging.file)),
    changes("syslog", |c| c.logging.syslog.to_string()),
    changes("remote_syslog", |c| c.logging.remote_syslog.clone()),
    changes("max_connections", |c| bound(c.limits.connections_max)),
    changes("ping_interval", |c| time(c.timing.ping_interval)),
    changes("ping_max", |c| c.timing.pings_out_max.to_string()),
    changes("max_control_line", |c| c.limits.control_line_bytes_max.to_string()),
    changes("max_payload", |c| c.limits.payload_bytes_max.to_string()),
    changes("no_fast_producer_stall", |c| (!c.fast_producer_stall).to_string()),
    changes("pid_file", |c| path(&c.pid_file)),
    changes("ports_file_dir", |c| path(&c.ports_file_dir)),
    changes("write_deadline", |c| time(c.timing.write_deadline)),
    changes("max_traced_msg_len", |c| c.logging.traced_payload_bytes_max.to_string()),
    changes("tags", |c| c.server_tags.join(", ")),
    changes("server_metadata", |c| format!("{:?}", c.server_metadata)),
];

impl Server {
    /// Goes by another configuration from now on, on every core between two of its turns; connections keep running, and
    /// those that can be told get an INFO where that has changed. The log says each setting that changes.
    ///
    /// # Errors
    /// Where a setting differs that cannot change while the server runs, or the log cannot be opened: then nothing changes.
    pub fn reload(&self, config: Config) -> Result<(), ReloadError> {
        let mut current = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = |row: &&Row| (row.show)(&current) != (row.show)(&config);
        if let Some(row) = ROWS.iter().filter(|row| !row.changes).find(differs) {
            return Err(ReloadError::Fixed { name: row.name, old: (row.show)(&current), new: (row.show)(&config) });
        }
        let changed: Vec<&Row> = ROWS.iter().filter(differs).collect();
        if current.logging != config.logging {
            self.log.reconfigure(&config.logging).map_err(ReloadError::Log)?;
        }
        for row in changed {
            self.log.info(format_args!("Reloaded: {} = {}", row.name, (row.show)(&config)));
        }
        let settings = Arc::new(Settings::new(&config, self.introduction(&config)));
        *current = config;
        drop(current);
        self.order_all(|| Order::Settings(Arc::clone(&settings)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn rows_agree_with_the_table_of_keys() {
        for row in ROWS.iter().filter(|row| row.changes && row.name != "tags") {
            let key = keys::find(row.name.as_bytes()).unwrap_or_else(|| panic!("{} is no key", row.name));
            assert!(key.is_reloadable, "{}", row.name);
        }
    }
}
