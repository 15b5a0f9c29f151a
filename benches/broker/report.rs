//! Medians, spreads, ratios and verdicts, as Markdown and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::metric::{Metric, Sample};
use crate::server::Kind;
use crate::workloads::{Against, Budget, ROWS, Row};

/// What the floor may cost of the peer to be a yardstick at all.
const FLOOR_LIMITS: &[(&str, f64)] = &[("publish", 0.22), ("one_16", 0.16), ("one_128", 0.25)];

/// All rounds of one figure, in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    rounds: BTreeMap<usize, f64>,
}

impl Spread {
    fn median(&self) -> f64 {
        median(self.rounds.values().copied())
    }

    fn range(&self) -> (f64, f64) {
        let figures = || self.rounds.values().copied();
        (figures().fold(f64::INFINITY, f64::min), figures().fold(0.0, f64::max))
    }
}

/// The middle one, or what lies between the two; 0 of none.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => 0.0,
    }
}

/// The figures of a run, and what failed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: BTreeMap<(&'static str, Kind, Metric), Spread>,
    failures: Vec<String>,
}

/// One budget with what was measured.
struct Verdict {
    row: &'static str,
    kind: Kind,
    budget: Budget,
    ratio: f64,
    is_ok: bool,
}

impl Report {
    pub(crate) fn add(&mut self, row: &Row, round: usize, kind: Kind, sample: &Sample) {
        for (metric, figure) in sample {
            self.figures.entry((row.name, kind, *metric)).or_default().rounds.insert(round, *figure);
        }
    }

    pub(crate) fn fail(&mut self, failure: String) {
        self.failures.push(failure);
    }

    pub(crate) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    pub(crate) fn is_over_budget(&self) -> bool {
        self.verdicts().iter().any(|verdict| !verdict.is_ok)
    }

    fn median(&self, row: &'static str, kind: Kind, metric: Metric) -> Option<f64> {
        self.figures.get(&(row, kind, metric)).map(Spread::median)
    }

    /// The median of the ratios of the rounds: what slows a shared machine down for a while slows both.
    fn ratio(&self, metric: Metric, of: (&'static str, Kind), to: (&'static str, Kind)) -> Option<f64> {
        let figures = self.figures.get(&(of.0, of.1, metric))?;
        let others = self.figures.get(&(to.0, to.1, metric))?;
        let ratio = |(round, figure): (&usize, &f64)| others.rounds.get(round).map(|other| figure / other);
        Some(median(figures.rounds.iter().filter_map(ratio))).filter(|ratio| ratio.is_finite() && *ratio > 0.0)
    }

    fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.figures.keys().map(|(_, kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for row in ROWS {
            for kind in self.kinds() {
                let Kind::Dunlin { cores } = kind else {
                    continue;
                };
                for budget in row.budgets(cores) {
                    let here = (row.name, kind);
                    let ratio = match budget.against {
                        Against::Floor => self.ratio(budget.metric, here, (row.name, Kind::Floor)),
                        Against::Peer => self.ratio(budget.metric, here, (row.name, Kind::Peer)),
                        Against::Absolute => self.median(row.name, kind, budget.metric),
                        Against::Row(first) => self.ratio(budget.metric, here, (first, kind)),
                    };
                    if let Some(ratio) = ratio {
                        let is_ok = if budget.metric.is_rate() { ratio >= budget.limit } else { ratio <= budget.limit };
                        verdicts.push(Verdict { row: row.name, kind, budget, ratio, is_ok });
                    }
                }
            }
        }
        verdicts
    }

    /// The whole report.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        self.write_figures(&mut text);
        self.write_floor(&mut text);
        self.write_verdicts(&mut text);
        for failure in &self.failures {
            let _infallible = writeln!(text, "\n**FAILED** {failure}");
        }
        text
    }

