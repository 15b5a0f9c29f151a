//! One connection to a server that asks small things and measures how long the answers take.
//!
//! Owns a `Poll` and a `Link`; waits, and never longer than the time limit of the target.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::bench::link::{Incoming, Link, READ_BYTES, Reading};
use crate::bench::target::{Endpoint, Target};
use crate::bench::trouble::{Outcome, Trouble};

const EVENTS_MAX: usize = 4;

/// A connection that is ready.
#[derive(Debug)]
pub(crate) struct Probe<'a> {
    target: &'a Target,
    poll: Poll,
    link: Link,
    scratch: Vec<u8>,
    sid: u64,
    /// From the first packet to the PONG after CONNECT.
    pub(crate) connect_time: Duration,
}

impl<'a> Probe<'a> {
    /// Connects to the server with this number, and logs in.
    pub(crate) fn connect(target: &'a Target, number: usize) -> Outcome<Self> {
        let start = Instant::now();
        let poll = Poll::new().map_err(Trouble::io("watching a socket"))?;
        let mut link = Link::open(target, number, Vec::new(), None)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(link.source(), Token(0), interest).map_err(Trouble::io("watching a socket"))?;
        let scratch = vec![0; READ_BYTES];
        let mut probe = Self { target, poll, link, scratch, sid: 0, connect_time: Duration::ZERO };
        probe.wait("a new connection", |_| false, Link::is_ready)?;
        probe.connect_time = start.elapsed();
        Ok(probe)
    }

    /// Connects to the first of the servers that can be had.
    pub(crate) fn connect_any(target: &'a Target) -> Outcome<(Self, &'a Endpoint)> {
        let mut outcome = Err(Trouble::Closed);
        for (number, endpoint) in target.endpoints.iter().enumerate() {
            outcome = Self::connect(target, number).map(|probe| (probe, endpoint));
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// What the server calls itself.
    pub(crate) fn server_name(&self) -> &str {
        &self.link.info.server_name
    }

    /// PING to PONG.
    pub(crate) fn rtt(&mut self) -> Outcome<Duration> {
        let start = Instant::now();
        self.link.out.extend_from_slice(b"PING\r\n");
        self.wait("PING", |incoming| matches!(incoming, Incoming::Pong), |_| false)?;
        Ok(start.elapsed())
    }

    /// From publishing `payload` until it is here again. `false`: something else came.
    pub(crate) fn round_trip(&mut self, subject: &str, payload: &[u8]) -> Outcome<(Duration, bool)> {
        self.sid += 1;
        self.link.out.extend_from_slice(format!("SUB {subject} {}\r\n", self.sid).as_bytes());
        self.rtt()?;
        let start = Instant::now();
        self.link.out.extend_from_slice(format!("PUB {subject} {}\r\n", payload.len()).as_bytes());
        self.link.out.extend_from_slice(payload);
        self.link.out.extend_from_slice(b"\r\n");
        let mut is_whole = false;
        let arrived = |incoming: Incoming<'_>| match incoming {
            Incoming::Message(message) => {
                is_whole = message.payload == payload;
                true
            }
            Incoming::Pong => false,
        };
        self.wait("the message that was sent", arrived, |_| false)?;
        let time = start.elapsed();
        self.link.out.extend_from_slice(format!("UNSUB {}\r\n", self.sid).as_bytes());
        Ok((time, is_whole))
    }

    /// Reads and writes until `on` has got what it wants, or the link has become what `is_done` wants.
    fn wait(
        &mut self,
        what: &'static str,
        mut on: impl FnMut(Incoming<'_>) -> bool,
        is_done: impl Fn(&Link) -> bool,
    ) -> Outcome<()> {
        let end = Instant::now() + self.target.timeout;
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut has_come = false;
        loop {
            self.link.flush()?;
            // Readiness is told once: everything is read before waiting for the next.
            while self.link.read(self.target, &mut self.scratch, |_, incoming| {
                has_come |= on(incoming);
                Ok(())
            })? == Reading::MayHaveMore
            {}
            self.link.flush()?;
            if has_come || is_done(&self.link) {
                return Ok(());
            }
            let left = end.checked_duration_since(Instant::now()).ok_or(Trouble::Silent(what))?;
            match self.poll.poll(&mut events, Some(left)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(Trouble::Io { what: "waiting", source: error });
                }
                _ => self.link.is_ending |= events.iter().any(|event| event.is_read_closed() || event.is_error()),
            }
        }
    }
}

/// The URL of a server, without login.
pub(crate) fn url(endpoint: &Endpoint) -> String {
    let scheme = if endpoint.needs_tls { "tls" } else { "nats" };
    let host = if endpoint.host.contains(':') { format!("[{}]", endpoint.host) } else { endpoint.host.clone() };
    format!("{scheme}://{host}:{}", endpoint.address.port())
}

/// A subject that nobody else uses.
pub(crate) fn inbox() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("_INBOX.{:016x}{:016x}", random(), random())
}

/// A time as Go programs write it: `184µs`, `1.234ms`, `2.5s`.
pub(crate) fn show(time: Duration) -> String {
    let micros = time.as_micros();
    let decimals = |number: f64| {
        let text = format!("{number:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match micros {
        0 => format!("{}ns", time.as_nanos()),
        1..1_000 => format!("{micros}µs"),
        1_000..1_000_000 => format!("{}ms", decimals(micros as f64 / 1e3)),
        _ => format!("{}s", decimals(time.as_secs_f64())),
    }
}

#[cfg(test)]
mod tests {
    use super::{inbox, show};
    use std::time::Duration;

    #[test]
    fn times_are_written_as_in_go() {
        let shown = [700, 184_900, 1_234_000, 20_000_000, 2_500_000_000, 61_000_000_000];
        assert_eq!(
            shown.map(|ns| show(Duration::from_nanos(ns))),
            ["700ns", "184µs", "1.234ms", "20ms", "2.5s", "61s"]
        );
    }

    #[test]
    fn inboxes_differ() {
        assert_ne!(inbox(), inbox());
        assert_eq!(inbox().len(), 7 + 32);
    }
}
