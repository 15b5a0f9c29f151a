//! Looking ahead: what the next messages will look up is brought near before each is routed.
//!
//! In a large table every lookup misses the caches three times, one after the other: the place in the hash table, the pattern, the
//! subscription. The lookups of different messages do not depend on each other, so their misses can overlap: all first steps, then all
//! second ones, then all third ones. Changes nothing and promises nothing: whoever routes looks everything up himself.

use std::hint::black_box;

use super::entry::NOBODY;
use super::table::Table;

/// Subjects that are looked up together: about as many misses as a core can have under way.
const SUBJECTS: usize = 16;

impl Table {
    /// Looks some of `subjects` up, from the first on, as far as they differ from the one before.
    #[inline(never)]
    pub fn look_ahead<'a>(&self, subjects: impl Iterator<Item = &'a [u8]>) {
        let (mut hashes, mut count, mut before) = ([0; SUBJECTS], 0, None);
        for (place, subject) in hashes.iter_mut().zip(subjects) {
            *place = self.hasher.hash(subject);
            if before.replace(*place) == Some(*place) {
                break;
            }
            count += 1;
        }
        let mut numbers = [None; SUBJECTS];
        for (number, hash) in numbers.iter_mut().zip(hashes).take(count) {
            *number = self.literals.candidates(hash).next();
        }
        let mut subscriptions = [NOBODY; SUBJECTS];
        for (subscription, number) in subscriptions.iter_mut().zip(numbers.into_iter().flatten()) {
            let entry = self.patterns.at(number);
            *subscription = entry.one;
            black_box(entry.text.as_bytes().first());
        }
        for id in subscriptions.into_iter().filter(|id| *id != NOBODY) {
            let subscription = self.subscriptions.at(id.0);
            black_box((subscription.conn_slot(), subscription.sid().last()));
        }
    }
}
