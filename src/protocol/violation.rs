//! Refusals that name a subject: what a client may not publish or subscribe to. None of them closes the connection.
//!
//! Owns their texts and how names are quoted in them (as Go's `%q`). Must not decide who may do what.
//! Invariant: a text is one line, whatever bytes the names hold.

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation<'a> {
    /// Publishing to this subject.
    Publish(&'a [u8]),
    /// Asking for answers on this one.
    Reply(&'a [u8]),
    /// Subscribing.
    Subscribe {
        /// To this pattern.
        pattern: &'a [u8],
        /// In this queue group.
        queue: Option<&'a [u8]>,
        /// Set where a reload took away what had been allowed: the subscription that ended.
        sid: Option<&'a [u8]>,
    },
    /// The pattern has more tokens than `max_sub_tokens`.
    TooManyTokens(&'a [u8]),
}

impl Violation<'_> {
    /// The words between the quotes of `-ERR '…'`.
    pub fn err_text(self) -> String {
        let mut text = String::from("Permissions Violation for ");
        match self {
            Self::Publish(subject) => push_named(&mut text, "Publish to ", subject),
            Self::Reply(reply) => push_named(&mut text, "Publish with Reply of ", reply),
            Self::TooManyTokens(pattern) => {
                push_named(&mut text, "Subscription to ", pattern);
                text.push_str(", too many tokens");
            }
            Self::Subscribe { pattern, queue, sid } => {
                push_named(&mut text, "Subscription to ", pattern);
                if let Some(queue) = queue {
                    push_named(&mut text, " using queue ", queue);
                }
                if let Some(sid) = sid {
                    push_named(&mut text, " (sid ", sid);
                    text.push(')');
                }
            }
        }
        text
    }
}

fn push_named(text: &mut String, words: &str, name: &[u8]) {
    text.push_str(words);
    push_quoted(text, name);
}

/// Appends `bytes` as Go's `%q` shows a string: printable characters as they are, the rest as escapes.
pub fn push_quoted(text: &mut String, bytes: &[u8]) {
    use std::fmt::Write;
    text.push('"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            // Writing to a string cannot fail.
            let _ = match character {
                '"' | '\\' => write!(text, "\\{character}"),
                '\x07' => write!(text, "\\a"),
                '\x08' => write!(text, "\\b"),
                '\x0c' => write!(text, "\\f"),
                '\n' => write!(text, "\\n"),
                '\r' => write!(text, "\\r"),
                '\t' => write!(text, "\\t"),
                '\x0b' => write!(text, "\\v"),
                '\0'..' ' | '\x7f' => write!(text, "\\x{:02x}", u32::from(character)),
                _ if is_printable(character) => write!(text, "{character}"),
                '\u{10000}'.. => write!(text, "\\U{:08x}", u32::from(character)),
                _ => write!(text, "\\u{:04x}", u32::from(character)),
            };
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.push('"');
}

/// Whether Rust, too, would show `character` as it is.
fn is_printable(character: char) -> bool {
    // Behind another character, since Rust escapes a combining mark only where it has nothing to combine with.
    let shown = String::from_iter(['a', character]);
    character == '\'' || shown.escape_debug().eq(shown.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_peers() {
        let subscribe = |queue, sid| Violation::Subscribe { pattern: b"foo", queue, sid };
        let rows = [
            (Violation::Publish(b"in.x"), r#"Publish to "in.x""#),
            (Violation::Reply(b"$JS.ACK.x"), r#"Publish with Reply of "$JS.ACK.x""#),
            (subscribe(None, None), r#"Subscription to "foo""#),
            (subscribe(Some(b"bad"), None), r#"Subscription to "foo" using queue "bad""#),
            (subscribe(None, Some(b"1")), r#"Subscription to "foo" (sid "1")"#),
            (subscribe(Some(b"grp"), Some(b"7")), r#"Subscription to "foo" using queue "grp" (sid "7")"#),
            (Violation::TooManyTokens(b"a.b.c.\"d"), r#"Subscription to "a.b.c.\"d", too many tokens"#),
        ];
        for (violation, expected) in rows {
            assert_eq!(violation.err_text(), format!("Permissions Violation for {expected}"));
        }
    }

    #[test]
    fn names_are_quoted_as_go_does() {
        let rows: [(&[u8], &str); 5] = [
            (b"_R_.\"x\\", r#""_R_.\"x\\""#),
            (b"\x00\x01\x7f\xff\xc3\xbc\xe2\x80\xa8'", "\"\\x00\\x01\\x7f\\xff\u{fc}\\u2028'\""),
            (b"\x0c\x0b\x07\x08\x1b\r\n\t", r#""\f\v\a\b\x1b\r\n\t""#),
            (b"\xf0\x9f\x98\x80\xe2\x80\x8b\xc2\xad\xef\xbb\xbf", "\"\u{1f600}\\u200b\\u00ad\\ufeff\""),
            ("a\u{301}\u{e0001}".as_bytes(), "\"a\u{301}\\U000e0001\""),
        ];
        for (bytes, expected) in rows {
            let mut text = String::new();
            push_quoted(&mut text, bytes);
            assert_eq!(text, expected);
        }
    }
}
