//! How long a core's turns are and how large its writes: arrays of counters, one add each.
//!
//! Owns the buckets. A turn costs no clock read that it does not make anyway: it begins when the poll returns and ends when the
//! next poll begins to wait, or returns where it does not wait.

use std::time::{Duration, Instant};

/// Buckets of an octave: a quantile is right to an eighth of its value.
const STEPS: usize = 8;
/// Octaves above the first, which is linear.
const OCTAVES: usize = 34;
/// Nanoseconds of the first step: shorter turns are not told apart.
const UNIT_NANOS: u64 = 128;

/// Lengths of turns, by logarithm.
#[derive(Clone, Debug)]
pub struct TurnTimes {
    buckets: Box<[u64; STEPS * (OCTAVES + 1)]>,
    /// The longest.
    pub max: Duration,
    /// All together: the time that the core was busy.
    pub sum: Duration,
    /// How many.
    pub count: u64,
}

impl Default for TurnTimes {
    fn default() -> Self {
        Self { buckets: Box::new([0; STEPS * (OCTAVES + 1)]), max: Duration::ZERO, sum: Duration::ZERO, count: 0 }
    }
}

/// The bucket of a number of units.
fn bucket_of(units: u64) -> usize {
    let steps = STEPS as u64;
    if units < steps {
        return units as usize;
    }
    let octave = units.ilog2() - steps.ilog2();
    let step = (units >> octave) as usize - STEPS;
    (STEPS * (octave as usize + 1) + step).min(STEPS * (OCTAVES + 1) - 1)
}

/// The first number of units that is beyond a bucket.
fn end_of(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64 + 1;
    }
    let (octave, step) = (bucket / STEPS - 1, bucket % STEPS);
    ((STEPS + step + 1) as u64) << octave
}

impl TurnTimes {
    /// One more turn.
    pub fn note(&mut self, length: Duration) {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(nanos / UNIT_NANOS)] += 1;
        self.max = self.max.max(length);
        self.sum += length;
        self.count += 1;
    }

    /// The length that so large a part of the turns does not exceed.
    pub fn quantile(&self, part: f64) -> Duration {
        let wanted = (self.count as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return Duration::from_nanos(end_of(bucket) * UNIT_NANOS).min(self.max);
            }
        }
        Duration::ZERO
    }

    /// How many turns were at most so long; exact where `length` is the end of a bucket, such as a power of two times 128 ns.
    pub fn at_most(&self, length: Duration) -> u64 {
        let units = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX) / UNIT_NANOS;
        self.buckets.iter().enumerate().take_while(|(bucket, _)| end_of(*bucket) <= units).map(|(_, count)| count).sum()
    }
}

/// Sizes of writes, by powers of two.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteSizes {
    buckets: [u64; 32],
    /// Bytes of all.
    pub sum: u64,
}

impl WriteSizes {
    /// One more write.
    pub fn note(&mut self, bytes: usize) {
        let bucket = (bytes.max(1) - 1).checked_ilog2().map_or(0, |bits| bits as usize + 1);
        self.buckets[bucket.min(31)] += 1;
        self.sum += bytes as u64;
    }

    /// How many writes had at most 2^`bits` bytes.
    pub fn at_most(&self, bits: usize) -> u64 {
        self.buckets.iter().take(bits + 1).sum()
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// All meters of one core.
#[derive(Clone, Debug)]
pub struct Meters {
    /// Its turns.
    pub turns: TurnTimes,
    /// Its writes.
    pub writes: WriteSizes,
    /// Since when.
    pub since: Instant,
    began: Option<Instant>,
}

impl Meters {
    /// From now on.
    pub fn new(now: Instant) -> Self {
        Self { turns: TurnTimes::default(), writes: WriteSizes::default(), since: now, began: None }
    }

    /// The poll has returned: what the core does from now on is a turn.
    pub(super) fn turn_begins(&mut self, now: Instant) {
        self.turn_ends(now);
        self.began = Some(now);
    }

    /// The core is about to wait.
    pub(super) fn turn_ends(&mut self, now: Instant) {
        if let Some(began) = self.began.take() {
            self.turns.note(now.saturating_duration_since(began));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_is_in_the_bucket_that_holds_it() {
        let mut units = 0;
        while units < 1 << 36 {
            let bucket = bucket_of(units);
            assert!(units < end_of(bucket) && (bucket == 0 || units >= end_of(bucket - 1)), "{units}");
            units += 1 + units / 5;
        }
        assert_eq!(bucket_of(u64::MAX), STEPS * (OCTAVES + 1) - 1);
    }

    #[test]
    fn quantiles_are_right_to_an_eighth() {
        let mut turns = TurnTimes::default();
        assert_eq!(turns.quantile(0.99), Duration::ZERO);
        for micros in 1..=1000 {
            turns.note(Duration::from_micros(micros));
        }
        for (part, exact) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let got = turns.quantile(part).as_secs_f64() * 1e6;
            assert!(got >= exact && got <= exact * 1.126, "{part}: {got} for {exact}");
        }
        assert_eq!((turns.max, turns.count), (Duration::from_millis(1), 1000));
        let limit = Duration::from_nanos(UNIT_NANOS << 10);
        assert_eq!(turns.at_most(limit), limit.as_micros() as u64);
    }

    #[test]
    fn writes_are_counted_by_powers_of_two() {
        let mut writes = WriteSizes::default();
        for bytes in [0, 1, 2, 3, 4, 5, 1 << 20, usize::MAX >> 8] {
            writes.note(bytes);
        }
        assert_eq!([0, 1, 2, 3, 20, 31].map(|bits| writes.at_most(bits)), [2, 3, 5, 6, 7, 8]);
    }
}
