//! The monitoring port of a NATS server, as `top` and `server check` read it: one page, one answer.
//!
//! Owns the HTTP client and its limits: every request is a connection of its own, with an end in time and in bytes. Knows no page by
//! its content (`pages` does) and shows nothing.

mod fields;
pub(crate) mod pages;
mod place;
mod trust;

use std::fmt;
use std::time::Duration;

use serde_json::Value;

pub(crate) use place::Place;
pub(crate) use trust::Trust;

/// A page of ten thousand connections with their subscriptions has some ten megabytes.
const PAGE_BYTES_MAX: u64 = 256 << 20;
/// As much of an answer that is no page as is shown.
const REASON_CHARS_MAX: usize = 120;

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    /// Nobody answers there, or not in time.
    Unreachable(String),
    /// The server answers, and does not have this page.
    NoSuchPage,
    /// The server wants to know who asks.
    Forbidden,
    /// Another status, with what the server says.
    Status(u16, String),
    /// An answer that is no page of a NATS server.
    NotJson,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(reason) => f.write_str(reason),
            Self::NoSuchPage => f.write_str("the server has no such page"),
            Self::Forbidden => f.write_str("the server wants a login: write user:password@ before the host"),
            Self::Status(status, text) if text.is_empty() => write!(f, "status {status}"),
            Self::Status(status, text) => write!(f, "status {status}: {text}"),
            Self::NotJson => f.write_str("the answer is no JSON: is that the monitoring port of a NATS server?"),
        }
    }
}

/// One monitoring port.
#[derive(Debug)]
pub(crate) struct Monitor {
    agent: ureq::Agent,
    place: Place,
}

impl Monitor {
    /// Nothing is sent yet.
    pub(crate) fn new(place: Place, trust: &Trust, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A connection that has rested may be gone at the other end, which would look as if the server were.
            .max_idle_connections(0)
            // A monitoring port is asked directly: a proxy of the environment is meant for the web.
            .proxy(None)
            .user_agent(concat!("dunlinctl/", env!("CARGO_PKG_VERSION")))
            .tls_config(trust.config())
            .build();
        Self { agent: config.new_agent(), place }
    }

    /// Where it asks, without secrets.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Asks for `path`, which begins with a slash and may have a query.
    pub(crate) fn page(&self, path: &str) -> Result<Value, PageError> {
        let mut request = self.agent.get(self.place.url(path)).header("Accept", "application/json");
        if let Some(login) = self.place.authorization() {
            request = request.header("Authorization", login);
        }
        let answer = request.call().map_err(|error| PageError::Unreachable(reason(&error)))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().into_with_config().limit(PAGE_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| PageError::Unreachable(reason(&error)))?;
        match status {
            200 => serde_json::from_slice(&body).map_err(|_| PageError::NotJson),
            401 | 403 => Err(PageError::Forbidden),
            404 => Err(PageError::NoSuchPage),
            // A check that fails answers 503 with a page of its own.
            _ => Err(PageError::Status(status, first_line(&body))),
        }
    }
}

fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default().trim();
    line.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect()
}

/// The words of the operating system where it has some.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "no answer in time".into(),
        ureq::Error::Protocol(_) => "the answer is no HTTP: is that the monitoring port of a NATS server?".into(),
        ureq::Error::HostNotFound => "there is no host of that name".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        ureq::Error::BodyExceedsLimit(_) => format!("the page is longer than {} MiB", PAGE_BYTES_MAX >> 20),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{PageError, first_line};

    #[test]
    fn errors_say_what_to_do() {
        assert!(PageError::Forbidden.to_string().contains("user:password@"));
        assert!(PageError::NotJson.to_string().contains("monitoring port"));
        assert_eq!(PageError::Status(400, "bad sort".into()).to_string(), "status 400: bad sort");
        assert_eq!(PageError::Status(500, String::new()).to_string(), "status 500");
    }

    #[test]
    fn a_reason_is_one_short_line_without_control_characters() {
        assert_eq!(first_line(b"  a\x1b[2Jb \nsecond"), "a[2Jb");
        assert_eq!(first_line(&[b'x'; 10_000]).len(), 120);
        assert_eq!(first_line(b""), "");
    }
}
