//! Subjects and patterns: what is quick against what is plain, and what validated types promise.
#![no_main]

use dunlin::subject::pattern::{
    has_empty_token, is_literal, is_valid_pattern, is_valid_publish_subject, pattern_matches,
};
use dunlin::subject::tokens::{is_wildcard, token_count, tokens};
use dunlin::subject::{Pattern, Subject};
use libfuzzer_sys::fuzz_target;

/// Byte by byte, by recursion over tokens: nothing in common with the code that is tested.
fn plainly_matches(pattern: &[&[u8]], subject: &[&[u8]]) -> bool {
    match (pattern, subject) {
        ([], []) => true,
        ([b">", ..], [_, ..]) => true,
        ([b"*", pattern @ ..], [_, subject @ ..]) => plainly_matches(pattern, subject),
        ([p, pattern @ ..], [s, subject @ ..]) => p == s && plainly_matches(pattern, subject),
        _ => false,
    }
}

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|&byte| byte == b' ').unwrap_or(data.len());
    let (pattern, subject) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    if token_count(pattern).max(token_count(subject)) > 256 {
        return; // the plain way recurses
    }
    let pattern_tokens: Vec<&[u8]> = tokens(pattern).collect();
    let subject_tokens: Vec<&[u8]> = tokens(subject).collect();
    assert_eq!(pattern_tokens.len(), token_count(pattern));
    assert_eq!(pattern_tokens.join(&b'.'), pattern);
    assert_eq!(has_empty_token(pattern), pattern_tokens.iter().any(|token| token.is_empty()));
    assert_eq!(is_literal(pattern), !pattern_tokens.iter().any(|token| is_wildcard(token)));
    assert_eq!(pattern_matches(pattern, subject), plainly_matches(&pattern_tokens, &subject_tokens));

    if let Ok(valid) = Pattern::try_from(pattern) {
        assert!(is_valid_pattern(pattern) && valid.as_bytes() == pattern);
        assert!(pattern.iter().all(|&byte| byte > b' ' && byte != 0x7f));
    }
    if let Ok(valid) = Subject::try_from(subject) {
        assert!(is_valid_publish_subject(subject));
        assert!(Pattern::from(valid).matches(valid), "a literal matches itself");
    }
});
