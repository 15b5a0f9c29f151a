//! The usual form of the frequent operations, recognised with few instructions.
//!
//! Owns nothing of the language: whatever it answers, `Parser::next_general` answers the same, and it answers `None`
//! wherever it is not sure. Takes one blank between arguments, CR LF at the end, nothing incomplete and nothing wrong.
//! Scans eight bytes at a time, since subjects are short: a call to a wide search costs more than it saves.

use super::control_line::SIZE_DIGITS_MAX;
use super::op::{ClientOp, Publish};
use super::parser::{Parsed, ParserLimits};

/// Lower-cases the letters of a verb's first four bytes; the blank behind a verb of three stays as it is.
const FOLD_THREE: u32 = 0x0020_2020;
const FOLD_FOUR: u32 = 0x2020_2020;
const PUB: u32 = u32::from_le_bytes(*b"pub ");
const SUB: u32 = u32::from_le_bytes(*b"sub ");
const HPUB: u32 = u32::from_le_bytes(*b"hpub");
const PING: u32 = u32::from_le_bytes(*b"ping");
const PONG: u32 = u32::from_le_bytes(*b"pong");
const UNSU: u32 = u32::from_le_bytes(*b"unsu");
const CR_LF: u16 = u16::from_le_bytes(*b"\r\n");
const CR_LF_BYTES: usize = 2;

/// A publication with its sizes checked, and how many bytes it took.
type Published<'a> = (Publish<'a>, usize);

/// Bytes that are looked at without asking whether they are there.
const WINDOW_BYTES: usize = 32;
const EACH: u64 = u64::from_le_bytes([1; 8]);

/// `PUB subject [reply] size` and its payload, where that is what `input` begins with, in its usual form.
///
/// A part of the caller's loop, whatever the compiler thinks of its size: what it finds would else be handed over in memory, written in
/// words and read in pairs of them, which stalls. The other operations are behind a call.
#[inline(always)]
pub(super) fn publish(limits: ParserLimits, input: &[u8]) -> Option<Published<'_>> {
    let head = u32::from_le_bytes(*input.first_chunk()?);
    if head | FOLD_THREE != PUB {
        return None;
    }
    match publish_short(limits, input) {
        None => publish_any(limits, input),
        found => found,
    }
}

/// That, or `HPUB subject [reply] header_size total_size` in its usual form.
#[inline]
pub(super) fn publish_of_any_kind(limits: ParserLimits, input: &[u8]) -> Option<Published<'_>> {
    match publish(limits, input) {
        None if u32::from_le_bytes(*input.first_chunk()?) | FOLD_FOUR == HPUB => publish_with_headers(limits, input),
        found => found,
    }
}

/// `PUB subject size` with a subject of at most 15 bytes and a size of at most six digits: most of what servers get.
///
/// The verb was already seen. Within the window each place is bounded by how it was
/// computed, so that the compiler leaves the checks out.
#[inline(always)]
fn publish_short(limits: ParserLimits, input: &[u8]) -> Option<Published<'_>> {
    const ARGUMENTS_AT: usize = 4;
    let window: &[u8; WINDOW_BYTES] = input.first_chunk()?;
    let (blanks, skipped) = match blanks(word_at(window, ARGUMENTS_AT)) {
        0 => (blanks(word_at(window, ARGUMENTS_AT + 8)), 8),
        blanks => (blanks, 0),
    };
    if blanks == 0 {
        return None;
    }
    let subject_len = skipped + (blanks.trailing_zeros() / 8) as usize;
    let blank_at = ARGUMENTS_AT + subject_len;
    if subject_len == 0 || window.get(blank_at) != Some(&b' ') {
        return None;
    }
    let digits = word_at(window, blank_at + 1);
    let digits_len = leading_digits(digits);
    // The two bytes behind six digits are still in the word.
    if digits_len == 0 || digits_len > 6 || (digits >> (digits_len * 8)) as u16 != CR_LF {
        return None;
    }
    let size = decimal(digits, digits_len);
    let line_len = subject_len + 1 + digits_len;
    if line_len > limits.control_line_bytes_max as usize || size > limits.payload_bytes_max {
        return None;
    }
    let content_at = ARGUMENTS_AT + line_len + CR_LF_BYTES;
    let (content, rest) = content(input.get(content_at..)?, size as usize)?;
    let subject = window.get(ARGUMENTS_AT..blank_at)?;
    let publish = Publish { subject, reply: &[], has_headers: false, header_len: 0, content };
    Some((publish, input.len() - rest.len()))
}

