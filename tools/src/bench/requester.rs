//! Members that ask and members that answer.
//!
//! A requester keeps a window of requests in flight. The number in its inbox subject says which request a reply belongs to.

use std::collections::VecDeque;

use super::frame::{Message, number};
use super::publisher::Produced;
use super::schedule::Schedule;
use super::subscriber::Gauge;
use super::traffic::{Payload, push_number};
use super::trouble::{Outcome, Trouble};

const BATCH_BYTES: usize = 64 * 1024;

/// What a requester is told before the run.
#[derive(Clone, Debug)]
pub(crate) struct RequesterPlan {
    pub(crate) subject: String,
    /// `_INBOX.run.member`, a number follows.
    pub(crate) inbox: String,
    pub(crate) payload: Payload,
    pub(crate) window: usize,
    pub(crate) messages: Option<u64>,
    pub(crate) duration_ns: Option<u64>,
    pub(crate) schedule: Option<Schedule>,
    /// A request without a reply for so long is lost.
    pub(crate) timeout_ns: u64,
    /// The answer must be the payload itself.
    pub(crate) expects_echo: bool,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    number: u64,
    due_ns: u64,
    sent_ns: u64,
}

/// The state of a requester.
#[derive(Debug)]
pub(crate) struct Requester {
    plan: RequesterPlan,
    verb: &'static [u8],
    control_end: Vec<u8>,
    /// A slot for each request in flight; request numbers are `slot + window * turn`.
    slots: Vec<Option<InFlight>>,
    vacant: VecDeque<usize>,
    end_ns: u64,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) bytes: u64,
    pub(crate) first_ns: u64,
    pub(crate) last_ns: u64,
    pub(crate) behind_ns: u64,
    turns: Vec<u64>,
    pub(crate) asked_pong: bool,
}

impl Requester {
    pub(crate) fn new(plan: RequesterPlan) -> Self {
        let (control_end, verb) = plan.payload.control_end();
        let window = plan.window.max(1);
        Self {
            verb,
            control_end,
            slots: vec![None; window],
            vacant: (0..window).collect(),
            turns: vec![0; window],
            plan,
            end_ns: u64::MAX,
            sent: 0,
            answered: 0,
            bytes: 0,
            first_ns: 0,
            last_ns: 0,
            behind_ns: 0,
            asked_pong: false,
        }
    }

    /// The run starts.
    pub(crate) fn begin(&mut self, start_ns: u64) {
        self.end_ns = self.plan.duration_ns.map_or(u64::MAX, |duration| start_ns + duration);
        if let Some(schedule) = &mut self.plan.schedule {
            schedule.begin(start_ns);
        }
        self.first_ns = start_ns;
        self.last_ns = start_ns;
    }

    /// The pattern to subscribe to.
    pub(crate) fn pattern(plan: &RequesterPlan) -> String {
        format!("{}.*", plan.inbox)
    }

    /// Bytes of payload that were sent.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent * self.plan.payload.body.len() as u64
    }

    fn in_flight(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    /// Puts the requests that are due and have room in the window into `out`.
    pub(crate) fn produce(&mut self, out: &mut Vec<u8>, now: u64, is_stopped: bool) -> Produced {
        loop {
            let is_last = self.plan.messages.is_some_and(|messages| self.sent >= messages);
            let due = match &self.plan.schedule {
                None => now,
                Some(schedule) => schedule.due_ns(self.sent),
            };
            if is_last || is_stopped || due >= self.end_ns {
                // What is in flight gets its time.
                let is_over =
                    self.in_flight() == 0 || is_stopped || now.saturating_sub(self.last_ns) > self.plan.timeout_ns;
                return if is_over { Produced::Done } else { Produced::Waiting };
            }
            if due > now {
                return Produced::Due(due);
            }
            let Some(slot) = self.vacant.front().copied() else {
                return if now.saturating_sub(self.last_ns) > self.plan.timeout_ns {
                    Produced::Done
                } else {
                    Produced::Waiting
                };
            };
            if out.len() >= BATCH_BYTES {
                return Produced::More;
            }
            self.vacant.pop_front();
            self.behind_ns = self.behind_ns.max(now - due);
            self.push(out, slot, due, now);
        }
    }

    fn push(&mut self, out: &mut Vec<u8>, slot: usize, due_ns: u64, now: u64) {
        let number = slot as u64 + self.slots.len() as u64 * self.turns[slot];
        self.turns[slot] += 1;
        self.slots[slot] = Some(InFlight { number, due_ns, sent_ns: now });
        out.extend_from_slice(self.verb);
        out.extend_from_slice(self.plan.subject.as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.plan.inbox.as_bytes());
        out.push(b'.');
        push_number(out, number);
        out.extend_from_slice(&self.control_end);
        out.extend_from_slice(&self.plan.payload.headers);
        out.extend_from_slice(&self.plan.payload.body);
        out.extend_from_slice(b"\r\n");
        if self.sent == 0 {
            self.last_ns = now;
        }
        self.sent += 1;
    }

    /// One reply.
    pub(crate) fn take(&mut self, message: &Message<'_>, now: u64, gauge: &mut Gauge) -> Outcome<()> {
        let text = message.subject.strip_prefix(self.plan.inbox.as_bytes()).and_then(|rest| rest.strip_prefix(b"."));
        let asked = text.and_then(number).and_then(|number| {
            let slot = number % self.slots.len();
            self.slots[slot].take_if(|in_flight| in_flight.number == number as u64).map(|found| (slot, found))
        });
        let Some((slot, request)) = asked else {
            gauge.faults.unasked += 1;
            return Ok(());
        };
        self.vacant.push_back(slot);
        self.last_ns = now;
        if message.headers.starts_with(b"NATS/1.0 503") {
            if self.answered == 0 {
                return Err(Trouble::NoResponders(self.plan.subject.clone()));
            }
            gauge.faults.no_responders += 1;
            return Ok(());
        }
        self.answered += 1;
        self.bytes += message.payload.len() as u64;
        if self.plan.expects_echo && *message.payload != *self.plan.payload.body {
            gauge.faults.damaged += 1;
        }
        gauge.latencies.record(now.saturating_sub(request.due_ns), now.saturating_sub(request.sent_ns));
        Ok(())
    }

    /// Requests that were never answered.
    pub(crate) fn lost(&self) -> u64 {
        self.in_flight() as u64
    }
}

