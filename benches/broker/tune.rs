//! What a flag of Dunlin changes: the same rows with each of its values in turn (A B C, A B C, …), and ratios to the first.
//!
//! A ratio is the mean over the rounds with its 95 % interval; where that holds 1, no difference was seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::metric::{Metric, Sample};
use crate::paired::Interval;
use crate::server::{Kind, Programs};

/// A flag and the values it is tried with.
#[derive(Clone, Debug)]
pub(crate) struct Tune {
    flag: String,
    values: Vec<String>,
}

impl Tune {
    /// From `FLAG=V1,V2,…`. The value `off` leaves the flag out, `on` gives it without a value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (flag, values) = text.split_once('=')?;
        let values: Vec<String> = values.split(',').map(str::to_owned).collect();
        let is_whole = !flag.is_empty() && values.len() > 1 && values.iter().all(|value| !value.is_empty());
        is_whole.then(|| Self { flag: flag.trim_start_matches('-').to_owned(), values })
    }

    /// As one writes it on a command line.
    pub(crate) fn label(&self, value: usize) -> String {
        format!("--{} {}", self.flag, self.values[value])
    }

    /// For each value the programs that are started with it.
    pub(crate) fn variants(&self, programs: &Programs) -> Vec<Programs> {
        let mut variants = Vec::new();
        for value in &self.values {
            let mut variant = programs.clone();
            match value.as_str() {
                "off" => {}
                "on" => variant.dunlin_args.push(format!("--{}", self.flag)),
                _ => variant.dunlin_args.extend([format!("--{}", self.flag), value.clone()]),
            }
            variants.push(variant);
        }
        variants
    }
}

type Rounds = BTreeMap<usize, f64>;

/// The figures of all rounds, by row, server and figure; then by the place of the value and by the round.
#[derive(Debug, Default)]
pub(crate) struct TuneReport {
    figures: BTreeMap<(&'static str, Kind, Metric), BTreeMap<usize, Rounds>>,
}

impl TuneReport {
    pub(crate) fn add(&mut self, row: &'static str, kind: Kind, value: usize, round: usize, sample: &Sample) {
        for (metric, figure) in sample {
            let values = self.figures.entry((row, kind, *metric)).or_default();
            values.entry(value).or_default().insert(round, *figure);
        }
    }

    pub(crate) fn markdown(&self, tune: &Tune) -> String {
        let mut text = String::new();
        let flag = &tune.flag;
        let _infallible = writeln!(text, "| row | server | figure | --{flag} | mean | ratio (95 %) | |");
        let _infallible = writeln!(text, "|---|---|---|---|---|---|---|");
        for ((row, kind, metric), values) in &self.figures {
            let Some(first) = values.get(&0) else {
                continue;
            };
            for (place, rounds) in values {
                let mean = rounds.values().sum::<f64>() / rounds.len() as f64;
                let ratios = rounds.iter().filter_map(|(round, figure)| first.get(round).map(|first| figure / first));
                let (ratio, verdict) = match Interval::of_ratios(ratios).filter(|_| *place > 0) {
                    None => (String::new(), ""),
                    Some(interval) => (interval.to_string(), interval.verdict()),
                };
                let (value, mean) = (&tune.values[*place], metric.format(mean));
                let _infallible =
                    writeln!(text, "| {row} | {kind} | {} | {value} | {mean} | {ratio} | {verdict} |", metric.name());
            }
        }
        text
    }
}
