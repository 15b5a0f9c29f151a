//! What can be subscribed to, what can be published to, and whether the one matches the other.
//!
//! Owns the rules for whole subjects and the validated types. The functions on bytes answer what nats-server answers for
//! clients, which lets most control bytes pass; [`Subject`] and [`Pattern`] are stricter, for what the server makes itself
//! or takes from elsewhere: they hold no byte that could end a line or an argument, nor any other control byte (design 8).

use super::tokens::{ONE, REST, is_wildcard, tokens};

/// Whether SUB accepts it: no empty token, and `>` only as the last one.
pub fn is_valid_pattern(pattern: &[u8]) -> bool {
    let mut seen_rest = false;
    for token in tokens(pattern) {
        if token.is_empty() || seen_rest {
            return false;
        }
        seen_rest = token == REST;
    }
    true
}

/// Whether no token is a wildcard: `a*b` and `>>` are literal.
pub fn is_literal(subject: &[u8]) -> bool {
    // Most subjects hold neither byte, which one search tells.
    memchr::memchr2(b'*', b'>', subject).is_none() || !tokens(subject).any(is_wildcard)
}

/// Whether a pedantic client may publish to it without complaint: a literal without empty tokens.
pub fn is_valid_publish_subject(subject: &[u8]) -> bool {
    is_valid_pattern(subject) && is_literal(subject)
}

/// Whether a message to `subject` reaches a subscription to `pattern`, token by token.
///
/// Naive on purpose: tables are compared with it. Wildcards in `subject` are ordinary tokens, and so are empty ones.
/// A subject that SUB would refuse for its empty tokens reaches nobody on the peer: ask [`has_empty_token`] first.
pub fn pattern_matches(pattern: &[u8], subject: &[u8]) -> bool {
    let mut subject_tokens = tokens(subject);
    for token in tokens(pattern) {
        let Some(subject_token) = subject_tokens.next() else {
            return false;
        };
        if token == REST {
            return true;
        }
        if token != ONE && token != subject_token {
            return false;
        }
    }
    subject_tokens.next().is_none()
}

/// Whether two dots meet, or one is first or last, or there is nothing at all.
pub fn has_empty_token(subject: &[u8]) -> bool {
    tokens(subject).any(<[u8]>::is_empty)
}

/// Why bytes are no [`Subject`] or no [`Pattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectError {
    /// A blank, or a byte below it, or DEL.
    ControlByte,
    /// Two dots meet, or one is first or last, or there is nothing at all.
    EmptyToken,
    /// `>` before the last token.
    RestNotLast,
    /// A wildcard where only literals may be.
    Wildcard,
}

/// What can be published to: literal, no empty token, no control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject<'a>(&'a [u8]);

/// What can be subscribed to: no empty token, `>` only at the end, no control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern<'a>(&'a [u8]);

impl<'a> Subject<'a> {
    /// Its bytes.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Pattern<'a> {
    /// Its bytes.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether a message to `subject` reaches a subscription to this.
    pub fn matches(self, subject: Subject<'_>) -> bool {
        pattern_matches(self.0, subject.0)
    }
}

impl<'a> TryFrom<&'a [u8]> for Pattern<'a> {
    type Error = SubjectError;

    fn try_from(bytes: &'a [u8]) -> Result<Self, SubjectError> {
        if bytes.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            Err(SubjectError::ControlByte)
        } else if has_empty_token(bytes) {
            Err(SubjectError::EmptyToken)
        } else if !is_valid_pattern(bytes) {
            Err(SubjectError::RestNotLast)
        } else {
            Ok(Self(bytes))
        }
    }
}

impl<'a> TryFrom<&'a [u8]> for Subject<'a> {
    type Error = SubjectError;

    fn try_from(bytes: &'a [u8]) -> Result<Self, SubjectError> {
        let pattern = Pattern::try_from(bytes)?;
        if is_literal(bytes) { Ok(Self(pattern.0)) } else { Err(SubjectError::Wildcard) }
    }
}

impl<'a> From<Subject<'a>> for Pattern<'a> {
    /// A literal is the pattern that matches itself alone.
    fn from(subject: Subject<'a>) -> Self {
        Self(subject.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_publish_subjects_as_the_peer_judges_them() {
        // Subject, whether SUB takes it, whether a pedantic PUB takes it.
        let rows: [(&[u8], bool, bool); 26] = [
            (b"foo", true, true),
            (b"foo.bar", true, true),
            (b"*", true, false),
            (b">", true, false),
            (b"foo.>", true, false),
            (b"foo.*", true, false),
            (b"*.*", true, false),
            (b"*.>", true, false),
            (b"foo.*.bar", true, false),
            (b">>", true, true),
            (b"**", true, true),
            (b"foo.>>", true, true),
            (b"foo.*b", true, true),
            (b"foo*.b>r", true, true),
            (b"a>", true, true),
            (b"", false, false),
            (b".", false, false),
            (b"..", false, false),
            (b"foo.", false, false),
            (b".foo", false, false),
            (b"foo..bar", false, false),
            (b"foo.>.bar", false, false),
            (b">.foo", false, false),
            (b">.>", false, false),
            (b"\x00", true, true),
            (b"f\x0c\x7f\xff\xfe", true, true),
        ];
        for (subject, as_pattern, as_subject) in rows {
            assert_eq!(is_valid_pattern(subject), as_pattern, "{}", subject.escape_ascii());
            assert_eq!(is_valid_publish_subject(subject), as_subject, "{}", subject.escape_ascii());
        }
    }

    #[test]
    fn matching() {
        let rows = [
            ("foo", "foo", true),
            ("foo", "foo.bar", false),
            ("foo.bar", "foo.ba", false),
            ("foo.*", "foo.bar", true),
            ("foo.*", "foo", false),
            ("foo.*", "foo.bar.baz", false),
            ("*", "one", true),
            ("*", "one.two", false),
            (">", "one.two", true),
            ("a.>", "a", false),
            ("a.>", "a.b", true),
            ("a.>", "a.b.c", true),
            ("*.b.>", "a.b.c.d", true),
            ("foo.*", "foo.*", true),
            ("foo.bar", "foo.*", false),
            ("foo.>", "foo.>", true),
            ("foo.**", "foo.x", false),
            ("foo.**", "foo.**", true),
            ("a.b>r", "a.b>r", true),
            ("Foo", "foo", false),
        ];
        for (pattern, subject, expected) in rows {
            let matched = pattern_matches(pattern.as_bytes(), subject.as_bytes());
            assert_eq!(matched, expected, "{pattern} on {subject}");
        }
    }

    #[test]
    fn design_8_validated_types_hold_no_control_byte() {
        for byte in (0..=b' ').chain([0x7f]) {
            let bytes = [b'a', byte, b'b'];
            assert_eq!(Subject::try_from(&bytes[..]), Err(SubjectError::ControlByte), "{byte}");
            assert_eq!(Pattern::try_from(&bytes[..]), Err(SubjectError::ControlByte), "{byte}");
        }
        let pattern = |text: &'static str| Pattern::try_from(text.as_bytes());
        let subject = |text: &'static str| Subject::try_from(text.as_bytes());
        assert_eq!(pattern("a..b"), Err(SubjectError::EmptyToken));
        assert_eq!(pattern(""), Err(SubjectError::EmptyToken));
        assert_eq!(pattern("a.>.b"), Err(SubjectError::RestNotLast));
        assert_eq!(subject("a.*"), Err(SubjectError::Wildcard));
        let (all, one) = (pattern("a.>"), subject("a.b*c"));
        assert!(all.is_ok_and(|all| one.is_ok_and(|one| all.matches(one))));
    }
}
