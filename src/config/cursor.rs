//! The cursor of [`Lexer`]: the byte under it, moving on, lines, white space.
//!
//! Knows no grammar. Invariant: `line_start` is the last line end before the cursor, or 0.

use super::lexer::Lexer;
use super::syntax::SyntaxError;

impl<'a> Lexer<'a> {
    /// The bytes since the token's start.
    pub(super) fn taken(&self) -> &'a [u8] {
        self.input.get(self.start..self.at).unwrap_or_default()
    }

    /// The byte under the cursor; 0 at the end of input.
    pub(super) fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn peek_second(&self) -> u8 {
        self.input.get(self.at + 1).copied().unwrap_or(0)
    }

    pub(super) fn bump(&mut self) {
        let Some(&byte) = self.input.get(self.at) else {
            return;
        };
        if byte == b'\n' {
            self.line += 1;
            self.line_start = self.at;
        }
        self.at += 1;
    }

    pub(super) fn skip_to_quote(&mut self, quote: u8, eof: &str) -> Result<(), SyntaxError> {
        while self.peek() != quote {
            if self.peek() == 0 {
                return Err(self.error(eof.into()));
            }
            self.bump();
        }
        Ok(())
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t') {
            self.bump();
        }
    }

    pub(super) fn skip_space_and_lines(&mut self) {
        loop {
            match self.space_here() {
                0 => return,
                bytes => (0..bytes).for_each(|_| self.bump()),
            }
        }
    }

    /// Bytes of the white space character under the cursor, Unicode's included; 0: there is none.
    pub(super) fn space_here(&self) -> usize {
        let rest = self.input.get(self.at..).unwrap_or_default();
        match rest {
            [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, ..] => 1,
            [0xc2..=0xe3, ..] => {
                let head = rest.get(..rest.len().min(3)).unwrap_or_default();
                let first = head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
                first.filter(|c| c.is_whitespace()).map_or(0, char::len_utf8)
            }
            _ => 0,
        }
    }
}
