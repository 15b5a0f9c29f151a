//! Bytes of a client to operations, one at a time.
//!
//! Owns where an operation begins and ends and which bytes are none. Keeps nothing between calls: the caller passes a
//! contiguous buffer that starts at an operation, and comes back with more bytes after [`Parsed::NeedMore`].
//! Must not look into a `CONNECT`, validate subjects, or know what the connection is allowed.
//!
//! Invariants, over any way to cut the input: the same operations and the same error; more bytes only ever turn
//! `NeedMore` into an operation or an error; a buffer that needs more is at most one control line or one message long.
//!
//! Two ways lead to the same result. [`Parser::next`] recognises the usual form of the frequent operations by a word
//! comparison and a scan; whatever is unusual, incomplete or wrong goes to `next_general`, which defines the language.

use super::control_line::{self, PublishArguments};
use super::error::ProtocolError;
use super::op::{ClientOp, Publish};
use super::parser_fast::{self, Again};

/// What is allowed now; may change by a reload or by `CONNECT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParserLimits {
    /// Bytes of arguments, without verb and line end. Beyond it: [`ProtocolError::ControlLineTooLong`].
    pub control_line_bytes_max: u32,
    /// Bytes of headers and payload. Beyond it: [`ProtocolError::PayloadTooLarge`].
    pub payload_bytes_max: u32,
    /// Whether server and client agreed on headers (not so before `CONNECT`). Without: [`ProtocolError::HeadersNotSupported`].
    pub headers: bool,
}

/// Bytes of a control line that are no arguments: the longest verb, blanks, and some patience with blanks.
pub const CONTROL_LINE_EXTRA_BYTES_MAX: usize = 16;

/// What the input holds at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// Not yet a whole operation.
    NeedMore {
        /// Bytes of the whole operation where its control line is complete already (a payload is awaited), else 0.
        op_bytes: usize,
    },
    /// One operation.
    Op {
        /// What it says.
        op: ClientOp<'a>,
        /// Bytes of the input that it took; the next operation begins behind them.
        consumed: usize,
    },
}

/// A stateless parser: limits and nothing else, so it is cheap to make and to copy.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    pub(super) limits: ParserLimits,
}

/// Every verb that a client may say, in lower case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Pub,
    HPub,
    Sub,
    Unsub,
    Ping,
    Pong,
    Connect,
    Info,
    Ok,
    Err,
}

/// No verb is the beginning of another one.
const WORDS: [(&[u8], Word); 10] = [
    (b"pub", Word::Pub),
    (b"hpub", Word::HPub),
    (b"sub", Word::Sub),
    (b"unsub", Word::Unsub),
    (b"ping", Word::Ping),
    (b"pong", Word::Pong),
    (b"connect", Word::Connect),
    (b"info", Word::Info),
    (b"+ok", Word::Ok),
    (b"-err", Word::Err),
];

/// A control line whose end was seen.
struct ControlLine<'a> {
    arguments: &'a [u8],
    /// Where the next line, or the payload, begins.
    end: usize,
}

const NEED_MORE: Parsed<'static> = Parsed::NeedMore { op_bytes: 0 };

impl Parser {
    /// A parser for what is allowed now.
    pub const fn new(limits: ParserLimits) -> Self {
        Self { limits }
    }

    /// What it was made from.
    pub const fn limits(&self) -> ParserLimits {
        self.limits
    }

