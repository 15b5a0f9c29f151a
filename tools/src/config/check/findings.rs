//! What the server's own reader says of a file, as findings with their places.
//!
//! Owns the way from a line of the server (`file:line:column: text`) back to its place. Judges nothing: what is an error is
//! the library's to say, and its texts stay as they are.

use std::path::{Path, PathBuf};

use dunlin::cli::{self, CliError};
use dunlin::config::spans::{ValueKind, included};
use dunlin::config::{ConfigError, FileErrors, Origin, Place, RawConfig, Warning, read_file};

use super::super::excerpt::{Source, Sources, Span, printable};
use super::super::secrets::scrubbed;
use super::{grammar, hints};

/// Includes inside includes that are looked through; the server's own bound.
const DEPTH_MAX: usize = 32;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// The server does not start.
    Error,
    /// The server starts; `-t` counts it as an error.
    Complaint,
    /// To know.
    Warning,
}

/// One thing to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// How bad it is.
    pub(super) severity: Severity,
    /// What it is about.
    pub(super) span: Option<Span>,
    /// The server's text, without the place.
    pub(super) message: String,
    /// What was meant, perhaps: a key.
    pub(super) suggestion: Option<String>,
    /// What goes beside the mark.
    pub(super) label: String,
    /// The way out.
    pub(super) hints: Vec<String>,
    /// Where the file of the place is included.
    pub(super) included_at: Option<String>,
}

impl Finding {
    pub(super) fn new(severity: Severity, message: &str) -> Self {
        Self {
            severity,
            span: None,
            message: message.to_owned(),
            suggestion: None,
            label: String::new(),
            hints: Vec::new(),
            included_at: None,
        }
    }
}

/// What a check came to.
#[derive(Debug)]
pub(super) struct Checked {
    /// The file.
    file: PathBuf,
    /// All there is to say.
    pub(super) findings: Vec<Finding>,
    /// The digest, where the file is valid.
    pub(super) digest: Option<String>,
    /// Only single keys were looked at: how they go together is not known before these are right.
    pub(super) is_partial: bool,
}

impl Checked {
    /// Whether `-t` calls the file valid, and the server starts with it.
    pub(super) fn is_valid(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Warning)
    }
}

/// Checks a file under these flags.
pub(super) fn findings(file: &Path, flags: &RawConfig, sources: &mut Sources) -> Checked {
    // The files that it is made of: their names stand in the lines, and their secrets must not.
    let included = look_through(file, sources);
    let mut checked = Checked { file: file.to_owned(), findings: Vec::new(), digest: None, is_partial: false };
    match cli::configuration(Some(file), flags) {
        Ok((config, warnings)) => {
            checked.digest = config.digest;
            checked.warn(&warnings, sources);
        }
        Err(CliError::File(FileErrors::Unparsable(error))) => {
            checked.is_partial = true;
            checked.findings.push(grammar::finding(file, &error, sources));
        }
        Err(CliError::File(FileErrors::Keys(lines))) => {
            checked.is_partial = true;
            for line in &lines {
                let severity =
                    if line.contains(": invalid use of field ") { Severity::Complaint } else { Severity::Error };
                checked.add(severity, line, sources);
            }
        }
        Err(CliError::Settings { warnings, errors }) => {
            checked.warn(&warnings, sources);
            for error in &errors.0 {
                checked.refuse(error, sources);
            }
        }
        Err(CliError::Refused(text) | CliError::Flag(text)) => {
            if let Ok(raw) = read_file(file)
                && let Ok((_, warnings)) = flags.clone().over(raw).resolve()
            {
                checked.warn(&warnings, sources);
            }
            checked.add(Severity::Error, &text, sources);
        }
    }
    let secrets = sources.secrets();
    for finding in &mut checked.findings {
        hints::give(finding, &included, sources);
        finding.message = printable(&scrubbed(&finding.message, &secrets));
        finding.hints.iter_mut().for_each(|hint| *hint = printable(&scrubbed(hint, &secrets)));
        let place = finding.span.as_ref().map(|span| &span.file);
        finding.included_at = place
            .and_then(|path| included.iter().find(|include| include.file == *path))
            .map(|include| include.at.clone());
    }
    checked
}

