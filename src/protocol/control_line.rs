//! Arguments of PUB, HPUB, SUB and UNSUB: the bytes between the verb and the line end, split and checked.
//!
//! Owns what separates arguments and which numbers are sizes. Must not look at payloads, nor judge subjects.
//! Invariant: no argument holds a blank, a tab or a line feed; sizes fit nine digits, so no sum of two can overflow.

use super::error::{ArgumentFault, ProtocolError, Verb};
use super::op::ClientOp;

/// Digits that a size may have; leading zeros count.
pub const SIZE_DIGITS_MAX: usize = 9;

/// Arguments of `PUB` or `HPUB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublishArguments<'a> {
    pub(super) subject: &'a [u8],
    /// Empty: nobody waits for an answer.
    pub(super) reply: &'a [u8],
    pub(super) header_len: u32,
    /// Headers and payload.
    pub(super) total_len: u32,
}

/// A number of 1 to [`SIZE_DIGITS_MAX`] plain digits.
pub(super) fn parse_size(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > SIZE_DIGITS_MAX {
        return None;
    }
    digits.iter().try_fold(0u32, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// Splits `line` at runs of separators; at most `N` arguments are kept, and all are counted.
fn split<const N: usize>(line: &[u8], is_separator: fn(u8) -> bool) -> ([&[u8]; N], usize) {
    let mut arguments: [&[u8]; N] = [&[]; N];
    let mut count = 0;
    for argument in line.split(|&byte| is_separator(byte)).filter(|argument| !argument.is_empty()) {
        if let Some(place) = arguments.get_mut(count) {
            *place = argument;
        }
        count += 1;
        if count > N {
            break; // one too many is already wrong
        }
    }
    (arguments, count)
}

/// In PUB and HPUB a CR inside the line is a byte like others, as nats-server has it where a line arrives in one piece.
fn separates_publish(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// In SUB and UNSUB a CR separates.
fn separates_subscribe(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// `subject [reply] size`
pub(super) fn parse_publish(line: &[u8]) -> Result<PublishArguments<'_>, ProtocolError> {
    let bad = |fault| ProtocolError::BadArguments { verb: Verb::Publish, fault };
    let (subject, reply, size) = match split::<3>(line, separates_publish) {
        ([subject, size, _], 2) => (subject, &[][..], size),
        ([subject, reply, size], 3) => (subject, reply, size),
        _ => return Err(bad(ArgumentFault::Count)),
    };
    let total_len = parse_size(size).ok_or(bad(ArgumentFault::Size))?;
    Ok(PublishArguments { subject, reply, header_len: 0, total_len })
}

/// `subject [reply] header_size total_size`
pub(super) fn parse_publish_with_headers(line: &[u8]) -> Result<PublishArguments<'_>, ProtocolError> {
    let bad = |fault| ProtocolError::BadArguments { verb: Verb::PublishWithHeaders, fault };
    let (subject, reply, header_size, total_size) = match split::<4>(line, separates_publish) {
        ([subject, header_size, total_size, _], 3) => (subject, &[][..], header_size, total_size),
        ([subject, reply, header_size, total_size], 4) => (subject, reply, header_size, total_size),
        _ => return Err(bad(ArgumentFault::Count)),
    };
    let header_len = parse_size(header_size).ok_or(bad(ArgumentFault::HeaderSize))?;
    let total_len = parse_size(total_size).ok_or(bad(ArgumentFault::Size))?;
    if header_len > total_len {
        return Err(bad(ArgumentFault::HeaderLargerThanTotal));
    }
    Ok(PublishArguments { subject, reply, header_len, total_len })
}

/// `pattern [queue] sid`
pub(super) fn parse_subscribe(line: &[u8]) -> Result<ClientOp<'_>, ProtocolError> {
    match split::<3>(line, separates_subscribe) {
        ([pattern, sid, _], 2) => Ok(ClientOp::Subscribe { pattern, queue: None, sid }),
        ([pattern, queue, sid], 3) => Ok(ClientOp::Subscribe { pattern, queue: Some(queue), sid }),
        _ => Err(ProtocolError::BadArguments { verb: Verb::Subscribe, fault: ArgumentFault::Count }),
    }
}

/// `sid [max]`. A `max` that is no number, 0, or longer than a size means what none means: end it now.
pub(super) fn parse_unsubscribe(line: &[u8]) -> Result<ClientOp<'_>, ProtocolError> {
    match split::<2>(line, separates_subscribe) {
        ([sid, _], 1) => Ok(ClientOp::Unsubscribe { sid, max: None }),
        ([sid, max], 2) => {
            let max = parse_size(max).filter(|&max| max > 0).map(u64::from);
            Ok(ClientOp::Unsubscribe { sid, max })
        }
        _ => Err(ProtocolError::BadArguments { verb: Verb::Unsubscribe, fault: ArgumentFault::Count }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2019_13126_sizes_have_a_digit_cap_and_checked_maths() {
        let cases: [(&[u8], Option<u32>); 12] = [
            (b"0", Some(0)),
            (b"000000003", Some(3)),
            (b"999999999", Some(999_999_999)),
            (b"0000000003", None),
            (b"1000000000", None),
            (b"4294967296", None),
            (b"99999999999999999999999999", None),
            (b"", None),
            (b"-1", None),
            (b"+1", None),
            (b"1a", None),
            (b"1\r", None),
        ];
        for (digits, expected) in cases {
            assert_eq!(parse_size(digits), expected, "{}", digits.escape_ascii());
        }
    }

    #[test]
    fn blanks_around_arguments_do_not_matter() {
        let expected = PublishArguments { subject: b"a", reply: b"r", header_len: 0, total_len: 7 };
        for line in ["a r 7", " a \t r  7 ", "\ta\tr\t7\t"] {
            assert_eq!(parse_publish(line.as_bytes()), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn unsub_max_that_is_no_number_ends_the_subscription_now() {
        for (max, expected) in [
            ("1", Some(1)),
            ("0", None),
            ("abc", None),
            ("-1", None),
            ("1000000000", None),
            ("999999999", Some(999_999_999)),
        ] {
            let line = format!("5 {max}");
            let expected = ClientOp::Unsubscribe { sid: b"5", max: expected };
            assert_eq!(parse_unsubscribe(line.as_bytes()), Ok(expected), "{max}");
        }
    }

    #[test]
    fn tob_nats_5_cr_separates_in_sub_and_is_a_byte_in_pub() {
        let expected = ClientOp::Subscribe { pattern: b"a", queue: Some(b"b"), sid: b"1" };
        assert_eq!(parse_subscribe(b"a\rb 1"), Ok(expected));
        assert_eq!(parse_publish(b"a\rb 1").map(|p| p.subject), Ok(&b"a\rb"[..]));
        assert!(parse_publish(b"a 1\r2").is_err());
    }
}
