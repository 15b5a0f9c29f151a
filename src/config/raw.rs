//! What the user wrote: every key optional, each with where it came from.
//!
//! Owns [`RawConfig`] and the way files and flags come together in it: flags win. Fills in no default and checks no
//! relation; `resolve` does. Flags and file write the same fields, so both give the same `Config`.

use super::raw_security::{RawAccount, RawTls, RawUser};
use super::value::Place;
use super::{AcceptMode, Config, CoreChoice};
use crate::secret::Secret;
use std::fmt;
use std::path::PathBuf;

/// Where a setting was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In the program that embeds the server.
    #[default]
    Code,
    /// On the command line: the flag as it was written, with its dashes.
    Flag(String),
    /// On the command line, which only says where it stands: `@FILE`, `$VARIABLE`.
    Named {
        /// The flag as it was written, with its dashes.
        flag: String,
        /// Where the value was found, as it was written.
        source: String,
    },
    /// In a file.
    File(Place),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str("configuration"),
            Self::Flag(flag) | Self::Named { flag, .. } => f.write_str(flag),
            Self::File(place) => place.fmt(f),
        }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub origin: Origin,
}

impl<T> From<T> for Written<T> {
    fn from(value: T) -> Self {
        Self { value, origin: Origin::Code }
    }
}

/// A known key or flag of a feature that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it was written.
    pub origin: Origin,
    /// The key as it was written.
    pub name: String,
}

/// Something that the user should know and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A way of writing that the peer complains about: it is printed as it is before the log opens, and `-t` counts it as an error.
    Usage(String),
    /// A line for the log.
    Notice(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Notice(text) => f.write_str(text),
        }
    }
}

