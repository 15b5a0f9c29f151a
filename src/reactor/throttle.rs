//! `connection_rate_limit`: how many connections a second are taken in, over all cores.
//!
//! Touched once a connection, and only where a limit is set. As on the peer a window of a second begins with the first connection
//! after the last one's end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A window.
pub(super) const WINDOW: Duration = Duration::from_secs(1);

const COUNT_BITS: u32 = 24;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;

/// Shared by all cores.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    base: OnceLock<Instant>,
    /// When the window began, in milliseconds from `base` and 1 (0: there is none), and how many came in it.
    window: AtomicU64,
    rejected: AtomicU64,
}

impl Throttle {
    /// Whether one more may come in, of at most `max` in a window.
    pub(super) fn allows(&self, now: Instant, max: u64) -> bool {
        let base = *self.base.get_or_init(|| now);
        let now = now.saturating_duration_since(base).as_millis() as u64 + 1;
        let next = |window: u64| {
            let (start, count) = (window >> COUNT_BITS, window & COUNT_MAX);
            if start == 0 || now.saturating_sub(start) > WINDOW.as_millis() as u64 {
                return Some(now << COUNT_BITS | 1);
            }
            (count < max.min(COUNT_MAX)).then_some(window + 1)
        };
        self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// One was turned away. Whether it is the first that nobody has been told of.
    pub(super) fn reject(&self) -> bool {
        self.rejected.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// How many were turned away since this was asked last.
    pub(super) fn take_rejected(&self) -> u64 {
        self.rejected.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_window_and_no_more() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for window in 0..3 {
            let now = start + 2 * WINDOW * window;
            assert!(throttle.allows(now, 2) && throttle.allows(now + WINDOW / 2, 2));
            assert!(!throttle.allows(now + WINDOW, 2));
        }
        assert!(throttle.reject() && !throttle.reject());
        assert_eq!((throttle.take_rejected(), throttle.take_rejected()), (2, 0));
    }
}
