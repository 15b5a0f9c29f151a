//! `suite --growth`: how the cost of a message grows with subscriptions, connections, fan-out and payload, on every server in turn.
//!
//! Owns the table of studies. Cores are no study of their own: `--cores 1,2` makes a server of each number.

use serde_json::json;

use super::compare::{self, Settings};
use super::flags::{Flags, SuiteFlags};
use super::launch::{Candidate, names};
use super::run::Conditions;
use super::scale::Growth;
use super::session::{exit_code, say, work_of_words, write_file};
use super::statistics::Spread;
use super::study_page;
use super::tables::show_metric;
use super::trouble::{EXIT_OK, Outcome};
use super::values::show_count;

/// Points that are measured whatever `--scale` is.
const POINTS_MIN: usize = 3;

/// One dimension.
pub(crate) struct Dimension {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// `{n}` is the point, `{m}` the messages.
    pub(crate) line: &'static str,
    points: &'static [u64],
    messages: fn(u64) -> f64,
    figures: &'static [&'static str],
}

pub(crate) const DIMENSIONS: &[Dimension] = &[
    Dimension {
        name: "subscriptions",
        title: "Subscriptions; messages to random subjects among them, and to nobody",
        line: "subs --count {n} --msgs {m}",
        points: &[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000],
        messages: |_| 200e3,
        figures: &["random_message_cpu_ns", "message_cpu_ns", "subscription_cpu_ns", "subscription_rss_bytes"],
    },
    Dimension {
        name: "connections",
        title: "Busy connections: n publishers, each with a subscriber of its own, 128 B",
        line: "pubsub --own-subjects --pub {n} --sub {n} --msgs {m}",
        points: &[1, 10, 100, 1_000, 5_000],
        messages: |_| 1e6,
        figures: &["cost", "rate"],
    },
    Dimension {
        name: "idle",
        title: "Idle connections, and a publisher beside them, 128 B to nobody",
        line: "conns --count {n} --msgs {m}",
        points: &[1, 10, 100, 1_000, 10_000],
        messages: |_| 1e6,
        figures: &["message_cpu_ns", "connection_cpu_ns", "connection_rss_bytes"],
    },
    Dimension {
        name: "fanout",
        title: "Fan-out: one publisher, n subscribers, 128 B",
        line: "fanout --clients {n} --msgs {m}",
        points: &[1, 10, 100, 1_000, 10_000],
        messages: |n| 2e6 / n as f64,
        figures: &["cost", "rate"],
    },
    Dimension {
        name: "payload",
        title: "Payload: 1 → 1, n bytes",
        line: "pubsub --size {n} --msgs {m}",
        points: &[0, 16, 128, 1_024, 4_096, 16_384, 65_536, 1_048_576],
        messages: |n| 3e9 / (n as f64 + 1_500.0),
        figures: &["cost", "rate"],
    },
];

/// What was measured of one dimension.
#[derive(Debug, Default)]
pub(crate) struct Study {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Name and growth of each server.
    pub(crate) servers: Vec<(String, Growth)>,
}

impl Dimension {
    /// The points that a share of the work leaves.
    fn points(&self, scale: f64) -> impl Iterator<Item = u64> {
        let most = self.points.last().map_or(0.0, |last| *last as f64 * scale);
        self.points
            .iter()
            .copied()
            .enumerate()
            .filter(move |(at, n)| *at < POINTS_MIN || *n as f64 <= most)
            .map(|(_, n)| n)
    }

    fn words(&self, n: u64, scale: f64) -> Vec<String> {
        let messages = ((self.messages)(n) * scale).max(1.0) as u64;
        let line = self.line.replace("{n}", &n.to_string()).replace("{m}", &messages.to_string());
        line.split_whitespace().map(str::to_owned).collect()
    }
}

