//! Matching: what a message costs, and how many bytes a subscription takes.
//!
//! `sublist [scenario] [matches]` runs one scenario and prints what it did. Instructions a match: run it twice under
//! `valgrind --tool=callgrind` with different numbers of matches, and divide the difference of the instructions by the
//! difference of the matches; what preparing costs cancels out. Without arguments each scenario runs briefly.

use dunlin::ids::CoreId;
use dunlin::routing::{Publisher, Rng, Routes, Table, TableConfig};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PUBLISHER: Publisher = Publisher { conn_slot: 0, no_echo: false };

fn table() -> Table {
    Table::new(TableConfig { this: CoreId::FIRST, cores: 2, match_cache_entries: 8192, seed: 5 })
}

fn bytes_in_use() -> i64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
}

/// Routes `matches` messages over the subjects in turn; the receivers that they had.
fn run(table: &mut Table, subjects: &[String], matches: usize) -> usize {
    let (mut routes, mut rng, mut receivers) = (Routes::default(), Rng::new(1), 0);
    for _ in 0..matches / subjects.len() {
        for subject in subjects {
            table.route(subject.as_bytes(), PUBLISHER, &mut rng, &mut routes);
            receivers += routes.local.len() + routes.remote_groups.len();
        }
    }
    receivers
}

fn scenario(name: &str, matches: usize) {
    let mut table = table();
    let mut subjects = vec!["orders.new".to_owned()];
    let mut add = |pattern: &str, queue: Option<&[u8]>| {
        table.subscribe(pattern.as_bytes(), queue, 1, b"1");
    };
    match name {
        // One literal subscriber, no wildcard in the account: one hash lookup.
        "literal" => add("orders.new", None),
        // A queue group of eight.
        "queue" => (0..8).for_each(|_| add("orders.new", Some(b"workers"))),
        // One subject that a wildcard matches, remembered.
        "wildcard_hit" => add("orders.*", None),
        // Each subject is new, as replies are.
        "wildcard_miss" => {
            (0..1000).for_each(|i| add(&format!("_INBOX.Zb7aUqOe{i:014}.*"), None));
            subjects = (0..100_000).map(|i| format!("_INBOX.Zb7aUqOe{:014}.{i:x}", i % 1000)).collect();
        }
        // Each subject is new and nobody wants it.
        "nobody_miss" => {
            add("orders.*", None);
            subjects = (0..100_000).map(|i| format!("sensors.hall.{i}")).collect();
        }
        // A million literal subscriptions, subjects at random among them.
        "million" | "million_and_wildcard" => {
            (0..1_000_000).for_each(|i| add(&format!("sensors.hall.{i:07}"), None));
            if name == "million_and_wildcard" {
                add("orders.*", None);
            }
            let mut rng = Rng::new(9);
            subjects = (0..100_000).map(|_| format!("sensors.hall.{:07}", rng.below(1_000_000))).collect();
        }
        _ => {
            eprintln!("no scenario {name}");
            std::process::exit(2);
        }
    }
    let start = Instant::now();
    let receivers = run(&mut table, &subjects, matches);
    let nanoseconds = start.elapsed().as_nanos() as f64 / matches.max(1) as f64;
    let counts = table.counts();
    println!("ops {matches}");
    println!(
        "{name}: {matches} matches, {receivers} receivers, cache {}/{} hits, {nanoseconds:.1} ns a match",
        counts.cache_hits,
        counts.cache_hits + counts.cache_misses
    );
}

/// Subscriptions that come and go, each on its own subject: bytes, time, and the longest single step.
fn memory(pattern: impl Fn(usize) -> String, count: usize, what: &str) {
    let mut table = table();
    let (mut ids, mut longest) = (Vec::with_capacity(count), 0);
    let empty = bytes_in_use();
    let start = Instant::now();
    for i in 0..count {
        let pattern = pattern(i);
        let step = Instant::now();
        ids.push(table.subscribe(pattern.as_bytes(), None, i as u32 % 100, b"12345").0);
        longest = longest.max(step.elapsed().as_micros());
    }
    let each = start.elapsed().as_nanos() as usize / count;
    let full = bytes_in_use();
    let start = Instant::now();
    for id in &ids {
        table.retire(*id);
        table.remove(*id);
    }
    println!(
        "{what}: {count} subscriptions, {:.1} bytes each, {} left at the end; {each} ns to add (longest {longest} us), {} ns to end",
        (full - empty) as f64 / count as f64,
        bytes_in_use() - empty,
        start.elapsed().as_nanos() as usize / count,
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let name = arguments.next();
    let matches = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    match name.as_deref() {
        Some("memory") => {
            for count in [100_000, 1_000_000] {
                memory(|i| format!("sensors.hall.{i:07}"), count, "literal");
                memory(|i| format!("_INBOX.Zb7aUqOe{i:014}.*"), count, "inbox wildcard");
            }
        }
        Some(name) => scenario(name, matches),
        None => {
            for name in ["literal", "queue", "wildcard_hit", "wildcard_miss", "nobody_miss"] {
                scenario(name, matches);
            }
            memory(|i| format!("sensors.hall.{i:07}"), 10_000, "literal");
        }
    }
}
