//! Where a monitoring port is, read from what a user writes: `host`, `host:port` or a URL with login and base path.
//!
//! Owns the secrets of the URL: they go into one header and are never shown.

use std::fmt;

use data_encoding::BASE64;

/// The port that nats-server's documentation uses.
pub(crate) const PORT: u16 = 8222;

/// A parsed place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    is_tls: bool,
    /// An IPv6 address stands without brackets.
    host: String,
    port: u16,
    /// Empty, or begins with a slash and does not end with one.
    base: String,
    authorization: Option<String>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url(""))
    }
}

impl Place {
    /// Reads `text`; `flag` is how the user has given it. What it leaves open is plain HTTP on port 8222.
    pub(crate) fn parse(flag: &str, text: &str) -> Result<Self, String> {
        let shown = text.rsplit_once('@').map_or(text, |(_secret, place)| place);
        let wrong = |reason: &str| format!("{flag} '{shown}': {reason}; write http://host:port");
        let (is_tls, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(("nats" | "tls", _)) => {
                return Err(wrong("that is where clients connect, and the monitoring port is another"));
            }
            Some(_) => return Err(wrong("an unknown scheme")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) =
            authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
        let (host, port) = match place.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            // Several colons without brackets are an address without a port.
            None if place.matches(':').count() > 1 => (place, None),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(wrong("there is no host"));
        }
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("the port is no number"))?,
            None => PORT,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        if !path.chars().all(|c| c.is_ascii_graphic()) {
            return Err(wrong("the path has characters that must be escaped"));
        }
        let base = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { is_tls, host: host.into(), port, base, authorization: login.map(authorization) })
    }

    /// The same place behind another port, by HTTPS or not.
    #[must_use]
    pub(crate) fn with_port(self, port: u16, is_tls: bool) -> Self {
        Self { port, is_tls, ..self }
    }

    /// Whether the page comes by HTTPS.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The whole URL of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}{}{path}", self.port, self.base)
    }

    /// The value of the header that says who asks.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

/// `user:password` is a login, a single word a token.
fn authorization(login: &str) -> String {
    let login = unescape(login);
    if login.contains(&b':') {
        format!("Basic {}", BASE64.encode(&login))
    } else {
        format!("Bearer {}", String::from_utf8_lossy(&login).replace(|c: char| c.is_control(), ""))
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                rest = &after[2..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn places_are_read() {
        for (text, url) in [
            ("127.0.0.1", "http://127.0.0.1:8222/varz"),
            ("localhost:99", "http://localhost:99/varz"),
            ("https://h.example:7/base/", "https://h.example:7/base/varz"),
            ("http://u:p@h/a/b", "http://h:8222/a/b/varz"),
            ("::1", "http://[::1]:8222/varz"),
            ("http://[::1]:5", "http://[::1]:5/varz"),
        ] {
            let place = Place::parse("-s", text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(place.url("/varz"), url, "{text}");
        }
        let place = Place::parse("-s", "h").expect("a host").with_port(9, true);
        assert_eq!((place.url("/"), place.is_tls()), ("https://h:9/".into(), true));
    }

    #[test]
    fn nonsense_is_named_with_the_way_out_and_without_secrets() {
        for text in ["", "http://", "h:x", "h:0", "h:99999", "ftp://h", "nats://u:secret@h:4222", "a b", "http://h/a b"]
        {
            let error = Place::parse("--monitor", text).expect_err(text);
            assert!(error.contains("--monitor") && error.contains("http://host:port"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_login_goes_into_the_header_and_nowhere_else() {
        let place = Place::parse("-s", "http://me:se%3Acret@h:1").expect("a place");
        assert_eq!(place.authorization(), Some("Basic bWU6c2U6Y3JldA=="));
        assert!(!format!("{place} {place:?} {}", place.url("/")).contains("cret"));
        let token = Place::parse("-s", "http://t0k@h:1").expect("a place");
        assert_eq!(token.authorization(), Some("Bearer t0k"));
        assert_eq!(Place::parse("-s", "h").expect("a place").authorization(), None);
    }
}
