//! Findings for people, and as JSON.
//!
//! Owns the form alone.

use std::path::Path;

use serde::Serialize;

use super::super::colour::{Paint, Role};
use super::super::excerpt::{Sources, drawn, excerpt};
use super::findings::{Checked, Finding, Severity};

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Complaint => "complaint",
            Self::Warning => "warning",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Error => Role::Error,
            Self::Complaint | Self::Warning => Role::Warning,
        }
    }
}

/// For people.
pub(super) fn lines(file: &Path, checked: &Checked, sources: &mut Sources, paint: Paint) -> String {
    let mut out = String::new();
    for finding in &checked.findings {
        let role = finding.severity.role();
        let message = paint.paint(Role::Strong, &format!(": {}", finding.message));
        out.push_str(&format!("{}{message}\n", paint.paint(role, finding.severity.name())));
        let mut margin = 1;
        if let Some(span) = &finding.span {
            margin = span.line.to_string().len();
            out.push_str(&drawn(sources.get(&span.file), span, &finding.label, role, paint));
        }
        let notes =
            finding.included_at.iter().map(|at| format!("included at {at}")).chain(finding.hints.iter().cloned());
        for note in notes {
            out.push_str(&format!("{} {} {note}\n", " ".repeat(margin), paint.paint(Role::Frame, "=")));
        }
        out.push('\n');
    }
    out.push_str(&last_line(file, checked, paint));
    out
}

fn last_line(file: &Path, checked: &Checked, paint: Paint) -> String {
    let count = |severity| checked.findings.iter().filter(|finding| finding.severity == severity).count();
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let (errors, complaints) = (count(Severity::Error), count(Severity::Complaint));
    let counts = [(errors, "error"), (complaints, "complaint"), (count(Severity::Warning), "warning")];
    let counts: Vec<String> = counts.into_iter().filter_map(|(count, what)| counted(count, what)).collect();
    let name = file.display();
    if checked.is_valid() {
        let digest = checked.digest.as_deref().map(|digest| format!(" ({digest})")).unwrap_or_default();
        let beside = if counts.is_empty() { String::new() } else { format!(", {}", counts.join(", ")) };
        return format!("{name}: {}{digest}{beside}\n", paint.paint(Role::Good, "valid"));
    }
    let mut line = format!("{name}: {}\n", paint.paint(Role::Error, &counts.join(", ")));
    if errors == 0 {
        line.push_str("The server starts with it, but -t refuses it.\n");
    } else if checked.is_partial {
        line.push_str("How the settings go together is checked when this is mended.\n");
    }
    line
}

#[derive(Serialize)]
struct Page<'a> {
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    /// Only single keys were looked at.
    partial: bool,
    findings: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    severity: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    included_at: Option<&'a str>,
    hints: Vec<&'a str>,
}

/// One JSON object.
pub(super) fn json(file: &Path, checked: &Checked, sources: &mut Sources) -> String {
    let page = Page {
        file: file.display().to_string(),
        valid: checked.is_valid(),
        digest: checked.digest.as_deref().filter(|_| checked.is_valid()),
        partial: checked.is_partial,
        findings: checked.findings.iter().map(|finding| item(finding, sources)).collect(),
    };
    serde_json::to_string_pretty(&page).map(|text| text + "\n").unwrap_or_default()
}

fn item<'a>(finding: &'a Finding, sources: &mut Sources) -> Item<'a> {
    let span = finding.span.as_ref();
    let line = span.and_then(|span| sources.get(&span.file).map(|source| excerpt(source, span).line));
    Item {
        severity: finding.severity.name(),
        message: &finding.message,
        file: span.map(|span| span.file.display().to_string()),
        line: span.map(|span| span.line),
        column: span.map(|span| span.column),
        excerpt: line,
        suggestion: finding.suggestion.as_deref(),
        included_at: finding.included_at.as_deref(),
        hints: finding
            .hints
            .iter()
            .chain(Some(&finding.label).filter(|label| !label.is_empty()))
            .map(String::as_str)
            .collect(),
    }
}
