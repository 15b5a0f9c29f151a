//! Batches of another core, many of them at once: a turn queues as much for receivers as may be and writes, then takes the next ones.

use std::time::Duration;

use dunlin::config::AcceptMode;
use dunlin::fabric::LinkSizes;

use crate::checks::{Failure, Outcome, ensure};
use crate::client::Manners;
use crate::shape::Shape;
use crate::socket::lock;
use crate::world::World;

const RECEIVERS: usize = 8;
/// Batches that wait before their receivers' core runs, and what is in each.
const BATCHES: usize = 10;
const MESSAGES: usize = 5;
const PAYLOAD_BYTES: usize = 900;
/// A message as a receiver gets it, at most.
const DELIVERY_BYTES: usize = PAYLOAD_BYTES + 40;

/// What may be queued in a turn is less than one batch is for all receivers, and nothing else makes a turn end.
fn shape(shape: &mut Shape) {
    (shape.clients, shape.neighbours, shape.accept) = (0, 0, AcceptMode::ReusePort);
    shape.spin = Duration::ZERO;
    shape.pace = (0, &[]);
    shape.sizes = LinkSizes { batch_ring_entries: 16, interest_ring_entries: 8, link_bytes_max: 1 << 20 };
    (shape.turn_events_max, shape.turn_bytes_max, shape.turn_messages_max) = (64, 1 << 20, 1000);
    (shape.turn_receivers_max, shape.turn_queued_bytes_max) = (8192, 2000);
    (shape.pressure_bytes, shape.stall_from_bytes) = (1 << 20, 48 << 20);
    shape.buffer_bytes = (1 << 20, 1 << 21);
}

/// The core runs for as long as it has something to do; after each step `look` sees what has come of it.
fn run(w: &mut World, core: usize, mut look: impl FnMut(&World) -> Outcome) -> Outcome {
    for _ in 0..100_000 {
        if !w.hub.may_run(core) {
            return Ok(());
        }
        w.resume(core)?;
        look(w)?;
    }
    Err(Failure(format!("core {core} does not come to rest")))
}

fn play(seed: u64) -> Outcome {
    let mut w = World::new(seed, 2, None, shape)?;
    let manners = || Manners { verbose: false, echo: true, headers: false };
    let publisher = w.connect_with(0, manners());
    let receivers: Vec<usize> = (0..RECEIVERS).map(|_| w.connect_with(1, manners())).collect();
    for &receiver in &receivers {
        w.clients[receiver].subscribe("s1", None, "1");
        w.until_pong(receiver)?;
    }
    w.until_pong(publisher)?;
    w.settle()?;
    for _ in 0..BATCHES {
        for _ in 0..MESSAGES {
            w.publish_sized(publisher, "s1", "", PAYLOAD_BYTES);
        }
        while w.clients[publisher].has_out() {
            w.send(publisher);
        }
        run(&mut w, 0, |_| Ok(()))?;
    }
    let got = |w: &World| -> Vec<usize> { receivers.iter().map(|&r| lock(&w.clients[r].line).down.len()).collect() };
    let mut before = got(&w);
    ensure(before.iter().all(|&bytes| bytes == 0), || "the receivers' core has not run yet".into())?;
    run(&mut w, 1, |w| {
        let now = got(w);
        let most = now.iter().zip(&before).map(|(now, before)| now - before).max().unwrap_or(0);
        before = now;
        ensure(most <= MESSAGES * DELIVERY_BYTES, || format!("{most} bytes for one receiver in one turn"))
    })?;
    let whole = BATCHES * MESSAGES * PAYLOAD_BYTES;
    ensure(before.iter().all(|&bytes| bytes > whole), || format!("{before:?} bytes of {whole} and more"))?;
    w.settle()?;
    w.finish().map(drop)
}

#[test]
fn a_turn_takes_no_more_batches_than_it_may_queue() {
    for seed in 0..50 {
        if let Err(Failure(text)) = play(seed) {
            panic!("seed {seed}: {text}");
        }
    }
}
