//! The first place that is not in the grammar: where it is, and what is to blame.
//!
//! Owns the search for a place where the server tells only a line, or none. The server's text stays as it is, but for what
//! may be a part of a secret.

use std::path::{Path, PathBuf};

use dunlin::config::ParseError;
use dunlin::config::spans::{Fault, Unclosed, ValueKind, included};

use super::super::excerpt::{Source, Sources, Span};
use super::findings::{Finding, Severity};

/// The finding of an error.
pub(super) fn finding(file: &Path, error: &ParseError, sources: &mut Sources) -> Finding {
    let mut finding = Finding::new(Severity::Error, &told(error));
    let (path, cause) = innermost(file, error);
    let Some(source) = sources.get(&path) else {
        // The file that includes it is there: the place is the include.
        finding.span = sources.get(file).and_then(|source| include_of(source, file, &path));
        finding.hints.push(format!("the file is looked for at {}, beside the file that names it", path.display()));
        return finding;
    };
    match cause {
        ParseError::Syntax(_) => syntax(source, &path, &mut finding),
        ParseError::KeyWithoutValue(place) => {
            finding.span = Some(Span::of_place(source, place));
            if let Some(last) = source.outline.entries.last().filter(|_| source.outline.ends_in_key) {
                finding.span = Some(Span::of_bytes(source, &path, last.name.clone()));
            }
            finding.label = "this key has no value".into();
            stray_brace(source, &path, &mut finding);
        }
        ParseError::VariableMissing { name, line } | ParseError::VariableInvalid { name, line, .. } => {
            finding.span = variable(source, &path, name, *line);
            finding.hints.push(format!(
                "$NAME takes the value of a key that stands above it, or of the environment: set '{name}' there before the \
                 server starts, or put quotes around the text if the sign belongs to it"
            ));
        }
        ParseError::IntegerRange(text) | ParseError::SizeSuffix(text) | ParseError::Date(text) => {
            finding.span = plain(source, &path, text.as_bytes());
            finding.hints.push(match cause {
                ParseError::SizeSuffix(_) => {
                    "sizes end in K, M, G or in KB, MB, GB; put quotes around it if it is a text".into()
                }
                _ => "put quotes around it if it is a text".into(),
            });
        }
        ParseError::IncludeCycle(name) => {
            finding.span = plain(source, &path, name.as_bytes());
            finding
                .hints
                .push("a file may not include itself, nor a file that includes it: take this include out".into());
        }
        ParseError::Unreadable(_)
        | ParseError::VariableCycle(_)
        | ParseError::Include { .. }
        | ParseError::TooMuch(_) => {}
    }
    finding
}

/// The message, without what may be a value of the environment.
fn told(error: &ParseError) -> String {
    match error {
        ParseError::VariableInvalid { name, line, .. } => {
            format!(
                "variable reference for '{name}' on line {line} could not be parsed: the value in the environment is not in the grammar"
            )
        }
        ParseError::Include { file, cause } => format!("error parsing include file '{file}', {}", told(cause)),
        other => other.to_string().replace("'\0'", "the end of the file"),
    }
}

/// The file in which the fault is, and the fault.
fn innermost<'e>(file: &Path, error: &'e ParseError) -> (PathBuf, &'e ParseError) {
    let (mut path, mut error) = (file.to_owned(), error);
    while let ParseError::Include { file, cause } = error {
        (path, error) = (included(&path, file.as_bytes()), cause);
    }
    (path, error)
}

fn include_of(source: &Source, file: &Path, wanted: &Path) -> Option<Span> {
    let is_it = |name: &[u8]| included(file, name) == wanted;
    let mut includes = source.outline.entries.iter().filter(|entry| entry.kind == ValueKind::Include);
    let entry = includes.find(|entry| source.text.get(entry.value.clone()).is_some_and(is_it))?;
    Some(Span::of_bytes(source, file, entry.value.clone()))
}

