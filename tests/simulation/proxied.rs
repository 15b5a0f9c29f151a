//! Clients that a proxy brings: their header comes in any pieces, before CONNECT or TLS, and must come in time.

use std::time::Duration;

use crate::checks::{Failure, Outcome, ensure};
use crate::socket::lock;
use crate::world::World;

/// What may stand before what a client says.
pub const HEADERS: [&[u8]; 5] = [
    b"",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 51284 4222\r\n",
    b"PROXY UNKNOWN\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\xc8\x54\x10\x7e",
    b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\x03\x04\0\0",
];
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(200);

fn run(seeds: u64, play: impl Fn(u64, usize) -> Outcome) {
    for (seed, cores) in (0..seeds).flat_map(|seed| [(seed, 1), (seed, 2), (seed, 3)]) {
        if let Err(Failure(text)) = play(seed, cores) {
            panic!("seed {seed}, {cores} cores: {text}");
        }
    }
}

/// All of them are let in, and get what is theirs.
#[test]
fn headers_in_any_pieces() {
    run(20, |seed, cores| {
        let secure = if seed % 2 == 0 { 0 } else { 50 };
        let mut w = World::new(seed, cores, None, |shape| (shape.proxied, shape.secure) = (true, secure))?;
        let (publisher, subscriber) = (w.connect(), w.connect());
        w.clients[subscriber].subscribe("a.*", None, "x");
        w.until_pong(subscriber)?;
        let sent: Vec<_> = (0..5).map(|_| w.publish(publisher, "a.b", "")).collect();
        w.until_pong(publisher)?;
        w.until_pong(subscriber)?;
        w.settle()?;
        let got = w.ledger.received(subscriber, "x").to_vec();
        ensure(got == sent, || format!("{got:?} of {sent:?}"))?;
        w.finish().map(drop)
    });
}

/// Whoever has not sent a whole header in time is closed without an answer; whoever just has is not.
#[test]
fn headers_that_do_not_come() {
    run(6, |seed, cores| {
        let mut w = World::new(seed, cores, None, |shape| {
            shape.proxied = true;
            shape.pace = (0, &[]);
        })?;
        let mut late = Vec::new();
        for header in &HEADERS[1..] {
            for missing in [header.len(), header.len() - 3, 1] {
                let client = w.connect();
                let (begun, rest) = header.split_at(header.len() - missing);
                w.clients[client].wire().clear();
                w.clients[client].wire().extend(begun);
                w.clients[client].may_fail = true;
                late.push((client, rest));
            }
        }
        w.settle()?;
        let alive = |w: &World, client: usize| !lock(&w.clients[client].line).server_ended;
        w.pass(WITHIN - MOMENT)?;
        for &(client, _) in &late {
            ensure(alive(&w, client), || format!("client {client} was closed too early"))?;
        }
        let (saved, lost) = late.split_at(late.len() / 2);
        for &(client, rest) in saved {
            w.clients[client].wire().extend(rest);
            w.clients[client].may_fail = false;
        }
        w.settle()?;
        w.pass(2 * MOMENT)?;
        for &(client, _) in saved {
            ensure(alive(&w, client), || format!("client {client} was closed in spite of its header"))?;
        }
        for &(client, _) in lost {
            ensure(!alive(&w, client), || format!("client {client} may take for ever"))?;
        }
        w.finish().map(drop)
    });
}
