//! Rings, mail words and parking under loom: every interleaving (up to a number of preemptions) of small cores over the real types.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --package dunlin-loom`; without that flag this is empty. The cores here are a few
//! lines each and do what `fabric::mail` says its users do. A fault is one rule broken; its test expects the panic, or the model would be
//! blind. Faults inside the mail word are played by `words::Faulty`, which without a fault does what `Mail` does.
//! Loops that wait are written as "try once, else end": loom explores the executions in which it was there.
#![cfg(loom)]
#![expect(
    unreachable_pub,
    dead_code,
    reason = "the files under test are included here, so that loom compiles them alone and fast"
)]

mod chain;
mod grace;
#[path = "../../src/fabric/mail.rs"]
mod mail;
mod parking;
#[path = "../../src/fabric/ring.rs"]
mod ring;
#[path = "../../src/fabric/sync.rs"]
mod sync;
mod words;

use loom::sync::Arc;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use ring::{Consumer, Full, Producer, ring};
use sync::fence;
use words::Words;

/// Explores `body` with so many preemptions: most races need one or two.
fn explore(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        fence(SeqCst);
        body();
    });
}

/// Pushes and posts.
fn push(ring: &mut Producer<u32>, value: u32, to: &impl Words, bit: u64) {
    ring.try_push(value).expect("rings here are large enough");
    to.post(bit);
}

fn drain(ring: &mut Consumer<u32>) -> Vec<u32> {
    std::iter::from_fn(|| ring.pop()).collect()
}

#[test]
fn ring_keeps_order_and_loses_nothing() {
    explore(6, || {
        let (mut producer, mut consumer) = ring::<Box<u32>>(2);
        let pusher = thread::spawn(move || {
            let mut pushed = Vec::new();
            for i in 0..4 {
                match producer.try_push(Box::new(i)) {
                    Ok(()) => pushed.push(i),
                    Err(Full(back)) => assert_eq!(*back, i),
                }
            }
            pushed
        });
        let mut popped: Vec<u32> = (0..3).filter_map(|_| consumer.pop()).map(|b| *b).collect();
        let pushed = pusher.join().unwrap();
        assert_eq!(consumer.len_fresh(), pushed.len() - popped.len());
        popped.extend(std::iter::from_fn(|| consumer.pop()).map(|b| *b));
        assert_eq!(popped, pushed);
        assert!(pushed.len() >= 2, "an empty ring of two takes two");
    });
}

#[test]
fn ring_that_looks_free_or_filled_is_so() {
    explore(6, || {
        let (mut producer, mut consumer) = ring::<u32>(2);
        let pusher = thread::spawn(move || {
            for i in 0..2 {
                producer.try_push(i).expect("an empty ring of two takes two");
            }
            for i in 2..2 + producer.free_fresh() as u32 {
                producer.try_push(i).expect("free slots stay free");
            }
        });
        for i in 0..consumer.len_fresh() as u32 {
            assert_eq!(consumer.pop(), Some(i), "a noted value is there");
        }
        pusher.join().unwrap();
    });
}

#[test]
fn ring_drops_what_is_left_once() {
    explore(6, || {
        let token = Arc::new(());
        let (mut producer, mut consumer) = ring::<Arc<()>>(2);
        let given = Arc::clone(&token);
        let pusher = thread::spawn(move || {
            for _ in 0..3 {
                let _ = producer.try_push(Arc::clone(&given));
            }
        });
        drop(consumer.pop());
        drop(consumer);
        pusher.join().unwrap();
        assert_eq!(Arc::strong_count(&token), 1);
    });
}