/// Runs the studies; returns the exit code.
pub(crate) fn run(flags: &Flags, conditions: &Conditions, own: &SuiteFlags, candidates: &[Candidate]) -> Outcome<u8> {
    let settings = Settings { rounds_min: own.rounds, rounds_max: own.rounds, width: 0.0, is_fresh: true };
    let names = names(candidates);
    let mut studies: Vec<Study> = Vec::new();
    let (mut code, mut wrong, mut note) = (EXIT_OK, Vec::new(), None);
    let mut environment = None;
    let chosen = |dimension: &&Dimension| own.rows.is_empty() || own.rows.iter().any(|name| name == dimension.name);
    'all: for dimension in DIMENSIONS.iter().filter(chosen) {
        let figures: Vec<String> = dimension.figures.iter().map(|name| (*name).to_owned()).collect();
        let empty = Growth { figures, rows: Vec::new() };
        let servers = names.iter().map(|name| (name.clone(), empty.clone())).collect();
        studies.push(Study { name: dimension.name, title: dimension.title, servers });
        let Some(study) = studies.last_mut() else { break };
        for n in dimension.points(own.scale) {
            let work = work_of_words(&dimension.words(n, own.scale), flags.connection.timeout)?;
            let all = compare::run(conditions, &flags.connection, candidates, &work, &settings)?;
            let outcomes = || all.iter().flat_map(|series| &series.outcomes);
            code = code.max(outcomes().map(exit_code).max().unwrap_or(EXIT_OK));
            wrong.extend(outcomes().flat_map(|o| o.wrongs()).map(|what| format!("{} at {n}: {what}", dimension.name)));
            environment = environment.or_else(|| Some(compare::environment(&all)));
            for ((_, growth), series) in study.servers.iter_mut().zip(&all) {
                let median = |name: &&str| series.figures.get(*name).map(|figures| Spread::of(figures).median);
                growth.rows.push((n, dimension.figures.iter().map(median).collect()));
            }
            note = compare::early_end(&all).map(|why| format!("{} at {n}: {why}", dimension.name));
            if note.is_some() {
                break 'all;
            }
        }
        if !flags.run.json {
            say(&show(study));
        }
    }
    let environment = environment.unwrap_or_default();
    if let Some(file) = &flags.run.report {
        let title = format!("dunlinctl bench suite --growth: {}", names.join(", "));
        write_file(file, &study_page::of_studies(&title, &studies, &wrong, note.as_deref(), &environment))?;
    }
    if flags.run.json {
        let studies: Vec<_> = studies.iter().map(json_of).collect();
        say(&format!(
            "{:#}\n",
            json!({"environment": environment, "servers": names, "growth": studies, "wrong": wrong, "note": note})
        ));
        return Ok(code);
    }
    wrong.iter().for_each(|wrong| say(&format!("**LOST OR WRONG**: {wrong}\n")));
    note.iter().for_each(|note| say(&format!("{note}\n")));
    environment.rows().iter().for_each(|(name, value)| say(&format!("- {name}: {value}\n")));
    Ok(code)
}

fn json_of(study: &Study) -> serde_json::Value {
    let servers = study.servers.iter().map(|(name, growth)| {
        json!({"server": name, "figures": growth.figures, "rows": growth.rows, "growth": growth.slopes()})
    });
    json!({"name": study.name, "title": study.title, "servers": servers.collect::<Vec<_>>()})
}

/// A Markdown table a figure, and how it grows.
fn show(study: &Study) -> String {
    let Some((_, first)) = study.servers.first() else { return String::new() };
    let mut text = format!("\n{}\n", study.title);
    for (column, figure) in first.figures.iter().enumerate() {
        text.push_str(&format!("\n| {figure}, n |"));
        study.servers.iter().for_each(|(name, _)| text.push_str(&format!(" {name} |")));
        text.push_str("\n|---:|");
        study.servers.iter().for_each(|_| text.push_str("---:|"));
        for (place, (n, _)) in first.rows.iter().enumerate() {
            text.push_str(&format!("\n| {} |", show_count(*n)));
            for (_, growth) in &study.servers {
                let value = growth.rows.get(place).and_then(|(_, row)| row.get(column).copied().flatten());
                text.push_str(&format!(" {} |", value.map_or("–".to_owned(), |value| show_metric(figure, value))));
            }
        }
        text.push_str("\n\n");
        for (name, growth) in &study.servers {
            let sentences = growth.sentences();
            let found = sentences.iter().find(|sentence| sentence.starts_with(&format!("{figure} grows")));
            found.iter().for_each(|sentence| text.push_str(&format!("- {name}: {sentence}\n")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::DIMENSIONS;
    use crate::bench::session::work_of_words;
    use std::time::Duration;

    #[test]
    fn every_study_is_a_command_at_every_point() {
        for dimension in DIMENSIONS {
            for n in dimension.points(1.0) {
                let words = dimension.words(n, 1.0);
                work_of_words(&words, Duration::from_secs(1)).unwrap_or_else(|error| panic!("{words:?}: {error}"));
            }
            let few = dimension.points(0.001).count();
            assert!((3..=5).contains(&few), "{}: {few}", dimension.name);
        }
    }
}
