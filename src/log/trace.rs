//! Trace lines: what was read from a client and written to it, without secrets.
//!
//! Owns the form of these lines; what is hidden in them is `redact`'s. Pure: bytes in, text out. Callers look at
//! `Logger::trace_enabled` first, as these functions allocate.
//! Invariants: no value of a secret field of CONNECT is in a line, however it is spelled; no line holds a control byte.

use super::quote::{visible, write_quoted};
use super::redact;

/// Which way an operation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `<<-`: read from the client.
    In,
    /// `->>`: written to the client.
    Out,
    /// `<->`: neither; something that the server did on its own.
    Internal,
}

impl Direction {
    const fn arrow(self) -> &'static str {
        match self {
            Self::In => "<<-",
            Self::Out => "->>",
            Self::Internal => "<->",
        }
    }
}

/// How payloads are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct PayloadForm {
    /// `max_traced_msg_len`; 0: all.
    pub bytes_max: u64,
    /// `trace_headers`: the header block alone.
    pub headers_only: bool,
}

/// `<<- [PUB foo 5]`: an operation and its arguments as they came, or `->> [PONG]` where there are none. For CONNECT use [`connect`].
pub fn operation(direction: Direction, name: &str, arguments: &[u8]) -> String {
    let arrow = direction.arrow();
    if arguments.is_empty() {
        format!("{arrow} [{name}]")
    } else {
        format!("{arrow} [{name} {}]", visible(&redact::arguments(arguments)))
    }
}

/// `<<- [CONNECT {"user":"u","pass":"[REDACTED]"}]`.
pub fn connect(body: &[u8]) -> String {
    format!("<<- [CONNECT {}]", visible(&redact::connect_body(body)))
}

/// `<<- MSG_PAYLOAD: ["hello"]`; `None` where nothing is to be shown. `header_bytes` is 0 for messages without headers.
pub fn payload(direction: Direction, payload: &[u8], header_bytes: usize, form: PayloadForm) -> Option<String> {
    let shown = if form.headers_only {
        let block = payload.get(..header_bytes)?;
        block.strip_suffix(b"\r\n\r\n").unwrap_or(block)
    } else {
        payload
    };
    if shown.is_empty() {
        return None;
    }
    let bytes_max = usize::try_from(form.bytes_max).unwrap_or(usize::MAX);
    let cut = shown.get(..bytes_max).filter(|_| bytes_max > 0 && bytes_max < shown.len());
    let mut line = format!("{} MSG_PAYLOAD: [\"", direction.arrow());
    // Writing to a String cannot fail.
    let _ = write_quoted(&mut line, cut.unwrap_or(shown));
    line.push_str(if cut.is_some() { "...\"]" } else { "\"]" });
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_as_the_peer_traces_them() {
        assert_eq!(operation(Direction::In, "PUB", b"foo 5"), "<<- [PUB foo 5]");
        assert_eq!(operation(Direction::In, "PUB", b"foo.a   0  "), "<<- [PUB foo.a   0  ]");
        assert_eq!(operation(Direction::Out, "MSG", b"foo.a 1 reply 5"), "->> [MSG foo.a 1 reply 5]");
        assert_eq!(operation(Direction::In, "PING", b""), "<<- [PING]");
        assert_eq!(operation(Direction::Out, "OK", b""), "->> [OK]");
        assert_eq!(
            operation(Direction::Out, "-ERR", b"Unknown Protocol Operation"),
            "->> [-ERR Unknown Protocol Operation]"
        );
        assert_eq!(operation(Direction::Internal, "DELSUB", b"1"), "<-> [DELSUB 1]");
    }

    #[test]
    fn nat_01_001_control_bytes_in_traced_operations_are_escaped() {
        assert_eq!(
            operation(Direction::In, "PUB", b"foo.\x1b[31mred\t1\r\n[INF] x"),
            r"<<- [PUB foo.\x1b[31mred\t1\r\n[INF] x]"
        );
        assert_eq!(operation(Direction::In, "PUB", b"foo.\xff 1"), r"<<- [PUB foo.\xff 1]");
        assert_eq!(connect(b"{\"name\":\"a\x7fb\"}"), r#"<<- [CONNECT {"name":"a\x7fb"}]"#);
    }

    #[test]
    fn payloads_are_quoted_and_cut() {
        let (all, four) = (PayloadForm::default(), PayloadForm { bytes_max: 4, headers_only: false });
        let shown = |bytes: &[u8], form| payload(Direction::In, bytes, 0, form);
        assert_eq!(shown(b"hello", all).as_deref(), Some(r#"<<- MSG_PAYLOAD: ["hello"]"#));
        assert_eq!(shown(b"h\x00\r\nl\"", all).as_deref(), Some(r#"<<- MSG_PAYLOAD: ["h\x00\r\nl\""]"#));
        assert_eq!(shown(b"0123456789", four).as_deref(), Some(r#"<<- MSG_PAYLOAD: ["0123..."]"#));
        assert_eq!(shown(b"0123", four).as_deref(), Some(r#"<<- MSG_PAYLOAD: ["0123"]"#));
        assert_eq!(shown(b"", all), None);
        let twelve = PayloadForm { bytes_max: 12, headers_only: true };
        let headers = |bytes: &[u8], size| payload(Direction::Out, bytes, size, twelve);
        assert_eq!(headers(b"0123456789", 0), None);
        assert_eq!(
            headers(b"NATS/1.0\r\na:b\r\n\r\nabcd", 17).as_deref(),
            Some(r#"->> MSG_PAYLOAD: ["NATS/1.0\r\na:..."]"#)
        );
        assert_eq!(headers(b"NATS/1.0\r\n\r\nabcd", 12).as_deref(), Some(r#"->> MSG_PAYLOAD: ["NATS/1.0"]"#));
        assert_eq!(headers(b"short", 17), None);
    }

    #[test]
    fn secrets_of_a_client_are_not_traced() {
        let body = br#"{"user":"u","pass":"top"}"#;
        assert_eq!(connect(body), r#"<<- [CONNECT {"user":"u","pass":"[REDACTED]"}]"#);
        assert_eq!(connect(&body[..24]), "<<- [CONNECT [REDACTED]]");
        let astray = [b"a CONNECT ".as_slice(), body].concat();
        assert_eq!(operation(Direction::In, "SUB", &astray), r#"<<- [SUB a CONNECT {"user":"u","pass":"[REDACTED]"}]"#);
    }
}
