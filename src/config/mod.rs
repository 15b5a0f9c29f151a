//! Configuration: complete, checked, immutable. [`RawConfig`] is what the user wrote; [`Config`] is what the server reads.
//!
//! ```text
//! file ─ lexer, scalars ─ parser ─► value ─ apply (by the table in keys) ─┐
//!                                                                        ├─► RawConfig ─ resolve ─► Config, warnings
//! flags ─ cli (by the tables in cli::flags and own_flags) ───────────────┘
//! ```
//!
//! Owns what may be written, how it is checked and what it means when nothing is written. Starts nothing.
//! Invariant: a `Config` is only made by `RawConfig::resolve`, so every value in it is in its range.

mod address;
mod apply;
pub mod changes;
pub mod changes_users;
mod complaints;
mod cursor;
mod digest;
pub mod duration;
pub mod explain;
pub mod file;
pub mod keys;
mod later;
mod lexer;
mod load;
pub mod monitoring;
mod own_block;
pub mod own_flags;
mod parser;
mod raw;
pub mod raw_security;
mod resolve;
mod resolve_security;
mod scalars;
pub mod security;
mod security_keys;
pub mod spans;
pub mod spans_digest;
pub mod spans_keys;
mod syntax;
pub mod tls_names;
mod unix_socket;
mod value;
pub mod walk;

#[cfg(test)]
mod flag_tests;
#[cfg(test)]
mod grammar_tests;
#[cfg(test)]
mod security_tests;
#[cfg(test)]
mod setting_tests;

pub use load::{FileErrors, read_file, read_sources, read_text};
pub use parser::ParseError;
pub use raw::{Origin, RawConfig, Refusal, Warning, Written};
pub use resolve::{ConfigError, ConfigErrors};
pub use unix_socket::UnixSocket;
pub use value::Place;
pub(crate) use value::quoted;

use std::path::PathBuf;
use std::time::Duration;

/// What a server is started with. Only `RawConfig::resolve` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `server_name`; empty: the server's id.
    pub server_name: String,
    /// Address of the client listener, as written (`0.0.0.0`, `localhost`, `::1`).
    pub host: String,
    /// Port of the client listener; 0 here means: any free one (the user writes -1).
    pub port: u16,
    /// `client_advertise`: what INFO says instead of the bound address.
    pub client_advertise: Option<Advertised>,
    /// `server_tags`, in lower case.
    pub server_tags: Vec<String>,
    /// `server_metadata`.
    pub server_metadata: Vec<(String, String)>,
    /// Bounds on what clients may do.
    pub limits: Limits,
    /// Intervals and deadlines.
    pub timing: Timing,
    /// Where log lines go and which are written.
    pub logging: Logging,
    /// Cores, pinning and tuning.
    pub cores: Cores,
    /// Pages for monitoring.
    pub monitoring: monitoring::Monitoring,
    /// Logins, permissions and accounts.
    pub security: security::Security,
    /// `tls`; `None`: clients speak in the clear.
    pub tls: Option<security::Tls>,
    /// The process may leave a memory image when it crashes (`no_coredump`; by default not where there are secrets).
    pub core_dump: bool,
    /// `proxy_protocol`: who connects may be a proxy, and say so.
    pub proxy_protocol: bool,
    /// `unix_socket`: a second listener.
    pub unix_socket: Option<UnixSocket>,
    /// Clients may use headers (`no_header_support: false`).
    pub headers: bool,
    /// The match cache is used (`disable_sublist_cache: false`).
    pub match_cache: bool,
    /// Publishers that outrun a subscriber are held for a moment (`no_fast_producer_stall: false`).
    pub fast_producer_stall: bool,
    /// `pid_file`.
    pub pid_file: Option<PathBuf>,
    /// `ports_file_dir`.
    pub ports_file_dir: Option<PathBuf>,
    /// The file that the configuration came from, for reload and log lines.
    pub source: Option<PathBuf>,
    /// Digest of that file, as the log and `-t` show it.
    pub digest: Option<String>,
}

