//! A member that subscribes and judges what arrives. Also one that never reads.

use serde::{Deserialize, Serialize};

use super::frame::{Message, number};
use super::latency::Latencies;
use super::sequence::{Sequences, Share, Verdict};
use super::stamp::{Format, Stamp};
use super::traffic::{Payload, Subjects};

/// At full speed every so many messages one latency is recorded: what is measured must not be the measuring.
const SAMPLE_EVERY: u64 = 8;

/// What a subscriber is told before the run.
#[derive(Clone, Debug)]
pub(crate) struct SubscriberPlan {
    pub(crate) run: u16,
    /// What publishers send.
    pub(crate) subjects: Subjects,
    pub(crate) payload: Payload,
    pub(crate) share: Share,
    /// Open loop: every latency counts.
    pub(crate) is_paced: bool,
    /// Publishers are other processes: a payload without a stamp is not a fault.
    pub(crate) is_alone: bool,
}

/// What was wrong with messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    /// Never came.
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
    pub(crate) out_of_order: u64,
    /// Came with the wrong subject, or to the wrong subscription.
    pub(crate) cross_talk: u64,
    /// The payload is not what was sent.
    pub(crate) damaged: u64,
    /// Of somebody else: another run on the same subject.
    pub(crate) strangers: u64,
    /// Replies to requests that were never asked, or twice.
    pub(crate) unasked: u64,
    /// Requests to which the server said that nobody listens.
    pub(crate) no_responders: u64,
    /// Too many streams to judge.
    pub(crate) unjudged: u64,
}

impl Faults {
    /// What makes a run worthless.
    pub(crate) fn total(&self) -> u64 {
        self.lost
            + self.duplicates
            + self.out_of_order
            + self.cross_talk
            + self.damaged
            + self.unasked
            + self.no_responders
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.out_of_order += other.out_of_order;
        self.cross_talk += other.cross_talk;
        self.damaged += other.damaged;
        self.strangers += other.strangers;
        self.unasked += other.unasked;
        self.no_responders += other.no_responders;
        self.unjudged += other.unjudged;
    }
}

/// What one thread knows of one workload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge {
    pub(crate) latencies: Latencies,
    pub(crate) faults: Faults,
}

/// The state of a subscriber.
#[derive(Debug)]
pub(crate) struct Subscriber {
    plan: SubscriberPlan,
    pub(crate) sequences: Sequences,
    pub(crate) received: u64,
    pub(crate) bytes: u64,
    pub(crate) first_ns: u64,
    pub(crate) last_ns: u64,
    pub(crate) asked_pong: bool,
}

impl Subscriber {
    pub(crate) fn new(plan: SubscriberPlan) -> Self {
        let sequences = Sequences::new(plan.share, plan.subjects.streams());
        Self { plan, sequences, received: 0, bytes: 0, first_ns: 0, last_ns: 0, asked_pong: false }
    }

    /// It shares messages with the other members of a queue group.
    pub(crate) fn is_in_group(&self) -> bool {
        self.plan.share == Share::Some
    }

    /// One message. `now` is when the bytes were read.
    pub(crate) fn take(&mut self, message: &Message<'_>, now: u64, gauge: &mut Gauge) {
        if self.received == 0 {
            self.first_ns = now;
        }
        self.last_ns = now;
        self.received += 1;
        self.bytes += message.payload.len() as u64;
        let format =
            if self.plan.is_alone { Format::for_size(message.payload.len()) } else { self.plan.payload.format };
        let Some(stamp) = Stamp::read(format, self.plan.run, message.payload) else {
            // Too small for a stamp, or of a publisher that writes none.
            if format != Format::None && !self.plan.is_alone {
                gauge.faults.damaged += 1;
            }
            return;
        };
        if self.plan.is_paced || self.received % SAMPLE_EVERY == 1 {
            let corrected = now.saturating_sub(stamp.due_ns);
            gauge.latencies.record(corrected, corrected.saturating_sub(stamp.delay_ns));
        }
        self.judge(message, format, &stamp, gauge);
    }

    fn judge(&mut self, message: &Message<'_>, format: Format, stamp: &Stamp, gauge: &mut Gauge) {
        let faults = &mut gauge.faults;
        if !self.plan.is_alone {
            if stamp.run != self.plan.run {
                faults.strangers += 1;
                self.received -= 1;
                return;
            }
            if !self.plan.payload.is_whole(message.payload) {
                faults.damaged += 1;
            }
        }
        let subject = subject_number(message.subject);
        let is_other = match format {
            Format::Full if self.plan.subjects.count > 0 => subject != Some(stamp.subject),
            _ => false,
        };
        if is_other || (!self.plan.is_alone && !message.subject.starts_with(self.plan.subjects.base.as_bytes())) {
            faults.cross_talk += 1;
        }
        let stream = if format == Format::Full { stamp.subject } else { subject.unwrap_or(0) };
        match self.sequences.observe(stamp.publisher, stream, stamp.sequence) {
            Verdict::Next | Verdict::Gap => {}
            Verdict::Duplicate => faults.duplicates += 1,
            Verdict::OutOfOrder => faults.out_of_order += 1,
            Verdict::Unjudged => faults.unjudged += 1,
        }
    }
}

