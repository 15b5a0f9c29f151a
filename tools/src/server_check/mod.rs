//! `dunlinctl server check`: one question about one server, answered for alerting.
//!
//! ```text
//! flags ─► checks ─► report ─► render ─► standard output, file, exit code
//!            ├─ client: Probe
//!            └─ /varz, /healthz: Monitor
//! ```
//!
//! Owns the exit code, which is Nagios's: 0 OK, 1 warning, 2 critical, 3 unknown. A server that does not answer is critical; a
//! command line that cannot be understood is unknown, for it says nothing about the server.

mod checks;
mod flags;
mod render;
mod report;
mod threshold;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::bench::target::Target;
use crate::monitoring::pages::Varz;
use crate::monitoring::{Monitor, PageError, Place, Trust};
use crate::tool::say;
use checks::Source;
use flags::{Check, CheckFlags, Command, Flags};
use render::{Format, render};
use report::{Report, Status};

/// Runs the tool with the words that follow its name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let line = std::iter::once(OsString::from("dunlinctl server")).chain(arguments);
    let Command::Check(flags) = match Flags::try_parse_from(line) {
        Ok(flags) => flags.command,
        Err(error) => {
            let _closed_output = error.print();
            return ExitCode::from(if error.use_stderr() { Status::Unknown.code() } else { 0 });
        }
    };
    let mut report = Report::new(flags.check.name(), title(&flags.check));
    if let Err(error) = check(&mut report, &flags) {
        report.unknowns.push(error);
    }
    let text = render(&report, flags.format, &flags.namespace);
    let written = match &flags.outfile {
        None => {
            say(&text);
            Ok(())
        }
        Some(file) => replace(file, &text),
    };
    if let Err(error) = written {
        eprintln!("dunlinctl server check: {error}");
        return ExitCode::from(Status::Unknown.code());
    }
    // What scrapes the text takes another code for a failure of its own.
    ExitCode::from(if flags.format == Format::Prometheus { 0 } else { report.status().code() })
}

/// What the findings are about as long as no server has said its name.
fn title(check: &Check) -> &'static str {
    match check.source() {
        Source::Client if check.name() == "message" => "Message",
        Source::Client => "Connection",
        Source::Varz | Source::Health => "Server",
    }
}

fn check(report: &mut Report, flags: &CheckFlags) -> Result<(), String> {
    match flags.check.source() {
        Source::Client => {
            let mut connection = flags.connection.clone();
            if connection.connection_name == "dunlinctl bench" {
                connection.connection_name = "dunlinctl server check".into();
            }
            let target = Target::resolve(&connection).map_err(|trouble| trouble.to_string())?;
            checks::client(report, &flags.check, &target)
        }
        Source::Varz => check_varz(report, flags, &monitor(flags)?),
        Source::Health => {
            match monitor(flags)?.page("/healthz") {
                Ok(page) if page["status"] == "ok" => report.oks.push("the server is healthy".into()),
                Ok(page) => report.criticals.push(format!("the server says {page}")),
                Err(error) => page_error(report, flags, "/healthz", &error),
            }
            Ok(())
        }
    }
}

fn monitor(flags: &CheckFlags) -> Result<Monitor, String> {
    let place = Place::parse("--monitor", &flags.monitor)?;
    let connection = &flags.connection;
    // The same files as for clients; over plain HTTP they are not needed.
    let is_tls = place.is_tls();
    let file = |file: &'static str, path: &Option<std::path::PathBuf>| (file, path.clone().filter(|_| is_tls));
    let [authority, cert, key] = [
        file("--tlsca", &connection.tlsca),
        file("--tlscert", &connection.tlscert),
        file("--tlskey", &connection.tlskey),
    ];
    let trust = Trust::read(
        (authority.0, authority.1.as_deref()),
        (cert.0, cert.1.as_deref()),
        (key.0, key.1.as_deref()),
        false,
        is_tls,
    )?;
    Ok(Monitor::new(place, &trust, connection.timeout))
}

fn check_varz(report: &mut Report, flags: &CheckFlags, monitor: &Monitor) -> Result<(), String> {
    let take = || monitor.page("/varz").map(|page| Varz::read(&page));
    let over = match &flags.check {
        Check::SlowConsumers(limits) => limits.over,
        _ => None,
    };
    let first = match take() {
        Ok(varz) if varz.server_id.is_empty() => Err(PageError::NotJson),
        outcome => outcome,
    };
    let (first, second) = match (first, over) {
        (Ok(varz), None) => (None, Ok(varz)),
        (Ok(varz), Some(over)) => {
            let end = Instant::now() + over;
            while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                std::thread::park_timeout(left);
            }
            (Some(varz), take())
        }
        (Err(error), _) => (None, Err(error)),
    };
    match second {
        Ok(varz) => {
            if !varz.server_name.is_empty() {
                report.name.clone_from(&varz.server_name);
            }
            checks::varz(report, &flags.check, &varz, first.as_ref())
        }
        Err(error) => {
            page_error(report, flags, "/varz", &error);
            Ok(())
        }
    }
}

/// A server that is away or ill is critical; one that answers something else was asked in the wrong place.
fn page_error(report: &mut Report, flags: &CheckFlags, page: &str, error: &PageError) {
    let place = Place::parse("--monitor", &flags.monitor).map(|place| place.url(page)).unwrap_or_default();
    let text = format!("{place}: {error}");
    match error {
        PageError::Unreachable(_) | PageError::Status(..) => report.criticals.push(text),
        PageError::NoSuchPage | PageError::Forbidden | PageError::NotJson => report.unknowns.push(text),
    }
}

/// Whoever reads the file sees the old text or the new one.
fn replace(file: &Path, text: &str) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("--outfile {}: {error}", file.display());
    let mut name = file.file_name().ok_or_else(|| format!("--outfile {}: no file name", file.display()))?.to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = file.with_file_name(name);
    std::fs::write(&fresh, text).map_err(wrong)?;
    std::fs::rename(&fresh, file).map_err(|error| {
        let _nothing_to_remove = std::fs::remove_file(&fresh);
        wrong(error)
    })
}