/// The next publication of a publisher who goes on as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Where its payload begins.
    pub content_at: usize,
    /// Behind the line end that follows it.
    pub end: usize,
}

/// `PUB subject size` and its payload, where all up to the size is `prefix`, with one blank at its end: the size without zeros in
/// front, the line end CR LF. What is found is as [`publish`] finds it.
#[inline]
pub(super) fn publish_again(limits: ParserLimits, input: &[u8], prefix: &[u8]) -> Option<Again> {
    let head = u32::from_le_bytes(*input.first_chunk()?);
    if head | FOLD_THREE != PUB || !input.starts_with(prefix) {
        return None;
    }
    let rest = input.get(prefix.len()..)?;
    let digits = u64::from_le_bytes(*rest.first_chunk()?);
    let digits_len = leading_digits(digits);
    if digits_len == 0 || digits_len > 6 || (digits >> (digits_len * 8)) as u16 != CR_LF {
        return None;
    }
    let size = decimal(digits, digits_len);
    let line_len = prefix.len() - 4 + digits_len;
    let has_zeros = digits_len > 1 && digits as u8 == b'0';
    if has_zeros || line_len > limits.control_line_bytes_max as usize || size > limits.payload_bytes_max {
        return None;
    }
    let content_at = prefix.len() + digits_len + CR_LF_BYTES;
    let end = content_at + size as usize + CR_LF_BYTES;
    let line_end = input.get(..end)?.last_chunk()?;
    (u16::from_le_bytes(*line_end) == CR_LF).then_some(Again { content_at, end })
}

/// Eight bytes of the window.
#[inline]
fn word_at(window: &[u8; WINDOW_BYTES], at: usize) -> u64 {
    let word = window.get(at..at + 8).and_then(|word| word.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// The high bit of each byte that is at most a blank; exact up to the first one, which is all that is asked.
#[inline]
fn blanks(word: u64) -> u64 {
    word.wrapping_sub(EACH * (b' ' as u64 + 1)) & !word & (EACH * 0x80)
}

/// How many bytes from the first on are digits.
#[inline]
fn leading_digits(word: u64) -> usize {
    let values = word ^ (EACH * b'0' as u64);
    // From ten on, adding 0x76 reaches the high bit; a carry only comes from the first such byte, which is all that is asked.
    let others = (values.wrapping_add(EACH * 0x76) | values) & (EACH * 0x80);
    (others.trailing_zeros() / 8) as usize
}

/// The number that the first `len` bytes are, all of them digits; `len` is 1 to 8.
#[inline]
fn decimal(word: u64, len: usize) -> u32 {
    // Zeros in front; then neighbours are joined, as tens and ones, hundreds and the rest, all at once.
    let values = (word & (EACH * 0x0f)) << (64 - 8 * len);
    let pairs = (values.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(1 + (10_000 << 32)) >> 32) as u32
}

/// `PUB subject [reply] size` of any length, the verb already seen.
#[inline(always)]
fn publish_any(limits: ParserLimits, input: &[u8]) -> Option<Published<'_>> {
    let arguments = input.get(4..)?;
    let (subject, rest) = argument(arguments)?;
    let (size, reply, rest) = match last_number(rest) {
        Some((size, rest)) => (size, &[][..], rest),
        None => {
            let (reply, rest) = argument(rest)?;
            let (size, rest) = last_number(rest)?;
            (size, reply, rest)
        }
    };
    let line_len = arguments.len() - rest.len() - CR_LF_BYTES;
    if line_len > limits.control_line_bytes_max as usize || size > limits.payload_bytes_max {
        return None;
    }
    let (content, rest) = content(rest, size as usize)?;
    let publish = Publish { subject, reply, has_headers: false, header_len: 0, content };
    Some((publish, input.len() - rest.len()))
}

/// The other frequent operations.
pub(super) fn other(limits: ParserLimits, input: &[u8]) -> Option<Parsed<'_>> {
    let head = u32::from_le_bytes(*input.first_chunk()?);
    if head | FOLD_THREE == SUB {
        return subscribe(limits, input);
    }
    match head | FOLD_FOUR {
        HPUB => {
            let (publish, consumed) = publish_with_headers(limits, input)?;
            Some(Parsed::Op { op: ClientOp::Publish(publish), consumed })
        }
        UNSU => unsubscribe(limits, input),
        PING if ends_line(input.get(4..)?) => Some(Parsed::Op { op: ClientOp::Ping, consumed: 6 }),
        PONG if ends_line(input.get(4..)?) => Some(Parsed::Op { op: ClientOp::Pong, consumed: 6 }),
        _ => None,
    }
}

