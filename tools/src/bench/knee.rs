//! The highest rate at which a percentile of the latency stays under a bound and nothing is lost.
//!
//! Doubles until a rate is bad, then halves the distance. The search is pure; only `run` drives a server.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::environment::Environment;
use super::flags::{Flags, KneeFlags};
use super::launch::{Candidate, Launched};
use super::outcome::{RunOutcome, per_second};
use super::run::Conditions;
use super::session::{Work, exit_code, say, work_of_words, write_file};
use super::study_page;
use super::trouble::{EXIT_OK, EXIT_TROUBLE, Outcome, Trouble};
use super::values::{show_ns, show_rate};
use super::workload::{Flow, Requests, Workload};

/// A rate that was sent at less than this share of what was asked for was not held.
const HELD_SHARE: f64 = 0.97;

/// What to try next.
#[derive(Debug)]
struct Search {
    good: Option<f64>,
    bad: Option<f64>,
    next: f64,
    highest: f64,
    precision: f64,
}

impl Search {
    fn new(from: f64, highest: f64, precision: f64) -> Self {
        Self { good: None, bad: None, next: from, highest, precision: precision.max(0.005) }
    }

    /// The rate to try, `None` at the end.
    fn next(&self) -> Option<f64> {
        match (self.good, self.bad) {
            (Some(good), Some(bad)) if bad / good - 1.0 <= self.precision => None,
            (Some(good), None) if good >= self.highest => None,
            // Not even one a second.
            (None, Some(bad)) if bad <= 1.0 => None,
            _ => Some(self.next),
        }
    }

    fn tell(&mut self, is_good: bool) {
        if is_good {
            self.good = Some(self.next)
        } else {
            self.bad = Some(self.next)
        }
        self.next = match (self.good, self.bad) {
            (Some(good), Some(bad)) => (good * bad).sqrt(),
            (Some(good), None) => (good * 2.0).min(self.highest),
            (None, Some(bad)) => (bad / 4.0).max(1.0),
            (None, None) => self.next,
        };
    }
}

/// Runs the search; returns the exit code.
pub(crate) fn run(flags: &Flags, conditions: &Conditions, own: &KneeFlags) -> Outcome<u8> {
    if own.from == 0 || own.to < own.from {
        return Err(Trouble::Usage("--from: at least 1, and not above --to".into()));
    }
    let work = work_of_words(&own.work, flags.connection.timeout)?;
    let candidate = own.launch.as_deref().map(Candidate::parse).transpose()?;
    let server = candidate.map(|candidate| Launched::start(&candidate, &flags.connection)).transpose()?;
    let mut conditions = conditions.clone();
    if let Some(server) = &server {
        (conditions.target, conditions.server_pid) = (server.target.clone(), server.pid());
    }
    let mut knee = Knee { bound: own.under, ..Knee::default() };
    let mut search = Search::new(own.from as f64, own.to as f64, own.precision);
    let mut info = super::target::Info::default();
    while let Some(rate) = search.next() {
        let outcome = at_rate(&work, rate, own)?.execute(&conditions, knee.steps.len() as u16 + 1);
        let outcome = match outcome {
            Err(trouble) if knee.steps.is_empty() => return Err(trouble),
            Err(trouble) => RunOutcome { trouble: Some(trouble), ..RunOutcome::default() },
            Ok(outcome) => outcome,
        };
        if outcome.trouble.is_some() || outcome.is_interrupted {
            knee.code = exit_code(&outcome);
            let reason =
                outcome.trouble.map_or_else(|| "interrupted".to_owned(), |trouble| format!("ended early: {trouble}"));
            knee.note = Some(format!("{reason}; this is what was measured so far"));
            break;
        }
        let step = judge(&outcome, rate, own);
        info = outcome.info;
        if !flags.run.json {
            say(&show_step(&step));
        }
        search.tell(step.is_good);
        knee.steps.push(step);
    }
    knee.rate = search.good;
    knee.steps.sort_by(|a, b| a.asked.total_cmp(&b.asked));
    let environment = Environment::look(&info, conditions.server_pid());
    report(flags, own, &knee, &environment)?;
    Ok(if knee.code != EXIT_OK || knee.rate.is_some() { knee.code } else { EXIT_TROUBLE })
}

