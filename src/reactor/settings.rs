//! The configuration as a core reads it: resolved, small, the same on every core.

use std::sync::Arc;
use std::time::Duration;

use super::access::{Access, AccountCounters, AccountEntry};
use crate::auth::Directory;
use crate::config::security::AccountLimits;
use crate::config::{AcceptMode, Config};
use crate::connection::Rules;
use crate::ids::AccountId;
use crate::limits::{FANOUT_RECEIVERS_PER_TURN, QUEUED_BYTES_PER_TURN, QUEUED_BYTES_PER_WRITE, READ_BUFFER_BYTES};
use crate::protocol::handshake::ServerInfo;
use crate::protocol::parser::{Parser, ParserLimits};
use crate::tls::TlsSettings;

const LOGIN_TIMEOUT: Duration = Duration::from_secs(2);
const TLS_TIMEOUT: Duration = Duration::from_secs(2);
const TLS_GRACE: Duration = Duration::from_secs(1);

/// For how long a receiver that is far behind may take nothing before it is frozen, and nobody waits for it any more.
///
/// As long as it takes to fill its queue at 1 GiB a second: one that is frozen has then taken nothing since its queue was empty; one
/// that reads, though its host gives it the CPU late, has. More is earned: who has taken much before may pause for longer, since
/// programs collect garbage and let their tables grow.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// With one that has hardly taken anything.
    pub least: Duration,
    /// With one that has taken very much.
    pub most: Duration,
}

const LEAST_PATIENCE: Duration = Duration::from_millis(8);
const FILLED_BYTES_A_MILLISECOND: u64 = 1024 * 1024;
/// A millisecond is earned with each so many bytes.
const TAKEN_BYTES_A_MILLISECOND: u64 = 256 * 1024;

impl Patience {
    /// With receivers whose queue holds so much.
    fn for_queue(bytes: u64) -> Self {
        let least = LEAST_PATIENCE.max(Duration::from_millis(bytes / FILLED_BYTES_A_MILLISECOND));
        Self { least, most: 4 * least }
    }

    /// With one that has taken so many bytes.
    pub fn with(&self, taken: u64) -> Duration {
        Duration::from_millis(taken / TAKEN_BYTES_A_MILLISECOND).clamp(self.least, self.most)
    }
}

/// The patterns and subscriptions of so many take about half a megabyte.
const LARGE_TABLE_PATTERNS: usize = 4096;

/// Everything that a core needs to know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What operations are checked against.
    pub rules: Rules,
    /// INFO without what differs by connection.
    pub info: ServerInfo,
    /// What handshakes go by; `None`: no TLS. Files are read by whoever makes the settings.
    pub tls: Option<Arc<TlsSettings>>,
    /// The accounts, by number.
    pub accounts: Vec<AccountSettings>,
    /// `proxy_protocol`.
    pub proxy_protocol: bool,
    /// Who may come in.
    pub directory: Arc<Directory>,
    /// How long a client may take to log in.
    pub login_timeout: Duration,
    /// `max_connections`.
    pub connections_max: u64,
    /// `max_pending`.
    pub pending_bytes_max: u64,
    /// From so many pending bytes on, a receiver that takes some has its publisher held back.
    pub stall_from_bytes: u64,
    /// From so many on, it is looked at at all.
    pub pressure_bytes: u64,
    /// For how long receivers may take nothing.
    pub patience: Patience,
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
    /// `--rest_us`.
    pub rest: Duration,
    /// `--turn_events`.
    pub turn_events_max: usize,
    /// Bytes read in a turn.
    pub turn_bytes_max: usize,
    /// Messages of other cores handled in a turn.
    pub turn_messages_max: usize,
    /// Receivers of one message that are served in a turn.
    pub turn_receivers_max: usize,
    /// Bytes of queues filled in a turn; then they are written.
    pub turn_queued_bytes_max: usize,
    /// But not while there are fewer for each connection that has some.
    pub write_bytes_wanted: usize,
    /// `--match_cache`, or 0 where it is switched off.
    pub match_cache_entries: usize,
    /// Patterns from which on a table is so large that it pays to look ahead: they leave the second-level cache.
    pub look_ahead_from: usize,
    /// `max_closed_clients`, or 0 where no pages are served that could show them.
    pub closed_clients_max: u64,
    /// `--subject_sample`: one message in so many is looked at; 0: none.
    pub subject_sample: u64,
    /// `max_traced_msg_len`, `trace_headers`.
    pub trace_payload: crate::log::trace::PayloadForm,
}

/// An account, as a core needs to know it.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Its name.
    pub name: Arc<str>,
    /// It is one of those of now: one that a reload took away keeps its number.
    pub is_configured: bool,
    /// What operations of its clients are checked against.
    pub rules: Rules,
    /// Connections that it may have.
    pub connections_max: u64,
    /// How many it has.
    pub counters: Arc<AccountCounters>,
}

