//! Two or more servers, the same work in turn (A B B A …), and a verdict.
//!
//! Owns the order of the rounds and when there are enough. Figures of a round are those of [`RunOutcome::metrics`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::environment::Environment;
use super::launch::{Candidate, Launched, names};
use super::outcome::RunOutcome;
use super::run::Conditions;
use super::session::Work;
use super::statistics::{Ratio, Spread, Verdict};
use super::tables::{is_more_better, is_speed, show_metric};
use super::target::ConnectionFlags;
use super::trouble::{Outcome, Trouble};

/// The figures that stand in the table; all are in the JSON.
pub(crate) const SHOWN: &[&str] = &["cost", "rate", "p50", "p99", "p99.9", "rss", "switches"];

/// How a comparison is done.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) rounds_min: usize,
    pub(crate) rounds_max: usize,
    /// Enough when the interval of every shown ratio is narrower than this share.
    pub(crate) width: f64,
    /// Starts the servers afresh for each round.
    pub(crate) is_fresh: bool,
}

/// All rounds of one server.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) figures: BTreeMap<String, Vec<f64>>,
    pub(crate) outcomes: Vec<RunOutcome>,
}

impl Series {
    /// Rounds that came to their end.
    fn rounds(&self) -> usize {
        self.figures.values().map(Vec::len).max().unwrap_or(0)
    }

    /// The last run that came to its end.
    pub(crate) fn last_whole(&self) -> Option<&RunOutcome> {
        self.outcomes.iter().rev().find(|outcome| outcome.trouble.is_none() && !outcome.is_interrupted)
    }
}

/// One line of the verdict.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) metric: String,
    pub(crate) server: String,
    pub(crate) first: Spread,
    pub(crate) second: Spread,
    pub(crate) ratio: Ratio,
    pub(crate) verdict: Verdict,
}

/// The order of a round: there and back, so that a drift of the machine hits all alike.
fn order(servers: usize, round: usize) -> Vec<usize> {
    let forward = 0..servers;
    if round.is_multiple_of(2) { forward.collect() } else { forward.rev().collect() }
}

/// Runs `work` on all candidates until the ratios are known well enough, or the limit is reached.
pub(crate) fn run(
    conditions: &Conditions,
    connection: &ConnectionFlags,
    candidates: &[Candidate],
    work: &Work,
    settings: &Settings,
) -> Outcome<Vec<Series>> {
    let new = |name| Series { name, figures: BTreeMap::new(), outcomes: Vec::new() };
    let mut all: Vec<Series> = names(candidates).into_iter().map(new).collect();
    let mut kept: Vec<Option<Launched>> = candidates.iter().map(|_| None).collect();
    for round in 0..settings.rounds_max {
        for place in order(candidates.len(), round) {
            let number = (round * candidates.len() + place + 1) as u16;
            let done = turn(conditions, connection, &candidates[place], kept[place].take(), work, number);
            let (server, outcome) = match done {
                Ok((server, outcome)) => (Some(server), outcome),
                // Without a single figure there is nothing to show but the reason.
                Err(trouble) if all.iter().all(|series| series.figures.is_empty()) => return Err(trouble),
                Err(trouble) => (None, RunOutcome { trouble: Some(trouble), ..RunOutcome::default() }),
            };
            if outcome.trouble.is_some() || outcome.is_interrupted {
                all[place].outcomes.push(outcome);
                return Ok(all);
            }
            for (name, figure) in outcome.metrics() {
                all[place].figures.entry(name).or_default().push(figure);
            }
            all[place].outcomes.push(outcome);
            if !settings.is_fresh {
                kept[place] = server;
            }
        }
        if round + 1 >= settings.rounds_min && is_known(&all, settings.width) {
            break;
        }
    }
    Ok(all)
}

/// One server does the work once, started first where it is not there yet.
fn turn(
    conditions: &Conditions,
    connection: &ConnectionFlags,
    candidate: &Candidate,
    kept: Option<Launched>,
    work: &Work,
    number: u16,
) -> Outcome<(Launched, RunOutcome)> {
    let server = kept.map_or_else(|| Launched::start(candidate, connection), Ok)?;
    let conditions = Conditions { target: server.target.clone(), server_pid: server.pid(), ..conditions.clone() };
    let outcome = work.execute(&conditions, number)?;
    Ok((server, outcome))
}

