//! Requests of this core that were sent to several cores, or sent on for several groups, and found nobody on some of those ways.
//!
//! Bounded in number and time: where one core did deliver, the others' reports never add up, and are forgotten.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::fabric::message::{Origin, WHOLE};

const REPORTS_MAX: usize = 65_536;
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Which part of the whole has been reported, by the number of the message.
#[derive(Debug, Default)]
pub(super) struct Reports {
    seen: HashMap<u64, u32>,
    order: VecDeque<(u64, Instant)>,
}

impl Reports {
    /// A part has found nobody. Whether that was the last of them.
    pub(super) fn is_whole(&mut self, origin: &Origin, now: Instant) -> bool {
        if origin.share == WHOLE {
            return true;
        }
        self.forget(now);
        let seen = self.seen.entry(origin.number).or_insert_with(|| {
            self.order.push_back((origin.number, now));
            0
        });
        *seen += origin.share; // the parts of one message add up to the whole, which fits
        let all = *seen == WHOLE;
        if all {
            self.seen.remove(&origin.number);
        }
        all
    }

    /// Gives up those that are too old or too many.
    pub(super) fn forget(&mut self, now: Instant) {
        while let Some(&(number, at)) = self.order.front() {
            let settled = !self.seen.contains_key(&number);
            if !settled && self.order.len() <= REPORTS_MAX && now.saturating_duration_since(at) < FORGOTTEN_AFTER {
                break;
            }
            self.seen.remove(&number);
            self.order.pop_front();
        }
    }

    /// How many requests are remembered.
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ConnId, CoreId};

    #[test]
    fn the_last_part_completes_a_request_and_nothing_stays() {
        let conn = ConnId { core: CoreId::FIRST, slot: 1, generation: 0 };
        let (mut reports, now) = (Reports::default(), Instant::now());
        let of = |number| Origin { conn, number, share: WHOLE / 2 };
        assert!(!reports.is_whole(&of(1), now));
        assert!(!reports.is_whole(&of(2), now));
        assert!(reports.is_whole(&of(1), now));
        assert_eq!(reports.len(), 1);
        assert!(!reports.is_whole(&of(3), now + FORGOTTEN_AFTER));
        assert_eq!(reports.len(), 1);
    }
}
