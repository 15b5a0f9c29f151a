//! Tokens of single values: quoted, bare and block text, numbers, dates.
//!
//! The other half of [`Lexer`]: `lexer` decides that a value starts here, this file says where it ends and what it is.
//! Never looks past the end of the value, except for the character that ends it.

use super::lexer::{Lexer, Token, TokenKind};
use super::syntax::{SyntaxError, shown};

/// A date: 0 is any digit, the rest is meant.
const DATE_FORM: &[u8] = b"0000-00-00T00:00:00Z";

impl Lexer<'_> {
    /// `( … )`: up to a `)` at the start of a line and followed by its end.
    pub(super) fn block_text(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        self.begin();
        loop {
            match self.peek() {
                0 => return Err(self.error("Unexpected EOF processing block.".into())),
                b'\n' if self.peek_second() == b')' => {
                    self.bump();
                    match self.peek_second() {
                        b'\n' => {
                            let token = self.token(TokenKind::Text(self.taken().to_vec()));
                            self.bump();
                            return Ok(token);
                        }
                        0 => {
                            // At the end of the file the parenthesis stays in the text.
                            self.bump();
                            return Ok(self.token(TokenKind::Text(self.taken().to_vec())));
                        }
                        _ => {}
                    }
                }
                _ => self.bump(),
            }
        }
    }

    /// `'…'`: no escapes.
    pub(super) fn single_quoted(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        self.begin();
        while self.peek() != b'\'' {
            if self.peek() == 0 {
                return Err(self.error("Unexpected EOF.".into()));
            }
            self.bump();
        }
        let token = self.token(TokenKind::Text(self.taken().to_vec()));
        self.bump();
        Ok(token)
    }

    /// `"…"` with escapes.
    pub(super) fn double_quoted(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        self.begin();
        let mut text = Vec::new();
        loop {
            match self.peek() {
                0 => return Err(self.error("Unexpected EOF.".into())),
                b'"' => break,
                b'\\' => text.push(self.escape()?),
                byte => {
                    text.push(byte);
                    self.bump();
                }
            }
        }
        let token = self.token(TokenKind::Text(text));
        self.bump();
        Ok(token)
    }

    /// A word: text, a truth value or a variable. What was read since the token's start already belongs to it.
    pub(super) fn bare_text(&mut self) -> Result<Token, SyntaxError> {
        let mut text = self.taken().to_vec();
        let mut has_escape = false;
        loop {
            match self.peek() {
                0 | b'\n' | b'\r' | b' ' | b'\t' | b',' | b';' | b'}' | b']' | b'\'' => break,
                b'\\' => {
                    has_escape = true;
                    text.push(self.escape()?);
                }
                byte => {
                    text.push(byte);
                    self.bump();
                }
            }
        }
        if self.peek() == b'\'' {
            // A quote ends a word, is swallowed, and makes it plain text.
            let token = self.token(TokenKind::Text(text));
            self.bump();
            return Ok(token);
        }
        Ok(self.token(if has_escape { TokenKind::Text(text) } else { word(text) }))
    }

    /// The character of an escape; the cursor is on the backslash.
    fn escape(&mut self) -> Result<u8, SyntaxError> {
        self.bump();
        let byte = match self.peek() {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'"' => b'"',
            b'\\' => b'\\',
            b'x' => return self.hex_escape(),
            _ => {
                let got = shown(self.input, self.at);
                self.bump();
                return Err(self.error(format!(
                    "Invalid escape character '{got}'. Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\\", \\\\."
                )));
            }
        };
        self.bump();
        Ok(byte)
    }

    fn hex_escape(&mut self) -> Result<u8, SyntaxError> {
        self.bump();
        let pair = self.input.get(self.at..).and_then(|rest| rest.get(..2));
        // Short of two bytes the peer shows the last two of the file.
        let seen = pair.unwrap_or_else(|| self.input.get(self.input.len().saturating_sub(2)..).unwrap_or_default());
        let mut value = 0u32;
        for digit in seen {
            if pair.is_some() && matches!(digit, b'\n' | b'\r') {
                // The line is that of what was looked at.
                self.bump();
                if seen.first() != Some(digit) {
                    self.bump();
                }
                return Err(self.error("Expected two hexadecimal digits after '\\x', but hit end of line".into()));
            }
            match char::from(*digit).to_digit(16).filter(|_| pair.is_some()) {
                Some(nibble) => value = value * 16 + nibble,
                None => {
                    let seen = String::from_utf8_lossy(seen).into_owned();
                    return Err(self.error(format!("Expected two hexadecimal digits after '\\x', but got '{seen}'")));
                }
            }
        }
        self.bump();
        self.bump();
        Ok(value.to_le_bytes()[0])
    }

    /// The file of an include, without quotes around it; one ends it.
    pub(super) fn bare_include(&mut self) -> Result<Token, SyntaxError> {
        while !matches!(self.peek(), 0 | b'\n' | b'\r' | b' ' | b'\t' | b';' | b'}' | b'\'') {
            self.bump();
        }
        let token = self.token(TokenKind::Include(self.taken().to_vec()));
        if self.peek() == b'\'' {
            self.bump();
        }
        Ok(token)
    }

    pub(super) fn number_or_date(&mut self) -> Result<Token, SyntaxError> {
        while self.peek().is_ascii_digit() {
            self.bump();
        }
        match self.peek() {
            b'-' if self.at - self.start == 4 => self.date(),
            b'-' => Err(self.error("All ISO8601 dates must be in full Zulu form.".into())),
            b'.' => self.float(),
            byte if is_size_suffix(byte) => self.sized_number(),
            byte if ends_number(byte) => Ok(self.token(TokenKind::Number(self.taken().to_vec()))),
            _ => self.rest_of_word(),
        }
    }

    pub(super) fn negative_number(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        match self.peek() {
            b'.' => return Err(self.error("Floats must start with a digit, not '.'.".into())),
            byte if byte.is_ascii_digit() => {}
            _ => {
                let got = shown(self.input, self.at);
                self.bump();
                return Err(self.error(format!("Expected a digit but got '{got}'.")));
            }
        }
        while self.peek().is_ascii_digit() {
            self.bump();
        }
        match self.peek() {
            b'.' => self.float(),
            byte if is_size_suffix(byte) => self.sized_number(),
            _ => Ok(self.token(TokenKind::Number(self.taken().to_vec()))),
        }
    }

    /// The cursor is on the point.
    fn float(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        if !self.peek().is_ascii_digit() {
            let got = shown(self.input, self.at);
            return Err(self.error(format!("Floats must have a digit after the '.', but got '{got}' instead.")));
        }
        while self.peek().is_ascii_digit() {
            self.bump();
        }
        if self.peek() == b'.' {
            return Ok(self.address());
        }
        Ok(self.token(TokenKind::Float(self.taken().to_vec())))
    }

    /// A second point: no number but an address, perhaps with a port.
    fn address(&mut self) -> Token {
        while matches!(self.peek(), b'0'..=b'9' | b'.' | b':' | b'-') {
            self.bump();
        }
        self.token(TokenKind::Text(self.taken().to_vec()))
    }

    /// The cursor is on the first letter of a size.
    fn sized_number(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        while matches!(self.peek(), b'b' | b'B' | b'i' | b'I') {
            self.bump();
        }
        if ends_number(self.peek()) {
            return Ok(self.token(TokenKind::Number(self.taken().to_vec())));
        }
        self.bare_text()
    }

    /// What began as a number is a word, together with the character that showed it.
    fn rest_of_word(&mut self) -> Result<Token, SyntaxError> {
        self.bump();
        self.bare_text()
    }

    /// The cursor is on the first dash.
    fn date(&mut self) -> Result<Token, SyntaxError> {
        for &expected in DATE_FORM.iter().skip(self.at - self.start) {
            let got = self.peek();
            let fits = if expected == b'0' { got.is_ascii_digit() } else { got == expected };
            if !fits {
                let got = shown(self.input, self.at);
                let expected =
                    if expected == b'0' { "digit".to_owned() } else { format!("'{}'", char::from(expected)) };
                return Err(self.error(format!("Expected {expected} in ISO8601 datetime, but found '{got}' instead.")));
            }
            self.bump();
        }
        Ok(self.token(TokenKind::Date(self.taken().to_vec())))
    }
}

/// A bare word: a truth value, a variable (but a bcrypt hash is none), or text.
fn word(text: Vec<u8>) -> TokenKind {
    for (name, value) in [("true", true), ("yes", true), ("on", true), ("false", false), ("no", false), ("off", false)]
    {
        if text.eq_ignore_ascii_case(name.as_bytes()) {
            return TokenKind::Bool(value);
        }
    }
    match text.as_slice() {
        [b'$', b'2', b'a' | b'b', b'$', ..] => TokenKind::Text(text),
        [b'$', name @ ..] => TokenKind::Variable(name.to_vec()),
        _ => TokenKind::Text(text),
    }
}

fn is_size_suffix(byte: u8) -> bool {
    matches!(byte.to_ascii_lowercase(), b'k' | b'm' | b'g' | b't' | b'p' | b'e')
}

fn ends_number(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'\r' | b' ' | b'\t' | b'}' | b',' | b';')
}
