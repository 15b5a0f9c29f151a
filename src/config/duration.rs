//! Durations in the peer's form (`1h30m`, `1.5s`, `300ms`), read and written.
//!
//! Pure. Nanoseconds in 64 bits, as the peer counts; what does not fit is an error.

use super::value::quoted;
use std::fmt::Write as _;

/// Nanoseconds of one unit.
fn unit_nanos(unit: &[u8]) -> Option<u64> {
    Some(match unit {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Reads a duration; nanoseconds.
///
/// # Errors
/// What is wrong, in the peer's words.
pub(super) fn parse(text: &[u8]) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quoted_ascii(text));
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    // The most negative value has no positive counterpart.
    let limit = u64::from(is_negative) + i64::MAX.unsigned_abs();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |byte| byte.is_ascii_digit() || byte == b'.');
        let (whole, fraction) = match number.iter().position(|&byte| byte == b'.') {
            Some(point) => (number.get(..point), number.get(point + 1..)),
            None => (Some(number), None),
        };
        let (whole, fraction) = (whole.unwrap_or_default(), fraction.unwrap_or_default());
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        // A second point ends the number; what follows it is no unit.
        let (fraction, after) = match fraction.iter().position(|&byte| byte == b'.') {
            Some(at) => (fraction.get(..at).unwrap_or_default(), rest.get(whole.len() + 1 + at..).unwrap_or_default()),
            None => (fraction, after),
        };
        let (unit, next) = split_while(after, |byte| !byte.is_ascii_digit() && byte != b'.');
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quoted_ascii(text)));
        }
        let Some(nanos) = unit_nanos(unit) else {
            return Err(format!("time: unknown unit {} in duration {}", quoted_ascii(unit), quoted_ascii(text)));
        };
        let part = part_nanos(whole, fraction, nanos).ok_or_else(invalid)?;
        total = total.checked_add(part).filter(|&total| total <= limit).ok_or_else(invalid)?;
        rest = next;
    }
    let value = if is_negative { 0i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() };
    value.ok_or_else(invalid)
}

fn part_nanos(whole: &[u8], fraction: &[u8], unit: u64) -> Option<u64> {
    let mut value: u64 = 0;
    for digit in whole {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    let mut nanos = value.checked_mul(unit)?;
    let mut scale = unit;
    // Exact to the nanosecond for every unit; digits below it are dropped.
    for digit in fraction.iter().take(13) {
        nanos = nanos.checked_add(u64::from(digit - b'0') * scale / 10)?;
        scale /= 10;
    }
    Some(nanos)
}

fn split_while(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| !belongs(byte)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// The peer quotes durations byte by byte: all but printable ASCII as `\xHH`.
fn quoted_ascii(text: &[u8]) -> String {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return quoted(text);
    }
    let mut out = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}

/// Writes a duration as the peer shows it: `1h0m0s`, `29s`, `1.5s`, `300ms`.
pub fn shown(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".into();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let magnitude = nanos.unsigned_abs();
    let decimal = |unit: u64, name: &str| {
        let fraction = format!("{:0width$}", magnitude % unit, width = unit.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{fraction}{name}", magnitude / unit)
    };
    match magnitude {
        0..1_000 => format!("{sign}{magnitude}ns"),
        1_000..1_000_000 => decimal(1_000, "\u{b5}s"),
        1_000_000..1_000_000_000 => decimal(1_000_000, "ms"),
        _ => {
            let seconds = magnitude / 1_000_000_000;
            let rest = magnitude % 60_000_000_000;
            let mut small = format!("{}.{:09}", rest / 1_000_000_000, rest % 1_000_000_000);
            small.truncate(small.trim_end_matches('0').trim_end_matches('.').len());
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => format!("{sign}{small}s"),
                (0, minutes) => format!("{sign}{minutes}m{small}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{small}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, shown};

    #[test]
    fn durations_are_read() {
        for (text, nanos) in [
            ("1m30s", 90_000_000_000),
            ("2500ms", 2_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1us1\u{b5}s1\u{3bc}s1ns", 3_001),
            ("+5s", 5_000_000_000),
            ("-1m", -60_000_000_000),
            ("0", 0),
            ("-0", 0),
            ("1.5h", 5_400_000_000_000),
            ("0.000000001s", 1),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn malformed_durations_have_the_peers_texts() {
        for (text, expected) in [
            (&b"2"[..], r#"time: missing unit in duration "2""#),
            (b"", r#"time: invalid duration """#),
            (b"1m2", r#"time: missing unit in duration "1m2""#),
            (b".", r#"time: invalid duration ".""#),
            (b"s", r#"time: invalid duration "s""#),
            (b"+", r#"time: invalid duration "+""#),
            (b"1d", r#"time: unknown unit "d" in duration "1d""#),
            (b"1 s", r#"time: unknown unit " s" in duration "1 s""#),
            (b"9999999999h", r#"time: invalid duration "9999999999h""#),
            (b"1m\n", r#"time: unknown unit "m\x0a" in duration "1m\x0a""#),
            (b"1h2x\xff", r#"time: unknown unit "x\xff" in duration "1h2x\xff""#),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn durations_are_shown_as_the_peer_shows_them() {
        for (nanos, expected) in [
            (0, "0s"),
            (29_000_000_000, "29s"),
            (3_600_000_000_000, "1h0m0s"),
            (120_000_000_000, "2m0s"),
            (1_500_000_000, "1.5s"),
            (300_000_000, "300ms"),
            (1_500, "1.5\u{b5}s"),
            (7, "7ns"),
            (-30_000_000_000, "-30s"),
            (61_000_000_001, "1m1.000000001s"),
        ] {
            assert_eq!(shown(nanos), expected);
        }
    }
}
