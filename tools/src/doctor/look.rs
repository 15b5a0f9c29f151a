//! Files of `/proc` and `/sys`, under a root that a test can choose.
//!
//! Decides nothing. What cannot be read says why: [`Known`]. No file makes this allocate without bound.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Bytes of a file that are looked at: `/proc/interrupts` of the largest hosts is a few megabytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What a file says, or why it says nothing.
pub(crate) type Known<T> = Result<T, Unseen>;

/// Why something cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unseen(pub(crate) String);

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where to look, and at which process.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    folder: PathBuf,
    process: String,
}

impl Root {
    /// `process`: that of the running server, or this one.
    pub(crate) fn new(folder: &Path, process: Option<u32>) -> Self {
        Self { folder: folder.to_owned(), process: process.map_or("self".into(), |pid| pid.to_string()) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process as `/proc` names it.
    pub(crate) fn process(&self) -> &str {
        &self.process
    }

    /// A path below the folder of the process.
    pub(crate) fn of_process(&self, path: &str) -> String {
        format!("proc/{}/{path}", self.process)
    }

    /// The text of a file, without white space around it. Paths are relative to the root.
    pub(crate) fn text(&self, path: &str) -> Known<String> {
        let mut bytes = Vec::new();
        File::open(self.folder.join(path))
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(|error| unseen(path, &error))?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// A file that holds one number.
    pub(crate) fn number(&self, path: &str) -> Known<u64> {
        let text = self.text(path)?;
        text.parse().map_err(|_| odd(path))
    }

    /// A file that holds numbers, separated by white space; at least so many.
    pub(crate) fn numbers(&self, path: &str, at_least: usize) -> Known<Vec<u64>> {
        let text = self.text(path)?;
        let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
        numbers.ok().filter(|numbers| numbers.len() >= at_least).ok_or_else(|| odd(path))
    }

    /// The names in a folder, ascending.
    pub(crate) fn names(&self, path: &str) -> Known<Vec<String>> {
        let entries = fs::read_dir(self.folder.join(path)).map_err(|error| unseen(path, &error))?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.folder.join(path).exists()
    }

    /// Where a link leads to, all links on the way resolved.
    pub(crate) fn target(&self, path: &str) -> Known<PathBuf> {
        fs::canonicalize(self.folder.join(path)).map_err(|error| unseen(path, &error))
    }
}

/// The value behind a name in a file of `name: value` lines, such as `status`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':')).map(str::trim)
}

/// A file has not the form that it should have.
pub(crate) fn odd(path: &str) -> Unseen {
    Unseen(format!("/{path} has an unexpected form"))
}

fn unseen(path: &str, error: &io::Error) -> Unseen {
    let reason = match error.kind() {
        ErrorKind::NotFound => "is not here".to_owned(),
        ErrorKind::PermissionDenied => "may not be read".to_owned(),
        _ => format!("cannot be read ({error})"),
    };
    Unseen(format!("/{path} {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fake::Fake;

    #[test]
    fn what_is_not_there_or_odd_says_so() {
        let fake = Fake::new();
        fake.write("proc/number", " 42\n").write("proc/words", "a b\n").write("proc/pair", "1\t2\n");
        let root = Root::new(fake.path(), None);
        assert_eq!(root.number("proc/number"), Ok(42));
        assert_eq!(root.numbers("proc/pair", 2), Ok(vec![1, 2]));
        for (outcome, text) in [
            (root.number("proc/words"), "/proc/words has an unexpected form"),
            (root.number("proc/none"), "/proc/none is not here"),
            (root.numbers("proc/pair", 3).map(|_| 0), "/proc/pair has an unexpected form"),
            (root.names("proc/none").map(|_| 0), "/proc/none is not here"),
        ] {
            assert_eq!(outcome.unwrap_err().to_string(), text);
        }
        assert!(root.text("proc").unwrap_err().to_string().starts_with("/proc cannot be read"));
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status = "Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\n";
        assert_eq!(field(status, "Cpus_allowed_list"), Some("0-1"));
        assert_eq!(field(status, "Cpus_allowed"), Some("3"));
        assert_eq!(field(status, "Cpus"), None);
    }
}
