//! The busiest subjects of a core, in bounded memory: Space-Saving over a sample of its messages.
//!
//! One message in about N is looked at and stands for those since the one before; N varies at random around its mean, so that traffic
//! with a period is not seen crooked. A subject that is not in the full table takes the place of the one with the least weight,
//! and inherits that weight as its possible error: what it had before it came in is not counted. So, over what was sampled, a count
//! is never too high, and too low by at most the least weight in the table, which is at most all messages divided by the table's
//! length ([`Sketch::error_msgs`]).
//! Invariant: at most [`ENTRIES_MAX`] entries.

use std::time::Instant;

use hashbrown::HashTable;

use crate::ids::AccountId;
use crate::routing::{KeyHash, Rng};

/// Subjects that are remembered.
pub(super) const ENTRIES_MAX: usize = 512;

/// Longer subjects are counted by their beginning.
const SUBJECT_BYTES_MAX: usize = 256;

/// One subject. What is counted are estimates.
#[derive(Clone, Debug)]
pub struct SketchEntry {
    /// The subject.
    pub subject: Box<[u8]>,
    /// Its account.
    pub account: AccountId,
    /// Messages published here.
    pub in_msgs: u64,
    /// Their bytes.
    pub in_bytes: u64,
    /// Messages delivered here.
    pub out_msgs: u64,
    /// Their bytes.
    pub out_bytes: u64,
    /// When one was last seen.
    pub last_seen: Instant,
    /// What it is ordered by: messages in, and deliveries of what other cores sent.
    weight: u64,
    /// By how much that may be too high, and what is counted of messages too low.
    pub missed_max: u64,
}

/// What was seen of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) account: AccountId,
    pub(super) subject: &'a [u8],
    /// It was published here; else another core sent it.
    pub(super) published: bool,
    pub(super) bytes: u64,
    pub(super) delivered: u64,
    pub(super) delivered_bytes: u64,
}

/// The sketch of one core.
#[derive(Debug)]
pub(super) struct Sketch {
    entries: Vec<SketchEntry>,
    places: HashTable<u32>,
    hasher: KeyHash,
    rng: Rng,
    every: u64,
    /// Messages until the next is looked at; counted down by who delivers.
    pub(super) left: u64,
    /// So many the message at hand stands for.
    gap: u64,
}

impl Sketch {
    /// Looks at one message in `every`, on average; 0: at none.
    pub(super) fn new(every: u64, seed: u64) -> Self {
        let mut sketch = Self {
            entries: Vec::new(),
            places: HashTable::new(),
            hasher: KeyHash::new(seed.rotate_left(29)),
            rng: Rng::new(seed ^ 0x5EE7),
            every,
            left: 0,
            gap: 1,
        };
        sketch.next();
        sketch
    }

    /// Chooses which message is looked at next.
    fn next(&mut self) {
        self.gap = if self.every == 0 { u64::MAX } else { 1 + self.rng.below(2 * self.every - 1) };
        self.left = self.gap;
    }

    /// A message that was looked at.
    pub(super) fn note(&mut self, seen: &Seen<'_>, now: Instant) {
        let stands_for = self.gap;
        self.next();
        let subject = seen.subject.get(..SUBJECT_BYTES_MAX).unwrap_or(seen.subject);
        let hash = self.hasher.hash(subject) ^ u64::from(seen.account.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place =
            self.find(hash, seen.account, subject).unwrap_or_else(|| self.make_room(hash, seen.account, subject, now));
        let Some(entry) = self.entries.get_mut(place) else { return };
        entry.weight += stands_for;
        if seen.published {
            entry.in_msgs += stands_for;
            entry.in_bytes += stands_for * seen.bytes;
        }
        entry.out_msgs += stands_for * seen.delivered;
        entry.out_bytes += stands_for * seen.delivered_bytes;
        entry.last_seen = now;
    }

    fn find(&self, hash: u64, account: AccountId, subject: &[u8]) -> Option<usize> {
        let same = |place: &u32| {
            self.entries.get(*place as usize).is_some_and(|e| e.account == account && *e.subject == *subject)
        };
        self.places.find(hash, same).map(|place| *place as usize)
    }

    /// A place for a subject that is not there.
    fn make_room(&mut self, hash: u64, account: AccountId, subject: &[u8], now: Instant) -> usize {
        let least = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.weight);
        let (place, error) = match least {
            Some((place, entry)) if self.entries.len() >= ENTRIES_MAX => (place, entry.weight),
            _ => (self.entries.len(), 0),
        };
        let entry = SketchEntry {
            subject: subject.into(),
            account,
            in_msgs: 0,
            in_bytes: 0,
            out_msgs: 0,
            out_bytes: 0,
            last_seen: now,
            weight: error,
            missed_max: error,
        };
        let hasher = &self.hasher;
        let hash_of = |entry: &SketchEntry| {
            hasher.hash(&entry.subject) ^ u64::from(entry.account.0).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        };
        if let Some(old) = self.entries.get_mut(place) {
            if let Ok(found) = self.places.find_entry(hash_of(old), |p| *p as usize == place) {
                found.remove();
            }
            *old = entry;
        } else {
            self.entries.push(entry);
        }
        let entries = &self.entries;
        self.places.insert_unique(hash, place as u32, |p| entries.get(*p as usize).map_or(0, hash_of));
        place
    }

