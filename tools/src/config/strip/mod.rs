//! `dunlinctl config strip`: the same file without what only this server takes, for nats-server.
//!
//! ```text
//! cut.rs       which bytes of a file go
//! inline.rs    included files in the place of their includes
//! ```
//!
//! Owns the flags, where the text goes and what is told. Everything else stays byte for byte. Invariant: what is written
//! means what the file means, but for what was left out; where that cannot be had, nothing is written.

mod cut;
mod inline;

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dunlin::config::spans_digest::digest_without;
use lexopt::prelude::{Long, Short, Value};
use zeroize::Zeroizing;

use self::cut::Stripped;
use super::replace::{Staged, folder_of};
use crate::USAGE_ERROR;
use crate::tool::say;

const HELP: &str = "\
Writes a configuration file without what only this server takes (the block dunlin { }), so that nats-server takes it.
Everything else stays as it is, comments and blanks too.

Usage: dunlinctl config strip FILE [-o OUT] [--inline]

    -o, --output OUT    Write to OUT (mode 0600 where it is new) and not to standard output
        --inline        Put the text of included files in the place of the includes
    -h, --help          Show this message

Without --inline, included files that hold such a block are named: strip them too.
";

/// The server's own bound on what it reads.
const BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, PartialEq, Eq)]
struct Options {
    file: PathBuf,
    output: Option<PathBuf>,
    inline: bool,
}

/// Runs the command.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("dunlinctl config strip: {error}");
            eprintln!("Try 'dunlinctl config strip --help'.");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match work(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dunlinctl config strip: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None`: help is asked for.
fn parse(arguments: Vec<OsString>) -> Result<Option<Options>, String> {
    let words = |error: lexopt::Error| error.to_string();
    let (mut file, mut output, mut inline) = (None, None, false);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(words)? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('o') | Long("output") => output = Some(PathBuf::from(parser.value().map_err(words)?)),
            Long("inline") => inline = true,
            Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let file: PathBuf = file.ok_or("the configuration file is missing")?;
    let same = |path: &PathBuf| path.canonicalize().ok().is_some_and(|path| file.canonicalize().ok() == Some(path));
    if output.as_ref().is_some_and(same) {
        return Err("-o names the file itself, which would lose its block: name another file".into());
    }
    Ok(Some(Options { file, output, inline }))
}

fn work(options: &Options) -> Result<(), String> {
    let text = read(&options.file)?;
    let stripped =
        if options.inline { inline::inlined(&options.file, &text)? } else { cut::strip(&options.file, &text)? };
    compare(&options.file, &text, &stripped)?;
    tell(options, &stripped);
    match &options.output {
        Some(out) => {
            let placed = Staged::write(out, &stripped.text).and_then(Staged::place);
            placed.map_err(|error| format!("{}: {error}", out.display()))
        }
        None => {
            // Whoever has closed the pipe does not want to read on.
            let _closed = std::io::stdout().lock().write_all(&stripped.text);
            Ok(())
        }
    }
}

/// A file as it is.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = Zeroizing::new(Vec::new());
    File::open(path).map_err(failed)?.take(BYTES_MAX + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(format!("{}: the file is too large", path.display()));
    }
    Ok(text)
}

/// Reads both texts as the server does: the new one has to mean what the old one means.
fn compare(path: &Path, before: &[u8], stripped: &Stripped) -> Result<(), String> {
    let name = path.display();
    let Ok(old) = digest_without(path, before, &stripped.left_out) else {
        eprintln!(
            "{name}: not read again to compare, as it cannot be read here ('dunlinctl config check {name}' says why)"
        );
        return Ok(());
    };
    let new = digest_without(path, &stripped.text, &stripped.left_out);
    match new {
        Ok(new) if new == old => Ok(()),
        Ok(_) | Err(_) => Err(format!(
            "{name}: without the block it would mean something else, so nothing is written: take the block out by hand, \
             and variables that reach into it"
        )),
    }
}

fn tell(options: &Options, stripped: &Stripped) {
    for note in &stripped.notes {
        eprintln!("{note}");
    }
    if stripped.notes.is_empty() {
        eprintln!("{}: there is nothing to leave out", options.file.display());
    }
    if let Some(out) = &options.output
        && stripped.has_includes
        && folder_of(out) != folder_of(&options.file)
    {
        eprintln!("{}: its includes are looked up beside it", out.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let parsed = |words: &str| parse(words.split_whitespace().map(Into::into).collect());
        let options = |output: Option<&str>, inline| {
            Ok(Some(Options { file: "a".into(), output: output.map(PathBuf::from), inline }))
        };
        assert_eq!(parsed("a"), options(None, false));
        assert_eq!(parsed("-o b --inline a"), options(Some("b"), true));
        assert_eq!(parsed("a --help"), Ok(None));
        for words in ["", "a b", "a -o", "a --frob"] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }
}
