//! Dunlin's own metrics: what each core does, in Prometheus' conventions.

use std::time::Duration;

use super::exposition::{Exposition, Kind};
use crate::identity;
use crate::os::usage;
use crate::reactor::snapshot::CoreFigures;

/// A counter of each core: its name, its help, and what it is.
type OfCore = (&'static str, &'static str, fn(&CoreFigures) -> f64);

const COUNTERS: &[OfCore] = &[
    ("cpu_seconds_total", "CPU time of the core's thread.", |core| core.thread_cpu.as_secs_f64()),
    ("busy_seconds_total", "Time that the core spent in turns rather than asleep.", |core| {
        core.meters.turns.sum.as_secs_f64()
    }),
    ("in_messages_total", "Messages from clients.", |core| core.stats.in_msgs as f64),
    ("in_bytes_total", "Their bytes, headers and payload.", |core| core.stats.in_bytes as f64),
    ("out_messages_total", "Messages to clients.", |core| core.stats.out_msgs as f64),
    ("out_bytes_total", "Their bytes, headers and payload.", |core| core.stats.out_bytes as f64),
    ("accepted_connections_total", "Connections taken in.", |core| core.stats.accepted as f64),
    ("closed_connections_total", "Connections ended.", |core| core.stats.closed as f64),
    ("wakes_total", "Sleeping cores that this one has woken.", |core| core.wakes as f64),
    ("parks_total", "Times that the core went to sleep.", |core| core.stats.parks as f64),
    ("spins_total", "Turns spent looking for mail instead of sleeping.", |core| core.stats.spins as f64),
    ("stalls_total", "Publishers held back for a slow receiver.", |core| core.stats.stalls as f64),
    ("credit_stalls_total", "Batches that had to wait for credit of another core.", |core| core.credit_stalls as f64),
    ("forwarded_messages_total", "Queue messages sent on, since their member had gone.", |core| {
        core.stats.forwarded as f64
    }),
    ("slow_consumers_total", "Connections closed since they did not take what was sent.", |core| {
        core.stats.slow_consumers as f64
    }),
    ("stale_connections_total", "Connections closed since they did not answer.", |core| {
        core.stats.stale_connections as f64
    }),
    ("failed_logins_total", "Logins refused.", |core| core.stats.failed_logins as f64),
    ("tls_handshakes_total", "TLS handshakes that came to their end.", |core| core.stats.handshakes as f64),
    ("tls_handshakes_failed_total", "TLS handshakes that failed.", |core| core.stats.handshakes_failed as f64),
    ("match_cache_hits_total", "Matches that the cache had.", |core| core.tables.cache_hits as f64),
    ("match_cache_misses_total", "Matches that the cache did not have.", |core| core.tables.cache_misses as f64),
];

const GAUGES: &[OfCore] = &[
    ("connections", "Open connections.", |core| core.connections as f64),
    ("subscriptions", "Subscriptions.", |core| core.tables.subscriptions as f64),
    ("match_cache_entries", "Subjects in the match cache.", |core| core.tables.cache_length as f64),
    ("tls_handshakes_waiting_max", "The most TLS handshakes that waited for their turn at once.", |core| {
        core.stats.handshakes_waiting_max as f64
    }),
    ("read_buffer_bytes", "Bytes of blocks to read into.", |core| core.read_buffer_bytes as f64),
    ("outbound_chunk_bytes", "Bytes of empty chunks that are kept for what is to be written.", |core| {
        core.chunk_bytes as f64
    }),
    ("table_bytes", "Bytes of routing tables, roughly.", |core| core.table_bytes as f64),
];

/// Writes them.
pub(super) fn write(out: &mut Exposition, id: &str, figures: &[CoreFigures], busy: &[f64]) {
    let version = [("server_id", id), ("version", identity::VERSION), ("nats_version", identity::PEER_VERSION)];
    out.single("dunlin_build_info", Kind::Gauge, "What is running.", &version, 1.0);
    let memory = usage::resident_bytes() as f64;
    out.single("dunlin_memory_resident_bytes", Kind::Gauge, "Resident memory.", &[("server_id", id)], memory);
    let names: Vec<String> = figures.iter().map(|core| core.core.index().to_string()).collect();
    for (list, kind) in [(COUNTERS, Kind::Counter), (GAUGES, Kind::Gauge)] {
        for (name, help, of) in list {
            let mut family = out.family(&format!("dunlin_core_{name}"), kind, help);
            for (core, figures) in names.iter().zip(figures) {
                family.sample("", &[("server_id", id), ("core", core)], of(figures));
            }
        }
    }
    let mut family =
        out.family("dunlin_core_busy_ratio", Kind::Gauge, "Part of the time that the core was lately busy.");
    for (core, percent) in names.iter().zip(busy) {
        family.sample("", &[("server_id", id), ("core", core)], percent / 100.0);
    }
    write_links(out, id, figures);
    write_histograms(out, id, figures, &names);
}

fn write_links(out: &mut Exposition, id: &str, figures: &[CoreFigures]) {
    type OfLink = fn(&crate::reactor::snapshot::LinkFigures) -> u64;
    let metrics: [(&str, &str, OfLink); 3] = [
        ("in_flight_bytes", "Bytes on their way between two cores.", |link| link.in_flight_bytes),
        ("high_water_bytes", "The most bytes that were on their way at a time.", |link| link.high_water_bytes),
        ("spill_bytes", "Bytes that wait for credit.", |link| link.spill_bytes),
    ];
    if figures.len() < 2 {
        return;
    }
    for (name, help, of) in metrics {
        let mut family = out.family(&format!("dunlin_link_{name}"), Kind::Gauge, help);
        for core in figures {
            let from = core.core.index().to_string();
            for link in &core.links {
                let to = link.to.index().to_string();
                family.sample("", &[("server_id", id), ("from", &from), ("to", &to)], of(link) as f64);
            }
        }
    }
}

fn write_histograms(out: &mut Exposition, id: &str, figures: &[CoreFigures], names: &[String]) {
    let help = "How long the core's turns take: what waits behind one waits so long.";
    let mut family = out.family("dunlin_core_turn_seconds", Kind::Histogram, help);
    for (core, figures) in names.iter().zip(figures) {
        let turns = &figures.meters.turns;
        // From about 1 µs to about 1 s; exact, since buckets end at powers of two.
        let bounds = (3..24).map(|bits| Duration::from_nanos(128 << bits));
        let buckets: Vec<(f64, u64)> = bounds.map(|bound| (bound.as_secs_f64(), turns.at_most(bound))).collect();
        family.histogram(&[("server_id", id), ("core", core)], &buckets, turns.count, turns.sum.as_secs_f64());
    }
    let mut family = out.family("dunlin_core_write_bytes", Kind::Histogram, "Bytes of each write to a socket.");
    for (core, figures) in names.iter().zip(figures) {
        let writes = &figures.meters.writes;
        let buckets: Vec<(f64, u64)> =
            (4..22).step_by(2).map(|bits| ((1u64 << bits) as f64, writes.at_most(bits))).collect();
        family.histogram(&[("server_id", id), ("core", core)], &buckets, writes.count(), writes.sum as f64);
    }
}
