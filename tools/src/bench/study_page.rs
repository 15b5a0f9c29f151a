//! The pages of `--report` for searches, growth and the suite.
//!
//! Owns what stands on them; the frame and the drawings are those of every page.

use std::fmt::Write as _;

use super::chart::{Curve, Scale, chart, intervals};
use super::compare::Line;
use super::environment::Environment;
use super::growth::Study;
use super::knee::Knee;
use super::page::{environment_table, escape, say, section, whole};
use super::scale::Growth;
use super::statistics::{Ratio, Verdict};
use super::suite::RowResult;
use super::tables::{is_speed, show_metric};
use super::values::{show_count, show_ns, show_rate};

/// The page of `knee`.
pub(crate) fn of_knee(title: &str, knee: &Knee, environment: &Environment) -> String {
    let mut body = String::new();
    let _never_fails = writeln!(body, "<p class=\"lead\">{}</p>", escape(knee.sentence().trim()));
    let wrong: Vec<String> = knee
        .steps
        .iter()
        .filter(|step| step.wrong > 0)
        .map(|step| format!("{} at {}", show_count(step.wrong), show_rate(step.asked)))
        .collect();
    say(&mut body, &wrong, knee.note.iter().cloned().collect());
    let curve = |name: &str, pick: fn(&super::knee::Step) -> u64| Curve {
        name: name.to_owned(),
        is_dashed: false,
        points: knee.steps.iter().map(|step| (step.asked, (pick(step) as f64).max(1.0))).collect(),
    };
    let mut curves = vec![curve("p50", |step| step.p50_ns), curve("the bounded percentile", |step| step.latency_ns)];
    if let (Some(first), Some(last)) = (knee.steps.first(), knee.steps.last()) {
        let bound = knee.bound.as_nanos() as f64;
        curves.push(Curve {
            name: "bound".into(),
            is_dashed: true,
            points: vec![(first.asked, bound), (last.asked, bound)],
        });
    }
    let drawing = chart("latency by rate", &curves, &Scale::Log(show_rate), &Scale::Log(show_ns));
    section(&mut body, "Latency by rate", &drawing);
    let mut rows = String::new();
    for step in &knee.steps {
        let (class, word) = if step.is_good { ("good", "good") } else { ("bad", "bad") };
        let _never_fails = writeln!(
            rows,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>",
            show_rate(step.asked),
            show_rate(step.sent),
            show_ns(step.p50_ns as f64),
            show_ns(step.latency_ns as f64),
            show_count(step.wrong)
        );
    }
    section(
        &mut body,
        "Every rate that was tried",
        &table(&["asked for", "sent", "p50", "bounded percentile", "lost or wrong", ""], &rows),
    );
    section(&mut body, "Where it was measured", &environment_table(environment));
    whole(title, &body)
}

/// The page of `scale`.
pub(crate) fn of_growth(
    title: &str,
    growth: &Growth,
    wrong: &[String],
    note: Option<&str>,
    environment: &Environment,
) -> String {
    let mut body = String::new();
    say(&mut body, wrong, note.iter().map(|note| (*note).to_owned()).collect());
    growths(&mut body, &[(String::new(), growth.clone())]);
    section(&mut body, "Where it was measured", &environment_table(environment));
    whole(title, &body)
}

/// A chart and a table for each figure, a curve and a column for each server.
fn growths(body: &mut String, all: &[(String, Growth)]) {
    let Some((_, first)) = all.first() else { return };
    for (column, figure) in first.figures.iter().enumerate() {
        let name = |server: &str| if server.is_empty() { figure.clone() } else { server.to_owned() };
        let curves: Vec<Curve> = all
            .iter()
            .map(|(server, growth)| Curve {
                name: name(server),
                is_dashed: false,
                // A logarithm has no zero.
                points: growth
                    .points(column)
                    .into_iter()
                    .map(|(x, y)| (x.max(1.0), y))
                    .filter(|(_, y)| *y > 0.0)
                    .collect(),
            })
            .collect();
        let mut content = chart(figure, &curves, &Scale::Log(count), &Scale::Log(axis(figure)));
        for (server, growth) in all {
            let sentences = growth.sentences();
            if let Some(sentence) = sentences.iter().find(|sentence| sentence.starts_with(&format!("{figure} grows"))) {
                let who = if server.is_empty() { String::new() } else { format!("{server}: ") };
                let _never_fails = writeln!(content, "<p class=\"weak\">{}</p>", escape(&format!("{who}{sentence}")));
            }
        }
        let mut rows = String::new();
        for (place, (n, _)) in first.rows.iter().enumerate() {
            let _never_fails = write!(rows, "<tr><th>{}</th>", show_count(*n));
            for (_, growth) in all {
                let figure_here = growth.rows.get(place).and_then(|(_, row)| row.get(column).copied().flatten());
                let shown = figure_here.map_or("–".to_owned(), |value| show_metric(figure, value));
                let _never_fails = write!(rows, "<td>{shown}</td>");
            }
            rows.push_str("</tr>\n");
        }
        let names: Vec<String> = all.iter().map(|(server, _)| name(server)).collect();
        let head: Vec<&str> = std::iter::once("n").chain(names.iter().map(String::as_str)).collect();
        content.push_str(&table(&head, &rows));
        section(body, figure, &content);
    }
}