/// A member that answers.
#[derive(Debug)]
pub(crate) struct Responder {
    /// `None`: what was asked comes back.
    pub(crate) reply: Option<Payload>,
    pub(crate) answered: u64,
    pub(crate) bytes: u64,
}

impl Responder {
    /// Puts the answer to a request into `out`.
    pub(crate) fn answer(&mut self, out: &mut Vec<u8>, message: &Message<'_>) {
        self.answered += 1;
        self.bytes += message.payload.len() as u64;
        if message.reply.is_empty() {
            return;
        }
        let payload = self.reply.as_ref().map_or(message.payload, |reply| &reply.body);
        out.extend_from_slice(b"PUB ");
        out.extend_from_slice(message.reply);
        out.push(b' ');
        push_number(out, payload.len() as u64);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::{Gauge, Produced, Requester, RequesterPlan, Responder};
    use crate::bench::frame::Message;
    use crate::bench::traffic::Payload;

    fn requester() -> Requester {
        let mut requester = Requester::new(RequesterPlan {
            subject: "svc".into(),
            inbox: "_INBOX.1.0".into(),
            payload: Payload::of_size(2),
            window: 2,
            messages: Some(3),
            duration_ns: None,
            schedule: None,
            timeout_ns: 1_000,
            expects_echo: true,
        });
        requester.begin(0);
        requester
    }

    fn message<'a>(subject: &'a str, headers: &'a str, payload: &'a str) -> Message<'a> {
        let (subject, headers, payload) = (subject.as_bytes(), headers.as_bytes(), payload.as_bytes());
        Message { subject, sid: b"1", reply: b"", headers, payload }
    }

    #[test]
    fn the_window_bounds_what_is_in_flight() {
        let (mut requester, mut gauge, mut out) = (requester(), Gauge::default(), Vec::new());
        assert_eq!(requester.produce(&mut out, 10, false), Produced::Waiting);
        assert_eq!(out, b"PUB svc _INBOX.1.0.0 2\r\nab\r\nPUB svc _INBOX.1.0.1 2\r\nab\r\n");
        requester.take(&message("_INBOX.1.0.1", "", "ab"), 30, &mut gauge).expect("a reply");
        out.clear();
        assert_eq!(requester.produce(&mut out, 40, false), Produced::Waiting);
        assert_eq!(out, b"PUB svc _INBOX.1.0.3 2\r\nab\r\n");
        requester.take(&message("_INBOX.1.0.3", "", "ab"), 50, &mut gauge).expect("a reply");
        requester.take(&message("_INBOX.1.0.0", "", "ab"), 50, &mut gauge).expect("a reply");
        assert_eq!(requester.produce(&mut out, 60, false), Produced::Done);
        assert_eq!((requester.lost(), requester.answered, gauge.faults.total()), (0, 3, 0));
        assert_eq!(gauge.latencies.corrected.max(), 40);
    }

    #[test]
    fn replies_that_nobody_asked_for_are_faults() {
        let (mut requester, mut gauge, mut out) = (requester(), Gauge::default(), Vec::new());
        requester.produce(&mut out, 10, false);
        for subject in ["_INBOX.1.0.7", "_INBOX.2.0.0", "_INBOX.1.0.x", "other"] {
            requester.take(&message(subject, "", "ab"), 20, &mut gauge).expect("only counted");
        }
        requester.take(&message("_INBOX.1.0.0", "", "xx"), 20, &mut gauge).expect("a reply");
        requester.take(&message("_INBOX.1.0.0", "", "ab"), 20, &mut gauge).expect("only counted");
        assert_eq!((gauge.faults.unasked, gauge.faults.damaged), (5, 1));
    }

    #[test]
    fn what_is_never_answered_is_lost() {
        let (mut requester, mut out) = (requester(), Vec::new());
        requester.produce(&mut out, 10, false);
        assert_eq!(requester.produce(&mut out, 1_010, false), Produced::Waiting);
        assert_eq!(requester.produce(&mut out, 1_011, false), Produced::Done);
        assert_eq!(requester.lost(), 2);
    }

    #[test]
    fn nobody_there_is_said_at_once() {
        let (mut requester, mut out) = (requester(), Vec::new());
        requester.produce(&mut out, 10, false);
        let answer = message("_INBOX.1.0.0", "NATS/1.0 503\r\n\r\n", "");
        let text = requester.take(&answer, 20, &mut Gauge::default()).expect_err("nobody").to_string();
        assert!(text.contains("serve svc"), "{text}");
    }

    #[test]
    fn responders_echo() {
        let mut responder = Responder { reply: None, answered: 0, bytes: 0 };
        let mut out = Vec::new();
        responder.answer(&mut out, &Message { reply: b"r", ..message("svc", "", "hi") });
        assert_eq!(out, b"PUB r 2\r\nhi\r\n");
    }
}
