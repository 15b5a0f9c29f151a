//! `--report FILE.html`: one page that needs no network, light or dark as the reader likes it.
//!
//! Owns the page's look. Drawings are SVG in the text: latency over percentile, rate over time, ratios with intervals.

use std::fmt::Write as _;

use super::chart::{Curve, Scale, chart, intervals};
use super::compare::{self, Series};
use super::environment::Environment;
use super::latency::{Summary, curve};
use super::outcome::{Moment, RunOutcome};
use super::tables::{is_speed, show_metric, spreads};
use super::values::{show_count, show_ns, show_rate};

const STYLE: &str = include_str!("page.css");

/// The page of one server's runs.
pub(crate) fn of_runs(title: &str, outcomes: &[RunOutcome], environment: &Environment) -> String {
    let mut body = String::new();
    for outcome in outcomes.iter().take(1) {
        tiles(&mut body, outcome);
    }
    verdict(&mut body, outcomes.iter());
    section(&mut body, "Latency", &latency_chart(&named(outcomes)));
    section(&mut body, "Latency in figures", &latency_table(&named(outcomes)));
    section(&mut body, "Rate over time", &rate_chart(outcomes.first()));
    section(&mut body, "All figures", &figure_table(outcomes));
    section(&mut body, "Where it was measured", &environment_table(environment));
    whole(title, &body)
}

/// The page of a comparison.
pub(crate) fn of_series(title: &str, all: &[Series], environment: &Environment) -> String {
    let mut body = String::new();
    verdict(&mut body, all.iter().flat_map(|series| &series.outcomes));
    section(&mut body, "Comparison", &comparison(all));
    let firsts: Vec<(String, &RunOutcome)> =
        all.iter().filter_map(|series| Some((series.name.clone(), series.last_whole()?))).collect();
    section(&mut body, "Latency of the last round", &latency_chart(&firsts));
    section(&mut body, "Latency in figures", &latency_table(&firsts));
    section(&mut body, "Where it was measured", &environment_table(environment));
    whole(title, &body)
}

pub(crate) fn whole(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(crate) fn section(body: &mut String, title: &str, content: &str) {
    if !content.is_empty() {
        let _never_fails = write!(body, "<section>\n<h2>{}</h2>\n{content}\n</section>\n", escape(title));
    }
}

fn named(outcomes: &[RunOutcome]) -> Vec<(String, &RunOutcome)> {
    let is_one = outcomes.len() == 1;
    outcomes
        .iter()
        .enumerate()
        .map(|(n, run)| (if is_one { String::new() } else { format!("run {}", n + 1) }, run))
        .collect()
}

fn tiles(body: &mut String, outcome: &RunOutcome) {
    body.push_str("<div class=\"tiles\">\n");
    let metrics = outcome.metrics();
    for (name, label) in [
        ("rate", "rate"),
        ("p50", "median latency"),
        ("p99", "p99 latency"),
        ("cost", "server CPU an event"),
        ("rss", "server memory"),
    ] {
        if let Some(figure) = metrics.get(name) {
            let figure = show_metric(name, *figure);
            let _never_fails = writeln!(body, "<div class=\"tile\"><b>{figure}</b><span>{label}</span></div>");
        }
    }
    body.push_str("</div>\n");
}

fn verdict<'a>(body: &mut String, outcomes: impl Iterator<Item = &'a RunOutcome>) {
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        wrong.extend(outcome.wrongs());
        notes.extend(outcome.notes.iter().cloned());
        notes.extend(outcome.is_interrupted.then(|| "interrupted: this is what was measured so far".to_owned()));
        let late = outcome.groups.iter().filter(|group| !group.is_held());
        notes.extend(late.map(|group| format!("{}: the rate that was asked for was not held", group.name)));
        notes.extend(outcome.trouble.as_ref().map(|trouble| format!("ended early: {trouble}")));
        notes.extend(
            outcome.is_client_bound().then(|| "client-bound: the tool was the limit, not the server".to_owned()),
        );
    }
    say(body, &wrong, notes);
}