/// The number that a subject of several ends with.
fn subject_number(subject: &[u8]) -> Option<u32> {
    let last = subject.rsplit(|byte| *byte == b'.').next()?;
    u32::try_from(number(last)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{Faults, Gauge, Subscriber, SubscriberPlan};
    use crate::bench::frame::Message;
    use crate::bench::publisher::{Publisher, PublisherPlan};
    use crate::bench::schedule::Schedule;
    use crate::bench::sequence::Share;
    use crate::bench::stamp::{Format, Stamp};
    use crate::bench::traffic::{Order, Payload, Subjects};

    struct Bed {
        subscriber: Subscriber,
        gauge: Gauge,
    }

    impl Bed {
        fn new() -> Self {
            let plan = SubscriberPlan {
                run: 9,
                subjects: Subjects { base: "a".into(), count: 4, order: Order::InTurn },
                payload: Payload::of_size(40),
                share: Share::All,
                is_paced: true,
                is_alone: false,
            };
            Self { subscriber: Subscriber::new(plan), gauge: Gauge::default() }
        }

        fn take(&mut self, subject: &str, stamp: Stamp, change: impl FnOnce(&mut [u8])) -> Faults {
            let mut payload = Payload::of_size(40).body.to_vec();
            stamp.write(Format::Full, &mut payload);
            change(&mut payload);
            let message =
                Message { subject: subject.as_bytes(), sid: b"1", reply: b"", headers: b"", payload: &payload };
            self.subscriber.take(&message, 1_000, &mut self.gauge);
            self.gauge.faults
        }
    }

    const STAMP: Stamp = Stamp { run: 9, publisher: 0, subject: 2, sequence: 0, due_ns: 100, delay_ns: 160 };

    /// A publisher, a server that delays each message by a known time and stops the publisher once, and a fake clock.
    #[test]
    fn a_known_delay_is_found_exactly() {
        const MESSAGES: u64 = 1000;
        const MS: u64 = 1_000_000;
        let delay = |message: u64| 1_600 * (message + 1);
        let mut publisher = Publisher::new(PublisherPlan {
            number: 0,
            run: 9,
            subjects: Subjects { base: "a".into(), count: 4, order: Order::InTurn },
            payload: Payload::of_size(40),
            messages: Some(MESSAGES),
            duration_ns: None,
            schedule: Some(Schedule::new(1000.0, 1, 0)),
            fan_out: 1,
            seed: 1,
        });
        let mut bed = Bed::new();
        publisher.begin(MS);
        let (mut corrected, mut uncorrected) = (Vec::new(), Vec::new());
        for tick in 0..=MESSAGES {
            let now = MS + tick * MS;
            if (100..150).contains(&tick) {
                continue; // nothing can be sent, and the schedule goes on
            }
            let (from, mut out) = (publisher.sent, Vec::new());
            publisher.produce(&mut out, now, false);
            for (place, message) in out.chunks("PUB a.0 40\r\n".len() + 42).enumerate() {
                let number = from + place as u64;
                let payload = &message["PUB a.0 40\r\n".len()..][..40];
                let message = Message { subject: &message[4..7], sid: b"1", reply: b"", headers: b"", payload };
                bed.subscriber.take(&message, now + delay(number), &mut bed.gauge);
                corrected.push(now + delay(number) - (MS + number * MS));
                uncorrected.push(delay(number));
            }
        }
        assert_eq!((corrected.len() as u64, bed.gauge.faults), (MESSAGES, Faults::default()));
        assert!(corrected.iter().filter(|ns| **ns > 10 * MS).count() == 41, "those that waited for the publisher");
        for (histogram, mut known) in
            [(&bed.gauge.latencies.corrected, corrected), (&bed.gauge.latencies.uncorrected, uncorrected)]
        {
            known.sort_unstable();
            for permille in 1..=1000_u64 {
                let (found, wanted) =
                    (histogram.value_at_quantile(permille as f64 / 1000.0), known[permille as usize - 1]);
                assert!(histogram.equivalent(found, wanted), "{permille}: {found} is not {wanted}");
            }
        }
    }

    #[test]
    fn each_fault_is_counted_where_it_belongs() {
        let mut bed = Bed::new();
        assert_eq!(bed.take("a.2", STAMP, |_| {}), Faults::default());
        assert_eq!(bed.take("a.2", STAMP, |_| {}).duplicates, 1);
        assert_eq!(bed.take("a.3", Stamp { sequence: 1, ..STAMP }, |_| {}).cross_talk, 1);
        assert_eq!(bed.take("a.2", Stamp { sequence: 2, ..STAMP }, |payload| payload[39] ^= 1).damaged, 1);
        assert_eq!(bed.take("a.2", Stamp { sequence: 3, ..STAMP }, |payload| payload[3] ^= 1).damaged, 2);
        assert_eq!(bed.take("a.2", Stamp { run: 8, ..STAMP }, |_| {}).strangers, 1);
        bed.take("a.2", Stamp { sequence: 5, ..STAMP }, |_| {});
        let faults = bed.take("a.2", Stamp { sequence: 4, ..STAMP }, |_| {});
        assert_eq!((faults.out_of_order, faults.total()), (1, 5));
    }

    #[test]
    fn latency_is_from_the_time_it_was_due_and_from_the_time_it_was_sent() {
        let mut bed = Bed::new();
        bed.take("a.2", STAMP, |_| {});
        let latencies = &bed.gauge.latencies;
        assert_eq!((latencies.corrected.max(), latencies.uncorrected.max()), (900, 740));
    }
}
