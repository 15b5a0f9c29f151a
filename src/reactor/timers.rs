//! The timers of one core: a hierarchical wheel with ticks of one millisecond.
//!
//! Owns deadlines and the keys that go with them. Reads no clock: `now` is an argument. Must not know what a key means: nothing is
//! cancelled, a key that is no longer wanted is ignored by its owner when it comes (its generation has changed).
//!
//! ```text
//!   level 0: 64 slots of 1 ms      the rest of the current 64 ms
//!   level 1: 64 slots of 64 ms     the rest of the current 4,096 ms
//!   level 2: 64 slots of 4,096 ms  ...                                  eight levels: more years than `u64` nanoseconds can say
//! ```
//!
//! A tick is a number of eight digits of six bits. An entry lies on the level of the highest digit in which its tick differs from `current`,
//! in the slot of that digit. When `current` reaches the start of a slot above level 0, its entries move down: each entry moves at most once a level.
//!
//! Invariants: every entry's tick is at least `current`. The entries of level `l` agree with `current` in all digits above `l` and are beyond it in
//! digit `l` (level 0: not before it). So whatever is on a lower level comes before all that is on a higher one, and
//! the lowest bit of a level's `occupied` is its next slot.
//!
//! A deadline is rounded up to a tick: a timer is never early and less than a tick late.

use std::time::{Duration, Instant};

const TICK_NANOS: u64 = 1_000_000;
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 8;
const _: () = assert!(u64::MAX / TICK_NANOS < 1 << (DIGIT_BITS * LEVELS as u32), "every deadline has a level");

/// Entries that one call of `poll_expired` moves down at most; with more to move it gives `None` and goes on in the next call.
const MOVES_MAX: usize = 1024;

/// Entries for which an empty slot keeps its memory; what a storm needed beyond it is given back.
const KEPT_ENTRIES_MAX: usize = 16;

/// Timers with keys `K` (a small copy: up to 12 bytes make an entry of 24).
#[derive(Debug)]
pub struct Timers<K> {
    start: Instant,
    /// All before this tick has been handed out; what is in its slot is due.
    current: u64,
    /// A bit a slot, a word a level.
    occupied: [u64; LEVELS],
    /// `LEVELS` times `SLOTS`.
    slots: Box<[Slot<K>]>,
    /// Of a slot whose start was reached; `current` stays until all of them have moved down.
    cascading: Vec<Entry<K>>,
    len: usize,
}

#[derive(Debug)]
struct Slot<K> {
    entries: Vec<Entry<K>>,
    /// The least tick in `entries`; `u64::MAX` where there is none.
    earliest: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry<K> {
    /// Since `start`.
    nanos: u64,
    key: K,
}

impl<K> Entry<K> {
    fn tick(&self) -> u64 {
        self.nanos.div_ceil(TICK_NANOS)
    }
}

impl<K: Copy> Timers<K> {
    /// No timers. Deadlines before `now` count as `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let slot = || Slot { entries: Vec::new(), earliest: u64::MAX };
        Self {
            start: now,
            current: 0,
            occupied: [0; LEVELS],
            slots: (0..LEVELS * SLOTS).map(|_| slot()).collect(),
            cascading: Vec::new(),
            len: 0,
        }
    }

    /// Timers that have not been handed out, stale ones among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is no timer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// From `deadline` on `poll_expired` hands out `key`, once; at once where it has passed.
    pub fn insert(&mut self, deadline: Instant, key: K) {
        let nanos = self.nanos(deadline);
        self.place(Entry { nanos, key });
        self.len += 1;
    }

    /// One timer that has expired by `now`, with its deadline: earlier ticks first, in no order within one. Call it until it has nothing, or
    /// until the turn's budget is used up: `next_deadline` then is in the past. It may have nothing because much had to be moved, and
    /// `next_deadline` is in the past then too.
    pub fn poll_expired(&mut self, now: Instant) -> Option<(Instant, K)> {
        let now = self.nanos(now) / TICK_NANOS;
        let mut moves = MOVES_MAX;
        loop {
            if let Some(entry) = self.pop_current() {
                self.len -= 1;
                return Some((self.start + Duration::from_nanos(entry.nanos), entry.key));
            }
            if !self.move_down(&mut moves) {
                return None;
            }
            if self.current_slot_is_occupied() {
                continue;
            }
            match self.next_slot() {
                Some((level, digit, start)) if start <= now => self.advance_to(level, digit, start),
                _ => {
                    // Nothing starts up to `now`, so that no entry's highest differing digit changes.
                    self.current = self.current.max(now);
                    return None;
                }
            }
        }
    }

