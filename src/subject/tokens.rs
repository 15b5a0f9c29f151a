//! Splitting a subject at its dots, and the two tokens that stand for others.
//!
//! Owns what a token is. Must not judge whole subjects (see `pattern`). `*` and `>` are wildcards as whole tokens only.

/// Stands for exactly one token.
pub const ONE: &[u8] = b"*";
/// Stands for all tokens that follow, at least one.
pub const REST: &[u8] = b">";
/// What tokens are separated by.
pub const SEPARATOR: u8 = b'.';

/// The tokens of `subject`; an empty subject has one empty token.
#[inline]
pub fn tokens(subject: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    subject.split(|&byte| byte == SEPARATOR)
}

/// How many tokens `subject` has.
pub fn token_count(subject: &[u8]) -> usize {
    1 + memchr::memchr_iter(SEPARATOR, subject).count()
}

/// Whether `token` stands for others.
pub fn is_wildcard(token: &[u8]) -> bool {
    token == ONE || token == REST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_is_between_dots() {
        for (subject, expected) in [("", 1), ("a", 1), ("a.b", 2), (".", 2), ("a..b", 3), ("a.b.", 3)] {
            assert_eq!(token_count(subject.as_bytes()), expected, "{subject}");
            assert_eq!(tokens(subject.as_bytes()).count(), expected, "{subject}");
        }
    }

    #[test]
    fn wildcards_are_whole_tokens() {
        for (token, expected) in [("*", true), (">", true), ("**", false), (">>", false), ("a*", false), ("", false)] {
            assert_eq!(is_wildcard(token.as_bytes()), expected, "{token}");
        }
    }
}
