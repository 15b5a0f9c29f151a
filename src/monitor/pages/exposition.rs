//! The text in which Prometheus reads metrics: format 0.0.4, and OpenMetrics 1.0 where that is asked for.
//!
//! Owns names, types and escaping. A counter whose name does not end as OpenMetrics wants it is `unknown` there, so that it keeps its name.

use std::fmt::Write as _;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
    Histogram,
}

/// All metrics of a page.
#[derive(Debug)]
pub(super) struct Exposition {
    text: String,
    open_metrics: bool,
}

/// A metric that is being written.
#[derive(Debug)]
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: String,
    open_metrics: bool,
}

impl Exposition {
    pub(super) fn new(open_metrics: bool) -> Self {
        Self { text: String::with_capacity(16 * 1024), open_metrics }
    }

    /// Begins a metric; its samples follow.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) -> Family<'_> {
        let total = name.ends_with("_total");
        let (family, kind) = match (self.open_metrics, kind) {
            // There a name may end so only where it is a counter, whose family is called without it.
            (true, Kind::Counter) if total => (name.trim_end_matches("_total"), "counter"),
            (true, Kind::Counter) => (name, "unknown"),
            (_, Kind::Counter) => (name, "counter"),
            (_, Kind::Gauge) => (name, "gauge"),
            (_, Kind::Histogram) => (name, "histogram"),
        };
        let _ = writeln!(self.text, "# HELP {family} {}", escaped(help, false));
        let _ = writeln!(self.text, "# TYPE {family} {kind}");
        Family { text: &mut self.text, name: name.to_owned(), open_metrics: self.open_metrics }
    }

    /// One metric with one sample.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, labels: &[(&str, &str)], value: f64) {
        self.family(name, kind, help).sample("", labels, value);
    }

    /// The text.
    pub(super) fn finish(mut self) -> String {
        if self.open_metrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

impl Family<'_> {
    /// One sample; `suffix` is for the parts of a histogram.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (at, (name, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{name}=\"{}\"", escaped(text, true));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }

    /// A histogram's parts: each bound with how many were at most that, then all, their number and sum.
    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], buckets: &[(f64, u64)], count: u64, sum: f64) {
        for (bound, at_most) in buckets {
            // In OpenMetrics a bound is a float, and looks like one.
            let bound =
                if self.open_metrics && bound.fract() == 0.0 { format!("{bound:.1}") } else { bound.to_string() };
            self.sample("_bucket", &[labels, &[("le", bound.as_str())]].concat(), *at_most as f64);
        }
        self.sample("_bucket", &[labels, &[("le", "+Inf")]].concat(), count as f64);
        self.sample("_sum", labels, sum);
        self.sample("_count", labels, count as f64);
    }
}

fn escaped(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(open_metrics: bool) -> String {
        let mut out = Exposition::new(open_metrics);
        out.single("a_total", Kind::Counter, "all\n", &[("name", "x\"\\\ny")], 5.0);
        out.single("b", Kind::Counter, "b", &[], 0.5);
        out.family("h", Kind::Histogram, "h").histogram(&[("c", "0")], &[(1.0, 2)], 3, 4.5);
        out.finish()
    }

    #[test]
    fn both_formats_are_written() {
        assert_eq!(
            sample(false),
            "# HELP a_total all\\n\n# TYPE a_total counter\na_total{name=\"x\\\"\\\\\\ny\"} 5\n# HELP b b\n# TYPE b counter\nb 0.5\n\
             # HELP h h\n# TYPE h histogram\nh_bucket{c=\"0\",le=\"1\"} 2\nh_bucket{c=\"0\",le=\"+Inf\"} 3\nh_sum{c=\"0\"} 4.5\nh_count{c=\"0\"} 3\n"
        );
        let open = sample(true);
        assert!(open.contains("# TYPE a counter\na_total{") && open.contains("# TYPE b unknown\nb 0.5\n"), "{open}");
        assert!(open.contains("le=\"1.0\"") && open.ends_with("# EOF\n"), "{open}");
    }
}