/// The page of `suite`: ratios of every row, then the figures.
pub(crate) fn of_suite(
    title: &str,
    servers: &[String],
    rows: &[RowResult],
    note: Option<&str>,
    environment: &Environment,
) -> String {
    let mut body = String::new();
    let wrong: Vec<String> =
        rows.iter().flat_map(|row| row.wrongs.iter().map(|wrong| format!("{}: {wrong}", row.title))).collect();
    say(&mut body, &wrong, note.iter().map(|note| (*note).to_owned()).collect());
    let first = servers.first().map_or("", String::as_str);
    let _never_fails = writeln!(
        body,
        "<p class=\"weak\">{}</p>",
        escape(&format!(
            "A ratio is to {first}, its line the 95 % interval; green is better, red is worse, grey is no difference seen."
        ))
    );
    for server in servers.iter().skip(1) {
        for (figure, what) in [("cost", "CPU a message"), ("rate", "rate"), ("p99", "p99 latency")] {
            let bars: Vec<_> = rows
                .iter()
                .filter_map(|row| Some((row, row.line(figure, server)?)))
                .map(|(row, line)| (row.title.to_owned(), line.ratio.low, line.ratio.ratio, line.ratio.high))
                .collect();
            section(&mut body, &format!("{server}: {what}"), &intervals(&format!("{what}, ratio to {first}"), &bars));
        }
    }
    section(&mut body, "All figures", &suite_table(servers, rows));
    let mut commands = String::new();
    for row in rows {
        let _never_fails =
            writeln!(commands, "<tr><th>{}</th><td><code>{}</code></td></tr>", escape(row.title), escape(row.command));
    }
    let commands = format!("<div class=\"scroll\"><table class=\"facts\">\n{commands}</table></div>");
    section(&mut body, "How to repeat a row alone: dunlinctl bench …", &commands);
    section(&mut body, "Where it was measured", &environment_table(environment));
    whole(title, &body)
}

/// A block a scenario, a line a figure, a column a server and one for its ratio.
fn suite_table(servers: &[String], rows: &[RowResult]) -> String {
    let mut head = vec!["figure"];
    head.extend(servers.iter().enumerate().flat_map(|(place, name)| {
        let ratio = (place > 0).then_some("ratio, 95 %");
        std::iter::once(name.as_str()).chain(ratio)
    }));
    let mut text = String::new();
    for row in rows {
        let _never_fails =
            writeln!(text, "<tr class=\"part\"><th colspan=\"{}\">{}</th></tr>", head.len(), escape(row.title));
        let mut figures: Vec<&str> = row.lines.iter().map(|line| line.metric.as_str()).collect();
        figures.dedup();
        for figure in figures {
            let show = |value| show_metric(figure, value);
            let of = |server: &String| row.lines.iter().find(|line| line.metric == figure && line.server == *server);
            let first = row.lines.iter().find(|line| line.metric == figure).map_or(0.0, |line| line.first.median);
            let _never_fails = write!(text, "<tr><th>{}</th><td>{}</td>", escape(figure), show(first));
            for line in servers.iter().skip(1).map(of) {
                match line {
                    Some(line) => ratio_cells(&mut text, line),
                    None => text.push_str("<td>–</td><td>–</td>"),
                }
            }
            text.push_str("</tr>\n");
        }
    }
    table(&head, &text)
}

fn ratio_cells(out: &mut String, line: &Line) {
    let class = match line.verdict {
        Verdict::Worse => "bad",
        Verdict::Better => "good",
        Verdict::NoDifference | Verdict::TooFewRounds => "weak",
    };
    let Ratio { ratio, low, high, .. } = line.ratio;
    let _never_fails = write!(
        out,
        "<td>{}</td><td class=\"{class}\" title=\"{}\">{ratio:.2} <small>({low:.2} to {high:.2})</small></td>",
        show_metric(&line.metric, line.second.median),
        line.verdict.text(is_speed(&line.metric))
    );
}

/// The page of `suite --growth`.
pub(crate) fn of_studies(
    title: &str,
    studies: &[Study],
    wrong: &[String],
    note: Option<&str>,
    environment: &Environment,
) -> String {
    let mut body = String::new();
    say(&mut body, wrong, note.iter().map(|note| (*note).to_owned()).collect());
    for study in studies {
        let _never_fails = writeln!(body, "<h2 class=\"part\">{}</h2>", escape(study.title));
        growths(&mut body, &study.servers);
    }
    section(&mut body, "Where it was measured", &environment_table(environment));
    whole(title, &body)
}

