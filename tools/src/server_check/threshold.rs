//! Limits: from when on a figure is a warning, and from when on it is critical.
//!
//! Pure. A limit is reached by being equal to it, as in the field's tools. Where few is bad, the critical limit is the lower one.

/// How a figure stands to its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Ok,
    Warning,
    Critical,
}

/// Which side of a limit is the bad one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bad {
    #[default]
    High,
    Low,
    /// Low where the critical limit is below the warning, high otherwise.
    ByOrder,
}

/// Two limits, each of which may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub(crate) warning: Option<f64>,
    pub(crate) critical: Option<f64>,
    bad: Bad,
}

impl Limits {
    /// Refuses a warning that could never come.
    pub(crate) fn new(what: &str, warning: Option<f64>, critical: Option<f64>, bad: Bad) -> Result<Self, String> {
        let limits = Self { warning, critical, bad };
        match (warning, critical) {
            (Some(warning), Some(critical)) if bad == Bad::High && critical < warning => {
                Err(format!("{what}: the critical limit {critical} is below the warning {warning}"))
            }
            (Some(warning), Some(critical)) if bad == Bad::Low && critical > warning => Err(format!(
                "{what}: the critical limit {critical} is above the warning {warning}, and low is bad here"
            )),
            _ => Ok(limits),
        }
    }

    fn low_is_bad(&self) -> bool {
        match self.bad {
            Bad::High => false,
            Bad::Low => true,
            Bad::ByOrder => self.warning.zip(self.critical).is_some_and(|(warning, critical)| critical < warning),
        }
    }

    /// Where `value` stands.
    pub(crate) fn judge(&self, value: f64) -> Judgement {
        let low_is_bad = self.low_is_bad();
        let is_reached =
            |limit: Option<f64>| limit.is_some_and(|limit| if low_is_bad { value <= limit } else { value >= limit });
        if is_reached(self.critical) {
            Judgement::Critical
        } else if is_reached(self.warning) {
            Judgement::Warning
        } else {
            Judgement::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bad, Judgement, Limits};

    fn judged(warning: Option<f64>, critical: Option<f64>, bad: Bad, values: [f64; 4]) -> [Judgement; 4] {
        let limits = Limits::new("x", warning, critical, bad).expect("sensible");
        values.map(|value| limits.judge(value))
    }

    #[test]
    fn limits_are_reached_by_being_equal() {
        use Judgement::{Critical, Ok, Warning};
        let (five, ten) = (Some(5.0), Some(10.0));
        assert_eq!(judged(five, ten, Bad::High, [4.9, 5.0, 9.9, 10.0]), [Ok, Warning, Warning, Critical]);
        assert_eq!(judged(ten, five, Bad::Low, [10.1, 10.0, 5.1, 5.0]), [Ok, Warning, Warning, Critical]);
        assert_eq!(judged(ten, five, Bad::ByOrder, [10.1, 10.0, 5.1, 5.0]), [Ok, Warning, Warning, Critical]);
        assert_eq!(judged(five, ten, Bad::ByOrder, [4.9, 5.0, 9.9, 10.0]), [Ok, Warning, Warning, Critical]);
        assert_eq!(judged(None, ten, Bad::High, [0.0, 5.0, 9.9, 10.0]), [Ok, Ok, Ok, Critical]);
        assert_eq!(judged(five, None, Bad::Low, [9.0, 5.1, 5.0, 0.0]), [Ok, Ok, Warning, Warning]);
        assert_eq!(judged(None, None, Bad::High, [0.0, 1.0, 1e9, f64::MAX]), [Ok; 4]);
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        let wrong = Limits::new("CPU", Some(10.0), Some(5.0), Bad::High).expect_err("a warning that never comes");
        assert!(wrong.contains("CPU") && wrong.contains("below"), "{wrong}");
        let wrong = Limits::new("uptime", Some(5.0), Some(10.0), Bad::Low).expect_err("the same");
        assert!(wrong.contains("above"), "{wrong}");
    }
}
