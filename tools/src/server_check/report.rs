//! What a check has found, in the order of its findings, and the Nagios code that follows.
//!
//! Pure. How it is written is `render`'s.

use super::threshold::{Judgement, Limits};

/// Nagios's four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

/// A figure for those who draw graphs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) value: f64,
    /// `s`, `%`, or nothing.
    pub(crate) unit: &'static str,
    pub(crate) limits: Limits,
}

/// The findings of one check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What is checked, as part of the names of metrics.
    pub(crate) check: &'static str,
    /// What the findings are about: a server, where its name is known.
    pub(crate) name: String,
    pub(crate) oks: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) criticals: Vec<String>,
    /// Why nothing can be said.
    pub(crate) unknowns: Vec<String>,
    pub(crate) metrics: Vec<Metric>,
}

impl Report {
    pub(crate) fn new(check: &'static str, name: &str) -> Self {
        Self { check, name: name.to_owned(), ..Self::default() }
    }

    /// The worst finding. What is critical stays so, even where something else could not be found out.
    pub(crate) fn status(&self) -> Status {
        if !self.criticals.is_empty() {
            Status::Critical
        } else if !self.unknowns.is_empty() {
            Status::Unknown
        } else if !self.warnings.is_empty() {
            Status::Warning
        } else {
            Status::Ok
        }
    }

    /// A finding by the side that it is on.
    pub(crate) fn add(&mut self, judgement: Judgement, text: String) {
        match judgement {
            Judgement::Ok => self.oks.push(text),
            Judgement::Warning => self.warnings.push(text),
            Judgement::Critical => self.criticals.push(text),
        }
    }

    /// A figure, which is judged where there are limits, and told in `text` either way.
    pub(crate) fn measure(&mut self, metric: Metric, text: String) {
        self.add(metric.limits.judge(metric.value), text);
        self.metrics.push(metric);
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, Status};
    use crate::server_check::threshold::Judgement;

    #[test]
    fn the_worst_finding_is_the_status() {
        let mut report = Report::new("x", "y");
        assert_eq!((report.status().name(), report.status().code()), ("OK", 0));
        report.add(Judgement::Ok, "fine".into());
        assert_eq!(report.status(), Status::Ok);
        report.add(Judgement::Warning, "hm".into());
        assert_eq!((report.status().name(), report.status().code()), ("WARNING", 1));
        report.unknowns.push("?".into());
        assert_eq!((report.status().name(), report.status().code()), ("UNKNOWN", 3));
        report.add(Judgement::Critical, "ouch".into());
        assert_eq!((report.status().name(), report.status().code()), ("CRITICAL", 2));
    }
}
