//! Opens many connections at once on one thread, and measures how long each took to be ready.
//!
//! Owns nothing afterwards: the links go to the caller, registered with its `Poll` under their place as token.

use std::io::ErrorKind;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::clock::{nanos, now_ns};
use super::link::{Link, READ_BYTES};
use super::target::Target;
use super::trouble::{Outcome, Trouble};

/// Connections in the making at once, where nothing else is said: below the backlog of a listener.
pub(crate) const WAVE: usize = 256;
const EVENTS_MAX: usize = 1024;

/// What is to be opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Chooses the server where there are several.
    pub(crate) number: usize,
    /// Operations that follow CONNECT.
    pub(crate) first: Vec<u8>,
    /// A small receive buffer, for those who mean to read slowly.
    pub(crate) receive_bytes: Option<usize>,
}

/// Opens `wishes`, `wave` at a time. `on_ready` gets the place and the nanoseconds from connect to PONG, and may end it all.
pub(crate) fn dial(
    poll: &mut Poll,
    target: &Target,
    wishes: Vec<Wish>,
    wave: usize,
    mut on_ready: impl FnMut(usize, u64) -> Outcome<()>,
) -> Outcome<Vec<Link>> {
    let total = wishes.len();
    let mut wishes = wishes.into_iter();
    let mut links: Vec<Link> = Vec::with_capacity(total);
    let mut begun: Vec<u64> = Vec::with_capacity(total);
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut scratch = vec![0; READ_BYTES];
    let mut ready = 0;
    let mut last_progress = now_ns();
    while ready < total {
        while links.len() - ready < wave.max(1) {
            let Some(wish) = wishes.next() else { break };
            begun.push(now_ns());
            let mut link = Link::open(target, wish.number, wish.first, wish.receive_bytes)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(link.source(), Token(links.len()), interest)
                .map_err(Trouble::io("watching a socket"))?;
            links.push(link);
        }
        match poll.poll(&mut events, Some(Duration::from_millis(100))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(Trouble::Io { what: "waiting", source: error });
            }
            _ => {}
        }
        for event in &events {
            let place = event.token().0;
            let Some(link) = links.get_mut(place) else { continue };
            let was_ready = link.is_ready();
            link.is_ending |= event.is_read_closed() || event.is_error();
            link.read(target, &mut scratch, |_, _| Ok(()))?;
            link.flush()?;
            if !was_ready && link.is_ready() {
                ready += 1;
                last_progress = now_ns();
                on_ready(place, last_progress.saturating_sub(begun[place]))?;
            }
        }
        if now_ns() - last_progress > nanos(target.timeout) {
            return Err(Trouble::Silent("a new connection"));
        }
    }
    Ok(links)
}
