//! Lines that clients can cause before they are let in: so many a second are written, the others are counted and the count is said.

use std::time::{Duration, Instant};

/// Lines a second on one core.
pub(super) const LINES_PER_SECOND_MAX: u32 = 100;

const SECOND: Duration = Duration::from_secs(1);

/// What was written in the second at hand, and what was not.
#[derive(Debug)]
pub(super) struct LineLimit {
    since: Instant,
    written: u32,
    dropped: u64,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is written.
    Write,
    /// It is not, as the first one since the count was said: say it at that time.
    DropFirst(Instant),
    /// It is not.
    Drop,
}

impl LineLimit {
    pub(super) const fn new(now: Instant) -> Self {
        Self { since: now, written: 0, dropped: 0 }
    }

    /// A line is to be written.
    pub(super) fn take(&mut self, now: Instant) -> Verdict {
        if now.saturating_duration_since(self.since) >= SECOND {
            self.since = now;
            self.written = 0;
        }
        if self.written < LINES_PER_SECOND_MAX {
            self.written += 1;
            return Verdict::Write;
        }
        self.dropped += 1;
        if self.dropped == 1 { Verdict::DropFirst(self.since + SECOND) } else { Verdict::Drop }
    }

    /// How many lines were not written since this was last asked.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_in_a_second_is_counted() {
        let start = Instant::now();
        let mut limit = LineLimit::new(start);
        for _ in 0..LINES_PER_SECOND_MAX {
            assert_eq!(limit.take(start), Verdict::Write);
        }
        assert_eq!(limit.take(start), Verdict::DropFirst(start + SECOND));
        assert_eq!(limit.take(start), Verdict::Drop);
        assert_eq!(limit.take_dropped(), 2);
        assert_eq!(limit.take_dropped(), 0);
        assert_eq!(limit.take(start + SECOND), Verdict::Write);
    }
}
