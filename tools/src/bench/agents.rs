//! Several hosts: a coordinator tells agents what to do, when to start, and adds up what they saw.
//!
//! Everything goes over subjects of the server under test, outside of the measured time. Each agent has subjects of its own, so
//! a latency is always between two moments of one clock; the wall clocks of the hosts only have to agree on the start.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use super::across;
use super::clock::{nanos, now_ns};
use super::control::{AgentResult, Control, Note};
use super::fairness::Fairness;
use super::flags::AgentFlags;
use super::outcome::{ClientLine, GroupOutcome, RunOutcome};
use super::process::Counters;
use super::progress::Progress;
use super::run::{Conditions, Gate, News, execute};
use super::trouble::{EXIT_OK, Outcome, Trouble};
use super::workload::Workload;

/// From telling everybody to the start.
const START_DELAY: Duration = Duration::from_millis(300);
/// How often agents are asked who is there.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How long agents may take to come, or to be ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long results may take after everything else. A run may last longer: agents say when they are done.
const RUN_TIME_MAX: Duration = Duration::from_secs(24 * 3600);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a run stops for a look at what the coordinator says.
const GLANCE: Duration = Duration::from_millis(1);
const AGENTS_MAX: usize = 1000;

fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos)
}

/// Does what coordinators say, run after run; returns the exit code.
pub(crate) fn serve(conditions: &Conditions, flags: &AgentFlags) -> Outcome<u8> {
    let agent = format!(
        "{}-{}",
        rustix::system::uname().nodename().to_string_lossy().replace(['.', ' ', '*', '>'], "_"),
        std::process::id()
    );
    let (all, own) = (format!("{}.all", conditions.control), format!("{}.agent.{agent}", conditions.control));
    let control = Arc::new(Mutex::new(Control::open(&conditions.target, &[all, own])?));
    eprintln!("dunlinctl bench: agent {agent} waits for work on '{}'", conditions.control);
    let mut runs = 0;
    while !conditions.is_interrupted() && flags.runs.is_none_or(|most| runs < most) {
        let note = with(&control, |control| control.next(LOOK_EVERY))?;
        match note {
            Some(Note::Hello { answer }) => {
                let note = Note::Here { agent: agent.clone(), boot: boot_id() };
                with(&control, |control| control.tell(&answer, &note))?;
            }
            Some(Note::Work { answer, place, agents, run, is_across, workloads }) => {
                runs += 1;
                let share = |load: &Workload| match is_across {
                    true => across::share(load, place, agents.max(2)),
                    false => load.for_agent(place, agents.max(1)),
                };
                let own: Vec<_> = workloads.iter().map(|(name, load)| (name.clone(), share(load))).collect();
                let gate = gate(Arc::clone(&control), answer.clone(), agent.clone());
                let conditions = Conditions {
                    gate: Some(gate),
                    news: Some(news(Arc::clone(&control))),
                    is_blind: true,
                    agents: 0,
                    progress: Progress::default(),
                    ..conditions.clone()
                };
                let outcome = execute(&conditions, &own, run);
                with(&control, |control| tell_outcome(control, &answer, &agent, outcome))?;
            }
            _ => {}
        }
    }
    Ok(EXIT_OK)
}

fn with<T>(control: &Mutex<Control>, act: impl FnOnce(&mut Control) -> Outcome<T>) -> Outcome<T> {
    act(&mut *control.lock().map_err(|_| Trouble::Thread)?)
}

/// Says that everything is connected, and waits for the moment to start.
fn gate(control: Arc<Mutex<Control>>, answer: String, agent: String) -> Gate {
    Gate(Arc::new(move || {
        with(&control, |control| {
            control.tell(&answer, &Note::Ready { agent: agent.clone() })?;
            let end = now_ns() + nanos(PATIENCE);
            while now_ns() < end {
                match control.next(LOOK_EVERY)? {
                    Some(Note::Start { unix_ns: at }) => {
                        return Ok(now_ns() + at.saturating_sub(unix_ns()));
                    }
                    Some(Note::Cancel) => return Err(Trouble::Silent("the coordinator called it off")),
                    _ => {}
                }
            }
            Err(Trouble::Silent("the coordinator of this agent"))
        })
    }))
}

