//! Results for other programs: JSON, CSV in the columns of `nats bench`, Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::environment::Environment;
use super::latency::Summary;
use super::outcome::{GroupOutcome, RunOutcome, UNFAIR, per_second};
use super::statistics::Spread;
use super::summary::{fault_list, show_figure};
use super::values::{show_bytes, show_count, show_ns, show_rate};

/// Medians and spreads over the runs, by the name of the figure.
pub(crate) fn spreads(outcomes: &[RunOutcome]) -> BTreeMap<String, Spread> {
    let mut figures: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for outcome in outcomes {
        for (name, figure) in outcome.metrics() {
            figures.entry(name).or_default().push(figure);
        }
    }
    figures.into_iter().map(|(name, figures)| (name, Spread::of(&figures))).collect()
}

/// A figure of [`RunOutcome::metrics`] for people.
pub(crate) fn show_metric(name: &str, figure: f64) -> String {
    // "service: p99" is a p99.
    let name = name.rsplit(": ").next().unwrap_or(name);
    match name {
        "rate" | "publish_rate" => show_rate(figure),
        "rss" => show_bytes(figure),
        "cost" => show_ns(figure),
        "switches" | "faults" => format!("{figure:.4}"),
        "lost" => show_count(figure as u64),
        _ if name == "max" || name.starts_with('p') && !name.contains('_') => show_ns(figure),
        _ => show_figure(name, figure),
    }
}

/// What it says is how fast something is, or how much a CPU has to do for it.
pub(crate) fn is_speed(name: &str) -> bool {
    let name = name.rsplit(": ").next().unwrap_or(name);
    let is_percentile = super::latency::percentile(name).is_some();
    name == "cost" || is_percentile || name.ends_with("rate") || name.ends_with("_ns")
}

/// More of it is better.
pub(crate) fn is_more_better(name: &str) -> bool {
    name.ends_with("rate")
}

/// Everything.
pub(crate) fn json(outcomes: &[RunOutcome], environment: &Environment) -> Value {
    json!({
        "environment": environment,
        "metrics": spreads(outcomes),
        "runs": outcomes.iter().map(run).collect::<Vec<_>>(),
    })
}

fn run(outcome: &RunOutcome) -> Value {
    json!({
        "seconds": outcome.seconds,
        "workloads": outcome.groups.iter().map(group).collect::<Vec<_>>(),
        "figures": outcome.figures,
        "server": outcome.server,
        "server_pages": outcome.pages,
        "host_cpus": outcome.host_cpus,
        "client": {
            "cpu_ns": outcome.own_cpu_ns, "busiest_thread": outcome.busiest_thread, "unwaiting": outcome.unwaiting, "bound": outcome.is_client_bound(),
        },
        "timeline": outcome.moments.iter().map(|m| json!([m.seconds, m.sent, m.received])).collect::<Vec<_>>(),
        "trouble": outcome.trouble.as_ref().map(ToString::to_string),
        "interrupted": outcome.is_interrupted, "notes": outcome.notes,
    })
}

fn group(group: &GroupOutcome) -> Value {
    let latency = |histogram| (!group.latencies.is_empty()).then(|| Summary::of(histogram));
    let clients = group.clients.iter().map(|client| {
        json!({"kind": client.kind, "messages": client.messages, "bytes": client.bytes, "seconds": client.seconds})
    });
    json!({
        "name": group.name,
        "sent": group.sent, "sent_bytes": group.sent_bytes, "send_seconds": group.send_seconds,
        "received": group.received, "received_bytes": group.received_bytes, "receive_seconds": group.receive_seconds,
        "served": group.served, "rate_asked": group.rate, "rate_held": group.is_held(), "behind_ns": group.behind_ns,
        "latency": latency(&group.latencies.corrected), "latency_uncorrected": latency(&group.latencies.uncorrected),
        "faults": group.faults, "fairness": group.fairness,
        "frozen": group.frozen, "frozen_closed": group.frozen_closed,
        "clients": clients.collect::<Vec<_>>(),
    })
}

