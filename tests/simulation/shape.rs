//! How a schedule's server is built: few cores or several, small rings, small budgets, so that everything that can fill up does.

use std::sync::Arc;
use std::time::Duration;

use dunlin::config::AcceptMode;
use dunlin::fabric::LinkSizes;
use dunlin::protocol::handshake::ServerInfo;
use dunlin::reactor::access::{Access, AccountEntry};
use dunlin::reactor::settings::{Patience, Settings};

use crate::random::Random;
use crate::secure::ENDS;
use crate::terms::Terms;

#[derive(Clone, Debug)]
pub struct Shape {
    pub cores: usize,
    pub clients: usize,
    pub accept: AcceptMode,
    pub sizes: LinkSizes,
    pub turn_events_max: usize,
    pub turn_messages_max: usize,
    pub turn_bytes_max: usize,
    pub turn_receivers_max: usize,
    pub turn_queued_bytes_max: usize,
    pub pending_bytes_max: u64,
    pub stall_from_bytes: u64,
    pub pressure_bytes: u64,
    pub fast_producer_stall: bool,
    pub match_cache_entries: usize,
    pub spin: Duration,
    pub rest: Duration,
    /// There are accounts and logins, and in another account than everybody else's neighbours who listen to everything.
    pub neighbours: usize,
    /// Only literal subjects: the table has a way of its own for that.
    pub literal: bool,
    /// Percent of payloads that are large, or as large as a batch.
    pub large: u64,
    /// Their sizes.
    pub large_bytes: &'static [usize],
    /// Bounds of the kernel's buffers.
    pub buffer_bytes: (u64, u64),
    /// Percent of clients that are verbose, or want no echo, or know no headers.
    pub odd: u64,
    /// Percent of clients that speak TLS; none of them where the server does not.
    pub secure: u64,
    /// Clients may come with a proxy's header.
    pub proxied: bool,
    /// How often, in 1000, a core stands still, and for how many steps.
    pub pace: (u64, &'static [u64]),
    /// Only this core does.
    pub victim: Option<usize>,
}

const PACES: [(u64, &[u64]); 5] =
    [(0, &[]), (20, &[30, 120, 500]), (20, &[120, 500, 1500]), (100, &[10, 30, 100]), (6, &[1000, 3000])];

/// For how long a receiver may take nothing before it is frozen.
pub const PATIENCE: Duration = Duration::from_millis(8);

impl Shape {
    pub fn of(random: &Random, cores: usize) -> Self {
        Self {
            cores,
            clients: (3 * cores).max(5),
            accept: random.of(&[AcceptMode::ReusePort, AcceptMode::ReusePort, AcceptMode::Handoff]),
            sizes: LinkSizes {
                batch_ring_entries: random.of(&[2, 2, 4]),
                interest_ring_entries: random.of(&[2, 4, 8]),
                link_bytes_max: random.of(&[100, 400, 2048, 8192]),
            },
            turn_events_max: random.of(&[1, 2, 4, 64]),
            turn_messages_max: random.of(&[1, 2, 5, 1000]),
            turn_bytes_max: random.of(&[1, 200, 8192, 1 << 20]),
            turn_receivers_max: random.of(&[1, 2, 8192]),
            turn_queued_bytes_max: random.of(&[2000, 2 << 20]),
            pending_bytes_max: 64 << 20,
            stall_from_bytes: random.of(&[1500, 10_000, 48 << 20]),
            pressure_bytes: random.of(&[300, 3000, 1 << 20]),
            fast_producer_stall: random.chance(50),
            match_cache_entries: random.of(&[0, 2, 64]),
            spin: Duration::from_micros(random.of(&[0, 0, 20])),
            rest: Duration::ZERO,
            neighbours: random.of(&[0, 0, 1, 2]),
            literal: random.chance(30),
            large: random.of(&[0, 0, 3, 15]),
            large_bytes: &[4000, 5000, 9000, 40_000],
            buffer_bytes: random.of(&[(64, 400), (300, 3000), (2000, 40_000)]),
            odd: random.of(&[0, 20, 50]),
            secure: 0,
            proxied: false,
            pace: random.of(&PACES),
            victim: None,
        }
    }

    /// What cores go by under `terms`, and the accounts, which keep the numbers that they had.
    pub fn settings(&self, terms: &Terms, known: &[AccountEntry]) -> (Arc<Settings>, Vec<AccountEntry>) {
        let access = Access::new(&terms.security(), known).expect("these users agree");
        let max_payload = terms.payload_bytes_max;
        let info = ServerInfo { server_id: "N".into(), headers: true, max_payload, ..ServerInfo::default() };
        let settings = Settings {
            pending_bytes_max: self.pending_bytes_max,
            stall_from_bytes: self.stall_from_bytes,
            pressure_bytes: self.pressure_bytes,
            patience: Patience { least: PATIENCE, most: PATIENCE },
            fast_producer_stall: self.fast_producer_stall,
            accept: self.accept,
            spin: self.spin,
            rest: self.rest,
            turn_events_max: self.turn_events_max,
            turn_bytes_max: self.turn_bytes_max,
            turn_receivers_max: self.turn_receivers_max,
            turn_queued_bytes_max: self.turn_queued_bytes_max,
            write_bytes_wanted: 0,
            turn_messages_max: self.turn_messages_max,
            match_cache_entries: self.match_cache_entries,
            look_ahead_from: 1,
            proxy_protocol: self.proxied,
            tls: terms.tls.then(|| Arc::clone(&ENDS.server)),
            ..Settings::new(&terms.config(), info, &access)
        };
        (Arc::new(settings), access.accounts)
    }
}
