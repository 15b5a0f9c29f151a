//! How flags and their values are written: one dash or two, the value after `=` or a blank.
//!
//! Owns the syntax and its messages, which are the peer's. What the flags are is in `flags`.

use super::flags::{self, Flag, Takes};
use super::named;
use crate::config::own_flags::{self, Kind};
use crate::config::{Origin, RawConfig, Refusal, Written};
use crate::secret::Secret;
use std::ffi::OsString;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What is wrong with a flag: a line for standard error.
#[derive(Debug)]
pub(super) struct BadFlag(pub(super) String);

/// What was asked for, before any of it is done.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) flags: RawConfig,
    pub(super) config_file: Option<PathBuf>,
    pub(super) test: bool,
    pub(super) signal: Option<String>,
    pub(super) help: bool,
    pub(super) help_tls: bool,
    pub(super) version: bool,
    /// What is left after the flags.
    pub(super) words: Vec<String>,
}

/// Reads all flags up to the first word, `-` or `--`.
pub(super) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Asked, BadFlag> {
    let mut asked = Asked::default();
    let as_text =
        |argument: OsString| argument.into_string().unwrap_or_else(|bytes| bytes.to_string_lossy().into_owned());
    let mut arguments = arguments.map(as_text).peekable();
    while let Some(argument) = arguments.next_if(|argument| argument.len() > 1 && argument.starts_with('-')) {
        if argument == "--" {
            break;
        }
        let argument = Zeroizing::new(argument);
        let (name, value) = split(&argument)?;
        let Some(flag) = flags::find(name) else {
            return Err(BadFlag(format!("flag provided but not defined: -{name}")));
        };
        // These copies are wiped: a value may be a secret.
        let value = Zeroizing::new(match value {
            Some(value) => value.to_owned(),
            None if flag.is_switch() => "true".to_owned(),
            None => arguments.next().ok_or_else(|| BadFlag(format!("flag needs an argument: -{name}")))?,
        });
        asked.set(&flag, name, &argument, &value)?;
    }
    asked.words = arguments.collect();
    Ok(asked)
}

/// Name and value of `-name`, `--name`, `-name=value`.
fn split(argument: &str) -> Result<(&str, Option<&str>), BadFlag> {
    let body = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')).unwrap_or_default();
    if body.is_empty() || body.starts_with(['-', '=']) {
        // What stands behind the name may be a secret all the same.
        let name = argument.split('=').next().unwrap_or_default();
        let shown = if name.trim_matches('-').is_empty() { argument } else { name };
        return Err(BadFlag(format!("bad flag syntax: {shown}")));
    }
    Ok(body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value))))
}

impl Asked {
    fn set(&mut self, flag: &Flag, name: &str, argument: &str, text: &str) -> Result<(), BadFlag> {
        let written = argument.split('=').next().unwrap_or(argument).to_owned();
        let origin = match flag.may_be_named() && named::is_elsewhere(text) {
            true => Origin::Named { flag: written.clone(), source: text.to_owned() },
            false => Origin::Flag(written.clone()),
        };
        let raw = &mut self.flags;
        match flag.takes {
            Takes::Switch(slot) => *slot(raw) = Some(Written { value: boolean(name, text)?, origin }),
            Takes::Int(slot) => *slot(raw) = Some(Written { value: integer(name, text)?, origin }),
            Takes::Text(slot) => *slot(raw) = Some(Written { value: text.to_owned(), origin }),
            Takes::Login(slot) => {
                let value =
                    named::text(text).map_err(|why| BadFlag(format!("invalid value for flag -{name}: {why}")))?;
                *slot(raw) = Some(Written { value, origin });
            }
            Takes::Secret(slot) => {
                let value =
                    named::text(text).map_err(|why| BadFlag(format!("invalid value for flag -{name}: {why}")))?;
                *slot(raw) = Some(Written { value: Secret::new(value), origin });
            }
            Takes::Levels { debug, trace, verbose } => {
                let value = boolean(name, text)?;
                let written = || Some(Written { value, origin: origin.clone() });
                for (is_set, slot) in
                    [(debug, &mut raw.debug), (trace, &mut raw.trace), (verbose, &mut raw.trace_verbose)]
                {
                    if is_set {
                        *slot = written();
                    }
                }
            }
            Takes::Config => self.config_file = Some(PathBuf::from(text)).filter(|_| !text.is_empty()),
            Takes::Signal => self.signal = Some(text.to_owned()),
            Takes::Test => self.test = boolean(name, text)?,
            Takes::Help => self.help = boolean(name, text)?,
            Takes::HelpTls => self.help_tls = boolean(name, text)?,
            Takes::Version => self.version = boolean(name, text)?,
            Takes::LaterSwitch if !boolean(name, text)? => {}
            Takes::LaterInt if integer(name, text)? == 0 => {}
            Takes::LaterText if text.is_empty() => {}
            Takes::LaterSwitch | Takes::LaterInt | Takes::LaterText => {
                raw.refused.push(Refusal { origin, name: written })
            }
            Takes::Own(own) => match own.kind {
                Kind::Switch(slot) => *slot(raw) = Some(Written { value: boolean(name, text)?, origin }),
                Kind::Secret(slot) => {
                    let value =
                        named::text(text).map_err(|why| BadFlag(format!("invalid value for flag -{name}: {why}")))?;
                    *slot(raw) = Some(Written { value: Secret::new(value), origin });
                }
                _ => own_flags::write(own, text, origin, raw).map_err(|why| invalid(name, text, &why))?,
            },
        }
        Ok(())
    }
}

