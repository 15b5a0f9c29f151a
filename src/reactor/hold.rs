//! Publishers that are held back for receivers that are far behind.
//!
//! A receiver with very much pending that takes bytes slows those who feed it, and nobody else: its core asks the core of the publisher
//! not to read that one connection, and says so when the receiver has caught up. Each core that holds a publisher back counts once,
//! however many of its receivers are behind, so a hold or a release that comes twice changes nothing. A hold lasts at most as long
//! as its receiver is waited for, by the clock of either core: a release that is forgotten, a receiver that freezes, a connection
//! that goes leave nothing behind.
//!
//! Owns which publishers this core holds back, and for whom. Must not stop a link: what is on its way is delivered.

use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::Reactor;
use super::connections;
use super::expire::TimerKey;
use crate::fabric::Rule;
use crate::fabric::message::CoreMessage;
use crate::ids::{ClientId, ConnId, CoreId};
use crate::os::poll::Os;

/// Publishers of any core that this one holds back.
#[derive(Debug, Default)]
pub(super) struct Holds {
    by_publisher: HashMap<ConnId, Hold>,
}

/// For whom, and until when at the latest.
#[derive(Clone, Copy, Debug)]
struct Hold {
    receiver: ConnId,
    until: Instant,
}

impl Holds {
    /// Holds a publisher back; `false`: that has been done, and what comes of it was on its way.
    fn begin(&mut self, publisher: ConnId, receiver: ConnId, now: Instant, until: Instant) -> bool {
        let known = self.by_publisher.get(&publisher);
        let begins = known.is_none_or(|hold| hold.until <= now);
        if begins {
            self.by_publisher.insert(publisher, Hold { receiver, until });
        }
        begins
    }

    /// Those that were held back for this receiver.
    fn end_for(&mut self, receiver: ConnId) -> Vec<ConnId> {
        self.by_publisher.extract_if(|_, hold| hold.receiver == receiver).map(|(publisher, _)| publisher).collect()
    }

    /// Those that were held back for as long as may be have gone on.
    fn forget_ended(&mut self, now: Instant) {
        self.by_publisher.retain(|_, hold| hold.until > now);
        if self.by_publisher.is_empty() {
            self.by_publisher = HashMap::new();
        }
    }

    /// How many are held back.
    pub(super) fn len(&self) -> usize {
        self.by_publisher.len()
    }
}

impl<O: Os> Reactor<O> {
    /// A receiver is far behind and takes bytes: its publisher is held back. Whether that is one of this core.
    pub(super) fn hold(&mut self, publisher: ConnId, receiver: u32) -> bool {
        let (now, here) = (self.now, publisher.core == self.this);
        if !here && self.os.breaks(Rule::HoldOverCores) {
            return false;
        }
        let id = self.clients.id(receiver);
        let Some(client) = self.clients.at(receiver) else { return false };
        let at_most = client.patience(now, &self.settings.patience);
        if !self.holds.begin(publisher, id, now, now + at_most) {
            return here;
        }
        self.timers.insert(now + at_most, TimerKey::Holds);
        self.stats.stalls += 1;
        let by = client.connection.client;
        let pressure = client.pressure.get_or_insert_default();
        pressure.stalls_caused += 1;
        pressure.holds_others = true;
        if here {
            self.hold_back(publisher, self.this, at_most, by);
        } else {
            self.fabric.outbox.send(publisher.core, CoreMessage::Hold { conn: publisher, at_most, by });
            self.write_soon = true; // what it sends until word gets there is pending too
        }
        here
    }

    /// A receiver has less pending: if it has caught up, those that were held back for it go on.
    #[inline]
    pub(super) fn look_whether_caught_up(&mut self, slot: u32) {
        if let Some(client) = self.clients.at(slot)
            && client.pressure.as_ref().is_some_and(|pressure| pressure.holds_others)
            && client.connection.outbound.pending_bytes() < self.settings.caught_up_bytes()
        {
            self.release_publishers(slot);
        }
    }

