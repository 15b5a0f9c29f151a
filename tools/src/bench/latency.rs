//! Latencies in HDR histograms: corrected (from the time a message was due) and uncorrected (from the time it was handed over).
//!
//! Bounded in memory, merged exactly over threads, repeats and hosts.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer waits count as this.
const NS_MAX: u64 = 600_000_000_000;
const DIGITS: u8 = 3;

/// The percentiles that are always shown.
pub(crate) const PERCENTILES: [(&str, f64); 6] =
    [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9), ("p99.99", 99.99), ("max", 100.0)];

/// Both views of the same messages.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    pub(crate) corrected: Histogram<u64>,
    pub(crate) uncorrected: Histogram<u64>,
}

impl Default for Latencies {
    fn default() -> Self {
        // These bounds are constants that the library allows.
        let empty = Histogram::new_with_max(NS_MAX, DIGITS).unwrap_or_else(|_| unreachable!("constant bounds"));
        Self { corrected: empty.clone(), uncorrected: empty }
    }
}

impl Latencies {
    /// One message.
    pub(crate) fn record(&mut self, corrected_ns: u64, uncorrected_ns: u64) {
        self.corrected.saturating_record(corrected_ns);
        self.uncorrected.saturating_record(uncorrected_ns);
    }

    /// Everything of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        // Bounds are the same everywhere.
        let _same_bounds = self.corrected.add(&other.corrected);
        let _same_bounds = self.uncorrected.add(&other.uncorrected);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.corrected.is_empty()
    }
}

/// A histogram in figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) min_ns: u64,
    pub(crate) mean_ns: f64,
    pub(crate) stddev_ns: f64,
    /// In the order of [`PERCENTILES`].
    pub(crate) percentiles_ns: Vec<(String, u64)>,
}

impl Summary {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let percentiles_ns =
            PERCENTILES.map(|(name, percentile)| (name.to_owned(), histogram.value_at_percentile(percentile))).to_vec();
        Self {
            count: histogram.len(),
            min_ns: histogram.min(),
            mean_ns: histogram.mean(),
            stddev_ns: histogram.stdev(),
            percentiles_ns,
        }
    }
}

/// A percentile by name: `p99`, `p99.9`, `max`.
pub(crate) fn percentile(name: &str) -> Option<f64> {
    match name {
        "max" => Some(100.0),
        _ => name.strip_prefix('p')?.parse().ok().filter(|percentile| (0.0..=100.0).contains(percentile)),
    }
}

/// The file that HdrHistogram's plotter reads: value in microseconds, percentile, count so far, 1/(1-percentile).
pub(crate) fn hgrm(histogram: &Histogram<u64>) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let micros = |ns: u64| ns as f64 / 1e3;
    for value in histogram.iter_quantiles(5) {
        let quantile = value.quantile_iterated_to();
        let (ns, count) = (value.value_iterated_to(), histogram.count_between(0, value.value_iterated_to()));
        let _never_fails = if quantile < 1.0 {
            writeln!(text, "{:12.3} {quantile:2.12} {count:10} {:14.2}", micros(ns), 1.0 / (1.0 - quantile))
        } else {
            writeln!(text, "{:12.3} {quantile:2.12} {count:10}            inf", micros(ns))
        };
    }
    let _never_fails = write!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n#[Max     = {:12.3}, Total count    = {:12}]\n#[Buckets = {:12}, SubBuckets     = {:12}]\n",
        histogram.mean() / 1e3,
        histogram.stdev() / 1e3,
        micros(histogram.max()),
        histogram.len(),
        histogram.buckets(),
        2048
    );
    text
}

/// The curve: percentile and nanoseconds, from the median's far left to the last nine there is.
pub(crate) fn curve(histogram: &Histogram<u64>) -> Vec<(f64, u64)> {
    let mut points = Vec::new();
    if histogram.is_empty() {
        return points;
    }
    for step in 0..=60 {
        // 0, 50, 90, 99, … evenly on a scale of nines.
        let percentile = 100.0 - 100.0 / 10_f64.powf(f64::from(step) / 10.0);
        points.push((percentile, histogram.value_at_percentile(percentile)));
        if 100.0 / (100.0 - percentile) > histogram.len() as f64 {
            break;
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::{Latencies, Summary, curve, hgrm, percentile};

    fn thousand() -> Latencies {
        let mut latencies = Latencies::default();
        (1..=1000).for_each(|n| latencies.record(n * 1000, n * 10));
        latencies
    }

    #[test]
    fn merging_is_as_if_recorded_together() {
        let mut sum = thousand();
        sum.merge(&thousand());
        assert_eq!(sum.corrected.len(), 2000);
        let summary = Summary::of(&sum.corrected);
        let p50 = summary.percentiles_ns[0].1;
        assert!((499_000..=501_000).contains(&p50), "{p50}");
        assert!(Summary::of(&sum.uncorrected).percentiles_ns[5].1 >= 10_000);
    }

    #[test]
    fn percentiles_have_names() {
        assert_eq!(
            [percentile("p99.9"), percentile("max"), percentile("p101"), percentile("x")],
            [Some(99.9), Some(100.0), None, None]
        );
    }

    #[test]
    fn the_file_is_what_plotters_read() {
        let text = hgrm(&thousand().corrected);
        assert!(text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
        assert!(text.contains("inf\n") && text.contains("#[Max     ="), "{text}");
        let counts: Vec<u64> = text.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse().ok()).collect();
        assert!(counts.is_sorted() && counts.last() == Some(&1000), "{counts:?}");
    }

    #[test]
    fn curves_rise() {
        let points = curve(&thousand().corrected);
        assert!(points.windows(2).all(|pair| pair[0].1 <= pair[1].1) && points.len() > 20);
    }
}
