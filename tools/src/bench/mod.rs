//! `dunlinctl bench`: load and measurements for any NATS server.
//!
//! ```text
//! flags → command → workload → run: threads of worker (link, frame, publisher, subscriber, requester) → outcome → summary
//! ```
//!
//! Owns the exit code: 0, 1 a threshold, 2 trouble, 3 messages lost, wrong or shared unfairly, 130 Ctrl-C.

mod across;
mod agents;
mod board;
mod chart;
mod clock;
mod command;
mod compare;
mod comparison;
mod compat;
mod connections;
mod context;
mod control;
mod dial;
mod environment;
mod fairness;
mod flags;
mod frame;
mod growth;
mod host;
mod knee;
mod latency;
mod launch;
pub(crate) mod link;
mod login;
mod monitoring;
mod outcome;
mod page;
mod process;
mod progress;
mod publisher;
mod requester;
mod run;
mod scale;
mod scenario;
mod schedule;
mod sequence;
mod session;
mod stamp;
mod statistics;
mod study_page;
mod subscriber;
mod suite;
mod summary;
mod tables;
pub(crate) mod target;
mod tls;
mod traffic;
pub(crate) mod trouble;
pub(crate) mod values;
mod worker;
mod workload;
mod zipf;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use flags::Flags;

/// Runs the tool with the words that follow its name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let line = std::iter::once(OsString::from("dunlinctl bench")).chain(arguments);
    let flags = match Flags::try_parse_from(line) {
        Ok(flags) => flags,
        Err(error) => {
            let _closed_output = error.print();
            return ExitCode::from(if error.use_stderr() { trouble::EXIT_TROUBLE } else { trouble::EXIT_OK });
        }
    };
    match session::run(&flags) {
        Ok(code) => ExitCode::from(code),
        Err(trouble) => {
            eprintln!("dunlinctl bench: {trouble}");
            ExitCode::from(trouble.exit_code())
        }
    }
}
