//! Two ways of doing the same, measured in turn: the ratio of what they cost, with an interval that says how sure it is.
//!
//! Pure arithmetic. What slows a shared machine down for a while slows both halves of a pair, so the pairs are compared and not
//! the sums. Logarithms, so that a half and a double weigh the same.

use std::fmt;

/// The standard normal quantile of a two-sided interval of 95 %.
const Z: f64 = 1.959_964;

/// A mean ratio and the 95 % interval around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Interval {
    /// Of paired ratios (Student's t on their logarithms); nothing where fewer than two are left that can be compared.
    pub(crate) fn of_ratios(ratios: impl IntoIterator<Item = f64>) -> Option<Self> {
        let logs: Vec<f64> = ratios.into_iter().map(f64::ln).filter(|log| log.is_finite()).collect();
        if logs.len() < 2 {
            return None;
        }
        let count = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / count;
        let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let half = student_quantile(count - 1.0) * (variance / count).sqrt();
        Some(Self { mean: mean.exp(), low: (mean - half).exp(), high: (mean + half).exp() })
    }

    /// Whether this shows a difference at all.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.low > 1.0, self.high < 1.0) {
            (true, _) => "more",
            (_, true) => "less",
            _ => "no difference seen",
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ({:.3} … {:.3})", self.mean, self.low, self.high)
    }
}

/// The 97.5 % quantile of Student's t by its expansion around the normal one: within 1 % from three degrees of freedom on.
fn student_quantile(freedom: f64) -> f64 {
    if freedom < 1.5 {
        return 12.706;
    }
    if freedom < 2.5 {
        return 4.303;
    }
    let first = (Z.powi(3) + Z) / 4.0;
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
    let third = (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0;
    Z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}
