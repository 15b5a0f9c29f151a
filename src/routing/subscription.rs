//! One subscription of this core.
//!
//! Owns the client's name for it (sid) and its counters. 40 bytes, since there may be millions.
//! Invariant: `position` is its place in the list that it stands in: live or retired, plain or of its group.

use super::entry::PatternId;
use super::queue_group::GroupRef;

/// Bytes of a sid that are kept in place.
pub const SID_BLOCK: usize = SHORT;
const SHORT: usize = 14;
/// Bit of `place`: ended for local publishers.
const RETIRED: u32 = 1 << 31;
/// Bit of `place`: what it is given is checked, or noted, first.
const GUARDED: u32 = 1 << 30;

#[derive(Debug)]
enum Sid {
    Short {
        length: u8,
        bytes: [u8; SHORT],
    },
    /// What few subscriptions have: a long sid, or a number of messages after which they end.
    Rare(Box<Rare>),
}

#[derive(Debug)]
struct Rare {
    sid: Box<[u8]>,
    max: Option<u64>,
}

/// A subscription, as its connection made it.
#[derive(Debug)]
pub struct Subscription {
    conn_slot: u32,
    pub(super) pattern: PatternId,
    pub(super) group: GroupRef,
    place: u32,
    /// Messages that its connection was given for it.
    pub delivered: u64,
    sid: Sid,
}

const _: () = assert!(size_of::<Subscription>() == 40);

impl Default for Subscription {
    fn default() -> Self {
        Self::new(u32::MAX, b"", PatternId::NONE, GroupRef::NONE)
    }
}

impl Subscription {
    pub(super) fn new(conn_slot: u32, sid: &[u8], pattern: PatternId, group: GroupRef) -> Self {
        let mut bytes = [0; SHORT];
        let sid = match bytes.get_mut(..sid.len()) {
            Some(place) => {
                place.copy_from_slice(sid);
                Sid::Short { length: sid.len() as u8, bytes }
            }
            None => Sid::Rare(Box::new(Rare { sid: sid.into(), max: None })),
        };
        Self { conn_slot, pattern, group, place: 0, delivered: 0, sid }
    }

    /// The place of its connection on this core.
    #[inline]
    pub const fn conn_slot(&self) -> u32 {
        self.conn_slot
    }

    /// The client's name for it, as it came.
    #[inline]
    pub fn sid(&self) -> &[u8] {
        match &self.sid {
            Sid::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Sid::Rare(rare) => &rare.sid,
        }
    }

    /// The client's name for it as the front of a block of known size, where it is short.
    #[inline]
    pub fn short_sid(&self) -> Option<(&[u8; SID_BLOCK], usize)> {
        match &self.sid {
            Sid::Short { length, bytes } => Some((bytes, usize::from(*length))),
            Sid::Rare(_) => None,
        }
    }

    /// How many messages it gets in all, where that is bounded.
    #[inline]
    pub const fn max(&self) -> Option<u64> {
        match &self.sid {
            Sid::Short { .. } => None,
            Sid::Rare(rare) => rare.max,
        }
    }

    /// Bounds how many messages it gets in all; who delivers compares with `delivered`.
    pub fn set_max(&mut self, max: Option<u64>) {
        match &mut self.sid {
            Sid::Rare(rare) => rare.max = max,
            Sid::Short { .. } if max.is_some() => {
                let sid = self.sid().into();
                self.sid = Sid::Rare(Box::new(Rare { sid, max }));
            }
            Sid::Short { .. } => {}
        }
    }

    /// Stands for its pattern as long as that is subscribed to: to compare.
    #[inline]
    pub const fn pattern_number(&self) -> u32 {
        self.pattern.0
    }

    /// Whether it has ended for local publishers, and is served for messages of other cores only.
    pub const fn is_retired(&self) -> bool {
        self.place & RETIRED != 0
    }

    /// Whether each message for it must be checked against its connection's permissions first.
    #[inline]
    pub const fn is_guarded(&self) -> bool {
        self.place & GUARDED != 0
    }

    pub(super) const fn set_guarded(&mut self, guarded: bool) {
        self.place = if guarded { self.place | GUARDED } else { self.place & !GUARDED };
    }

    /// Whether it is a member of a queue group.
    pub fn is_queue(&self) -> bool {
        self.group != GroupRef::NONE
    }

    pub(super) const fn position(&self) -> usize {
        (self.place & !(RETIRED | GUARDED)) as usize
    }

    pub(super) const fn set_position(&mut self, position: usize) {
        self.place = self.place & (RETIRED | GUARDED) | position as u32;
    }

    pub(super) const fn set_retired(&mut self) {
        self.place |= RETIRED;
    }
}

#[cfg(test)]
mod tests {
    use super::{GroupRef, PatternId, Subscription};

    #[test]
    fn sid_survives_a_bound_at_every_length() {
        for length in [0, 1, 2, 13, 14, 15, 40] {
            let sid = vec![b'7'; length];
            let mut subscription = Subscription::new(3, &sid, PatternId::NONE, GroupRef::NONE);
            assert_eq!((subscription.sid(), subscription.max()), (&sid[..], None));
            subscription.set_max(None);
            subscription.set_max(Some(5));
            assert_eq!((subscription.sid(), subscription.max()), (&sid[..], Some(5)));
            subscription.set_max(None);
            assert_eq!((subscription.sid(), subscription.max()), (&sid[..], None));
        }
    }

    #[test]
    fn position_and_marks_do_not_touch_each_other() {
        let mut subscription = Subscription::default();
        subscription.set_position(9);
        subscription.set_retired();
        assert!(subscription.is_retired());
        subscription.set_guarded(true);
        subscription.set_position(4);
        assert!(subscription.is_retired() && subscription.is_guarded());
        assert_eq!(subscription.position(), 4);
        subscription.set_guarded(false);
        assert!(subscription.is_retired() && !subscription.is_guarded());
        assert_eq!(subscription.position(), 4);
    }
}
