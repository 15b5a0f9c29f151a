//! The connections of one core, by slot.
//!
//! A slot is used again, a generation is not: a stale [`ConnId`] or poll key misses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::secure::Layer;
use super::settings::Patience;
use super::snapshot::HELD_BACK_BY_MAX;
use crate::connection::Connection;
use crate::ids::{AccountId, ClientId, ConnId, CoreId};
use crate::protocol::proxy_header::ProxyHeader;

/// A connection and its socket.
#[derive(Debug)]
pub struct Client<S> {
    /// The socket.
    pub socket: S,
    /// TLS beside it; `None`: bytes go in the clear.
    pub tls: Option<Box<Layer>>,
    /// A proxy's header that comes before all else; `None`: it has come, or none is expected.
    pub header: Option<Box<ProxyHeader>>,
    /// Everything else about it.
    pub connection: Connection,
    /// Its account.
    pub account: AccountId,
    /// It is among those that the account counts.
    pub counted: bool,
    /// It is among those that count towards `max_connections`.
    pub admitted: bool,
    /// Its password is being checked: it is not read until that is done.
    pub verifying: Option<Verifying>,
    /// How often this slot was used before.
    pub generation: u32,
    /// On the list of those that have something to write.
    pub dirty: bool,
    /// It has not been served yet.
    pub fresh: bool,
    /// On the list of those to be served.
    pub queued: bool,
    /// The socket may have bytes for us: an edge came, and nothing said since that it is empty.
    pub readable: bool,
    /// The other side has ended: read to the end.
    pub ended: bool,
    /// The other side has gone: what is said to it is lost.
    pub gone: bool,
    /// `inbound` holds whole operations that wait to be acted on.
    pub unacted: bool,
    /// Bytes that its next read should have room for; 0: the usual.
    pub read_room: usize,
    /// The kernel took less than we had: wait for an edge.
    pub blocked: bool,
    /// Such an edge is reported: it has had to wait for one.
    pub writing_watched: bool,
    /// How many batches that it fed wait for credit.
    pub held: u32,
    /// How many of its ended subscriptions are still served to other cores' messages.
    pub ending: u32,
    /// A PONG waits for them, and nothing behind it is acted on.
    pub pong_waits: bool,
    /// A message of it is being spread over very many receivers.
    pub fanning_out: bool,
    /// Where `outbound` must have got to, and when.
    pub write_deadline: Option<(u64, Instant)>,
    /// A timer for that is set.
    pub write_timer: bool,
    /// When it last took bytes.
    pub took_at: Instant,
    /// When it last sent or got a message, or what it subscribes to changed.
    pub active_at: Instant,
    /// What it had done then: messages and subscriptions.
    done_at: u64,
    /// Who was held back for whom; most connections have nothing to do with that.
    pub pressure: Option<Box<Pressure>>,
    /// It was told that it has as many subscriptions as it may, and the log too.
    pub was_full: bool,
    /// The last run of messages in which it was seen to be a receiver.
    pub last_run: u32,
    /// And its place among them.
    pub run_place: u32,
    /// Nothing is delivered to it any more.
    pub doomed: bool,
    /// On the list of those to be torn down, or past it.
    pub leaving: bool,
    /// Torn down; its socket is closed when its last words are out.
    pub last_words: bool,
}

/// Publishers that were held back for a receiver, and receivers for which a publisher was.
#[derive(Clone, Debug, Default)]
pub struct Pressure {
    /// How often a publisher was held back for this connection.
    pub stalls_caused: u64,
    /// Some may be now.
    pub holds_others: bool,
    /// Cores that hold this one back, each once.
    pub holds: Vec<Hold>,
    /// For whom this one was last held back, the latest first; 0: nobody.
    pub held_back_by: [u64; HELD_BACK_BY_MAX],
}

/// A core holds a publisher back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which one.
    pub core: CoreId,
    /// Until then at the latest.
    pub until: Instant,
}

/// A password check that a client waits for; nobody wants it any more when the client is gone.
#[derive(Debug)]
pub struct Verifying(pub Arc<AtomicBool>);

impl Drop for Verifying {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl<S> Client<S> {
    /// Whether its input may be taken now.
    pub fn may_be_served(&self) -> bool {
        (self.readable || self.unacted)
            && self.held == 0
            && !self.pong_waits
            && !self.fanning_out
            && self.verifying.is_none()
            && !self.is_held_back()
            && self.connection.closing().is_none()
    }

    /// Whether it is not read for now, since it outruns a receiver.
    pub fn is_held_back(&self) -> bool {
        self.pressure.as_ref().is_some_and(|pressure| !pressure.holds.is_empty())
    }

