//! One core: its loop, and everything that it does in a turn.
//!
//! A turn is: wait for readiness; read each ready connection, look at the mail, act on what was read; look at the mail; timers;
//! push what other cores must know; write. The order is what makes the broker causal (push before write, look after read), and
//! each phase has a budget, so that a turn is short. The folder has a file for each phase; [`Reactor::turn`] lists them.
//!
//! Generic over [`Os`]: the simulator runs the same code over sockets, time and wakes of its own.

pub mod access;
mod ahead;
pub mod connections;
mod control;
mod deliver;
mod effects;
mod expire;
mod fanout;
mod flush;
mod frame;
mod guard;
mod handshake;
mod hold;
mod info;
mod io;
mod lifecycle;
mod line_limit;
mod load;
mod login;
pub mod meters;
mod nonce;
mod park;
pub mod password_checks;
mod proxied;
mod recheck;
pub mod remains;
mod remote;
mod reports;
mod rest;
mod run;
mod sampling;
mod secure;
pub mod settings;
pub mod shared;
mod sketch;
pub mod snapshot;
pub mod stats;
mod throttle;
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
use crate::fabric::message::Accepted;
use crate::ids::CoreId;
use crate::limits::READ_BUFFER_BYTES;
use crate::log::Logger;
use crate::os::poll::{Event, Os};
use crate::routing::{KeyHash, Rng, Table, TableConfig};
use crate::tls::session::Scratch;
use connections::Connections;
use control::{LameDuck, Stopping};
use deliver::{Parcel, Trouble};
use effects::Ended;
use expire::TimerKey;
use fanout::Fanout;
use hold::Holds;
use info::InfoLines;
use line_limit::LineLimit;
use load::Load;
use password_checks::PasswordCheck;
use recheck::Rechecks;
use reports::Reports;
use rest::Pace;
use run::Run;
use settings::Settings;
use shared::Shared;
use snapshot::Observed;
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
    /// What a new one is made for; each has a seed of its own.
    table: TableConfig,
    timers: Timers<TimerKey>,
    grace: Grace<Ended>,
    holds: Holds,
    reports: Reports,
    stats: Stats,
    load: Load,
    observed: Observed,
    rng: Rng,
    sid_hash: KeyHash,
    now: Instant,
    turn: Turn,

    /// Blocks to read into.
    blocks: BufferPool,
    /// Chunks for what is to be written.
    pool: ChunkPool,
    events: Vec<Event>,
    /// Memory for records of TLS.
    scratch: Scratch,
    /// The message that a client of this core publishes, and one that another core sent.
    own: Parcel,
    others: Parcel,
    /// Messages that wait for others of their subject.
    run: Run,
    trouble: Trouble,
    group_names: Vec<u8>,
    info_lines: InfoLines,

    /// Connections that other cores accepted for this one.
    arrivals: VecDeque<Box<Accepted<O::Socket>>>,
    /// Messages that are being spread over very many receivers.
    fanouts: VecDeque<Fanout>,
    /// Connections whose first input may be taken.
    newcomers: VecDeque<u32>,
    /// Connections whose input may be taken.
    to_serve: VecDeque<u32>,
    /// Connections whose TLS handshake may go on.
    handshakes: VecDeque<u32>,
    /// Clients that are to be asked for again after a reload.
    rechecks: Rechecks,
    /// Passwords to check that do not fit into the queue of those.
    checks_waiting: VecDeque<PasswordCheck>,
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
    /// A connection may wait; at the start too: it may have come before the listener was watched.
    accept_due: bool,
    control_due: bool,
    /// This turn is to end: much waits for a receiver that could take it, or a publisher of another core is to be held back.
    write_soon: bool,
    stranger_lines: LineLimit,
    trace: bool,
    /// Bytes that have become free, roughly, since somebody was told.
    freed: usize,
    idle_since: Instant,
    pace: Pace,
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
        let (this, cores, now) = (fabric.this, fabric.cores(), os.now());
        let (match_cache_entries, subject_sample) = (settings.match_cache_entries, settings.subject_sample);
        let table = TableConfig { this, cores, match_cache_entries, seed };
        let mut reactor = Self {
            this,
            os,
            settings,
            shared,
            trace: log.trace_enabled(),
            log,
            fabric,
            clients: Connections::new(this),
            tables: Vec::new(),
            table,
            timers: Timers::new(now),
            grace: Grace::new(this),
            holds: Holds::default(),
            reports: Reports::default(),
            stats: Stats::default(),
            load: Load::new(now),
            observed: Observed::new(now, subject_sample, seed),
            rng: Rng::new(seed),
            sid_hash: KeyHash::new(seed.rotate_left(17)),
            now,
            turn: Turn::default(),
            blocks: BufferPool::new(READ_BUFFER_BYTES, 4),
            pool: ChunkPool::default(),
            events: Vec::new(),
            scratch: Scratch::default(),
            own: Parcel::default(),
            others: Parcel::default(),
            run: Run::default(),
            trouble: Trouble::default(),
            group_names: Vec::new(),
            info_lines: InfoLines::default(),
            arrivals: VecDeque::new(),
            fanouts: VecDeque::new(),
            newcomers: VecDeque::new(),
            to_serve: VecDeque::new(),
            handshakes: VecDeque::new(),
            rechecks: Rechecks::default(),
            checks_waiting: VecDeque::new(),
            dirty: Vec::new(),
            leaving: VecDeque::new(),
            silent: Vec::new(),
            notes: vec![0; cores],
            owed: 0,
            message_number: 0,
            interest_stuck: false,
            accept_due: true,
            control_due: false,
            write_soon: false,
            stranger_lines: LineLimit::new(now),
            freed: 0,
            idle_since: now,
            pace: Pace::new(now),
            lame_duck: None,
            stopping: None,
        };
        reactor.make_tables(reactor.settings.accounts.len());
        reactor
    }

    /// There are so many accounts now, or more.
    fn make_tables(&mut self, accounts: usize) {
        for account in self.tables.len()..accounts {
            let seed = self.table.seed ^ account as u64;
            self.tables.push(Table::new(TableConfig { seed, ..self.table }));
        }
    }

    /// Works until it is told to stop.
    pub fn run(&mut self) {
        while self.turn() {}
        self.shared.note_end();
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
        self.take_arrivals();
        if self.owed == 0 && !self.interest_stuck && self.takes_input() {
            self.accept();
            self.serve_newcomers();
            self.serve_all();
            self.shake_hands();
        }
        self.go_on_spreading();
        self.end_grace();
        self.look();
        self.handle_orders();
        self.go_on_rechecking();
        self.handle_timers();
        self.answer();
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
