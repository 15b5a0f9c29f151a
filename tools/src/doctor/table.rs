//! The report as a person reads it.
//!
//! Pure. Fits the width that it is given; colours only where asked for.

use super::finding::{Finding, Verdict};

/// Columns before what is said of a finding.
const INDENT: usize = 16;
/// Columns of a name; a longer one pushes its value to the right.
const NAME: usize = 20;
/// Columns of a report that goes nowhere in particular.
pub(crate) const WIDTH_DEFAULT: usize = 80;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) width: usize,
    pub(crate) colours: bool,
    /// Only what is not good.
    pub(crate) quiet: bool,
}

/// The whole report.
pub(crate) fn render(heading: &str, findings: &[Finding], style: Style) -> String {
    let mut out = String::new();
    push_wrapped(&mut out, 0, heading, style.width, |text| text.to_owned());
    let shown = findings.iter().filter(|finding| !style.quiet || finding.verdict != Verdict::Good);
    let mut theme = None;
    for finding in shown {
        if theme != Some(finding.theme) {
            theme = Some(finding.theme);
            out.push('\n');
            out.push_str(&painted(finding.theme.heading(), "1", style));
            out.push('\n');
        }
        push_finding(&mut out, finding, style);
    }
    out.push('\n');
    for line in summary(findings) {
        push_wrapped(&mut out, 0, &line, style.width, |text| text.to_owned());
    }
    out
}

fn push_finding(out: &mut String, finding: &Finding, style: Style) {
    let words = finding.verdict.words();
    let colour = match finding.verdict {
        Verdict::Good => "32",
        Verdict::WorthALook => "33",
        Verdict::WillBite => "1;31",
        Verdict::Unknown => "36",
    };
    let gap = " ".repeat(INDENT.saturating_sub(2 + words.len()));
    out.push_str(&format!("  {}{gap}{:<NAME$} ", painted(words, colour, style), finding.name));
    let start = INDENT + NAME.max(finding.name.len()) + 1;
    let mut lines = wrap(&finding.value, style.width.saturating_sub(start)).into_iter();
    out.push_str(&lines.next().unwrap_or_default());
    out.push('\n');
    for line in lines {
        out.push_str(&format!("{:start$}{line}\n", ""));
    }
    push_wrapped(out, INDENT, &finding.why, style.width, |text| painted(text, "2", style));
    for line in &finding.mend {
        match line.strip_prefix("# ") {
            Some(remark) => {
                for line in wrap(remark, style.width.saturating_sub(INDENT + 2)) {
                    out.push_str(&format!("{:INDENT$}# {line}\n", ""));
                }
            }
            // A command is one line that can be copied, however long, cut where a shell goes on reading.
            None => {
                let lines = wrap(line, style.width.saturating_sub(INDENT + 6));
                out.push_str(&format!("{:INDENT$}$ {}\n", "", lines.join(&format!(" \\\n{:1$}", "", INDENT + 4))));
            }
        }
    }
}

/// The last lines: how many of each, and which bite.
fn summary(findings: &[Finding]) -> Vec<String> {
    let of = |verdict| findings.iter().filter(move |finding| finding.verdict == verdict);
    let count = |verdict| of(verdict).count();
    let mut lines = vec![format!(
        "{} good, {} worth a look, {} will bite, {} unknown.",
        count(Verdict::Good),
        count(Verdict::WorthALook),
        count(Verdict::WillBite),
        count(Verdict::Unknown)
    )];
    let names: Vec<&str> = of(Verdict::WillBite).map(|finding| finding.name).collect();
    if !names.is_empty() {
        lines.push(format!("Will bite: {}.", names.join(", ")));
    }
    let mends = |start: &str| findings.iter().any(|finding| finding.mend.iter().any(|line| line.starts_with(start)));
    if mends("sysctl") {
        lines.push(
            "What sysctl sets lasts until the next start; a file in /etc/sysctl.d keeps it. Commands need root.".into(),
        );
    } else if mends("") {
        lines.push("Commands that change the host need root.".into());
    }
    lines
}

fn push_wrapped(out: &mut String, indent: usize, text: &str, width: usize, paint: impl Fn(&str) -> String) {
    for line in wrap(text, width.saturating_sub(indent)) {
        out.push_str(&format!("{:indent$}{}\n", "", paint(&line)));
    }
}

fn painted(text: &str, colour: &str, style: Style) -> String {
    if style.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Lines of at most `width` columns, cut at spaces; a longer word is cut behind a slash or where the line ends.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() <= width {
            if let Some(line) = lines.last_mut() {
                line.push(' ');
                line.extend(&word);
            }
            used += 1 + word.len();
            continue;
        }
        while word.len() > width {
            // A path is cut behind a slash.
            let slash = word.iter().take(width).rposition(|c| *c == '/').filter(|&at| at > 0);
            let rest = word.split_off(slash.map_or(width, |at| at + 1));
            push_line(&mut lines, &word);
            word = rest;
        }
        used = word.len();
        push_line(&mut lines, &word);
    }
    lines
}

/// A new line, or the first one where that is still empty.
fn push_line(lines: &mut Vec<String>, word: &[char]) {
    match lines.last_mut() {
        Some(first) if first.is_empty() => first.extend(word),
        _ => lines.push(word.iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Theme;

    fn style(width: usize, colours: bool, quiet: bool) -> Style {
        Style { width, colours, quiet }
    }

    fn findings() -> Vec<Finding> {
        let long =
            "a reason that goes on and on and on and on and on and on and on and on until the line is full, and on";
        vec![
            Finding::new(Theme::Cpus, "one", Verdict::Good, "1", long),
            Finding::new(Theme::Memory, "two", Verdict::WillBite, long, long)
                .mend(format!("sysctl -w {}", "x=1 ".repeat(40).trim_end()))
                .mend(format!("# {}", "y".repeat(300))),
        ]
    }

    #[test]
    fn every_line_fits() {
        for width in [60, 80, 120] {
            let text = render(&"word ".repeat(50), &findings(), style(width, false, false));
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(text.lines().any(|line| line.chars().count() > width - 12), "{width} columns are used:\n{text}");
        }
    }

    #[test]
    fn a_long_command_goes_on_as_a_shell_reads_it() {
        let text = render("", &findings(), style(80, false, false));
        let start = text.find("$ sysctl").expect("the command");
        let end = text[start..].find("# yyy").expect("the remark");
        let joined = text[start..start + end].replace("\\\n", "");
        assert_eq!(joined.split_whitespace().filter(|word| *word == "x=1").count(), 40, "{text}");
    }

    #[test]
    fn colours_and_good_lines_are_shown_only_where_asked_for() {
        let plain = render("", &findings(), style(80, false, false));
        assert!(!plain.contains('\u{1b}') && plain.contains("good") && plain.contains("Will bite: two."), "{plain}");
        assert!(render("", &findings(), style(80, true, false)).contains("\u{1b}[1;31mwill bite\u{1b}[0m"));
        let quiet = render("", &findings(), style(80, false, true));
        assert!(!quiet.contains("  one ") && quiet.contains("  will bite") && quiet.contains("1 good"), "{quiet}");
    }
}
