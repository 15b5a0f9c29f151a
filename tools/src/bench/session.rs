//! One invocation: what the flags ask for, warm-up, repeats, reports, exit code.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};

use super::agents;
use super::clock::now_ns;
use super::command::{Shape, flow, requests};
use super::comparison;
use super::compat;
use super::connections::{self, Kind};
use super::environment::Environment;
use super::flags::{Command, ConnectionLoadFlags, Flags};
use super::host::CpuTicks;
use super::knee;
use super::latency::{Latencies, hgrm};
use super::monitoring::Pages;
use super::outcome::RunOutcome;
use super::page;
use super::progress::Progress;
use super::run::{Conditions, execute};
use super::scale;
use super::scenario;
use super::suite;
use super::summary::Writer;
use super::tables;
use super::target::Target;
use super::trouble::{EXIT_INTERRUPTED, EXIT_LOST, EXIT_OK, Outcome, Trouble};
use super::workload::Workload;

/// Does what the flags say; returns the exit code.
pub(crate) fn run(flags: &Flags) -> Outcome<u8> {
    refuse_idle(flags)?;
    let conditions = conditions(flags)?;
    match &flags.command {
        Command::Compare(own) => return comparison::run(flags, &conditions, own),
        Command::Knee(own) => return knee::run(flags, &conditions, own),
        Command::Scale(own) => return scale::run(flags, &conditions, own),
        Command::Suite(own) => return suite::run(flags, &conditions, own),
        Command::Agent(own) => return agents::serve(&conditions, own),
        Command::Compat(own) => return run(&compat::flags(&flags.run, own)?),
        _ => {}
    }
    let work = work(&flags.command, flags.connection.timeout)?;
    let outcomes = repeat(flags, &conditions, &work)?;
    report(flags, &conditions, &outcomes)?;
    Ok(outcomes.iter().map(exit_code).max().unwrap_or(EXIT_OK))
}

/// A flag that a command would pass over is a mistake of whoever gave it.
fn refuse_idle(flags: &Flags) -> Outcome<()> {
    let (run, command) = (&flags.run, &flags.command);
    let (name, way_out) = match command {
        Command::Compare(_) => ("compare", "it prints a table, --json or a --report, and repeats with --rounds"),
        Command::Knee(_) => ("knee", "it prints a table, --json or a --report"),
        Command::Scale(_) => ("scale", "it prints a table, --json or a --report"),
        Command::Suite(_) => ("suite", "it prints Markdown, --json or a --report, and repeats with --rounds"),
        Command::Agent(_) => ("agent", "whoever says --agents prints what was measured"),
        _ => return Ok(()),
    };
    let is_agent = matches!(command, Command::Agent(_));
    let idle = [
        ("--csv", run.csv.is_some()),
        ("--hgrm", run.hgrm.is_some()),
        ("--repeat", run.repeat > 1),
        ("--warmup", run.warmup > 0.0),
        ("--markdown", run.markdown && !matches!(command, Command::Suite(_))),
        ("--json", run.json && is_agent),
        ("--report", run.report.is_some() && is_agent),
        ("--agents", run.agents > 0 && is_agent),
    ];
    match idle.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Trouble::Usage(format!("{flag}: '{name}' has no use for it; {way_out}"))),
        None => Ok(()),
    }
}

/// What one run does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Named workloads, side by side.
    Messages(Vec<(String, Workload)>),
    Connections(Kind, ConnectionLoadFlags),
    /// Both, side by side: connections come and go while messages flow.
    Mixed(Vec<(String, Workload)>, Vec<(String, Kind, ConnectionLoadFlags)>),
}

impl Work {
    /// Does it once, and looks at the host and at the server's own pages before and after.
    pub(crate) fn execute(&self, conditions: &Conditions, number: u16) -> Outcome<RunOutcome> {
        let pages = conditions.monitor.as_deref().map(Pages::read).transpose()?;
        let ticks = CpuTicks::read();
        let mut outcome = self.execute_alone(conditions, number)?;
        outcome.host_cpus = CpuTicks::read().since(&ticks);
        // A server that has died has no pages any more, and that is said already.
        if let (Some(url), Some(before), None) = (&conditions.monitor, &pages, &outcome.trouble) {
            outcome.pages = Pages::read(url)?.since(before);
        }
        Ok(outcome)
    }

