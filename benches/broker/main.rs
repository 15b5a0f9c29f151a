//! What a message costs: Dunlin, nats-server (the *peer*) and a minimal broker (the *floor*), started and loaded in turn.
//!
//! The figure that decides is the CPU time of the server, user and system of all its threads, over the messages it read and
//! delivered; rates and latencies stand beside it. `benches/README.md` says how to run it and how to read it. Loopback only;
//! ends only the servers it started.
//!
//! - `workloads` the table of rows and their budgets; `report` medians, ratios, verdicts; `tune` what a flag changes
//! - `flow`, `requests`, `paced`, `connections`, `subscriptions`, `frozen`, `secure` the kinds of work; `paired` ratios of pairs
//! - `generator`, `batch`, `client`, `seed` the load; `server` processes and their cost; `floor` the yardstick

mod batch;
mod client;
mod connections;
mod floor;
mod flow;
mod frozen;
mod generator;
mod metric;
mod options;
mod paced;
mod paired;
mod report;
mod requests;
mod secure;
mod seed;
mod server;
mod subscriptions;
mod trouble;
mod tune;
mod workloads;

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit};

use crate::metric::Sample;
use crate::options::{Command, Options};
use crate::report::Report;
use crate::server::{Kind, Nursery, Programs, Running};
use crate::trouble::{Outcome, Trouble};
use crate::tune::{Tune, TuneReport};
use crate::workloads::Row;

fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => print!("{}", options::HELP),
        Ok(Command::List) => workloads::ROWS.iter().for_each(|row| println!("{:16} {}", row.name, row.title)),
        Ok(Command::Floor { port }) => {
            if let Err(error) = floor::serve(port) {
                eprintln!("floor: {error}");
                return ExitCode::FAILURE;
            }
        }
        Ok(Command::Run(options)) => return run(*options),
        Err(error) => {
            eprintln!("{error}\n\n{}", options::HELP);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(mut options: Options) -> ExitCode {
    if options.programs.peer.is_none() && options.servers.contains(&Kind::Peer) {
        eprintln!("no nats-server found ($NATS_SERVER, --peer, search path): the peer is left out");
        options.servers.retain(|kind| *kind != Kind::Peer);
    }
    raise_file_limit();
    let nursery = Nursery::default();
    let mut report = Report::default();
    if let Err(trouble) = nursery.end_with_signals() {
        report.fail(trouble.to_string());
    }
    if let Some(tune) = &options.tune {
        println!("{}", run_tune(&options, tune, &nursery, &mut report).markdown(tune));
        return finish(&options, &report);
    }
    // Rounds outermost: each row sees the machine at several times.
    for round in 0..options.rounds {
        for row in &options.rows {
            for kind in options.servers.iter().copied().filter(|kind| row.can_run_on(*kind)) {
                eprintln!("{} · round {} · {kind}", row.name, round + 1);
                match run_row(&options.programs, kind, row, options.scale, &nursery) {
                    Ok(sample) => report.add(row, round, kind, &sample),
                    Err(trouble) => {
                        let failure = format!("{} · round {} · {kind}: {trouble}", row.name, round + 1);
                        eprintln!("FAILED {failure}");
                        report.fail(failure);
                    }
                }
            }
        }
    }
    println!("{}", report.markdown());
    finish(&options, &report)
}

/// The values take turns within a row, as the servers do in a usual run.
fn run_tune(options: &Options, tune: &Tune, nursery: &Nursery, report: &mut Report) -> TuneReport {
    let mut figures = TuneReport::default();
    let variants = tune.variants(&options.programs);
    for round in 0..options.rounds {
        for row in &options.rows {
            for kind in options.servers.iter().copied().filter(|kind| matches!(kind, Kind::Dunlin { .. })) {
                for (value, programs) in variants.iter().enumerate() {
                    match run_row(programs, kind, row, options.scale, nursery) {
                        Ok(sample) => figures.add(row.name, kind, value, round, &sample),
                        Err(trouble) => {
                            let (round, label) = (round + 1, tune.label(value));
                            let failure = format!("{} · round {round} · {kind} {label}: {trouble}", row.name);
                            eprintln!("FAILED {failure}");
                            report.fail(failure);
                        }
                    }
                }
            }
        }
    }
    figures
}

fn run_row(programs: &Programs, kind: Kind, row: &Row, scale: f64, nursery: &Nursery) -> Outcome<Sample> {
    let server = Running::start(programs, kind, row.config().as_deref(), nursery)?;
    row.run(&server, scale)
}

fn finish(options: &Options, report: &Report) -> ExitCode {
    if let Some(path) = &options.json
        && let Err(error) = std::fs::write(path, format!("{:#}\n", report.json()))
    {
        eprintln!("{}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    if report.has_failures() {
        eprintln!("FAILED: not all figures are there, see above");
        ExitCode::FAILURE
    } else if options.is_strict && report.is_over_budget() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Ten thousand connections need as many descriptors, here and in the servers, which inherit the limit.
fn raise_file_limit() {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let raised = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if let Err(error) =
        raised.map_err(|error| Trouble::Io { what: "raising the limit of open files", source: error.into() })
    {
        eprintln!("{error}");
    }
}
