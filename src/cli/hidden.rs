//! Which bytes of a command line are secrets that nobody else on the machine should see.
//!
//! Owns the answer for `--pass`, `--auth` and the like in all their spellings, and for what stands before the `@` of a URL in any argument. Reads
//! the line as `args` does, but goes on where that gives up: a line that is refused is seen as long as the process lives, too.
//! What only names a secret (`@FILE`, `$VARIABLE`) is none.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;

use super::flags::{self, Flag, Takes};
use super::named;
use crate::config::own_flags::Kind;

/// Which argument (the first is number 0), and which of its bytes.
pub type Place = (usize, Range<usize>);

/// The secrets among arguments (without the program's name).
pub fn secrets(arguments: &[OsString]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut expected: Option<Flag> = None;
    let mut flags_ended = false;
    for (number, argument) in arguments.iter().enumerate() {
        let bytes = argument.as_bytes();
        let mut ranges = credentials_of_urls(bytes);
        if let Some(flag) = expected.take() {
            ranges.extend(value_of(&flag, bytes, 0));
        } else if !flags_ended && let Some((flag, value_at)) = flag_of(argument) {
            match value_at {
                Some(at) => ranges.extend(value_of(&flag, bytes, at)),
                None => expected = Some(flag).filter(|flag| !flag.is_switch()),
            }
        } else if bytes == b"--" {
            flags_ended = true;
        }
        places.extend(ranges.into_iter().filter(|range| !range.is_empty()).map(|range| (number, range)));
    }
    places
}

/// The flag of `-name`, `--name` or `-name=value`, and where its value begins.
fn flag_of(argument: &OsStr) -> Option<(Flag, Option<usize>)> {
    let bytes = argument.as_bytes();
    let body = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-"))?;
    let name = body.split(|&byte| byte == b'=').next()?;
    let flag = flags::find(std::str::from_utf8(name).ok()?)?;
    let value_at = (name.len() < body.len()).then(|| bytes.len() - body.len() + name.len() + 1);
    Some((flag, value_at))
}

/// The part of a flag's value that is secret, where the value begins at `at`.
fn value_of(flag: &Flag, argument: &[u8], at: usize) -> Option<Range<usize>> {
    let value = argument.get(at..)?;
    let is_named = std::str::from_utf8(value).is_ok_and(named::is_elsewhere);
    let is_secret = match flag.takes {
        Takes::Secret(_) => true,
        Takes::Own(own) => matches!(own.kind, Kind::Secret(_)),
        _ => false,
    };
    (is_secret && !is_named).then_some(at..argument.len())
}

/// What stands before the last `@` of each URL: after the user's name, or all of it where it is a token. Rather too much than too
/// little: a password may hold every sign that would end it in a correct URL.
fn credentials_of_urls(argument: &[u8]) -> Vec<Range<usize>> {
    const MARK: &[u8] = b"://";
    let starts = memchr::memmem::find_iter(argument, MARK).map(|at| at + MARK.len());
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).map(|next| next - MARK.len()).chain([argument.len()]);
    let credentials = starts.iter().zip(ends).filter_map(|(&start, end)| {
        let url = argument.get(start..end)?;
        let end = start + memchr::memrchr(b'@', url)?;
        let name = memchr::memchr(b':', argument.get(start..end)?);
        Some(name.map_or(start, |length| start + length + 1)..end)
    });
    credentials.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments with each secret byte replaced.
    fn covered(arguments: &[&str]) -> Vec<String> {
        let given: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let mut shown: Vec<Vec<u8>> = arguments.iter().map(|text| text.as_bytes().to_vec()).collect();
        for (number, range) in secrets(&given) {
            shown[number][range].fill(b'x');
        }
        shown.into_iter().map(|bytes| String::from_utf8(bytes).expect("whole characters are covered")).collect()
    }

    #[test]
    fn cve_2026_33247_26_14_secrets_of_flags_are_found_in_every_spelling() {
        for (given, expected) in [
            (&["--pass", "top"][..], &["--pass", "xxx"][..]),
            (&["-pass", "top", "-D"], &["-pass", "xxx", "-D"]),
            (&["--pass=top"], &["--pass=xxx"]),
            (&["-auth=a=b"], &["-auth=xxx"]),
            (
                &["--user", "bob", "--pass", "--auth", "--auth", "t"],
                &["--user", "bob", "--pass", "xxxxxx", "--auth", "x"],
            ),
            (
                &["--monitor_token", "top", "-monitor_password=top"],
                &["--monitor_token", "xxx", "-monitor_password=xxx"],
            ),
            (&["-n", "--pass", "top"], &["-n", "--pass", "top"]),
            (&["--zz", "--pass", "top"], &["--zz", "--pass", "xxx"]),
            (&["-DV", "--pass", "\u{e9}", "word"], &["-DV", "--pass", "xx", "word"]),
            (&["--pass", "@file", "--auth=$NAME"], &["--pass", "@file", "--auth=$NAME"]),
            (&["--pass", "@@file", "--auth=$$NAME"], &["--pass", "xxxxxx", "--auth=xxxxxx"]),
            (&["--pass", "$2a$11$W2zko751"], &["--pass", "xxxxxxxxxxxxxxx"]),
            (&["--pass="], &["--pass="]),
            (&["--pass"], &["--pass"]),
            (&["--", "--pass", "top"], &["--", "--pass", "top"]),
            (&[], &[]),
        ] {
            assert_eq!(covered(given), expected, "{given:?}");
        }
    }

    #[test]
    fn cve_2026_33247_26_14_secrets_in_urls_are_found_in_any_argument() {
        for (given, expected) in [
            ("nats://u:top@a:1", "nats://u:xxx@a:1"),
            ("--cluster=nats://u:top@a:1", "--cluster=nats://u:xxx@a:1"),
            ("nats://token@a:1", "nats://xxxxx@a:1"),
            ("nats://u:t@b,nats://v:w@c", "nats://u:x@b,nats://v:x@c"),
            ("nats://u:p@w/,:d@a", "nats://u:xxxxxxx@a"),
            ("nats://a:1,nats://b:2", "nats://a:1,nats://b:2"),
            ("nats://@a", "nats://@a"),
            ("someone@example.com", "someone@example.com"),
            ("://", "://"),
        ] {
            assert_eq!(covered(&[given]), [expected]);
            assert_eq!(covered(&["--routes", given]), ["--routes", expected]);
        }
    }
}
