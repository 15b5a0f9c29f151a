//! `compare` and `scale`: the same work several times, on several servers or over a growing number.

use serde_json::json;

use super::compare::{self, Settings, Threshold};
use super::environment::Environment;
use super::flags::{CompareFlags, Flags, ScaleFlags};
use super::launch::{Candidate, Launched};
use super::page;
use super::run::Conditions;
use super::session::{exit_code, say, work_of_words, write_file};
use super::statistics::growth;
use super::tables::show_metric;
use super::trouble::{EXIT_LOST, EXIT_OK, EXIT_THRESHOLD, Outcome, Trouble};

/// Runs a comparison; returns the exit code.
pub(crate) fn compare(flags: &Flags, conditions: &Conditions, own: &CompareFlags) -> Outcome<u8> {
    if own.rounds == 0 || own.rounds_max < own.rounds {
        return Err(Trouble::Usage("--rounds: at least 1, and no more than --rounds-max".into()));
    }
    let work = work_of_words(&own.work, flags.connection.timeout)?;
    let candidates = own.servers.iter().map(|text| Candidate::parse(text)).collect::<Outcome<Vec<_>>>()?;
    let settings =
        Settings { rounds_min: own.rounds, rounds_max: own.rounds_max, width: own.width, is_fresh: !own.keep };
    let all = compare::run(conditions, &flags.connection, &candidates, &work, &settings, |_, _| {})?;
    let lines = compare::lines(&all);
    let mut broken = Vec::new();
    for threshold in &own.fail_if {
        broken.extend(Threshold::broken(threshold, &lines)?);
    }
    let info = all.first().and_then(|series| series.outcomes.first()).map(|outcome| outcome.info.clone());
    let environment = Environment::look(&info.unwrap_or_default(), None);
    if let Some(file) = &flags.run.report {
        let title = format!("dunlinctl bench compare: {}", own.work.join(" "));
        write_file(file, &page::of_series(&title, &all, &environment))?;
    }
    if flags.run.json {
        let rounds: Vec<_> =
            all.iter().map(|series| json!({"server": series.name, "figures": series.figures})).collect();
        say(&format!(
            "{:#}\n",
            json!({"environment": environment, "servers": rounds, "lines": lines, "broken": broken})
        ));
    } else {
        say(&compare::show(&all));
    }
    for text in &broken {
        eprintln!("dunlinctl bench: --fail-if: {text}");
    }
    let lost = all.iter().flat_map(|series| &series.outcomes).map(exit_code).max().unwrap_or(EXIT_OK);
    Ok(if lost == EXIT_LOST {
        lost
    } else if broken.is_empty() {
        EXIT_OK
    } else {
        EXIT_THRESHOLD
    })
}

/// Runs a figure over a growing number; returns the exit code.
pub(crate) fn scale(flags: &Flags, conditions: &Conditions, own: &ScaleFlags) -> Outcome<u8> {
    let has_place = own.work.iter().chain(&own.launch).any(|word| word.contains("{n}"));
    if !has_place {
        return Err(Trouble::Usage("scale: write {n} where the number belongs, after -- or in --launch".into()));
    }
    let mut rows: Vec<(u64, Vec<Option<f64>>)> = Vec::new();
    let mut code = EXIT_OK;
    for point in &own.points {
        let put = |text: &String| text.replace("{n}", &point.to_string());
        let work = work_of_words(&own.work.iter().map(put).collect::<Vec<_>>(), flags.connection.timeout)?;
        let candidate = own.launch.as_ref().map(put).map(|text| Candidate::parse(&text)).transpose()?;
        let server = candidate.map(|candidate| Launched::start(&candidate, &flags.connection)).transpose()?;
        let mut conditions = conditions.clone();
        if let Some(server) = &server {
            (conditions.target, conditions.server_pid) = (server.target.clone(), server.pid());
        }
        let outcome = work.execute(&conditions, *point as u16)?;
        code = code.max(exit_code(&outcome));
        let metrics = outcome.metrics();
        rows.push((*point, own.figures.iter().map(|name| metrics.get(name).copied()).collect()));
        if outcome.trouble.is_some() || outcome.is_interrupted {
            break;
        }
    }
    let slopes = (0..own.figures.len()).map(|column| {
        let points: Vec<_> = rows.iter().filter_map(|(n, row)| Some((*n as f64, row[column]?))).collect();
        growth(&points)
    });
    let slopes = slopes.collect::<Vec<_>>();
    if flags.run.json {
        say(&format!("{:#}\n", json!({"figures": own.figures, "rows": rows, "growth": slopes})));
        return Ok(code);
    }
    let mut text = format!("{:>10}", "n");
    own.figures.iter().for_each(|name| text.push_str(&format!("{name:>14}")));
    for (n, row) in &rows {
        text.push_str(&format!("\n{n:>10}"));
        for (name, figure) in own.figures.iter().zip(row) {
            text.push_str(&format!("{:>14}", figure.map_or("-".to_owned(), |figure| show_metric(name, figure))));
        }
    }
    text.push('\n');
    for (name, slope) in own.figures.iter().zip(&slopes) {
        if let Some((slope, fit)) = slope {
            text.push_str(&format!("  {name} grows like n^{slope:.2} (fit {fit:.2}){}\n", in_words(*slope)));
        }
    }
    say(&text);
    Ok(code)
}

fn in_words(slope: f64) -> &'static str {
    match slope {
        ..-0.1 => ": falls",
        -0.1..0.1 => ": constant",
        0.1..0.9 => ": slower than n",
        0.9..1.1 => ": like n",
        _ => ": faster than n",
    }
}
