//! Medians, spreads, and whether two series of figures differ.
//!
//! Pure. Few rounds and outliers are the rule on shared machines, so nothing here assumes a normal distribution of the figures:
//! medians, and an interval for the ratio from all pairs (Hodges-Lehmann) with the ranks of the Mann-Whitney test.

use serde::Serialize;

/// The middle, and the ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of no figures: zeros.
    pub(crate) fn of(figures: &[f64]) -> Self {
        let sorted = sorted(figures);
        Self {
            median: median_of_sorted(&sorted),
            least: sorted.first().copied().unwrap_or(0.0),
            most: sorted.last().copied().unwrap_or(0.0),
        }
    }
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median_of_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match (sorted.len(), sorted.get(middle), middle.checked_sub(1).and_then(|place| sorted.get(place))) {
        (0, ..) => 0.0,
        (length, Some(high), Some(low)) if length % 2 == 0 => f64::midpoint(*low, *high),
        (_, Some(high), _) => *high,
        _ => 0.0,
    }
}

/// How one series relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// Second over first.
    pub(crate) ratio: f64,
    /// Between these the true ratio lies with 95 %, as far as so few rounds can tell.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Of the shorter series.
    pub(crate) rounds: usize,
}

/// With fewer rounds an interval says nothing.
const ROUNDS_MIN: usize = 3;

impl Ratio {
    /// `None` where a series is empty or has figures that have no ratio.
    pub(crate) fn of(first: &[f64], second: &[f64]) -> Option<Self> {
        let is_right = |figures: &[f64]| !figures.is_empty() && figures.iter().all(|f| *f > 0.0 && f.is_finite());
        if !is_right(first) || !is_right(second) {
            return None;
        }
        let mut all: Vec<f64> = first.iter().flat_map(|a| second.iter().map(move |b| b / a)).collect();
        all.sort_by(f64::total_cmp);
        let (n, m) = (first.len() as f64, second.len() as f64);
        // Ranks that leave 2.5 % on each side. Below four rounds each that is outside: the ends are all there is.
        let cut = (n * m / 2.0 - 1.96 * (n * m * (n + m + 1.0) / 12.0).sqrt()).floor().max(0.0) as usize;
        let cut = cut.min((all.len() - 1) / 2);
        Some(Self {
            ratio: median_of_sorted(&all),
            low: all[cut],
            high: all[all.len() - 1 - cut],
            rounds: first.len().min(second.len()),
        })
    }

    /// What it says of the second, where more of the figure is better or worse.
    pub(crate) fn verdict(&self, is_more_better: bool) -> Verdict {
        let (below, above) =
            if is_more_better { (Verdict::Worse, Verdict::Better) } else { (Verdict::Better, Verdict::Worse) };
        if self.rounds < ROUNDS_MIN {
            Verdict::TooFewRounds
        } else if self.high < 1.0 {
            below
        } else if self.low > 1.0 {
            above
        } else {
            Verdict::NoDifference
        }
    }
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Better,
    Worse,
    NoDifference,
    TooFewRounds,
}

impl Verdict {
    /// In words: of speed and cost, or of anything else.
    pub(crate) const fn text(self, is_speed: bool) -> &'static str {
        match self {
            Self::Better if is_speed => "faster",
            Self::Worse if is_speed => "slower",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifference => "no difference seen",
            Self::TooFewRounds => "too few rounds to tell",
        }
    }
}

/// How a figure grows: the slope of a line through the points on a log-log scale, and how well it fits (0 to 1).
pub(crate) fn growth(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let logs: Vec<(f64, f64)> =
        points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.ln(), y.ln())).collect();
    let n = logs.len() as f64;
    if logs.len() < 2 {
        return None;
    }
    let mean = |pick: fn(&(f64, f64)) -> f64| logs.iter().map(pick).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let sum = |f: &dyn Fn(f64, f64) -> f64| logs.iter().map(|(x, y)| f(x - mean_x, y - mean_y)).sum::<f64>();
    let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
    if xx == 0.0 {
        return None;
    }
    let fit = if yy == 0.0 { 1.0 } else { xy * xy / (xx * yy) };
    Some((xy / xx, fit))
}

#[cfg(test)]
mod tests {
    use super::{Ratio, Spread, Verdict, growth};

    #[test]
    fn the_median_stands_between_the_ends() {
        let spread = Spread::of(&[3.0, 1.0, 10.0]);
        assert_eq!(spread, Spread { median: 3.0, least: 1.0, most: 10.0 });
        assert_eq!(Spread::of(&[1.0, 2.0]).median, 1.5);
        assert_eq!(Spread::of(&[]), Spread::default());
    }

    #[test]
    fn a_clear_difference_is_seen_and_noise_is_not() {
        let slow = [100.0, 104.0, 98.0, 101.0, 99.0];
        let fast = [80.0, 82.0, 79.0, 85.0, 81.0];
        let ratio = Ratio::of(&slow, &fast).expect("figures");
        assert!(ratio.low < ratio.ratio && ratio.ratio < ratio.high && ratio.high < 0.9, "{ratio:?}");
        assert_eq!((ratio.verdict(false), ratio.verdict(true)), (Verdict::Better, Verdict::Worse));
        let noise = Ratio::of(&slow, &[97.0, 103.0, 100.0, 102.0, 101.0]).expect("figures");
        assert_eq!(noise.verdict(false), Verdict::NoDifference);
        let few = Ratio::of(&slow[..2], &fast[..2]).expect("figures");
        assert_eq!(few.verdict(false), Verdict::TooFewRounds);
        assert_eq!(Ratio::of(&[], &[1.0]), None);
        assert_eq!(Ratio::of(&[0.0], &[1.0]), None);
    }

    #[test]
    fn one_outlier_decides_nothing() {
        let ratio =
            Ratio::of(&[100.0, 101.0, 99.0, 100.0, 100.0], &[100.0, 99.0, 500.0, 101.0, 100.0]).expect("figures");
        assert_eq!(ratio.verdict(false), Verdict::NoDifference);
    }

    #[test]
    fn growth_is_the_power() {
        let square: Vec<_> = (1..6).map(|x| (f64::from(x), f64::from(x * x) * 7.0)).collect();
        let (slope, fit) = growth(&square).expect("points");
        assert!((slope - 2.0).abs() < 1e-9 && fit > 0.999, "{slope} {fit}");
        let (flat, _) = growth(&[(1.0, 5.0), (10.0, 5.0), (100.0, 5.0)]).expect("points");
        assert!(flat.abs() < 1e-9);
        assert_eq!(growth(&[(1.0, 1.0)]), None);
    }
}
