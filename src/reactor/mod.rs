//! One core: its loop, and everything that it does in a turn.
//!
//! A turn is: wait for readiness; read each ready connection, look at the mail, act on what was read; look at the mail; timers;
//! push what other cores must know; write. The order is what makes the broker causal (push before write, look after read), and
//! each phase has a budget, so that a turn is short. The folder has a file for each phase; [`Reactor::turn`] lists them.
//!
//! Generic over [`Os`]: the simulator runs the same code over sockets, time and wakes of its own.

pub mod connections;
mod control;
mod deliver;
mod effects;
mod expire;
mod fanout;
mod flush;
mod frame;
mod io;
mod lifecycle;
mod load;
mod park;
pub mod remains;
mod remote;
mod reports;
pub mod settings;
pub mod shared;
pub mod stats;
pub mod timers;
mod tracing;
mod words;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::buffer::BufferPool;
use crate::connection::outbound::ChunkPool;
use crate::fabric::Fabric;
use crate::fabric::grace::Grace;
use crate::ids::CoreId;
use crate::limits::READ_BUFFER_BYTES;
use crate::log::Logger;
use crate::os::poll::{Event, Os};
use crate::routing::{KeyHash, Rng, Table, TableConfig};
use connections::Connections;
use control::{LameDuck, Stopping};
use deliver::{Parcel, Trouble};
use effects::Ended;
use expire::TimerKey;
use fanout::Fanout;
use load::Load;
use reports::Reports;
use settings::Settings;
use shared::Shared;
use stats::Stats;
use timers::Timers;

/// What a core has done in this turn, against its budgets.
#[derive(Debug, Default)]
struct Turn {
    served: usize,
    bytes: usize,
    remote_messages: usize,
}

impl Turn {
    fn did_something(&self) -> bool {
        self.served > 0 || self.remote_messages > 0
    }
}

/// One core.
pub struct Reactor<O: Os> {
    this: CoreId,
    os: O,
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    log: Logger,
    fabric: Fabric<O::Socket>,
    clients: Connections<O::Socket>,
    /// One an account.
    tables: Vec<Table>,
    timers: Timers<TimerKey>,
    grace: Grace<Ended>,
    reports: Reports,
    stats: Stats,
    load: Load,
    rng: Rng,
    sid_hash: KeyHash,
    now: Instant,
    turn: Turn,

    /// Blocks to read into.
    blocks: BufferPool,
    /// Chunks for what is to be written.
    pool: ChunkPool,
    events: Vec<Event>,
    /// The message that a client of this core publishes, and one that another core sent.
    own: Parcel,
    others: Parcel,
    trouble: Trouble,
    group_names: Vec<u8>,

    /// Messages that are being spread over very many receivers.
    fanouts: VecDeque<Fanout>,
    /// Connections whose input may be taken.
    to_serve: VecDeque<u32>,
    /// Connections that have something to write.
    dirty: Vec<u32>,
    /// Connections that end and still have subscriptions.
    leaving: VecDeque<u32>,
    /// Connections that end and have none.
    silent: Vec<u32>,
    /// Batches of each other core that must be handled before anything that was read is acted on, and their sum.
    notes: Vec<usize>,
    owed: usize,
    /// Messages of this core that went to others.
    message_number: u64,
    /// Some interest does not fit into a ring: nothing is read or written until it does.
    interest_stuck: bool,
    accept_due: bool,
    control_due: bool,
    write_soon: bool,
    trace: bool,
    /// Bytes that have become free, roughly, since somebody was told.
    freed: usize,
    idle_since: Instant,
    lame_duck: Option<LameDuck>,
    stopping: Option<Stopping>,
}

impl<O: Os> std::fmt::Debug for Reactor<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reactor")
            .field("this", &self.this)
            .field("clients", &self.clients.len())
            .finish_non_exhaustive()
    }
}

impl<O: Os> Reactor<O> {
    /// A core that owns one part of the links; `seed` decides its choices.
    pub fn new(
        os: O,
        settings: Arc<Settings>,
        shared: Arc<Shared>,
        fabric: Fabric<O::Socket>,
        log: Logger,
        seed: u64,
    ) -> Self {
        let this = fabric.this;
        let cores = fabric.cores();
        let match_cache_entries = settings.match_cache_entries;
        let tables = (0..settings.account_names.len() as u64)
            .map(|account| Table::new(TableConfig { this, cores, match_cache_entries, seed: seed ^ account }))
            .collect();
        let now = os.now();
        let trace = log.trace_enabled();
        Self {
            this,
            os,
            settings,
            shared,
            log,
            fabric,
            clients: Connections::new(this),
            tables,
            timers: Timers::new(now),
            grace: Grace::new(this),
            reports: Reports::default(),
            stats: Stats::default(),
            load: Load::new(now),
            rng: Rng::new(seed),
            sid_hash: KeyHash::new(seed.rotate_left(17)),
            now,
            turn: Turn::default(),
            blocks: BufferPool::new(READ_BUFFER_BYTES, 4),
            pool: ChunkPool::default(),
            events: Vec::new(),
            own: Parcel::default(),
            others: Parcel::default(),
            trouble: Trouble::default(),
            group_names: Vec::new(),
            fanouts: VecDeque::new(),
            to_serve: VecDeque::new(),
            dirty: Vec::new(),
            leaving: VecDeque::new(),
            silent: Vec::new(),
            notes: vec![0; cores],
            owed: 0,
            message_number: 0,
            interest_stuck: false,
            // A connection may have come before the listener was watched.
            accept_due: true,
            control_due: false,
            write_soon: false,
            trace,
            freed: 0,
            idle_since: now,
            lame_duck: None,
            stopping: None,
        }
    }

    /// Works until it is told to stop.
    pub fn run(&mut self) {
        while self.turn() {}
    }

    /// One turn. Whether there is another.
    pub fn turn(&mut self) -> bool {
        self.park();
        self.turn = Turn::default();
        self.stats.turns += 1;
        self.trace = self.log.trace_enabled();
        self.say_load();
        // What an earlier look owes comes before all that is new.
        if self.owed > 0 {
            self.handle_batches();
        }
        if self.owed == 0 && !self.interest_stuck && self.takes_input() {
            self.accept();
            self.serve_all();
        }
        self.go_on_spreading();
        self.end_grace();
        self.look();
        self.handle_orders();
        self.handle_timers();
        self.tear_down();
        self.flush();
        self.close_silent();
        !self.has_stopped()
    }

    /// What this core has counted.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