    /// Nobody is to wait for this receiver any more.
    pub(super) fn release_publishers(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let Some(pressure) = client.pressure.as_deref_mut().filter(|pressure| pressure.holds_others) else { return };
        pressure.holds_others = false;
        if self.os.breaks(Rule::Release) {
            return;
        }
        for publisher in self.holds.end_for(self.clients.id(slot)) {
            if publisher.core == self.this {
                self.let_go(publisher, self.this);
            } else {
                self.fabric.outbox.send(publisher.core, CoreMessage::Release { conn: publisher });
            }
        }
    }

    /// Publishers that were held back for as long as may be have gone on.
    pub(super) fn forget_ended_holds(&mut self) {
        self.holds.forget_ended(self.now);
    }

    /// Does not read a connection of this core until `core` lets it go, or `at_most` so long.
    pub(super) fn hold_back(&mut self, conn: ConnId, core: CoreId, at_most: Duration, by: ClientId) {
        let Some(client) = self.clients.find(conn) else { return };
        let until = self.now + at_most;
        client.hold_back(connections::Hold { core, until }, by);
        if !self.os.breaks(Rule::HoldsEnd) {
            self.timers.insert(until, TimerKey::held(conn));
        }
    }

    /// A core does not hold a connection of this one back any more.
    pub(super) fn let_go(&mut self, conn: ConnId, core: CoreId) {
        self.end_holds_where(conn, |hold| hold.core == core);
    }

    /// A connection of this core was held back for as long as may be.
    pub(super) fn end_holds_of(&mut self, conn: ConnId) {
        let now = self.now;
        self.end_holds_where(conn, |hold| hold.until <= now);
    }

    fn end_holds_where(&mut self, conn: ConnId, ends: impl Fn(&connections::Hold) -> bool) {
        let Some(client) = self.clients.find(conn) else { return };
        let Some(pressure) = client.pressure.as_deref_mut() else { return };
        pressure.holds.retain(|hold| !ends(hold));
        if pressure.holds.is_empty() {
            self.enqueue(conn.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conn(core: usize, slot: u32) -> ConnId {
        ConnId { core: CoreId::new(core), slot, generation: 0 }
    }

    #[test]
    fn a_publisher_is_held_once_and_goes_on_when_its_receiver_has_caught_up() {
        let (mut holds, now) = (Holds::default(), Instant::now());
        let until = now + Duration::from_millis(64);
        let (slow, slower, publishers) = (conn(0, 1), conn(0, 2), [conn(1, 7), conn(2, 7), conn(2, 8)]);
        assert!(publishers.iter().all(|&publisher| holds.begin(publisher, slow, now, until)));
        assert!(!holds.begin(publishers[0], slower, now, until), "what was on its way asks for nothing new");
        assert!(holds.end_for(slower).is_empty());
        let ended = holds.end_for(slow);
        assert!(ended.len() == 3 && publishers.iter().all(|publisher| ended.contains(publisher)), "{ended:?}");
        assert!(holds.len() == 0 && holds.begin(publishers[0], slower, now, until), "it is behind for another");
    }

    #[test]
    fn a_hold_that_has_ended_is_forgotten_and_may_begin_again() {
        let (mut holds, now, short, long) =
            (Holds::default(), Instant::now(), Duration::from_millis(1), Duration::from_millis(3));
        assert!(
            holds.begin(conn(1, 1), conn(0, 0), now, now + short)
                && holds.begin(conn(1, 2), conn(0, 0), now, now + long)
        );
        assert!(holds.begin(conn(1, 1), conn(0, 0), now + short, now + long), "it has gone on by itself");
        assert!(holds.begin(conn(1, 3), conn(0, 0), now, now + short));
        holds.forget_ended(now + short);
        assert_eq!(holds.len(), 2);
        holds.forget_ended(now + long);
        assert_eq!(holds.len(), 0);
    }
}