/// Bounds on what clients may do; names end in unit and bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `max_payload`: bytes of headers and body.
    pub payload_bytes_max: u32,
    /// `max_control_line`: bytes of one protocol line.
    pub control_line_bytes_max: u32,
    /// `max_pending`: bytes waiting for one client before it is closed as slow.
    pub pending_bytes_max: u64,
    /// `max_connections`; `None`: no bound.
    pub connections_max: Option<u64>,
    /// `max_subscriptions` a connection; `None`: no bound.
    pub subscriptions_max: Option<u64>,
    /// `max_sub_tokens`; `None`: no bound.
    pub sub_tokens_max: Option<u8>,
    /// `max_closed_clients`.
    pub closed_clients_max: u64,
}

/// Intervals and deadlines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `ping_interval`.
    pub ping_interval: Duration,
    /// `ping_max`: unanswered pings before a connection is stale.
    pub pings_out_max: u32,
    /// `write_deadline`.
    pub write_deadline: Duration,
    /// `write_timeout: retry`: a missed write deadline does not close a client.
    pub write_timeout_retries: bool,
    /// `lame_duck_duration`.
    pub lame_duck_duration: Duration,
    /// `lame_duck_grace_period`.
    pub lame_duck_grace: Duration,
}

/// Where log lines go and which are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// `debug`.
    pub debug: bool,
    /// `trace`.
    pub trace: bool,
    /// `trace_verbose`.
    pub trace_verbose: bool,
    /// `trace_headers`: only headers of messages are logged.
    pub trace_headers: bool,
    /// `logtime`.
    pub time: bool,
    /// `logtime_utc`.
    pub time_utc: bool,
    /// `log_file`.
    pub file: Option<PathBuf>,
    /// `log_size_limit`: bytes; 0: no rotation.
    pub file_bytes_max: u64,
    /// `log_max_num`: rotated files kept; 0: all.
    pub files_max: u64,
    /// `max_traced_msg_len`: bytes of payload in trace lines; 0: all.
    pub traced_payload_bytes_max: u64,
    /// `syslog`.
    pub syslog: bool,
    /// `remote_syslog`, or empty.
    pub remote_syslog: String,
}

/// Where clients are told that the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// A name or an address, without brackets.
    pub host: String,
    /// `None`: the bound one.
    pub port: Option<u16>,
}

/// Which cores, and how they work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// `--cores`.
    pub choice: CoreChoice,
    /// Threads may be pinned (`--no_pin` absent).
    pub pin: bool,
    /// `--accept`.
    pub accept: AcceptMode,
    /// `--spin_us`: how long a core looks for mail before it sleeps.
    pub spin: Duration,
    /// `--rest_us`: how long a core lets work gather after a turn that had some.
    pub rest: Duration,
    /// `--link_bytes`: bytes in flight between two cores, before the sender stops reading what feeds the link.
    pub link_bytes_max: u64,
    /// `--turn_events`: readiness events handled in one turn.
    pub turn_events_max: usize,
    /// `--match_cache`: subjects remembered a core.
    pub match_cache_entries: usize,
    /// `--backlog`: connections that the kernel may hold for us.
    pub backlog: u32,
    /// `--sndbuf`: bytes; 0: the kernel's choice.
    pub send_buffer_bytes: u32,
    /// `--rcvbuf`: bytes; 0: the kernel's choice.
    pub receive_buffer_bytes: u32,
}

/// `--cores LIST|N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoreChoice {
    /// Every CPU of the affinity mask, at most the cgroup quota rounded up.
    Automatic,
    /// So many cores, on the first CPUs of the mask; more than there are CPUs is allowed.
    Count(usize),
    /// These CPUs, one core each.
    Cpus(Vec<usize>),
}

/// `--accept handoff|reuseport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptMode {
    /// The first core accepts and hands sockets to the core with the least weight.
    Handoff,
    /// Every core accepts on a socket of its own.
    ReusePort,
}
