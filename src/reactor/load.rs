//! How busy this core is, for who places the next connection.
//!
//! NATS connections are few, long and uneven: one that publishes at full rate weighs as much as thousands that are idle. What
//! counts is CPU time, and messages are a good measure of that which costs nothing to take.

use std::time::{Duration, Instant};

use super::Reactor;
use crate::os::poll::Os;

/// How often a core says how busy it was.
const EVERY: Duration = Duration::from_millis(100);
/// Messages in that time that weigh as much as one connection.
const MESSAGES_A_WEIGHT: u64 = 100;

/// What was done when this core last said how busy it was.
#[derive(Debug)]
pub(super) struct Load {
    at: Instant,
    messages: u64,
}

impl Load {
    pub(super) fn new(now: Instant) -> Self {
        Self { at: now, messages: 0 }
    }
}

impl<O: Os> Reactor<O> {
    /// Says how busy this core was, now and then.
    pub(super) fn say_load(&mut self) {
        let passed = self.now.saturating_duration_since(self.load.at);
        if passed < EVERY {
            return;
        }
        let messages = self.stats.in_msgs + self.stats.out_msgs;
        let periods = (passed.as_millis() / EVERY.as_millis()).max(1) as u64;
        let weight = (messages - self.load.messages) / periods / MESSAGES_A_WEIGHT;
        self.shared.set_load(self.this, i64::try_from(weight).unwrap_or(i64::MAX));
        self.load = Load { at: self.now, messages };
    }
}
