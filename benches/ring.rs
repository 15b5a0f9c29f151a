//! What the ring and the mail word cost.
//!
//! `cargo bench --bench ring` prints nanoseconds, for information: they depend on the machine. Instruction counts guard regressions:
//! run the bench binary with `pairs COUNT` (or `mail COUNT`) under callgrind, which counts one thread and no clock. `pairs` pushes and
//! pops one value at a time, `rounds` fills the ring and empties it, `mail` is the whole hand-over of one batch: push, post,
//! claim, take, note, pop. `hops` sends one value to and fro between two threads.

use std::hint::{black_box, spin_loop};
use std::time::Instant;

use dunlin::fabric::mail::Mail;
use dunlin::fabric::ring::{Consumer, ring};

/// The size of a ring entry: one cache line.
type Entry = [u64; 8];

const CAPACITY: usize = 128;

fn pairs(count: u64) {
    let (mut producer, mut consumer) = ring::<Entry>(CAPACITY);
    for i in 0..count {
        assert!(producer.try_push(black_box([i; 8])).is_ok());
        black_box(consumer.pop());
    }
}

fn rounds(count: u64) {
    let (mut producer, mut consumer) = ring::<Entry>(CAPACITY);
    for i in 0..count.div_ceil(CAPACITY as u64) {
        while producer.try_push(black_box([i; 8])).is_ok() {}
        while let Some(entry) = consumer.pop() {
            black_box(entry);
        }
    }
}

fn mail(count: u64) {
    let (mut producer, mut consumer) = ring::<Entry>(CAPACITY);
    let mail = Mail::new();
    for i in 0..count {
        assert!(producer.try_push(black_box([i; 8])).is_ok());
        mail.post(1);
        black_box(mail.claim_wake());
        assert_eq!(mail.take(), 1);
        for _ in 0..consumer.len_fresh() {
            black_box(consumer.pop());
        }
    }
}

/// The next value; who finds nothing for a while lets the other thread have the CPU, since there may be only one.
fn wait(ring: &mut Consumer<Entry>) -> Entry {
    let mut spins = 0_u32;
    loop {
        if let Some(entry) = ring.pop() {
            return entry;
        }
        spins += 1;
        if spins.is_multiple_of(1024) {
            std::thread::yield_now();
        } else {
            spin_loop();
        }
    }
}

/// One value to and fro.
fn hops(count: u64) {
    let ((mut out, mut there), (mut back, mut home)) = (ring::<Entry>(CAPACITY), ring::<Entry>(CAPACITY));
    let echo = std::thread::spawn(move || {
        for _ in 0..count / 2 {
            let entry = wait(&mut there);
            assert!(back.try_push(entry).is_ok());
        }
    });
    for i in 0..count / 2 {
        assert!(out.try_push([i; 8]).is_ok());
        black_box(wait(&mut home));
    }
    echo.join().expect("the other thread only echoes");
}

/// One way, as fast as the consumer takes it.
fn stream(count: u64) {
    let (mut producer, mut consumer) = ring::<Entry>(CAPACITY);
    let taker = std::thread::spawn(move || {
        let mut taken = 0;
        while taken < count {
            match consumer.pop() {
                Some(entry) => {
                    black_box(entry);
                    taken += 1;
                }
                None => std::thread::yield_now(),
            }
        }
    });
    for i in 0..count {
        while producer.try_push([i; 8]).is_err() {
            std::thread::yield_now();
        }
    }
    taker.join().expect("the other thread only takes");
}

type Run = fn(u64);

const BENCHES: [(&str, Run, u64); 5] = [
    ("pairs", pairs, 20_000_000),
    ("rounds", rounds, 20_000_000),
    ("mail", mail, 5_000_000),
    ("hops", hops, 1_000_000),
    ("stream", stream, 5_000_000),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for (name, run, default) in BENCHES {
        if args.first().is_some_and(|wanted| wanted != name) {
            continue;
        }
        let count = args.get(1).and_then(|count| count.parse().ok()).unwrap_or(default);
        let start = Instant::now();
        run(count);
        let nanos = start.elapsed().as_nanos() as f64 / count as f64;
        println!("{name:8} {count:10} times {nanos:8.1} ns each");
        println!("ops {count}");
    }
}
