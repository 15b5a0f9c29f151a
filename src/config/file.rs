//! Configuration files in the syntax of `nats.conf`.
//!
//! Owns the way from a path to a tree of values: reading, bounds on what is read, the environment. The grammar is in
//! `lexer` (what is a token), `scalars` (single values) and `parser` (blocks, variables, includes).
//! What the values mean is `keys`' and `apply`'s.

use super::parser::{ParseError, Sources, parse_file};
use super::value::Map;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Reads the file at `path`, what it includes, and the variables of this process's environment that it uses.
///
/// # Errors
/// The first thing that is wrong, in the peer's words.
pub fn load(path: &Path) -> Result<Map, ParseError> {
    parse_file(path, &ThisMachine)
}

/// Reads a configuration as if the file at `path` held `text`; includes and variables are this machine's.
///
/// # Errors
/// The first thing that is wrong, in the peer's words.
pub fn load_as(path: &Path, text: &[u8]) -> Result<Map, ParseError> {
    parse_file(path, &InPlaceOf { path, text })
}

/// Reads a configuration from memory, under the name `name`; includes and variables find nothing.
///
/// # Errors
/// The first thing that is wrong, in the peer's words.
pub fn parse_text_as(name: &Path, text: &[u8]) -> Result<Map, ParseError> {
    parse_file(name, &InMemory { files: &[(name, text)], variables: &[] })
}

/// Reads a configuration from memory; includes and variables find nothing.
///
/// # Errors
/// The first thing that is wrong, in the peer's words.
pub fn parse_text(text: &[u8]) -> Result<Map, ParseError> {
    parse_text_as(Path::new("x.conf"), text)
}

/// Reads a configuration whose files and variables are all in memory.
///
/// # Errors
/// The first thing that is wrong, in the peer's words.
pub fn parse_sources(name: &Path, sources: &InMemory<'_>) -> Result<Map, ParseError> {
    parse_file(name, sources)
}

/// A file of at most `bytes_max` bytes; the failure as the peer words it.
pub(super) fn read_whole(path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("open {name}: {}", reason(&error)))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| format!("read {name}: {}", reason(&error)))?;
    if bytes.len() > bytes_max {
        return Err(format!("read {name}: the file is too large"));
    }
    Ok(bytes)
}

/// The files and the environment of this process.
struct ThisMachine;

impl Sources for ThisMachine {
    fn read_file(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
        read_whole(path, bytes_max)
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        use std::os::unix::ffi::{OsStrExt as _, OsStringExt};
        let name = std::ffi::OsStr::from_bytes(name);
        // Names that the environment cannot hold.
        if name.is_empty() || name.as_bytes().iter().any(|byte| matches!(byte, b'=' | 0)) {
            return None;
        }
        std::env::var_os(name).map(OsStringExt::into_vec)
    }
}

/// The same, but for one file.
struct InPlaceOf<'a> {
    path: &'a Path,
    text: &'a [u8],
}

impl Sources for InPlaceOf<'_> {
    fn read_file(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
        match path == self.path && self.text.len() <= bytes_max {
            true => Ok(self.text.to_vec()),
            false => ThisMachine.read_file(path, bytes_max),
        }
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        ThisMachine.variable(name)
    }
}

/// Files and variables held in memory: for tests, fuzzing and embedding.
#[derive(Debug)]
pub struct InMemory<'a> {
    /// Paths and contents.
    pub files: &'a [(&'a Path, &'a [u8])],
    /// Names and values.
    pub variables: &'a [(&'a [u8], &'a [u8])],
}

impl Sources for InMemory<'_> {
    fn read_file(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
        let found = self.files.iter().find(|(name, _)| *name == path);
        match found {
            Some((_, bytes)) if bytes.len() <= bytes_max => Ok(bytes.to_vec()),
            Some(_) => Err(format!("read {}: the file is too large", path.display())),
            None => Err(format!("open {}: no such file or directory", path.display())),
        }
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_vec())
    }
}

/// The system's reason as the peer writes it: lower case, no number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}
