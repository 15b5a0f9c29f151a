//! What one connection may publish to, remembered for the subjects that it used last.
//!
//! Owns the permissions it answers for: others take another cache, so a stale answer cannot be given. Must not know responses,
//! which change from message to message. Invariant: one block of fixed size, which is taken when it is first used.

use std::sync::Arc;

use super::permissions::Permissions;
use crate::limits::{PUBLISH_CACHE_ENTRIES, PUBLISH_CACHE_SUBJECT_BYTES_MAX};
use crate::routing::KeyHash;

/// Which entry a long subject is in. Who chooses subjects that collide slows down itself alone, so the seed need be no secret.
const HASH: KeyHash = KeyHash::new(0);

/// The length of a subject that no subject has.
const NONE: u8 = u8::MAX;

const _: () = assert!(PUBLISH_CACHE_SUBJECT_BYTES_MAX < NONE as usize);

/// One subject, in place, so that it is found with one read.
#[derive(Clone, Copy, Debug)]
struct Entry {
    length: u8,
    allowed: bool,
    /// All of a short subject.
    words: [u64; 2],
    /// All of a long one.
    bytes: [u8; PUBLISH_CACHE_SUBJECT_BYTES_MAX],
}

impl Entry {
    const EMPTY: Self =
        Self { length: NONE, allowed: false, words: [0; 2], bytes: [0; PUBLISH_CACHE_SUBJECT_BYTES_MAX] };

    #[inline]
    fn is_long(&self, subject: &[u8]) -> bool {
        usize::from(self.length) == subject.len()
            && self.bytes.get(..subject.len()).is_some_and(|bytes| is_same(bytes, subject))
    }
}

/// Whether two texts of one length, of 16 bytes or more, are the same: in pieces, of which the last two overlap.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (pieces, others) = (one.as_chunks::<16>().0, other.as_chunks::<16>().0);
    one.last_chunk::<16>() == other.last_chunk::<16>()
        && pieces.iter().zip(others).all(|(one, other)| u128::from_ne_bytes(*one) == u128::from_ne_bytes(*other))
}

/// All bytes of a subject of up to 16: its beginning and its end, which overlap. With the length no two subjects are the same.
#[inline]
fn short_words(subject: &[u8]) -> Option<[u64; 2]> {
    if subject.len() > 16 {
        return None;
    }
    if let (Some(start), Some(end)) = (subject.first_chunk(), subject.last_chunk()) {
        return Some([u64::from_le_bytes(*start), u64::from_le_bytes(*end)]);
    }
    if let (Some(start), Some(end)) = (subject.first_chunk(), subject.last_chunk()) {
        return Some([u32::from_le_bytes(*start).into(), u32::from_le_bytes(*end).into()]);
    }
    Some([subject.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0])
}

/// Which entry a short subject is in.
#[inline]
const fn short_place(words: [u64; 2], length: usize) -> usize {
    let [start, end] = words;
    let wide = (start ^ 0x9e37_79b9_7f4a_7c15) as u128 * (end ^ 0x94d0_49bb_1331_11eb ^ length as u64) as u128;
    (wide as u64 ^ (wide >> 64) as u64) as usize % PUBLISH_CACHE_ENTRIES
}

/// Permissions with a memory.
#[derive(Debug)]
pub struct PublishCache {
    permissions: Arc<Permissions>,
    /// `None` until the first subject comes.
    entries: Option<Box<[Entry; PUBLISH_CACHE_ENTRIES]>>,
    /// Where the long subject is that came last.
    last_long: usize,
}

impl PublishCache {
    /// Answers for `permissions`.
    pub fn new(permissions: Arc<Permissions>) -> Self {
        Self { permissions, entries: None, last_long: 0 }
    }

    /// What it answers for.
    pub fn permissions(&self) -> &Arc<Permissions> {
        &self.permissions
    }

    /// The same as [`Permissions::may_publish`].
    #[inline]
    pub fn may_publish(&mut self, subject: &[u8]) -> bool {
        match short_words(subject) {
            Some(words) => self.may_publish_short(subject, words),
            None => self.may_publish_long(subject),
        }
    }