macro_rules! raw_config {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// What the user wrote, as it was written.
        ///
        /// ```
        /// use dunlin::config::RawConfig;
        ///
        /// let raw = RawConfig {
        ///     host: Some("127.0.0.1".to_owned().into()),
        ///     port: Some((-1).into()), // any free port
        ///     max_payload: Some(64_000.into()),
        ///     ..RawConfig::default()
        /// };
        /// let (config, warnings) = raw.resolve().expect("these settings agree");
        /// assert_eq!(config.limits.payload_bytes_max, 64_000);
        /// assert!(warnings.is_empty());
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct RawConfig {
            $($(#[$doc])* pub $field: Option<Written<$type>>,)*
            /// Keys and flags of features that are not there yet.
            pub refused: Vec<Refusal>,
            /// What to tell the user.
            pub warnings: Vec<Warning>,
            /// The file that was read.
            pub source: Option<PathBuf>,
            /// Digest of what was read.
            pub digest: Option<String>,
        }

        impl RawConfig {
            /// These settings, and `under` where they say nothing.
            #[must_use]
            pub fn over(self, under: Self) -> Self {
                Self {
                    $($field: self.$field.or(under.$field),)*
                    refused: [under.refused, self.refused].concat(),
                    warnings: [under.warnings, self.warnings].concat(),
                    source: self.source.or(under.source),
                    digest: self.digest.or(under.digest),
                }
            }
        }
    };
}

raw_config! {
    /// `host`, `net`, `-a`.
    host: String,
    /// `port`, `-p`: -1 is any free port, 0 the default.
    port: i64,
    /// `server_name`, `-n`.
    server_name: String,
    /// `client_advertise`.
    client_advertise: String,
    /// `server_tags`.
    server_tags: Vec<String>,
    /// `server_metadata`.
    server_metadata: Vec<(String, String)>,
    /// `debug`, `-D`.
    debug: bool,
    /// `trace`, `-V`.
    trace: bool,
    /// `trace_verbose`, `-VV`.
    trace_verbose: bool,
    /// `trace_headers`.
    trace_headers: bool,
    /// `logtime`, `-T`.
    logtime: bool,
    /// `logtime_utc`.
    logtime_utc: bool,
    /// `log_file`, `-l`.
    log_file: String,
    /// `log_size_limit`: bytes.
    log_size_limit: i64,
    /// `log_max_num`.
    log_max_num: i64,
    /// `max_traced_msg_len`: bytes.
    max_traced_msg_len: i64,
    /// `syslog`, `-s`.
    syslog: bool,
    /// `remote_syslog`, `-r`.
    remote_syslog: String,
    /// `pid_file`, `-P`.
    pid_file: String,
    /// `ports_file_dir`.
    ports_file_dir: String,
    /// `max_connections`; 0 and less: nobody, as in the peer.
    max_connections: i64,
    /// `max_control_line`: bytes.
    max_control_line: i64,
    /// `max_payload`: bytes; -1: as much as `max_pending`.
    max_payload: i64,
    /// `max_pending`: bytes.
    max_pending: i64,
    /// `max_subscriptions`; 0 and less: no bound.
    max_subscriptions: i64,
    /// `max_sub_tokens`.
    max_sub_tokens: i64,
    /// `ping_interval`: nanoseconds.
    ping_interval: i64,
    /// `ping_max`.
    ping_max: i64,
    /// `write_deadline`: nanoseconds.
    write_deadline: i64,
    /// `write_timeout: retry`.
    write_timeout_retries: bool,
    /// `max_closed_clients`.
    max_closed_clients: i64,
    /// `no_fast_producer_stall`.
    no_fast_producer_stall: bool,
    /// `lame_duck_duration`: nanoseconds.
    lame_duck_duration: i64,
    /// `lame_duck_grace_period`: nanoseconds.
    lame_duck_grace_period: i64,
    /// `proxy_protocol`.
    proxy_protocol: bool,
    /// `dunlin.unix_socket`, `--unix_socket`.
    unix_socket: String,
    /// `dunlin.unix_socket_mode`, `--unix_socket_mode`: octal.
    unix_socket_mode: String,
    /// `no_header_support`.
    no_header_support: bool,
    /// `disable_sublist_cache`.
    disable_sublist_cache: bool,
    /// Accepted and without effect here: a Go profiler's port.
    prof_port: i64,
    /// Accepted and without effect here.
    prof_block_rate: i64,
    /// Accepted and without effect before there are routes.
    connect_error_reports: i64,
    /// Accepted and without effect before there are routes.
    reconnect_error_reports: i64,
    /// `http`, `https`: the host; the port is in the next ones.
    http_host: String,
    /// `http`, `http_port`, `-m`: -1 is any free port, 0 off.
    http_port: i64,
    /// `https`, `https_port`, `-ms`.
    https_port: i64,
    /// `http_base_path`.
    http_base_path: String,
    /// `dunlin.monitoring.user`, `--monitor_user`.
    monitor_user: String,
    /// `dunlin.monitoring.password`, `--monitor_password`.
    monitor_password: Secret,
    /// `dunlin.monitoring.token`, `--monitor_token`.
    monitor_token: Secret,
    /// `dunlin.monitoring.timeout_ms`, `--monitor_timeout_ms`.
    monitor_timeout_ms: i64,
    /// `dunlin.monitoring.subject_sample`, `--subject_sample`.
    subject_sample: i64,
    /// An `authorization` block was written.
    authorization: bool,
    /// `authorization.user`, `--user`.
    user: String,
    /// `authorization.password`, `--pass`.
    password: Secret,
    /// `authorization.token`, `--auth`.
    token: Secret,
    /// `authorization.timeout`: nanoseconds; 0: the default.
    authorization_timeout: i64,
    /// `authorization.users`, with the default permissions where they have none.
    users: Vec<RawUser>,
    /// `authorization.proxy_required`.
    proxy_required: bool,
    /// `accounts`, users with the default permissions where they have none.
    accounts: Vec<RawAccount>,
    /// `no_auth_user`.
    no_auth_user: String,
    /// `system_account`.
    system_account: String,
    /// `no_system_account`.
    no_system_account: bool,
    /// `proxies.trusted`.
    trusted_proxies: Vec<String>,
    /// The `tls` block. The flags below replace what it says of files and verification.
    tls: RawTls,
    /// `--tls`.
    tls_flag: bool,
    /// `--tlscert`.
    tls_cert_flag: String,
    /// `--tlskey`.
    tls_key_flag: String,
    /// `--tlsverify`.
    tls_verify_flag: bool,
    /// `--tlscacert`.
    tls_ca_flag: String,
    /// `allow_non_tls`.
    allow_non_tls: bool,
    /// `dunlin.failed_logins_per_minute`, `--failed_logins_per_minute`; 0: no bound.
    failed_logins_per_minute: i64,
    /// `dunlin.no_coredump`, `--no_coredump`.
    no_coredump: bool,
    /// `--cores`.
    cores: CoreChoice,
    /// `--no_pin`.
    no_pin: bool,
    /// `--accept`.
    accept: AcceptMode,
    /// `--spin_us`: microseconds.
    spin_us: i64,
    /// `--rest_us`: microseconds.
    rest_us: i64,
    /// `--link_bytes`.
    link_bytes: i64,
    /// `--turn_events`.
    turn_events: i64,
    /// `--match_cache`.
    match_cache: i64,
    /// `--backlog`.
    backlog: i64,
    /// `--sndbuf`.
    sndbuf: i64,
    /// `--rcvbuf`.
    rcvbuf: i64,
}

impl Default for Config {
    /// The configuration of a server that was told nothing.
    fn default() -> Self {
        super::resolve::defaults()
    }
}
