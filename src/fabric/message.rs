//! Everything that one core may ask of another, beside messages of clients (`batch`).
//!
//! These travel in the interest ring, in order, outside credit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ids::{AccountId, ClientAddress, ClientId, ConnId, CoreId};

/// One entry of an interest ring. `S`: a socket.
#[derive(Debug)]
pub enum CoreMessage<S> {
    /// What changed in the sender's interest during one turn, in order.
    Interest(Arc<InterestBatch>),
    /// Nobody was left to receive a request of yours.
    Undelivered(Box<Undelivered>),
    /// Do not read this connection of yours until I release it: it outruns a receiver of mine.
    Hold {
        /// The publisher.
        conn: ConnId,
        /// It goes on after so long, whether it was released or not.
        at_most: Duration,
        /// That receiver.
        by: ClientId,
    },
    /// That receiver has caught up: the publisher goes on.
    Release {
        /// The publisher.
        conn: ConnId,
    },
    /// A connection that was accepted for you.
    Accepted(Box<Accepted<S>>),
}

const _: () = assert!(size_of::<CoreMessage<mio::net::TcpStream>>() <= 64, "one ring slot is at most one cache line");

/// A socket on its way from the acceptor to its core.
#[derive(Debug)]
pub struct Accepted<S> {
    /// The connection.
    pub socket: S,
    /// Who is on the other side.
    pub address: ClientAddress,
    /// Its number in the server's life.
    pub client: ClientId,
    /// When it was accepted: its timers start there.
    pub at: Instant,
}

/// A request found nobody on the core that was to deliver it.
#[derive(Debug)]
pub struct Undelivered {
    /// Who asked.
    pub origin: Origin,
    /// The account that the request was published in.
    pub account: AccountId,
    /// What was asked.
    pub subject: Box<[u8]>,
    /// Where the answer was to go.
    pub reply: Box<[u8]>,
}

/// All of a message; see [`Origin::share`].
pub const WHOLE: u32 = 1 << 31;

/// The `index`-th of `count` parts of a share, which add up to it.
pub fn part(share: u32, index: u32, count: u32) -> u32 {
    let each = share / count;
    if index == 0 { share - each * (count - 1) } else { each }
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The publisher.
    pub conn: ConnId,
    /// The message's number among those of its core.
    pub number: u64,
    /// Which part of [`WHOLE`] this entry answers for: each core that it was sent to has a part, and one that sends a message
    /// on for several groups divides its own. When parts that add up to the whole have found nobody, nobody got it.
    pub share: u32,
}

/// The changes of interest of one turn, encoded one after the other.
#[derive(Debug, Default)]
pub struct InterestBatch {
    bytes: Vec<u8>,
}

/// One change: how many members its core now has for a pattern (plain: 0 or 1) or for a queue group on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterestChange<'a> {
    /// Whose table.
    pub account: AccountId,
    /// The pattern.
    pub pattern: &'a [u8],
    /// The queue group; `None`: plain subscribers.
    pub queue: Option<&'a [u8]>,
    /// The new count.
    pub members: u32,
}

impl InterestBatch {
    /// Adds a change.
    pub fn push(&mut self, change: &InterestChange<'_>) {
        let queue = change.queue.unwrap_or_default();
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(&change.account.0.to_le_bytes());
        bytes.extend_from_slice(&change.members.to_le_bytes());
        bytes.extend_from_slice(&(change.pattern.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(queue.len() as u32).to_le_bytes());
        bytes.extend_from_slice(change.pattern);
        bytes.extend_from_slice(queue);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What they take, in bytes.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The changes in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = InterestChange<'_>> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (head, tail) = rest.split_first_chunk::<16>()?;
            let word = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
            let (pattern, tail) = tail.split_at(word(8) as usize);
            let (queue, tail) = tail.split_at(word(12) as usize);
            rest = tail;
            // A queue group has a name of at least one byte (`protocol::control_line`), so "no name" is "no group".
            let queue = (!queue.is_empty()).then_some(queue);
            Some(InterestChange { account: AccountId(word(0)), pattern, queue, members: word(4) })
        })
    }
}

/// A core's bit among those of a mail word; the main thread has the last one.
pub const MAIN_BIT: u64 = 1 << 63;

/// The cores other than `this`.
pub fn others(this: CoreId, cores: usize) -> impl Iterator<Item = CoreId> {
    (0..cores).map(CoreId::new).filter(move |&c| c != this)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_out_as_they_went_in() {
        let changes = [
            InterestChange { account: AccountId(0), pattern: b"a.*", queue: None, members: 1 },
            InterestChange { account: AccountId(7), pattern: b">", queue: Some(b"workers"), members: 70_000 },
            InterestChange { account: AccountId(0), pattern: b"a.*", queue: None, members: 0 },
        ];
        let mut batch = InterestBatch::default();
        assert!(batch.is_empty());
        for change in &changes {
            batch.push(change);
        }
        assert_eq!(batch.iter().collect::<Vec<_>>(), changes);
    }
}
