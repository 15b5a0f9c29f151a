//! `compare`: from flags to a table, a page and an exit code.

use serde_json::json;

use super::compare::{self, Line, Settings};
use super::flags::{CompareFlags, Flags};
use super::launch::Candidate;
use super::page;
use super::run::Conditions;
use super::session::{exit_code, say, work_of_words, write_file};
use super::trouble::{EXIT_OK, EXIT_THRESHOLD, Outcome, Trouble};

/// Runs a comparison; returns the exit code.
pub(crate) fn run(flags: &Flags, conditions: &Conditions, own: &CompareFlags) -> Outcome<u8> {
    if own.rounds == 0 || own.rounds_max < own.rounds {
        return Err(Trouble::Usage("--rounds: at least 1, and no more than --rounds-max".into()));
    }
    let work = work_of_words(&own.work, flags.connection.timeout)?;
    let candidates = own.servers.iter().map(|text| Candidate::parse(text)).collect::<Outcome<Vec<_>>>()?;
    let settings =
        Settings { rounds_min: own.rounds, rounds_max: own.rounds_max, width: own.width, is_fresh: !own.keep };
    let all = compare::run(conditions, &flags.connection, &candidates, &work, &settings)?;
    let lines = compare::lines(&all);
    let worst = all.iter().flat_map(|series| &series.outcomes).map(exit_code).max().unwrap_or(EXIT_OK);
    let environment = compare::environment(&all);
    if let Some(file) = &flags.run.report {
        let title = format!("dunlinctl bench compare: {}", own.work.join(" "));
        write_file(file, &page::of_series(&title, &all, &environment))?;
    }
    if flags.run.json {
        let rounds: Vec<_> =
            all.iter().map(|series| json!({"server": series.name, "figures": series.figures})).collect();
        say(&format!(
            "{:#}\n",
            json!({"environment": environment, "servers": rounds, "lines": lines, "broken": broken(own, &lines).ok()})
        ));
    } else {
        say(&compare::show(&all));
    }
    if worst != EXIT_OK {
        return Ok(worst);
    }
    // After the table: a mistake in a threshold must not cost what was measured.
    let broken = broken(own, &lines)?;
    for text in &broken {
        eprintln!("dunlinctl bench: --fail-if: {text}");
    }
    Ok(if broken.is_empty() { EXIT_OK } else { EXIT_THRESHOLD })
}

fn broken(own: &CompareFlags, lines: &[Line]) -> Outcome<Vec<String>> {
    let broken = own.fail_if.iter().map(|threshold| threshold.broken(lines)).collect::<Outcome<Vec<_>>>()?;
    Ok(broken.concat())
}
