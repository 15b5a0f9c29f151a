//! URLs as the peer reads them: what is one, and what of it may be shown.
//!
//! Pure; resolves nothing. The peer takes much for a URL (`text`, `a b`), so little is refused. Passwords are never in
//! messages: `redacted` is what is shown of a text, whether it is a URL or not.

use super::super::value::quoted;
use std::net::Ipv6Addr;

/// A URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Url {
    /// As it was written, passwords and all.
    text: String,
    /// In lower case; may be empty.
    pub scheme: String,
    /// Name or address and port.
    pub host: String,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong, in the peer's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (main, fragment) = text.split_once('#').unwrap_or((text, ""));
        if main.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("net/url: invalid control character in URL".into());
        }
        let (scheme, rest) = split_scheme(main)?;
        let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
        let url = |host: &str| Self { text: text.to_owned(), scheme: scheme.to_lowercase(), host: host.to_owned() };
        if !rest.starts_with('/') {
            // Behind a scheme it may be anything, as in `mailto:x`.
            if scheme.is_empty() && main != "*" {
                let first = rest.split('/').next().unwrap_or_default();
                if first.contains(':') {
                    return Err("first path segment in URL cannot contain colon".into());
                }
                check_escapes(rest)?;
            }
            check_escapes(fragment)?;
            return Ok(url(""));
        }
        let has_authority = rest.starts_with("//") && (!scheme.is_empty() || !rest.starts_with("///"));
        let Some(after) = rest.strip_prefix("//").filter(|_| has_authority) else {
            check_escapes(rest)?;
            check_escapes(fragment)?;
            return Ok(url(""));
        };
        let at = after.find('/').unwrap_or(after.len());
        let (authority, path) = after.split_at(at);
        let host = check_authority(authority)?;
        check_escapes(path)?;
        check_escapes(fragment)?;
        Ok(url(host))
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        redacted(&self.text)
    }

    /// As it was written, to compare it.
    pub(super) fn as_written(&self) -> &str {
        &self.text
    }
}

/// A text that may be a URL, with its password, if it has one, taken out. Where it has no `//`, all before an `@` may be a secret.
pub(super) fn redacted(text: &str) -> String {
    let start = text.find("//").map_or(0, |at| at + 2);
    let (head, rest) = text.split_at(start);
    // A slash in a password is wrong, but it is a password all the same: the last `@` of the whole text counts.
    let Some(at) = rest.rfind('@') else {
        return text.to_owned();
    };
    let (login, host) = rest.split_at(at);
    match login.split_once(':') {
        Some((user, _)) if start > 0 => format!("{head}{user}:xxxxx{host}"),
        None if start > 0 => text.to_owned(),
        _ => format!("{head}xxxxx{host}"),
    }
}

/// The scheme, and what is behind its colon.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

/// `user:password@host:port`; the host and port.
fn check_authority(authority: &str) -> Result<&str, String> {
    let (login, host) = match authority.rfind('@') {
        Some(at) => (Some(&authority[..at]), &authority[at + 1..]),
        None => (None, authority),
    };
    check_host(host)?;
    if let Some(login) = login {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !login.bytes().all(is_allowed) {
            return Err("net/url: invalid userinfo".into());
        }
        check_login_escapes(login)?;
    }
    Ok(host)
}

/// What is wrong with an escape in a login is said without it.
fn check_login_escapes(login: &str) -> Result<(), String> {
    check_escapes(login).map_err(|_| "invalid URL escape in a login".into())
}

fn check_host(host: &str) -> Result<(), String> {
    let check_port = |port: &str| match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        None if port.is_empty() => Ok(()),
        _ => Err(format!("invalid port {} after host", quoted(port.as_bytes()))),
    };
    if let Some(open) = host.rfind('[') {
        let Some(close) = host.rfind(']') else {
            return Err("missing ']' in host".into());
        };
        check_port(&host[close + 1..])?;
        if open > 0 {
            return Err("invalid IP-literal".into());
        }
        let address = host.get(1..close).unwrap_or_default();
        let address = address.split_once("%25").map_or(address, |(address, _)| address);
        return address.parse::<Ipv6Addr>().map(drop).map_err(|_| "invalid IP-literal".into());
    }
    if let Some(colon) = host.rfind(':') {
        check_port(&host[colon..])?;
    }
    check_host_escapes(host)
}

/// In a host only what is not ASCII may be escaped, and `%` itself.
fn check_host_escapes(host: &str) -> Result<(), String> {
    check_escapes(host)?;
    for (at, _) in host.match_indices('%') {
        let code = host.get(at + 1..at + 3).unwrap_or_default();
        if code != "25" && code.as_bytes().first().is_some_and(|digit| *digit < b'8') {
            return Err(format!("invalid URL escape \"%{code}\""));
        }
    }
    let is_allowed =
        |byte: u8| byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
    match host.bytes().find(|byte| !is_allowed(*byte)) {
        Some(byte) => Err(format!("invalid character {} in host name", quoted(&[byte]))),
        None => Ok(()),
    }
}

/// Each `%` has two hexadecimal digits behind it.
fn check_escapes(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('%') {
        let code = bytes.get(at + 1..at + 3).unwrap_or_default();
        if code.len() < 2 || !code.iter().all(u8::is_ascii_hexdigit) {
            let shown = bytes.get(at..bytes.len().min(at + 3)).unwrap_or_default();
            return Err(format!("invalid URL escape {}", quoted(shown)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_is_a_url() {
        for (text, scheme, host) in [
            ("nats://u:p@h:1", "nats", "h:1"),
            ("TLS://h", "tls", "h"),
            ("ws://[::1]:80/a?b#c", "ws", "[::1]:80"),
            ("text", "", ""),
            ("a b", "", ""),
            ("", "", ""),
            ("x:y", "x", ""),
            ("http://", "http", ""),
            ("nats://h:", "nats", "h:"),
            ("nats://h:99999", "nats", "h:99999"),
        ] {
            let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((url.scheme.as_str(), url.host.as_str()), (scheme, host), "{text}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, expected) in [
            ("nats://h:1", "nats://h:1"),
            ("nats://user@h:1", "nats://user@h:1"),
            ("nats://u:secret@h:1", "nats://u:xxxxx@h:1"),
            ("nats://u:sec@ret@[::1", "nats://u:xxxxx@[::1"),
            ("nats://u:se/cret@h", "nats://u:xxxxx@h"),
            ("u:secret@h:1", "xxxxx@h:1"),
            ("secret@h", "xxxxx@h"),
        ] {
            assert_eq!(redacted(text), expected, "{text}");
        }
    }
}
