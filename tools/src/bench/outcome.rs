//! What a run has measured, as plain figures.
//!
//! Owns how the results of threads become those of a workload, and what follows from them: loss, fairness, rates.

use std::collections::BTreeMap;

use super::fairness::Fairness;
use super::latency::Latencies;
use super::process::ServerCost;
use super::sequence::Sequences;
use super::subscriber::{Faults, Gauge};
use super::summary::fault_list;
use super::target::Info;
use super::trouble::Trouble;
use super::worker::{Member, Role};

/// One connection's line in the report.
#[derive(Clone, Debug)]
pub(crate) struct ClientLine {
    pub(crate) kind: &'static str,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
}

/// One workload.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupOutcome {
    pub(crate) name: String,
    pub(crate) sent: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) send_seconds: f64,
    pub(crate) received: u64,
    pub(crate) received_bytes: u64,
    pub(crate) receive_seconds: f64,
    /// Requests that were served.
    pub(crate) served: u64,
    pub(crate) latencies: Latencies,
    pub(crate) faults: Faults,
    pub(crate) fairness: Option<Fairness>,
    /// What each member of a queue group got.
    pub(crate) shares: Vec<u64>,
    pub(crate) clients: Vec<ClientLine>,
    /// The furthest that sending was behind its schedule.
    pub(crate) behind_ns: u64,
    /// The rate that was asked for.
    pub(crate) rate: Option<f64>,
    pub(crate) frozen: u64,
    pub(crate) frozen_closed: u64,
}

/// What is said of a queue group that has a favourite.
pub(crate) const UNFAIR: &str = "a queue group was not shared fairly";

impl GroupOutcome {
    /// The rate that was asked for was sent.
    pub(crate) fn is_held(&self) -> bool {
        self.rate.is_none() || self.behind_ns <= BEHIND_NS_MAX
    }

    /// A queue group has a favourite. Where messages are missing nobody knows whose they were.
    pub(crate) fn is_unfair(&self) -> bool {
        self.faults.lost == 0 && self.fairness.as_ref().is_some_and(Fairness::is_unfair)
    }
}

/// A schedule that was this far behind was not held.
const BEHIND_NS_MAX: u64 = 100_000_000;

/// One look at the counters while it ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    pub(crate) seconds: f64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// One run.
#[derive(Debug, Default)]
pub(crate) struct RunOutcome {
    pub(crate) groups: Vec<GroupOutcome>,
    pub(crate) server: Option<ServerCost>,
    pub(crate) seconds: f64,
    pub(crate) own_cpu_ns: u64,
    /// The CPU time of the busiest thread of this program, as a share of the run.
    pub(crate) busiest_thread: f64,
    /// The largest share of the run in which a thread of this program did not wait for anything.
    pub(crate) unwaiting: f64,
    pub(crate) moments: Vec<Moment>,
    pub(crate) info: Info,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) is_interrupted: bool,
    /// What a reader of the figures must know.
    pub(crate) notes: Vec<String>,
    /// The busy share of each CPU of this host.
    pub(crate) host_cpus: Vec<f64>,
    /// What the server's monitoring pages say has grown.
    pub(crate) pages: BTreeMap<String, f64>,
    /// Figures of workloads that are no messages: connections and subscriptions.
    pub(crate) figures: BTreeMap<String, f64>,
}

/// A thread of ours that waited for less than the rest of its time was what limited the run. Not its CPU time decides: on a busy
/// host a thread that wants a CPU and does not get one limits the run as well.
const BOUND_SHARE: f64 = 0.95;

impl RunOutcome {
    /// Messages read and delivered by the server.
    pub(crate) fn events(&self) -> u64 {
        self.groups.iter().map(|group| group.sent + group.received + group.served * 2).sum()
    }

    /// The generator was the limit, as far as one can see from its threads.
    pub(crate) fn is_client_bound(&self) -> bool {
        self.unwaiting > BOUND_SHARE && self.groups.iter().all(|group| group.rate.is_none())
    }

    /// All faults of all workloads.
    pub(crate) fn faults(&self) -> Faults {
        let mut sum = Faults::default();
        self.groups.iter().for_each(|group| sum.merge(&group.faults));
        sum
    }

    /// What a check has found, in words; empty where all is well.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let mut wrongs = fault_list(&self.faults());
        wrongs.extend(
            self.groups.iter().filter(|group| group.is_unfair()).map(|group| format!("{}: {UNFAIR}", group.name)),
        );
        wrongs
    }

    /// The figures that are compared, by name; times in nanoseconds.
    pub(crate) fn metrics(&self) -> BTreeMap<String, f64> {
        let mut metrics = self.figures.clone();
        let events = self.events() as f64;
        if let Some(server) = self.server.filter(|_| events > 0.0) {
            metrics.insert("cost".into(), server.cpu_ns as f64 / events);
            metrics.insert("rss".into(), server.resident_bytes as f64);
            metrics.insert("switches".into(), server.switches as f64 / events);
            metrics.insert("faults".into(), (server.minor_faults + server.major_faults) as f64 / events);
        }
        let mut latencies = Latencies::default();
        let (mut rate, mut publish) = (0.0, 0.0);
        for group in &self.groups {
            latencies.merge(&group.latencies);
            if self.groups.len() > 1 {
                // Side by side it is one of them that people ask about.
                percentiles(&mut metrics, &format!("{}: ", group.name), &group.latencies);
            }
            publish += per_second(group.sent, group.send_seconds);
            rate += if group.received > 0 {
                per_second(group.received, group.receive_seconds)
            } else {
                per_second(group.sent, group.send_seconds)
            };
        }
        if !self.groups.is_empty() {
            metrics.insert("rate".into(), rate);
            metrics.insert("publish_rate".into(), publish);
            metrics.insert("lost".into(), self.faults().lost as f64);
        }
        percentiles(&mut metrics, "", &latencies);
        metrics
    }
}

