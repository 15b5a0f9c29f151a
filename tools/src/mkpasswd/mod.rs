//! `dunlinctl mkpasswd`: a password and its bcrypt hash, as `mkpasswd` of nats-server and `nats server passwd` make them.
//!
//! ```text
//! hash.rs    bcrypt in the form that servers read; which costs and lengths there are
//! prompt.rs  a password from a terminal, or from a pipe
//! typed.rs   what the keys of a terminal mean
//! ```
//!
//! Owns the flags and what is printed. A password that was typed is not printed; one that was made here is, once.
//! Invariant: every buffer of ours that holds a password is wiped.

pub(crate) mod hash;
mod prompt;
mod typed;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, ValueExt};
use zeroize::Zeroizing;

use crate::USAGE_ERROR;
use hash::{COST_DEFAULT, PASSWORD_BYTES_MAX};

/// Characters of a password: of one that is made here, and the fewest of one that is typed.
const PASSWORD_CHARS: usize = 22;

/// What passwords are made of. No signs: 131 bits do without them, and these pass through URLs, shells and files unquoted.
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const HELP: &str = "\
Makes a password and its bcrypt hash, for a user or a token in a configuration file.

Usage: dunlinctl mkpasswd [-p] [-c COST]

    -p, --pass            Ask for the password (twice, without showing it) in place of making one;
                          where standard input is no terminal, its first line is the password
    -c, --cost N          The cost of checking it, 4 to 31 (default 11); each step doubles the time of every login
        --min-length N    Take a typed password of so many characters (default 22)
    -h, --help            Show this message

Quote the hash in the file, as a word that begins with '$' can be a variable:

    authorization { user: ann, password: \"$2a$11$...\" }
";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    asks: bool,
    cost: u32,
    min_length: usize,
}

/// Runs the tool.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return finish(say(HELP)),
        Err(error) => {
            eprintln!("dunlinctl mkpasswd: {error}");
            eprintln!("Try 'dunlinctl mkpasswd --help'.");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    finish(make(&options))
}

fn finish(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dunlinctl mkpasswd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None`: help is asked for.
fn parse(arguments: Vec<OsString>) -> Result<Option<Options>, String> {
    let mut options = Options { asks: false, cost: COST_DEFAULT, min_length: PASSWORD_CHARS };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('p') | Long("pass") => options.asks = true,
            Short('c') | Long("cost") => {
                let text = parser.value().and_then(|value| value.string()).map_err(|error| error.to_string())?;
                options.cost = hash::cost(&text)?;
            }
            Long("min-length") => {
                let text = parser.value().and_then(|value| value.string()).map_err(|error| error.to_string())?;
                let length = text.parse().ok().filter(|length| (1..=PASSWORD_BYTES_MAX).contains(length));
                options.min_length =
                    length.ok_or_else(|| format!("--min-length {text}: a number from 1 to {PASSWORD_BYTES_MAX}"))?;
            }
            // A password in the arguments would be seen by everyone on this host.
            lexopt::Arg::Value(_) => {
                return Err("no arguments are taken: -p asks for the password, or reads it from a pipe".into());
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(options))
}

fn make(options: &Options) -> Result<(), String> {
    let password = if options.asks {
        let password = prompt::ask()?;
        check(&password, options.min_length)?;
        password
    } else {
        let password = made().map_err(|error| format!("no randomness: {error}"))?;
        say(&Zeroizing::new(format!("pass: {}\n", String::from_utf8_lossy(&password))))?;
        password
    };
    let hash = hash::hash(&password, options.cost)?;
    say(&format!("bcrypt hash: {hash}\n"))
}

fn check(password: &[u8], min_length: usize) -> Result<(), String> {
    let count = match std::str::from_utf8(password) {
        Ok(text) => text.chars().count(),
        Err(_) => password.len(),
    };
    if count == 0 {
        return Err("the password is empty".into());
    }
    if count < min_length {
        return Err(format!(
            "the password should have at least {min_length} characters; --min-length N takes a shorter one"
        ));
    }
    Ok(())
}

/// A password of [`PASSWORD_CHARS`] characters, each as likely as the others.
fn made() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut password = Zeroizing::new(Vec::with_capacity(PASSWORD_CHARS));
    let mut bytes = Zeroizing::new([0; 64]);
    while password.len() < PASSWORD_CHARS {
        crate::random::fill(&mut *bytes)?;
        // Six bits choose one of 64; the two that the alphabet lacks are drawn again.
        let chosen = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        let missing = PASSWORD_CHARS - password.len();
        password.extend(chosen.take(missing));
    }
    Ok(password)
}

fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| format!("standard output: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Option<Options>, String> {
        parse(words.iter().map(Into::into).collect())
    }

    #[test]
    fn flags_are_those_of_the_original() {
        let expected = |asks, cost, min_length| Ok(Some(Options { asks, cost, min_length }));
        assert_eq!(parsed(&[]), expected(false, 11, 22));
        assert_eq!(parsed(&["-p", "-c", "4"]), expected(true, 4, 22));
        assert_eq!(parsed(&["--pass", "--cost=31", "--min-length", "8"]), expected(true, 31, 8));
        assert_eq!(parsed(&["-pc5"]), expected(true, 5, 22));
        assert_eq!(parsed(&["-p", "--help"]), Ok(None));
    }

    #[test]
    fn what_is_no_cost_or_length_is_refused_with_the_range() {
        for words in [["-c", "3"], ["-c", "32"], ["-c", "-1"], ["-c", "x"], ["--cost", ""]] {
            assert!(parsed(&words).unwrap_err().contains("4 to 31"), "{words:?}");
        }
        for words in [["--min-length", "0"], ["--min-length", "73"]] {
            assert!(parsed(&words).unwrap_err().contains("1 to 72"), "{words:?}");
        }
    }

    #[test]
    fn a_password_in_the_arguments_is_refused_without_repeating_it() {
        let error = parsed(&["-p", "hunter2"]).unwrap_err();
        assert!(error.contains("-p asks") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn short_and_empty_passwords_are_refused() {
        assert!(check(b"", 1).unwrap_err().contains("empty"));
        assert!(check(&[b'a'; 21], 22).unwrap_err().contains("at least 22"));
        assert_eq!(check(&[b'a'; 22], 22), Ok(()));
        assert!(check("ä".repeat(11).as_bytes(), 22).is_err(), "characters count, not bytes");
        assert_eq!(check("ä".repeat(22).as_bytes(), 22), Ok(()));
    }

    #[test]
    fn made_passwords_are_of_the_alphabet_and_differ() {
        let (mut seen, mut all) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for _ in 0..200 {
            let password = made().expect("randomness").to_vec();
            assert_eq!(password.len(), 22);
            seen.extend(password.iter().copied());
            assert!(all.insert(password));
        }
        let alphabet: std::collections::BTreeSet<u8> = ALPHABET.iter().copied().collect();
        assert_eq!(seen, alphabet, "4,400 draws show every character");
    }
}
