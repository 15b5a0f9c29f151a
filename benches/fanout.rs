//! What one core does for a message, without a kernel: the reactor over sockets that are plain memory.
//!
//! `fanout CASE [OPS]` publishes OPS messages and prints `ops OPS`; instructions are counted from outside
//! (`.ci/instructions`). Cases: `publish` (nobody listens), `one`, `one_large` (16 KiB), `ten`, `wildcard`, `subjects`
//! (a wildcard again, and each message of a round on a subject of its own), `queue`, `request`.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dunlin::fabric::{Fabric, LinkSizes, Schedule};
use dunlin::ids::{ClientAddress, CoreId};
use dunlin::log::Logger;
use dunlin::os::poll::{Event, LISTENER, Os, Socket};
use dunlin::protocol::handshake::ServerInfo;
use dunlin::reactor::Reactor;
use dunlin::reactor::access::Access;
use dunlin::reactor::settings::Settings;
use dunlin::reactor::shared::Shared;

/// A connection whose other side is a script: what it sends, and a count of what it gets.
struct Wire {
    script: Arc<[u8]>,
    at: usize,
    /// How often the script is sent again from `again_from`.
    rounds: usize,
    again_from: usize,
    written: Arc<AtomicU64>,
}

impl Socket for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.script.len() {
            if self.rounds == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.rounds -= 1;
            self.at = self.again_from;
        }
        let count = into.len().min(self.script.len() - self.at);
        // In small pieces: a large copy is one instruction that is counted once for each byte.
        let from = &self.script[self.at..self.at + count];
        for (into, from) in into[..count].chunks_mut(1024).zip(from.chunks(1024)) {
            into.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }

    fn write(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = from.iter().map(|slice| slice.len()).sum();
        self.written.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn shutdown(&mut self) {}
}

/// Everything is always ready, and time stands still.
struct Memory {
    waiting: VecDeque<Wire>,
    keys: Vec<u64>,
    now: Instant,
}

impl Schedule for Memory {
    fn wake(&self, _core: CoreId) {}
}

impl Os for Memory {
    type Socket = Wire;

    fn now(&self) -> Instant {
        self.now
    }

    fn poll(&mut self, events: &mut Vec<Event>, _timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let listener = (!self.waiting.is_empty()).then_some(LISTENER);
        let keys = self.keys.iter().copied().chain(listener);
        events.extend(keys.map(|key| Event { key, readable: true, writable: false, ended: false, gone: false }));
        Ok(())
    }

    fn register(&mut self, _socket: &mut Wire, key: u64) -> io::Result<()> {
        self.keys.push(key);
        Ok(())
    }

    fn watch_writing(&mut self, _socket: &mut Wire, _key: u64) -> io::Result<()> {
        Ok(())
    }

    fn accept(&mut self) -> io::Result<(Wire, ClientAddress)> {
        let next = self.waiting.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        Ok((next, SocketAddr::from(([127, 0, 0, 1], 1)).into()))
    }

    fn close_listener(&mut self) {}
}

const CONNECT: &str = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n";
/// Messages in one round of the publisher's script.
const ROUND: usize = 500;

struct Case {
    name: &'static str,
    subscribe: &'static str,
    subscribers: usize,
    /// `#`: the number of the message, of [`ROUND`].
    publish: &'static str,
    payload: usize,
}

const CASES: &[Case] = &[
    Case { name: "publish", subscribe: "SUB other 1\r\n", subscribers: 1, publish: "PUB bench.one", payload: 128 },
    Case { name: "one", subscribe: "SUB bench.one 1\r\n", subscribers: 1, publish: "PUB bench.one", payload: 16 },
    Case {
        name: "one_large",
        subscribe: "SUB bench.one 1\r\n",
        subscribers: 1,
        publish: "PUB bench.one",
        payload: 16_384,
    },
    Case { name: "ten", subscribe: "SUB bench.one 1\r\n", subscribers: 10, publish: "PUB bench.one", payload: 128 },
    Case { name: "wildcard", subscribe: "SUB bench.* 1\r\n", subscribers: 1, publish: "PUB bench.one", payload: 128 },
    Case { name: "subjects", subscribe: "SUB bench.* 1\r\n", subscribers: 1, publish: "PUB bench.#", payload: 128 },
    Case { name: "queue", subscribe: "SUB bench.one q 1\r\n", subscribers: 8, publish: "PUB bench.one", payload: 128 },
    Case {
        name: "request",
        subscribe: "SUB bench.one 1\r\n",
        subscribers: 1,
        publish: "PUB bench.one inbox.17",
        payload: 16,
    },
];

fn main() {
    // cargo adds flags of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(name) = arguments.next() else {
        println!("usage: fanout CASE [OPS]; cases: {}", CASES.iter().map(|c| c.name).collect::<Vec<_>>().join(" "));
        return;
    };
    let ops: usize = arguments.next().map_or(100_000, |ops| ops.parse().expect("OPS is a number"));
    let case = CASES.iter().find(|case| case.name == name).expect("a known case");
    let rounds = ops / ROUND;
    let written = Arc::new(AtomicU64::new(0));
    let wire = |script: String, again_from, rounds| Wire {
        script: script.into_bytes().into(),
        at: 0,
        rounds,
        again_from,
        written: Arc::clone(&written),
    };
    let mut waiting: VecDeque<Wire> =
        (0..case.subscribers).map(|_| wire(format!("{CONNECT}{}", case.subscribe), 0, 0)).collect();
    let payload = "x".repeat(case.payload);
    let message = |number: usize| {
        let publish = case.publish.replace('#', &number.to_string());
        format!("{publish} {}\r\n{payload}\r\n", case.payload)
    };
    let messages: String = (0..ROUND).map(message).collect();
    waiting.push_back(wire(format!("{CONNECT}{messages}"), CONNECT.len(), rounds - 1));

    let os = Memory { waiting, keys: Vec::new(), now: Instant::now() };
    let access = Access::new(&dunlin::Config::default().security, &[]).expect("nobody logs in");
    let settings = Settings::new(&dunlin::Config::default(), ServerInfo::default(), &access);
    let sizes = LinkSizes { batch_ring_entries: 4, interest_ring_entries: 4, link_bytes_max: 1 };
    let fabric = Fabric::mesh(1, sizes).pop().expect("one core has one part");
    let shared = Arc::new(Shared::new(1, std::sync::mpsc::sync_channel(1).0));
    let mut core = Reactor::new(os, Arc::new(settings), shared, fabric, Logger::discard(), 1);
    while core.stats().in_msgs < (rounds * ROUND) as u64 {
        core.turn();
    }
    println!("ops {}", core.stats().in_msgs);
    println!("bytes written {}", written.load(Ordering::Relaxed));
}
