//! Figures over a growing number, and how they grow: the slope on a log-log scale.
//!
//! Owns the substitution of `{n}` and the growth; a point is one run of a command of bench.

use std::collections::BTreeMap;

use serde_json::json;

use super::environment::Environment;
use super::flags::{Flags, ScaleFlags};
use super::launch::{Candidate, Launched};
use super::outcome::RunOutcome;
use super::run::Conditions;
use super::session::{exit_code, say, work_of_words, write_file};
use super::statistics::growth;
use super::study_page;
use super::tables::show_metric;
use super::trouble::{EXIT_OK, Outcome, Trouble};

/// Figures over the points of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growth {
    pub(crate) figures: Vec<String>,
    /// The number, and a column a figure.
    pub(crate) rows: Vec<(u64, Vec<Option<f64>>)>,
}

impl Growth {
    /// Slope and fit of each figure, where there are enough points.
    pub(crate) fn slopes(&self) -> Vec<Option<(f64, f64)>> {
        (0..self.figures.len()).map(|column| growth(&self.points(column))).collect()
    }

    /// The points of a figure.
    pub(crate) fn points(&self, column: usize) -> Vec<(f64, f64)> {
        self.rows.iter().filter_map(|(n, row)| Some((*n as f64, (*row.get(column)?)?))).collect()
    }

    /// How each figure grows, in words.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let of = |(name, slope): (&String, Option<(f64, f64)>)| {
            let (slope, fit) = slope?;
            Some(format!("{name} grows like n^{slope:.2} (fit {fit:.2}){}", in_words(slope)))
        };
        self.figures.iter().zip(self.slopes()).filter_map(of).collect()
    }
}

/// Runs a figure over a growing number; returns the exit code.
pub(crate) fn run(flags: &Flags, conditions: &Conditions, own: &ScaleFlags) -> Outcome<u8> {
    let has_place = own.work.iter().chain(&own.launch).any(|word| word.contains("{n}"));
    if !has_place {
        return Err(Trouble::Usage("scale: write {n} where the number belongs, after -- or in --launch".into()));
    }
    let mut all = Growth { figures: own.figures.clone(), ..Growth::default() };
    let mut code = EXIT_OK;
    let (mut wrong, mut note) = (Vec::new(), None);
    let mut environment = None;
    for point in &own.points {
        let outcome = match at(flags, conditions, own, *point) {
            Err(trouble) if all.rows.is_empty() => return Err(trouble),
            Err(trouble) => RunOutcome { trouble: Some(trouble), ..RunOutcome::default() },
            Ok((outcome, place)) => {
                environment = Some(place);
                outcome
            }
        };
        code = code.max(exit_code(&outcome));
        wrong.extend(outcome.wrongs().into_iter().map(|wrong| format!("at {point}: {wrong}")));
        if outcome.trouble.is_some() || outcome.is_interrupted {
            let reason = outcome.trouble.map_or_else(|| "interrupted".to_owned(), |t| format!("ended early: {t}"));
            note = Some(format!("at {point}: {reason}; this is what was measured so far"));
            break;
        }
        let metrics = outcome.metrics();
        if all.figures.is_empty() {
            all.figures = usual(&metrics);
        }
        if all.rows.is_empty()
            && let Some(name) = own.figures.iter().find(|name| !metrics.contains_key(*name))
        {
            let names = metrics.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Trouble::Usage(format!("--figures: there is no figure '{name}'; there are {names}")));
        }
        all.rows.push((*point, all.figures.iter().map(|name| metrics.get(name).copied()).collect()));
    }
    let environment = environment.unwrap_or_default();
    if let Some(file) = &flags.run.report {
        let title = format!("dunlinctl bench scale: {}", own.work.join(" "));
        write_file(file, &study_page::of_growth(&title, &all, &wrong, note.as_deref(), &environment))?;
    }
    if flags.run.json {
        say(&format!(
            "{:#}\n",
            json!({
                "environment": environment, "figures": all.figures, "rows": all.rows, "growth": all.slopes(),
                "wrong": wrong, "note": note,
            })
        ));
    } else {
        say(&show(&all, &wrong, note.as_deref()));
    }
    Ok(code)
}

/// The figures that are shown where none is named.
fn usual(metrics: &BTreeMap<String, f64>) -> Vec<String> {
    let is_cost_of_one =
        |name: &&String| (name.ends_with("_cpu_ns") || name.ends_with("_rss_bytes")) && !name.starts_with("after_");
    let of_one: Vec<String> = metrics.keys().filter(is_cost_of_one).cloned().collect();
    let of_messages = ["cost", "rate", "p99"].into_iter().filter(|name| metrics.contains_key(*name)).map(str::to_owned);
    if of_one.is_empty() { of_messages.collect() } else { of_one }
}

/// One point, and where it was measured.
fn at(flags: &Flags, conditions: &Conditions, own: &ScaleFlags, point: u64) -> Outcome<(RunOutcome, Environment)> {
    let put = |text: &String| text.replace("{n}", &point.to_string());
    let work = work_of_words(&own.work.iter().map(put).collect::<Vec<_>>(), flags.connection.timeout)?;
    let candidate = own.launch.as_ref().map(put).map(|text| Candidate::parse(&text)).transpose()?;
    let server = candidate.map(|candidate| Launched::start(&candidate, &flags.connection)).transpose()?;
    let mut conditions = conditions.clone();
    if let Some(server) = &server {
        (conditions.target, conditions.server_pid) = (server.target.clone(), server.pid());
    }
    let outcome = work.execute(&conditions, point as u16)?;
    let environment = Environment::look(&outcome.info, conditions.server_pid());
    Ok((outcome, environment))
}

fn show(all: &Growth, wrong: &[String], note: Option<&str>) -> String {
    let mut text = format!("{:>10}", "n");
    let width = |name: &String| name.chars().count().max(12) + 2;
    all.figures.iter().for_each(|name| text.push_str(&format!("{name:>0$}", width(name))));
    for (n, row) in &all.rows {
        text.push_str(&format!("\n{n:>10}"));
        for (name, figure) in all.figures.iter().zip(row) {
            let figure = figure.map_or("-".to_owned(), |figure| show_metric(name, figure));
            text.push_str(&format!("{figure:>0$}", width(name)));
        }
    }
    text.push('\n');
    all.sentences().iter().for_each(|sentence| text.push_str(&format!("  {sentence}\n")));
    wrong.iter().for_each(|wrong| text.push_str(&format!("  LOST OR WRONG: {wrong}\n")));
    note.iter().for_each(|note| text.push_str(&format!("  {note}\n")));
    text
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

#[cfg(test)]
mod tests {
    use super::Growth;

    #[test]
    fn growth_is_told_for_each_figure() {
        let rows = [1_u64, 10, 100].map(|n| (n, vec![Some(7.0), Some(n as f64 * 3.0), None]));
        let figures = ["cost", "all_back_ns", "rate"].map(String::from).to_vec();
        let growth = Growth { figures, rows: rows.to_vec() };
        let sentences = growth.sentences();
        assert_eq!(sentences.len(), 2, "nothing to say of a figure that is not there");
        assert!(
            sentences[0].starts_with("cost grows like n^0.00") && sentences[0].ends_with("constant"),
            "{sentences:?}"
        );
        assert!(sentences[1].starts_with("all_back_ns grows like n^1.00"), "{sentences:?}");
    }
}
