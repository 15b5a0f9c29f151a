//! `dunlinctl config`: what can be done with a configuration file without a server.
//!
//! ```text
//! check/         what is wrong with a file, with excerpts and suggestions
//! diff/          what a reload from one file to another does
//! explain/       each setting, and where it comes from
//! hash/          plain passwords and tokens become bcrypt hashes
//! strip/         a file for nats-server
//! arguments.rs   a file, and the flags of the server over it
//! colour.rs      colours, where there is a terminal
//! excerpt.rs     the line that a message is about, with a mark
//! replace.rs     a file is replaced at once, or not at all
//! resolved.rs    a file that is right, or what is wrong with it
//! secrets.rs     what of a file is not shown
//! ```
//!
//! Owns the word after `config`. What a subcommand does, and its flags, are its own.

mod arguments;
mod check;
mod colour;
mod diff;
mod excerpt;
mod explain;
mod hash;
mod replace;
mod resolved;
mod secrets;
mod strip;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::USAGE_ERROR;

const HELP: &str = "\
Usage: dunlinctl config <command> [arguments]

Commands:
    check   Say all that is wrong with a configuration file
    explain Show each setting, where it comes from and whether a reload changes it
    diff    Say what a reload from one file to another would do
    hash    Replace plain passwords and tokens of a configuration file by bcrypt hashes
    strip   Leave out what only this server takes, for nats-server

'dunlinctl config <command> --help' says more.
";

/// Runs the tool.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut words = arguments.into_iter();
    let first = words.next();
    match first.as_ref().map(|word| word.to_string_lossy()).as_deref() {
        Some("check") => check::run(words.collect()),
        Some("explain") => explain::run(words.collect()),
        Some("diff") => diff::run(words.collect()),
        Some("hash") => hash::run(words.collect()),
        Some("strip") => strip::run(words.collect()),
        None | Some("-h" | "--help") => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Some(word) => {
            eprintln!("dunlinctl config: there is no command '{word}'");
            eprintln!("Try 'dunlinctl config --help'.");
            ExitCode::from(USAGE_ERROR)
        }
    }
}
