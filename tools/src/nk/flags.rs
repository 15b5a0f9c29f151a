//! The command line of `nk`, as Go programs read one: one dash or two, `-gen user` or `-gen=user`.
//!
//! Owns the names. Decides nothing about what goes together; that is the tool's.

use std::ffi::OsString;
use std::path::PathBuf;

/// Keys tried where `-maxpre` says nothing.
const ATTEMPTS_DEFAULT: u64 = 10_000_000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `-h`
    Help,
    /// `-v`
    Version,
    /// Anything else.
    Run(Box<Flags>),
}

/// The flags as given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) generate: Option<String>,
    pub(super) public_out: bool,
    pub(super) sign: Option<PathBuf>,
    pub(super) verify: Option<PathBuf>,
    pub(super) input_key: Option<PathBuf>,
    pub(super) public_key: Option<PathBuf>,
    pub(super) signature: Option<PathBuf>,
    pub(super) entropy: Option<PathBuf>,
    pub(super) prefix: Option<String>,
    pub(super) prefix_attempts: u64,
}

/// Reads the arguments after the tool's name.
///
/// # Errors
/// A flag that is unknown, lacks its value, or has a wrong one.
pub(super) fn parse(arguments: Vec<OsString>) -> Result<Asked, String> {
    let mut flags = Flags { prefix_attempts: ATTEMPTS_DEFAULT, ..Flags::default() };
    let mut is_version = false;
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let (name, attached) = split(&argument)?;
        let mut value = || attached.clone().or_else(|| rest.next()).ok_or_else(|| format!("-{name} needs a value"));
        match name.as_str() {
            "h" | "help" => return Ok(Asked::Help),
            "v" | "version" => is_version = truth(&name, attached)?,
            "pubout" => flags.public_out = truth(&name, attached)?,
            "gen" => flags.generate = Some(text(value()?)?),
            "sign" => flags.sign = Some(value()?.into()),
            "verify" => flags.verify = Some(value()?.into()),
            "inkey" => flags.input_key = Some(value()?.into()),
            "pubin" => flags.public_key = Some(value()?.into()),
            "sigfile" => flags.signature = Some(value()?.into()),
            "e" => flags.entropy = Some(value()?.into()),
            "pre" => flags.prefix = Some(text(value()?)?),
            "maxpre" => {
                let value = text(value()?)?;
                let attempts = value.parse().map_err(|_| format!("-maxpre {value}: a number of keys to try"))?;
                flags.prefix_attempts = attempts;
            }
            _ => return Err(format!("there is no flag '-{name}'")),
        }
    }
    Ok(if is_version { Asked::Version } else { Asked::Run(Box::new(flags)) })
}

/// The name and what follows a `=`. What is not a flag may be a seed by mistake, so it is not repeated.
fn split(argument: &OsString) -> Result<(String, Option<OsString>), String> {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let bytes = argument.as_bytes();
    let name = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-")).filter(|name| !name.is_empty());
    let Some(name) = name else { return Err("an argument that is no flag: keys and texts are read from files".into()) };
    let mut parts = name.splitn(2, |&byte| byte == b'=');
    let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    Ok((name, parts.next().map(|value| OsString::from_vec(value.to_vec()))))
}

fn text(value: OsString) -> Result<String, String> {
    value.into_string().map_err(|value| format!("'{}' is not text", value.to_string_lossy()))
}

fn truth(name: &str, attached: Option<OsString>) -> Result<bool, String> {
    match attached.map(text).transpose()?.as_deref() {
        None | Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
        Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
        Some(value) => Err(format!("-{name}={value}: true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Asked, String> {
        parse(words.split_whitespace().map(Into::into).collect())
    }

    #[test]
    fn one_dash_and_two_and_equals_are_the_same() {
        let expected = Flags {
            generate: Some("user".into()),
            public_out: true,
            prefix: Some("bob".into()),
            prefix_attempts: 5,
            entropy: Some("f".into()),
            ..Flags::default()
        };
        for words in [
            "-gen user -pubout -pre bob -maxpre 5 -e f",
            "--gen user --pubout --pre bob --maxpre 5 --e f",
            "-gen=user -pubout=true --pre=bob -maxpre=5 -e=f",
        ] {
            let Ok(Asked::Run(flags)) = parsed(words) else { panic!("{words}") };
            assert_eq!(*flags, expected, "{words}");
        }
        let Ok(Asked::Run(flags)) = parsed("-sign a -verify b -inkey c -pubin d -sigfile e") else { panic!("flags") };
        let files = [flags.sign, flags.verify, flags.input_key, flags.public_key, flags.signature];
        assert_eq!(files.map(|file| file.expect("given")), ["a", "b", "c", "d", "e"].map(PathBuf::from));
        assert_eq!((flags.prefix_attempts, flags.public_out), (10_000_000, false));
    }

    #[test]
    fn help_and_version() {
        for words in ["-h", "--help", "-gen user -h"] {
            assert_eq!(parsed(words), Ok(Asked::Help), "{words}");
        }
        for words in ["-v", "--version", "-gen user -v"] {
            assert_eq!(parsed(words), Ok(Asked::Version), "{words}");
        }
        assert!(matches!(parsed("-v=false"), Ok(Asked::Run(_))));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, expected) in [
            ("-nope", "no flag '-nope'"),
            ("-gen", "-gen needs a value"),
            ("-maxpre many", "-maxpre many: a number"),
            ("-maxpre -1", "-maxpre -1: a number"),
            ("-pubout=maybe", "true or false"),
            ("user", "read from files"),
            ("-", "read from files"),
            ("--", "read from files"),
        ] {
            let error = parsed(words).unwrap_err();
            assert!(error.contains(expected), "{words}: {error}");
        }
        assert!(!parsed("SUAG35KQAACA").unwrap_err().contains("SUAG"), "a seed is not repeated");
    }
}