fn syntax(source: &Source, path: &Path, finding: &mut Finding) {
    let outline = &source.outline;
    let Some(fault) = &outline.fault else { return };
    let is_at_end = fault.at >= source.text.len();
    if is_at_end && let Some(start) = unfinished_text(source, fault) {
        finding.span = Some(Span::of_bytes(source, path, start..start + 1));
        finding.label = "this text is never closed".into();
        return;
    }
    let blamed = outline.misclosed.first().filter(|_| is_at_end);
    let blamed = blamed.or_else(|| outline.unclosed.iter().rfind(|open| open.is_likely));
    let blamed = blamed.or_else(|| outline.unclosed.last().filter(|_| is_at_end));
    if let Some(open) = blamed {
        finding.span = Some(Span::of_bytes(source, path, open.at..open.at + 1));
        finding.label = format!("this {} is never closed", name_of(open));
        if open.is_likely {
            finding.hints.push(format!(
                "a key further down is indented as little as this line, so the '{}' is missing before it",
                if open.is_brace { '}' } else { ']' }
            ));
        }
        if !open.is_brace && is_glued(&source.text, open.at) {
            finding
                .hints
                .push("a ']' right behind a number is read as a part of it: put a blank before the ']'".into());
        }
        return;
    }
    finding.span = Some(fault_span(source, path, fault));
    if fault.text.starts_with("Expected value but found") {
        finding.hints.push("write the value on the line of its key".into());
    } else if fault.text.starts_with("Expected a top-level value to end") {
        finding.hints.push("put quotes around a text with blanks in it, and each key on a line of its own".into());
    } else if fault.text.starts_with("Floats must") {
        finding.hints.push("put quotes around it if it is a text, as an address is".into());
    }
    stray_brace(source, path, finding);
}

/// A closing brace that closes nothing is read as a key: whatever follows it looks wrong.
fn stray_brace(source: &Source, path: &Path, finding: &mut Finding) {
    let is_brace = |name: &[u8]| name == b"}" || name == b"]";
    let stray = source.outline.entries.iter().find(|entry| source.text.get(entry.name.clone()).is_some_and(is_brace));
    if let Some(stray) = stray {
        finding.span = Some(Span::of_bytes(source, path, stray.name.clone()));
        finding.label = "this closes nothing".into();
        finding.hints = vec!["there is one of these too many here, or one that opens a block too few above".into()];
    }
}

/// A digit and the end of the list behind it: the reader takes both for a word.
fn is_glued(text: &[u8], open: usize) -> bool {
    let rest = text.get(open..).unwrap_or_default();
    rest.windows(2).any(|pair| matches!(pair, [digit, b']'] if digit.is_ascii_digit()))
}

fn name_of(open: &Unclosed) -> &'static str {
    if open.is_brace { "brace" } else { "bracket" }
}

/// Where a text begins that the end of the file ended.
fn unfinished_text(source: &Source, fault: &Fault) -> Option<usize> {
    let start = fault.value_start?;
    matches!(source.text.get(start), Some(b'"' | b'\'' | b'(')).then_some(start)
}

fn fault_span(source: &Source, path: &Path, fault: &Fault) -> Span {
    // Before the end of the line of which the server speaks.
    let before = source.text.get(..fault.at).unwrap_or_default();
    let is_after_line = before.last() == Some(&b'\n');
    let at = if is_after_line || fault.at >= source.text.len() { fault.at.saturating_sub(1) } else { fault.at };
    Span::of_bytes(source, path, at..at + 1)
}

fn variable(source: &Source, path: &Path, name: &str, line: usize) -> Option<Span> {
    let is_it = |value: &[u8]| value.strip_prefix(b"$").is_some_and(|rest| rest == name.as_bytes());
    let mut uses = source.outline.entries.iter().filter(|entry| entry.kind == ValueKind::Variable);
    let of_line = |entry: &&dunlin::config::spans::KeyEntry| {
        source.text.get(entry.value.clone()).is_some_and(is_it) && entry.line <= line
    };
    let entry = uses.rfind(of_line)?;
    Some(Span::of_bytes(source, path, entry.value.clone()))
}

/// The first plain value that is written like this.
fn plain(source: &Source, path: &Path, text: &[u8]) -> Option<Span> {
    let mut plain = source.outline.entries.iter().filter(|entry| entry.kind == ValueKind::Plain);
    let entry = plain.find(|entry| source.text.get(entry.value.clone()) == Some(text))?;
    Some(Span::of_bytes(source, path, entry.value.clone()))
}
