//! Many handshakes or connections at once: a turn does a few, and who is here is served between them. Counted in virtual time, by what
//! has arrived.

use std::time::Duration;

use dunlin::config::AcceptMode;

use crate::checks::{Failure, Outcome, ensure};
use crate::shape::Shape;
use crate::socket::lock;
use crate::world::World;

/// Clients whose first flights are there before the core runs.
const STORM: usize = 64;
/// Steps of handshakes that a turn may do.
const STEPS_PER_TURN: usize = 4;

fn calm(shape: &mut Shape) {
    shape.secure = 100;
    shape.buffer_bytes = (20_000, 40_000);
    (shape.turn_events_max, shape.turn_bytes_max) = (64, 1 << 20);
    shape.pace = (0, &[]);
}

fn answered(w: &World, storm: &[usize]) -> usize {
    storm.iter().filter(|&&client| !lock(&w.clients[client].line).down.is_empty()).count()
}

fn play(seed: u64) -> Outcome {
    let mut w = World::new(seed, 1, None, calm)?;
    let here = 0;
    let storm: Vec<usize> = (0..STORM).map(|_| w.connect()).collect();
    for &client in &storm {
        w.clients[client].frozen = true;
    }
    w.settle()?;
    // They take INFO and begin, all of them before the core does anything.
    for &client in &storm {
        w.clients[client].frozen = false;
        while !w.clients[client].has_out() {
            w.read(client)?;
        }
        while w.clients[client].has_out() {
            w.send(client);
        }
    }
    w.clients[here].ping();
    while w.clients[here].has_out() {
        w.send(here);
    }
    let mut before = answered(&w, &storm);
    ensure(before == 0, || "the storm has begun too early".into())?;
    while w.clients[here].pings > 0 {
        w.resume(0)?;
        let now = answered(&w, &storm);
        ensure(now - before <= STEPS_PER_TURN, || format!("{} handshakes in one turn", now - before))?;
        before = now;
        w.read(here)?;
    }
    ensure(before < STORM / 2, || format!("{before} handshakes came before a client that was here"))?;
    w.settle()?;
    let open = storm.iter().all(|&client| w.clients[client].secure.as_ref().is_some_and(|secure| secure.is_open()));
    ensure(open, || "a handshake was forgotten".into())?;
    let (clients, stats) = (w.clients.len() as u64, w.finish()?[0]);
    ensure(stats.handshakes == clients, || format!("{} handshakes of {clients}", stats.handshakes))?;
    ensure(stats.handshakes_waiting_max >= STORM as u64 / 2, || format!("{} waited", stats.handshakes_waiting_max))
}

#[test]
fn who_is_here_is_served_between_handshakes() {
    for seed in 0..20 {
        if let Err(Failure(text)) = play(seed) {
            panic!("seed {seed}: {text}");
        }
    }
}

/// Connections that wait at the listener before the core runs.
const ARRIVALS: usize = 200;
/// What a turn may take while they come.
const TURN_MAX: Duration = Duration::from_millis(2);

/// A slow host: the whole of a bite of connections would take longer than a turn may.
fn flood(seed: u64, cores: usize) -> Outcome {
    let mut w = World::new(seed, cores, None, |shape| {
        calm(shape);
        (shape.secure, shape.neighbours, shape.accept) = (0, 0, AcceptMode::Handoff);
    })?;
    let here = (0..w.clients.len()).find(|&client| w.core_of(client) == Some(0)).unwrap_or(0);
    w.settle()?;
    w.hub.accept_takes.set(Duration::from_micros(100));
    w.hub.register_takes.set(Duration::from_micros(80));
    for core in &w.hub.cores {
        core.turn_max.set(Duration::ZERO);
    }
    let storm: Vec<usize> = (0..ARRIVALS).map(|_| w.connect()).collect();
    let arrived = |w: &World| storm.iter().filter(|&&client| w.core_of(client).is_some()).count();
    w.clients[here].ping();
    while w.clients[here].has_out() {
        w.send(here);
    }
    while w.clients[here].pings > 0 {
        for core in 0..cores {
            w.resume(core)?;
        }
        w.read(here)?;
    }
    let before = arrived(&w);
    ensure(before < ARRIVALS / 10, || format!("{before} arrived before a client that was here was answered"))?;
    w.settle()?;
    let forgotten = storm.iter().filter(|&&client| w.clients[client].pings > 0).count();
    ensure(forgotten == 0, || format!("{forgotten} have no answer"))?;
    for (core, station) in w.hub.cores.iter().enumerate() {
        let longest = station.turn_max.get();
        ensure(longest > Duration::ZERO, || format!("core {core} has taken no time"))?;
        ensure(longest < TURN_MAX, || format!("a turn of core {core} took {longest:?}"))?;
    }
    let stats = w.finish()?;
    let accepted = stats.iter().map(|core| core.accepted as usize).sum::<usize>();
    ensure(accepted >= ARRIVALS, || format!("{accepted} accepted"))
}

/// Clients that have just come may be served so often in a turn.
const NEWCOMERS_PER_TURN: usize = 32;

/// They have connected, and all say CONNECT at once.
fn chorus(seed: u64) -> Outcome {
    let mut w = World::new(seed, 1, None, |shape| {
        calm(shape);
        (shape.secure, shape.neighbours, shape.turn_events_max) = (0, 0, 1024);
    })?;
    let here = 0;
    let storm: Vec<usize> = (0..ARRIVALS).map(|_| w.connect()).collect();
    let words: Vec<_> = storm.iter().map(|&client| std::mem::take(&mut w.clients[client].out)).collect();
    w.settle()?;
    let said = |w: &World| storm.iter().filter(|&&client| !lock(&w.clients[client].line).down.is_empty()).count();
    ensure(said(&w) == 0, || "INFO is not read yet".into())?;
    for (&client, words) in storm.iter().zip(words) {
        w.clients[client].out = words;
        while w.clients[client].has_out() {
            w.send(client);
        }
    }
    w.clients[here].ping();
    while w.clients[here].has_out() {
        w.send(here);
    }
    let mut before = 0;
    while w.clients[here].pings > 0 {
        w.resume(0)?;
        let now = said(&w);
        ensure(now - before <= NEWCOMERS_PER_TURN, || format!("{} newcomers in one turn", now - before))?;
        before = now;
        w.read(here)?;
    }
    ensure(before < ARRIVALS / 2, || format!("{before} newcomers came before a client that was here"))?;
    w.settle()?;
    let forgotten = storm.iter().filter(|&&client| w.clients[client].pings > 0).count();
    ensure(forgotten == 0, || format!("{forgotten} have no answer"))?;
    w.finish().map(drop)
}

#[test]
fn who_is_here_is_served_between_newcomers() {
    for seed in 0..10 {
        if let Err(Failure(text)) = chorus(seed) {
            panic!("seed {seed}: {text}");
        }
    }
}

#[test]
fn who_is_here_is_served_between_arrivals() {
    for (seed, cores) in (0..4).flat_map(|seed| [(seed, 1), (seed, 2), (seed, 3)]) {
        if let Err(Failure(text)) = flood(seed, cores) {
            panic!("seed {seed}, {cores} cores: {text}");
        }
    }
}
