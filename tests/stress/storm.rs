//! A storm of connections, and those who are here meanwhile: they are served, and the core's own counters say how long turns were.
//!
//! Times are printed and not judged: how a turn is kept short is shown in virtual time (`tests/simulation/storm.rs`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kit::{DEADLINE, Program, Server, Setup, open_files_max};
use serde_json::Value;

use crate::{program, size};

/// Threads that connect.
const DIALLERS: usize = 4;
/// Connections of one of them that have no answer yet: all together fewer than a kernel holds, which forgets those beyond.
const UNANSWERED: usize = 500;
/// Pings of those who are here that must be answered while others arrive.
const ANSWERED_MIN: u64 = 10;

#[test]
fn who_is_here_is_served_while_thousands_arrive() {
    for cores in [1, 2] {
        let server = Setup::new(&program(), cores).flag("-m").flag("-1").start();
        storm(&server, cores);
    }
}

fn storm(server: &Server, cores: usize) {
    let wanted = size(1000, 8000);
    let count = wanted.min(open_files_max().saturating_sub(500).try_into().unwrap_or(wanted) / 2);
    let (mut here, mut other) = (server.client(), server.client());
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    let (arrivals, mut waits) = std::thread::scope(|scope| {
        let witness = scope.spawn(|| {
            let mut waits = Vec::new();
            while !over.load(Ordering::Relaxed) || answered.load(Ordering::Relaxed) < ANSWERED_MIN {
                let asked = Instant::now();
                here.ping();
                other.ping();
                waits.push(asked.elapsed());
                answered.fetch_add(1, Ordering::Relaxed);
            }
            waits
        });
        let diallers: Vec<_> = (0..DIALLERS)
            .map(|number| {
                scope.spawn(move || arrive(server, count * (number + 1) / DIALLERS - count * number / DIALLERS))
            })
            .collect();
        let arrivals: Vec<Vec<TcpStream>> = diallers.into_iter().map(|one| one.join().expect("they connect")).collect();
        let during = answered.load(Ordering::Relaxed);
        over.store(true, Ordering::Relaxed);
        assert!(during > 0, "nobody was served until all had arrived");
        (arrivals, witness.join().expect("it is served"))
    });
    let took = start.elapsed();
    let arrived: usize = arrivals.iter().map(Vec::len).sum();
    assert_eq!(arrived, count);
    waits.sort();
    let at = |part: f64| waits.get(((waits.len() - 1) as f64 * part) as usize).copied().unwrap_or_default();
    println!(
        "{count} connections in {took:?} on {cores} cores; {} pairs of pings meanwhile, p50 {:?}, p99 {:?}, longest {:?}",
        waits.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    if matches!(program(), Program::Dunlin(_)) {
        for core in page(server, "/corez")["cores"].as_array().expect("a list") {
            println!("core {}: {} turns, microseconds {}", core["core"], core["turns"], core["turn_us"]);
            assert!(core["turns"].as_u64().is_some_and(|turns| turns > 0));
        }
    }
    drop(arrivals);
    here.ping();
}

/// So many connections, each of which gets its answer.
fn arrive(server: &Server, count: usize) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = dial(server);
        stream.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").expect("taken");
        stream
    };
    let mut streams: Vec<TcpStream> = Vec::new();
    while streams.len() < count {
        let more = UNANSWERED.min(count - streams.len());
        let from = streams.len();
        streams.extend((0..more).map(connect));
        streams.iter_mut().skip(from).for_each(await_answer);
    }
    streams
}

/// INFO and PONG.
fn await_answer(stream: &mut TcpStream) {
    let mut said = Vec::new();
    while !said.ends_with(b"\r\nPONG\r\n") {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).expect("INFO and PONG");
        assert!(count > 0, "closed after {}", said.escape_ascii());
        said.extend_from_slice(&bytes[..count]);
    }
}

/// A full backlog is waited for, as clients do.
fn dial(server: &Server) -> TcpStream {
    let end = Instant::now() + DEADLINE;
    loop {
        match TcpStream::connect_timeout(&server.address(), Duration::from_secs(5)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(DEADLINE)).expect("an option");
                return stream;
            }
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
    }
}

fn page(server: &Server, path: &str) -> Value {
    let mut stream = TcpStream::connect(server.page_address()).expect("pages are served");
    stream.set_read_timeout(Some(DEADLINE)).expect("an option");
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).expect("taken");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("an answer");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}
