//! The one source of chance of a schedule: splitmix64 behind a cell, so that everybody may draw from it.

use std::cell::Cell;

#[derive(Debug)]
pub struct Random(Cell<u64>);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0xD6E8_FEB8_6659_FD93)))
    }

    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `bound`; 0 for 0.
    pub fn below(&self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// In `low..high`.
    pub fn range(&self, low: u64, high: u64) -> u64 {
        low + self.below(high - low)
    }

    /// `percent` of the time.
    pub fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// Takes one out.
    pub fn take<T>(&self, list: &mut Vec<T>) -> T {
        let at = self.below(list.len() as u64) as usize;
        list.swap_remove(at)
    }
}
