//! What a storm took is given back.
//!
//! The bounds hold for Dunlin; on another program the figures are only printed.

use std::fmt::Write as _;
use std::time::Duration;

use kit::{Client, DEADLINE, Program, Server, Setup, open_files_max, resident_bytes, until};

use crate::{program, server, size};

const MIB: u64 = 1024 * 1024;
/// What one storm may leave more than the first: the allocator keeps now more, now less; a leak grows with every storm.
pub(crate) const JITTER: u64 = 2 * MIB;
/// How long memory may take to come back.
const SETTLE: Duration = Duration::from_secs(5);

#[test]
fn memory_returns_after_subscriptions_on_one_core() {
    check(&server(1), "subscriptions", subscriptions);
}

#[test]
fn memory_returns_after_subscriptions_on_two_cores() {
    check(&server(2), "subscriptions", subscriptions);
}

#[test]
fn memory_returns_after_connections_on_one_core() {
    check(&server(1), "connections", connections);
}

#[test]
fn memory_returns_after_connections_on_two_cores() {
    check(&server(2), "connections", connections);
}

#[test]
fn memory_returns_after_pending_bytes_are_written_off() {
    let setup = Setup::new(&program(), 2).config("no_fast_producer_stall: true\n");
    check(&setup.start(), "pending bytes", pending_bytes);
}

pub(crate) fn check(server: &Server, what: &str, storm: impl Fn(&Server)) {
    check_with(server, what, Bounds { kept: 4 * MIB, jitter: JITTER }, || server.client(), storm);
}

/// What may be left, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// By a storm, for the next one.
    pub(crate) kept: u64,
    /// More than by the first storm.
    pub(crate) jitter: u64,
}

/// The same on a server where a client has to log in, or that keeps more.
pub(crate) fn check_with(
    server: &Server,
    what: &str,
    bounds: Bounds,
    client: impl Fn() -> Client,
    storm: impl Fn(&Server),
) {
    let Bounds { kept, jitter } = bounds;
    client().close().expect("a first connection");
    let start = resident_bytes(server.pid());
    let allowed = start + start / 10 + kept;
    let mut after: Vec<u64> = Vec::new();
    for _ in 0..size(3, 10) {
        storm(server);
        let bound = after.first().map_or(allowed, |first| allowed.min(first + jitter));
        until(SETTLE, || resident_bytes(server.pid()) <= bound);
        after.push(resident_bytes(server.pid()));
    }
    println!(
        "{what}: start {} KiB, after storms {:?} KiB",
        start / 1024,
        after.iter().map(|b| b / 1024).collect::<Vec<_>>()
    );
    if matches!(program(), Program::Peer(_)) {
        return;
    }
    assert!(
        after.iter().all(|&bytes| bytes <= allowed),
        "{what}: {start} at the start, then {after:?}, allowed {allowed}"
    );
    let (first, last) = (after[0], after[after.len() - 1]);
    assert!(last <= first + jitter, "{what} grow from storm to storm: {after:?}");
}

fn subscriptions(server: &Server) {
    let count = 100_000;
    let mut client = server.client();
    let mut text = String::new();
    for number in 0..count {
        write!(text, "SUB storm.{}.{number} {number}\r\n", number % 100).expect("a string takes everything");
    }
    client.send(&text);
    client.ping();
    text.clear();
    for number in 0..count {
        write!(text, "UNSUB {number}\r\n").expect("a string takes everything");
    }
    client.send(&text);
    client.ping();
    client.close().expect("the server closes");
}

fn connections(server: &Server) {
    let wanted = size(1_000, 5_000);
    let count = wanted.min(open_files_max().saturating_sub(500).try_into().unwrap_or(wanted));
    let mut clients: Vec<Client> = (0..count).map(|_| server.open()).collect();
    for client in &mut clients {
        client.send("SUB storm.> 1\r\nPING\r\n");
    }
    for client in &mut clients {
        client.expect("+OK\r\nPONG\r\n");
    }
    for client in clients {
        client.close().expect("the server closes");
    }
}

fn pending_bytes(server: &Server) {
    let mut frozen = Client::open_with_receive_buffer(server.address(), 4096).expect("a connection");
    frozen.hello("");
    frozen.send("SUB x 1\r\n");
    frozen.ping();
    let mark = server.log().mark();
    let mut publisher = server.client();
    let payload = "x".repeat(64 * 1024);
    let message = format!("PUB x {}\r\n{payload}\r\n", payload.len());
    for _ in 0..1_200 {
        publisher.send(&message);
    }
    publisher.ping();
    let slow = server.log().find_after(mark, DEADLINE, |line| line.contains("Slow Consumer"));
    assert!(slow.is_some(), "75 MiB were not too much:\n{}", server.log().tail());
    frozen.read_to_end().expect("the frozen one is closed");
    publisher.close().expect("the server closes");
}
