//! `dunlinctl config check`: what the server would say of a configuration, each with the line that it is about.
//!
//! ```text
//! findings.rs   asks the server's own reader; from its lines to findings with a place
//! grammar.rs    the first place that is not in the grammar, and which brace is to blame
//! hints.rs      what a user may have meant, and the way out
//! report.rs     for people, and as JSON
//! ```
//!
//! Owns the exit code: 0 where the server would start with the file and `-t` would call it valid, else 1. Judges nothing
//! itself. Invariant: no secret is shown.

mod findings;
mod grammar;
mod hints;
mod report;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use dunlin::config::RawConfig;

use self::findings::findings;
use super::arguments::{Wanted, parse};
use super::colour::Paint;
use super::excerpt::Sources;
use crate::USAGE_ERROR;
use crate::tool::say;

const HELP: &str = "\
Says all that is wrong with a configuration file, with the lines that are meant and what may have been meant instead.

Usage: dunlinctl config check FILE [--json] [flags of the server]

        --json    One JSON object instead of lines for people
    -h, --help    Show this message

The flags of the server go over the file, as they do in the server; @FILE and $VARIABLE in them are looked up.
Files of TLS are looked for from this folder, as the server looks for them from the folder where it starts.
Exit code: 0 where the server takes the file and has no complaint, 1 where not, 2 where this command line is wrong.
";

/// Runs the command.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    let arguments = match parse(arguments, Wanted { files: 1, all: false, words: false }) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            say(HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("dunlinctl config check: {error}");
            eprintln!("Try 'dunlinctl config check --help'.");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    let Some(file) = arguments.files.first() else { return ExitCode::from(USAGE_ERROR) };
    let mut sources = Sources::default();
    let checked = findings(file, &arguments.flags, &mut sources);
    say(&if arguments.json {
        report::json(file, &checked, &mut sources)
    } else {
        report::lines(file, &checked, &mut sources, Paint::of_stdout())
    });
    if checked.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The report on a file for people.
pub(super) fn report(file: &Path, flags: &RawConfig, paint: Paint) -> String {
    let mut sources = Sources::default();
    let checked = findings(file, flags, &mut sources);
    report::lines(file, &checked, &mut sources, paint)
}
