//! What cores share beside rings: numbers that are touched when a connection comes or goes, never on the message path.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::settings::Settings;
use super::stats::Stats;
use crate::ids::{ClientId, CoreId};
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};

/// Shared by all cores of a server and its main thread.
#[derive(Debug)]
pub struct Shared {
    next_client: AtomicU64,
    connections: Box<[AtomicI64]>,
    /// How busy each core was lately, in connections' worth of weight. Written by that core.
    load: Box<[AtomicI64]>,
    /// Cores that have stopped taking part and have nothing on its way.
    pub(super) drained: AtomicU64,
    orders: Box<[Mutex<Vec<Order>>]>,
    /// Told when much memory has become free.
    unused: SyncSender<()>,
}

/// What the main thread may order a core to do.
#[derive(Debug)]
pub enum Order {
    /// Go by these settings from now on.
    Settings(Arc<Settings>),
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
    /// Say what you have counted.
    Report(Sender<Stats>),
}

impl Shared {
    /// For so many cores; who listens at the other end of `unused` gives free memory back.
    pub fn new(cores: usize, unused: SyncSender<()>) -> Self {
        Self {
            next_client: AtomicU64::new(1),
            connections: (0..cores).map(|_| AtomicI64::new(0)).collect(),
            load: (0..cores).map(|_| AtomicI64::new(0)).collect(),
            drained: AtomicU64::new(0),
            orders: (0..cores).map(|_| Mutex::default()).collect(),
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

    /// Leaves an order for a core; its mail and its waker tell it.
    pub fn order(&self, core: CoreId, order: Order) {
        let mut orders = self.orders[core.index()].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        orders.push(order);
    }

    /// What was ordered.
    pub(super) fn take_orders(&self, core: CoreId) -> Vec<Order> {
        let mut orders = self.orders[core.index()].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::take(&mut *orders)
    }
}