    /// All that is remembered, in no order.
    pub(super) fn entries(&self) -> &[SketchEntry] {
        &self.entries
    }

    /// By how much a count may be too low, and how many messages a subject may have had that is not there.
    pub(super) fn error_msgs(&self) -> u64 {
        if self.entries.len() < ENTRIES_MAX {
            return 0;
        }
        self.entries.iter().map(|entry| entry.weight).min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(sketch: &mut Sketch, subject: &str, now: Instant) {
        sketch.left -= 1;
        if sketch.left == 0 {
            let seen = Seen {
                account: AccountId::GLOBAL,
                subject: subject.as_bytes(),
                published: true,
                bytes: 10,
                delivered: 2,
                delivered_bytes: 20,
            };
            sketch.note(&seen, now);
        }
    }

    fn count(sketch: &Sketch, subject: &str) -> u64 {
        sketch.entries().iter().find(|e| *e.subject == *subject.as_bytes()).map_or(0, |e| e.in_msgs)
    }

    #[test]
    fn unsampled_counts_are_exact_while_there_is_room() {
        let (mut sketch, now) = (Sketch::new(1, 7), Instant::now());
        for i in 0..5000 {
            publish(&mut sketch, if i % 5 == 0 { "a" } else { "b" }, now);
        }
        assert_eq!([count(&sketch, "a"), count(&sketch, "b"), sketch.error_msgs()], [1000, 4000, 0]);
        let b = sketch.entries().iter().find(|e| *e.subject == *b"b").expect("it is there");
        assert_eq!([b.in_bytes, b.out_msgs, b.out_bytes], [40_000, 8000, 80_000]);
    }

    #[test]
    fn a_heavy_subject_is_found_among_many_and_the_bound_holds() {
        let (mut sketch, now) = (Sketch::new(1, 3), Instant::now());
        let total = 200_000;
        for i in 0..total {
            if i % 10 == 0 {
                publish(&mut sketch, "heavy", now);
            } else {
                publish(&mut sketch, &format!("light.{i}"), now);
            }
        }
        assert!(sketch.entries().len() <= ENTRIES_MAX);
        assert!(sketch.error_msgs() <= total / ENTRIES_MAX as u64);
        let heavy = sketch.entries().iter().find(|e| *e.subject == *b"heavy").expect("it is there");
        assert!(heavy.weight >= total / 10 && heavy.weight - heavy.missed_max <= total / 10, "{heavy:?}");
    }

    #[test]
    fn a_sample_of_periodic_traffic_is_not_crooked() {
        let (mut sketch, now) = (Sketch::new(64, 11), Instant::now());
        let total = 640_000;
        for i in 0..total {
            publish(&mut sketch, if i % 2 == 0 { "even" } else { "odd" }, now);
        }
        for subject in ["even", "odd"] {
            let share = count(&sketch, subject) as f64 / f64::from(total);
            assert!((0.45..0.55).contains(&share), "{subject}: {share}");
        }
    }

    #[test]
    fn none_is_looked_at_where_it_is_off() {
        let mut sketch = Sketch::new(0, 1);
        for _ in 0..1000 {
            publish(&mut sketch, "a", Instant::now());
        }
        assert!(sketch.entries().is_empty());
    }
}
