//! What is measured, in which unit, and what a row yields.

/// One kind of figure. Times are nanoseconds, sizes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// An event is a message read or a message delivered.
    CpuPerEvent,
    CpuPerMessage,
    CpuPerRequest,
    CpuPerConnection,
    CpuPerSubscription,
    /// For each message that a healthy subscriber got, beside a frozen one and without it.
    CpuBesideFrozen,
    CpuWithoutFrozen,
    /// The first over the second, and the 95 % interval.
    FrozenRatio,
    FrozenRatioLow,
    FrozenRatioHigh,
    /// The same of the time that a pass took.
    FrozenTimeRatio,
    ResidentPerConnection,
    ResidentPerSubscription,
    Median,
    Percentile99,
    /// Deliveries a second; what was read a second where nothing is delivered.
    Rate,
    /// CPU of this program a message: shows whether the generator was the limit.
    Generator,
}

impl Metric {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CpuPerEvent => "CPU/event",
            Self::CpuPerMessage => "CPU/message",
            Self::CpuPerRequest => "CPU/request",
            Self::CpuPerConnection => "CPU/connection",
            Self::CpuPerSubscription => "CPU/SUB",
            Self::CpuBesideFrozen => "CPU/delivery beside a frozen one",
            Self::CpuWithoutFrozen => "CPU/delivery without",
            Self::FrozenRatio => "beside/without",
            Self::FrozenRatioLow => "… 95 % from",
            Self::FrozenRatioHigh => "… 95 % to",
            Self::FrozenTimeRatio => "beside/without in time",
            Self::ResidentPerConnection => "RSS/connection",
            Self::ResidentPerSubscription => "RSS/subscription",
            Self::Median => "p50",
            Self::Percentile99 => "p99",
            Self::Rate => "rate",
            Self::Generator => "generator CPU/message",
        }
    }

    /// Where more is better.
    pub(crate) const fn is_rate(self) -> bool {
        matches!(self, Self::Rate)
    }

    /// A figure with its unit.
    pub(crate) fn format(self, figure: f64) -> String {
        match self {
            Self::Rate => scaled(figure, &[(1e6, " M/s"), (1e3, " k/s"), (1.0, " /s")]),
            Self::ResidentPerConnection | Self::ResidentPerSubscription => {
                scaled(figure, &[(1024.0, " KiB"), (1.0, " B")])
            }
            Self::FrozenRatio | Self::FrozenRatioLow | Self::FrozenRatioHigh | Self::FrozenTimeRatio => {
                format!("{figure:.3}")
            }
            _ => scaled(figure, &[(1e6, " ms"), (1e3, " µs"), (1.0, " ns")]),
        }
    }
}

/// Three digits in the largest unit that leaves at least two before the point, or the smallest.
fn scaled(figure: f64, units: &[(f64, &str)]) -> String {
    let fits = |(size, _): &&(f64, &str)| figure.abs() >= *size * 1.2;
    let Some((size, unit)) = units.iter().find(fits).or(units.last()) else {
        return String::new();
    };
    let scaled = figure / size;
    let decimals = if scaled.abs() >= 100.0 {
        0
    } else if scaled.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{scaled:.decimals$}{unit}")
}

/// The figures of one run of one row.
pub(crate) type Sample = Vec<(Metric, f64)>;
