//! Which patterns match a subject, remembered for subjects that were published to.
//!
//! Owns a bounded number of results, none of which needs memory of its own where at most four patterns match. A result
//! names patterns, not subscriptions: joins and leaves within a known pattern change nothing here. A literal pattern that
//! comes or goes drops the result of that one subject at once; a wildcard pattern is written down in a log, and a result
//! that is older than the log's end is held against the changes since then when it is next asked for.
//! Invariant: a result that `find` gives names exactly the patterns that match now. So a pattern's number may be used
//! again: whoever had the old one cached is touched by its removal.

use super::entry::PatternId;
use super::sublist::matches;
use super::text::{Text, same};

/// Longer subjects are matched anew each time.
const SUBJECT_BYTES_MAX: usize = 85;
/// Results with more patterns are not kept: matching is the smaller part of delivering to so many.
const PATTERNS_MAX: usize = 256;
const FEW: usize = 4;
const WAYS: usize = 4;
/// Entries that a cache starts with; it grows fourfold when it has turned over as many.
const ENTRIES_FIRST: usize = 64;
/// Changes of wildcard patterns that are remembered; a result older than all of them is made anew.
const LOG: usize = 64;

/// Aligned, so that a lookup of a short subject touches one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Entry {
    /// Changes of wildcard patterns that this result knows of.
    checked: u64,
    many: Option<Box<[PatternId]>>,
    few: [PatternId; FEW],
    few_length: u8,
    /// Asked for since an eviction last passed by.
    asked: bool,
    subject_length: u8,
    subject: [u8; SUBJECT_BYTES_MAX],
}

const _: () = assert!(size_of::<Entry>() == 128);

impl Entry {
    const EMPTY: Self = Self {
        checked: 0,
        many: None,
        few: [PatternId::NONE; FEW],
        few_length: 0,
        asked: false,
        subject_length: 0,
        subject: [0; SUBJECT_BYTES_MAX],
    };

    #[inline]
    fn subject(&self) -> &[u8] {
        self.subject.get(..usize::from(self.subject_length)).unwrap_or_default()
    }

    #[inline]
    fn patterns(&self) -> &[PatternId] {
        match &self.many {
            None => self.few.get(..usize::from(self.few_length)).unwrap_or_default(),
            Some(many) => many,
        }
    }
}

/// Four entries that a subject may be in.
#[derive(Clone, Debug, Default)]
struct Set {
    /// Part of the hash; 0: vacant.
    tags: [u32; WAYS],
    /// The entry that is looked at first when one must go.
    hand: u8,
}

/// Who was turned away from a full set lately: a bit each, and two may share one.
#[derive(Clone, Copy, Debug, Default)]
struct TurnedAway(u64);

impl TurnedAway {
    /// So many are remembered, twice as many as a set holds; then it begins anew.
    const BITS_MAX: u32 = 2 * WAYS as u32;

    /// Whether this subject is one of them; if not, it is now.
    fn knows(&mut self, hash: u64) -> bool {
        let bit = 1 << (hash >> 58);
        if self.0 & bit != 0 {
            return true;
        }
        if self.0.count_ones() == Self::BITS_MAX {
            self.0 = 0;
        }
        self.0 |= bit;
        false
    }
}

const fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32 | 1
}

/// What the cache has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CacheCounts {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) length: usize,
}

/// The cache of one table.
#[derive(Debug)]
pub(super) struct MatchCache {
    sets: Vec<Set>,
    /// One a set, where it cannot grow any more.
    turned_away: Vec<TurnedAway>,
    entries: Vec<Entry>,
    entries_max: usize,
    /// Evictions since it last grew.
    evicted: usize,
    counts: CacheCounts,
    log: Vec<Text>,
    /// Changes of wildcard patterns so far; the last `LOG` are in the log.
    changes: u64,
}

#[expect(clippy::indexing_slicing, reason = "sets are taken modulo their number, entries are as many as their ways")]
impl MatchCache {
    /// `entries_max` is rounded down to a power of two; 0 is no cache.
    pub(super) fn new(entries_max: usize) -> Self {
        let entries_max = entries_max.checked_ilog2().map_or(0, |bits| (1 << bits).max(WAYS));
        let counts = CacheCounts::default();
        let (sets, turned_away, entries, log) = Default::default();
        Self { sets, turned_away, entries, entries_max, evicted: 0, counts, log, changes: 0 }
    }

    pub(super) const fn counts(&self) -> CacheCounts {
        self.counts
    }

    /// Where a result with that tag is: in a set each tag is there once.
    #[inline(always)]
    fn place(&self, hash: u64) -> Option<usize> {
        let set = hash as usize & self.sets.len().wrapping_sub(1);
        let tag = tag_of(hash);
        // All ways at once: which one it is cannot be predicted.
        let tags = self.sets.get(set)?.tags;
        let found = tags.iter().rev().fold(0_u32, |found, t| found << 1 | u32::from(*t == tag));
        (found != 0).then(|| set * WAYS + found.trailing_zeros() as usize)
    }

    /// The result for a subject, and where it is, if it is there and still right.
    #[inline(always)]
    pub(super) fn find(&mut self, hash: u64, subject: &[u8]) -> Option<(usize, &[PatternId])> {
        if let Some(at) = self.place(hash)
            && let Some(entry) = self.entries.get_mut(at)
            && same(entry.subject(), subject)
        {
            entry.asked = true;
            if entry.checked == self.changes || self.refresh(at) {
                self.counts.hits += 1;
                return Some((at, self.entries[at].patterns()));
            }
        }
        self.counts.misses += 1;
        None
    }