/// What senders on other agents have sent, when the coordinator says that they are done.
fn news(control: Arc<Mutex<Control>>) -> News {
    News(Arc::new(move || {
        with(&control, |control| match control.next(GLANCE)? {
            Some(Note::Sent { sent }) => Ok(Some(sent)),
            Some(Note::Cancel) => Err(Trouble::Silent("the coordinator called it off")),
            _ => Ok(None),
        })
    }))
}

/// Of this host since it was started.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn tell_outcome(control: &mut Control, answer: &str, agent: &str, outcome: Outcome<RunOutcome>) -> Outcome<()> {
    let outcome = match outcome {
        Ok(RunOutcome { trouble: None, .. }) => outcome?,
        Ok(RunOutcome { trouble: Some(trouble), .. }) | Err(trouble) => {
            return control.tell(answer, &Note::Failed { agent: agent.into(), reason: trouble.to_string() });
        }
    };
    for group in &outcome.groups {
        let result = AgentResult {
            name: group.name.clone(),
            sent: group.sent,
            sent_bytes: group.sent_bytes,
            send_seconds: group.send_seconds,
            received: group.received,
            received_bytes: group.received_bytes,
            receive_seconds: group.receive_seconds,
            served: group.served,
            behind_ns: group.behind_ns,
            faults: group.faults,
            fairness: group.fairness.clone(),
            shares: group.shares.clone(),
            corrected: buckets(&group.latencies.corrected),
            uncorrected: buckets(&group.latencies.uncorrected),
        };
        control.tell(answer, &Note::Result { agent: agent.into(), result: Box::new(result) })?;
    }
    let (seconds, cpu_ns) = (outcome.seconds, outcome.own_cpu_ns);
    let (busiest_thread, unwaiting) = (outcome.busiest_thread, outcome.unwaiting);
    control.tell(answer, &Note::Done { agent: agent.into(), seconds, cpu_ns, busiest_thread, unwaiting })
}

fn buckets(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    histogram.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect()
}

/// Runs the workloads on the agents, once.
pub(crate) fn coordinate(conditions: &Conditions, workloads: &[(String, Workload)], run: u16) -> Outcome<RunOutcome> {
    if conditions.agents > AGENTS_MAX {
        return Err(Trouble::Usage(format!("--agents: at most {AGENTS_MAX}")));
    }
    if conditions.is_across {
        across::check(workloads, conditions.agents)?;
    }
    let answer = format!("{}.answer.{:x}.{run}", conditions.control, std::process::id());
    let mut control = Control::open(&conditions.target, std::slice::from_ref(&answer))?;
    let (agents, has_one_clock) = find(&mut control, conditions, &answer)?;
    for (place, agent) in agents.iter().enumerate() {
        let (answer, workloads, is_across) = (answer.clone(), workloads.to_vec(), conditions.is_across);
        let work = Note::Work { answer, place, agents: agents.len(), run, is_across, workloads };
        control.tell(&format!("{}.agent.{agent}", conditions.control), &work)?;
    }
    let all = format!("{}.all", conditions.control);
    let mut sum = Sum::new(workloads, conditions.is_across, has_one_clock);
    let outcome = await_results(&mut control, conditions, &agents, &mut sum, &all).map(|()| sum.outcome());
    if outcome.is_err() {
        // Those that wait need not wait to the end.
        control.tell(&all, &Note::Cancel)?;
    }
    outcome.map(|outcome| RunOutcome { info: control.info(), ..outcome })
}

fn find(control: &mut Control, conditions: &Conditions, answer: &str) -> Outcome<(Vec<String>, bool)> {
    let mut found: Vec<String> = Vec::new();
    let mut boots: BTreeSet<String> = BTreeSet::new();
    let end = now_ns() + nanos(conditions.target.timeout);
    while found.len() < conditions.agents {
        if now_ns() > end || conditions.is_interrupted() {
            let (here, wanted, control) = (found.len(), conditions.agents, &conditions.control);
            return Err(Trouble::Usage(format!(
                "--agents {wanted}: only {here} are there; start 'dunlinctl bench agent --control {control}' on each host"
            )));
        }
        control.tell(&format!("{}.all", conditions.control), &Note::Hello { answer: answer.into() })?;
        while let Some(note) = control.next(ASK_EVERY)? {
            if let Note::Here { agent, boot } = note
                && !found.contains(&agent)
                && found.len() < conditions.agents
            {
                found.push(agent);
                boots.insert(boot);
            }
        }
    }
    let has_one_clock = boots.len() == 1 && !boots.contains("");
    Ok((found, has_one_clock))
}

