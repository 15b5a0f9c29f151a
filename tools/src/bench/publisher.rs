//! A member that publishes: as fast as the socket takes it, or when messages are due.

use super::schedule::Schedule;
use super::stamp::Stamp;
use super::traffic::{Order, Payload, Random, Subjects, push_number};
use super::zipf::Zipf;

/// Bytes prepared before a write: few system calls, and they stay in the cache.
const BATCH_BYTES: usize = 64 * 1024;
/// More subjects than this share one sequence a publisher.
const COUNTED_SUBJECTS_MAX: u32 = 1 << 20;

/// What a publisher is told before the run.
#[derive(Clone, Debug)]
pub(crate) struct PublisherPlan {
    pub(crate) number: u16,
    pub(crate) run: u16,
    pub(crate) subjects: Subjects,
    pub(crate) payload: Payload,
    /// As many messages, or as many as there is time for.
    pub(crate) messages: Option<u64>,
    pub(crate) duration_ns: Option<u64>,
    pub(crate) schedule: Option<Schedule>,
    /// Deliveries that each message causes.
    pub(crate) fan_out: u64,
    pub(crate) seed: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Produced {
    /// The buffer is full; there is more.
    More,
    /// Nothing before this moment.
    Due(u64),
    /// Nothing before something arrives.
    Waiting,
    /// That was the last.
    Done,
}

/// The state of a publisher.
#[derive(Debug)]
pub(crate) struct Publisher {
    plan: PublisherPlan,
    verb: &'static [u8],
    control_end: Vec<u8>,
    sequences: Vec<u64>,
    random: Random,
    zipf: Option<Zipf>,
    end_ns: u64,
    pub(crate) sent: u64,
    pub(crate) first_ns: u64,
    pub(crate) last_ns: u64,
    /// The furthest that a message was behind its time when it was handed over.
    pub(crate) behind_ns: u64,
    pub(crate) asked_pong: bool,
}

impl Publisher {
    pub(crate) fn new(plan: PublisherPlan) -> Self {
        let (control_end, verb) = plan.payload.control_end();
        let counted = if plan.subjects.count > COUNTED_SUBJECTS_MAX { 1 } else { plan.subjects.streams() };
        let random = Random(plan.seed);
        let zipf = match plan.subjects.order {
            Order::Zipf(exponent) => Some(Zipf::new(plan.subjects.count, exponent)),
            Order::InTurn | Order::Random => None,
        };
        let sequences = vec![0; counted as usize];
        let (end_ns, sent, first_ns, last_ns, behind_ns) = (u64::MAX, 0, 0, 0, 0);
        Self {
            plan,
            verb,
            control_end,
            sequences,
            random,
            zipf,
            end_ns,
            sent,
            first_ns,
            last_ns,
            behind_ns,
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
    }

    /// Deliveries that were caused.
    pub(crate) fn deliveries(&self) -> u64 {
        self.sent * self.plan.fan_out
    }

    /// Bytes of payload that were sent.
    pub(crate) fn bytes(&self) -> u64 {
        self.sent * self.plan.payload.body.len() as u64
    }

    /// Puts what is due into `out`, until it is full.
    pub(crate) fn produce(&mut self, out: &mut Vec<u8>, now: u64, is_stopped: bool) -> Produced {
        loop {
            let is_last = self.plan.messages.is_some_and(|messages| self.sent >= messages);
            if is_last || is_stopped {
                return Produced::Done;
            }
            let due = match &self.plan.schedule {
                None if now >= self.end_ns => return Produced::Done,
                None => now,
                Some(schedule) => {
                    let due = schedule.due_ns(self.sent);
                    if due >= self.end_ns {
                        return Produced::Done;
                    }
                    if due > now {
                        return Produced::Due(due);
                    }
                    self.behind_ns = self.behind_ns.max(now - due);
                    due
                }
            };
            if out.len() >= BATCH_BYTES {
                return Produced::More;
            }
            self.push(out, due, now);
            self.last_ns = now;
        }
    }

    fn push(&mut self, out: &mut Vec<u8>, due_ns: u64, now: u64) {
        let plan = &self.plan;
        out.extend_from_slice(self.verb);
        out.extend_from_slice(plan.subjects.base.as_bytes());
        let mut subject = 0;
        if plan.subjects.count > 0 {
            let count = u64::from(plan.subjects.count);
            subject = match &self.zipf {
                Some(zipf) => zipf.draw(&mut self.random),
                None if plan.subjects.order == Order::Random => self.random.below(count),
                None => self.sent % count,
            };
            out.push(b'.');
            push_number(out, subject);
        }
        out.extend_from_slice(&self.control_end);
        out.extend_from_slice(&plan.payload.headers);
        let body = out.len();
        out.extend_from_slice(&plan.payload.body);
        let place = subject as usize % self.sequences.len();
        let sequence = self.sequences[place];
        self.sequences[place] += 1;
        let subject = subject as u32;
        let stamp = Stamp {
            run: plan.run,
            publisher: plan.number,
            subject,
            sequence,
            due_ns,
            delay_ns: now.saturating_sub(due_ns),
        };
        stamp.write(plan.payload.format, &mut out[body..]);
        out.extend_from_slice(b"\r\n");
        self.sent += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Produced, Publisher, PublisherPlan, Schedule};
    use crate::bench::traffic::{Order, Payload, Subjects};

    fn plan() -> PublisherPlan {
        PublisherPlan {
            number: 0,
            run: 1,
            subjects: Subjects::one("a"),
            payload: Payload::of_size(4),
            messages: Some(3),
            duration_ns: None,
            schedule: None,
            fan_out: 2,
            seed: 1,
        }
    }

    #[test]
    fn publishes_what_it_was_told() {
        let mut publisher = Publisher::new(PublisherPlan {
            subjects: Subjects { base: "a".into(), count: 2, order: Order::InTurn },
            ..plan()
        });
        publisher.begin(0);
        let mut out = Vec::new();
        assert_eq!(publisher.produce(&mut out, 5, false), Produced::Done);
        assert_eq!(out, b"PUB a.0 4\r\nabcd\r\nPUB a.1 4\r\nabcd\r\nPUB a.0 4\r\nabcd\r\n");
        assert_eq!((publisher.sent, publisher.deliveries(), publisher.bytes()), (3, 6, 12));
    }

    #[test]
    fn waits_until_a_message_is_due_and_catches_up() {
        let schedule = Some(Schedule::new(1e9, 1, 0));
        let mut publisher = Publisher::new(PublisherPlan { schedule, messages: Some(100), ..plan() });
        publisher.begin(1000);
        let mut out = Vec::new();
        assert_eq!(publisher.produce(&mut out, 999, false), Produced::Due(1000));
        assert_eq!(publisher.produce(&mut out, 1009, false), Produced::Due(1010));
        assert_eq!((publisher.sent, publisher.behind_ns), (10, 9));
        assert_eq!(publisher.produce(&mut out, 5000, false), Produced::Done);
        assert_eq!(publisher.sent, 100);
    }

    #[test]
    fn ends_with_its_time_or_when_stopped() {
        let schedule = Some(Schedule::new(1e9, 1, 0));
        let limits = PublisherPlan { messages: None, duration_ns: Some(50), schedule, ..plan() };
        let mut publisher = Publisher::new(limits.clone());
        publisher.begin(0);
        assert_eq!(publisher.produce(&mut Vec::new(), 1_000_000, false), Produced::Done);
        assert_eq!(publisher.sent, 50, "all that were due, though late");
        let mut publisher = Publisher::new(PublisherPlan { schedule: None, ..limits });
        publisher.begin(0);
        assert_eq!(publisher.produce(&mut Vec::new(), 49, false), Produced::More);
        assert_eq!(publisher.produce(&mut Vec::new(), 49, true), Produced::Done);
    }
}