    /// Holds a result against the changes that it has not seen; whether it is still right.
    #[inline(never)]
    fn refresh(&mut self, at: usize) -> bool {
        if self.still_right(at) {
            self.entries[at].checked = self.changes;
            return true;
        }
        self.vacate(at);
        false
    }

    /// The result at a place that `find` gave.
    #[inline]
    pub(super) fn patterns(&self, at: usize) -> &[PatternId] {
        self.entries[at].patterns()
    }

    /// Whether none of the changes that a result has not seen touches it.
    fn still_right(&self, at: usize) -> bool {
        let entry = &self.entries[at];
        self.changes - entry.checked <= LOG as u64
            && (entry.checked..self.changes)
                .all(|change| !matches(self.log[change as usize % LOG].as_bytes(), entry.subject()))
    }

    fn vacate(&mut self, at: usize) {
        self.sets[at / WAYS].tags[at % WAYS] = 0;
        self.entries[at].asked = false;
        self.entries[at].many = None;
        self.counts.length -= 1;
    }

    /// Keeps a result that `find` did not have.
    pub(super) fn insert(&mut self, hash: u64, subject: &[u8], patterns: &[PatternId]) {
        if self.entries_max == 0 || subject.len() > SUBJECT_BYTES_MAX || patterns.len() > PATTERNS_MAX {
            return;
        }
        if self.entries.is_empty() || self.evicted >= self.entries.len() && self.entries.len() < self.entries_max {
            self.grow();
        }
        let set = hash as usize & (self.sets.len() - 1);
        let Some(at) = self.room(set, hash) else { return };
        self.sets[set].tags[at % WAYS] = tag_of(hash);
        self.counts.length += 1;
        let entry = &mut self.entries[at];
        entry.checked = self.changes;
        entry.subject[..subject.len()].copy_from_slice(subject);
        entry.subject_length = subject.len() as u8;
        match entry.few.get_mut(..patterns.len()) {
            Some(few) => {
                few.copy_from_slice(patterns);
                entry.few_length = patterns.len() as u8;
            }
            None => entry.many = Some(patterns.into()),
        }
    }

    /// A vacant entry of a set, for a subject with that hash: the one with its tag goes, or one that was not asked for lately if all
    /// are taken and the subject is worth it.
    fn room(&mut self, set: usize, hash: u64) -> Option<usize> {
        let tag = tag_of(hash);
        let Set { tags, hand } = &mut self.sets[set];
        if let Some(way) = tags.iter().position(|t| *t == tag) {
            let at = set * WAYS + way;
            self.vacate(at);
            return Some(at);
        }
        if let Some(way) = tags.iter().position(|tag| *tag == 0) {
            return Some(set * WAYS + way);
        }
        if self.turned_away.get_mut(set).is_some_and(|lately| !lately.knows(hash)) {
            return None;
        }
        let mut at = set * WAYS + usize::from(*hand) % WAYS;
        while std::mem::take(&mut self.entries[at].asked) {
            at = set * WAYS + (at + 1) % WAYS;
        }
        *hand = ((at + 1) % WAYS) as u8;
        self.vacate(at);
        self.evicted += 1;
        Some(at)
    }

    /// Makes it larger and empty: results are made again when they are asked for.
    fn grow(&mut self) {
        let entries = (self.entries.len() * 4).max(ENTRIES_FIRST).min(self.entries_max);
        self.sets = vec![Set::default(); entries / WAYS];
        if entries == self.entries_max {
            self.turned_away = vec![TurnedAway::default(); entries / WAYS];
        }
        self.entries = vec![Entry::EMPTY; entries];
        self.counts.length = 0;
        self.evicted = 0;
    }

    /// A literal pattern has come or gone.
    pub(super) fn forget(&mut self, hash: u64) {
        if let Some(at) = self.place(hash) {
            self.vacate(at);
        }
    }

    /// A wildcard pattern has come or gone.
    pub(super) fn note(&mut self, pattern: &[u8]) {
        let text = Text::new(pattern);
        match self.log.get_mut(self.changes as usize % LOG) {
            Some(oldest) => *oldest = text,
            None => self.log.push(text),
        }
        self.changes += 1;
    }

    /// No wildcard pattern is left: forgets everything and gives the memory back.
    pub(super) fn clear(&mut self) {
        let fresh = Self::new(self.entries_max);
        let counts = CacheCounts { length: 0, ..self.counts };
        *self = Self { counts, ..fresh };
    }

    /// The results that `find` would give.
    pub(super) fn right(&self) -> impl Iterator<Item = (&[u8], &[PatternId])> {
        let places = self.sets.iter().flat_map(|s| s.tags).zip(0..).filter(|(tag, _)| *tag != 0).map(|(_, at)| at);
        places.filter(|at| self.still_right(*at)).map(|at| (self.entries[at].subject(), self.entries[at].patterns()))
    }

    pub(super) fn check(&self) {
        let taken = self.sets.iter().flat_map(|s| s.tags).filter(|tag| *tag != 0).count();
        assert_eq!(taken, self.counts.length);
        assert!(self.entries.len() <= self.entries_max && self.entries.len() == self.sets.len() * WAYS);
        assert!(self.turned_away.len() == if self.entries.len() == self.entries_max { self.sets.len() } else { 0 });
        assert!(self.log.len() <= LOG);
    }
}
