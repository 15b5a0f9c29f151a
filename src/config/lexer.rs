//! From the bytes of a configuration file to its tokens.
//!
//! Owns the position and the stack of open braces and brackets. Builds no values, reads no files, knows no keys.
//! One token a call of [`Lexer::next_token`]; every byte is looked at a bounded number of times, nesting is bounded, and
//! there is no recursion, so no input makes it hang or overflow.
//!
//! The grammar is that of the peer, with its oddities, as observed: a byte 0 is an end of file, `#` inside a word belongs
//! to the word, a digit followed by `]` starts a word, a `{` at the top level is skipped over.

use super::syntax::{SyntaxError, shown};

/// Braces and brackets open at once; the peer has no bound.
pub(super) const NESTING_MAX: usize = 256;

/// One token and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Line on which the token ends, from 1.
    pub line: usize,
    /// Column of its first byte.
    pub column: usize,
}

/// The kinds of token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A key of a map.
    Key(Vec<u8>),
    /// Quoted, bare or block text.
    Text(Vec<u8>),
    /// A truth value.
    Bool(bool),
    /// Digits with an optional sign and size suffix.
    Number(Vec<u8>),
    /// A number with a fraction.
    Float(Vec<u8>),
    /// A date in Zulu form.
    Date(Vec<u8>),
    /// `$NAME`, without the sign.
    Variable(Vec<u8>),
    /// The file of an `include`.
    Include(Vec<u8>),
    /// `[`
    ListStart,
    /// `]`
    ListEnd,
    /// `{` of a value
    MapStart,
    /// `}` of a value
    MapEnd,
    /// End of input.
    End,
}

/// What surrounds the next key or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Top,
    Block,
    Map,
    List,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Entry,       // a key, or an element of a list
    AfterKey,    // separator or value
    Value,       // value
    IncludeFile, // the file of an include
    ValueEnd,    // what separates entries, or closes them
    End,
}

/// Reads tokens from bytes.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
    pub(super) start: usize,
    pub(super) start_column: usize,
    /// Where the last value begins, quotes and brackets included; `at` is its end.
    pub(super) value_start: usize,
    pub(super) line: usize,
    pub(super) line_start: usize,
    frame: Frame,
    outer: Vec<Frame>,
    expect: Expect,
}

type Step = Result<Option<Token>, SyntaxError>;

