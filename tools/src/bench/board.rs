//! What the threads of a run tell each other while it runs: counters, who is still at work, and when to stop.
//!
//! Relaxed counters and flags, as a late look costs milliseconds at the end of a run and nothing else; only the last publisher's
//! leave orders what is expected before it.

use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};

use super::clock::now_ns;

/// One workload of a run.
#[derive(Debug, Default)]
pub(crate) struct GroupBoard {
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    /// Deliveries that must come, of the publishers that are done.
    pub(crate) expected: AtomicU64,
    /// Publishers or requesters at work.
    pub(crate) senders_left: AtomicUsize,
    pub(crate) last_received_ns: AtomicU64,
    pub(crate) senders_done_ns: AtomicU64,
    /// Without an arrival for so long after the last publisher, what is missing is lost. 0: wait for ever.
    pub(crate) quiet_ns: u64,
}

impl GroupBoard {
    /// Everything has come, or nothing more will.
    pub(crate) fn is_complete(&self, now: u64) -> bool {
        if self.senders_left.load(Acquire) > 0 {
            return false;
        }
        if self.received.load(Relaxed) >= self.expected.load(Relaxed) {
            return true;
        }
        let last = self.last_received_ns.load(Relaxed).max(self.senders_done_ns.load(Relaxed));
        self.quiet_ns > 0 && now.saturating_sub(last) > self.quiet_ns
    }

    /// One publisher is done and has caused so many deliveries.
    pub(crate) fn sender_done(&self, deliveries: u64) {
        // More than can be counted is: nobody knows how much.
        let _before = self.expected.fetch_update(Relaxed, Relaxed, |before| Some(before.saturating_add(deliveries)));
        self.senders_done_ns.fetch_max(now_ns(), Relaxed);
        self.senders_left.fetch_sub(1, AcqRel);
    }
}

/// The whole run.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) groups: Vec<GroupBoard>,
    /// Members that have an end of their own: when none is left, those that only serve end too.
    pub(crate) foreground_left: AtomicUsize,
    stop: AtomicBool,
    abort: AtomicBool,
    pub(crate) start_ns: AtomicU64,
}

impl Board {
    /// Senders send no more, and everybody ends when what is under way has come: Ctrl-C.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// Somebody has failed: what the others wait for may never come, so they end where they are.
    pub(crate) fn abort(&self) {
        self.stop();
        self.abort.store(true, Relaxed);
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.abort.load(Relaxed)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Sent and received over all workloads.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let sum =
            |count: fn(&GroupBoard) -> &AtomicU64| self.groups.iter().map(|group| count(group).load(Relaxed)).sum();
        (sum(|group| &group.sent), sum(|group| &group.received))
    }
}

#[cfg(test)]
mod tests {
    use super::GroupBoard;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn a_group_is_complete_when_all_has_come_or_nothing_comes_any_more() {
        let group = GroupBoard { quiet_ns: 1_000, ..GroupBoard::default() };
        group.senders_left.store(1, Relaxed);
        assert!(!group.is_complete(u64::MAX), "a publisher is at work");
        group.sender_done(10);
        let done = group.senders_done_ns.load(Relaxed);
        assert!(!group.is_complete(done + 1_000));
        assert!(group.is_complete(done + 1_001), "quiet");
        group.received.store(10, Relaxed);
        assert!(group.is_complete(done));
    }

    #[test]
    fn without_a_quiet_time_it_waits_for_ever() {
        let group = GroupBoard::default();
        group.expected.store(1, Relaxed);
        assert!(!group.is_complete(u64::MAX));
    }
}