    /// When `poll_expired` will have something: the earliest deadline rounded up to its tick, or a time that has passed where there is work left.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let tick = if self.cascading.is_empty() {
            let (level, digit, _) = self.next_slot()?;
            self.slots[level * SLOTS + digit].earliest
        } else {
            self.current
        };
        Some(self.start + Duration::from_nanos(tick.saturating_mul(TICK_NANOS)))
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    fn place(&mut self, entry: Entry<K>) {
        let tick = entry.tick().max(self.current);
        let differs = tick ^ self.current;
        let level = (u64::BITS - differs.leading_zeros()).saturating_sub(1) / DIGIT_BITS;
        let digit = digit(tick, level);
        let level = level as usize;
        let slot = &mut self.slots[level * SLOTS + digit];
        slot.entries.push(entry);
        slot.earliest = slot.earliest.min(tick);
        self.occupied[level] |= 1 << digit;
    }

    fn current_slot_is_occupied(&self) -> bool {
        self.occupied[0] & (1 << digit(self.current, 0)) != 0
    }

    /// What is due.
    fn pop_current(&mut self) -> Option<Entry<K>> {
        let digit = digit(self.current, 0);
        let slot = &mut self.slots[digit];
        let entry = slot.entries.pop()?;
        if slot.entries.is_empty() {
            slot.earliest = u64::MAX;
            give_back(&mut slot.entries);
            self.occupied[0] &= !(1 << digit);
        }
        Some(entry)
    }

    /// Moves entries of the slot that was reached to lower levels; false where some are left.
    fn move_down(&mut self, moves: &mut usize) -> bool {
        while let Some(entry) = self.cascading.pop() {
            self.place(entry);
            *moves -= 1;
            if *moves == 0 {
                break;
            }
        }
        if self.cascading.is_empty() {
            give_back(&mut self.cascading);
        }
        *moves > 0
    }

    /// The next slot that has entries: level, digit and the tick at which it starts.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|&bits| bits != 0)?;
        let digit = self.occupied[level].trailing_zeros();
        let shift = level as u32 * DIGIT_BITS;
        let above = self.current >> (shift + DIGIT_BITS) << (shift + DIGIT_BITS);
        Some((level, digit as usize, above | u64::from(digit) << shift))
    }

    fn advance_to(&mut self, level: usize, digit: usize, start: u64) {
        debug_assert!(start > self.current && self.cascading.is_empty(), "slots are reached in order");
        self.current = start;
        if level > 0 {
            let slot = &mut self.slots[level * SLOTS + digit];
            slot.earliest = u64::MAX;
            std::mem::swap(&mut slot.entries, &mut self.cascading); // the slot gets the small memory of the last one
            self.occupied[level] &= !(1 << digit);
        }
    }
}

fn digit(tick: u64, level: u32) -> usize {
    (tick >> (level * DIGIT_BITS)) as usize % SLOTS
}

