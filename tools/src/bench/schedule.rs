//! When each message is due: an open loop, so that a publisher that is held up does not stop the clock.
//!
//! Pure: times come in as nanoseconds. Exact over any length of run, as nothing is summed up.

/// A constant rate, shared by several senders that take turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    start_ns: u64,
    per_second: f64,
    senders: u64,
    place: u64,
}

impl Schedule {
    /// The schedule of sender `place` of `senders`, all of whom together send `per_second`.
    pub(crate) fn new(per_second: f64, senders: u64, place: u64) -> Self {
        Self { start_ns: 0, per_second, senders: senders.max(1), place }
    }

    /// The moment at which the first message of the first sender is due.
    pub(crate) fn begin(&mut self, start_ns: u64) {
        self.start_ns = start_ns;
    }

    /// When this sender's message with that number, from 0 on, is due.
    pub(crate) fn due_ns(&self, message: u64) -> u64 {
        let turn = message * self.senders + self.place;
        self.start_ns + (turn as f64 * 1e9 / self.per_second) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn senders_share_a_rate_and_take_turns() {
        let mut dues = Vec::new();
        for place in 0..4 {
            let mut schedule = Schedule::new(1000.0, 4, place);
            schedule.begin(7);
            dues.extend((0..250).map(|message| schedule.due_ns(message)));
        }
        dues.sort_unstable();
        let wanted: Vec<u64> = (0..1000).map(|turn| 7 + turn * 1_000_000).collect();
        assert_eq!(dues, wanted);
    }

    #[test]
    fn nothing_drifts() {
        let schedule = Schedule::new(3.0, 1, 0);
        assert_eq!(schedule.due_ns(3_000_000), 1_000_000_000_000_000);
    }
}
