//! Seeded hash of short byte strings: subjects, tokens, group names.
//!
//! Owns the seed. Most subjects are below 17 bytes: two loads and one wide multiplication. Without the seed nobody can
//! choose subjects that collide; it is not a hash for secrets.

/// A hash function out of a family that the seed chooses from.
#[derive(Clone, Debug)]
pub struct KeyHash {
    first: u64,
    second: u64,
}

impl KeyHash {
    /// The function for this seed.
    pub const fn new(seed: u64) -> Self {
        let mut rng = super::Rng::new(seed);
        Self { first: rng.next_u64(), second: rng.next_u64() | 1 }
    }

    /// Its value.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let length = bytes.len();
        let (low, high) = if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            if length > 16 {
                return self.hash_long(bytes);
            }
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
        } else {
            let at = |i: usize| bytes.get(i).map_or(0, |b| u64::from(*b));
            (at(0) | at(1) << 8 | at(2) << 16, 0)
        };
        fold(low ^ self.first, high ^ self.second ^ ((length as u64) << 56))
    }

    fn hash_long(&self, bytes: &[u8]) -> u64 {
        let mut state = self.first ^ bytes.len() as u64;
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            let word = u128::from_le_bytes(*pair);
            state = fold(state ^ word as u64, self.second ^ (word >> 64) as u64);
        }
        if !rest.is_empty() {
            let word = bytes.last_chunk::<16>().map_or(0, |b| u128::from_le_bytes(*b));
            state = fold(state ^ word as u64, self.second ^ (word >> 64) as u64);
        }
        fold(state ^ self.second, self.first)
    }

    /// The hash of a token below a place in a trie, from the token's own hash.
    #[inline]
    pub(super) const fn below(&self, place: u32, token_hash: u64) -> u64 {
        fold(token_hash ^ self.second, self.first ^ (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// Both halves of the wide product, folded into one.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let wide = a as u128 * b as u128;
    wide as u64 ^ (wide >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::KeyHash;
    use std::collections::HashSet;

    #[test]
    fn numbered_subjects_spread_over_both_ends_of_the_hash() {
        let hasher = KeyHash::new(1);
        for shape in ["a.{}", "orders.eu.{}", "a.long.way.down.to.the.last.token.of.{}.subject"] {
            let (mut low, mut top) = (vec![0_u32; 1024], vec![0_u32; 128]);
            let mut all = HashSet::new();
            for i in 0..102_400 {
                let hash = hasher.hash(shape.replace("{}", &i.to_string()).as_bytes());
                low[hash as usize % 1024] += 1;
                top[(hash as u32 >> 25) as usize] += 1;
                all.insert(hash as u32);
            }
            assert!(low.iter().all(|n| (40..180).contains(n)), "{shape}: {:?}", low.iter().max());
            assert!(
                top.iter().all(|n| (600..1_000).contains(n)),
                "{shape}: {:?} {:?}",
                top.iter().max(),
                top.iter().min()
            );
            assert!(all.len() > 102_380, "{shape}: {} different of 102400", all.len());
        }
    }

    #[test]
    fn length_and_seed_count() {
        let hasher = KeyHash::new(1);
        let hashes: HashSet<u64> = (0..40).map(|n| hasher.hash(&vec![0; n])).collect();
        assert_eq!(hashes.len(), 40);
        assert_ne!(hasher.hash(b"a.b"), KeyHash::new(2).hash(b"a.b"));
    }
}