/// One line about the checks, and what else a reader must know.
pub(crate) fn say(body: &mut String, wrong: &[String], mut notes: Vec<String>) {
    notes.dedup();
    let (class, text) = match wrong.is_empty() {
        true => ("good", "Nothing was lost, doubled, out of order or damaged.".to_owned()),
        false => ("bad", format!("Lost or wrong: {}.", wrong.join(", "))),
    };
    let _never_fails = writeln!(body, "<p class=\"{class}\">{}</p>", escape(&text));
    for note in notes {
        let _never_fails = writeln!(body, "<p class=\"note\">{}</p>", escape(&note));
    }
}

fn latency_chart(outcomes: &[(String, &RunOutcome)]) -> String {
    let mut curves = Vec::new();
    for (name, outcome) in outcomes {
        for group in &outcome.groups {
            let label = [name.as_str(), group.name.as_str()].join(" ").trim().to_owned();
            for (view, histogram) in [("", &group.latencies.corrected), (", uncorrected", &group.latencies.uncorrected)]
            {
                // In a closed loop both views are the same; and two views of several servers are too many lines.
                let is_same = !view.is_empty() && group.latencies.corrected == group.latencies.uncorrected;
                if is_same || histogram.is_empty() || (!view.is_empty() && outcomes.len() * outcome.groups.len() > 2) {
                    continue;
                }
                let nines = |percentile: f64| -(1.0 - percentile / 100.0).max(1e-9).log10();
                let points = curve(histogram).into_iter().map(|(p, ns)| (nines(p), (ns as f64).max(1.0))).collect();
                curves.push(Curve { name: format!("{label}{view}"), is_dashed: !view.is_empty(), points });
            }
        }
    }
    let x_ticks: Vec<(f64, String)> = ["0", "90", "99", "99.9", "99.99", "99.999", "99.9999"]
        .iter()
        .enumerate()
        .map(|(n, t)| (n as f64, format!("{t} %")))
        .collect();
    chart("latency by percentile", &curves, &Scale::Ticks(x_ticks), &Scale::Log(show_ns))
}

fn latency_table(outcomes: &[(String, &RunOutcome)]) -> String {
    let mut rows = String::new();
    for (name, outcome) in outcomes {
        for group in outcome.groups.iter().filter(|group| !group.latencies.is_empty()) {
            for (view, histogram) in
                [("corrected", &group.latencies.corrected), ("uncorrected", &group.latencies.uncorrected)]
            {
                let summary = Summary::of(histogram);
                let label = escape([name.as_str(), group.name.as_str()].join(" ").trim());
                let _never_fails = write!(rows, "<tr><th>{label}, {view}</th>");
                for (_, ns) in &summary.percentiles_ns {
                    let _never_fails = write!(rows, "<td>{}</td>", show_ns(*ns as f64));
                }
                let _never_fails = writeln!(rows, "<td>{}</td></tr>", show_count(summary.count));
            }
        }
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<div class=\"scroll\"><table><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th><th>messages</th></tr>\n{rows}</table></div>"
    )
}

fn rate_chart(outcome: Option<&RunOutcome>) -> String {
    let Some(outcome) = outcome.filter(|outcome| outcome.moments.len() > 4) else { return String::new() };
    let of = |pick: fn(&Moment) -> u64| {
        let step = (outcome.moments.len() / 200).max(1);
        let some: Vec<&Moment> = outcome.moments.iter().step_by(step).collect();
        let rate = |pair: &[&Moment]| {
            let seconds = pair[1].seconds - pair[0].seconds;
            (
                pair[1].seconds,
                if seconds > 0.0 { pick(pair[1]).saturating_sub(pick(pair[0])) as f64 / seconds } else { 0.0 },
            )
        };
        some.windows(2).map(rate).collect::<Vec<_>>()
    };
    let curves = [
        Curve { name: "sent".into(), is_dashed: false, points: of(|moment| moment.sent) },
        Curve { name: "received".into(), is_dashed: false, points: of(|moment| moment.received) },
    ];
    chart("messages a second", &curves, &Scale::Linear(|s| show_ns(s * 1e9)), &Scale::Linear(show_rate))
}