/// Where it was measured, and on which servers.
pub(crate) fn environment(all: &[Series]) -> Environment {
    let of = |series: &Series| Some((series.name.clone(), series.last_whole()?.info.clone()));
    let servers: Vec<_> = all.iter().filter_map(of).collect();
    Environment::of_servers(servers.iter().map(|(name, info)| (name.as_str(), info)))
}

/// Why a comparison has ended before its rounds were done.
pub(crate) fn early_end(all: &[Series]) -> Option<String> {
    all.iter().find_map(|series| {
        let last = series.outcomes.last()?;
        match &last.trouble {
            Some(trouble) => Some(format!("{} ended early: {trouble}; this is what was measured so far", series.name)),
            None => last.is_interrupted.then(|| "interrupted: this is what was measured so far".to_owned()),
        }
    })
}

/// The ratios that decide: that of cost, or of rate where there is no cost, for each of the other servers.
fn decisive(all: &[Series]) -> Vec<Line> {
    let lines = lines(all);
    let of = |metric: &str| lines.iter().filter(|line| line.metric == metric).cloned().collect::<Vec<_>>();
    let found = of("cost");
    if found.is_empty() { of("rate") } else { found }
}

/// The ratio that decides is known well.
fn is_known(all: &[Series], width: f64) -> bool {
    let decisive = decisive(all);
    !decisive.is_empty() && decisive.iter().all(|line| line.ratio.high - line.ratio.low <= width * line.ratio.ratio)
}

/// Every figure of every server beside that of the first.
pub(crate) fn lines(all: &[Series]) -> Vec<Line> {
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let mut lines = Vec::new();
    // The rate of a schedule says nothing about a server.
    let groups = first.outcomes.iter().flat_map(|outcome| &outcome.groups);
    let is_paced = groups.clone().next().is_some() && groups.clone().all(|group| group.rate.is_some());
    for (metric, figures) in &first.figures {
        if is_paced && metric.ends_with("rate") {
            continue;
        }
        for other in others {
            let Some(theirs) = other.figures.get(metric) else { continue };
            if let Some(ratio) = Ratio::of(figures, theirs) {
                lines.push(Line {
                    metric: metric.clone(),
                    server: other.name.clone(),
                    first: Spread::of(figures),
                    second: Spread::of(theirs),
                    ratio,
                    verdict: ratio.verdict(is_more_better(metric)),
                });
            }
        }
    }
    lines
}

/// The table for people.
pub(crate) fn show(all: &[Series]) -> String {
    let rounds = all.iter().map(Series::rounds).min().unwrap_or(0);
    let mut text = String::new();
    for (place, series) in all.iter().enumerate() {
        text.push_str(&format!("  {}  {}\n", letter(place), series.name));
    }
    text.push_str(&format!("after {rounds} rounds, medians; a ratio is to A, with its 95 % interval\n"));
    let shown = |line: &Line| {
        SHOWN.contains(&line.metric.as_str()) || !SHOWN.iter().any(|name| all[0].figures.contains_key(*name))
    };
    for line in lines(all).iter().filter(|line| shown(line)) {
        let place = all.iter().position(|series| series.name == line.server).unwrap_or(1);
        let figure = |spread: &Spread| show_metric(&line.metric, spread.median);
        text.push_str(&format!(
            "  {:<14} A {:>10}   {} {:>10}   {} is {:.3} ({:.3} to {:.3}): {}\n",
            line.metric,
            figure(&line.first),
            letter(place),
            figure(&line.second),
            letter(place),
            line.ratio.ratio,
            line.ratio.low,
            line.ratio.high,
            line.verdict.text(is_speed(&line.metric))
        ));
    }
    for line in decisive(all) {
        let place = all.iter().position(|series| series.name == line.server).unwrap_or(1);
        let (letter, verdict) = (letter(place), line.verdict.text(true));
        text.push_str(&match line.verdict {
            Verdict::Better | Verdict::Worse => {
                format!("  verdict        {letter} is {verdict} than A, by its {}\n", line.metric)
            }
            Verdict::NoDifference | Verdict::TooFewRounds => format!("  verdict        {letter}: {verdict}\n"),
        });
    }
    for series in all {
        for outcome in &series.outcomes {
            let wrongs = outcome.wrongs();
            if !wrongs.is_empty() {
                text.push_str(&format!("  {}: LOST OR WRONG: {}\n", series.name, wrongs.join(", ")));
            }
        }
    }
    early_end(all).iter().for_each(|why| text.push_str(&format!("  {why}\n")));
    text
}

