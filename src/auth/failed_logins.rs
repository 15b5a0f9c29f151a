//! How often logins failed from an address, so that guessing can be slowed down. Off by default, and beyond the peer.
//!
//! Owns a count for each address and minute. Must not know the clock or sockets: an address is only a name here, and `now` an argument.
//! Invariants: bounded in addresses, where the one whose minute began first makes room; addresses of IPv6 count by their /64, since
//! whoever has one has all of it.

use core::net::{IpAddr, Ipv6Addr};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::limits::FAILED_LOGIN_ADDRESSES_MAX;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_secs(60);

/// Failures of one address.
#[derive(Debug)]
struct Count {
    /// When the first of this minute was.
    since: Instant,
    failed: u32,
}

/// Counts of failed logins.
#[derive(Debug)]
pub struct FailedLogins {
    per_minute_max: Option<u32>,
    counts: HashMap<IpAddr, Count>,
}

impl FailedLogins {
    /// `None`: nothing is counted and nobody is refused.
    pub fn new(per_minute_max: Option<u32>) -> Self {
        Self { per_minute_max, counts: HashMap::new() }
    }

    /// Whether logins from `address` are refused unheard: so many failed since its minute began, and it is not over.
    pub fn is_blocked(&self, address: IpAddr, now: Instant) -> bool {
        let Some(max) = self.per_minute_max else { return false };
        self.counts.get(&network(address)).is_some_and(|count| !is_over(count, now) && count.failed >= max)
    }

    /// A login from `address` failed. Not for those that were refused unheard: they would never end.
    pub fn note(&mut self, address: IpAddr, now: Instant) {
        if self.per_minute_max.is_none() {
            return;
        }
        let address = network(address);
        if let Some(count) = self.counts.get_mut(&address) {
            if is_over(count, now) {
                *count = Count { since: now, failed: 0 };
            }
            count.failed = count.failed.saturating_add(1);
            return;
        }
        if self.counts.len() >= FAILED_LOGIN_ADDRESSES_MAX {
            self.make_room(now);
        }
        self.counts.insert(address, Count { since: now, failed: 1 });
    }

    /// How many addresses are known.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn make_room(&mut self, now: Instant) {
        self.counts.retain(|_, count| !is_over(count, now));
        if self.counts.len() >= FAILED_LOGIN_ADDRESSES_MAX {
            let oldest = self.counts.iter().min_by_key(|(_, count)| count.since).map(|(address, _)| *address);
            oldest.map(|address| self.counts.remove(&address));
        }
    }
}

fn is_over(count: &Count, now: Instant) -> bool {
    now.saturating_duration_since(count.since) >= WINDOW
}

/// What is counted together with `address`.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn so_many_a_minute_and_no_more() {
        let start = Instant::now();
        let mut logins = FailedLogins::new(Some(3));
        let blocked = [1, 2, 3, 4].map(|_| {
            logins.note(v4(1), start);
            logins.is_blocked(v4(1), start)
        });
        assert_eq!(blocked, [false, false, true, true]);
        assert!(!logins.is_blocked(v4(2), start), "another address");
        assert!(logins.is_blocked(v4(1), start + Duration::from_secs(59)));
        assert!(!logins.is_blocked(v4(1), start + WINDOW));
        logins.note(v4(1), start + WINDOW);
        assert!(!logins.is_blocked(v4(1), start + WINDOW), "a new minute begins");
    }

    #[test]
    fn is_off_by_default() {
        let now = Instant::now();
        let mut logins = FailedLogins::new(None);
        (0..1000).for_each(|_| logins.note(v4(1), now));
        assert!(logins.is_empty() && !logins.is_blocked(v4(1), now));
    }

    #[test]
    fn one_has_all_of_its_network_and_an_address_only_one_form() {
        let now = Instant::now();
        let mut logins = FailedLogins::new(Some(1));
        logins.note("2001:db8::1".parse().expect("an address"), now);
        assert!(logins.is_blocked("2001:db8::ffff:2".parse().expect("an address"), now));
        assert!(!logins.is_blocked("2001:db8:0:1::1".parse().expect("an address"), now));
        logins.note("::ffff:10.0.0.1".parse().expect("an address"), now);
        assert!(logins.is_blocked("10.0.0.1".parse().expect("an address"), now));
    }

    #[test]
    fn is_bounded() {
        let start = Instant::now();
        let mut logins = FailedLogins::new(Some(1));
        for n in 0..FAILED_LOGIN_ADDRESSES_MAX as u32 + 10 {
            logins.note(v4(n), start + Duration::from_millis(n.into()));
        }
        assert_eq!(logins.len(), FAILED_LOGIN_ADDRESSES_MAX);
        let last = start + Duration::from_millis(FAILED_LOGIN_ADDRESSES_MAX as u64);
        assert!(!logins.is_blocked(v4(0), last) && logins.is_blocked(v4(100), last), "the oldest made room");
        logins.note(v4(u32::MAX), last + WINDOW + WINDOW);
        assert_eq!(logins.len(), 1, "what is over goes first");
    }
}
