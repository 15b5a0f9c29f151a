//! `dunlinctl config hash`: plain passwords and tokens of a configuration file become bcrypt hashes.
//!
//! ```text
//! keys.rs      which keys hold secrets, and where a hash may stand
//! plan.rs      reads the files; what becomes of each secret
//! rewrite.rs   the new text of a file, and the proof that nothing else has changed
//! ```
//!
//! Owns the flags and what is told. Comments, layout and includes stay as they are. Invariant: no secret is printed, nor
//! the text of a file (which may hold one that stays).

mod keys;
mod plan;
mod rewrite;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use self::plan::{Fate, Secret, Source};
use super::replace::{Staged, folder_of};
use crate::USAGE_ERROR;
use crate::mkpasswd::hash::{COST_DEFAULT, cost};

const HELP: &str = "\
Replaces the plain passwords and tokens of a configuration file by bcrypt hashes; comments and layout stay.

Usage: dunlinctl config hash FILE [-o OUT | --in-place] [--cost N]

    -o, --output OUT    Write the new text to OUT (mode 0600 where it is new); files that FILE includes stay as they are
        --in-place      Replace FILE, and the files that it includes
    -c, --cost N        The cost of checking a password, 4 to 31 (default 11); each step doubles the time of every login
    -h, --help          Show this message

With neither -o nor --in-place it tells what it would do. Clients log in with the passwords that they have, so keep these:
a hash does not give them back. What stays plain is named with the reason.
";

/// Where the new text goes.
#[derive(Debug, PartialEq, Eq)]
enum Output {
    /// Nowhere.
    Told,
    /// To this file.
    File(PathBuf),
    /// To where the old one is.
    InPlace,
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    file: PathBuf,
    output: Output,
    cost: u32,
}

/// Runs the command.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("dunlinctl config hash: {error}");
            eprintln!("Try 'dunlinctl config hash --help'.");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match work(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dunlinctl config hash: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None`: help is asked for.
fn parse(arguments: Vec<OsString>) -> Result<Option<Options>, String> {
    let words = |error: lexopt::Error| error.to_string();
    let (mut file, mut out, mut in_place, mut chosen_cost) = (None, None, false, COST_DEFAULT);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(words)? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('o') | Long("output") => out = Some(PathBuf::from(parser.value().map_err(words)?)),
            Long("in-place") => in_place = true,
            Short('c') | Long("cost") => {
                chosen_cost = cost(&parser.value().and_then(|value| value.string()).map_err(words)?)?;
            }
            Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let file = file.ok_or("the configuration file is missing")?;
    let output = match (out, in_place) {
        (Some(_), true) => return Err("-o and --in-place: one of them".into()),
        (Some(out), false) => Output::File(out),
        (None, true) => Output::InPlace,
        (None, false) => Output::Told,
    };
    Ok(Some(Options { file, output, cost: chosen_cost }))
}

fn work(options: &Options) -> Result<(), String> {
    let sources = plan::read(&options.file)?;
    let mut staged = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let target = match &options.output {
            Output::InPlace => source.has_work().then_some(&source.path),
            Output::File(out) => (number == 0).then_some(out),
            Output::Told => None,
        };
        if let Some(target) = target {
            let text = rewrite::rewrite(source, options.cost)?;
            let file = Staged::write(target, &text).map_err(|error| format!("{}: {error}", target.display()))?;
            staged.push((target, file));
        }
    }
    // Everything is written: only names change from here on.
    for (target, file) in staged {
        file.place().map_err(|error| format!("{}: {error}", target.display()))?;
    }
    tell(options, &sources);
    Ok(())
}

impl Source {
    fn has_work(&self) -> bool {
        self.secrets.values().any(|secret| matches!(secret.fate, Fate::Replaced(_)))
    }
}

/// One line for each secret, and a last one.
fn tell(options: &Options, sources: &[Source]) {
    let (mut replaced, mut stay, mut hashes) = (0, 0, 0);
    for (number, source) in sources.iter().enumerate() {
        for Secret { place, name, fate, .. } in source.secrets.values() {
            let what = match (fate, &options.output) {
                (Fate::IsHash, _) => {
                    hashes += 1;
                    continue;
                }
                (Fate::Stays(why), _) => {
                    stay += 1;
                    format!("stays: {why}")
                }
                (Fate::Replaced(_), Output::File(_)) if number > 0 => {
                    stay += 1;
                    "stays: it is in an included file, and -o writes one file; --in-place replaces it there".into()
                }
                (Fate::Replaced(_), Output::Told) => {
                    replaced += 1;
                    "plain".to_owned()
                }
                (Fate::Replaced(_), _) => {
                    replaced += 1;
                    "replaced".to_owned()
                }
            };
            eprintln!("{place}: {name}: {what}");
        }
    }
    if let (Output::File(out), Some(first)) = (&options.output, sources.first())
        && first.includes
        && folder_of(out) != folder_of(&options.file)
    {
        eprintln!("{}: its includes are looked up beside it", out.display());
    }
    let verb = if options.output == Output::Told { "would be replaced" } else { "replaced" };
    eprintln!("{replaced} {verb}, {stay} stay, {hashes} are hashes already");
    if options.output == Output::Told && replaced > 0 {
        eprintln!("Nothing is written: -o OUT writes a new file, --in-place changes the files.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Option<Options>, String> {
        parse(words.split_whitespace().map(Into::into).collect())
    }

    #[test]
    fn flags() {
        let expected = |output, cost| Ok(Some(Options { file: PathBuf::from("a.conf"), output, cost }));
        assert_eq!(parsed("a.conf"), expected(Output::Told, 11));
        assert_eq!(parsed("a.conf --in-place --cost 4"), expected(Output::InPlace, 4));
        assert_eq!(parsed("-o b a.conf -c5"), expected(Output::File("b".into()), 5));
        assert_eq!(parsed("a.conf -h"), Ok(None));
        for (words, error) in [
            ("", "missing"),
            ("a b", "unexpected argument"),
            ("a -o b --in-place", "one of them"),
            ("a --cost 32", "4 to 31"),
            ("a -o", "missing argument"),
        ] {
            assert!(parsed(words).unwrap_err().contains(error), "{words}");
        }
    }
}