    fn write_figures(&self, text: &mut String) {
        let kinds = self.kinds();
        let dunlins: Vec<Kind> = kinds.iter().copied().filter(|kind| matches!(kind, Kind::Dunlin { .. })).collect();
        let mut heads: Vec<String> = kinds.iter().map(Kind::to_string).collect();
        let mut ratios: Vec<(Kind, Kind)> =
            dunlins.iter().flat_map(|d| [(*d, Kind::Floor), (*d, Kind::Peer)]).collect();
        ratios.push((Kind::Floor, Kind::Peer));
        ratios.retain(|(_, other)| kinds.contains(other));
        ratios.retain(|(kind, _)| kinds.contains(kind));
        heads.extend(ratios.iter().map(|(kind, other)| format!("{kind}/{other}")));
        let _infallible = writeln!(text, "| workload | figure | {} |", heads.join(" | "));
        let _infallible = writeln!(text, "|---|---|{}", "---|".repeat(heads.len()));
        for row in ROWS {
            let mut metrics: Vec<Metric> =
                self.figures.keys().filter(|(name, ..)| *name == row.name).map(|(_, _, metric)| *metric).collect();
            metrics.sort_unstable();
            metrics.dedup();
            for metric in metrics {
                let cell = |kind: &Kind| match self.figures.get(&(row.name, *kind, metric)) {
                    Some(spread) => {
                        let (low, high) = spread.range();
                        format!("{} ({} … {})", metric.format(spread.median()), metric.format(low), metric.format(high))
                    }
                    None => "–".to_owned(),
                };
                let mut cells: Vec<String> = kinds.iter().map(cell).collect();
                cells.extend(ratios.iter().map(|(kind, other)| {
                    self.ratio(metric, (row.name, *kind), (row.name, *other))
                        .map_or("–".to_owned(), |ratio| format!("{ratio:.2}"))
                }));
                let _infallible = writeln!(text, "| {} | {} | {} |", row.title, metric.name(), cells.join(" | "));
            }
        }
    }

    fn write_floor(&self, text: &mut String) {
        for (row, limit) in FLOOR_LIMITS {
            let Some(ratio) = self.ratio(Metric::CpuPerEvent, (row, Kind::Floor), (row, Kind::Peer)) else {
                continue;
            };
            let verdict = if ratio <= *limit { "good enough as a yardstick" } else { "TOO DEAR for a yardstick" };
            let _infallible = writeln!(text, "\nfloor/peer in {row}: {ratio:.3}, at most {limit}: {verdict}");
        }
    }

    fn write_verdicts(&self, text: &mut String) {
        let verdicts = self.verdicts();
        if verdicts.is_empty() {
            return;
        }
        let _infallible = writeln!(text, "\n| server | row | budget | measured | verdict |\n|---|---|---|---|---|");
        for Verdict { row, kind, budget, ratio, is_ok } in &verdicts {
            let sign = if budget.metric.is_rate() { '≥' } else { '≤' };
            let (limit, measured) = match budget.against {
                Against::Absolute => (budget.metric.format(budget.limit), budget.metric.format(*ratio)),
                Against::Floor => (format!("{:.2} × floor", budget.limit), format!("{ratio:.2}")),
                Against::Peer => (format!("{:.2} × peer", budget.limit), format!("{ratio:.2}")),
                Against::Row(first) => (format!("{:.2} × {first}", budget.limit), format!("{ratio:.2}")),
            };
            let verdict = if *is_ok { "ok" } else { "OVER" };
            let _infallible =
                writeln!(text, "| {kind} | {row} | {} {sign} {limit} | {measured} | {verdict} |", budget.metric.name());
        }
        let over = verdicts.iter().filter(|verdict| !verdict.is_ok).count();
        let _infallible = writeln!(text, "\n{over} of {} budgets are over", verdicts.len());
    }

    /// Every figure of every round, in nanoseconds, bytes and per second.
    pub(crate) fn json(&self) -> Value {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|((row, kind, metric), spread)| {
                json!({
                    "row": row, "server": kind.to_string(), "figure": metric.name(),
                    "median": spread.median(), "rounds": spread.rounds.values().collect::<Vec<_>>(),
                })
            })
            .collect();
        let verdicts: Vec<Value> = self
            .verdicts()
            .iter()
            .map(|Verdict { row, kind, budget, ratio, is_ok }| {
                json!({
                    "row": row, "server": kind.to_string(), "figure": budget.metric.name(),
                    "against": format!("{:?}", budget.against), "limit": budget.limit, "measured": ratio, "ok": is_ok,
                })
            })
            .collect();
        json!({ "figures": figures, "verdicts": verdicts, "failures": self.failures })
    }
}