fn report(flags: &Flags, own: &KneeFlags, knee: &Knee, environment: &Environment) -> Outcome<()> {
    if let Some(file) = &flags.run.report {
        let title = format!("dunlinctl bench knee: {}", own.work.join(" "));
        write_file(file, &study_page::of_knee(&title, knee, environment))?;
    }
    if flags.run.json {
        say(&format!(
            "{:#}\n",
            json!({"environment": environment, "knee": knee.rate, "curve": knee.steps, "note": knee.note})
        ));
        return Ok(());
    }
    if let Some(note) = &knee.note {
        say(&format!("{note}\n"));
    }
    say(&knee.sentence());
    Ok(())
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Knee {
    /// By rate.
    pub(crate) steps: Vec<Step>,
    pub(crate) rate: Option<f64>,
    pub(crate) bound: Duration,
    /// Why it ended early.
    pub(crate) note: Option<String>,
    pub(crate) code: u8,
}

impl Knee {
    /// The result in words.
    pub(crate) fn sentence(&self) -> String {
        match self.rate {
            Some(rate) => {
                format!("knee: {} with the latency under {}\n", show_rate(rate), show_ns(self.bound.as_nanos() as f64))
            }
            None => "knee: no rate was good; give a higher --under or a lower --from\n".to_owned(),
        }
    }
}

/// One rate that was tried.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) asked: f64,
    pub(crate) sent: f64,
    pub(crate) p50_ns: u64,
    /// The percentile that is bounded.
    pub(crate) latency_ns: u64,
    pub(crate) wrong: u64,
    #[serde(rename = "good")]
    pub(crate) is_good: bool,
}

fn show_step(step: &Step) -> String {
    format!(
        "  {:>10} asked  {:>10} sent  p50 {:>9}  bound {:>9}  {} lost or wrong  {}\n",
        show_rate(step.asked),
        show_rate(step.sent),
        show_ns(step.p50_ns as f64),
        show_ns(step.latency_ns as f64),
        step.wrong,
        if step.is_good { "good" } else { "bad" }
    )
}

fn judge(outcome: &RunOutcome, rate: f64, own: &KneeFlags) -> Step {
    let mut latencies = super::latency::Latencies::default();
    outcome.groups.iter().for_each(|group| latencies.merge(&group.latencies));
    let sent = outcome.groups.iter().map(|group| per_second(group.sent, group.send_seconds)).sum();
    let latency_ns = latencies.corrected.value_at_percentile(own.percentile);
    let wrong = outcome.faults().total();
    let is_fast = u128::from(latency_ns) <= own.under.as_nanos() && !latencies.is_empty();
    let is_good = is_fast && wrong == 0 && sent >= rate * HELD_SHARE;
    Step { asked: rate, sent, p50_ns: latencies.corrected.value_at_percentile(50.0), latency_ns, wrong, is_good }
}

/// The same work at this rate, for the time of a step.
fn at_rate(work: &Work, rate: f64, own: &KneeFlags) -> Outcome<Work> {
    let Work::Messages(workloads) = work else {
        return Err(Trouble::Usage("knee: only messages have a rate; use pubsub or request after --".into()));
    };
    let mut workloads = workloads.clone();
    for (_, workload) in &mut workloads {
        let (Workload::Flow(Flow { extent, .. }) | Workload::Requests(Requests { extent, .. })) = workload;
        (extent.rate, extent.messages, extent.duration) = (Some(rate), None, Some(own.step));
        match workload {
            Workload::Flow(flow) if flow.publishers == 0 || flow.subscribers == 0 => {
                return Err(Trouble::Usage(
                    "knee: latency needs publishers and subscribers; use pubsub after --".into(),
                ));
            }
            Workload::Requests(requests) => requests.window = requests.window.max(1024),
            Workload::Flow(_) => {}
        }
    }
    Ok(Work::Messages(workloads))
}

#[cfg(test)]
mod tests {
    use super::Search;

    /// Searches with a server that is good up to `limit`; returns the result and the number of steps.
    fn found(limit: f64, from: f64, highest: f64) -> (Option<f64>, usize) {
        let mut search = Search::new(from, highest, 0.05);
        let mut steps = 0;
        while let Some(rate) = search.next() {
            search.tell(rate <= limit);
            steps += 1;
            assert!(steps < 100, "no end");
        }
        (search.good, steps)
    }

    #[test]
    fn the_knee_is_found_from_below_and_from_above() {
        for limit in [1_500.0, 123_456.0, 9e6] {
            for from in [1_000.0, 1e7] {
                let (good, steps) = found(limit, from, 2e7);
                let good = good.expect("a good rate");
                assert!(good <= limit && good > limit * 0.94 && steps < 40, "{limit} from {from}: {good} in {steps}");
            }
        }
    }

    #[test]
    fn the_search_has_an_end() {
        assert_eq!(found(f64::INFINITY, 1_000.0, 4_000.0).0, Some(4_000.0));
        assert_eq!(found(0.0, 1_000.0, 4_000.0).0, None);
    }
}