    /// How much longer its publishers are to wait for it; nothing where it is frozen.
    pub fn patience(&self, now: Instant, patience: &Patience) -> Duration {
        patience.with(self.written()).saturating_sub(now.saturating_duration_since(self.took_at))
    }

    /// Notes whether it has done anything but PING and PONG since this was last asked.
    #[inline]
    pub fn note_activity(&mut self, now: Instant) {
        let counts = &self.connection.counts;
        let done = counts.in_msgs + counts.out_msgs + self.connection.subscriptions.len() as u64;
        if done != self.done_at {
            (self.done_at, self.active_at) = (done, now);
        }
    }

    /// It is held back for a receiver of that core.
    pub fn hold_back(&mut self, hold: Hold, by: ClientId) {
        let pressure = self.pressure.get_or_insert_default();
        if pressure.holds.is_empty() {
            self.connection.counts.stalls += 1;
        }
        pressure.holds.retain(|known| known.core != hold.core);
        pressure.holds.push(hold);
        let held_back_by = &mut pressure.held_back_by;
        let known = held_back_by.iter().position(|cid| *cid == by.0).unwrap_or(HELD_BACK_BY_MAX - 1);
        held_back_by.copy_within(..known, 1);
        held_back_by[0] = by.0;
    }

    /// Whether it is behind, or holds others back, or is held back.
    pub fn is_of_interest(&self) -> bool {
        self.connection.outbound.pending_bytes() > 0 || self.pressure.is_some() || self.connection.counts.stalls > 0
    }

    /// Bytes written to it so far.
    pub fn written(&self) -> u64 {
        self.connection.outbound.added() - self.connection.outbound.pending_bytes()
    }
}

#[derive(Debug)]
struct Slot<S> {
    generation: u32,
    client: Option<Box<Client<S>>>,
}

/// All of them.
#[derive(Debug)]
pub struct Connections<S> {
    core: CoreId,
    slots: Vec<Slot<S>>,
    free: Vec<u32>,
    count: usize,
}

impl<S> Connections<S> {
    /// None yet.
    pub fn new(core: CoreId) -> Self {
        Self { core, slots: Vec::new(), free: Vec::new(), count: 0 }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes one in; its id.
    pub fn insert(&mut self, socket: S, connection: Connection, account: AccountId) -> ConnId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, client: None });
            (self.slots.len() - 1) as u32
        });
        let place = &mut self.slots[slot as usize];
        let generation = place.generation;
        let connection_started = connection.started;
        place.client = Some(Box::new(Client {
            socket,
            tls: None,
            header: None,
            connection,
            account,
            counted: false,
            admitted: false,
            verifying: None,
            generation,
            dirty: false,
            fresh: true,
            queued: false,
            readable: false,
            ended: false,
            gone: false,
            unacted: false,
            read_room: 0,
            blocked: false,
            writing_watched: false,
            held: 0,
            ending: 0,
            pong_waits: false,
            fanning_out: false,
            write_deadline: None,
            write_timer: false,
            took_at: connection_started,
            active_at: connection_started,
            done_at: 0,
            pressure: None,
            was_full: false,
            doomed: false,
            leaving: false,
            last_words: false,
            last_run: 0,
            run_place: 0,
        }));
        self.count += 1;
        ConnId { core: self.core, slot, generation }
    }

    /// Takes one out. Its slot is used again with another generation.
    pub fn remove(&mut self, slot: u32) -> Option<Box<Client<S>>> {
        let place = self.slots.get_mut(slot as usize)?;
        let client = place.client.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot);
        self.count -= 1;
        if self.count == 0 {
            self.free.shrink_to(1024);
        }
        Some(client)
    }

    /// The one in a slot.
    #[inline]
    pub fn at(&mut self, slot: u32) -> Option<&mut Client<S>> {
        self.slots.get_mut(slot as usize)?.client.as_deref_mut()
    }

    /// The one with this id, if it is still there.
    pub fn find(&mut self, id: ConnId) -> Option<&mut Client<S>> {
        self.at(id.slot).filter(|c| c.generation == id.generation)
    }

    /// The id of the one in a slot.
    pub fn id(&self, slot: u32) -> ConnId {
        let generation = self.slots.get(slot as usize).map_or(0, |s| s.generation);
        ConnId { core: self.core, slot, generation }
    }

    /// The slot behind the last one that may be in use.
    pub fn slots_end(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Slots in use, in order.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().enumerate().filter(|(_, s)| s.client.is_some()).map(|(i, _)| i as u32)
    }
}

/// What a socket is registered under.
pub fn key_of(id: ConnId) -> u64 {
    u64::from(id.generation) << 32 | u64::from(id.slot)
}

/// The slot and generation that a key stands for.
pub fn of_key(core: CoreId, key: u64) -> ConnId {
    ConnId { core, slot: key as u32, generation: (key >> 32) as u32 }
}
