//! `/corez`: what each core does, and what stands between it and the others.

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::Time;
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::reactor::snapshot::CoreFigures;

#[derive(Debug, Serialize)]
struct Corez {
    server_id: String,
    now: Time,
    cores: Vec<Core>,
}

#[derive(Debug, Serialize)]
struct Core {
    core: usize,
    cpu_id: Option<usize>,
    thread_cpu_seconds: f64,
    busy_percent: f64,
    turns: u64,
    turn_us: TurnTimes,
    connections: u64,
    subscriptions: u64,
    in_msgs: u64,
    in_bytes: u64,
    out_msgs: u64,
    out_bytes: u64,
    writes: u64,
    wakes: u64,
    parks: u64,
    spins: u64,
    stalls: u64,
    credit_stalls: u64,
    match_cache: MatchCache,
    links: Vec<Link>,
    memory: Memory,
}

#[derive(Debug, Serialize)]
struct TurnTimes {
    p50: f64,
    p99: f64,
    max: f64,
}

#[derive(Debug, Serialize)]
struct MatchCache {
    entries: usize,
    hits: u64,
    misses: u64,
}

#[derive(Debug, Serialize)]
struct Link {
    to: usize,
    in_flight_bytes: u64,
    high_water_bytes: u64,
    spill_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Memory {
    read_buffers: u64,
    outbound_chunks: u64,
    tables: u64,
}

pub(super) fn page(site: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let figures = site.figures()?;
    let busy = site.busy_percents(&figures);
    let cores = figures.iter().zip(busy).map(|(figures, busy)| core(site, figures, busy)).collect();
    Site::page(&Corez { server_id: site.view.server_id.clone(), now: Time::now(), cores })
}

fn core(site: &Site, figures: &CoreFigures, busy_percent: f64) -> Core {
    let CoreFigures { stats, meters, tables, .. } = figures;
    let micros = |time: std::time::Duration| (time.as_secs_f64() * 1e7).round() / 10.0;
    let links = figures.links.iter().map(|link| Link {
        to: link.to.index(),
        in_flight_bytes: link.in_flight_bytes,
        high_water_bytes: link.high_water_bytes,
        spill_bytes: link.spill_bytes,
    });
    Core {
        core: figures.core.index(),
        cpu_id: site.view.cpus.get(figures.core.index()).copied().flatten(),
        thread_cpu_seconds: figures.thread_cpu.as_secs_f64(),
        busy_percent,
        turns: stats.turns,
        turn_us: TurnTimes {
            p50: micros(meters.turns.quantile(0.5)),
            p99: micros(meters.turns.quantile(0.99)),
            max: micros(meters.turns.max),
        },
        connections: figures.connections,
        subscriptions: tables.subscriptions as u64,
        in_msgs: stats.in_msgs,
        in_bytes: stats.in_bytes,
        out_msgs: stats.out_msgs,
        out_bytes: stats.out_bytes,
        writes: stats.writes,
        wakes: figures.wakes,
        parks: stats.parks,
        spins: stats.spins,
        stalls: stats.stalls,
        credit_stalls: figures.credit_stalls,
        match_cache: MatchCache { entries: tables.cache_length, hits: tables.cache_hits, misses: tables.cache_misses },
        links: links.collect(),
        memory: Memory {
            read_buffers: figures.read_buffer_bytes,
            outbound_chunks: figures.chunk_bytes,
            tables: figures.table_bytes,
        },
    }
}