impl<'a> Lexer<'a> {
    /// Starts at the beginning of `input`.
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            at: 0,
            start: 0,
            start_column: 0,
            value_start: 0,
            line: 1,
            line_start: 0,
            frame: Frame::Top,
            outer: Vec::new(),
            expect: Expect::Entry,
        }
    }

    /// The next token; `End` for ever once the input is used up.
    ///
    /// # Errors
    /// The first place where the input is not in the grammar.
    pub(super) fn next_token(&mut self) -> Result<Token, SyntaxError> {
        loop {
            let step = match (self.expect, self.frame) {
                (Expect::Entry, Frame::Top | Frame::Block) => self.top_entry(),
                (Expect::Entry, Frame::Map) => self.map_entry(),
                (Expect::Entry, Frame::List) => self.list_entry(),
                (Expect::AfterKey, _) => self.after_key(),
                (Expect::Value, _) => self.value_after_separator(),
                (Expect::IncludeFile, _) => self.include_file(),
                (Expect::ValueEnd, Frame::Top | Frame::Block) => self.top_value_end(),
                (Expect::ValueEnd, Frame::Map) => self.map_value_end(),
                (Expect::ValueEnd, Frame::List) => self.list_value_end(),
                (Expect::End, _) => Ok(Some(self.token(TokenKind::End))),
            };
            if let Some(token) = step? {
                return Ok(token);
            }
        }
    }

    // ---- entries ----

    fn top_entry(&mut self) -> Step {
        self.skip_space_and_lines();
        match self.peek() {
            b'{' => {
                self.bump();
                self.frame = Frame::Block;
                Ok(None)
            }
            b'#' => self.comment(),
            b'/' if self.peek_second() == b'/' => self.comment(),
            b'/' => Err(self.error("Unexpected EOF.".into())),
            b'}' if self.frame == Frame::Block => {
                self.bump();
                self.frame = Frame::Top;
                Ok(None)
            }
            0 if self.at < self.input.len() => Err(self.error("Unexpected EOF.".into())),
            0 => self.end(),
            _ => self.key("Unexpected EOF.", "Unexpected EOF.", ""),
        }
    }

    fn map_entry(&mut self) -> Step {
        self.skip_space_and_lines();
        match self.peek() {
            0 => Err(self.error("Unexpected EOF processing map.".into())),
            b'}' => Ok(Some(self.close(TokenKind::MapEnd))),
            b'#' => self.comment(),
            b'/' if self.peek_second() == b'/' => self.comment(),
            b']' => Err(self.error("Unexpected array end ']' processing map.".into())),
            // A slash alone is passed over; what follows is a key, whatever it is.
            b'/' => {
                self.bump();
                self.begin();
                self.bump();
                self.rest_of_bare_key()
            }
            _ => self.key(
                "Unexpected EOF processing quoted map key.",
                "Unexpected EOF processing double quoted map key.",
                ".",
            ),
        }
    }

    fn list_entry(&mut self) -> Step {
        self.skip_space_and_lines();
        match self.peek() {
            b',' => Err(self.error("Unexpected array value terminator ','.".into())),
            b']' => Ok(Some(self.close(TokenKind::ListEnd))),
            b'#' => self.comment(),
            b'/' if self.peek_second() == b'/' => self.comment(),
            b'/' => Err(self.error("Unexpected array value terminator ','.".into())),
            _ => self.value(),
        }
    }

    /// A key, quoted or bare. The texts say what an end of file inside a quoted one is called here.
    fn key(&mut self, eof_single: &str, eof_double: &str, stop: &str) -> Step {
        match self.peek() {
            c @ (b':' | b'=') => Err(self.error(format!("Unexpected key separator '{}'{stop}", char::from(c)))),
            b'"' | b'\'' if self.peek_second() == 0 && self.frame != Frame::Map => {
                self.bump();
                self.end()
            }
            quote @ (b'"' | b'\'') => {
                self.bump();
                self.begin();
                let eof = if quote == b'"' { eof_double } else { eof_single };
                self.skip_to_quote(quote, eof)?;
                let token = self.token(TokenKind::Key(self.taken().to_vec()));
                self.bump();
                self.expect = Expect::AfterKey;
                Ok(Some(token))
            }
            _ => self.bare_key(),
        }
    }

    fn bare_key(&mut self) -> Step {
        self.begin();
        self.rest_of_bare_key()
    }

    fn rest_of_bare_key(&mut self) -> Step {
        loop {
            match self.peek() {
                0 if self.frame == Frame::Map => {
                    return Err(self.error("Unexpected EOF processing map key.".into()));
                }
                0 => {
                    // The end of file ends the key, and the file.
                    let token = self.token(TokenKind::Key(self.taken().to_vec()));
                    self.end()?;
                    return Ok(Some(token));
                }
                b':' | b'=' => break,
                _ if self.space_here() > 0 => {
                    if self.taken().eq_ignore_ascii_case(b"include") {
                        self.expect = Expect::IncludeFile;
                        return Ok(None);
                    }
                    break;
                }
                _ => self.bump(),
            }
        }
        self.expect = Expect::AfterKey;
        Ok(Some(self.token(TokenKind::Key(self.taken().to_vec()))))
    }

    fn after_key(&mut self) -> Step {
        self.skip_space_and_lines();
        if matches!(self.peek(), b':' | b'=') {
            self.bump();
            self.expect = Expect::Value;
            return Ok(None);
        }
        if self.peek() == 0 && self.frame != Frame::Map {
            return self.end();
        }
        // Without a separator the value may stand on a later line.
        if self.frame == Frame::Map { self.map_value() } else { self.value() }
    }

    fn value_after_separator(&mut self) -> Step {
        if self.frame == Frame::Map {
            self.skip_space_and_lines();
            return self.map_value();
        }
        self.skip_blanks();
        self.value()
    }

    fn map_value(&mut self) -> Step {
        match self.peek() {
            b',' => Err(self.error("Unexpected map value terminator \",\".".into())),
            b'}' => Ok(Some(self.close(TokenKind::MapEnd))),
            _ => self.value(),
        }
    }

    // ---- values ----

    fn value(&mut self) -> Step {
        self.expect = Expect::ValueEnd;
        self.value_start = self.at;
        self.begin();
        match self.peek() {
            b'\n' | b'\r' => {
                self.bump();
                Err(self.error("Expected value but found new line".into()))
            }
            b'[' => self.open(Frame::List, TokenKind::ListStart),
            b'{' => self.open(Frame::Map, TokenKind::MapStart),
            b'(' => self.block_text().map(Some),
            b'\'' | b'"' if self.at + 1 == self.input.len() => {
                // A quote as the last byte opens nothing.
                self.bump();
                self.end()
            }
            b'\'' => self.single_quoted().map(Some),
            b'"' => self.double_quoted().map(Some),
            b'.' => Err(self.error("Floats must start with a digit".into())),
            b'-' => self.negative_number().map(Some),
            b'0'..=b'9' => self.number_or_date().map(Some),
            _ => self.bare_text().map(Some),
        }
    }

    fn include_file(&mut self) -> Step {
        self.skip_blanks();
        self.expect = Expect::ValueEnd;
        self.begin();
        let refused = match self.peek() {
            b'\n' | b'\r' => {
                self.bump();
                "new line"
            }
            b'{' => "start of a map",
            b'[' => "start of an array",
            b'(' => "start of a block",
            quote @ (b'"' | b'\'') => {
                self.bump();
                self.begin();
                let eof = if quote == b'"' {
                    "Unexpected EOF in double quoted include"
                } else {
                    "Unexpected EOF in quoted include"
                };
                self.skip_to_quote(quote, eof)?;
                let token = self.token(TokenKind::Include(self.taken().to_vec()));
                self.bump();
                return Ok(Some(token));
            }
            b'-' | b'0'..=b'9' => "start of a number",
            _ => return self.bare_include().map(Some),
        };
        Err(self.error(format!("Expected include value but found {refused}")))
    }

    // ---- after values ----

    fn top_value_end(&mut self) -> Step {
        self.skip_blanks();
        match self.peek() {
            b'#' => return self.comment_after_value(),
            b'/' if self.peek_second() == b'/' => return self.comment_after_value(),
            // A slash alone is passed over.
            b'/' => {
                self.bump();
                return Ok(None);
            }
            0 if self.frame == Frame::Block && self.at >= self.input.len() => {}
            0 | b'\n' | b'\r' | b',' | b';' => {
                self.bump();
                self.expect = Expect::Entry;
                return Ok(None);
            }
            b'}' => {
                self.bump();
                self.frame = Frame::Top;
                self.expect = Expect::Entry;
                return Ok(None);
            }
            _ => {}
        }
        let level = if self.frame == Frame::Block { "block-level" } else { "top-level" };
        let got = shown(self.input, self.at);
        Err(self.error(format!(
            "Expected a {level} value to end with a new line, comment or EOF, but got '{got}' instead."
        )))
    }

    fn map_value_end(&mut self) -> Step {
        self.skip_blanks();
        match self.peek() {
            b'#' => self.comment_after_value(),
            b'/' if self.peek_second() == b'/' => self.comment_after_value(),
            b',' | b';' | b'/' | b'\n' | b'\r' => {
                self.bump();
                self.expect = Expect::Entry;
                Ok(None)
            }
            b'}' => Ok(Some(self.close(TokenKind::MapEnd))),
            _ => {
                let got = shown(self.input, self.at);
                Err(self.error(format!(
                    "Expected a map value terminator \",\" or a map terminator \"}}\", but got '{got}' instead."
                )))
            }
        }
    }

    fn list_value_end(&mut self) -> Step {
        self.skip_blanks();
        match self.peek() {
            b'#' => self.comment_after_value(),
            b'/' if self.peek_second() == b'/' => self.comment_after_value(),
            b',' | b'/' | b'\n' | b'\r' => {
                self.bump();
                self.expect = Expect::Entry;
                Ok(None)
            }
            b']' => Ok(Some(self.close(TokenKind::ListEnd))),
            _ => {
                let got = shown(self.input, self.at);
                Err(self.error(format!(
                    "Expected an array value terminator \",\" or an array terminator \"]\", but got '{got}' instead."
                )))
            }
        }
    }

    fn comment(&mut self) -> Step {
        while !matches!(self.peek(), 0 | b'\n' | b'\r') {
            self.bump();
        }
        Ok(None)
    }

    /// A comment also ends the entry before it; in a block at the top level the line's end does.
    fn comment_after_value(&mut self) -> Step {
        if self.frame != Frame::Block {
            self.expect = Expect::Entry;
        }
        self.comment()
    }

    // ---- frames and tokens ----

    fn open(&mut self, frame: Frame, kind: TokenKind) -> Step {
        if self.outer.len() >= NESTING_MAX {
            return Err(self.error(format!("Nested deeper than {NESTING_MAX} levels")));
        }
        self.bump();
        self.outer.push(std::mem::replace(&mut self.frame, frame));
        self.expect = Expect::Entry;
        Ok(Some(self.token(kind)))
    }

    fn close(&mut self, kind: TokenKind) -> Token {
        self.begin();
        self.bump();
        self.frame = self.outer.pop().unwrap_or(Frame::Top);
        self.expect = Expect::ValueEnd;
        self.token(kind)
    }

    /// The input ends here.
    fn end(&mut self) -> Step {
        self.begin();
        self.expect = Expect::End;
        Ok(None)
    }

    /// A token starts here.
    pub(super) fn begin(&mut self) {
        self.start = self.at;
        self.start_column = self.at - self.line_start;
    }

    pub(super) fn token(&self, kind: TokenKind) -> Token {
        Token { kind, line: self.line, column: self.start_column }
    }

    pub(super) fn error(&self, text: String) -> SyntaxError {
        SyntaxError { line: self.line, text }
    }
}