    fn execute_alone(&self, conditions: &Conditions, number: u16) -> Outcome<RunOutcome> {
        match self {
            Self::Messages(workloads) if conditions.agents > 0 => agents::coordinate(conditions, workloads, number),
            _ if conditions.agents > 0 => {
                Err(Trouble::Usage("--agents: only messages are shared out; leave it out for connections".into()))
            }
            Self::Messages(workloads) => execute(conditions, workloads, number),
            Self::Connections(kind, flags) => connections::execute(conditions, *kind, flags),
            Self::Mixed(workloads, others) => scenario::execute(conditions, workloads, others, number),
        }
    }

    /// The same with a share of the load.
    pub(crate) fn scaled(&self, share: f64) -> Self {
        let loads = |workloads: &[(String, Workload)]| {
            workloads.iter().map(|(name, load)| (name.clone(), load.scaled(share))).collect()
        };
        let fewer = |flags: &ConnectionLoadFlags| ConnectionLoadFlags {
            count: ((flags.count as f64 * share) as u64).max(1),
            msgs: (flags.msgs as f64 * share) as u64,
            ..flags.clone()
        };
        match self {
            Self::Messages(workloads) => Self::Messages(loads(workloads)),
            Self::Connections(kind, flags) => Self::Connections(*kind, fewer(flags)),
            Self::Mixed(workloads, others) => {
                let others = others.iter().map(|(name, kind, flags)| (name.clone(), *kind, fewer(flags)));
                Self::Mixed(loads(workloads), others.collect())
            }
        }
    }
}

/// The work of words after `--`: a command of bench with its flags.
pub(crate) fn work_of_words(words: &[String], timeout: Duration) -> Outcome<Work> {
    let line = std::iter::once("dunlinctl bench").chain(words.iter().map(String::as_str));
    let wrong = |error: clap::Error| Trouble::Usage(format!("after --: {error}"));
    let mut command = Flags::command();
    let matches = command.try_get_matches_from_mut(line).map_err(wrong)?;
    // Servers and reports are those of the study: what is said of them here would be passed over.
    let is_given = |flag: &&clap::Arg| matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine);
    if let Some(flag) = command.get_arguments().filter(|flag| flag.is_global_set()).find(is_given) {
        let name = flag.get_long().unwrap_or_default();
        return Err(Trouble::Usage(format!("--{name}: give it before --, and only the work after it")));
    }
    let flags = Flags::from_arg_matches(&matches).map_err(wrong)?;
    work(&flags.command, timeout)
}

/// What a command does; studies of several runs are no work.
pub(crate) fn work(command: &Command, timeout: Duration) -> Outcome<Work> {
    let (name, workload) = match command {
        Command::Pub(f) => ("pub", flow(Shape::Pub, f)?),
        Command::Sub(f) => ("sub", flow(Shape::Sub, f)?),
        Command::Pubsub(f) => ("pubsub", flow(Shape::PubSub, f)?),
        Command::Fanin(f) => ("fanin", flow(Shape::FanIn, f)?),
        Command::Fanout(f) => ("fanout", flow(Shape::FanOut, f)?),
        Command::Queue(f) => ("queue", flow(Shape::Queue, f)?),
        Command::Wildcard(f) => ("wildcard", flow(Shape::Wildcard, f)?),
        Command::Request(f) => ("request", requests(false, f, timeout)?),
        Command::Serve(f) => ("serve", requests(true, f, timeout)?),
        Command::Subs(f) => return Ok(Work::Connections(Kind::Subs, f.clone())),
        Command::Conns(f) => return Ok(Work::Connections(Kind::Conns, f.clone())),
        Command::Churn(f) => return Ok(Work::Connections(Kind::Churn, f.clone())),
        Command::Storm(f) => return Ok(Work::Connections(Kind::Storm, f.clone())),
        Command::Scenario(f) => return scenario::read(&f.file, timeout),
        Command::Compare(_)
        | Command::Knee(_)
        | Command::Scale(_)
        | Command::Suite(_)
        | Command::Compat(_)
        | Command::Agent(_) => {
            return Err(Trouble::Usage("after --: a workload, not another study".into()));
        }
    };
    Ok(Work::Messages(vec![(name.to_owned(), workload)]))
}

