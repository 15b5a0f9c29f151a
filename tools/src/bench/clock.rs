//! The one clock of all stamps: monotonic, and the same for every process of a host.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since some fixed moment of this host.
pub(crate) fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// A duration as the clock counts.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Waits without a socket to wait for.
pub(crate) fn pause(duration: Duration) {
    let end = now_ns() + nanos(duration);
    loop {
        let left = end.saturating_sub(now_ns());
        if left == 0 {
            return;
        }
        std::thread::park_timeout(Duration::from_nanos(left));
    }
}
