//! A configuration file from path to settings, and everything that is wrong with it.
//!
//! Owns the form in which the errors of a file are told. Parses nothing itself.

use super::apply::{Applied, apply};
use super::parser::ParseError;
use super::raw::{RawConfig, Warning};
use super::value::Map;
use super::{digest, file};
use std::fmt;
use std::path::Path;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileErrors {
    /// It cannot be read or is not in the grammar: the first thing that is wrong.
    Unparsable(ParseError),
    /// Keys or values that are not allowed: all of them, with their places.
    Keys(Vec<String>),
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unparsable(error) => error.fmt(f),
            // The peer ends each line.
            Self::Keys(lines) => lines.iter().try_for_each(|line| writeln!(f, "{line}")),
        }
    }
}

impl std::error::Error for FileErrors {}

/// Reads a configuration file.
///
/// # Errors
/// All that is wrong with its keys, or the first thing that is wrong with its grammar.
pub fn read_file(path: &Path) -> Result<RawConfig, FileErrors> {
    settings(path, &file::load(path).map_err(FileErrors::Unparsable)?)
}

/// Reads a configuration from memory; `name` stands for the file in messages.
///
/// # Errors
/// As [`read_file`].
pub fn read_text(name: &Path, text: &[u8]) -> Result<RawConfig, FileErrors> {
    settings(name, &file::parse_text_as(name, text).map_err(FileErrors::Unparsable)?)
}

/// Reads a configuration whose files and variables are all in memory; `name` is the one to begin with.
///
/// # Errors
/// As [`read_file`].
pub fn read_sources(name: &Path, sources: &file::InMemory<'_>) -> Result<RawConfig, FileErrors> {
    settings(name, &file::parse_sources(name, sources).map_err(FileErrors::Unparsable)?)
}

fn settings(path: &Path, map: &Map) -> Result<RawConfig, FileErrors> {
    let Applied { mut raw, errors, .. } = apply(map);
    if !errors.0.is_empty() {
        let usage = raw.warnings.iter().filter_map(|warning| match warning {
            Warning::Usage(text) => Some(text.clone()),
            Warning::Notice(_) => None,
        });
        return Err(FileErrors::Keys(usage.chain(errors.0).collect()));
    }
    if map.is_empty() {
        raw.warnings.push(Warning::Usage(format!("{}: config has no values or is empty", path.display())));
    }
    raw.source = Some(path.to_owned());
    raw.digest = Some(digest::digest(map));
    Ok(raw)
}
