//! The command line up to the name of a tool.
//!
//! Decides nothing else: what follows the name is handed on as it came.

use std::ffi::OsString;
use std::fmt;

use lexopt::prelude::{Long, Short, Value};

use crate::tool::Tool;

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Action {
    /// `-h`, `--help`, or nothing at all.
    Help,
    /// `-v`, `--version`.
    Version,
    /// A tool and its arguments.
    Run(&'static Tool, Vec<OsString>),
}

/// Why a command line cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UsageError {
    /// The first word is no tool.
    UnknownTool(String),
    /// A flag before any tool, and not one of ours.
    UnknownFlag(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTool(name) => write!(f, "there is no tool '{name}'"),
            Self::UnknownFlag(text) => f.write_str(text),
        }
    }
}

/// Reads a whole command line, the program's own name included.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString, IntoIter: 'static>,
    tools: &'static [Tool],
) -> Result<Action, UsageError> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    let unknown = |error: lexopt::Error| UsageError::UnknownFlag(error.to_string());
    match parser.next().map_err(unknown)? {
        None | Some(Short('h') | Long("help")) => Ok(Action::Help),
        Some(Short('v') | Long("version")) => Ok(Action::Version),
        Some(Value(name)) => match tools.iter().find(|tool| name.to_str() == Some(tool.name)) {
            Some(tool) => Ok(Action::Run(tool, parser.raw_args().map_err(unknown)?.collect())),
            None => Err(UsageError::UnknownTool(name.to_string_lossy().into_owned())),
        },
        Some(flag) => Err(unknown(flag.unexpected())),
    }
}

/// The text of `--help`.
pub(crate) fn help(tools: &[Tool]) -> String {
    let mut text = String::from("Usage: dunlinctl <tool> [arguments]\n\nTools:\n");
    for tool in tools {
        text.push_str(&format!("    {:<12} {}\n", tool.name, tool.summary));
    }
    if tools.is_empty() {
        text.push_str("    (none yet)\n");
    }
    text.push_str(
        "\nOptions:\n    -h, --help       Show this message, or that of a tool\n    -v, --version    Show version\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::{Action, UsageError, help, parse};
    use crate::tool::Tool;
    use std::process::ExitCode;

    static TOOLS: &[Tool] = &[Tool { name: "echo", summary: "Says nothing", run: |_| ExitCode::SUCCESS }];

    fn parsed(words: &[&str]) -> Result<Action, UsageError> {
        let words: Vec<_> = std::iter::once("dunlinctl").chain(words.iter().copied()).map(Into::into).collect();
        parse(words, TOOLS)
    }

    #[test]
    fn nothing_and_help_are_help() {
        for words in [&[][..], &["-h"], &["--help"]] {
            assert!(matches!(parsed(words), Ok(Action::Help)), "{words:?}");
        }
    }

    #[test]
    fn version_is_version() {
        for words in [&["-v"][..], &["--version"]] {
            assert!(matches!(parsed(words), Ok(Action::Version)), "{words:?}");
        }
    }

    #[test]
    fn what_follows_a_tool_is_its_own() {
        let Ok(Action::Run(tool, arguments)) = parsed(&["echo", "--help", "-x", "--", "y"]) else { panic!("a tool") };
        assert_eq!(tool.name, "echo");
        assert_eq!(arguments, ["--help", "-x", "--", "y"]);
    }

    #[test]
    fn what_is_unknown_is_named() {
        assert_eq!(parsed(&["ehco"]).unwrap_err().to_string(), "there is no tool 'ehco'");
        assert!(parsed(&["--no-such"]).unwrap_err().to_string().contains("--no-such"));
    }

    #[test]
    fn help_names_every_tool() {
        assert!(help(TOOLS).contains("echo         Says nothing"));
    }
}