/// A line a client, as `nats bench --csv` writes it. Latencies are those of the workload: they belong to pairs of clients.
pub(crate) fn csv(outcomes: &[RunOutcome]) -> String {
    let mut text = String::from(
        "#RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs,MinLatencyMicroSecs,AvgLatencyMicroSecs,MaxLatencyMicroSecs,P50LatencyMicroSecs,P90LatencyMicroSecs,P99LatencyMicroSecs,P99.9LatencyMicroSecs,StdDevLatencyMicroSecs\n",
    );
    for (number, outcome) in outcomes.iter().enumerate() {
        for group in &outcome.groups {
            let (mut senders, mut others) = (0, 0);
            for client in &group.clients {
                let (letter, place) = match client.kind {
                    "publisher" | "requester" => ('P', &mut senders),
                    _ => ('S', &mut others),
                };
                let (rate, bytes) =
                    (per_second(client.messages, client.seconds), per_second(client.bytes, client.seconds));
                let _never_fails = write!(
                    text,
                    "{}-{},{letter}{place},{},{},{rate:.0},{bytes:.6},{:.6}",
                    group.name,
                    number + 1,
                    client.messages,
                    client.bytes,
                    client.seconds,
                );
                *place += 1;
                latency_columns(&mut text, group);
            }
        }
    }
    text
}

fn latency_columns(text: &mut String, group: &GroupOutcome) {
    if group.latencies.is_empty() {
        text.push_str(",,,,,,,,\n");
        return;
    }
    let histogram = &group.latencies.corrected;
    let at = |percentile| histogram.value_at_percentile(percentile) as f64;
    let columns = [
        histogram.min() as f64,
        histogram.mean(),
        histogram.max() as f64,
        at(50.0),
        at(90.0),
        at(99.0),
        at(99.9),
        histogram.stdev(),
    ];
    for ns in columns {
        let _never_fails = write!(text, ",{:.3}", ns / 1e3);
    }
    text.push('\n');
}

/// A table of figures, and the environment below it.
pub(crate) fn markdown(outcomes: &[RunOutcome], environment: &Environment) -> String {
    let mut text = String::from("| figure | median | least | most |\n|---|---:|---:|---:|\n");
    for (name, spread) in spreads(outcomes) {
        let show = |figure| show_metric(&name, figure);
        let _never_fails =
            writeln!(text, "| {name} | {} | {} | {} |", show(spread.median), show(spread.least), show(spread.most));
    }
    for group in outcomes.iter().flat_map(|outcome| &outcome.groups) {
        let mut faults = fault_list(&group.faults);
        faults.extend(group.is_unfair().then(|| UNFAIR.to_owned()));
        if !faults.is_empty() {
            let _never_fails = writeln!(text, "\n**{}: {}**", group.name, faults.join(", "));
        }
    }
    text.push('\n');
    for (name, value) in environment.rows() {
        let _never_fails = writeln!(text, "- {name}: {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{csv, json, markdown};
    use crate::bench::environment::Environment;
    use crate::bench::outcome::{ClientLine, GroupOutcome, RunOutcome};

    fn outcomes() -> Vec<RunOutcome> {
        let run = |seconds: f64| {
            let client = ClientLine { kind: "publisher", messages: 1000, bytes: 128_000, seconds };
            let mut group =
                GroupOutcome { name: "pub".into(), sent: 1000, send_seconds: seconds, ..GroupOutcome::default() };
            group.clients = vec![client];
            group.latencies.record(2_000, 1_000);
            RunOutcome { groups: vec![group], seconds, ..RunOutcome::default() }
        };
        vec![run(0.5), run(1.0), run(2.0)]
    }

    #[test]
    fn csv_has_the_columns_of_nats_bench() {
        let text = csv(&outcomes());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("#RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs"));
        assert!(lines[2].starts_with("pub-2,P0,1000,128000,1000,128000.000000,1.000000,"), "{}", lines[2]);
        assert!(lines.iter().all(|line| line.split(',').count() == 15), "{text}");
    }

    #[test]
    fn json_and_markdown_show_the_median_of_the_runs() {
        let value = json(&outcomes(), &Environment::default());
        assert_eq!(value["metrics"]["rate"]["median"], 1000.0);
        assert_eq!(value["runs"][0]["workloads"][0]["latency"]["count"], 1);
        let text = markdown(&outcomes(), &Environment::default());
        assert!(text.contains("| rate | 1.00 k/s | 500 /s | 2.00 k/s |"), "{text}");
    }
}
