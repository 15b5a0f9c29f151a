//! The report as a program reads it. Names and verdicts stay; others may be added.

use serde::Serialize;

use super::finding::{Finding, Verdict};
use super::server::Server;

#[derive(Serialize)]
struct Report<'a> {
    server: Asked<'a>,
    summary: Summary,
    findings: &'a [Finding],
}

/// The server that the host was looked at for.
#[derive(Serialize)]
struct Asked<'a> {
    pid: Option<u32>,
    cores: usize,
    /// CPUs that its cores are pinned to; empty: they are not.
    cpus: &'a [usize],
    connections: u64,
    /// Who says so: `--connections`, `max_connections`, `default`.
    connections_from: &'static str,
}

#[derive(Serialize)]
struct Summary {
    good: usize,
    worth_a_look: usize,
    will_bite: usize,
    unknown: usize,
}

/// The whole report.
pub(crate) fn render(server: &Server, findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let report = Report {
        server: Asked {
            pid: server.pid,
            cores: server.cores,
            cpus: &server.pinned,
            connections: server.connections,
            connections_from: server.source.name(),
        },
        summary: Summary {
            good: count(Verdict::Good),
            worth_a_look: count(Verdict::WorthALook),
            will_bite: count(Verdict::WillBite),
            unknown: count(Verdict::Unknown),
        },
        findings,
    };
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}
