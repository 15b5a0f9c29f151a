//! PING, PONG and the stale connection.
//!
//! A quiet client is asked; one that leaves too many questions open is closed. Any bytes count as a sign of life, but only
//! a PONG closes the questions, as on the peer.

use std::time::{Duration, Instant};

/// The first PING comes this long after the connection, so that a round trip is known soon.
pub const FIRST_PING_AFTER: Duration = Duration::from_secs(2);

/// What the timer of one connection knows.
#[derive(Debug)]
pub struct Keepalive {
    last_active: Instant,
    pings_out: u32,
    /// When the last PING was queued, until its PONG comes.
    pinged_at: Option<Instant>,
    /// The last round trip.
    pub rtt: Option<Duration>,
    /// From accepting to CONNECT: what a round trip takes at most, until one has been measured.
    until_connect: Option<Duration>,
    first: bool,
}

/// What is to be done when the timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Nothing; look again then.
    Later(Instant),
    /// Send a PING; look again then.
    Ping(Instant),
    /// Too many PINGs without an answer: close it.
    Stale,
}

impl Keepalive {
    /// A connection that was accepted at `now`.
    pub fn new(now: Instant) -> Self {
        Self { last_active: now, pings_out: 0, pinged_at: None, rtt: None, until_connect: None, first: true }
    }

    /// When the timer is to fire first.
    pub fn first_deadline(&self, interval: Duration) -> Instant {
        self.last_active + FIRST_PING_AFTER.min(interval)
    }

    /// CONNECT came.
    pub fn handle_connect(&mut self, now: Instant, started: Instant) {
        self.until_connect.get_or_insert(now.saturating_duration_since(started));
    }

    /// The last round trip, or what is known of it.
    pub fn round_trip(&self) -> Duration {
        self.rtt.or(self.until_connect).unwrap_or_default()
    }

    /// Bytes came.
    pub fn handle_bytes(&mut self, now: Instant) {
        self.last_active = now;
    }

    /// A PONG came.
    pub fn handle_pong(&mut self, now: Instant) {
        self.pings_out = 0;
        if let Some(at) = self.pinged_at.take() {
            self.rtt = Some(now.saturating_duration_since(at));
        }
    }

    /// When bytes last came.
    pub fn last_active(&self) -> Instant {
        self.last_active
    }

    /// The timer fired.
    pub fn handle_timer(&mut self, now: Instant, interval: Duration, pings_out_max: u32) -> Tick {
        let first = std::mem::take(&mut self.first);
        let quiet = now.saturating_duration_since(self.last_active);
        // A client that talks need not be asked, once its round trip is known.
        if !first && quiet < interval && self.rtt.is_some() && self.pings_out == 0 {
            return Tick::Later(self.last_active + interval);
        }
        if self.pings_out >= pings_out_max.max(1) {
            return Tick::Stale;
        }
        self.pings_out += 1;
        self.pinged_at.get_or_insert(now);
        Tick::Ping(now + interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_silent_client_is_asked_and_then_stale() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start);
        let (interval, mut now) = (10 * SECOND, start + 2 * SECOND);
        for _ in 0..2 {
            let Tick::Ping(next) = alive.handle_timer(now, interval, 2) else { panic!("not asked") };
            now = next;
        }
        assert_eq!(alive.handle_timer(now, interval, 2), Tick::Stale);
    }

    #[test]
    fn a_client_that_talks_is_left_alone_and_a_pong_settles_all() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start);
        assert!(matches!(alive.handle_timer(start + 2 * SECOND, 10 * SECOND, 2), Tick::Ping(_)));
        alive.handle_pong(start + 3 * SECOND);
        assert_eq!(alive.rtt, Some(SECOND));
        alive.handle_bytes(start + 11 * SECOND);
        assert_eq!(alive.handle_timer(start + 12 * SECOND, 10 * SECOND, 2), Tick::Later(start + 21 * SECOND));
        assert!(matches!(alive.handle_timer(start + 22 * SECOND, 10 * SECOND, 2), Tick::Ping(_)));
    }

    #[test]
    fn bytes_that_are_no_pong_do_not_answer_a_ping() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start);
        let mut now = start + 2 * SECOND;
        for _ in 0..2 {
            assert!(matches!(alive.handle_timer(now, SECOND, 2), Tick::Ping(_)));
            now += SECOND;
            alive.handle_bytes(now);
        }
        assert_eq!(alive.handle_timer(now, SECOND, 2), Tick::Stale);
    }
}