    /// The operation at the beginning of `input`.
    #[inline]
    pub fn next<'a>(&self, input: &'a [u8]) -> Result<Parsed<'a>, ProtocolError> {
        if let Some((publish, consumed)) = parser_fast::publish(self.limits, input) {
            return Ok(Parsed::Op { op: ClientOp::Publish(publish), consumed });
        }
        self.next_other(input)
    }

    /// The `PUB` at the beginning of `input`, where it is whole and in its usual form, and its length: what most operations
    /// are, without the detour over all the others. `None` says nothing; ask [`Parser::next`].
    #[inline(always)]
    pub fn next_publish<'a>(&self, input: &'a [u8]) -> Option<(Publish<'a>, usize)> {
        parser_fast::publish(self.limits, input)
    }

    /// The subject of that, or of an `HPUB` for which the same holds, and its length in all.
    #[inline(never)]
    pub fn next_subject<'a>(&self, input: &'a [u8]) -> Option<(&'a [u8], usize)> {
        let (publish, consumed) = parser_fast::publish_of_any_kind(self.limits, input)?;
        Some((publish.subject, consumed))
    }

    /// The `PUB` at the beginning of `input` where it begins with `prefix`, the bytes of one before up to its size. `None` says nothing.
    #[inline]
    pub fn next_again(&self, input: &[u8], prefix: &[u8]) -> Option<Again> {
        parser_fast::publish_again(self.limits, input, prefix)
    }

    /// Whatever is no `PUB` in its usual form.
    #[inline(never)]
    fn next_other<'a>(&self, input: &'a [u8]) -> Result<Parsed<'a>, ProtocolError> {
        match parser_fast::other(self.limits, input) {
            Some(parsed) => Ok(parsed),
            None => self.next_general(input),
        }
    }

    /// As [`Parser::next`], for a client that must say `CONNECT` first: any other beginning is refused at its first byte.
    pub fn next_awaiting_connect<'a>(&self, input: &'a [u8]) -> Result<Parsed<'a>, ProtocolError> {
        match input.first() {
            Some(b'c' | b'C') | None => self.next_general(input),
            Some(_) => Err(ProtocolError::AuthorizationViolation),
        }
    }

    /// The whole language, without haste.
    #[cold]
    #[inline(never)]
    pub(super) fn next_general<'a>(&self, input: &'a [u8]) -> Result<Parsed<'a>, ProtocolError> {
        let Some((verb_len, word)) = find_word(input)? else {
            return Ok(NEED_MORE);
        };
        let arguments_at = match word {
            Word::Ping | Word::Pong | Word::Ok => verb_len, // what follows is skipped
            Word::Connect | Word::Info => skip_blanks(input, verb_len),
            Word::Pub | Word::HPub | Word::Sub | Word::Unsub | Word::Err => match input.get(verb_len) {
                Some(b' ' | b'\t') => skip_blanks(input, verb_len),
                Some(_) => return Err(ProtocolError::UnknownOp),
                None => return Ok(NEED_MORE),
            },
        };
        let Some(line) = self.find_line(input, arguments_at)? else {
            return Ok(NEED_MORE);
        };
        let op = match word {
            Word::Pub => {
                return self.finish_publish(input, control_line::parse_publish(line.arguments)?, false, line.end);
            }
            Word::HPub => {
                if !self.limits.headers {
                    return Err(ProtocolError::HeadersNotSupported);
                }
                let arguments = control_line::parse_publish_with_headers(line.arguments)?;
                return self.finish_publish(input, arguments, true, line.end);
            }
            Word::Sub => control_line::parse_subscribe(line.arguments)?,
            Word::Unsub => control_line::parse_unsubscribe(line.arguments)?,
            Word::Ping => ClientOp::Ping,
            Word::Pong => ClientOp::Pong,
            Word::Connect => ClientOp::Connect(line.arguments),
            Word::Info if is_json_object(line.arguments) => ClientOp::Ignored,
            Word::Info => return Err(ProtocolError::InfoMalformed),
            Word::Ok => ClientOp::Ignored,
            Word::Err => ClientOp::Err(line.arguments),
        };
        Ok(Parsed::Op { op, consumed: line.end })
    }

    /// The line whose arguments begin at `arguments_at`. `None`: its end is not there yet, and it is not too long so far.
    fn find_line<'a>(&self, input: &'a [u8], arguments_at: usize) -> Result<Option<ControlLine<'a>>, ProtocolError> {
        let rest = input.get(arguments_at..).unwrap_or_default();
        let line_feed = memchr::memchr(b'\n', rest);
        let arguments = match line_feed {
            Some(at) => rest.get(..at).unwrap_or_default(),
            None => rest,
        };
        let arguments = arguments.strip_suffix(b"\r").unwrap_or(arguments);
        let max = self.limits.control_line_bytes_max as usize;
        // Blanks before the arguments are bounded too, where the peer would skip them forever.
        if arguments.len() > max || arguments_at + arguments.len() > max.saturating_add(CONTROL_LINE_EXTRA_BYTES_MAX) {
            return Err(ProtocolError::ControlLineTooLong);
        }
        Ok(line_feed.map(|at| ControlLine { arguments, end: arguments_at + at + 1 }))
    }

    /// The message behind a complete control line that ends at `content_at`.
    fn finish_publish<'a>(
        &self,
        input: &'a [u8],
        arguments: PublishArguments<'a>,
        has_headers: bool,
        content_at: usize,
    ) -> Result<Parsed<'a>, ProtocolError> {
        let PublishArguments { subject, reply, header_len, total_len } = arguments;
        if total_len > self.limits.payload_bytes_max {
            return Err(ProtocolError::PayloadTooLarge { size: total_len, max: self.limits.payload_bytes_max });
        }
        let content_end = content_at + total_len as usize;
        // The line end is judged byte by byte: a wrong byte is an error as soon as it is there.
        match (input.get(content_end), input.get(content_end + 1)) {
            (None, _) | (Some(b'\r'), None) => Ok(Parsed::NeedMore { op_bytes: content_end + 2 }),
            (Some(b'\r'), Some(b'\n')) => {
                let content = input.get(content_at..content_end).unwrap_or_default();
                let header_len = header_len as usize;
                let publish = Publish { subject, reply, has_headers, header_len, content };
                Ok(Parsed::Op { op: ClientOp::Publish(publish), consumed: content_end + 2 })
            }
            (Some(_), _) => Err(ProtocolError::UnknownOp),
        }
    }
}

/// The verb at the beginning of `input` and its length. `None`: what is there may become one.
fn find_word(input: &[u8]) -> Result<Option<(usize, Word)>, ProtocolError> {
    for (name, word) in WORDS {
        let seen = input.len().min(name.len());
        let matches = input.iter().zip(name).all(|(byte, expected)| byte.to_ascii_lowercase() == *expected);
        if matches {
            return Ok((seen == name.len()).then_some((seen, word)));
        }
    }
    Err(ProtocolError::UnknownOp)
}

/// The first place from `at` on that is neither blank nor tab.
fn skip_blanks(input: &[u8], at: usize) -> usize {
    let blanks = input.iter().skip(at).take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
    at + blanks
}

/// What the peer asks of an `INFO` that it is about to ignore.
fn is_json_object(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    let opens = body.trim_start_matches([' ', '\t', '\r']).starts_with(['{', 'n']);
    opens && serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok()
}
