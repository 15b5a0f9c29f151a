//! The table as a whole: against a naive model in random runs, and rule by rule.

mod ahead;
mod cache;
mod choice;
mod deal;
mod interest;
mod memory;
mod model;

use super::{Publisher, Rng, Routes, Table, TableConfig};
use crate::ids::{CoreId, SubId};

const THIS: CoreId = CoreId::FIRST;

fn core(index: usize) -> CoreId {
    CoreId::new(index)
}

fn table(match_cache_entries: usize) -> Table {
    Table::new(TableConfig { this: THIS, cores: 4, match_cache_entries, seed: 11 })
}

/// Routes of a message published here by connection 1000.
fn route(table: &mut Table, subject: &str) -> Routes {
    let mut routes = Routes::default();
    let publisher = Publisher { conn_slot: 1000, no_echo: false };
    table.route(subject.as_bytes(), publisher, &mut Rng::new(1), &mut routes);
    routes
}

fn plain(table: &mut Table, pattern: &str, conn: u32) -> SubId {
    table.subscribe(pattern.as_bytes(), None, conn, b"1").0
}

fn member(table: &mut Table, pattern: &str, group: &str, conn: u32) -> SubId {
    let group = Some(group.as_bytes());
    table.subscribe(pattern.as_bytes(), group, conn, b"1").0
}
