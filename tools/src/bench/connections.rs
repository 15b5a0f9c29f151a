//! Workloads that are no messages: subscriptions, idle connections, connections that come and go, and storms of them.
//!
//! Each measures what one more of them costs the server.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use mio::{Events, Poll};

use super::clock::{now_ns, pause};
use super::dial::{WAVE, Wish, dial};
use super::flags::ConnectionLoadFlags;
use super::latency::{Latencies, PERCENTILES};
use super::link::{Incoming, Link, READ_BYTES};
use super::outcome::{GroupOutcome, Moment, RunOutcome};
use super::process::Counters;
use super::publisher::{Produced, Publisher, PublisherPlan};
use super::run::{Conditions, allow_files};
use super::traffic::{Order, Payload, Subjects};
use super::trouble::{Outcome, Trouble};

/// Until the server has booked its time and, after many connections ended, freed what they had.
const SETTLE_TIME: Duration = Duration::from_millis(50);
/// Bytes of operations that are written at once.
const BATCH_BYTES: usize = 64 * 1024;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Subs,
    Conns,
    Churn,
    Storm,
}

impl Kind {
    /// The word of the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Subs => "subs",
            Self::Conns => "conns",
            Self::Churn => "churn",
            Self::Storm => "storm",
        }
    }
}

/// Runs one of them once.
pub(crate) fn execute(conditions: &Conditions, kind: Kind, flags: &ConnectionLoadFlags) -> Outcome<RunOutcome> {
    if flags.count == 0 {
        return Err(Trouble::Usage("--count 0: there is nothing to do; give at least 1".into()));
    }
    if flags.msgs > 0 && matches!(kind, Kind::Churn | Kind::Storm) {
        return Err(Trouble::Usage(format!("--msgs: '{}' sends none; use subs or conns", kind.name())));
    }
    let own_cpu = own_cpu_ns();
    let start = now_ns();
    let mut bench = Bench {
        conditions,
        pid: conditions.server_pid(),
        poll: Poll::new().map_err(Trouble::io("making an epoll"))?,
        figures: BTreeMap::new(),
        group: GroupOutcome { name: kind.name().into(), ..GroupOutcome::default() },
        moments: Vec::new(),
        start,
    };
    let done = match kind {
        Kind::Subs => bench.subscriptions(flags),
        Kind::Conns => bench.idle(flags),
        Kind::Churn => bench.churn(flags),
        Kind::Storm => bench.storm(flags),
    };
    let (info, trouble) = match done {
        Ok(info) => (info, None),
        Err(trouble) if bench.figures.is_empty() => return Err(trouble),
        // What was measured before it is worth showing.
        Err(trouble) => (super::target::Info::default(), Some(trouble)),
    };
    let seconds = (now_ns() - start) as f64 / 1e9;
    let own_cpu_ns = own_cpu_ns() - own_cpu;
    let groups = if bench.group.sent > 0 { vec![bench.group] } else { Vec::new() };
    Ok(RunOutcome {
        groups,
        seconds,
        own_cpu_ns,
        busiest_thread: own_cpu_ns as f64 / 1e9 / seconds.max(1e-9),
        unwaiting: own_cpu_ns as f64 / 1e9 / seconds.max(1e-9),
        moments: bench.moments,
        info,
        trouble,
        is_interrupted: conditions.is_interrupted(),
        figures: bench.figures,
        ..RunOutcome::default()
    })
}

/// Messages of 128 bytes, as fast as they go.
fn plan(subjects: Subjects, messages: u64, fan_out: u64) -> PublisherPlan {
    PublisherPlan {
        number: 0,
        run: 0,
        subjects,
        payload: Payload::of_size(128),
        messages: Some(messages),
        duration_ns: None,
        schedule: None,
        fan_out,
        seed: 1,
    }
}

fn own_cpu_ns() -> u64 {
    Counters::read(std::process::id()).map_or(0, |counters| counters.cpu_ns)
}

