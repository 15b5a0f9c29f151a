//! The thread that asks the server again and again, and the one that asks for names.
//!
//! Owns the time between two looks. Ends when nobody listens any more.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::app::Key;
use super::flags::DELAY_MIN;
use super::look::Look;
use super::options::Options;
use crate::monitoring::{Monitor, PageError};

/// What happens to the screen.
#[derive(Debug)]
pub(crate) enum Event {
    Key(Key),
    /// The terminal has another size.
    Resize,
    Look(Box<Result<Look, PageError>>),
    /// An address and its name.
    Name(String, String),
    /// The terminal is gone.
    NoTerminal,
}

/// Asks every `delay`, and at once when `wishes` brings other options. The first look has been had before.
pub(crate) fn run(
    monitor: &Monitor,
    mut options: Options,
    delay: Duration,
    wishes: &Receiver<Options>,
    events: &Sender<Event>,
) {
    let start = Instant::now();
    let mut begin = start;
    loop {
        // A server that answers slowly gets a rest all the same.
        let rest = delay.saturating_sub(begin.elapsed()).max(DELAY_MIN);
        match wishes.recv_timeout(rest) {
            // Of several wishes the last one counts.
            Ok(wish) => options = wishes.try_iter().last().unwrap_or(wish),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        begin = Instant::now();
        let look = Look::take(monitor, &options, start.elapsed().as_secs_f64());
        if events.send(Event::Look(Box::new(look))).is_err() {
            return;
        }
    }
}

/// Finds the names of addresses, each once.
pub(crate) fn resolve(addresses: &Receiver<String>, events: &Sender<Event>) {
    let mut known = HashSet::new();
    for address in addresses {
        if known.insert(address.clone()) && events.send(Event::Name(address.clone(), name(&address))).is_err() {
            return;
        }
    }
}

/// The name of an address; empty where it has none.
pub(crate) fn name(address: &str) -> String {
    let name = address.parse::<IpAddr>().ok().and_then(|address| dns_lookup::lookup_addr(&address).ok());
    name.filter(|name| name != address).unwrap_or_default()
}
