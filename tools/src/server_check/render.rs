//! A report as Nagios, JSON, Prometheus or people read it.
//!
//! Pure. Text of a server can break no line and no field: what would is replaced.

use serde_json::json;

use super::report::{Metric, Report};

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Nagios,
    Json,
    Prometheus,
    Text,
}

/// The whole text, line end included.
pub(crate) fn render(report: &Report, format: Format, namespace: &str) -> String {
    match format {
        Format::Nagios => nagios(report),
        Format::Json => json(report),
        Format::Prometheus => prometheus(report, namespace),
        Format::Text => text(report),
    }
}

/// A line of a plugin has its figures behind the first bar, so there is no other.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '|' { ' ' } else { c }).collect()
}

/// Findings with their word, the worst first.
fn findings(report: &Report) -> impl Iterator<Item = (&'static str, &String)> {
    let lists = [
        ("Critical", &report.criticals),
        ("Unknown", &report.unknowns),
        ("Warning", &report.warnings),
        ("OK", &report.oks),
    ];
    lists.into_iter().flat_map(|(word, list)| list.iter().map(move |text| (word, text)))
}

fn nagios(report: &Report) -> String {
    let mut parts = vec![format!("{} {}", report.status().name(), line(&report.name))];
    parts.extend(findings(report).map(|(word, text)| {
        let word = match word {
            "Critical" => "Crit",
            "Warning" => "Warn",
            word => word,
        };
        format!("{word}:{}", line(text))
    }));
    let mut text = parts.join(" ");
    if !report.metrics.is_empty() {
        let metrics: Vec<_> = report.metrics.iter().map(perfdata).collect();
        text.push_str(&format!(" | {}", metrics.join(" ")));
    }
    text.push('\n');
    text
}

/// `name=value;warning;critical`.
fn perfdata(metric: &Metric) -> String {
    let decimals = if metric.unit == "s" { 4 } else { 0 };
    let show = |number: f64| format!("{number:.decimals$}");
    let mut text = format!("{}={}{}", metric.name, show(metric.value), metric.unit);
    let limits = (metric.limits.warning, metric.limits.critical);
    if limits != (None, None) {
        text.push_str(&format!(";{}", limits.0.map(show).unwrap_or_default()));
        text.push_str(&limits.1.map(|critical| format!(";{}", show(critical))).unwrap_or_default());
    }
    text
}

fn json(report: &Report) -> String {
    let mut page = json!({
        "status": report.status().name(),
        "check_suite": report.check,
        "check_name": report.name,
        "perf_data": report.metrics.iter().map(|metric| {
            let mut item = json!({
                "name": metric.name,
                "value": metric.value,
                "warning": metric.limits.warning.unwrap_or(0.0),
                "critical": metric.limits.critical.unwrap_or(0.0),
            });
            if !metric.unit.is_empty() {
                item["unit"] = metric.unit.into();
            }
            item
        }).collect::<Vec<_>>(),
    });
    let lists = [
        ("critical", &report.criticals),
        ("unknown", &report.unknowns),
        ("warning", &report.warnings),
        ("ok", &report.oks),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            page[name] = list.as_slice().into();
        }
    }
    format!("{page:#}\n")
}