struct Bench<'a> {
    conditions: &'a Conditions,
    pid: Option<u32>,
    poll: Poll,
    figures: BTreeMap<String, f64>,
    group: GroupOutcome,
    moments: Vec<Moment>,
    start: u64,
}

impl Bench<'_> {
    fn put(&mut self, name: &str, figure: f64) {
        self.figures.insert(name.to_owned(), figure);
    }

    /// What `work` took, each of `count`, under names that begin with `what`.
    fn measure<T>(&mut self, what: &str, count: u64, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.measure_done(what, |bench| Ok((work(bench)?, count)))
    }

    /// The same of work that says itself how much it was: Ctrl-C may end it early.
    fn measure_done<T>(&mut self, what: &str, work: impl FnOnce(&mut Self) -> Outcome<(T, u64)>) -> Outcome<T> {
        let before = self.pid.and_then(Counters::read);
        let begun = now_ns();
        let (done, count) = work(self)?;
        let count = count.max(1);
        let seconds = (now_ns() - begun) as f64 / 1e9;
        pause(SETTLE_TIME);
        self.put(&format!("{what}_rate"), count as f64 / seconds.max(1e-9));
        if let Some((pid, before)) = self.pid.zip(before)
            && let Some(after) = Counters::read(pid)
        {
            let cost = after.since(&before, pid);
            self.put(&format!("{what}_cpu_ns"), cost.cpu_ns as f64 / count as f64);
            self.put(&format!("{what}_rss_bytes"), cost.resident_growth_bytes as f64 / count as f64);
        }
        Ok(done)
    }

    fn look(&mut self, sent: u64, received: u64) {
        let seconds = (now_ns() - self.start) as f64 / 1e9;
        self.moments.push(Moment { seconds, sent, received });
    }

    fn connect(&mut self, count: u64, wave: usize, first: &[u8]) -> Outcome<(Vec<Link>, Latencies)> {
        allow_files(count)?;
        let mut latencies = Latencies::default();
        let wish = |number| Wish { number, first: first.to_vec(), receive_bytes: None };
        let wishes = (0..count as usize).map(wish).collect();
        let conditions = self.conditions;
        let links = dial(&mut self.poll, &conditions.target, wishes, wave, |_, ns| {
            latencies.record(ns, ns);
            if conditions.is_interrupted() { Err(Trouble::Interrupted) } else { Ok(()) }
        })?;
        Ok((links, latencies))
    }

    fn percentiles(&mut self, what: &str, latencies: &Latencies) {
        for (name, percentile) in PERCENTILES {
            self.put(&format!("{what}_{name}_ns"), latencies.corrected.value_at_percentile(percentile) as f64);
        }
    }

    fn idle(&mut self, flags: &ConnectionLoadFlags) -> Outcome<super::target::Info> {
        let wave = flags.clients.map_or(WAVE, |clients| clients as usize);
        let (mut links, latencies) =
            self.measure("connection", flags.count, |bench| bench.connect(flags.count, wave, b""))?;
        self.percentiles("connect", &latencies);
        self.look(flags.count, flags.count);
        if flags.msgs > 0 {
            self.publish_beside(flags, &mut links)?;
        }
        self.hold(&mut links, flags.hold)?;
        let info = links.first().map(|link| link.info.clone()).unwrap_or_default();
        let before = self.pid.and_then(Counters::read);
        drop(links);
        pause(SETTLE_TIME * 4);
        if let Some((pid, before)) = self.pid.zip(before)
            && let Some(after) = Counters::read(pid)
        {
            let kept = after.since(&before, pid).resident_growth_bytes as f64;
            self.put("after_close_rss_bytes", kept / flags.count as f64);
        }
        Ok(info)
    }

    fn churn(&mut self, flags: &ConnectionLoadFlags) -> Outcome<super::target::Info> {
        let at_once = flags.clients.unwrap_or(8).clamp(1, flags.count);
        let mut all = Latencies::default();
        let mut info = super::target::Info::default();
        self.measure_done("churn", |bench| {
            let mut done = 0;
            while done < flags.count && !bench.conditions.is_interrupted() {
                let count = at_once.min(flags.count - done);
                let (links, latencies) = match bench.connect(count, count as usize, b"SUB bench.churn 1\r\n") {
                    Err(Trouble::Interrupted) => break,
                    made => made?,
                };
                all.merge(&latencies);
                done += count;
                if let Some(link) = links.first() {
                    info = link.info.clone();
                }
                if done.is_multiple_of(at_once * 16) {
                    bench.look(done, done);
                }
            }
            Ok(((), done))
        })?;
        self.percentiles("connect", &all);
        Ok(info)
    }

    fn storm(&mut self, flags: &ConnectionLoadFlags) -> Outcome<super::target::Info> {
        let wave = flags.clients.map_or(flags.count as usize, |clients| clients as usize);
        let (mut links, _) = self.connect(flags.count, WAVE, b"SUB bench.storm 1\r\n")?;
        let mut all = Latencies::default();
        let mut slowest = 0_u64;
        let info = links.first().map(|link| link.info.clone()).unwrap_or_default();
        self.measure_done("reconnect", |bench| {
            let mut done = 0;
            for _ in 0..flags.rounds.max(1) {
                if bench.conditions.is_interrupted() {
                    break;
                }
                links.clear();
                let begun = now_ns();
                let (again, latencies) = match bench.connect(flags.count, wave, b"SUB bench.storm 1\r\n") {
                    Err(Trouble::Interrupted) => break,
                    made => made?,
                };
                done += flags.count;
                slowest = slowest.max(now_ns() - begun);
                all.merge(&latencies);
                links = again;
                bench.look(flags.count, flags.count);
            }
            Ok(((), done))
        })?;
        self.put("all_back_ns", slowest as f64);
        self.percentiles("reconnect", &all);
        self.hold(&mut links, flags.hold)?;
        Ok(info)
    }

    fn subscriptions(&mut self, flags: &ConnectionLoadFlags) -> Outcome<super::target::Info> {
        let clients = flags.clients.unwrap_or(1).clamp(1, flags.count);
        let (mut links, _) = self.connect(clients + 1, WAVE, b"")?;
        let Some(mut publisher) = links.pop() else { return Err(Trouble::Closed) };
        self.measure("subscription", flags.count, |bench| {
            for number in 0..flags.count {
                let place = (number % clients) as usize;
                let link = &mut links[place];
                link.out.extend_from_slice(format!("SUB bench.{number} {number}\r\n").as_bytes());
                if link.pending() >= BATCH_BYTES {
                    bench.drain(std::slice::from_mut(link), |_| {})?;
                }
            }
            bench.barrier(&mut links, |_| {})
        })?;
        self.look(flags.count, flags.count);
        if flags.msgs > 0 {
            self.publish_to_some(flags, &mut links, &mut publisher)?;
            self.publish_beside(flags, std::slice::from_mut(&mut publisher))?;
        }
        self.hold(&mut links, flags.hold)?;
        let info = publisher.info.clone();
        links.push(publisher);
        self.measure("unsubscription", flags.count, |bench| {
            for number in 0..flags.count {
                let link = &mut links[(number % clients) as usize];
                link.out.extend_from_slice(format!("UNSUB {number}\r\n").as_bytes());
                if link.pending() >= BATCH_BYTES {
                    bench.drain(std::slice::from_mut(link), |_| {})?;
                }
            }
            bench.barrier(&mut links, |_| {})
        })?;
        Ok(info)
    }

    /// Messages that nobody wants, beside connections or subscriptions that have nothing to do with them.
    fn publish_beside(&mut self, flags: &ConnectionLoadFlags, links: &mut [Link]) -> Outcome<()> {
        let Some((publisher, _)) = links.split_first_mut() else { return Ok(()) };
        let mut source = Publisher::new(plan(Subjects::one("bench.nobody"), flags.msgs, 0));
        self.measure("message", flags.msgs, |bench| {
            while source.produce(&mut publisher.out, now_ns(), bench.conditions.is_interrupted()) == Produced::More {
                bench.drain(std::slice::from_mut(publisher), |_| {})?;
            }
            bench.barrier(std::slice::from_mut(publisher), |_| {})
        })
    }

    /// Messages to random subjects among those that somebody subscribes to.
    fn publish_to_some(
        &mut self,
        flags: &ConnectionLoadFlags,
        links: &mut [Link],
        publisher: &mut Link,
    ) -> Outcome<()> {
        let subjects = Subjects { base: "bench".into(), count: flags.count as u32, order: Order::Random };
        let mut source = Publisher::new(plan(subjects, flags.msgs, 1));
        let begun = now_ns();
        let mut received = 0;
        self.measure("random_message", flags.msgs, |bench| {
            while source.produce(&mut publisher.out, now_ns(), bench.conditions.is_interrupted()) == Produced::More {
                bench.drain(std::slice::from_mut(publisher), |_| {})?;
                bench.take(links, &mut |_| received += 1)?;
            }
            bench.barrier(std::slice::from_mut(publisher), |_| {})?;
            bench.barrier(links, |_| received += 1)
        })?;
        self.group.sent = source.sent;
        self.group.sent_bytes = source.bytes();
        self.group.received = received;
        self.group.received_bytes = received * 128;
        self.group.send_seconds = (now_ns() - begun) as f64 / 1e9;
        self.group.receive_seconds = self.group.send_seconds;
        self.group.faults.lost = source.sent.saturating_sub(received);
        self.group.faults.duplicates = received.saturating_sub(source.sent);
        Ok(())
    }

    /// Writes everything that waits; reads on the way, as a server may stop reading from who does not read.
    fn drain(&mut self, links: &mut [Link], mut on_message: impl FnMut(usize)) -> Outcome<()> {
        loop {
            let mut is_empty = true;
            for link in links.iter_mut() {
                is_empty &= link.flush()?;
            }
            if is_empty {
                return Ok(());
            }
            self.await_any()?;
            self.take(links, &mut on_message)?;
        }
    }

    /// PING on all and PONG from all.
    fn barrier(&mut self, links: &mut [Link], mut on_message: impl FnMut(usize)) -> Outcome<()> {
        for link in links.iter_mut() {
            link.out.extend_from_slice(b"PING\r\n");
        }
        self.drain(links, &mut on_message)?;
        let mut left = links.len() as u64;
        let begun = now_ns();
        left = left.saturating_sub(self.take(links, &mut on_message)?);
        while left > 0 {
            self.await_any()?;
            left = left.saturating_sub(self.take(links, &mut on_message)?);
            let waited = Duration::from_nanos(now_ns() - begun);
            if waited > self.conditions.target.timeout.saturating_mul(30) {
                return Err(Trouble::Silent("a PING"));
            }
        }
        Ok(())
    }

    fn await_any(&mut self) -> Outcome<()> {
        let mut events = Events::with_capacity(1024);
        match self.poll.poll(&mut events, Some(Duration::from_millis(10))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                Err(Trouble::Io { what: "waiting for sockets", source: error })
            }
            _ => Ok(()),
        }
    }

    /// Reads what is there; returns how many PONGs there were.
    fn take(&mut self, links: &mut [Link], on_message: &mut impl FnMut(usize)) -> Outcome<u64> {
        let mut scratch = vec![0; READ_BYTES];
        let mut pongs = 0;
        for (place, link) in links.iter_mut().enumerate() {
            let target = &self.conditions.target;
            while link.read(target, &mut scratch, |_, incoming| {
                match incoming {
                    Incoming::Message(_) => on_message(place),
                    Incoming::Pong => pongs += 1,
                }
                Ok(())
            })? == super::link::Reading::MayHaveMore
            {}
            link.flush()?;
        }
        Ok(pongs)
    }

    fn hold(&mut self, links: &mut [Link], time: Duration) -> Outcome<()> {
        let end = now_ns() + super::clock::nanos(time);
        while now_ns() < end && !self.conditions.is_interrupted() {
            self.await_any()?;
            self.take(links, &mut |_| {})?;
        }
        Ok(())
    }
}
