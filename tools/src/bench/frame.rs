//! Finds one operation of a server at the start of a buffer.
//!
//! Only what a generator needs: a message is split, anything else is named. Copies nothing.

use super::trouble::{Outcome, Trouble};

/// Longer lines are no NATS: INFO is the longest there is.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Larger payloads are no NATS: servers allow 64 MiB at most.
const PAYLOAD_BYTES_MAX: usize = 65 << 20;

/// A message as it stands in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) sid: &'a [u8],
    /// Empty: no reply wanted.
    pub(crate) reply: &'a [u8],
    /// Empty: came as MSG.
    pub(crate) headers: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Message(Message<'a>),
    Info(&'a [u8]),
    Ping,
    Pong,
    Ok,
    /// The text of `-ERR`, without quotes.
    Error(&'a [u8]),
}

/// What stands at the start of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    NeedMore,
    /// An operation, and how many bytes it takes.
    Frame(Frame<'a>, usize),
}

/// Looks at the start of `input`.
pub(crate) fn next(input: &[u8]) -> Outcome<Parsed<'_>> {
    let Some(end) = memchr::memchr(b'\n', input) else {
        return if input.len() > LINE_BYTES_MAX { Err(bad(input)) } else { Ok(Parsed::NeedMore) };
    };
    let line = &input[..end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let after = end + 1;
    let frame = match line {
        [b'M', b'S', b'G', b' ', arguments @ ..] => return message(input, arguments, false, after),
        [b'H', b'M', b'S', b'G', b' ', arguments @ ..] => return message(input, arguments, true, after),
        b"PING" => Frame::Ping,
        b"PONG" => Frame::Pong,
        b"+OK" => Frame::Ok,
        [b'I', b'N', b'F', b'O', b' ', body @ ..] => Frame::Info(body),
        [b'-', b'E', b'R', b'R', text @ ..] => Frame::Error(text.trim_ascii().without_quotes()),
        _ => return Err(bad(line)),
    };
    Ok(Parsed::Frame(frame, after))
}

trait Unquote {
    fn without_quotes(&self) -> &[u8];
}

impl Unquote for [u8] {
    fn without_quotes(&self) -> &[u8] {
        self.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(self)
    }
}

fn message<'a>(input: &'a [u8], arguments: &'a [u8], has_headers: bool, after: usize) -> Outcome<Parsed<'a>> {
    let mut words: [&[u8]; 5] = [&[]; 5];
    let mut count = 0;
    for word in arguments.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        *words.get_mut(count).ok_or_else(|| bad(arguments))? = word;
        count += 1;
    }
    let sizes = if has_headers { 2 } else { 1 };
    let reply = match count.checked_sub(sizes) {
        Some(2) => &[][..],
        Some(3) => words[2],
        _ => return Err(bad(arguments)),
    };
    let total = number(words[count - 1]).filter(|total| *total <= PAYLOAD_BYTES_MAX).ok_or_else(|| bad(arguments))?;
    let head = if has_headers { number(words[count - 2]).ok_or_else(|| bad(arguments))? } else { 0 };
    if head > total {
        return Err(bad(arguments));
    }
    let end = after + total + 2;
    if input.len() < end {
        return Ok(Parsed::NeedMore);
    }
    if &input[end - 2..end] != b"\r\n" {
        return Err(bad(&input[..after]));
    }
    let content = &input[after..end - 2];
    let message =
        Message { subject: words[0], sid: words[1], reply, headers: &content[..head], payload: &content[head..] };
    Ok(Parsed::Frame(Frame::Message(message), end))
}

/// A decimal number.
pub(crate) fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |sum: usize, digit| digit.is_ascii_digit().then(|| sum * 10 + usize::from(digit - b'0')))
}

fn bad(line: &[u8]) -> Trouble {
    Trouble::BadFrame(String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Frame, Message, Parsed, next};

    #[test]
    fn messages_are_split() {
        let input = b"MSG a.b 7 3\r\nxyz\r\nrest";
        let Ok(Parsed::Frame(Frame::Message(message), used)) = next(input) else { panic!("a message") };
        let wanted = Message { subject: b"a.b", sid: b"7", reply: b"", headers: b"", payload: b"xyz" };
        assert_eq!((message, used), (wanted, input.len() - 4));
        let input = b"HMSG a 7 r.1 12 14\r\nNATS/1.0\r\n\r\nok\r\n";
        let Ok(Parsed::Frame(Frame::Message(message), _)) = next(input) else { panic!("a message") };
        assert_eq!(
            (message.reply, message.headers, message.payload),
            (&b"r.1"[..], &b"NATS/1.0\r\n\r\n"[..], &b"ok"[..])
        );
    }

    #[test]
    fn every_cut_needs_more() {
        let input = b"HMSG a 7 r.1 12 14\r\nNATS/1.0\r\n\r\nok\r\n";
        for cut in 0..input.len() {
            assert_eq!(next(&input[..cut]).ok(), Some(Parsed::NeedMore), "{cut}");
        }
    }

    #[test]
    fn other_operations_are_named() {
        for (input, frame) in [
            (&b"PING\r\n"[..], Frame::Ping),
            (b"PONG\r\n", Frame::Pong),
            (b"+OK\r\n", Frame::Ok),
            (b"INFO {}\r\n", Frame::Info(b"{}")),
            (b"-ERR 'Stale Connection'\r\n", Frame::Error(b"Stale Connection")),
        ] {
            assert_eq!(next(input).ok(), Some(Parsed::Frame(frame, input.len())));
        }
    }

    #[test]
    fn what_is_no_protocol_is_an_error() {
        for input in [
            &b"HTTP/1.1 200 OK\r\n"[..],
            b"MSG a 1\r\n",
            b"MSG a 1 r x y 3\r\nabc\r\n",
            b"MSG a 1 -3\r\n",
            b"MSG a 1 99999999999\r\n",
            b"HMSG a 1 9 3\r\nabc\r\n",
            b"MSG a 1 3\r\nabcde",
        ] {
            assert!(next(input).is_err(), "{}", input.escape_ascii());
        }
    }
}
