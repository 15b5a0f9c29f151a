//! A hash table of numbers whose keys lie elsewhere.
//!
//! Owns pairs of a hash and a number, eight bytes each, placed by linear probing: a lookup that succeeds usually touches
//! one cache line. The hash is kept, so growing never touches what the numbers stand for; the table is split into shards,
//! so that one step of growing stays short (16 k pairs where there are a million).
//! Invariant: between the place that a pair's hash asks for and the place where it is there is no vacant one.

const SHARDS: usize = 64;
/// Places of the smallest shard that has any.
const PLACES_MIN: usize = 8;

/// A number and 32 bits of its key's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    hash: u32,
    number: u32,
}

/// Marks a place that is taken: a bit that neither the shard nor the place in a shard is taken from.
const TAKEN: u32 = 1 << 25;

const VACANT: Pair = Pair { hash: 0, number: 0 };

/// A power of two of places (or none), at most three quarters of them taken.
#[derive(Debug, Default)]
struct Shard {
    places: Vec<Pair>,
    length: usize,
}

/// Numbers by hash.
#[derive(Debug)]
pub(super) struct IdTable {
    shards: Box<[Shard; SHARDS]>,
    length: usize,
}

impl Default for IdTable {
    fn default() -> Self {
        Self { shards: Box::new(std::array::from_fn(|_| Shard::default())), length: 0 }
    }
}

#[expect(clippy::indexing_slicing, reason = "places and shards are taken modulo their number")]
impl Shard {
    fn insert(&mut self, pair: Pair) {
        if (self.length + 1) * 4 > self.places.len() * 3 {
            self.resize((self.places.len() * 2).max(PLACES_MIN));
        }
        self.place(pair);
        self.length += 1;
    }

    fn place(&mut self, pair: Pair) {
        let mask = self.places.len() - 1;
        let mut at = pair.hash as usize & mask;
        while self.places[at] != VACANT {
            at = (at + 1) & mask;
        }
        self.places[at] = pair;
    }

    fn resize(&mut self, places: usize) {
        let old = std::mem::replace(&mut self.places, vec![VACANT; places]);
        for pair in old.into_iter().filter(|pair| *pair != VACANT) {
            self.place(pair);
        }
    }

    /// Whether it was there. Pairs behind it move up, so that no vacant place comes before them.
    fn remove(&mut self, pair: Pair) -> bool {
        let mask = self.places.len().wrapping_sub(1);
        let mut hole = pair.hash as usize & mask;
        while self.places.get(hole).is_some_and(|p| *p != pair && *p != VACANT) {
            hole = (hole + 1) & mask;
        }
        if self.places.get(hole) != Some(&pair) {
            return false;
        }
        let mut next = hole;
        loop {
            next = (next + 1) & mask;
            let pair = self.places[next];
            if pair == VACANT {
                break;
            }
            let wanted = pair.hash as usize & mask;
            // It may move to the hole if the place that it wants is not between the two.
            if next.wrapping_sub(wanted) & mask >= next.wrapping_sub(hole) & mask {
                self.places[hole] = pair;
                hole = next;
            }
        }
        self.places[hole] = VACANT;
        self.length -= 1;
        if self.length == 0 {
            self.places = Vec::new();
        } else if self.places.len() > PLACES_MIN && self.length * 6 < self.places.len() {
            self.resize(self.places.len() / 2);
        }
        true
    }
}

#[expect(clippy::indexing_slicing, reason = "the shard is taken modulo their number")]
impl IdTable {
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// From the top bits; places in a shard are taken from the low ones.
    const fn shard(hash: u32) -> usize {
        (hash >> 26) as usize % SHARDS
    }

    /// The numbers under that hash: usually one at most.
    #[inline(always)]
    pub(super) fn candidates(&self, hash: u64) -> Candidates<'_> {
        let hash = hash as u32 | TAKEN;
        let places = &self.shards[Self::shard(hash)].places;
        Candidates { places, hash, at: hash as usize }
    }

    /// Adds a number that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        let hash = hash as u32 | TAKEN;
        self.shards[Self::shard(hash)].insert(Pair { hash, number });
        self.length += 1;
    }

    /// Removes a number; gives memory back where a shard is mostly empty.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        let hash = hash as u32 | TAKEN;
        let found = self.shards[Self::shard(hash)].remove(Pair { hash, number });
        debug_assert!(found, "{number} is not in the table");
        self.length -= usize::from(found);
    }

    /// Bytes that the table has from the allocator.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let places: usize = self.shards.iter().map(|s| s.places.capacity()).sum();
        places * size_of::<Pair>() + size_of_val(&*self.shards)
    }
}

/// An iterator and not a closure that is called back, so that it is certain to be inlined where messages are matched.
pub(super) struct Candidates<'a> {
    places: &'a [Pair],
    hash: u32,
    at: usize,
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        let mask = self.places.len().wrapping_sub(1);
        loop {
            let pair = self.places.get(self.at & mask)?;
            self.at += 1;
            if pair.hash == self.hash {
                return Some(pair.number);
            }
            if pair.hash == VACANT.hash {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IdTable, PLACES_MIN, SHARDS};
    use crate::routing::Rng;
    use std::collections::HashMap;

    #[test]
    fn it_agrees_with_a_map_where_hashes_collide() {
        for bits in [3, 8, 20, 64] {
            let (mut table, mut rng, mut map) = (IdTable::default(), Rng::new(bits), HashMap::new());
            for round in 0..30_000_u32 {
                let growing = round / 5_000 % 2 == 0;
                if rng.below(10) < if growing { 7 } else { 3 } {
                    // Few bits: long runs that wrap around the end of a shard.
                    let hash = rng.next_u64() >> (64 - bits) | 0xff00_0004;
                    table.insert(hash, round);
                    map.insert(round, hash);
                } else if let Some(number) = map.keys().next().copied() {
                    table.remove(map[&number], number);
                    map.remove(&number);
                }
                assert_eq!(table.len(), map.len());
            }
            for (number, hash) in &map {
                assert_eq!(table.candidates(*hash).find(|n| n == number), Some(*number));
                assert_eq!(table.candidates(!*hash).find(|n| n == number), None);
            }
            for (number, hash) in map {
                table.remove(hash, number);
            }
            assert!(table.heap_bytes() <= SHARDS * (size_of::<super::Shard>() + PLACES_MIN * 8));
        }
    }
}
