//! What is wrong with the grammar of a file, in the peer's words.
//!
//! Owns the error and how a character is shown in it. Decides nothing.

use std::fmt;

/// The first place where a file is not in the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// The peer's text.
    pub text: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parse error on line {}: '{}'", self.line, self.text)
    }
}

/// The character at `at` as messages show it: itself, except that a new line is `\n` and the end of file a byte 0.
pub(super) fn shown(input: &[u8], at: usize) -> String {
    match input.get(at..).and_then(|rest| rest.utf8_chunks().next()) {
        None => "\0".into(),
        Some(chunk) => match chunk.valid().chars().next() {
            Some('\n') => "\\n".into(),
            Some(c) => c.into(),
            None => char::REPLACEMENT_CHARACTER.into(),
        },
    }
}
