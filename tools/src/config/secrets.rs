//! Which bytes of a configuration file nobody should see who looks at an excerpt.
//!
//! Which keys hold secrets the library says; this file owns what secrets look like elsewhere. It errs on the side of hiding: an excerpt
//! says where something is wrong, and the file itself is at hand. Invariant: ranges are inside the text.

use std::ops::Range;

use dunlin::config::spans::{Outline, ValueKind};
use dunlin::config::spans_keys::is_secret;
use zeroize::Zeroizing;

/// What stands for a secret.
pub(super) const MASK: &str = "*****";

/// Length of a seed of an nkey.
const SEED_BYTES: usize = 58;
/// A shorter value is hidden only where it stands alone in quotes: it may be a part of any word.
const WORD_BYTES_MIN: usize = 4;

/// The bytes of a file that are secrets, in no order; they may overlap.
pub(super) fn secrets(text: &[u8], outline: &Outline) -> Vec<Range<usize>> {
    let bytes = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    // A key of this name gives a secret its value.
    let mut sources: Vec<&[u8]> = Vec::new();
    let mut ranges = Vec::new();
    let holds_secret: Vec<bool> = outline.entries.iter().map(|entry| is_secret(bytes(&entry.name))).collect();
    for (number, entry) in outline.entries.iter().enumerate() {
        let is_known = holds_secret.get(number).copied().unwrap_or_default();
        match entry.kind {
            // An account may have such a name; what is secret in it has a key of its own.
            ValueKind::Block | ValueKind::List | ValueKind::Include => {}
            ValueKind::Variable if is_known => {
                sources.push(bytes(&entry.value).strip_prefix(b"$").unwrap_or_default());
                ranges.push(entry.value.clone());
            }
            _ if is_known => ranges.push(entry.value.clone()),
            _ if contains(bytes(&entry.value), b"PRIVATE KEY") => ranges.push(entry.value.clone()),
            _ => {}
        }
    }
    let given = outline.entries.iter().filter(|entry| sources.contains(&bytes(&entry.name)));
    ranges.extend(given.map(|entry| entry.value.clone()));
    ranges.extend(after_fault(text, outline));
    ranges.extend(lookalikes(text));
    ranges
}

/// Behind the first place that is not in the grammar nobody knows what is a value: from the name of a secret on, a line is hidden.
fn after_fault(text: &[u8], outline: &Outline) -> Vec<Range<usize>> {
    let Some(fault) = &outline.fault else { return Vec::new() };
    let mut ranges = Vec::new();
    let last = outline.entries.last();
    let is_secret_key = |range: &Range<usize>| is_secret(text.get(range.clone()).unwrap_or_default());
    if let Some(entry) = last.filter(|entry| is_secret_key(&entry.name)) {
        // Its value has not ended, or, where it is in no quotes, not where its owner thinks.
        let is_closed = matches!(text.get(entry.value.start), Some(b'"' | b'\'')) && entry.value.end < text.len();
        if !is_closed {
            let rest = text.get(entry.name.end..).unwrap_or_default();
            let between =
                rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b':' | b'=' | b'"' | b'\'')).count();
            let start = (entry.name.end + between).min(fault.value_start.unwrap_or(text.len()));
            ranges.push(start..line_end(text, start));
        }
        ranges.extend(fault.value_start.map(|start| start..text.len()).filter(|_| entry.value.end >= text.len()));
    }
    let mut at = fault.good_end.min(text.len());
    while at < text.len() {
        let end = line_end(text, at);
        ranges.extend(words_of_secrets(text, at..end));
        at = end + 1;
    }
    ranges
}

/// What follows the name of a secret in a text that nobody has parsed.
pub(super) fn words_of_secrets(text: &[u8], line: Range<usize>) -> Option<Range<usize>> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut at = line.start;
    while at < line.end {
        let rest = text.get(at..line.end)?;
        let skipped = rest.iter().take_while(|byte| !is_name(byte)).count();
        let length = rest.iter().skip(skipped).take_while(|byte| is_name(byte)).count();
        let word = at + skipped..at + skipped + length;
        if length == 0 {
            return None;
        }
        if is_secret(text.get(word.clone())?) {
            return (word.end < line.end).then_some(word.end..line.end);
        }
        at = word.end;
    }
    None
}

