//! Client data in log lines: in quotes and escaped as the peer does it, and the last gate that keeps control bytes out.
//!
//! Owns which characters a log may show. Pure.
//! Invariant: nothing written here contains a control character.

use std::fmt;

/// `bytes` in double quotes, with what is not printable escaped: `"a\nb\x00"`. Bytes that are no UTF-8 become `\xff`.
pub fn quoted(bytes: &[u8]) -> Quoted<'_> {
    Quoted { bytes }
}

/// Printable characters as they are, everything else escaped; no quotes around, backslashes and quotes as they are.
pub fn visible(bytes: &[u8]) -> Visible<'_> {
    Visible { bytes }
}

/// See [`quoted`].
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a> {
    bytes: &'a [u8],
}

/// See [`visible`].
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a> {
    bytes: &'a [u8],
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        write_quoted(f, self.bytes)?;
        f.write_str("\"")
    }
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, self.bytes, is_printable)
    }
}

/// The inside of [`quoted`], for callers that put more between the quotes.
pub(super) fn write_quoted(f: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    write_escaped(f, bytes, |c| c != '"' && c != '\\' && is_printable(c))
}

fn write_escaped(f: &mut impl fmt::Write, bytes: &[u8], plain: impl Fn(char) -> bool) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        let mut written = 0;
        for (at, c) in text.char_indices() {
            if !plain(c) {
                f.write_str(text.get(written..at).unwrap_or_default())?;
                write_escape(f, c)?;
                written = at + c.len_utf8();
            }
        }
        f.write_str(text.get(written..).unwrap_or_default())?;
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

fn write_escape(f: &mut impl fmt::Write, c: char) -> fmt::Result {
    match c {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\x0c' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\x0b' => f.write_str("\\v"),
        c if c < ' ' || c == '\x7f' => write!(f, "\\x{:02x}", u32::from(c)),
        c if u32::from(c) < 0x1_0000 => write!(f, "\\u{:04x}", u32::from(c)),
        c => write!(f, "\\U{:08x}", u32::from(c)),
    }
}

/// Letters, marks, digits, punctuation, symbols and the blank: what the peer's quoting shows as it is.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // `str::escape_debug` has the tables. Combining marks are escaped only at the start of a string, hence the `a`.
    let mut buffer = [b'a', 0, 0, 0, 0];
    let (_, room) = buffer.split_at_mut(1);
    let length = 1 + c.encode_utf8(room).len();
    let text = buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    text.escape_debug().count() == 2
}

/// Appends a line's text with every control character escaped, whatever put it there. What is printable or only unusual
/// (a no-break space) stays, so text that was escaped before is not escaped again.
pub(super) fn push_visible(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    // Writing to a String cannot fail.
    let _ = write_escaped(&mut escaped, text.as_bytes(), |c| !is_control(c));
    out.extend_from_slice(escaped.as_bytes());
}

/// Controls of ASCII and Latin-1, line and paragraph separators, and what turns the direction of text.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_the_peer_does() {
        // Left: what a client sent. Right: what nats-server 2.15.1 wrote.
        let rows: [(&[u8], &str); 9] = [
            (b"hello", r#""hello""#),
            (b"h\x00\r\nl", r#""h\x00\r\nl""#),
            (b"a\"b\\c", r#""a\"b\\c""#),
            ("a\nb é \u{202e} \u{301} \"q".as_bytes(), "\"a\\nb é \\u202e \u{301} \\\"q\""),
            (b"py\x1bthon", r#""py\x1bthon""#),
            ("a\u{ad}\u{300}".as_bytes(), "\"a\\u00ad\u{300}\""),
            (b"\xff\xfe", r#""\xff\xfe""#),
            (b"\x7f\x07\x08\x0b\x0c\t", r#""\x7f\a\b\v\f\t""#),
            (b"", r#""""#),
        ];
        for (sent, expected) in rows {
            assert_eq!(quoted(sent).to_string(), expected);
        }
        assert_eq!(quoted("\u{e0001}😀".as_bytes()).to_string(), "\"\\U000e0001😀\"");
    }

    #[test]
    fn visible_leaves_backslashes_alone() {
        assert_eq!(visible(b"foo.\x1b[31m\"\\\xff").to_string(), r#"foo.\x1b[31m"\\xff"#);
    }

    #[test]
    fn text_that_was_escaped_is_not_escaped_again() {
        let mut out = Vec::new();
        push_visible(&mut out, r#"x "a\nb" é"#);
        assert_eq!(out, r#"x "a\nb" é"#.as_bytes());
    }
}
