//! Whether and how lines are coloured.
//!
//! Colours are for people: on a terminal, unless `NO_COLOR` is set or the terminal is dumb.

use std::io::IsTerminal as _;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Something is wrong.
    Error,
    /// Something to know.
    Warning,
    /// All is well.
    Good,
    /// What stands beside the matter: places, line numbers.
    Frame,
    /// What matters most of a line.
    Strong,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// As the standard output and the environment have it.
    pub(super) fn of_stdout() -> Self {
        Self::of(std::io::stdout().is_terminal())
    }

    /// The same, for standard error.
    pub(super) fn of_stderr() -> Self {
        Self::of(std::io::stderr().is_terminal())
    }

    fn of(is_terminal: bool) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { is_on: is_terminal && !is_set("NO_COLOR") && !is_dumb }
    }

    /// No colours.
    #[cfg(test)]
    pub(super) const NONE: Self = Self { is_on: false };

    /// The text in the colour of its role.
    pub(super) fn paint(self, role: Role, text: &str) -> String {
        if !self.is_on || text.is_empty() {
            return text.to_owned();
        }
        let code = match role {
            Role::Error => "1;31",
            Role::Warning => "1;33",
            Role::Good => "1;32",
            Role::Frame => "1;34",
            Role::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
