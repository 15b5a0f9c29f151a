//! Where a value was written, as people look for it: a default, a place in a file, a flag, a variable of the environment.
//!
//! Owns the look at the file that shows whether a variable stands at a place. The value of a variable is not looked at.

use std::fmt;

use dunlin::config::Origin;
use dunlin::config::spans::ValueKind;
use serde::Serialize;

use super::super::excerpt::Sources;

/// Where a value comes from.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Source {
    /// Nobody wrote it.
    Default,
    /// A place in a file.
    File { file: String, line: usize, column: usize },
    /// A variable that a key of the file gives its value.
    Variable { variable: String, file: String, line: usize, column: usize },
    /// A variable of the environment, used in a file.
    Environment { variable: String, file: String, line: usize, column: usize },
    /// A flag.
    Flag { flag: String },
    /// A flag that says where its value stands: `@FILE`, `$VARIABLE`.
    Named { flag: String, source: String },
    /// A program that embeds the server.
    Code,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Variable { variable, file, line, column } => write!(f, "{file}:{line}:{column} (${variable})"),
            Self::Environment { variable, file, line, column } => {
                write!(f, "{file}:{line}:{column} (environment: ${variable})")
            }
            Self::Flag { flag } => write!(f, "flag {flag}"),
            Self::Named { flag, source } => write!(f, "flag {flag} ({source})"),
            Self::Code => f.write_str("program"),
        }
    }
}

/// Where a setting was written.
pub(super) fn of(origin: Option<&Origin>, sources: &mut Sources) -> Source {
    let place = match origin {
        None => return Source::Default,
        Some(Origin::Code) => return Source::Code,
        Some(Origin::Flag(flag)) => return Source::Flag { flag: flag.clone() },
        Some(Origin::Named { flag, source }) => {
            return Source::Named { flag: flag.clone(), source: source.clone() };
        }
        Some(Origin::File(place)) => place,
    };
    let (file, line, column) = (place.file.display().to_string(), place.line, place.column);
    let Some(source) = sources.get(&place.file) else { return Source::File { file, line, column } };
    let bytes = |range: &std::ops::Range<usize>| source.text.get(range.clone()).unwrap_or_default();
    let entry = source.outline.at(place).and_then(|at| source.outline.entries.get(at));
    let name = entry
        .filter(|entry| entry.kind == ValueKind::Variable)
        .and_then(|entry| bytes(&entry.value).strip_prefix(b"$"));
    let Some(name) = name else { return Source::File { file, line, column } };
    // A key of this name gives it its value; else the environment does.
    let is_key = source.outline.entries.iter().any(|entry| bytes(&entry.name) == name);
    let variable = String::from_utf8_lossy(name).into_owned();
    match is_key {
        true => Source::Variable { variable, file, line, column },
        false => Source::Environment { variable, file, line, column },
    }
}
