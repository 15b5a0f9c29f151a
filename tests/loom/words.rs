//! What cores do with a `Mail`, and a double of it that leaves one thing out.
//!
//! Must stay in step with `fabric::mail`: `Faulty` without a fault is that code.

use super::mail::Mail;
use super::sync::fence;
use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicBool, AtomicU64};

/// What cores do with a `Mail`: so that a faulty one can take its place.
pub(crate) trait Words: Send + Sync + 'static {
    fn post(&self, bit: u64);
    fn claim_wake(&self) -> bool;
    fn turns(&self) -> u64;
    fn is_sleeping(&self) -> bool;
    fn any(&self) -> bool;
    fn take(&self) -> u64;
    fn publish_sleep(&self);
    fn awake(&self);
    fn end_turn(&self);
}

macro_rules! forward {
    ($($name:ident($($arg:ident: $t:ty)?) $(-> $ret:ty)?;)*) => {
        impl Words for Mail { $(fn $name(&self $(, $arg: $t)?) $(-> $ret)? { Mail::$name(self $(, $arg)?) })* }
    };
}
forward! {
    post(bit: u64); claim_wake() -> bool; turns() -> u64; is_sleeping() -> bool; any() -> bool; take() -> u64;
    publish_sleep(); awake(); end_turn();
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// A post skips a bit that is set by a load that may be stale.
    SkipWithoutFence,
    /// The waker may read the sleeping flag before its post is seen.
    ClaimWithoutFence,
    /// The sleeper may look before its flag is seen.
    SleepWithoutFence,
    /// Every waker that sees the flag wakes.
    ClaimWithoutSwap,
    /// A grace period may start from a count of the past.
    TurnsWithoutFence,
    /// What was pushed in a turn may be seen after its end.
    TurnNotReleased,
}

/// `Mail` with one thing left out.
pub(crate) struct Faulty {
    fault: Fault,
    word: AtomicU64,
    sleeping: AtomicBool,
    turns: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        let (word, sleeping, turns) = (AtomicU64::new(0), AtomicBool::new(false), AtomicU64::new(0));
        Self { fault, word, sleeping, turns }
    }

    fn fence_unless(&self, fault: Fault) {
        if self.fault != fault {
            fence(SeqCst);
        }
    }
}

impl Words for Faulty {
    fn post(&self, bit: u64) {
        self.fence_unless(Fault::SkipWithoutFence);
        if self.word.load(Relaxed) & bit == 0 {
            self.word.fetch_or(bit, AcqRel);
        }
    }
    fn claim_wake(&self) -> bool {
        self.fence_unless(Fault::ClaimWithoutFence);
        let sleeping = self.sleeping.load(Relaxed);
        sleeping && (self.fault == Fault::ClaimWithoutSwap || self.sleeping.swap(false, AcqRel))
    }
    fn turns(&self) -> u64 {
        self.fence_unless(Fault::TurnsWithoutFence);
        self.turns.load(Acquire)
    }
    fn is_sleeping(&self) -> bool {
        fence(SeqCst);
        self.sleeping.load(Acquire)
    }
    fn any(&self) -> bool {
        self.fence_unless(Fault::SleepWithoutFence);
        self.word.load(Acquire) != 0
    }
    fn take(&self) -> u64 {
        if !self.any() {
            return 0;
        }
        let senders = self.word.swap(0, AcqRel);
        fence(SeqCst);
        senders
    }
    fn publish_sleep(&self) {
        self.sleeping.store(true, Release);
        self.fence_unless(Fault::SleepWithoutFence);
    }
    fn awake(&self) {
        self.sleeping.store(false, Release);
    }
    fn end_turn(&self) {
        let order = if self.fault == Fault::TurnNotReleased { Relaxed } else { Release };
        self.turns.store(self.turns.load(Relaxed) + 1, order);
    }
}