/// `HPUB subject [reply] header_size total_size` and what follows it.
fn publish_with_headers(limits: ParserLimits, input: &[u8]) -> Option<Published<'_>> {
    let arguments = input.get(4..)?.strip_prefix(b" ")?;
    let (subject, rest) = argument(arguments)?;
    let (sizes, reply, rest) = match two_numbers(rest) {
        Some((sizes, rest)) => (sizes, &[][..], rest),
        None => {
            let (reply, rest) = argument(rest)?;
            let (sizes, rest) = two_numbers(rest)?;
            (sizes, reply, rest)
        }
    };
    let (header_len, size) = sizes;
    let line_len = arguments.len() - rest.len() - CR_LF_BYTES;
    let fits = line_len <= limits.control_line_bytes_max as usize && size <= limits.payload_bytes_max;
    if !limits.headers || !fits || header_len > size {
        return None;
    }
    let (content, rest) = content(rest, size as usize)?;
    let header_len = header_len as usize;
    let publish = Publish { subject, reply, has_headers: true, header_len, content };
    Some((publish, input.len() - rest.len()))
}

/// `SUB pattern [queue] sid`
fn subscribe(limits: ParserLimits, input: &[u8]) -> Option<Parsed<'_>> {
    let arguments = input.get(4..)?;
    let (pattern, rest) = argument(arguments)?;
    let (second, rest) = token(rest)?;
    let (queue, sid, rest) = match rest.strip_prefix(b" ") {
        None => (None, second, rest),
        Some(rest) => {
            let (sid, rest) = token(rest)?;
            (Some(second), sid, rest)
        }
    };
    let line_len = arguments.len() - rest.len();
    if !ends_line(rest) || line_len > limits.control_line_bytes_max as usize {
        return None;
    }
    let consumed = input.len() - rest.len() + CR_LF_BYTES;
    Some(Parsed::Op { op: ClientOp::Subscribe { pattern, queue, sid }, consumed })
}

/// `UNSUB sid [max]`
fn unsubscribe(limits: ParserLimits, input: &[u8]) -> Option<Parsed<'_>> {
    let [b'b' | b'B', b' ', arguments @ ..] = input.get(4..)? else {
        return None;
    };
    let (sid, rest) = token(arguments)?;
    let (max, rest) = match rest.strip_prefix(b" ") {
        None => (None, rest),
        Some(rest) => number(rest).map(|(max, rest)| (Some(u64::from(max)), rest))?,
    };
    let line_len = arguments.len() - rest.len();
    if !ends_line(rest) || line_len > limits.control_line_bytes_max as usize || max == Some(0) {
        return None;
    }
    let consumed = input.len() - rest.len() + CR_LF_BYTES;
    Some(Parsed::Op { op: ClientOp::Unsubscribe { sid, max }, consumed })
}

