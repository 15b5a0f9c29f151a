//! What a core still holds: all of it is nothing once every client has gone. For the simulator and tests of memory.

use super::Reactor;
use crate::fabric::message::others;
use crate::os::poll::Os;

/// Counts that return to zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Connections.
    pub connections: usize,
    /// Bytes that wait for them.
    pub pending_bytes: u64,
    /// Subscriptions, live or retired.
    pub subscriptions: usize,
    /// Patterns, of this core or others, and names of queue groups.
    pub patterns: usize,
    /// Changes of interest that do not count yet.
    pub falls: usize,
    /// Requests that some of several cores have given up.
    pub reports: usize,
    /// Publishers that are held back.
    pub holds: usize,
    /// Retired subscriptions, batches or messages that wait to be dealt with.
    pub waiting: usize,
    /// Bytes of credit that have not come back from other cores.
    pub in_flight: u64,
}

impl<O: Os> Reactor<O> {
    /// What this core still holds.
    pub fn remains(&mut self) -> Remains {
        let counts: Vec<_> = self.tables.iter().map(crate::routing::Table::counts).collect();
        let slots: Vec<u32> = self.clients.slots().collect();
        let pending = |slot: u32| self.clients.at(slot).map_or(0, |c| c.connection.outbound.pending_bytes());
        Remains {
            pending_bytes: slots.into_iter().map(pending).sum(),
            connections: self.clients.len(),
            subscriptions: counts.iter().map(|c| c.subscriptions + c.retired).sum(),
            patterns: counts.iter().map(|c| c.patterns + c.groups).sum(),
            falls: self.tables.iter().filter(|t| t.removals_pending()).count(),
            reports: self.reports.len(),
            holds: self.holds.len(),
            waiting: usize::from(!self.grace.is_empty()) + self.owed + usize::from(!self.fabric.outbox.is_empty()),
            in_flight: others(self.this, self.fabric.cores()).map(|to| self.fabric.outbox.in_flight(to)).sum(),
        }
    }
}
