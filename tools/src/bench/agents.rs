//! Several hosts: a coordinator tells agents what to do, when to start, and adds up what they saw.
//!
//! Everything goes over subjects of the server under test, outside of the measured time. Each agent has subjects of its own, so
//! a latency is always between two moments of one clock; the wall clocks of the hosts only have to agree on the start.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use super::clock::{nanos, now_ns};
use super::control::{AgentResult, Control, Note};
use super::flags::AgentFlags;
use super::outcome::{ClientLine, GroupOutcome, RunOutcome};
use super::process::Counters;
use super::progress::Progress;
use super::run::{Conditions, Gate, execute};
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
                let note = Note::Here { agent: agent.clone() };
                with(&control, |control| control.tell(&answer, &note))?;
            }
            Some(Note::Work { answer, place, agents, run, workloads }) => {
                runs += 1;
                let own: Vec<_> =
                    workloads.iter().map(|(name, load)| (name.clone(), load.for_agent(place, agents.max(1)))).collect();
                let gate = gate(Arc::clone(&control), answer.clone(), agent.clone());
                let conditions = Conditions {
                    gate: Some(gate),
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
            corrected: buckets(&group.latencies.corrected),
            uncorrected: buckets(&group.latencies.uncorrected),
        };
        control.tell(answer, &Note::Result { agent: agent.into(), result })?;
    }
    let (seconds, cpu_ns, busiest_thread) = (outcome.seconds, outcome.own_cpu_ns, outcome.busiest_thread);
    control.tell(answer, &Note::Done { agent: agent.into(), seconds, cpu_ns, busiest_thread })
}

fn buckets(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    histogram.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect()
}

/// Runs the workloads on the agents, once.
pub(crate) fn coordinate(conditions: &Conditions, workloads: &[(String, Workload)], run: u16) -> Outcome<RunOutcome> {
    if conditions.agents > AGENTS_MAX {
        return Err(Trouble::Usage(format!("--agents: at most {AGENTS_MAX}")));
    }
    let answer = format!("{}.answer.{:x}.{run}", conditions.control, std::process::id());
    let mut control = Control::open(&conditions.target, std::slice::from_ref(&answer))?;
    let agents = find(&mut control, conditions, &answer)?;
    for (place, agent) in agents.iter().enumerate() {
        let work =
            Note::Work { answer: answer.clone(), place, agents: agents.len(), run, workloads: workloads.to_vec() };
        control.tell(&format!("{}.agent.{agent}", conditions.control), &work)?;
    }
    let all = format!("{}.all", conditions.control);
    let outcome = await_results(&mut control, conditions, &agents, workloads, &all);
    if outcome.is_err() {
        // Those that wait need not wait to the end.
        control.tell(&all, &Note::Cancel)?;
    }
    outcome
}

fn find(control: &mut Control, conditions: &Conditions, answer: &str) -> Outcome<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
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
            if let Note::Here { agent } = note
                && !found.contains(&agent)
                && found.len() < conditions.agents
            {
                found.push(agent);
            }
        }
    }
    Ok(found)
}

fn await_results(
    control: &mut Control,
    conditions: &Conditions,
    agents: &[String],
    workloads: &[(String, Workload)],
    all: &str,
) -> Outcome<RunOutcome> {
    let new = |(name, load): &(String, Workload)| GroupOutcome {
        name: name.clone(),
        rate: load.rate(),
        ..GroupOutcome::default()
    };
    let mut outcome = RunOutcome { groups: workloads.iter().map(new).collect(), ..RunOutcome::default() };
    let (mut ready, mut done) = (Vec::new(), Vec::new());
    let pid = conditions.server_pid();
    let mut before = None;
    let mut end = now_ns() + nanos(PATIENCE);
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
            Some(Note::Result { agent, result }) if agents.contains(&agent) => add(&mut outcome, &agent, &result),
            Some(Note::Done { agent, seconds, cpu_ns, busiest_thread }) if agents.contains(&agent) => {
                outcome.seconds = outcome.seconds.max(seconds);
                outcome.own_cpu_ns += cpu_ns;
                outcome.busiest_thread = outcome.busiest_thread.max(busiest_thread);
                done.push(agent);
            }
            Some(Note::Failed { agent, reason }) if agents.contains(&agent) => {
                return Err(Trouble::Usage(format!("agent {agent}: {reason}")));
            }
            _ => {}
        }
    }
    outcome.info = control.info();
    outcome.server = before.and_then(|(pid, before)| Some(Counters::read(pid)?.since(&before, pid)));
    Ok(outcome)
}

/// Adds what an agent saw: counts and histograms add up, the agents ran at the same time.
fn add(outcome: &mut RunOutcome, agent: &str, result: &AgentResult) {
    let Some(group) = outcome.groups.iter_mut().find(|group| group.name == result.name) else { return };
    group.sent += result.sent;
    group.sent_bytes += result.sent_bytes;
    group.received += result.received;
    group.received_bytes += result.received_bytes;
    group.served += result.served;
    group.send_seconds = group.send_seconds.max(result.send_seconds);
    group.receive_seconds = group.receive_seconds.max(result.receive_seconds);
    group.behind_ns = group.behind_ns.max(result.behind_ns);
    group.faults.merge(&result.faults);
    for (value, count) in &result.corrected {
        group.latencies.corrected.saturating_record_n(*value, *count);
    }
    for (value, count) in &result.uncorrected {
        group.latencies.uncorrected.saturating_record_n(*value, *count);
    }
    let (kind, messages, bytes, seconds) = if result.received > 0 {
        ("subscriber", result.received, result.received_bytes, result.receive_seconds)
    } else {
        ("publisher", result.sent, result.sent_bytes, result.send_seconds)
    };
    group.clients.push(ClientLine { kind, messages, bytes, seconds });
    outcome.figures.insert(format!("{agent}: received"), result.received as f64);
}

#[cfg(test)]
mod tests {
    use super::{add, buckets};
    use crate::bench::control::AgentResult;
    use crate::bench::latency::Latencies;
    use crate::bench::outcome::{GroupOutcome, RunOutcome};

    #[test]
    fn histograms_of_agents_add_up_to_that_of_one() {
        let (mut one, mut all) = (Latencies::default(), Latencies::default());
        let mut outcome = RunOutcome { groups: vec![GroupOutcome::default()], ..RunOutcome::default() };
        for agent in 0..3_u64 {
            one = Latencies::default();
            for n in 1..1000 {
                let (corrected, uncorrected) = (n * (agent + 1) * 977, n * 31);
                one.record(corrected, uncorrected);
                all.record(corrected, uncorrected);
            }
            let result = AgentResult {
                received: 999,
                corrected: buckets(&one.corrected),
                uncorrected: buckets(&one.uncorrected),
                ..AgentResult::default()
            };
            add(&mut outcome, "a", &result);
        }
        let merged = &outcome.groups[0].latencies;
        assert_eq!((&merged.corrected, &merged.uncorrected), (&all.corrected, &all.uncorrected));
        assert_ne!(merged.corrected, one.corrected);
        assert_eq!(outcome.groups[0].received, 2997);
    }
}