impl Settings {
    /// What `config` means for a core of a server that introduces itself with `info`, and has these accounts and users.
    pub fn new(config: &Config, info: ServerInfo, access: &Access) -> Self {
        let limits = &config.limits;
        let pending = limits.pending_bytes_max;
        Self {
            rules: rules(config, None),
            info,
            tls: None,
            accounts: access.accounts.iter().map(|account| account_settings(config, account)).collect(),
            proxy_protocol: config.proxy_protocol,
            directory: Arc::clone(&access.directory),
            login_timeout: login_timeout(config),
            connections_max: limits.connections_max.unwrap_or(u64::MAX),
            pending_bytes_max: pending,
            stall_from_bytes: pending / 4 * 3,
            pressure_bytes: (pending / 4).min(1024 * 1024),
            patience: Patience::for_queue(pending),
            fast_producer_stall: config.fast_producer_stall,
            ping_interval: config.timing.ping_interval,
            pings_out_max: config.timing.pings_out_max,
            write_deadline: config.timing.write_deadline,
            write_timeout_retries: config.timing.write_timeout_retries,
            accept: config.cores.accept,
            spin: config.cores.spin,
            rest: config.cores.rest,
            turn_events_max: config.cores.turn_events_max,
            turn_bytes_max: 8 * READ_BUFFER_BYTES,
            turn_messages_max: 8192,
            turn_receivers_max: FANOUT_RECEIVERS_PER_TURN,
            turn_queued_bytes_max: QUEUED_BYTES_PER_TURN,
            write_bytes_wanted: QUEUED_BYTES_PER_WRITE,
            match_cache_entries: if config.match_cache { config.cores.match_cache_entries } else { 0 },
            look_ahead_from: LARGE_TABLE_PATTERNS,
            closed_clients_max: if config.monitoring.listener.is_some() { limits.closed_clients_max } else { 0 },
            subject_sample: config.monitoring.subject_sample,
            trace_payload: crate::log::trace::PayloadForm {
                bytes_max: config.logging.traced_payload_bytes_max,
                headers_only: config.logging.trace_headers,
            },
        }
    }

    /// A receiver that has fewer pending bytes has caught up: those that were held back for it go on. Less than what holds them back, so
    /// that one hold and one release go with some megabytes.
    pub fn caught_up_bytes(&self) -> u64 {
        self.stall_from_bytes - self.stall_from_bytes / 8
    }

    /// An account, where it exists.
    pub fn account(&self, account: AccountId) -> Option<&AccountSettings> {
        self.accounts.get(account.0 as usize)
    }

    /// What operations of an account's clients are checked against.
    #[inline]
    pub fn rules_of(&self, account: AccountId) -> &Rules {
        self.accounts.get(account.0 as usize).map_or(&self.rules, |account| &account.rules)
    }

    /// The name of an account.
    pub fn account_name(&self, account: AccountId) -> &str {
        self.account(account).map_or("", |account| &account.name)
    }

    /// One client less in an account.
    pub(super) fn leave_account(&self, account: AccountId) {
        if let Some(account) = self.account(account) {
            account.counters.leave();
        }
    }
}

fn account_settings(config: &Config, account: &AccountEntry) -> AccountSettings {
    AccountSettings {
        name: Arc::clone(&account.name),
        is_configured: account.is_configured,
        rules: rules(config, Some(&account.limits)),
        connections_max: account.limits.connections_max.unwrap_or(u64::MAX),
        counters: Arc::clone(&account.counters),
    }
}

/// What operations are checked against, in an account with these limits.
fn rules(config: &Config, account: Option<&AccountLimits>) -> Rules {
    let limits = &config.limits;
    let least = |ours: u64, theirs: Option<u64>| theirs.map_or(ours, |theirs| ours.min(theirs));
    let payload = least(limits.payload_bytes_max.into(), account.and_then(|account| account.payload_bytes_max));
    let subscriptions = limits.subscriptions_max.unwrap_or(u64::MAX);
    let bounds = ParserLimits {
        control_line_bytes_max: limits.control_line_bytes_max,
        payload_bytes_max: u32::try_from(payload).unwrap_or(u32::MAX),
        headers: config.headers,
    };
    Rules {
        parser: Parser::new(bounds),
        parser_without_headers: Parser::new(ParserLimits { headers: false, ..bounds }),
        payload_bytes_max: bounds.payload_bytes_max,
        headers: config.headers,
        subscriptions_max: least(subscriptions, account.and_then(|account| account.subscriptions_max)),
        sub_tokens_max: limits.sub_tokens_max.map_or(usize::MAX, usize::from),
    }
}

/// As long as it is said, or two seconds; where TLS comes first, a second longer than that may take.
pub fn login_timeout(config: &Config) -> Duration {
    let tls = config.tls.as_ref().map(|tls| tls.timeout.unwrap_or(TLS_TIMEOUT) + TLS_GRACE);
    config.security.timeout.or(tls).unwrap_or(LOGIN_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_earned_and_has_two_bounds() {
        let (mib, ms) = (1024 * 1024, Duration::from_millis);
        let patience = Patience::for_queue(64 * mib);
        assert_eq!(
            [0, 16 * mib, 20 * mib, 64 * mib, u64::MAX].map(|taken| patience.with(taken)),
            [64, 64, 80, 256, 256].map(ms)
        );
        let small = Patience::for_queue(mib);
        assert_eq!([0, mib, 3 * mib, u64::MAX].map(|taken| small.with(taken)), [8, 8, 12, 32].map(ms));
    }
}
