//! `allow_responses`: a client may answer the requests that it received.
//!
//! Owns the reply subjects that are open to one connection, how often each was used and since when it is open. Must not know the
//! clock: `now` is an argument, and never goes back. Invariant: bounded. Answers that are spent or too late go when room is needed; where
//! all are still good, the oldest goes, and its request can no longer be answered.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::config::security::ResponsePermission;
use crate::limits::{RESPONSES_BYTES_MAX, RESPONSES_MAX};

/// An open reply subject.
#[derive(Debug)]
struct Open {
    since: Instant,
    sent: u64,
    /// Which of the notes in `order` is its last.
    number: u64,
}

/// Reply subjects that one connection may publish to.
#[derive(Debug)]
pub struct Responses {
    rule: ResponsePermission,
    open: HashMap<Arc<[u8]>, Open>,
    /// Notes in the order they came, those that are no longer good included.
    order: VecDeque<(u64, Arc<[u8]>)>,
    bytes: usize,
    next_number: u64,
}

impl Responses {
    /// None are open.
    pub fn new(rule: ResponsePermission) -> Self {
        Self { rule, open: HashMap::new(), order: VecDeque::new(), bytes: 0, next_number: 0 }
    }

    /// What it goes by.
    pub fn rule(&self) -> ResponsePermission {
        self.rule
    }

    /// A message with this reply subject was delivered. Needed only where the client may not publish to it anyway.
    pub fn note(&mut self, reply: &[u8], now: Instant) {
        if reply.len() > RESPONSES_BYTES_MAX {
            return;
        }
        self.bytes += reply.len();
        let reply: Arc<[u8]> = reply.into();
        self.order.push_back((self.next_number, Arc::clone(&reply)));
        self.open.insert(reply, Open { since: now, sent: 0, number: self.next_number });
        self.next_number += 1;
        self.prune(now);
    }

    /// Whether a message to `subject` is an answer that may be published; it counts as one.
    pub fn may_publish(&mut self, subject: &[u8], now: Instant) -> bool {
        let rule = self.rule;
        let Some(open) = self.open.get_mut(subject) else { return false };
        open.sent += 1;
        let spent = rule.messages_max.is_some_and(|max| open.sent > max);
        if spent || is_late(rule, open, now) {
            self.open.remove(subject);
            return false;
        }
        true
    }

    /// How many are open, or were and are not yet forgotten.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Forgets from the front what is no longer good, and what there is no room for. Each note is looked at a bounded number of times.
    fn prune(&mut self, now: Instant) {
        while let Some((number, reply)) = self.order.front() {
            let is_full = self.order.len() > RESPONSES_MAX || self.bytes > RESPONSES_BYTES_MAX;
            // A later note of the same subject keeps it open.
            let open = self.open.get(reply).filter(|open| open.number == *number);
            let rule = self.rule;
            let is_good = open
                .is_some_and(|open| !is_late(rule, open, now) && rule.messages_max.is_none_or(|max| open.sent < max));
            if is_good && !is_full {
                return;
            }
            if open.is_some() {
                self.open.remove(reply);
            }
            self.bytes -= reply.len();
            self.order.pop_front();
        }
    }
}

fn is_late(rule: ResponsePermission, open: &Open, now: Instant) -> bool {
    rule.expires.is_some_and(|expires| now.saturating_duration_since(open.since) > expires)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn responses(messages_max: Option<u64>, expires: Option<Duration>) -> Responses {
        Responses::new(ResponsePermission { messages_max, expires })
    }

    #[test]
    fn counts_down_and_closes() {
        let now = Instant::now();
        let mut responses = responses(Some(2), None);
        assert!(!responses.may_publish(b"in.1", now));
        responses.note(b"in.1", now);
        let sent = [(); 4].map(|()| responses.may_publish(b"in.1", now));
        assert_eq!(sent, [true, true, false, false]);
        assert!(!responses.may_publish(b"in.2", now));
        responses.note(b"in.1", now);
        assert!(responses.may_publish(b"in.1", now), "a new request opens it again");
        responses.note(b"in.*", now);
        assert!(!responses.may_publish(b"in.x", now), "a wildcard is no wildcard here");
    }

    #[test]
    fn expires_from_the_last_request_on() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut responses = responses(None, Some(Duration::from_millis(800)));
        responses.note(b"in", start);
        assert!((0..100).all(|ms| responses.may_publish(b"in", after(ms * 8))));
        assert!(responses.may_publish(b"in", after(800)));
        responses.note(b"in", after(800));
        assert!(responses.may_publish(b"in", after(1600)));
        assert!(!responses.may_publish(b"in", after(1601)));
        assert!(responses.is_empty());
    }

    #[test]
    fn is_bounded_and_the_oldest_goes_first() {
        let now = Instant::now();
        let mut responses = responses(Some(1), None);
        for n in 0..RESPONSES_MAX + 10 {
            responses.note(format!("in.{n}").as_bytes(), now);
        }
        assert_eq!((responses.len(), responses.order.len()), (RESPONSES_MAX, RESPONSES_MAX));
        assert!(!responses.may_publish(b"in.9", now));
        assert!(responses.may_publish(b"in.10", now));
        let long = "x".repeat(60_000);
        for n in 0..1000 {
            responses.note(format!("{n}.{long}").as_bytes(), now);
        }
        assert!(responses.bytes <= RESPONSES_BYTES_MAX);
        let held: usize = responses.order.iter().map(|(_, reply)| reply.len()).sum();
        assert_eq!(responses.bytes, held);
        responses.note("x".repeat(RESPONSES_BYTES_MAX + 1).as_bytes(), now);
        assert!(responses.len() > 1, "one that is larger than all room has no place");
    }

    #[test]
    fn answered_requests_leave_nothing_behind() {
        let start = Instant::now();
        let mut responses = responses(Some(1), None);
        for n in 0..100_000_u64 {
            let reply = format!("in.{n}");
            let now = start + Duration::from_micros(n);
            responses.note(reply.as_bytes(), now);
            assert!(responses.may_publish(reply.as_bytes(), now));
            assert!(responses.len() <= 2 && responses.order.len() <= 2, "{n}");
        }
        // Of one that is never answered, all that come after it wait in line, up to the bound.
        responses.note(b"never", start);
        for n in 0..2 * RESPONSES_MAX {
            let reply = format!("in.{n}");
            responses.note(reply.as_bytes(), start);
            responses.may_publish(reply.as_bytes(), start);
        }
        assert!(responses.order.len() <= RESPONSES_MAX);
    }
}