fn give_back<K>(entries: &mut Vec<Entry<K>>) {
    if entries.capacity() > KEPT_ENTRIES_MAX {
        *entries = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    const MS: Duration = Duration::from_millis(1);

    fn splitmix(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Everything that has expired by `now`: goes on where a call had nothing only because it had moved enough.
    fn expired<K: Copy>(timers: &mut Timers<K>, now: Instant) -> Vec<(Instant, K)> {
        let mut all = Vec::new();
        loop {
            match timers.poll_expired(now) {
                Some(timer) => all.push(timer),
                None if timers.next_deadline().is_some_and(|at| at <= now) => {}
                None => return all,
            }
        }
    }

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry<(u32, u32, u32)>>(), 24);
    }

    #[test]
    fn a_timer_is_never_early_and_less_than_a_tick_late() {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        let deadline = start + Duration::from_micros(1_300);
        timers.insert(deadline, 'a');
        assert_eq!(timers.next_deadline(), Some(start + 2 * MS));
        assert_eq!(timers.poll_expired(start + Duration::from_micros(1_999)), None);
        assert_eq!(timers.poll_expired(start + 2 * MS), Some((deadline, 'a')));
        assert_eq!((timers.poll_expired(start + 2 * MS), timers.next_deadline()), (None, None));
        assert!(timers.is_empty());
    }

    #[test]
    fn a_deadline_in_the_past_comes_at_once() {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        assert_eq!(timers.poll_expired(start + 100 * MS), None);
        timers.insert(start + 5 * MS, 1);
        timers.insert(start - 5 * MS, 2); // before there were timers
        assert!(timers.next_deadline().unwrap() <= start + 100 * MS);
        let got = expired(&mut timers, start + 100 * MS);
        assert_eq!(got, [(start, 2), (start + 5 * MS, 1)]);
    }

    #[test]
    fn time_that_stands_still_or_goes_back_does_no_harm() {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        timers.insert(start + 70 * MS, 1);
        assert_eq!(timers.poll_expired(start + 69 * MS), None);
        assert_eq!(timers.poll_expired(start), None);
        timers.insert(start + 10 * MS, 2);
        assert_eq!(expired(&mut timers, start + 69 * MS), [(start + 10 * MS, 2)]);
        assert_eq!(expired(&mut timers, start + 70 * MS), [(start + 70 * MS, 1)]);
    }

    #[test]
    fn a_far_deadline_is_exact() {
        let start = Instant::now();
        for days in [1, 400, 40_000] {
            let mut timers = Timers::new(start);
            let deadline = start + Duration::from_secs(days * 86_400) + 7 * MS;
            timers.insert(deadline, 1);
            assert_eq!(timers.next_deadline(), Some(deadline));
            assert_eq!(expired(&mut timers, deadline - MS), []);
            assert_eq!(timers.next_deadline(), Some(deadline));
            assert_eq!(expired(&mut timers, deadline), [(deadline, 1)]);
        }
    }

    #[test]
    fn a_call_moves_a_bounded_number() {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        for i in 0..10 * MOVES_MAX {
            timers.insert(start + 100 * MS, i);
        }
        let now = start + 100 * MS;
        for _ in 0..9 {
            let before = timers.cascading.len();
            assert_eq!(timers.poll_expired(now), None, "the slot is not moved down yet");
            assert!(timers.next_deadline().unwrap() <= now, "so the loop comes again");
            assert!(before == 0 || before - timers.cascading.len() <= MOVES_MAX);
        }
        assert_eq!(expired(&mut timers, now).len(), 10 * MOVES_MAX);
    }

    #[test]
    fn memory_returns_after_a_storm() {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        for i in 0..100_000_u32 {
            timers.insert(start + MS * (i % 50_000), i);
        }
        assert_eq!(expired(&mut timers, start + 50_000 * MS).len(), 100_000);
        let kept = |entries: &Vec<Entry<u32>>| entries.capacity() <= KEPT_ENTRIES_MAX;
        assert!(kept(&timers.cascading) && timers.slots.iter().all(|slot| kept(&slot.entries)));
    }

    #[test]
    fn behaves_like_a_heap() {
        for seed in 0..200_u64 {
            play_against_a_heap(seed);
        }
    }

    fn play_against_a_heap(seed: u64) {
        let mut random = seed;
        let start = Instant::now();
        let (mut timers, mut heap) = (Timers::new(start), BinaryHeap::new());
        let mut now = start;
        for step in 0..300_u32 {
            for _ in 0..splitmix(&mut random) % 6 {
                let scale = 1 << (splitmix(&mut random) % 46);
                let offset = Duration::from_nanos(splitmix(&mut random) % scale);
                let late = splitmix(&mut random).is_multiple_of(8);
                let deadline = if late { now.checked_sub(offset).unwrap_or(start).max(start) } else { now + offset };
                timers.insert(deadline, step);
                heap.push(Reverse((timers.nanos(deadline).div_ceil(TICK_NANOS), deadline, step)));
            }
            let scale = 1 << (splitmix(&mut random) % 44);
            now += Duration::from_nanos(splitmix(&mut random) % scale);
            check_one_turn(&mut timers, &mut heap, now, seed);
        }
    }

    type Oracle = BinaryHeap<Reverse<(u64, Instant, u32)>>;

    fn check_one_turn(timers: &mut Timers<u32>, heap: &mut Oracle, now: Instant, seed: u64) {
        let now_tick = timers.nanos(now) / TICK_NANOS;
        let mut want = Vec::new();
        while heap.peek().is_some_and(|Reverse((tick, ..))| *tick <= now_tick) {
            let Reverse((_, deadline, key)) = heap.pop().expect("peeked");
            want.push((deadline, key));
        }
        let before = timers.current; // what was inserted late comes with this tick
        let mut got = expired(timers, now);
        let tick = |&(at, _): &(Instant, u32)| timers.nanos(at).div_ceil(TICK_NANOS).max(before);
        assert!(got.is_sorted_by_key(tick), "earlier ticks first, seed {seed}");
        got.sort_unstable();
        want.sort_unstable();
        assert_eq!(got, want, "seed {seed}");
        assert_eq!(timers.len(), heap.len(), "seed {seed}");
        let next = heap.peek().map(|Reverse((tick, ..))| timers.start + Duration::from_nanos(tick * TICK_NANOS));
        assert_eq!(timers.next_deadline(), next, "seed {seed}");
    }
}
