//! The table of tools. A new one is a folder beside this file and a line here.

use std::ffi::OsString;
use std::io::Write;
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
pub(crate) const TOOLS: &[Tool] = &[
    Tool { name: "bench", summary: "Load and measurements for any NATS server", run: crate::bench::run },
    Tool { name: "config", summary: "Work on a configuration file", run: crate::config::run },
    Tool { name: "doctor", summary: "Looks at this host as a server would use it", run: crate::doctor::run },
    Tool { name: "mkpasswd", summary: "A password and its bcrypt hash", run: crate::mkpasswd::run },
    Tool { name: "nk", summary: "Keys and signatures", run: crate::nk::run },
    Tool { name: "rtt", summary: "Round-trip times to servers", run: crate::rtt::run },
    Tool { name: "server", summary: "Health checks for alerting: server check", run: crate::server_check::run },
    Tool { name: "top", summary: "Watches a server, as nats-top does", run: crate::top::run },
];

/// Prints; whoever has closed the pipe does not want to read on.
pub(crate) fn say(text: &str) {
    let _closed = std::io::stdout().lock().write_all(text.as_bytes());
}
