//! The configuration as a core reads it: resolved, small, the same on every core.

use std::time::Duration;

use crate::config::{AcceptMode, Config};
use crate::connection::Rules;
use crate::ids::AccountId;
use crate::limits::{FANOUT_RECEIVERS_PER_TURN, READ_BUFFER_BYTES};
use crate::protocol::handshake::ServerInfo;
use crate::protocol::parser::{Parser, ParserLimits};

/// Everything that a core needs to know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What operations are checked against.
    pub rules: Rules,
    /// INFO without what differs by connection.
    pub info: ServerInfo,
    /// Names of the accounts, by number.
    pub account_names: Vec<String>,
    /// `max_connections`.
    pub connections_max: u64,
    /// `max_pending`.
    pub pending_bytes_max: u64,
    /// From so many pending bytes on, a receiver that takes some has its publisher held back.
    pub stall_from_bytes: u64,
    /// From so many on, it is looked at at all.
    pub pressure_bytes: u64,
    /// `no_fast_producer_stall: false`.
    pub fast_producer_stall: bool,
    /// `ping_interval`.
    pub ping_interval: Duration,
    /// `ping_max`.
    pub pings_out_max: u32,
    /// `write_deadline`.
    pub write_deadline: Duration,
    /// `write_timeout: retry`.
    pub write_timeout_retries: bool,
    /// `--accept`.
    pub accept: AcceptMode,
    /// `--spin_us`.
    pub spin: Duration,
    /// `--turn_events`.
    pub turn_events_max: usize,
    /// Bytes read in a turn.
    pub turn_bytes_max: usize,
    /// Messages of other cores handled in a turn.
    pub turn_messages_max: usize,
    /// Receivers of one message that are served in a turn.
    pub turn_receivers_max: usize,
    /// `--match_cache`, or 0 where it is switched off.
    pub match_cache_entries: usize,
    /// `max_traced_msg_len`, `trace_headers`.
    pub trace_payload: crate::log::trace::PayloadForm,
}

impl Settings {
    /// What `config` means for a core of a server that introduces itself with `info`.
    pub fn new(config: &Config, info: ServerInfo) -> Self {
        let limits = &config.limits;
        let bounds = ParserLimits {
            control_line_bytes_max: limits.control_line_bytes_max,
            payload_bytes_max: limits.payload_bytes_max,
            headers: config.headers,
        };
        let pending = limits.pending_bytes_max;
        Self {
            rules: Rules {
                parser: Parser::new(bounds),
                parser_without_headers: Parser::new(ParserLimits { headers: false, ..bounds }),
                headers: config.headers,
                subscriptions_max: limits.subscriptions_max.unwrap_or(u64::MAX),
                sub_tokens_max: limits.sub_tokens_max.map_or(usize::MAX, usize::from),
            },
            info,
            account_names: vec!["$G".into(), "$SYS".into()],
            connections_max: limits.connections_max.unwrap_or(u64::MAX),
            pending_bytes_max: pending,
            stall_from_bytes: pending / 4 * 3,
            pressure_bytes: (pending / 4).min(1024 * 1024),
            fast_producer_stall: config.fast_producer_stall,
            ping_interval: config.timing.ping_interval,
            pings_out_max: config.timing.pings_out_max,
            write_deadline: config.timing.write_deadline,
            write_timeout_retries: config.timing.write_timeout_retries,
            accept: config.cores.accept,
            spin: config.cores.spin,
            turn_events_max: config.cores.turn_events_max,
            turn_bytes_max: 8 * READ_BUFFER_BYTES,
            turn_messages_max: 8192,
            turn_receivers_max: FANOUT_RECEIVERS_PER_TURN,
            match_cache_entries: if config.match_cache { config.cores.match_cache_entries } else { 0 },
            trace_payload: crate::log::trace::PayloadForm {
                bytes_max: config.logging.traced_payload_bytes_max,
                headers_only: config.logging.trace_headers,
            },
        }
    }

    /// The name of an account.
    pub fn account_name(&self, account: AccountId) -> &str {
        self.account_names.get(account.0 as usize).map_or("", String::as_str)
    }
}
