//! From what was written to what the server reads: defaults, ranges, relations between settings.
//!
//! Owns every default and every check that needs more than one setting. Reads no file and no flag.
//! Messages are the peer's where the peer checks the same thing; values that it would take and then fail on are refused.

use super::keys::{self, Range};
use super::monitoring::Monitoring;
use super::raw::{Origin, RawConfig, Warning, Written};
use super::{
    AcceptMode, Advertised, Config, CoreChoice, Cores, Limits, Logging, Timing, address, duration, own_flags,
    resolve_security,
};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The port of clients.
pub(super) const PORT_DEFAULT: u16 = 4222;
const HOST_DEFAULT: &str = "0.0.0.0";
const PAYLOAD_BYTES_ADVISED_MAX: i64 = 8 << 20;
const PENDING_BYTES_DEFAULT: i64 = 64 << 20;
const CONNECTIONS_DEFAULT: i64 = 65_536;
const SECOND: i64 = 1_000_000_000;
const PING_INTERVAL_DEFAULT: i64 = 120 * SECOND;
const WRITE_DEADLINE_DEFAULT: i64 = 10 * SECOND;
const LAME_DUCK_DEFAULT: i64 = 120 * SECOND;
const LAME_DUCK_GRACE_DEFAULT: i64 = 10 * SECOND;

/// One reason why there is no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A text of the peer, with its place where it has one.
    Refused(String),
    /// A feature that is not there yet.
    NotSupportedYet {
        /// Where it was asked for.
        origin: Origin,
        /// What was asked for.
        name: String,
    },
    /// The peer finds this only while it starts, and says so in a fatal log line.
    Fatal(String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Fatal(text) => f.write_str(text),
            Self::NotSupportedYet { origin: Origin::File(place), name } => {
                write!(f, "{place}: \"{name}\" is not supported yet")
            }
            Self::NotSupportedYet { name, .. } => write!(f, "\"{name}\" is not supported yet"),
        }
    }
}

/// All reasons why there is no configuration, in the order in which they are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects errors while values are made.
pub(super) struct Checks {
    errors: Vec<ConfigError>,
}

impl RawConfig {
    /// The complete, checked configuration.
    ///
    /// # Errors
    /// Every setting that is out of range, contradicts another, or asks for what is not there yet.
    pub fn resolve(self) -> Result<(Config, Vec<Warning>), ConfigErrors> {
        let mut checks = Checks { errors: Vec::new() };
        for refusal in &self.refused {
            let (origin, name) = (refusal.origin.clone(), refusal.name.clone());
            checks.errors.push(ConfigError::NotSupportedYet { origin, name });
        }
        let mut warnings = self.warnings.clone();
        warnings.extend(self.ignored());
        let host = self
            .host
            .as_ref()
            .map(|host| host.value.clone())
            .filter(|host| !host.is_empty())
            .unwrap_or(HOST_DEFAULT.into());
        // In the order in which the peer tells them: errors, and warnings behind them.
        let (mut limit_warnings, mut tls_warnings) = (Vec::new(), Vec::new());
        let tls = resolve_security::tls(&mut checks, &self, &mut tls_warnings);
        let limits = checks.limits(&self, &mut limit_warnings);
        let timing = checks.timing(&self);
        let security = resolve_security::security(&mut checks, &self, &mut warnings);
        warnings.extend(limit_warnings.into_iter().chain(tls_warnings));
        let monitoring = checks.monitoring(&self, &host, tls.is_some());
        let has_secrets =
            tls.is_some() || security.single.is_some() || !security.users.is_empty() || monitoring.login.is_some();
        let config = Config {
            port: checks.port(self.port.as_ref(), &host),
            host,
            server_name: checks.server_name(self.server_name.as_ref()),
            client_advertise: checks.advertised(self.client_advertise.as_ref()),
            server_tags: self.server_tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
            server_metadata: self.server_metadata.as_ref().map(|pairs| pairs.value.clone()).unwrap_or_default(),
            limits,
            timing,
            logging: checks.logging(&self),
            cores: checks.cores(&self),
            monitoring,
            security,
            tls,
            core_dump: !self.no_coredump.as_ref().map_or(has_secrets, |setting| setting.value),
            proxy_protocol: flag(self.proxy_protocol.as_ref()),
            unix_socket: self.resolve_unix_socket(&mut |text| checks.refuse(text)),
            headers: !flag(self.no_header_support.as_ref()),
            match_cache: !flag(self.disable_sublist_cache.as_ref()),
            fast_producer_stall: !flag(self.no_fast_producer_stall.as_ref()),
            pid_file: path(self.pid_file.as_ref()),
            ports_file_dir: path(self.ports_file_dir.as_ref()),
            source: self.source,
            digest: self.digest,
        };
        if checks.errors.is_empty() { Ok((config, warnings)) } else { Err(ConfigErrors(checks.errors)) }
    }

