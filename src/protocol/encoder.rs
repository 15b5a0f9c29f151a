//! What the server says, written to the end of a buffer.
//!
//! Owns the bytes of MSG, HMSG, PING, PONG, +OK and -ERR (INFO has its own in `handshake`). Must not decide what is said
//! to whom. Invariant: no subject, reply or sid that is written may end a line or an argument; in debug builds that is checked.

use super::error::ProtocolError;

/// `PING`
pub const PING: &[u8] = b"PING\r\n";
/// `PONG`
pub const PONG: &[u8] = b"PONG\r\n";
/// `+OK`
pub const OK: &[u8] = b"+OK\r\n";
/// What ends a line and a payload.
pub const CR_LF: &[u8] = b"\r\n";
/// Decimal digits of the largest `u64`.
pub const DECIMAL_DIGITS_MAX: usize = 20;

/// Where encoded bytes go.
pub trait Sink {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A blank, a tab or a line feed inside an argument would make one line into another.
#[inline]
fn is_argument(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
}

/// `MSG subject `: what all receivers of a message have in common.
#[inline]
pub fn put_msg_subject(out: &mut impl Sink, subject: &[u8]) {
    debug_assert!(!subject.is_empty() && is_argument(subject), "a subject is one argument");
    out.put(b"MSG ");
    out.put(subject);
    out.put(b" ");
}

/// `HMSG subject `
#[inline]
pub fn put_hmsg_subject(out: &mut impl Sink, subject: &[u8]) {
    debug_assert!(!subject.is_empty() && is_argument(subject), "a subject is one argument");
    out.put(b"HMSG ");
    out.put(subject);
    out.put(b" ");
}

/// `sid [reply] size CR LF`, behind [`put_msg_subject`].
#[inline]
pub fn put_msg_rest(out: &mut impl Sink, sid: &[u8], reply: &[u8], size: usize) {
    put_sid_and_reply(out, sid, reply);
    put_decimal(out, size as u64);
    out.put(CR_LF);
}

/// `sid [reply] header_size total_size CR LF`, behind [`put_hmsg_subject`].
#[inline]
pub fn put_hmsg_rest(out: &mut impl Sink, sid: &[u8], reply: &[u8], header_len: usize, total_len: usize) {
    debug_assert!(header_len <= total_len, "headers are a part of the whole");
    put_sid_and_reply(out, sid, reply);
    put_decimal(out, header_len as u64);
    out.put(b" ");
    put_decimal(out, total_len as u64);
    out.put(CR_LF);
}

/// The whole line before a message without headers.
#[inline]
pub fn put_msg_head(out: &mut impl Sink, subject: &[u8], sid: &[u8], reply: &[u8], size: usize) {
    put_msg_subject(out, subject);
    put_msg_rest(out, sid, reply, size);
}

/// The whole line before a message with headers.
#[inline]
pub fn put_hmsg_head(
    out: &mut impl Sink,
    subject: &[u8],
    sid: &[u8],
    reply: &[u8],
    header_len: usize,
    total_len: usize,
) {
    put_hmsg_subject(out, subject);
    put_hmsg_rest(out, sid, reply, header_len, total_len);
}

/// `sid ` and, where somebody waits for an answer, `reply `.
#[inline]
fn put_sid_and_reply(out: &mut impl Sink, sid: &[u8], reply: &[u8]) {
    debug_assert!(!sid.is_empty() && is_argument(sid), "a sid is one argument");
    debug_assert!(is_argument(reply), "a reply is one argument");
    out.put(sid);
    out.put(b" ");
    if !reply.is_empty() {
        out.put(reply);
        out.put(b" ");
    }
}

/// `-ERR 'text'`; nothing where the peer says nothing.
pub fn put_err(out: &mut impl Sink, error: ProtocolError) {
    put_err_text(out, error.err_text().as_bytes());
}

/// `-ERR 'text'` for texts that name a subject; nothing where `text` is empty. Control bytes cannot leave the line.
pub fn put_err_text(out: &mut impl Sink, text: &[u8]) {
    if text.is_empty() {
        return;
    }
    out.put(b"-ERR '");
    for part in text.split_inclusive(|&byte| matches!(byte, b'\r' | b'\n')) {
        match part {
            [part @ .., b'\r' | b'\n'] => {
                out.put(part);
                out.put(b" ");
            }
            part => out.put(part),
        }
    }
    out.put(b"'\r\n");
}

/// The decimal digits of `value`.
#[inline]
pub fn put_decimal(out: &mut impl Sink, value: u64) {
    let mut digits = [0; DECIMAL_DIGITS_MAX];
    out.put(write_decimal(&mut digits, value));
}

/// The decimal digits of `value`, at the end of `digits`.
#[inline]
#[expect(clippy::indexing_slicing, reason = "hot; a u64 has at most as many digits as the array has places")]
pub fn write_decimal(digits: &mut [u8; DECIMAL_DIGITS_MAX], mut value: u64) -> &[u8] {
    let mut at = DECIMAL_DIGITS_MAX;
    while value >= 10 {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at -= 1;
    digits[at] = b'0' + value as u8;
    &digits[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_what_display_writes() {
        let edges = (0..20).flat_map(|power| {
            let value = 10u64.pow(power);
            [value - 1, value, value + 1]
        });
        for value in edges.chain([u64::MAX, 0, 1_048_576]) {
            let mut digits = [0; DECIMAL_DIGITS_MAX];
            assert_eq!(write_decimal(&mut digits, value), value.to_string().as_bytes());
        }
    }

    #[test]
    fn lines_are_the_peers() {
        let mut out = Vec::new();
        put_msg_head(&mut out, b"foo", b"1", b"", 2);
        put_msg_head(&mut out, b"foo", b"1", b"r", 0);
        put_hmsg_head(&mut out, b"foo", b"9", b"", 12, 14);
        put_hmsg_head(&mut out, b"foo", b"9", b"r", 12, 12);
        put_err(&mut out, ProtocolError::UnknownOp);
        put_err(&mut out, ProtocolError::HeadersNotSupported);
        let expected = "MSG foo 1 2\r\nMSG foo 1 r 0\r\nHMSG foo 9 12 14\r\nHMSG foo 9 r 12 12\r\n-ERR 'Unknown Protocol Operation'\r\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn an_error_text_stays_on_its_line() {
        let mut out = Vec::new();
        put_err_text(&mut out, b"a\r\nPING\r\n");
        assert_eq!(out, b"-ERR 'a  PING  '\r\n");
    }

    #[test]
    #[cfg(debug_assertions)]
    fn design_8_the_encoder_refuses_what_would_be_another_line() {
        for subject in [&b"a b"[..], b"a\nPING", b"a\t", b""] {
            let result = std::panic::catch_unwind(|| put_msg_head(&mut Vec::new(), subject, b"1", b"", 0));
            assert!(result.is_err(), "{}", subject.escape_ascii());
        }
    }
}
