//! The table of tools. A new one is a folder beside this file and a line here.

use std::ffi::OsString;
use std::process::ExitCode;

/// One subcommand.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The word that selects it.
    pub(crate) name: &'static str,
    /// What it does, in one line of the help.
    pub(crate) summary: &'static str,
    /// Does it with the arguments that follow the word.
    pub(crate) run: fn(Vec<OsString>) -> ExitCode,
}

/// Every tool, in the order of the help.
pub(crate) const TOOLS: &[Tool] =
    &[Tool { name: "bench", summary: "Load and measurements for any NATS server", run: crate::bench::run }];