    /// Settings that are taken and change nothing here: never silently.
    fn ignored(&self) -> Vec<Warning> {
        let after_routes = "is for routes, gateways and leaf nodes, which are not supported yet: ignored";
        let profiler = "is for the profiler of nats-server, which is not here: ignored";
        [
            (&self.prof_port, "prof_port", profiler),
            (&self.prof_block_rate, "prof_block_rate", profiler),
            (&self.connect_error_reports, "connect_error_reports", after_routes),
            (&self.reconnect_error_reports, "reconnect_error_reports", after_routes),
        ]
        .into_iter()
        .filter_map(|(setting, name, why)| {
            let setting = setting.as_ref().filter(|setting| setting.value != 0)?;
            Some(Warning::Notice(match &setting.origin {
                Origin::File(place) => format!("{place}: \"{name}\" {why}"),
                Origin::Flag(flag) | Origin::Named { flag, .. } => format!("\"{flag}\" {why}"),
                Origin::Code => format!("\"{name}\" {why}"),
            }))
        })
        .collect()
    }
}

impl Checks {
    pub(super) fn refuse(&mut self, text: String) {
        self.errors.push(ConfigError::Refused(text));
    }

    /// A value in the range that the table says of this key, or its default where nothing or 0 was written.
    fn int(&mut self, setting: Option<&Written<i64>>, name: &str) -> i64 {
        let Some(Range { default, low, high, .. }) = keys::range(name) else {
            debug_assert!(false, "{name} has no range in the table");
            return 0;
        };
        let Some(setting) = setting.filter(|setting| setting.value != 0) else {
            return default;
        };
        if (low..=high).contains(&setting.value) {
            return setting.value;
        }
        let place = match &setting.origin {
            Origin::File(place) => format!("{place}: "),
            _ => String::new(),
        };
        self.refuse(format!("{place}{name} ({}) is not between {low} and {high}", setting.value));
        default
    }

    pub(super) fn nanos(&mut self, setting: Option<&Written<i64>>, name: &str, default: i64) -> i64 {
        let Some(setting) = setting.filter(|setting| setting.value != 0) else {
            return default;
        };
        if setting.value < 0 {
            let place = match &setting.origin {
                Origin::File(place) => format!("{place}: "),
                _ => String::new(),
            };
            self.refuse(format!("{place}{name} ({}) needs to be positive", duration::shown(setting.value)));
            return default;
        }
        setting.value
    }

    fn port(&mut self, setting: Option<&Written<i64>>, host: &str) -> u16 {
        match setting.map_or(0, |setting| setting.value) {
            0 => PORT_DEFAULT,
            -1 => 0,
            port => u16::try_from(port).unwrap_or_else(|_| {
                let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
                let text = format!("Error listening on port: {address}, \"listen tcp: address {port}: invalid port\"");
                self.errors.push(ConfigError::Fatal(text));
                PORT_DEFAULT
            }),
        }
    }

    fn monitoring(&mut self, raw: &RawConfig, host: &str, has_tls: bool) -> Monitoring {
        let (mut refused, mut fatal) = (Vec::new(), Vec::new());
        let monitoring = raw.resolve_monitoring(host, has_tls, &mut refused, &mut fatal);
        self.errors.extend(refused.into_iter().map(ConfigError::Refused));
        self.errors.extend(fatal.into_iter().map(ConfigError::Fatal));
        monitoring
    }