fn invalid(name: &str, text: &str, why: &str) -> BadFlag {
    BadFlag(format!("invalid value {text:?} for flag -{name}: {why}"))
}

fn boolean(name: &str, text: &str) -> Result<bool, BadFlag> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(BadFlag(format!("invalid boolean value {text:?} for -{name}: parse error"))),
    }
}

/// A whole number as the peer reads it: `0x`, `0o`, `0b` and a leading 0 choose the base, `_` may stand between digits.
fn integer(name: &str, text: &str) -> Result<i64, BadFlag> {
    let parse_error = || invalid(name, text, "parse error");
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", text.get(1..).unwrap_or_default()),
        Some(b'+') => ("", text.get(1..).unwrap_or_default()),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, lower.get(2..)),
        [b'0', b'o', ..] => (8, lower.get(2..)),
        [b'0', b'b', ..] => (2, lower.get(2..)),
        [b'0', _, ..] => (8, lower.get(1..)),
        _ => (10, lower.get(..)),
    };
    let body = body.unwrap_or_default();
    // After a prefix, the first digit may follow a `_`.
    let spaced = if radix == 10 { body } else { body.strip_prefix('_').unwrap_or(body) };
    let is_spaced_well = !spaced.starts_with('_') && !spaced.ends_with('_') && !spaced.contains("__");
    let plain: String = spaced.chars().filter(|&c| c != '_').collect();
    if plain.is_empty() || !is_spaced_well || !plain.chars().all(|c| c.is_digit(radix)) {
        return Err(parse_error());
    }
    i64::from_str_radix(&format!("{sign}{plain}"), radix).map_err(|_| invalid(name, text, "value out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Result<Asked, String> {
        read(arguments.iter().map(OsString::from)).map_err(|bad| bad.0)
    }

    #[test]
    fn flags_are_read_in_every_spelling() {
        for arguments in
            [&["-p", "5"][..], &["--p", "5"], &["-p=5"], &["--port=5"], &["-port", "5"], &["-p", "1", "-p", "0x5"]]
        {
            let port = asked(arguments).expect("a right flag").flags.port.expect("a port");
            assert_eq!(port.value, 5, "{arguments:?}");
        }
    }

    #[test]
    fn wrong_flags_have_the_peers_messages() {
        for (arguments, expected) in [
            (&["-p"][..], "flag needs an argument: -p"),
            (&["--config"], "flag needs an argument: -config"),
            (&["-p", "abc"], "invalid value \"abc\" for flag -p: parse error"),
            (&["-p", ""], "invalid value \"\" for flag -p: parse error"),
            (&["-p", "99999999999999999999"], "invalid value \"99999999999999999999\" for flag -p: value out of range"),
            (&["-DV=maybe"], "invalid boolean value \"maybe\" for -DV: parse error"),
            (&["--no_advertise=x"], "invalid boolean value \"x\" for -no_advertise: parse error"),
            (&["--no-such-flag"], "flag provided but not defined: -no-such-flag"),
            (&["-no=5"], "flag provided but not defined: -no"),
            (&["---p"], "bad flag syntax: ---p"),
            (&["-=5"], "bad flag syntax: -=5"),
            (&["---pass=secret"], "bad flag syntax: ---pass"),
            (&["-m", "x"], "invalid value \"x\" for flag -m: parse error"),
            (&["--cores", "64"], "invalid value \"64\" for flag -cores: must be from 1 to 63 cores"),
        ] {
            assert_eq!(asked(arguments).expect_err("a wrong flag"), expected);
        }
    }

    #[test]
    fn numbers_have_the_peers_bases() {
        for (text, expected) in [
            ("0x10", Some(16)),
            ("-0X10", Some(-16)),
            ("010", Some(8)),
            ("0b11", Some(3)),
            ("0o7", Some(7)),
            ("1_0", Some(10)),
            ("0x_f", Some(15)),
            ("0", Some(0)),
            ("+5", Some(5)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("_1", None),
            ("1_", None),
            ("1__0", None),
            ("08", None),
            ("1k", None),
            ("-", None),
            ("--1", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(integer("p", text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn words_end_the_flags() {
        let asked = asked(&["-D", "false", "-V"]).expect("right flags");
        assert_eq!(asked.words, ["false", "-V"]);
        assert!(asked.flags.trace.is_none());
    }
}