fn percentiles(metrics: &mut BTreeMap<String, f64>, prefix: &str, latencies: &Latencies) {
    if latencies.is_empty() {
        return;
    }
    for (name, percentile) in super::latency::PERCENTILES {
        metrics.insert(format!("{prefix}{name}"), latencies.corrected.value_at_percentile(percentile) as f64);
    }
}

/// A rate that is 0 where no time has passed.
pub(crate) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn seconds(from_ns: u64, to_ns: u64) -> f64 {
    to_ns.saturating_sub(from_ns) as f64 / 1e9
}

#[derive(Default)]
struct Span {
    first: Option<u64>,
    last: u64,
}

impl Span {
    fn add(&mut self, first: u64, last: u64) {
        self.first = Some(self.first.map_or(first, |before| before.min(first)));
        self.last = self.last.max(last);
    }

    fn seconds(&self) -> f64 {
        self.first.map_or(0.0, |first| seconds(first, self.last))
    }

    /// What came with a single read took as long as it took to send it and get it.
    fn seconds_after(&self, sending: &Self) -> f64 {
        let own = self.seconds();
        if own > 0.0 { own } else { sending.first.map_or(0.0, |first| seconds(first, self.last)) }
    }
}

/// Makes the outcome of a workload from its members. Loss is only told where the run came to its end.
pub(crate) fn settle(name: &str, members: Vec<Member>, gauges: &[Gauge], has_ended: bool) -> GroupOutcome {
    let mut group = GroupOutcome { name: name.into(), ..GroupOutcome::default() };
    for gauge in gauges {
        group.latencies.merge(&gauge.latencies);
        group.faults.merge(&gauge.faults);
    }
    let (mut sending, mut receiving) = (Span::default(), Span::default());
    let (mut expected, mut shares) = (0, Vec::new());
    let mut union: Option<Sequences> = None;
    for member in members {
        match member.role {
            Role::Publisher(p) => {
                group.sent += p.sent;
                group.sent_bytes += p.bytes();
                group.behind_ns = group.behind_ns.max(p.behind_ns);
                expected += p.deliveries();
                sending.add(p.first_ns, p.last_ns);
                group.clients.push(line("publisher", p.sent, p.bytes(), p.first_ns, p.last_ns));
            }
            Role::Subscriber(s) => {
                group.received += s.received;
                group.received_bytes += s.bytes;
                if s.received > 0 {
                    receiving.add(s.first_ns, s.last_ns);
                }
                if s.is_in_group() {
                    shares.push(s.received);
                }
                group.clients.push(line("subscriber", s.received, s.bytes, s.first_ns, s.last_ns));
                if let Some(union) = &mut union {
                    group.faults.duplicates += union.merge_group(s.sequences);
                } else {
                    union = Some(s.sequences);
                }
            }
            Role::Requester(r) => {
                group.sent += r.sent;
                group.sent_bytes += r.sent_bytes();
                group.received += r.answered;
                group.received_bytes += r.bytes;
                group.behind_ns = group.behind_ns.max(r.behind_ns);
                group.faults.lost += if has_ended { r.lost() } else { 0 };
                sending.add(r.first_ns, r.last_ns);
                receiving.add(r.first_ns, r.last_ns);
                group.clients.push(line("requester", r.answered, r.bytes, r.first_ns, r.last_ns));
            }
            Role::Responder { responder, .. } => {
                group.served += responder.answered;
                group.clients.push(line("responder", responder.answered, responder.bytes, 0, 0));
            }
            Role::Frozen { was_closed } => {
                group.frozen += 1;
                group.frozen_closed += u64::from(was_closed);
            }
        }
    }
    (group.send_seconds, group.receive_seconds) = (sending.seconds(), receiving.seconds_after(&sending));
    if has_ended && expected > 0 {
        let unique = group.received.saturating_sub(group.faults.duplicates);
        group.faults.lost += expected.saturating_sub(unique);
    }
    if has_ended {
        group.fairness = Fairness::of(&shares);
    }
    group.shares = shares;
    group
}

fn line(kind: &'static str, messages: u64, bytes: u64, first_ns: u64, last_ns: u64) -> ClientLine {
    ClientLine { kind, messages, bytes, seconds: seconds(first_ns, last_ns) }
}
