//! The ring: a bounded queue with one producer and one consumer, the only memory through which one core hands another a value.
//!
//! Owns its slots, and whatever is in them when both ends are gone. Never waits: a full ring gives the value back, an empty one
//! gives nothing. Must not know what it carries, nor who has to be woken (`fabric::mail`).
//!
//! ```text
//!            head (consumer writes)         tail (producer writes)
//!              v                              v
//!   ... free | value | value | value | value | free | free ...      slot of index i: i & (capacity - 1)
//! ```
//!
//! Invariants: both indices only grow (they wrap around `usize`), and `head <= tail <= head + capacity`. Slots `head..tail` hold values
//! and belong to the consumer; the others are empty and belong to the producer. An index is published with `Release` after its slot was
//! written (or emptied) and read with `Acquire` before a slot is touched, so a slot is never used by both.
//!
//! Each end keeps its own index in a plain field and a copy of the other's that is never ahead of it. A copy is refreshed when the ring
//! looks full (or empty) by it: the shared line of the other end then moves once a round instead of once a value. Where the causal rule
//! asks for it, `len_fresh`, `is_empty_fresh`, `free_fresh` and `is_half_full` load anew whatever the copy says. `pop` gives `None` only after
//! a fresh load, so "pop until `None`" empties the ring up to a tail that was loaded after the loop began.
#![expect(
    unsafe_code,
    reason = "slots are handed from one thread to another without a lock; each block proves that its slot is its own"
)]

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::sync::{Arc, AtomicUsize, Ordering, OwnLine, UnsafeCell};

/// A ring of `capacity_power_of_two` slots: its two ends, each for one thread. A slot should fit a cache line (64 bytes).
///
/// # Panics
/// Where the capacity is not a power of two: it is a constant of the program, or checked when the configuration is resolved.
pub fn ring<T: Send>(capacity_power_of_two: usize) -> (Producer<T>, Consumer<T>) {
    assert!(capacity_power_of_two.is_power_of_two(), "a ring's capacity is a power of two");
    let shared = Arc::new(Shared {
        head: OwnLine(AtomicUsize::new(0)),
        tail: OwnLine(AtomicUsize::new(0)),
        slots: (0..capacity_power_of_two).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect(),
    });
    let producer = Producer { shared: Arc::clone(&shared), tail: 0, head_seen: 0, not_sync: PhantomData };
    let consumer = Consumer { shared, head: 0, tail_seen: 0, not_sync: PhantomData };
    (producer, consumer)
}

/// The ring had no free slot: the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

/// The end that pushes.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    /// This end's own index; the shared one is its published copy.
    tail: usize,
    /// The consumer's index when it was last looked at: never ahead of it.
    head_seen: usize,
    not_sync: PhantomData<Cell<()>>,
}

impl<T: Send> Producer<T> {
    /// Appends `value`, visible to the consumer at once.
    ///
    /// # Errors
    /// `Full` with the value, where a fresh look finds no free slot.
    #[inline]
    pub fn try_push(&mut self, value: T) -> Result<(), Full<T>> {
        if self.tail.wrapping_sub(self.head_seen) == self.capacity() && self.free_fresh() == 0 {
            return Err(Full(value));
        }
        self.shared.slot(self.tail).with_mut(|slot| {
            // SAFETY: `tail - head_seen < capacity`, and the consumer is at or beyond `head_seen`, so slot `tail` is not one of the slots
            // `head..tail`, which alone the consumer touches. If it held a value before, the `Acquire` load that gave `head_seen` saw the
            // consumer's `Release` store after it had moved that value out. `&mut self` and one `Producer` a ring: nobody else writes slots.
            unsafe { (*slot).write(value) };
        });
        self.tail = self.tail.wrapping_add(1);
        self.shared.tail.0.store(self.tail, Ordering::Release); // publishes the write above
        Ok(())
    }

