//! The counters of one core, as they are handed out.

use std::time::Duration;

use crate::fabric::message::others;
use crate::ids::CoreId;
use crate::os::poll::Os;
use crate::reactor::Reactor;
use crate::reactor::meters::Meters;
use crate::reactor::stats::Stats;
use crate::routing::TableCounts;

/// What one core has counted and holds.
#[derive(Clone, Debug)]
pub struct CoreFigures {
    /// Which core.
    pub core: CoreId,
    /// Its counters.
    pub stats: Stats,
    /// Lengths of its turns, sizes of its writes, its busy time.
    pub meters: Meters,
    /// CPU time of its thread.
    pub thread_cpu: Duration,
    /// Open connections.
    pub connections: u64,
    /// Tables of all accounts together.
    pub tables: TableCounts,
    /// Links to the other cores.
    pub links: Vec<LinkFigures>,
    /// Batches that had to wait for credit.
    pub credit_stalls: u64,
    /// Sleeping cores that it has woken.
    pub wakes: u64,
    /// Bytes of blocks to read into.
    pub read_buffer_bytes: u64,
    /// Bytes of empty chunks that are kept for what is to be written.
    pub chunk_bytes: u64,
    /// Bytes of its routing tables, roughly.
    pub table_bytes: u64,
}

/// One link between two cores.
#[derive(Clone, Copy, Debug)]
pub struct LinkFigures {
    /// Where it goes.
    pub to: CoreId,
    /// Bytes on their way.
    pub in_flight_bytes: u64,
    /// The most there have been.
    pub high_water_bytes: u64,
    /// Bytes that wait for credit.
    pub spill_bytes: u64,
}

impl<O: Os> Reactor<O> {
    pub(super) fn figures(&self) -> CoreFigures {
        let outbox = &self.fabric.outbox;
        let links = others(self.this, self.fabric.cores()).map(|to| outbox.figures(to));
        let mut tables = TableCounts::default();
        for table in &self.tables {
            tables.add(&table.counts());
        }
        CoreFigures {
            core: self.this,
            stats: self.stats,
            meters: self.observed.meters.clone(),
            thread_cpu: self.os.thread_cpu(),
            connections: self.clients.len() as u64,
            tables,
            links: links
                .map(|(to, in_flight_bytes, high_water_bytes, spill_bytes)| LinkFigures {
                    to,
                    in_flight_bytes,
                    high_water_bytes,
                    spill_bytes,
                })
                .collect(),
            credit_stalls: outbox.stalls,
            wakes: outbox.wakes(),
            read_buffer_bytes: self.blocks.bytes() as u64,
            chunk_bytes: self.pool.free_bytes() as u64,
            table_bytes: self.tables.iter().map(|table| table.memory_bytes() as u64).sum(),
        }
    }
}