/// What all runs of this invocation share.
fn conditions(flags: &Flags) -> Outcome<Conditions> {
    let run = &flags.run;
    if run.repeat == 0 {
        return Err(Trouble::Usage("--repeat 0: there is nothing to do; give at least 1".into()));
    }
    if !(0.0..=10.0).contains(&run.warmup) {
        return Err(Trouble::Usage("--warmup: a share of the load, 0 to 10".into()));
    }
    let interrupt = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second one ends the program at once.
        signal_hook::flag::register_conditional_shutdown(signal, EXIT_INTERRUPTED.into(), Arc::clone(&interrupt))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupt)))
            .map_err(Trouble::io("waiting for signals"))?;
    }
    Ok(Conditions {
        target: Target::resolve(&flags.connection)?,
        threads: run.threads,
        quiet: run.quiet_time,
        server_pid: run.server_pid,
        is_blind: run.no_server_stats,
        progress: Progress::new(!run.no_progress),
        interrupt,
        gate: None,
        monitor: run.monitor.clone(),
        agents: run.agents,
        is_across: run.across,
        news: None,
        control: run.control.clone(),
    })
}

/// Warm-up and as many runs as were asked for, fewer where one fails.
fn repeat(flags: &Flags, conditions: &Conditions, work: &Work) -> Outcome<Vec<RunOutcome>> {
    // Messages of an earlier run must not pass for ours.
    let mut number = (now_ns() >> 10) as u16;
    let mut next = || {
        number = number.wrapping_add(1);
        number
    };
    if flags.run.warmup > 0.0 {
        let outcome = work.scaled(flags.run.warmup).execute(conditions, next())?;
        if outcome.trouble.is_some() || outcome.is_interrupted {
            return Ok(vec![outcome]);
        }
    }
    let mut outcomes: Vec<RunOutcome> = Vec::new();
    for _ in 0..flags.run.repeat {
        let outcome = work.execute(conditions, next())?;
        let is_last = outcome.trouble.is_some() || outcome.is_interrupted;
        outcomes.push(outcome);
        if is_last {
            break;
        }
    }
    Ok(outcomes)
}

pub(crate) fn exit_code(outcome: &RunOutcome) -> u8 {
    match &outcome.trouble {
        Some(trouble) => trouble.exit_code(),
        None if outcome.is_interrupted => EXIT_INTERRUPTED,
        None if !outcome.wrongs().is_empty() => EXIT_LOST,
        None => EXIT_OK,
    }
}

fn report(flags: &Flags, conditions: &Conditions, outcomes: &[RunOutcome]) -> Outcome<()> {
    let writer = Writer { has_colours: std::io::stdout().is_terminal() };
    let info = outcomes.first().map(|outcome| outcome.info.clone()).unwrap_or_default();
    let environment = Environment::look(&info, conditions.server_pid());
    let mut text = String::new();
    if flags.run.json {
        text = format!("{:#}\n", tables::json(outcomes, &environment));
    } else if flags.run.markdown {
        text = tables::markdown(outcomes, &environment);
    } else {
        for outcome in outcomes {
            text.push_str(&writer.run(outcome));
        }
        if outcomes.len() > 1 {
            text.push_str(&format!("median of {} runs (least to most)\n", outcomes.len()));
            for (name, spread) in tables::spreads(outcomes) {
                let show = |figure| tables::show_metric(&name, figure);
                let (median, least, most) = (show(spread.median), show(spread.least), show(spread.most));
                text.push_str(&format!("  {name:<28} {median:>12}   {least} to {most}\n"));
            }
        }
    }
    say(&text);
    if let Some(file) = &flags.run.csv {
        write_file(file, &tables::csv(outcomes))?;
    }
    if let Some(file) = &flags.run.report {
        let names: Vec<&str> =
            outcomes.iter().take(1).flat_map(|outcome| &outcome.groups).map(|group| group.name.as_str()).collect();
        let title = format!(
            "dunlinctl bench {} on {} {}",
            names.join(", "),
            environment.server_name,
            environment.server_version
        );
        write_file(file, &page::of_runs(&title, outcomes, &environment))?;
    }
    if let Some(file) = &flags.run.hgrm {
        let mut all = Latencies::default();
        outcomes.iter().flat_map(|outcome| &outcome.groups).for_each(|group| all.merge(&group.latencies));
        if all.is_empty() {
            return Err(Trouble::Usage("--hgrm: no latency was measured, so no file is written".into()));
        }
        write_file(file, &hgrm(&all.corrected))?;
    }
    Ok(())
}

/// Prints; whoever has closed the pipe does not want to read on.
pub(crate) fn say(text: &str) {
    let _closed = std::io::stdout().lock().write_all(text.as_bytes());
}

pub(crate) fn write_file(file: &Path, text: &str) -> Outcome<()> {
    std::fs::write(file, text).map_err(|error| Trouble::Usage(format!("{}: {error}", file.display())))
}