    /// How many values the ring holds at most.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.shared.slots.len()
    }

    /// How many more values fit for certain, by a fresh look: the consumer can only make room.
    #[inline]
    pub fn free_fresh(&mut self) -> usize {
        self.head_seen = self.shared.head.0.load(Ordering::Acquire);
        self.capacity() - self.tail.wrapping_sub(self.head_seen)
    }

    /// How many values are in the ring, at most: for statistics, since the consumer goes on taking.
    #[inline]
    pub fn len(&self) -> usize {
        self.tail.wrapping_sub(self.shared.head.0.load(Ordering::Relaxed))
    }

    /// The consumer has taken everything (an empty ring stays empty until this end pushes).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// By a fresh look, at least half of the slots hold values: the consumer had better come soon.
    #[inline]
    pub fn is_half_full(&mut self) -> bool {
        self.free_fresh() <= self.capacity() / 2
    }
}

/// The end that pops.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    /// This end's own index; the shared one is its published copy.
    head: usize,
    /// The producer's index when it was last looked at: never ahead of it.
    tail_seen: usize,
    not_sync: PhantomData<Cell<()>>,
}

impl<T: Send> Consumer<T> {
    /// Takes the oldest value; `None` where a fresh look finds none.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.head == self.tail_seen && self.is_empty_fresh() {
            return None;
        }
        let value = self.shared.slot(self.head).with_mut(|slot| {
            // SAFETY: `head != tail_seen`, and the producer is at or beyond `tail_seen`, so slot `head` holds a value, and the `Acquire` load
            // that gave `tail_seen` saw the `Release` store after it was written. The producer does not touch the slot before it has seen the
            // store to `head` below. `&mut self` and one `Consumer` a ring: the value is moved out once.
            unsafe { (*slot).assume_init_read() }
        });
        self.head = self.head.wrapping_add(1);
        self.shared.head.0.store(self.head, Ordering::Release); // gives the slot back
        Some(value)
    }

    /// How far the ring is filled now, by a fresh look: so many `pop`s will give a value. This is the note that a look at the mail takes.
    #[inline]
    pub fn len_fresh(&mut self) -> usize {
        self.tail_seen = self.shared.tail.0.load(Ordering::Acquire);
        self.tail_seen.wrapping_sub(self.head)
    }

    /// By a fresh look there is nothing to take.
    #[inline]
    pub fn is_empty_fresh(&mut self) -> bool {
        self.len_fresh() == 0
    }

    /// How many values the ring holds at most.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.shared.slots.len()
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("tail", &self.tail).field("head_seen", &self.head_seen).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("head", &self.head).field("tail_seen", &self.tail_seen).finish_non_exhaustive()
    }
}