    fn advertised(&mut self, setting: Option<&Written<String>>) -> Option<Advertised> {
        let value = text(setting);
        if value.is_empty() {
            return None;
        }
        let advertised = address::advertised(&value);
        advertised
            .map_err(|fault| {
                let text = format!("Error setting server INFO with ClientAdvertise value of {value}, err={fault}");
                self.errors.push(ConfigError::Fatal(text));
            })
            .ok()
    }

    fn server_name(&mut self, setting: Option<&Written<String>>) -> String {
        let name = text(setting);
        if name.contains(' ') {
            self.refuse("server name cannot contain spaces".into());
        }
        name
    }

    fn limits(&mut self, raw: &RawConfig, warnings: &mut Vec<Warning>) -> Limits {
        let pending = raw
            .max_pending
            .as_ref()
            .map(|setting| setting.value)
            .filter(|&value| value != 0)
            .unwrap_or(PENDING_BYTES_DEFAULT);
        let mut payload = match raw.max_payload.as_ref().map(|setting| setting.value) {
            // The peer's "no bound"; what may wait for one client bounds it all the same.
            Some(-1) => pending.clamp(1, i64::from(i32::MAX)),
            _ => self.int(raw.max_payload.as_ref(), "max_payload"),
        };
        if payload > pending {
            self.refuse(format!("max_payload ({payload}) cannot be higher than max_pending ({pending})"));
            payload = pending.clamp(0, i64::from(i32::MAX));
        }
        if payload > PAYLOAD_BYTES_ADVISED_MAX {
            warnings.push(Warning::Notice(
                "Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance".into(),
            ));
        }
        let line = self.int(raw.max_control_line.as_ref(), "max_control_line");
        let tokens = self.int(raw.max_sub_tokens.as_ref(), "max_sub_tokens");
        let closed = self.int(raw.max_closed_clients.as_ref(), "max_closed_clients");
        let connections = raw.max_connections.as_ref().map_or(CONNECTIONS_DEFAULT, |setting| setting.value);
        Limits {
            payload_bytes_max: u32::try_from(payload).unwrap_or(u32::MAX),
            control_line_bytes_max: u32::try_from(line).unwrap_or(u32::MAX),
            pending_bytes_max: u64::try_from(pending).unwrap_or(0),
            connections_max: Some(u64::try_from(connections).unwrap_or(0)),
            subscriptions_max: positive(raw.max_subscriptions.as_ref()),
            sub_tokens_max: u8::try_from(tokens).ok().filter(|&tokens| tokens > 0),
            closed_clients_max: u64::try_from(closed).unwrap_or(0),
        }
    }

    fn timing(&mut self, raw: &RawConfig) -> Timing {
        let duration_max = self.nanos(raw.lame_duck_duration.as_ref(), "lame_duck_duration", LAME_DUCK_DEFAULT);
        let grace = self.nanos(raw.lame_duck_grace_period.as_ref(), "lame_duck_grace_period", LAME_DUCK_GRACE_DEFAULT);
        if grace >= duration_max {
            let (grace, total) = (duration::shown(grace), duration::shown(duration_max));
            self.refuse(format!(
                "lame duck grace period ({grace}) should be strictly lower than lame duck duration ({total})"
            ));
        }
        let pings = self.int(raw.ping_max.as_ref(), "ping_max");
        Timing {
            ping_interval: nanos(self.nanos(raw.ping_interval.as_ref(), "ping_interval", PING_INTERVAL_DEFAULT)),
            pings_out_max: u32::try_from(pings).unwrap_or(u32::MAX),
            write_deadline: nanos(self.nanos(raw.write_deadline.as_ref(), "write_deadline", WRITE_DEADLINE_DEFAULT)),
            write_timeout_retries: flag(raw.write_timeout_retries.as_ref()),
            lame_duck_duration: nanos(duration_max),
            lame_duck_grace: nanos(grace),
        }
    }

    fn logging(&mut self, raw: &RawConfig) -> Logging {
        let trace_verbose = flag(raw.trace_verbose.as_ref());
        let trace_headers = flag(raw.trace_headers.as_ref());
        Logging {
            debug: flag(raw.debug.as_ref()),
            trace: flag(raw.trace.as_ref()) || trace_verbose || trace_headers,
            trace_verbose,
            trace_headers,
            time: raw.logtime.as_ref().is_none_or(|setting| setting.value),
            time_utc: flag(raw.logtime_utc.as_ref()),
            file: path(raw.log_file.as_ref()),
            file_bytes_max: positive(raw.log_size_limit.as_ref()).unwrap_or(0),
            files_max: positive(raw.log_max_num.as_ref()).unwrap_or(0),
            traced_payload_bytes_max: positive(raw.max_traced_msg_len.as_ref()).unwrap_or(0),
            syslog: flag(raw.syslog.as_ref()),
            remote_syslog: text(raw.remote_syslog.as_ref()),
        }
    }