/// The argument at the beginning, and what is behind the one blank that follows it.
#[inline]
fn argument(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (argument, rest) = token(input)?;
    Some((argument, rest.strip_prefix(b" ")?))
}

/// The bytes up to the next control byte or blank, and the rest from that one on. Neither is empty.
#[inline]
fn token(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    let mut rest = input;
    let end = loop {
        let Some((word, tail)) = rest.split_first_chunk() else {
            break at + rest.iter().position(|&byte| byte <= b' ')?;
        };
        let blanks = blanks(u64::from_le_bytes(*word));
        if blanks != 0 {
            break at + (blanks.trailing_zeros() / 8) as usize;
        }
        at += 8;
        rest = tail;
    };
    if end == 0 { None } else { input.split_at_checked(end) }
}

/// The number at the beginning, of at most [`SIZE_DIGITS_MAX`] digits, and the rest from the first other byte on.
#[inline]
fn number(input: &[u8]) -> Option<(u32, &[u8])> {
    let mut value: u32 = 0;
    let mut rest = input;
    loop {
        let (byte, tail) = rest.split_first()?;
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // Cannot wrap while the digits are few enough.
        value = value.wrapping_mul(10).wrapping_add(u32::from(digit));
        rest = tail;
    }
    let digits = input.len() - rest.len();
    if digits.wrapping_sub(1) >= SIZE_DIGITS_MAX {
        return None; // none at all, or too many
    }
    Some((value, rest))
}

/// A number and the line end; what is behind that.
#[inline]
fn last_number(input: &[u8]) -> Option<(u32, &[u8])> {
    let (value, rest) = number(input)?;
    Some((value, behind_line_end(rest)?))
}

/// Two numbers, one blank between them, then the line end; what is behind that.
#[inline]
fn two_numbers(input: &[u8]) -> Option<((u32, u32), &[u8])> {
    let (first, rest) = number(input)?;
    let (second, rest) = last_number(rest.strip_prefix(b" ")?)?;
    Some(((first, second), rest))
}

/// Whether CR LF comes next.
#[inline]
fn ends_line(input: &[u8]) -> bool {
    behind_line_end(input).is_some()
}

/// What is behind the CR LF that comes next.
#[inline]
fn behind_line_end(input: &[u8]) -> Option<&[u8]> {
    let (pair, rest) = input.split_first_chunk()?;
    if u16::from_le_bytes(*pair) == CR_LF { Some(rest) } else { None }
}

