//! `dunlinctl top`: nats-top for any NATS server, with Dunlin's own pages where they are.
//!
//! ```text
//! flags ──► snapshot ─────────────► heading, views ──► sheet ──► text, fields           (-o)
//!       └─► screen ── keys ──► app ─► draw ─► heading, views ──► sheet ──► terminal
//!             poller ── looks ──┘      (look: pages and their rates)
//! ```
//!
//! Owns the exit code: 0, 1 the server or the file, 2 the command line.

mod app;
mod draw;
mod flags;
mod format;
mod heading;
mod help;
#[cfg(test)]
mod hostile;
mod look;
mod options;
mod poller;
mod rates;
#[cfg(test)]
mod recorded;
mod screen;
mod sheet;
mod slow;
mod snapshot;
mod views;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::monitoring::{Monitor, Trust};
use flags::{Flags, Wanted};
use look::Look;

const FAILED: u8 = 1;
const USAGE_ERROR: u8 = 2;

/// Runs the tool with the words that follow its name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let flags = match flags::parse(arguments, std::env::var("NATS_MONITOR").ok().filter(|place| !place.is_empty())) {
        Ok(Wanted::Help) => {
            print!("{}", help::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Wanted::Version) => {
            println!("dunlinctl: v{}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Ok(Wanted::Look(flags)) => flags,
        Err(error) => {
            eprintln!("dunlinctl top: {error}");
            eprintln!("Try 'dunlinctl top -h'.");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match look(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dunlinctl top: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn look(flags: &Flags) -> Result<(), String> {
    let trust = Trust::read(
        ("-cacert", flags.authority.as_deref()),
        ("-cert", flags.cert.as_deref()),
        ("-key", flags.key.as_deref()),
        flags.believes_anyone,
        flags.place.is_tls(),
    )?;
    let monitor = Monitor::new(flags.place.clone(), &trust, flags.timeout);
    // A server that is not there at the start is a wrong address more often than a server that will come.
    let first = Look::take(&monitor, &flags.options, 0.0).map_err(|error| {
        let way_out = "say where with -s and -m, and start the server with a monitoring port (-m 8222)";
        format!("{}: {error}; {way_out}", monitor.place().url("/varz"))
    })?;
    match &flags.output {
        Some(file) => snapshot::run(flags, &monitor, first, file),
        None => screen::run(flags, monitor, first),
    }
}
