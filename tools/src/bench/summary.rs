//! The report for people: what was sent and received, how late, what it cost, and what was wrong.

use std::fmt::Write as _;

use super::latency::Summary;
use super::outcome::{GroupOutcome, RunOutcome, per_second};
use super::subscriber::Faults;
use super::values::{show_bytes, show_count, show_ns, show_rate};

/// More connections than this are not listed one by one.
const CLIENT_LINES_MAX: usize = 16;
/// More CPUs than this are only in the JSON.
const HOST_CPUS_MAX: usize = 64;

/// Writes reports; with colours on a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    pub(crate) has_colours: bool,
}

impl Writer {
    fn red(self, text: &str) -> String {
        if self.has_colours { format!("\x1b[31;1m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn yellow(self, text: &str) -> String {
        if self.has_colours { format!("\x1b[33m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The whole report of one run.
    pub(crate) fn run(self, outcome: &RunOutcome) -> String {
        let mut text = String::new();
        for group in &outcome.groups {
            self.group(&mut text, group, outcome.trouble.is_none());
        }
        let mut put = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        for (name, figure) in &outcome.figures {
            put(format!("  {name:<28} {}", show_figure(name, *figure)));
        }
        if let Some(server) = outcome.server {
            let events = outcome.events();
            put(format!(
                "  server   pid {}: CPU {} ({:.0} % of a core){}, RSS {} ({:+.1} MiB)",
                server.pid,
                show_ns(server.cpu_ns as f64),
                server.cpu_ns as f64 / 1e7 / outcome.seconds.max(1e-9),
                each(server.cpu_ns as f64, events, |ns| format!(", {} an event", show_ns(ns))),
                show_bytes(server.resident_bytes as f64),
                server.resident_growth_bytes as f64 / 1_048_576.0,
            ));
            let per = |count: u64| each(count as f64, events, |n| format!(" ({n:.4} an event)"));
            put(format!(
                "           switches {} voluntary{}, {} forced; page faults {} minor, {} major",
                show_count(server.switches),
                per(server.switches),
                show_count(server.involuntary_switches),
                show_count(server.minor_faults),
                server.major_faults
            ));
        }
        put(format!(
            "  client   CPU {}{}, busiest thread {:.0} %",
            show_ns(outcome.own_cpu_ns as f64),
            each(outcome.own_cpu_ns as f64, outcome.events(), |ns| format!(", {} an event", show_ns(ns))),
            outcome.busiest_thread * 100.0
        ));
        if !outcome.host_cpus.is_empty() && outcome.host_cpus.len() <= HOST_CPUS_MAX {
            let shares: Vec<String> = outcome.host_cpus.iter().map(|share| format!("{:.0}", share * 100.0)).collect();
            put(format!("  host     CPUs busy {} %", shares.join(" ")));
        }
        for (name, figure) in &outcome.pages {
            put(format!("  {name:<28} {}", show_count(*figure as u64)));
        }
        for note in &outcome.notes {
            put(self.yellow(&format!("  note     {note}")));
        }
        if outcome.is_client_bound() {
            put(self.yellow(
                "  client-bound: a thread of this program was the limit, not the server; give --threads or more hosts",
            ));
        }
        if outcome.is_interrupted {
            put(self.yellow("  interrupted: this is what was measured so far"));
        }
        if let Some(trouble) = &outcome.trouble {
            put(self.red(&format!("  ended early: {trouble}; this is what was measured so far")));
        }
        text
    }

    fn group(self, text: &mut String, group: &GroupOutcome, has_ended: bool) {
        let mut put = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        put(group.name.clone());
        if group.sent > 0 {
            put(rates("sent", group.sent, group.sent_bytes, group.send_seconds));
        }
        if group.received > 0 || group.clients.iter().any(|client| client.kind == "subscriber") {
            put(rates("received", group.received, group.received_bytes, group.receive_seconds));
        }
        if group.served > 0 {
            put(format!("  served   {} requests", show_count(group.served)));
        }
        if let Some(rate) = group.rate.filter(|_| group.sent > 0) {
            let line =
                format!("  schedule {} asked for, at most {} behind", show_rate(rate), show_ns(group.behind_ns as f64));
            put(if group.is_held() { line } else { self.yellow(&format!("{line}: this rate was not held")) });
        }
        if group.clients.len() > 1 && group.clients.len() <= CLIENT_LINES_MAX {
            for (place, client) in group.clients.iter().enumerate() {
                let rate = show_rate(per_second(client.messages, client.seconds));
                put(format!(
                    "    [{:>2}] {:<10} {:>12} messages  {rate}",
                    place + 1,
                    client.kind,
                    show_count(client.messages)
                ));
            }
        }
        if !group.latencies.is_empty() {
            put(latency_line("latency  corrected  ", &Summary::of(&group.latencies.corrected)));
            put(latency_line("         uncorrected", &Summary::of(&group.latencies.uncorrected)));
        }
        if let Some(fairness) = &group.fairness
            && group.faults.lost == 0
        {
            let line = format!(
                "  fairness {} members got {} to {}, chi-square {:.1}, p {:.3}, skew {:.1} %",
                fairness.members,
                show_count(fairness.least),
                show_count(fairness.most),
                fairness.chi_square,
                fairness.probability,
                fairness.skew * 100.0
            );
            put(if fairness.is_unfair() { self.red(&format!("{line}: NOT FAIR")) } else { line });
        }
        if group.frozen > 0 {
            put(format!(
                "  frozen   {} subscribers never read, the server closed {}",
                group.frozen, group.frozen_closed
            ));
        }
        put(self.checks(&group.faults, has_ended));
    }

    fn checks(self, faults: &Faults, has_ended: bool) -> String {
        let listed = fault_list(faults);
        let strangers = if faults.strangers > 0 {
            format!(" ({} of other runs)", show_count(faults.strangers))
        } else {
            String::new()
        };
        if listed.is_empty() && !has_ended {
            return format!("  checks   nothing wrong so far; what was under way is not judged{strangers}");
        }
        if listed.is_empty() {
            return format!("  checks   nothing lost, doubled, out of order or damaged{strangers}");
        }
        self.red(&format!("  LOST OR WRONG: {}{strangers}", listed.join(", ")))
    }
}

/// What was wrong, in words.
pub(crate) fn fault_list(faults: &Faults) -> Vec<String> {
    [
        (faults.lost, "lost"),
        (faults.duplicates, "doubled"),
        (faults.out_of_order, "out of order"),
        (faults.cross_talk, "at the wrong subject"),
        (faults.damaged, "damaged"),
        (faults.unasked, "replies that nobody asked for"),
        (faults.no_responders, "requests without responder"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", show_count(*count)))
    .collect()
}

fn each(total: f64, events: u64, show: impl Fn(f64) -> String) -> String {
    if events == 0 { String::new() } else { show(total / events as f64) }
}

fn rates(what: &str, messages: u64, bytes: u64, seconds: f64) -> String {
    format!(
        "  {what:<8} {} messages, {}, {}/s in {}",
        show_count(messages),
        show_rate(per_second(messages, seconds)),
        show_bytes(per_second(bytes, seconds)),
        show_ns(seconds * 1e9)
    )
}

fn latency_line(what: &str, summary: &Summary) -> String {
    let mut line = format!("  {what}");
    for (name, ns) in &summary.percentiles_ns {
        let _never_fails = write!(line, "  {name} {}", show_ns(*ns as f64));
    }
    line
}

/// A figure of a workload that is no messages: its name says the unit.
pub(crate) fn show_figure(name: &str, figure: f64) -> String {
    match name.rsplit('_').next() {
        Some("ns") => show_ns(figure),
        Some("bytes") => show_bytes(figure),
        Some("rate") => show_rate(figure),
        _ => show_count(figure as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;
    use crate::bench::outcome::{GroupOutcome, RunOutcome};
    use crate::bench::subscriber::Faults;
    use crate::bench::trouble::Trouble;

    fn outcome(faults: Faults) -> RunOutcome {
        let group =
            GroupOutcome { name: "pubsub".into(), sent: 1000, send_seconds: 0.5, faults, ..GroupOutcome::default() };
        RunOutcome { groups: vec![group], seconds: 0.5, ..RunOutcome::default() }
    }

    #[test]
    fn loss_is_red() {
        let text = Writer { has_colours: true }.run(&outcome(Faults { lost: 3, ..Faults::default() }));
        assert!(text.contains("\x1b[31;1m  LOST OR WRONG: 3 lost\x1b[0m"), "{text}");
        let text = Writer { has_colours: false }.run(&outcome(Faults::default()));
        assert!(text.contains("nothing lost") && text.contains("2.00 k/s") && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn an_early_end_is_said() {
        let mut outcome = outcome(Faults::default());
        outcome.trouble = Some(Trouble::Closed);
        assert!(Writer { has_colours: false }.run(&outcome).contains("ended early: the server closed"));
    }

    #[test]
    fn a_rate_that_was_not_held_is_said() {
        let mut outcome = outcome(Faults::default());
        (outcome.groups[0].rate, outcome.groups[0].behind_ns) = (Some(1e6), 300_000_000);
        assert!(Writer { has_colours: false }.run(&outcome).contains("not held"));
    }
}