/// The next `size` bytes, where CR LF follows them, and what is behind that.
#[inline]
fn content(input: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (content, rest) = input.split_at_checked(size)?;
    Some((content, behind_line_end(rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::parser::Parser;

    const LIMITS: ParserLimits =
        ParserLimits { control_line_bytes_max: 20, payload_bytes_max: 1_000_000, headers: true };

    #[test]
    fn short_publications_take_the_short_way_and_mean_the_same() {
        let sizes = (0..130).chain([999, 1000, 1001, 9999, 10_000, 99_999, 100_000, 999_999, 1_000_000]);
        for size in sizes {
            for subject_len in 1..=17 {
                let (subject, payload) = ("s".repeat(subject_len), "1".repeat(size));
                let input = format!("PUB {subject} {size}\r\n{payload}\r\nPUB and what follows here\r\n");
                let short = publish_short(LIMITS, input.as_bytes());
                let expected = Parser::new(LIMITS).next_general(input.as_bytes());
                if let Some((publish, consumed)) = short {
                    let op = ClientOp::Publish(publish);
                    assert_eq!(Ok(Parsed::Op { op, consumed }), expected, "{subject_len}, {size}");
                    assert_eq!((publish.content.len(), publish.subject.len()), (size, subject_len));
                }
                let line_len = subject_len + 1 + size.to_string().len();
                let is_short = subject_len <= 15 && size < 1_000_000 && line_len <= 20;
                assert_eq!(short.is_some(), is_short, "{subject_len}, {size}");
            }
        }
    }

    #[test]
    fn a_publication_of_any_kind_is_what_the_whole_language_says() {
        let lines = ["PUB a.b 2", "pub a.b reply 2", "HPUB a.b 0 2", "hpub a.b reply 1 2", "HPUB a.b.c.d.e.f.g.h 2 2"];
        let others = ["HPUB a.b 2", "HPUB a.b 3 2", "HPUBa.b 0 2", "HPUX a.b 0 2", "PING", "SUB a.b 2", "+OK"];
        for line in lines.into_iter().chain(others) {
            let input = format!("{line}\r\nhi\r\nHPUB what follows");
            let found = publish_of_any_kind(LIMITS, input.as_bytes());
            assert_eq!(found.is_some(), lines.contains(&line) && line.len() < 25, "{line}");
            if let Some((publish, consumed)) = found {
                let expected = Parser::new(LIMITS).next_general(input.as_bytes());
                assert_eq!(Ok(Parsed::Op { op: ClientOp::Publish(publish), consumed }), expected, "{line}");
                assert_eq!(publish_of_any_kind(LIMITS, &input.as_bytes()[..consumed - 1]), None, "{line}");
            }
        }
        let without = ParserLimits { headers: false, ..LIMITS };
        assert_eq!(publish_of_any_kind(without, b"HPUB a.b 0 2\r\nhi\r\n"), None);
    }

    #[test]
    fn going_on_as_before_means_what_it_always_means() {
        let lines = [
            "PUB a.b 2",
            "pub a.b 2",
            "PUB a.b 02",
            "PUB a.b 0",
            "PUB a.b  2",
            "PUB a.c 2",
            "PUB a.b 1000001",
            "PUB a.b x 2",
        ];
        let prefixes = ["PUB a.b ", "pub a.b ", "PUB a.bc ", "UB a.b ", "PUB a.b 2 "];
        let mut taken = 0;
        for prefix in prefixes {
            for line in lines {
                for tail in
                    ["\r\nhi\r\nPUB", "\r\n\r\nPING\r\n", "\nhi\r\nPUB a", "\r\nhi\n\rPUB a", "\r\nhi", "", "\r\n"]
                {
                    let input = format!("{line}{tail}");
                    let Some(again) = publish_again(LIMITS, input.as_bytes(), prefix.as_bytes()) else { continue };
                    taken += 1;
                    let expected = Parser::new(LIMITS).next_general(input.as_bytes());
                    let Ok(Parsed::Op { op: ClientOp::Publish(publish), consumed }) = expected else {
                        panic!("{input:?} is no publication: {expected:?}");
                    };
                    assert_eq!(consumed, again.end, "{input:?}");
                    assert_eq!(publish.content, &input.as_bytes()[again.content_at..again.end - 2], "{input:?}");
                    assert_eq!(publish.subject, prefix[4..].trim_end().as_bytes(), "{input:?}");
                }
            }
        }
        assert_eq!(taken, 3, "each spelling as it was, with a payload and without");
    }

    #[test]
    fn digits_are_counted_and_summed() {
        for text in ["1\r\n_____", "12\r\n____", "000123\r\n", "99999999", "1234567:", "0/______", "45\u{7f}\0\0\0\0\0"]
        {
            let bytes: [u8; 8] = text.as_bytes().try_into().unwrap_or_default();
            let word = u64::from_le_bytes(bytes);
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            assert_eq!(leading_digits(word), digits, "{text:?}");
            assert_eq!(Ok(decimal(word, digits)), text[..digits].parse(), "{text:?}");
        }
        assert_eq!(leading_digits(u64::from_le_bytes(*b"\xff1111111")), 0);
        assert_eq!(leading_digits(u64::from_le_bytes(*b"1\xff111111")), 1);
    }
}
