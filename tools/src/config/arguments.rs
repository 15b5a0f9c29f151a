//! The command line of what reads a configuration as the server does: a file, the flags of the server, and a few of ours.
//!
//! Owns which words are ours. What the others mean is the server's.

use std::ffi::OsString;
use std::path::PathBuf;

use dunlin::cli;
use dunlin::config::RawConfig;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Arguments {
    /// The files, in order.
    pub(super) files: Vec<PathBuf>,
    /// The server's flags.
    pub(super) flags: RawConfig,
    /// `--json`.
    pub(super) json: bool,
    /// `--all`.
    pub(super) all: bool,
    /// Words that are left: what to look for.
    pub(super) words: Vec<String>,
}

/// What a subcommand takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// How many files.
    pub(super) files: usize,
    /// `--all` is one of its flags.
    pub(super) all: bool,
    /// Words may follow the files.
    pub(super) words: bool,
}

/// `None`: help is asked for.
pub(super) fn parse(arguments: Vec<OsString>, wanted: Wanted) -> Result<Option<Arguments>, String> {
    let mut parsed =
        Arguments { files: Vec::new(), flags: RawConfig::default(), json: false, all: false, words: Vec::new() };
    let mut rest = Vec::new();
    for argument in arguments {
        match argument.to_str() {
            Some("-h" | "--help") => return Ok(None),
            Some("--json") => parsed.json = true,
            Some("--all") if wanted.all => parsed.all = true,
            // The files come first; the first flag ends them.
            Some(word) if word.starts_with('-') && word.len() > 1 => rest.push(argument),
            _ if !rest.is_empty() => rest.push(argument),
            _ if parsed.files.len() < wanted.files => parsed.files.push(PathBuf::from(argument)),
            _ if wanted.words => parsed.words.push(argument.to_string_lossy().into_owned()),
            _ => return Err(format!("unexpected argument {argument:?}")),
        }
    }
    let (flags, named) = cli::flags(rest).map_err(|error| error.to_string())?;
    parsed.flags = flags;
    if parsed.files.len() < wanted.files {
        parsed.files.extend(named);
    } else if named.is_some() {
        return Err("-c names a file where there is one already".into());
    }
    if parsed.files.len() < wanted.files {
        return Err("the configuration file is missing".into());
    }
    Ok(Some(parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Option<Arguments>, String> {
        let wanted = Wanted { files: 1, all: false, words: true };
        parse(words.split_whitespace().map(Into::into).collect(), wanted)
    }

    #[test]
    fn files_words_and_flags() {
        let arguments = parsed("a.conf max_payload -p 5 --json").expect("right").expect("no help");
        assert_eq!(
            (arguments.files[0].to_str(), arguments.words.join(" ")),
            (Some("a.conf"), "max_payload".to_owned())
        );
        assert_eq!((arguments.flags.port.map(|port| port.value), arguments.json), (Some(5), true));
        assert_eq!(parsed("-c b.conf -D").expect("right").expect("no help").files, [PathBuf::from("b.conf")]);
        assert!(parsed("a.conf -h").expect("right").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, expected) in [
            ("", "file is missing"),
            ("-p 5", "file is missing"),
            ("a --all", "flag provided but not defined: -all"),
            ("a -p", "flag needs an argument"),
            ("a -c b", "one already"),
            ("a -p 5 b", "unexpected word"),
            ("a -t", "server alone"),
        ] {
            assert!(parsed(words).expect_err("wrong").contains(expected), "{words}");
        }
    }
}
