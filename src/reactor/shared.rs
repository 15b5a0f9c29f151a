//! What cores share beside rings: numbers that are touched when a connection comes or goes, never on the message path.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::password_checks::PasswordChecks;
use super::settings::Settings;
use super::snapshot::Ask;
use super::stats::Stats;
use super::throttle::Throttle;
use crate::auth::failed_logins::FailedLogins;
use crate::auth::{Grant, Refusal};
use crate::ids::{ClientId, ConnId, CoreId};

/// Shared by all cores of a server and its main thread.
#[derive(Debug)]
pub struct Shared {
    next_client: AtomicU64,
    connections: Box<[AtomicI64]>,
    /// Connections that count towards `max_connections`: those that were let in and do not end yet.
    admitted: AtomicU64,
    /// How busy each core was lately, in connections' worth of weight. Written by that core.
    load: Box<[AtomicI64]>,
    /// Cores that have stopped taking part and have nothing on its way.
    pub(super) drained: AtomicU64,
    pub(super) throttle: Throttle,
    /// Cores that will answer nothing any more.
    ended: AtomicU64,
    orders: Box<[Mutex<Vec<Order>>]>,
    /// Passwords to be checked.
    pub password_checks: PasswordChecks,
    /// Failed logins of late, where they are bounded.
    failed_logins: Mutex<FailedLogins>,
    /// Told when much memory has become free.
    unused: SyncSender<()>,
}

/// What the main thread may order a core to do.
#[derive(Debug)]
pub enum Order {
    /// Go by these settings from now on.
    Settings {
        /// What they are.
        settings: Arc<Settings>,
        /// Told when all clients of the core go by them too, and those that are over a limit are closed.
        done: Sender<Applied>,
    },
    /// Tell clients to go elsewhere, and after a grace period send them away one by one.
    LameDuck {
        /// How long nobody is sent away.
        grace: Duration,
        /// Over how long they are.
        duration: Duration,
    },
    /// End: what is on its way is delivered, up to a deadline.
    Stop {
        /// How long that may take.
        within: Duration,
    },
    /// A password has been checked.
    Checked {
        /// Whose.
        conn: ConnId,
        /// Who that is, where it was right.
        grant: Result<Arc<Grant>, Refusal>,
    },
    /// Say what you have counted.
    Report(Sender<Stats>),
    /// Answer this, in pieces.
    Ask(Box<Ask>),
}

/// What became of other settings on one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Connections that were closed since fewer are allowed than there were.
    pub closed: u64,
}

impl Shared {
    /// For so many cores; who listens at the other end of `unused` gives free memory back.
    pub fn new(cores: usize, unused: SyncSender<()>) -> Self {
        Self {
            next_client: AtomicU64::new(1),
            admitted: AtomicU64::new(0),
            connections: (0..cores).map(|_| AtomicI64::new(0)).collect(),
            load: (0..cores).map(|_| AtomicI64::new(0)).collect(),
            drained: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            throttle: Throttle::default(),
            orders: (0..cores).map(|_| Mutex::default()).collect(),
            password_checks: PasswordChecks::default(),
            failed_logins: Mutex::new(FailedLogins::new(None)),
            unused,
        }
    }

    /// The next connection's number.
    pub(super) fn next_client(&self) -> ClientId {
        ClientId(self.next_client.fetch_add(1, Ordering::Relaxed))
    }

    /// One connection more or less on a core.
    pub(super) fn count(&self, core: CoreId, by: i64) {
        self.connections[core.index()].fetch_add(by, Ordering::Relaxed);
    }

    /// Much memory has become free. Where the other end is busy with it already, that is as good.
    pub(super) fn memory_became_free(&self) {
        let _ = self.unused.try_send(());
    }

    /// Connections of the server.
    pub fn connections(&self) -> u64 {
        let sum: i64 = self.connections.iter().map(|c| c.load(Ordering::Relaxed)).sum();
        u64::try_from(sum).unwrap_or(0)
    }

    /// A core has ended.
    pub(super) fn note_end(&self) {
        self.ended.fetch_add(1, Ordering::Release);
    }

    /// Whether some core has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) > 0
    }

    /// Connections that were ever accepted.
    pub fn connections_ever(&self) -> u64 {
        self.next_client.load(Ordering::Relaxed) - 1
    }

    /// One more connection is let in, where that is not more than `max`. Whether it was.
    pub(super) fn enter(&self, max: u64) -> bool {
        let more = |now: u64| (now < max).then_some(now + 1);
        self.admitted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// One less.
    pub(super) fn exit(&self) {
        let before = self.admitted.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "who goes was let in");
    }

    /// One less, where there are more than `max`. Whether there were: then one is to be closed.
    ///
    /// A core asks this until there are no more, when it begins to go by another `max`; what it lets in from then on is held
    /// against that. So when all cores go by it there are not too many, and none was closed that need not be.
    pub(super) fn exit_if_over(&self, max: u64) -> bool {
        let less = |now: u64| (now > max).then(|| now - 1);
        self.admitted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    /// What a core's recent work weighs when the next connection is placed.
    pub(super) fn set_load(&self, core: CoreId, weight: i64) {
        self.load[core.index()].store(weight, Ordering::Relaxed);
    }

    /// The core with the least weight: connections, and what they lately did.
    pub(super) fn lightest(&self) -> CoreId {
        let each = self.connections.iter().zip(&self.load);
        let weights = each.map(|(count, load)| count.load(Ordering::Relaxed) + load.load(Ordering::Relaxed));
        let lightest = weights.enumerate().min_by_key(|&(_, weight)| weight);
        lightest.map_or(CoreId::FIRST, |(core, _)| CoreId::new(core))
    }

    /// From now on, an address with more failed logins a minute is not heard for a while; `None`: no bound.
    pub fn limit_failed_logins(&self, per_minute_max: Option<u32>) {
        let mut failed = self.failed_logins.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = FailedLogins::new(per_minute_max);
    }

    /// Whether a client from there may try to log in.
    pub(super) fn may_try_to_log_in(&self, from: IpAddr, now: Instant) -> bool {
        !self.failed_logins.lock().unwrap_or_else(PoisonError::into_inner).is_blocked(from, now)
    }

    /// A client from there gave what is not right.
    pub(super) fn note_failed_login(&self, from: IpAddr, now: Instant) {
        self.failed_logins.lock().unwrap_or_else(PoisonError::into_inner).note(from, now);
    }

    /// Leaves an order for a core; its mail and its waker tell it.
    pub fn order(&self, core: CoreId, order: Order) {
        let mut orders = self.orders[core.index()].lock().unwrap_or_else(PoisonError::into_inner);
        orders.push(order);
    }

    /// What was ordered.
    pub(super) fn take_orders(&self, core: CoreId) -> Vec<Order> {
        let mut orders = self.orders[core.index()].lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *orders)
    }
}