fn figure_table(outcomes: &[RunOutcome]) -> String {
    let is_one = outcomes.len() == 1;
    let head = if is_one { "<th>this run</th>" } else { "<th>median</th><th>least</th><th>most</th>" };
    let mut text = format!("<div class=\"scroll\"><table><tr><th>figure</th>{head}</tr>\n");
    for (name, spread) in spreads(outcomes) {
        let show = |figure| format!("<td>{}</td>", show_metric(&name, figure));
        let (median, least, most) = (show(spread.median), show(spread.least), show(spread.most));
        let cells = if is_one { median } else { median + &least + &most };
        let _never_fails = writeln!(text, "<tr><th>{}</th>{cells}</tr>", escape(&name));
    }
    text + "</table></div>"
}

fn comparison(all: &[Series]) -> String {
    let lines = compare::lines(all);
    let shown: Vec<_> = lines.iter().filter(|line| compare::SHOWN.contains(&line.metric.as_str())).collect();
    let shown = if shown.is_empty() { lines.iter().collect() } else { shown };
    let bars: Vec<_> = shown
        .iter()
        .map(|line| (format!("{} of {}", line.metric, line.server), line.ratio.low, line.ratio.ratio, line.ratio.high))
        .collect();
    let mut text = intervals(&format!("ratio to {}", all.first().map_or("", |series| series.name.as_str())), &bars);
    text.push_str("<div class=\"scroll\"><table><tr><th>figure</th><th>first</th><th>other</th><th>ratio</th><th>95 %</th><th>verdict</th></tr>\n");
    for line in shown {
        let show = |figure| show_metric(&line.metric, figure);
        let _never_fails = writeln!(
            text,
            "<tr><th>{} of {}</th><td>{}</td><td>{}</td><td>{:.3}</td><td>{:.3} to {:.3}</td><td>{}</td></tr>",
            escape(&line.metric),
            escape(&line.server),
            show(line.first.median),
            show(line.second.median),
            line.ratio.ratio,
            line.ratio.low,
            line.ratio.high,
            line.verdict.text(is_speed(&line.metric))
        );
    }
    text + "</table></div>"
}

pub(crate) fn environment_table(environment: &Environment) -> String {
    let mut text = String::from("<div class=\"scroll\"><table class=\"facts\">\n");
    for (name, value) in environment.rows() {
        let _never_fails = writeln!(text, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value));
    }
    text + "</table></div>"
}

#[cfg(test)]
mod tests {
    use super::{escape, of_runs};
    use crate::bench::environment::Environment;
    use crate::bench::outcome::{GroupOutcome, Moment, RunOutcome};

    #[test]
    fn a_page_stands_alone() {
        let mut group = GroupOutcome { name: "<b>&".into(), sent: 10, send_seconds: 1.0, ..GroupOutcome::default() };
        (1..1000).for_each(|n| group.latencies.record(n * 1000, n * 900));
        let moments = (0..50)
            .map(|n| Moment { seconds: f64::from(n) / 10.0, sent: n as u64 * 7, received: n as u64 * 5 })
            .collect();
        let outcome = RunOutcome { groups: vec![group], moments, seconds: 5.0, ..RunOutcome::default() };
        let page = of_runs("bench <script>", &[outcome], &Environment::default());
        assert!(page.starts_with("<!doctype html>") && page.contains("&lt;script&gt;") && !page.contains("<script"));
        for outside in ["http://", "https://", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
        assert!(page.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a b=\"c\">&"), "&lt;a b=&quot;c&quot;&gt;&amp;");
    }
}