/// Seeds of nkeys, tokens in JWT and logins in URLs, wherever they stand.
fn lookalikes(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut at = 0;
    for word in text.split(|&byte| !is_word(byte)) {
        let is_seed = word.len() == SEED_BYTES
            && word.starts_with(b"S")
            && word.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        if is_seed || word.starts_with(b"eyJ") && word.len() > SEED_BYTES {
            ranges.push(at..at + word.len());
        }
        at += word.len() + 1;
    }
    let mut from = 0;
    while let Some(found) = find(text.get(from..).unwrap_or_default(), b"://") {
        let start = from + found + 3;
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| !matches!(byte, b'/' | b'"' | b'\'' | b'\n' | b' ' | b',')).count();
        if let Some(end) = rest.get(..length).and_then(|login| login.iter().rposition(|&byte| byte == b'@')) {
            let name = rest.iter().take(end).position(|&byte| byte == b':').map_or(0, |colon| colon + 1);
            ranges.push(start + name..start + end);
        }
        from = start + length;
    }
    ranges
}

/// A value without what looks like a secret in it.
pub(super) fn masked(value: &str) -> String {
    let mut out = value.to_owned();
    let mut ranges = lookalikes(value.as_bytes());
    ranges.sort_by_key(|range| range.start);
    for range in ranges.into_iter().rev().filter(|range| value.get(range.clone()).is_some()) {
        out.replace_range(range, MASK);
    }
    out
}

/// A message without the secrets of the files that it may quote.
pub(super) fn scrubbed(message: &str, secrets: &[Zeroizing<String>]) -> String {
    let mut message = message.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if secret.len() >= WORD_BYTES_MIN {
            message = message.replace(secret.as_str(), MASK);
        }
        for quote in ['\'', '"'] {
            message = message.replace(&format!("{quote}{}{quote}", secret.as_str()), &format!("{quote}{MASK}{quote}"));
        }
    }
    message
}

fn line_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().position(|&byte| byte == b'\n').map_or(text.len(), |length| at + length)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    find(text, what).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin::config::spans::outline;

    /// The text with its secrets replaced.
    fn masked(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for range in secrets(text.as_bytes(), &outline(text.as_bytes())) {
            bytes[range].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
        }
        String::from_utf8(bytes).expect("ASCII")
    }

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        for (text, hidden) in [
            ("authorization { user: a, password: hunter2 } # b", "hunter2"),
            ("authorization { \"token\" = 'hunter2' }", "'hunter2'"),
            ("authorization { token: $hunter2 }\nport: 1", "$hunter2"),
            ("a { pass: hunter2, x: 1 }", "hunter2"),
            ("jetstream { key: hunter2 }", "hunter2"),
            ("dunlin { monitoring { token: 12345 } }", "12345"),
            ("a: nats://u:hunter2@h:1/x", "hunter2"),
            ("a: nats://hunter2@h:1", "hunter2"),
            (
                "x: SUAGMJH5XLGZKKQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM",
                "SUAGMJH5XLGZKKQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM",
            ),
            ("authorization { user: a, password: \"hunter2\nport: 1\n", "\"hunter2"),
            ("authorization { token: hunter2 and more }", "hunter2 and more }"),
            ("a {\n users: [\n {user: a, password: \"hunter2\"}\nport: 4222\n", "\"hunter2\""),
            ("max_subscription_tokens: 5\nport: 1", ""),
            ("accounts { token { users: [] } }", ""),
        ] {
            let mut expected = text.replacen(hidden, &"*".repeat(hidden.len()), usize::from(!hidden.is_empty()));
            if text.ends_with("port: 1\n") && text.contains('"') {
                expected = expected.replace("port: 1", "*******");
            }
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_variable_brings_into_a_secret_is_one() {
        assert_eq!(
            masked("pw = hunter2\nauthorization { token: $pw }\n"),
            "pw = *******\nauthorization { token: *** }\n"
        );
    }

    #[test]
    fn what_nobody_has_parsed_is_hidden_from_the_name_on() {
        let text = "a: 1 2\nauthorization { user: x, password: hunter2 }\nport: 1\n";
        assert_eq!(
            masked(text),
            "a: 1 2\nauthorization { user: x, password*******************\nport: 1\n"
                .replace("password*******************", &format!("password{}", "*".repeat(11)))
        );
    }

    #[test]
    fn messages_are_scrubbed() {
        let secrets = [Zeroizing::new("hunter2".to_owned()), Zeroizing::new("a".to_owned())];
        assert_eq!(scrubbed("integer 'hunter2' and 'a' are bad", &secrets), "integer '*****' and '*****' are bad");
    }
}