/// What both ends see. Each index has a line to itself; the slots and their length are read by both and never move.
struct Shared<T> {
    head: OwnLine<AtomicUsize>,
    tail: OwnLine<AtomicUsize>,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

// SAFETY: values move from one thread to another, hence `T: Send`. A slot is touched by one thread at a time (proved where it is touched), the
// indices are atomics, and the slice itself does not change, so that sharing this between the two threads shares nothing else.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above. No method gives out a reference to a value in a slot, hence no `T: Sync`.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    #[inline]
    fn slot(&self, index: usize) -> &UnsafeCell<MaybeUninit<T>> {
        &self.slots[index & (self.slots.len() - 1)]
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Both ends are gone, and the last `Arc` to go has seen what they did: a relaxed load reads the last index.
        let (mut head, tail) = (self.head.0.load(Ordering::Relaxed), self.tail.0.load(Ordering::Relaxed));
        while head != tail {
            self.slot(head).with_mut(|slot| {
                // SAFETY: slots `head..tail` hold values that nobody has moved out, `&mut self` says that nobody else is here, and each is
                // dropped once since `head` moves on.
                unsafe { (*slot).assume_init_drop() };
            });
            head = head.wrapping_add(1);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn ends_move_to_a_thread_but_are_not_shared() {
        trait AmbiguousIfSync<A> {
            fn check() {}
        }
        impl<T: ?Sized> AmbiguousIfSync<()> for T {}
        impl<T: ?Sized + Sync> AmbiguousIfSync<u8> for T {}
        fn is_send<T: Send>() {}
        is_send::<Producer<Cell<u8>>>();
        is_send::<Consumer<Cell<u8>>>();
        <Producer<u8> as AmbiguousIfSync<_>>::check();
        <Consumer<u8> as AmbiguousIfSync<_>>::check();
    }

    #[test]
    fn a_full_ring_gives_the_value_back_and_takes_it_after_a_pop() {
        let (mut producer, mut consumer) = ring(2);
        assert!(producer.is_empty() && consumer.is_empty_fresh());
        producer.try_push("a").unwrap();
        assert!(producer.is_half_full());
        producer.try_push("b").unwrap();
        assert_eq!(producer.try_push("c"), Err(Full("c")));
        assert_eq!((producer.len(), producer.free_fresh(), consumer.len_fresh()), (2, 0, 2));
        assert_eq!(consumer.pop(), Some("a"));
        producer.try_push("c").unwrap();
        assert_eq!([consumer.pop(), consumer.pop(), consumer.pop()], [Some("b"), Some("c"), None]);
    }

    #[test]
    fn one_slot_is_enough() {
        let (mut producer, mut consumer) = ring(1);
        for i in 0..5 {
            producer.try_push(i).unwrap();
            assert!(producer.try_push(9).is_err() && producer.is_half_full());
            assert_eq!((consumer.pop(), consumer.pop()), (Some(i), None));
        }
    }

    #[test]
    fn indices_wrap_around_the_integer() {
        let (mut producer, mut consumer) = ring(4);
        let near = usize::MAX - 2;
        (producer.tail, producer.head_seen, consumer.head, consumer.tail_seen) = (near, near, near, near);
        producer.shared.tail.0.store(near, Ordering::Relaxed);
        producer.shared.head.0.store(near, Ordering::Relaxed);
        for round in 0..4 {
            for i in 0..4 {
                producer.try_push(Box::new(round * 4 + i)).unwrap();
            }
            assert!(producer.try_push(Box::new(0)).is_err());
            assert_eq!(consumer.len_fresh(), 4);
            for i in 0..3 {
                assert_eq!(consumer.pop().as_deref(), Some(&(round * 4 + i)));
            }
            assert_eq!(producer.len(), 1);
            assert_eq!(consumer.pop().as_deref(), Some(&(round * 4 + 3)));
        }
        producer.try_push(Box::new(1)).unwrap(); // left for Drop, beyond the wrap
    }

    #[test]
    fn what_is_left_is_dropped_once() {
        let token = std::sync::Arc::new(());
        let (mut producer, mut consumer) = ring(4);
        for _ in 0..6 {
            if producer.try_push(std::sync::Arc::clone(&token)).is_err() {
                consumer.pop();
            }
        }
        drop(producer);
        assert!(consumer.pop().is_some());
        drop(consumer);
        assert_eq!(std::sync::Arc::strong_count(&token), 1);
    }

    #[test]
    fn behaves_like_a_queue() {
        let seed = 0x5eed_0001_u64;
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        for capacity in [1, 2, 8] {
            let ((mut producer, mut consumer), mut oracle) = (ring(capacity), VecDeque::new());
            for step in 0..2_000 {
                if next() % 2 == 0 {
                    let pushed = producer.try_push(step).is_ok();
                    assert_eq!(pushed, oracle.len() < capacity, "seed {seed:#x}");
                    if pushed {
                        oracle.push_back(step);
                    }
                } else {
                    assert_eq!(consumer.pop(), oracle.pop_front(), "seed {seed:#x}");
                }
                assert_eq!(producer.len(), oracle.len(), "seed {seed:#x}");
            }
        }
    }

    #[test]
    fn two_threads_see_every_value_in_order() {
        let count = if cfg!(miri) { 200 } else { 100_000 };
        let (mut producer, mut consumer) = ring::<Box<u64>>(8);
        let pusher = std::thread::spawn(move || {
            for i in 0..count {
                let mut value = Box::new(i);
                while let Err(Full(back)) = producer.try_push(value) {
                    value = back;
                    std::thread::yield_now();
                }
            }
        });
        for i in 0..count {
            let value = loop {
                match consumer.pop() {
                    Some(value) => break value,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(*value, i);
        }
        pusher.join().unwrap();
        assert!(consumer.pop().is_none());
    }
}