fn letter(place: usize) -> char {
    char::from(b'A' + (place % 26) as u8)
}

/// A threshold of `--fail-if`: `cost > 1.05` is about the ratio to the first server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Threshold {
    metric: String,
    is_above: bool,
    limit: f64,
}

impl Threshold {
    /// Reads `NAME > NUMBER` or `NAME < NUMBER`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no threshold: write 'cost > 1.05' or 'rate < 0.95'");
        let at = text.find(['<', '>']).ok_or_else(wrong)?;
        let limit = text[at + 1..].trim().parse().map_err(|_| wrong())?;
        let metric = text[..at].trim().to_owned();
        if metric.is_empty() { Err(wrong()) } else { Ok(Self { metric, is_above: text[at..].starts_with('>'), limit }) }
    }

    /// What is beyond it; an unknown figure is a mistake of the user.
    pub(crate) fn broken(&self, lines: &[Line]) -> Outcome<Vec<String>> {
        let about: Vec<&Line> = lines.iter().filter(|line| line.metric == self.metric).collect();
        if about.is_empty() {
            let names: std::collections::BTreeSet<_> = lines.iter().map(|line| line.metric.as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Trouble::Usage(format!("--fail-if: there is no figure '{}'; there are {names}", self.metric)));
        }
        let is_broken =
            |line: &&Line| if self.is_above { line.ratio.ratio > self.limit } else { line.ratio.ratio < self.limit };
        let word = if self.is_above { "above" } else { "below" };
        let tell = |line: &Line| {
            format!("{} of {} is {:.3}, {word} {}", self.metric, line.server, line.ratio.ratio, self.limit)
        };
        Ok(about.into_iter().filter(is_broken).map(tell).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Series, Threshold, is_known, lines, order, show};
    use crate::bench::statistics::Verdict;
    use std::collections::BTreeMap;

    fn series(name: &str, cost: &[f64], rate: &[f64]) -> Series {
        let figures = BTreeMap::from([("cost".to_owned(), cost.to_vec()), ("rate".to_owned(), rate.to_vec())]);
        Series { name: name.into(), figures, outcomes: Vec::new() }
    }

    fn two() -> Vec<Series> {
        vec![
            series("peer", &[100.0, 102.0, 99.0, 101.0], &[10.0, 11.0, 9.0, 10.0]),
            series("ours", &[50.0, 51.0, 49.0, 50.0], &[20.0, 21.0, 19.0, 22.0]),
        ]
    }

    #[test]
    fn rounds_go_there_and_back() {
        assert_eq!((order(2, 0), order(2, 1), order(3, 3)), (vec![0, 1], vec![1, 0], vec![2, 1, 0]));
    }

    #[test]
    fn the_verdict_knows_which_way_is_better() {
        let lines = lines(&two());
        assert!(lines.iter().all(|line| line.verdict == Verdict::Better), "{lines:?}");
        let text = show(&two());
        assert!(text.contains("B is 0.4") && text.contains("B is 2.0"), "{text}");
        assert!(is_known(&two(), 0.2) && !is_known(&two(), 0.001));
    }

    #[test]
    fn thresholds_are_about_ratios() {
        let lines = lines(&two());
        let broken = |text: &str| Threshold::parse(text).expect(text).broken(&lines).expect(text).len();
        assert_eq!([broken("cost > 1.05"), broken("cost > 0.4"), broken("rate < 3"), broken("rate<1")], [0, 1, 1, 0]);
        for text in ["cost", "> 1", "cost > x"] {
            assert!(Threshold::parse(text).expect_err(text).contains("cost > 1.05"));
        }
        let text = Threshold::parse("beauty > 1").expect("reads").broken(&lines).expect_err("unknown").to_string();
        assert!(text.contains("cost, rate"), "{text}");
    }
}