fn await_results(
    control: &mut Control,
    conditions: &Conditions,
    agents: &[String],
    sum: &mut Sum<'_>,
    all: &str,
) -> Outcome<()> {
    let (mut ready, mut done) = (Vec::new(), Vec::new());
    let pid = conditions.server_pid();
    let mut before = None;
    let mut end = now_ns() + nanos(PATIENCE);
    let is_sender = |agent: &String| {
        let place = agents.iter().position(|other| other == agent).unwrap_or(0);
        across::is_sender(place, agents.len())
    };
    let senders = agents.iter().filter(|agent| is_sender(agent)).count();
    while done.len() < agents.len() {
        if now_ns() > end {
            return Err(Trouble::Silent("an agent"));
        }
        if conditions.is_interrupted() {
            return Err(Trouble::Silent("interrupted before the agents were done"));
        }
        match control.next(LOOK_EVERY)? {
            Some(Note::Ready { agent }) if agents.contains(&agent) && !ready.contains(&agent) => {
                ready.push(agent);
                if ready.len() == agents.len() {
                    before = pid.and_then(|pid| Some((pid, Counters::read(pid)?)));
                    control.tell(all, &Note::Start { unix_ns: unix_ns() + nanos(START_DELAY) })?;
                    end = now_ns() + nanos(RUN_TIME_MAX);
                }
            }
            Some(Note::Result { agent, result }) if agents.contains(&agent) => sum.add(&agent, &result),
            Some(Note::Done { agent, seconds, cpu_ns, busiest_thread, unwaiting }) if agents.contains(&agent) => {
                let outcome = &mut sum.outcome;
                outcome.seconds = outcome.seconds.max(seconds);
                outcome.own_cpu_ns += cpu_ns;
                outcome.busiest_thread = outcome.busiest_thread.max(busiest_thread);
                outcome.unwaiting = outcome.unwaiting.max(unwaiting);
                done.push(agent);
                if conditions.is_across && done.iter().filter(|agent| is_sender(agent)).count() == senders {
                    let sent = outcome.groups.iter().map(|group| group.sent).collect();
                    control.tell(all, &Note::Sent { sent })?;
                }
            }
            Some(Note::Failed { agent, reason }) if agents.contains(&agent) => {
                return Err(Trouble::Usage(format!("agent {agent}: {reason}")));
            }
            _ => {}
        }
    }
    sum.outcome.server = before.and_then(|(pid, before)| Some(Counters::read(pid)?.since(&before, pid)));
    Ok(())
}

/// What all agents saw: counts and histograms add up, they ran at the same time.
struct Sum<'a> {
    workloads: &'a [(String, Workload)],
    is_across: bool,
    has_one_clock: bool,
    outcome: RunOutcome,
    /// What each member of a queue group got, by workload.
    shares: Vec<Vec<u64>>,
}

impl<'a> Sum<'a> {
    fn new(workloads: &'a [(String, Workload)], is_across: bool, has_one_clock: bool) -> Self {
        let new = |(name, load): &(String, Workload)| GroupOutcome {
            name: name.clone(),
            rate: load.rate(),
            ..GroupOutcome::default()
        };
        let outcome = RunOutcome { groups: workloads.iter().map(new).collect(), ..RunOutcome::default() };
        Self { workloads, is_across, has_one_clock, outcome, shares: vec![Vec::new(); workloads.len()] }
    }

