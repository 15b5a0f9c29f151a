//! `dunlinctl config`: what can be done with a configuration file without a server.
//!
//! ```text
//! hash/        plain passwords and tokens become bcrypt hashes
//! replace.rs   a file is replaced at once, or not at all
//! ```
//!
//! Owns the word after `config`. What a subcommand does, and its flags, are its own.

mod hash;
mod replace;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::USAGE_ERROR;

const HELP: &str = "\
Usage: dunlinctl config <command> [arguments]

Commands:
    hash    Replace plain passwords and tokens of a configuration file by bcrypt hashes

'dunlinctl config <command> --help' says more.
";

/// Runs the tool.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut words = arguments.into_iter();
    let first = words.next();
    match first.as_ref().map(|word| word.to_string_lossy()).as_deref() {
        Some("hash") => hash::run(words.collect()),
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