fn table(head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|name| format!("<th>{}</th>", escape(name))).collect();
    format!("<div class=\"scroll\"><table><tr>{head}</tr>\n{rows}</table></div>")
}

/// Counts and bytes on an axis stand at powers of ten.
fn count(value: f64) -> String {
    match value {
        1e6.. => format!("{} M", value / 1e6),
        1e3.. => format!("{} k", value / 1e3),
        _ => value.to_string(),
    }
}

fn bytes(value: f64) -> String {
    count(value).trim_end().to_owned() + if value < 1e3 { " B" } else { "B" }
}

/// How the values of a figure are shown on an axis.
fn axis(figure: &str) -> fn(f64) -> String {
    let figure = figure.rsplit(": ").next().unwrap_or(figure);
    if figure.ends_with("rate") {
        show_rate
    } else if figure == "rss" || figure.ends_with("bytes") {
        bytes
    } else if is_speed(figure) {
        show_ns
    } else {
        count
    }
}

#[cfg(test)]
mod tests {
    use super::{of_growth, of_knee, of_studies, of_suite};
    use crate::bench::compare::Line;
    use crate::bench::environment::Environment;
    use crate::bench::growth::Study;
    use crate::bench::knee::{Knee, Step};
    use crate::bench::scale::Growth;
    use crate::bench::statistics::{Ratio, Spread};
    use crate::bench::suite::RowResult;
    use std::time::Duration;

    fn stands_alone(page: &str, drawings: usize) {
        for outside in ["http://", "https://", "src=", "href=", "@import", "url(", "<script", "NaN", "inf"] {
            assert!(!page.contains(outside), "{outside}: {page}");
        }
        assert_eq!(page.matches("<svg").count(), drawings, "{page}");
    }

    fn growth() -> Growth {
        let rows = [0_u64, 10, 1000].map(|n| (n, vec![Some(n as f64 + 7.0), None]));
        Growth { figures: vec!["cost".into(), "rate".into()], rows: rows.to_vec() }
    }

    #[test]
    fn a_knee_is_a_curve_with_its_bound() {
        let step = |asked: f64, latency_ns| Step {
            asked,
            sent: asked,
            p50_ns: latency_ns / 3,
            latency_ns,
            wrong: u64::from(latency_ns > 1_000_000),
            is_good: latency_ns < 1_000_000,
        };
        let steps = vec![step(1e3, 50_000), step(2e3, 80_000), step(4e3, 9_000_000)];
        let knee = Knee { steps, rate: Some(2e3), bound: Duration::from_millis(1), ..Knee::default() };
        let page = of_knee("knee <x>", &knee, &Environment::default());
        stands_alone(&page, 1);
        assert!(
            page.contains("knee: 2.00 k/s")
                && page.contains(">bound<")
                && page.contains("Lost or wrong: 1 at 4.00 k/s")
        );
        stands_alone(&of_knee("none", &Knee::default(), &Environment::default()), 0);
    }

    #[test]
    fn growth_is_a_chart_a_figure() {
        let page =
            of_growth("scale", &growth(), &["at 10: 3 lost".into()], Some("ended early"), &Environment::default());
        stands_alone(&page, 1);
        assert!(page.contains("at 10: 3 lost") && page.contains("ended early") && page.contains("cost grows like n^"));
        let servers = vec![("peer".to_owned(), growth()), ("dunlin".to_owned(), growth())];
        let studies = [Study { title: "payload", servers, ..Study::default() }];
        let page = of_studies("growth", &studies, &[], None, &Environment::default());
        stands_alone(&page, 1);
        assert!(page.contains("dunlin: cost grows") && page.contains("<th>dunlin</th>"));
    }

    #[test]
    fn the_suite_shows_every_ratio() {
        let ratio = Ratio::of(&[100.0, 101.0, 99.0], &[40.0, 41.0, 39.0]).expect("figures");
        let line = |metric: &str, server: &str| Line {
            metric: metric.into(),
            server: server.into(),
            first: Spread::of(&[100.0]),
            second: Spread::of(&[40.0]),
            ratio,
            verdict: ratio.verdict(false),
        };
        let lines = vec![line("cost", "two"), line("cost", "three"), line("p99", "two")];
        let row =
            RowResult { name: "a", title: "1 → 1 <b>", command: "pubsub", lines, wrongs: vec!["1 lost".into()] };
        let servers = ["one", "two", "three"].map(String::from);
        let page = of_suite("suite", &servers, &[row], None, &Environment::default());
        stands_alone(&page, 3);
        assert!(
            page.contains("three: CPU a message")
                && page.contains("1 → 1 &lt;b&gt;: 1 lost")
                && page.contains("faster")
        );
    }
}