fn prometheus(report: &Report, namespace: &str) -> String {
    let label = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let item = label(&report.name);
    let full = |name: &str| {
        let parts = [namespace, report.check, name];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
    };
    let mut families: Vec<(String, String, String)> = report
        .metrics
        .iter()
        .map(|metric| {
            let name = full(metric.name);
            let sample = format!("{name}{{item=\"{item}\"}} {}", metric.value);
            (name, metric.help.to_owned(), sample)
        })
        .collect();
    let (name, status) = (full("status_code"), report.status());
    let sample = format!("{name}{{item=\"{item}\",status=\"{}\"}} {}", status.name(), status.code());
    families.push((name, format!("Nagios compatible status code for {}", report.check), sample));
    families.sort();
    let lines =
        families.iter().map(|(name, help, sample)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{sample}\n"));
    lines.collect()
}

fn text(report: &Report) -> String {
    let mut text = format!("{}: {}\n\n", line(&report.name), report.status().name());
    for (word, finding) in findings(report) {
        text.push_str(&format!("  {word:<9} {}\n", line(finding)));
    }
    if !report.metrics.is_empty() {
        text.push_str(&format!(
            "\n  {:<16} {:>16} {:>12} {:>12}  Description\n",
            "Metric", "Value", "Warning", "Critical"
        ));
    }
    for metric in &report.metrics {
        let show = |number: f64| {
            let decimals = if metric.unit == "s" { 4 } else { 0 };
            format!("{number:.decimals$}{}", metric.unit)
        };
        let limit = |limit: Option<f64>| limit.map_or_else(|| "-".into(), show);
        let (warning, critical) = (limit(metric.limits.warning), limit(metric.limits.critical));
        let value = show(metric.value);
        text.push_str(&format!("  {:<16} {value:>16} {warning:>12} {critical:>12}  {}\n", metric.name, metric.help));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Format, render};
    use crate::server_check::report::{Metric, Report};
    use crate::server_check::threshold::{Bad, Limits};

    fn report() -> Report {
        let mut report = Report::new("server", "n1");
        let limits = |warning, critical| Limits::new("x", warning, critical, Bad::High).expect("sensible");
        let mut measure = |name, unit, value, limits| {
            report.measure(Metric { name, help: "A figure", value, unit, limits }, format!("{name} {value}"));
        };
        measure("rtt", "s", 0.000_25, limits(Some(0.5), Some(1.0)));
        measure("cpu", "%", 71.6, limits(Some(70.0), None));
        measure("connections", "", 900.0, limits(None, Some(800.0)));
        measure("subscriptions", "", 5.0, limits(None, None));
        report
    }

    #[test]
    fn nagios_gets_one_line_with_figures() {
        assert_eq!(
            render(&report(), Format::Nagios, "ns"),
            "CRITICAL n1 Crit:connections 900 Warn:cpu 71.6 OK:rtt 0.00025 OK:subscriptions 5 | \
             rtt=0.0003s;0.5000;1.0000 cpu=72%;70 connections=900;;800 subscriptions=5\n"
        );
    }

    #[test]
    fn text_of_a_server_breaks_no_line() {
        let mut report = Report::new("server", "evil|\nname");
        report.unknowns.push("a|b\r\nc".into());
        assert_eq!(render(&report, Format::Nagios, ""), "UNKNOWN evil  name Unknown:a b  c\n");
        assert_eq!(render(&report, Format::Text, "").lines().count(), 3);
        report.name = "q\"uo\\te\n".into();
        let text = render(&report, Format::Prometheus, "ns");
        assert!(text.contains("ns_server_status_code{item=\"q\\\"uo\\\\te\\n\",status=\"UNKNOWN\"} 3\n"), "{text}");
    }

    #[test]
    fn json_has_the_fields_of_the_fields_own_tool() {
        let page: serde_json::Value = serde_json::from_str(&render(&report(), Format::Json, "")).expect("JSON");
        assert_eq!(
            (&page["status"], &page["check_suite"], &page["check_name"]),
            (&"CRITICAL".into(), &"server".into(), &"n1".into())
        );
        assert_eq!(page["critical"], serde_json::json!(["connections 900"]));
        assert_eq!(
            page["perf_data"][0],
            serde_json::json!({"name": "rtt", "value": 0.00025, "warning": 0.5, "critical": 1.0, "unit": "s"})
        );
        assert!(page["unknown"].is_null() && page["perf_data"][3]["unit"].is_null());
    }

    #[test]
    fn prometheus_gets_gauges_in_order() {
        let text = render(&report(), Format::Prometheus, "nats_server_check");
        let names: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            names,
            [
                "nats_server_check_server_connections{item=\"n1\"} 900",
                "nats_server_check_server_cpu{item=\"n1\"} 71.6",
                "nats_server_check_server_rtt{item=\"n1\"} 0.00025",
                "nats_server_check_server_status_code{item=\"n1\",status=\"CRITICAL\"} 2",
                "nats_server_check_server_subscriptions{item=\"n1\"} 5",
            ]
        );
        assert_eq!(text.lines().filter(|line| line.starts_with("# TYPE") && line.ends_with(" gauge")).count(), 5);
    }

    #[test]
    fn people_get_a_table() {
        let text = render(&report(), Format::Text, "");
        assert!(text.starts_with("n1: CRITICAL\n\n  Critical  connections 900\n  Warning   cpu 71.6\n"), "{text}");
        assert!(text.contains("rtt                       0.0003s      0.5000s      1.0000s  A figure"), "{text}");
    }
}