    fn add(&mut self, agent: &str, result: &AgentResult) {
        let Some(place) = self.workloads.iter().position(|(name, _)| *name == result.name) else { return };
        let group = &mut self.outcome.groups[place];
        group.sent += result.sent;
        group.sent_bytes += result.sent_bytes;
        group.received += result.received;
        group.received_bytes += result.received_bytes;
        group.served += result.served;
        group.send_seconds = group.send_seconds.max(result.send_seconds);
        group.receive_seconds = group.receive_seconds.max(result.receive_seconds);
        group.behind_ns = group.behind_ns.max(result.behind_ns);
        group.faults.merge(&result.faults);
        self.shares[place].extend(&result.shares);
        // Each agent has a group of its own: the least fair one is what people must see.
        let probability = |fairness: &Option<Fairness>| fairness.as_ref().map_or(2.0, |fairness| fairness.probability);
        if probability(&result.fairness) < probability(&group.fairness) {
            group.fairness.clone_from(&result.fairness);
        }
        // A stamp of another clock says nothing.
        let is_timed =
            self.has_one_clock || !self.is_across || matches!(self.workloads[place].1, Workload::Requests(_));
        if is_timed {
            for (value, count) in &result.corrected {
                group.latencies.corrected.saturating_record_n(*value, *count);
            }
            for (value, count) in &result.uncorrected {
                group.latencies.uncorrected.saturating_record_n(*value, *count);
            }
        } else if !result.corrected.is_empty() && self.outcome.notes.is_empty() {
            self.outcome.notes.push(
                "no latency: publishers and subscribers are on hosts with clocks of their own; 'request' is timed by who asks"
                    .into(),
            );
        }
        let (kind, messages, bytes, seconds) = if result.received > 0 {
            ("subscriber", result.received, result.received_bytes, result.receive_seconds)
        } else if result.served > 0 {
            ("responder", result.served, 0, result.receive_seconds)
        } else {
            ("publisher", result.sent, result.sent_bytes, result.send_seconds)
        };
        group.clients.push(ClientLine { kind, messages, bytes, seconds });
        let figure = if result.received > 0 { ("received", result.received) } else { ("sent", result.sent) };
        self.outcome.figures.insert(format!("{agent}: {}", figure.0), figure.1 as f64);
    }

    fn outcome(mut self) -> RunOutcome {
        if self.is_across {
            for ((group, (_, workload)), shares) in self.outcome.groups.iter_mut().zip(self.workloads).zip(&self.shares)
            {
                across::settle(group, workload, shares);
            }
        }
        self.outcome
    }
}

#[cfg(test)]
mod tests {
    use super::{Sum, buckets};
    use crate::bench::control::AgentResult;
    use crate::bench::latency::Latencies;
    use crate::bench::workload::Workload;
    use crate::bench::workload::tests::flow;

    fn result(latencies: &Latencies) -> AgentResult {
        AgentResult {
            name: "flow".into(),
            received: 999,
            corrected: buckets(&latencies.corrected),
            uncorrected: buckets(&latencies.uncorrected),
            ..AgentResult::default()
        }
    }

    #[test]
    fn histograms_of_agents_add_up_to_that_of_one() {
        let workloads = [("flow".to_owned(), Workload::Flow(flow()))];
        let (mut one, mut all) = (Latencies::default(), Latencies::default());
        let mut sum = Sum::new(&workloads, false, false);
        for agent in 0..3_u64 {
            one = Latencies::default();
            for n in 1..1000 {
                let (corrected, uncorrected) = (n * (agent + 1) * 977, n * 31);
                one.record(corrected, uncorrected);
                all.record(corrected, uncorrected);
            }
            sum.add("a", &result(&one));
        }
        let outcome = sum.outcome();
        let merged = &outcome.groups[0].latencies;
        assert_eq!((&merged.corrected, &merged.uncorrected), (&all.corrected, &all.uncorrected));
        assert_ne!(merged.corrected, one.corrected);
        assert_eq!((outcome.groups[0].received, outcome.notes.len()), (2997, 0));
    }

    #[test]
    fn stamps_of_another_clock_are_no_latency() {
        let workloads = [("flow".to_owned(), Workload::Flow(flow()))];
        let mut latencies = Latencies::default();
        latencies.record(5, 5);
        let mut sum = Sum::new(&workloads, true, false);
        sum.add("a", &result(&latencies));
        sum.add("b", &result(&latencies));
        let outcome = sum.outcome();
        assert!(outcome.groups[0].latencies.is_empty());
        assert!(outcome.notes.len() == 1 && outcome.notes[0].contains("clocks"), "{:?}", outcome.notes);
        let mut sum = Sum::new(&workloads, true, true);
        sum.add("a", &result(&latencies));
        assert_eq!(sum.outcome().groups[0].latencies.corrected.len(), 1);
    }
}
