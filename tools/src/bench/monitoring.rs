//! What the server says of itself over its monitoring port: `/varz`, and `/corez` where it has cores.
//!
//! HTTP/1.0 by hand, plain, one request a page, bounded in time and size. A server without the page is no fault of the run.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use super::trouble::{Outcome, Trouble};

const TIME_MAX: Duration = Duration::from_secs(3);
const PAGE_BYTES_MAX: u64 = 4 << 20;
/// Counters of `/varz` whose growth is shown.
const COUNTERS: [&str; 7] =
    ["in_msgs", "out_msgs", "in_bytes", "out_bytes", "slow_consumers", "total_connections", "stalls"];

/// The pages at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    varz: Value,
    corez: Value,
}

impl Pages {
    /// Asks `http://host:port`.
    pub(crate) fn read(url: &str) -> Outcome<Self> {
        let varz = page(url, "/varz")?.ok_or_else(|| {
            Trouble::Usage(format!("--monitor {url}: there is no /varz; give the monitoring URL of the server"))
        })?;
        Ok(Self { varz, corez: page(url, "/corez")?.unwrap_or_default() })
    }

    /// What has grown since `before`, by name. Numbers of cores stand under `core N: name`.
    pub(crate) fn since(&self, before: &Self) -> BTreeMap<String, f64> {
        let mut figures = BTreeMap::new();
        let grown = |now: &Value, then: &Value| Some((now.as_f64()? - then.as_f64().unwrap_or(0.0)).max(0.0));
        for name in COUNTERS {
            if let Some(figure) = grown(&self.varz[name], &before.varz[name]) {
                figures.insert(format!("varz {name}"), figure);
            }
        }
        let cores = self.corez["cores"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (number, core) in cores.iter().enumerate() {
            for (name, value) in core.as_object().into_iter().flatten().filter(|(name, _)| *name != "core") {
                if let Some(figure) = grown(value, &before.corez["cores"][number][name]) {
                    figures.insert(format!("core {number}: {name}"), figure);
                }
            }
        }
        figures
    }
}

/// `None` where the server does not know the page.
fn page(url: &str, path: &str) -> Outcome<Option<Value>> {
    let place = url.trim_end_matches('/').strip_prefix("http://");
    let wrong = |reason: String| Trouble::Usage(format!("--monitor {url}: {reason}"));
    let place = place.ok_or_else(|| wrong("write http://host:port".into()))?;
    let address = place.to_socket_addrs().map_err(|error| wrong(error.to_string()))?.next();
    let address = address.ok_or_else(|| wrong("the host has no address".into()))?;
    let failed = |error: std::io::Error| wrong(error.to_string());
    let mut stream = TcpStream::connect_timeout(&address, TIME_MAX).map_err(failed)?;
    stream.set_read_timeout(Some(TIME_MAX)).map_err(failed)?;
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\nHost: {place}\r\nConnection: close\r\n\r\n").as_bytes())
        .map_err(failed)?;
    let mut text = Vec::new();
    stream.take(PAGE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    Ok(body(&text).and_then(|body| serde_json::from_slice(body).ok()))
}

/// The body of an answer that says 200.
fn body(answer: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::find(answer, b"\r\n\r\n")?;
    let status = answer.split(|byte| *byte == b' ').nth(1)?;
    (status == b"200").then(|| &answer[end + 4..])
}

#[cfg(test)]
mod tests {
    use super::{Pages, body};
    use serde_json::json;

    #[test]
    fn only_a_good_answer_has_a_body() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}"), Some(&b"{}"[..]));
        assert_eq!(body(b"HTTP/1.1 404 Not Found\r\n\r\n{}"), None);
        assert_eq!(body(b"nonsense"), None);
    }

    #[test]
    fn growth_is_told_and_what_is_no_number_is_passed_over() {
        let before =
            Pages { varz: json!({"in_msgs": 5, "stalls": 1}), corez: json!({"cores": [{"core": 0, "turns": 3}]}) };
        let after = Pages {
            varz: json!({"in_msgs": 15, "stalls": "x", "version": 7}),
            corez: json!({"cores": [{"core": 0, "turns": 10, "name": "a"}, {"core": 1, "turns": 4}]}),
        };
        let figures = after.since(&before);
        let shown: Vec<_> = figures.iter().map(|(name, figure)| format!("{name}={figure}")).collect();
        assert_eq!(shown, ["core 0: turns=7", "core 1: turns=4", "varz in_msgs=10"]);
    }
}