impl Checked {
    fn warn(&mut self, warnings: &[Warning], sources: &mut Sources) {
        for warning in warnings {
            let severity = match warning {
                Warning::Usage(_) => Severity::Complaint,
                Warning::Notice(_) => Severity::Warning,
            };
            self.add(severity, &warning.to_string(), sources);
        }
    }

    fn refuse(&mut self, error: &ConfigError, sources: &mut Sources) {
        match error {
            ConfigError::NotSupportedYet { origin: Origin::File(_), .. }
            | ConfigError::Refused(_)
            | ConfigError::Fatal(_) => {
                self.add(Severity::Error, &error.to_string(), sources);
            }
            ConfigError::NotSupportedYet { origin, name } => {
                let text = format!("{origin}: \"{name}\" is not supported yet");
                self.findings.push(Finding::new(Severity::Error, &text));
            }
        }
    }

    /// A line of the server, with a place in front or without.
    fn add(&mut self, severity: Severity, line: &str, sources: &mut Sources) {
        let (place, text) = located(line, sources);
        let mut finding = Finding::new(severity, text);
        finding.span = match place {
            Some(place) => sources.get(&place.file).map(|source| Span::of_place(source, &place)),
            None => self.file_and_key(text, sources),
        };
        self.findings.push(finding);
    }
}

impl Checked {
    /// The key at the top of the file that a line without a place speaks of.
    fn file_and_key(&self, text: &str, sources: &mut Sources) -> Option<Span> {
        let plain = |text: &str| text.to_ascii_lowercase().replace('_', " ");
        let text = plain(text);
        let source = sources.get(&self.file)?;
        let entries = source.outline.entries.iter().filter(|entry| entry.parent.is_none());
        let named = entries.filter(|entry| {
            let name = source.text.get(entry.name.clone()).map(String::from_utf8_lossy).unwrap_or_default();
            entry.kind != ValueKind::Include && text.starts_with(&plain(&name))
        });
        let entry = named.max_by_key(|entry| entry.name.len())?;
        Some(Span::of_bytes(source, &self.file, entry.name.clone()))
    }
}

/// The place in front of a line, where it begins with one of a file that is there.
fn located<'l>(line: &'l str, sources: &mut Sources) -> (Option<Place>, &'l str) {
    for (at, _) in line.match_indices(": ") {
        let (Some(head), Some(text)) = (line.get(..at), line.get(at + 2..)) else { continue };
        let mut parts = head.rsplitn(3, ':');
        let (column, number, file) = (parts.next(), parts.next(), parts.next());
        let as_number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
        if let (Some(column), Some(number), Some(file)) = (as_number(column), as_number(number), file)
            && sources.get(Path::new(file)).is_some()
        {
            return (Some(Place { file: Path::new(file).into(), line: number, column }), text);
        }
    }
    (None, line)
}

/// A file that another one includes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Included {
    /// The file.
    pub(super) file: PathBuf,
    /// Where: `file:line`.
    pub(super) at: String,
    /// The keys of the block in which it stands.
    pub(super) prefix: Vec<Vec<u8>>,
}

/// Finds the files that a file includes, each once.
fn look_through(file: &Path, sources: &mut Sources) -> Vec<Included> {
    let mut found: Vec<Included> = Vec::new();
    let mut visits = vec![(file.to_owned(), Vec::new(), 0)];
    while let Some((path, prefix, depth)) = visits.pop() {
        let Some(source) = sources.get(&path) else { continue };
        for include in includes(source, &path, &prefix) {
            let is_new = include.file != file && found.iter().all(|known| known.file != include.file);
            if is_new && depth < DEPTH_MAX {
                visits.push((include.file.clone(), include.prefix.clone(), depth + 1));
                found.push(include);
            }
        }
    }
    found
}

fn includes(source: &Source, path: &Path, prefix: &[Vec<u8>]) -> Vec<Included> {
    let outline = &source.outline;
    let entries = outline.entries.iter().enumerate().filter(|(_, entry)| entry.kind == ValueKind::Include);
    entries
        .map(|(number, entry)| {
            let keys = outline.path(&source.text, number);
            let name = source.text.get(entry.value.clone()).unwrap_or_default();
            Included {
                file: included(path, name),
                at: format!("{}:{}", path.display(), entry.line),
                prefix: prefix.iter().cloned().chain(keys.into_iter().map(<[u8]>::to_vec)).collect(),
            }
        })
        .collect()
}