    #[inline]
    fn may_publish_short(&mut self, subject: &[u8], words: [u64; 2]) -> bool {
        let place = short_place(words, subject.len());
        match self.entry(place) {
            Some(entry) if usize::from(entry.length) == subject.len() && entry.words == words => entry.allowed,
            _ => self.decide(place, subject, words),
        }
    }

    fn may_publish_long(&mut self, subject: &[u8]) -> bool {
        // Where the last one comes again, even its hash is saved.
        if let Some(entry) = self.entry(self.last_long).filter(|entry| entry.is_long(subject)) {
            return entry.allowed;
        }
        self.last_long = HASH.hash(subject) as usize % PUBLISH_CACHE_ENTRIES;
        match self.entry(self.last_long) {
            Some(entry) if entry.is_long(subject) => entry.allowed,
            _ => self.decide(self.last_long, subject, [0; 2]),
        }
    }

    #[inline]
    fn entry(&self, place: usize) -> Option<&Entry> {
        self.entries.as_deref().and_then(|entries| entries.get(place))
    }

    #[cold]
    fn decide(&mut self, place: usize, subject: &[u8], words: [u64; 2]) -> bool {
        let allowed = self.permissions.may_publish(subject);
        let entries = self.entries.get_or_insert_with(|| Box::new([Entry::EMPTY; PUBLISH_CACHE_ENTRIES]));
        if let Some(entry) = entries.get_mut(place)
            && let Some(bytes) = entry.bytes.get_mut(..subject.len())
        {
            bytes.copy_from_slice(subject);
            entry.length = subject.len() as u8;
            entry.allowed = allowed;
            entry.words = words;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::security;

    fn cache(allow: &[&str], deny: &[&str]) -> PublishCache {
        let owned = |list: &[&str]| list.iter().map(|&subject| subject.to_owned()).collect();
        let lists = security::SubjectLists { allow: Some(owned(allow)), deny: owned(deny) };
        PublishCache::new(Arc::new(Permissions::new(&security::Permissions {
            publish: Some(lists),
            ..Default::default()
        })))
    }

    #[test]
    fn answers_are_the_permissions_whatever_was_asked_before() {
        let mut cache = cache(&["ok.*"], &["ok.13"]);
        let long = format!("ok.{}", "x".repeat(PUBLISH_CACHE_SUBJECT_BYTES_MAX));
        for round in 0..3 {
            for n in 0..500 {
                assert_eq!(cache.may_publish(format!("ok.{n}").as_bytes()), n != 13, "{n} in round {round}");
                assert!(!cache.may_publish(format!("no.{n}").as_bytes()));
            }
            assert!(cache.may_publish(long.as_bytes()));
            assert!(!cache.may_publish(b""));
        }
    }

    #[test]
    fn takes_no_room_before_it_is_used_and_little_after() {
        let mut cache = cache(&[">"], &[]);
        assert!(cache.entries.is_none());
        cache.may_publish(b"a");
        assert!(cache.entries.is_some());
        assert!(size_of::<[Entry; PUBLISH_CACHE_ENTRIES]>() <= 4096);
    }

    #[test]
    fn each_byte_of_a_subject_counts() {
        for length in 1..=PUBLISH_CACHE_SUBJECT_BYTES_MAX + 1 {
            let subject = "x".repeat(length);
            let mut cache = cache(&[&subject], &[]);
            assert!(cache.may_publish(subject.as_bytes()), "{length}");
            for at in 0..length {
                let mut other = subject.clone().into_bytes();
                other[at] = b'y';
                assert!(!cache.may_publish(&other), "{length} {at}");
                assert_eq!(length > 16, short_words(&other).is_none());
                assert!(length > 16 || short_words(&other) != short_words(subject.as_bytes()), "{length} {at}");
            }
            assert!(cache.may_publish(subject.as_bytes()), "{length}");
        }
    }

    #[test]
    fn numbered_subjects_do_not_crowd_in_one_place() {
        for shape in ["a.{}", "orders.{}.new", "sensors.hall.{}"] {
            let mut counts = [0_u32; PUBLISH_CACHE_ENTRIES];
            for n in 0..1000 {
                let subject = shape.replace("{}", &n.to_string());
                let words = short_words(subject.as_bytes()).expect("it is short");
                counts[short_place(words, subject.len())] += 1;
            }
            assert!(counts.iter().all(|count| (8..90).contains(count)), "{shape}: {counts:?}");
        }
    }
}
