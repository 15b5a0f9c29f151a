//! Rests: after a turn with work a core may let more gather, so that one turn does what many would have done (`--rest_us`).
//!
//! A turn has a price of its own (waking up, a read, a write and its reader's waking up) that small messages which come one by one
//! pay each. A core that rests pays it once for all that came meanwhile, and each of these waits for half a rest on the average. So it rests
//! only while messages come so fast that this is worth it; a request that waits for its answer finds it awake.
//!
//! Nobody wakes a core that rests, as it does not say that it sleeps: to the others it is in a long turn. So it must owe them nothing.

use std::time::{Duration, Instant};

use super::Reactor;
use crate::os::poll::Os;

/// With fewer messages to gather a rest costs more than the turns it spares: a timer and its interrupt are as dear as several turns.
const GATHERED_MIN: u128 = 8;

/// How fast messages come.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    /// Those of clients, at that time.
    in_msgs: u64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, in_msgs: 0 }
    }

    /// Clients have sent so many in all, and other cores so many in the last turn. Whether a rest would gather enough, if messages came on
    /// as they have since the last turn that had some.
    fn is_worth(&mut self, rest: Duration, now: Instant, in_msgs: u64, of_cores: usize) -> bool {
        let before = std::mem::replace(self, Self { since: now, in_msgs });
        let took = now.saturating_duration_since(before.since);
        let came = u128::from(in_msgs - before.in_msgs) + of_cores as u128;
        came * rest.as_nanos() >= GATHERED_MIN * took.as_nanos()
    }
}

impl<O: Os> Reactor<O> {
    /// Lets work gather, where a turn has had some and more comes fast.
    pub(super) fn rest(&mut self) {
        if !self.turn.did_something() {
            return;
        }
        let (now, rest) = (self.os.now(), self.settings.rest);
        if self.pace.is_worth(rest, now, self.stats.in_msgs, self.turn.remote_messages) && self.is_idle() {
            self.observed.meters.turn_ends(now);
            self.os.rest(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_worth_it_where_enough_would_gather() {
        let (start, us) = (Instant::now(), Duration::from_micros);
        let mut pace = Pace::new(start);
        assert!(!pace.is_worth(us(100), start + us(70), 1, 0), "a request in 70 us");
        assert!(pace.is_worth(us(100), start + us(72), 2, 0), "a message in 2 us");
        assert!(pace.is_worth(us(100), start + us(172), 52, 0), "that is how it goes on after a rest");
        assert!(!pace.is_worth(us(10), start + us(174), 53, 0), "five in 10 us");
        assert!(!pace.is_worth(us(100), start + us(274), 56, 3), "seven in 100 us");
        assert!(pace.is_worth(us(100), start + us(374), 60, 4), "eight");
        assert!(pace.is_worth(us(100), start + us(474), 60, 8), "eight of other cores");
    }
}
