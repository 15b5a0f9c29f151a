//! Another configuration for a server that runs.
//!
//! Each setting that a reload can touch is a row: its name in the log, how it is shown, and whether it can change. One change that
//! cannot be made refuses all of them, and the old configuration stays.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Server, access_rows};
use crate::auth::directory::DirectoryError;
use crate::config::monitoring::MonitorListener;
use crate::config::security::HandshakeFirst;
use crate::config::{Config, duration};
use crate::log::LogError;
use crate::reactor::access::Access;
use crate::reactor::settings::Settings;
use crate::reactor::shared::Order;
use crate::tls::TlsError;
use crate::tls::settings::TIMEOUT as TLS_TIMEOUT;

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
    /// TLS cannot be spoken as configured.
    Tls(TlsError),
    /// The users contradict themselves.
    Logins(DirectoryError),
    /// The kernel has no more threads.
    Threads(io::Error),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { name, old, new } => {
                write!(f, "config reload not supported for {name}: old={old}, new={new}")
            }
            Self::Log(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Logins(error) => error.fmt(f),
            Self::Threads(error) => write!(f, "No thread to check passwords: {error}"),
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

/// Whether TLS comes before INFO, and how long that is waited for.
fn handshake_first(config: &Config) -> (bool, Duration) {
    match config.tls.as_ref().map(|tls| tls.handshake_first) {
        None | Some(HandshakeFirst::No) => (false, Duration::ZERO),
        Some(HandshakeFirst::Yes) => (true, Duration::ZERO),
        Some(HandshakeFirst::Within(delay)) => (true, delay),
    }
}

fn listener(config: &Config) -> Option<&MonitorListener> {
    config.monitoring.listener.as_ref()
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
    fixed("HTTPHost", |c| listener(c).map_or_else(String::new, |l| l.host.clone())),
    fixed("HTTPPort", |c| listener(c).filter(|l| !l.tls).map_or(0, |l| l.port).to_string()),
    fixed("HTTPSPort", |c| listener(c).filter(|l| l.tls).map_or(0, |l| l.port).to_string()),
    fixed("HTTPBasePath", |c| c.monitoring.base_path.clone()),
    fixed("subject_sample", |c| c.monitoring.subject_sample.to_string()),
    fixed("monitor_timeout_ms", |c| c.monitoring.timeout.as_millis().to_string()),
    fixed("TLSRateLimit", |c| c.tls.as_ref().map_or(0, |tls| tls.handshakes_per_second_max).to_string()),
    fixed("AllowNonTLS", |c| c.tls.as_ref().is_some_and(|tls| tls.allow_plain).to_string()),
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
        // Files may have changed where their names have not.
        let tls = super::load_tls(&config).map_err(ReloadError::Tls)?;
        if let Some((name, old, new)) = access_rows::fixed(&current, &config) {
            return Err(ReloadError::Fixed { name, old, new });
        }
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let access = Access::new(&config.security, &accounts).map_err(ReloadError::Logins)?;
        self.start_verifiers(&config).map_err(ReloadError::Threads)?;
        let changed: Vec<&Row> = ROWS.iter().filter(differs).collect();
        if current.logging != config.logging {
            self.log.reconfigure(&config.logging).map_err(ReloadError::Log)?;
        }
        for line in access_rows::changed(&current, &config) {
            self.log.info(format_args!("Reloaded: {line}"));
        }
        for row in changed {
            self.log.info(format_args!("Reloaded: {} = {}", row.name, (row.show)(&config)));
        }
        self.say_tls(&current, &config);
        *accounts = access.accounts.clone();
        self.shared.limit_failed_logins(config.security.failed_logins_per_minute_max);
        let introduction = self.introduction(&config, &access.directory);
        let settings = Arc::new(Settings { tls, ..Settings::new(&config, introduction, &access) });
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = (Arc::clone(&settings), SystemTime::now());
        *current = config;
        drop(accounts);
        drop(current);
        self.shared.allow_connections(settings.connections_max);
        self.order_all(|| Order::Settings(Arc::clone(&settings)));
        Ok(())
    }

    /// TLS is told as taken over each time, since its files were read again.
    fn say_tls(&self, before: &Config, now: &Config) {
        let timeout = |config: &Config| config.tls.as_ref().and_then(|tls| tls.timeout);
        if timeout(before) != timeout(now) {
            let seconds = timeout(now).unwrap_or(TLS_TIMEOUT).as_secs_f64();
            self.log.info(format_args!("Reloaded: tls timeout = {seconds}"));
        }
        match (&before.tls, &now.tls) {
            (None, None) => {}
            (_, None) => self.log.info(format_args!("Reloaded: tls = disabled")),
            (before, Some(tls)) => {
                self.log.info(format_args!("Reloaded: tls = enabled"));
                let pinned = &tls.pinned_certs;
                if before.as_ref().map(|before| &before.pinned_certs).unwrap_or(&Vec::new()) != pinned {
                    self.log.info(format_args!("Reloaded: {} pinned_certs", pinned.len()));
                }
            }
        }
        let ((first_before, delay_before), (first, delay)) = (handshake_first(before), handshake_first(now));
        if first != first_before {
            self.log.info(format_args!("Reloaded: Client TLS handshake first: {first}"));
        }
        if delay != delay_before {
            self.log.info(format_args!("Reloaded: Client TLS handshake first fallback delay: {}", time(delay)));
        }
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
