//! `dunlinctl doctor`: the host, looked at as the server would use it.
//!
//! ```text
//! flags ─► Server: CPUs by the server's own rules, clients that come
//!                        │
//! Root ─► Host ──────────┴─► findings ─► table, or json ─► exit code
//!  │       ├─ cpus, speed, files, accepting, sockets, memory, cards: a theme a file, which reads and judges
//!  │       └─ cgroup
//!  └─ any folder with a proc and a sys: a test's, a container's host, a copy
//! ```
//!
//! Owns the exit code: 0, 1 where something will bite, 2 for a command line that cannot be understood.
//! Invariants: reading and judging are apart, so that what is said depends only on the files and the flags; no file that is missing, odd or
//! forbidden ends the program. Changes nothing on the host.

mod accepting;
mod cards;
mod cgroup;
mod cpus;
#[cfg(test)]
mod fake;
mod files;
mod finding;
mod flags;
mod json;
mod look;
mod memory;
mod server;
mod sockets;
mod speed;
mod table;
#[cfg(test)]
mod tests;
mod thresholds;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use dunlin::os::affinity::ranges;

use crate::USAGE_ERROR;
use crate::tool::say;
use accepting::Accepting;
use cards::Cards;
use cpus::Cpus;
use files::Files;
use finding::{Finding, Verdict};
use flags::{HELP, Options};
use look::Root;
use memory::Memory;
use server::{Server, cores_shown};
use sockets::Sockets;
use speed::Speed;
use table::{Style, WIDTH_DEFAULT};

/// Runs the tool.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let options = match flags::parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("dunlinctl doctor: {error}");
            eprintln!("Try 'dunlinctl doctor --help'.");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    let (json, quiet) = (options.json, options.quiet);
    let (server, findings) = examine(options);
    if json {
        say(&json::render(&server, &findings));
    } else {
        say(&table::render(&heading(&server), &findings, style(quiet)));
    }
    let bites = findings.iter().any(|finding| finding.verdict == Verdict::WillBite);
    if bites { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What the host says, before anybody judges it.
#[derive(Debug)]
struct Host {
    cpus: Cpus,
    speed: Speed,
    files: Files,
    accepting: Accepting,
    sockets: Sockets,
    memory: Memory,
    cards: Cards,
}

impl Host {
    fn read(root: &Root) -> Self {
        let cpus = Cpus::read(root);
        let speed = Speed::read(root, &cpus.seen.mask);
        Self {
            cpus,
            speed,
            files: Files::read(root),
            accepting: Accepting::read(root),
            sockets: Sockets::read(root),
            memory: Memory::read(root),
            cards: Cards::read(root),
        }
    }

    fn check(&self, server: &Server) -> Vec<Finding> {
        let mut findings = self.cpus.check(server);
        findings.extend(self.speed.check(server));
        findings.extend(self.files.check(server));
        findings.extend(self.accepting.check(server));
        findings.extend(self.sockets.check(server));
        findings.extend(self.memory.check(server));
        findings.extend(self.cards.check(server));
        findings
    }
}

fn examine(options: Options) -> (Server, Vec<Finding>) {
    let root = Root::new(&options.root, options.pid);
    let host = Host::read(&root);
    let threads = host.cpus.threads.as_deref().unwrap_or_default();
    let running = options.pid.map(|pid| (pid, threads));
    let server = Server::new(options.config, options.connections, options.is_limited, &host.cpus.seen, running);
    let findings = host.check(&server);
    (server, findings)
}

fn heading(server: &Server) -> String {
    let whose = server.pid.map_or("A server".to_owned(), |pid| format!("The server of process {pid}"));
    let place = match (server.cores, server.pinned.as_slice()) {
        (_, []) => "not pinned".to_owned(),
        (_, cpus) => format!("pinned to CPUs {}", ranges(cpus)),
    };
    let cores = cores_shown(server.cores);
    format!("{whose} with {cores}, {place}; {}.", server.clients())
}

fn style(quiet: bool) -> Style {
    let out = std::io::stdout();
    let is_terminal = out.is_terminal();
    let size = rustix::termios::tcgetwinsize(&out).ok().filter(|_| is_terminal);
    let width = size.map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0).unwrap_or(WIDTH_DEFAULT);
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Style { width: width.clamp(60, 140), colours: is_terminal && !is_set("NO_COLOR") && !is_dumb, quiet }
}
