//! Trace lines: what was read from a client and written to it, without secrets.
//!
//! Owns the form of these lines and which fields of CONNECT are hidden. Pure: bytes in, text out. Callers look at
//! `Logger::trace_enabled` first, as these functions allocate.
//! Invariants: no value of a secret field of CONNECT is in a line, however it is spelled; no line holds a control byte.

use super::quote::{visible, write_quoted};

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

/// Fields of CONNECT that nobody else may know. The peer shows `jwt`; a bearer token is as good as a password, so we do not.
const SECRET_FIELDS: [&str; 7] = ["pass", "password", "auth_token", "sig", "nkey", "jwt", "proxy_sig"];

const REDACTED: &str = "[REDACTED]";

/// `<<- [PUB foo 5]`: an operation and its arguments as they came, or `->> [PONG]` where there are none. For CONNECT use [`connect`].
pub fn operation(direction: Direction, name: &str, arguments: &[u8]) -> String {
    let arrow = direction.arrow();
    if arguments.is_empty() { format!("{arrow} [{name}]") } else { format!("{arrow} [{name} {}]", visible(arguments)) }
}

/// `<<- [CONNECT {"user":"u","pass":"[REDACTED]"}]`.
pub fn connect(body: &[u8]) -> String {
    let hidden = redact(body);
    format!("<<- [CONNECT {}]", visible(&hidden))
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

/// The body of a CONNECT with the values of secret fields replaced, everything else as it came. The body need not be
/// valid JSON: what cannot be read is hidden rather than shown.
pub fn redact(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(&first) = rest.first() {
        let length = match first {
            b'"' => string_length(rest),
            b if is_word(b) => rest.iter().take_while(|&&byte| is_word(byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at(length.min(rest.len()));
        out.extend_from_slice(token);
        rest = after;
        if let Some(value) = value_after(rest).filter(|_| is_secret(token)) {
            let (before, value) = rest.split_at(rest.len() - value.len());
            out.extend_from_slice(before);
            rest = hide(&mut out, value);
        }
    }
    out
}

/// Writes what stands for a secret value and returns what follows it.
fn hide<'a>(out: &mut Vec<u8>, value: &'a [u8]) -> &'a [u8] {
    let (replacement, length) = match value.first() {
        Some(b'"') => (format!("\"{REDACTED}\""), string_length(value)),
        // No value that a client sends on purpose: all of the rest may be secret.
        Some(b'{' | b'[') => (REDACTED.to_string(), value.len()),
        _ => (REDACTED.to_string(), value.iter().take_while(|&&byte| !matches!(byte, b',' | b'}')).count()),
    };
    out.extend_from_slice(replacement.as_bytes());
    value.get(length..).unwrap_or_default()
}

/// Where a colon comes next: what stands after it.
fn value_after(rest: &[u8]) -> Option<&[u8]> {
    rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start)
}

/// Length of the JSON string at the start, quotes included; all there is where it does not end.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Field names are compared as the parser of CONNECT compares them: without case, and with escapes resolved.
fn is_secret(token: &[u8]) -> bool {
    let name = match serde_json::from_slice::<String>(token) {
        Ok(name) => name,
        Err(_) => String::from_utf8_lossy(token).trim_matches('"').to_string(),
    };
    SECRET_FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field))
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
        assert_eq!(connect(b"{\"name\":\"a\nb\"}"), r#"<<- [CONNECT {"name":"a\nb"}]"#);
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
    fn secrets_of_connect_are_hidden_however_they_are_spelled() {
        let rows = [
            (r#"{"user":"u","pass":"top","name":"n"}"#, r#"{"user":"u","pass":"[REDACTED]","name":"n"}"#),
            (r#"{"pass" : "top", "auth_token": "top"}"#, r#"{"pass" : "[REDACTED]", "auth_token": "[REDACTED]"}"#),
            (
                r#"{"jwt":"top","sig":"top","nkey":"top"}"#,
                r#"{"jwt":"[REDACTED]","sig":"[REDACTED]","nkey":"[REDACTED]"}"#,
            ),
            (r#"{"PASS":"top","pass":"top"}"#, r#"{"PASS":"[REDACTED]","pass":"[REDACTED]"}"#),
            (r#"{"p\u0061ss":"top"}"#, r#"{"p\u0061ss":"[REDACTED]"}"#),
            (r#"{"pass":"to\"top","user":"u"}"#, r#"{"pass":"[REDACTED]","user":"u"}"#),
            (r#"{"pass":null,"auth_token":12}"#, r#"{"pass":[REDACTED],"auth_token":[REDACTED]}"#),
            (r#"{"pass":["top"],"user":"u"}"#, r#"{"pass":[REDACTED]"#),
            (r#"{pass: top, user: u}"#, r#"{pass: [REDACTED], user: u}"#),
            (r#"{"pass":"top"#, r#"{"pass":"[REDACTED]""#),
            (r#"{"pass"#, r#"{"pass"#),
            (r#"{"name":"pass","x":"sig"}"#, r#"{"name":"pass","x":"sig"}"#),
            (r#"{"name":"\"pass\":","user":"u"}"#, r#"{"name":"\"pass\":","user":"u"}"#),
            ("", ""),
        ];
        for (body, expected) in rows {
            assert_eq!(String::from_utf8_lossy(&redact(body.as_bytes())), expected, "{body}");
        }
    }

    #[test]
    fn redaction_shows_no_secret_wherever_the_body_is_cut() {
        let body = br#"{"verbose":false,"pass":"t#o#p","auth_token":"t#o#p","user":"u","sig":"t#o#p"}"#;
        for cut in 0..=body.len() {
            let line = connect(&body[..cut]);
            assert!(!line.contains('#'), "{line}");
        }
    }
}