    fn cores(&mut self, raw: &RawConfig) -> Cores {
        let mut tuned = |setting: &Option<Written<i64>>, name: &str| {
            let Some(range) = own_flags::range(name) else {
                return 0;
            };
            let value = setting.as_ref().map_or(range.default, |setting| setting.value);
            if let Err(why) = range.check(value) {
                self.refuse(format!("{name} ({value}): {why}"));
                return range.default;
            }
            value
        };
        let spin = tuned(&raw.spin_us, "spin_us");
        let rest = tuned(&raw.rest_us, "rest_us");
        let link = tuned(&raw.link_bytes, "link_bytes");
        let turn = tuned(&raw.turn_events, "turn_events");
        let cache = tuned(&raw.match_cache, "match_cache");
        let backlog = tuned(&raw.backlog, "backlog");
        let (send, receive) = (tuned(&raw.sndbuf, "sndbuf"), tuned(&raw.rcvbuf, "rcvbuf"));
        let choice = raw.cores.as_ref().map_or(CoreChoice::Automatic, |setting| setting.value.clone());
        if let Err(why) = own_flags::check_cores(&choice) {
            self.refuse(format!("cores: {why}"));
        }
        Cores {
            choice,
            pin: !flag(raw.no_pin.as_ref()),
            accept: raw.accept.as_ref().map_or(AcceptMode::Handoff, |setting| setting.value),
            spin: Duration::from_micros(spin.unsigned_abs()),
            rest: Duration::from_micros(rest.unsigned_abs()),
            link_bytes_max: link.unsigned_abs(),
            turn_events_max: usize::try_from(turn).unwrap_or(1),
            match_cache_entries: usize::try_from(cache).unwrap_or(0),
            backlog: u32::try_from(backlog).unwrap_or(1),
            send_buffer_bytes: u32::try_from(send).unwrap_or(0),
            receive_buffer_bytes: u32::try_from(receive).unwrap_or(0),
        }
    }
}

pub(super) fn flag(setting: Option<&Written<bool>>) -> bool {
    setting.is_some_and(|setting| setting.value)
}

pub(super) fn text(setting: Option<&Written<String>>) -> String {
    setting.map(|setting| setting.value.clone()).unwrap_or_default()
}

fn path(setting: Option<&Written<String>>) -> Option<PathBuf> {
    setting.filter(|setting| !setting.value.is_empty()).map(|setting| PathBuf::from(&setting.value))
}

/// `None` for nothing, 0 and less.
pub(super) fn positive(setting: Option<&Written<i64>>) -> Option<u64> {
    setting.and_then(|setting| u64::try_from(setting.value).ok()).filter(|&value| value > 0)
}

fn nanos(value: i64) -> Duration {
    Duration::from_nanos(value.unsigned_abs())
}

/// What [`RawConfig::resolve`] makes of nothing. A test holds it to that.
pub(super) fn defaults() -> Config {
    let mut checks = Checks { errors: Vec::new() };
    let raw = RawConfig::default();
    Config {
        server_name: String::new(),
        host: HOST_DEFAULT.into(),
        port: PORT_DEFAULT,
        client_advertise: None,
        server_tags: Vec::new(),
        server_metadata: Vec::new(),
        limits: checks.limits(&raw, &mut Vec::new()),
        timing: checks.timing(&raw),
        logging: checks.logging(&raw),
        cores: checks.cores(&raw),
        monitoring: checks.monitoring(&raw, HOST_DEFAULT, false),
        security: super::security::Security::default(),
        tls: None,
        core_dump: true,
        proxy_protocol: false,
        unix_socket: None,
        headers: true,
        match_cache: true,
        fast_producer_stall: true,
        pid_file: None,
        ports_file_dir: None,
        source: None,
        digest: None,
    }
}
