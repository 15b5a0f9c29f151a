//! Many handshakes at once: a turn does a few, and who is here is served between them. Counted in virtual time, by what has arrived.

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
