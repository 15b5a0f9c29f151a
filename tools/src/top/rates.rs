//! Rates from two looks at counters.
//!
//! Owns what the last look has said. Knows no clock: the moments come with the looks, best by the server's own clock. A server that
//! was started anew, and a counter that has fallen, give no rate rather than a wrong one.

use std::collections::HashMap;
use std::hash::Hash;

use crate::monitoring::pages::Traffic;

/// Looks that follow faster than this do not make a rate: the one before stays.
const SECONDS_MIN: f64 = 0.2;

/// Growth a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flow {
    pub(crate) in_msgs: f64,
    pub(crate) in_bytes: f64,
    pub(crate) out_msgs: f64,
    pub(crate) out_bytes: f64,
}

/// Which start of which server has counted, and when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    pub(crate) server: String,
    pub(crate) seconds: f64,
}

/// Counters by key, with what they have become.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    base: Option<(Moment, HashMap<K, Traffic>)>,
    flows: HashMap<K, Flow>,
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self { base: None, flows: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone> Rates<K> {
    /// Takes a look in.
    pub(crate) fn look(&mut self, moment: Moment, counters: impl IntoIterator<Item = (K, Traffic)>) {
        let counters: HashMap<K, Traffic> = counters.into_iter().collect();
        match &self.base {
            Some((before, _)) if before.server != moment.server || moment.seconds <= before.seconds => {
                self.flows.clear();
            }
            Some((before, _)) if moment.seconds - before.seconds < SECONDS_MIN => return,
            Some((before, then)) => {
                let seconds = moment.seconds - before.seconds;
                let grown = |(key, now): (&K, &Traffic)| Some((key.clone(), flow(now, then.get(key)?, seconds)?));
                self.flows = counters.iter().filter_map(grown).collect();
            }
            None => {}
        }
        self.base = Some((moment, counters));
    }

    /// The rate of one counter; `None` where two looks have not been had.
    pub(crate) fn of(&self, key: &K) -> Option<Flow> {
        self.flows.get(key).copied()
    }

    /// The server is away: what it did is no longer what it does.
    pub(crate) fn forget(&mut self) {
        self.base = None;
        self.flows.clear();
    }
}

fn flow(now: &Traffic, then: &Traffic, seconds: f64) -> Option<Flow> {
    let rate = |now: u64, then: u64| now.checked_sub(then).map(|grown| grown as f64 / seconds);
    Some(Flow {
        in_msgs: rate(now.in_msgs, then.in_msgs)?,
        in_bytes: rate(now.in_bytes, then.in_bytes)?,
        out_msgs: rate(now.out_msgs, then.out_msgs)?,
        out_bytes: rate(now.out_bytes, then.out_bytes)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Flow, Moment, Rates};
    use crate::monitoring::pages::Traffic;

    fn at(server: &str, seconds: f64) -> Moment {
        Moment { server: server.into(), seconds }
    }

    fn traffic(all: u64) -> Traffic {
        Traffic { in_msgs: all, in_bytes: all * 10, out_msgs: all * 2, out_bytes: all * 20 }
    }

    #[test]
    fn two_looks_make_a_rate() {
        let mut rates = Rates::default();
        rates.look(at("a", 100.0), [(1, traffic(10))]);
        assert_eq!(rates.of(&1), None);
        rates.look(at("a", 102.0), [(1, traffic(30)), (2, traffic(5))]);
        assert_eq!(rates.of(&1), Some(Flow { in_msgs: 10.0, in_bytes: 100.0, out_msgs: 20.0, out_bytes: 200.0 }));
        assert_eq!(rates.of(&2), None, "seen once");
        rates.look(at("a", 103.0), [(2, traffic(6))]);
        assert_eq!((rates.of(&1), rates.of(&2).map(|flow| flow.in_msgs)), (None, Some(1.0)));
    }

    #[test]
    fn a_restarted_server_has_no_rates_at_first_and_right_ones_then() {
        let mut rates = Rates::default();
        rates.look(at("a", 1.0), [((), traffic(1000))]);
        rates.look(at("a", 2.0), [((), traffic(2000))]);
        rates.look(at("b", 3.0), [((), traffic(9000))]);
        assert_eq!(rates.of(&()), None, "counters of another life are no growth");
        rates.look(at("b", 4.0), [((), traffic(9001))]);
        assert_eq!(rates.of(&()).map(|flow| flow.in_msgs), Some(1.0));
    }

    #[test]
    fn a_counter_or_a_clock_that_falls_gives_no_rate() {
        let mut rates = Rates::default();
        rates.look(at("a", 1.0), [((), traffic(1000))]);
        rates.look(at("a", 2.0), [((), traffic(10))]);
        assert_eq!(rates.of(&()), None);
        rates.look(at("a", 3.0), [((), traffic(20))]);
        assert_eq!(rates.of(&()).map(|flow| flow.in_msgs), Some(10.0));
        rates.look(at("a", 1.5), [((), traffic(30))]);
        assert_eq!(rates.of(&()), None);
        rates.look(at("a", 2.5), [((), traffic(40))]);
        assert_eq!(rates.of(&()).map(|flow| flow.in_msgs), Some(10.0));
    }

    #[test]
    fn looks_too_close_to_each_other_change_nothing() {
        let mut rates = Rates::default();
        rates.look(at("a", 1.0), [((), traffic(0))]);
        rates.look(at("a", 2.0), [((), traffic(10))]);
        rates.look(at("a", 2.01), [((), traffic(11))]);
        assert_eq!(rates.of(&()).map(|flow| flow.in_msgs), Some(10.0));
        rates.look(at("a", 3.0), [((), traffic(20))]);
        assert_eq!(rates.of(&()).map(|flow| flow.in_msgs), Some(10.0), "counted from the look that made a rate");
        rates.forget();
        assert_eq!(rates.of(&()), None);
    }
}
