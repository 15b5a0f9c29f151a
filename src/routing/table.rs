//! The routing table of one account on one core: subscriptions that come and go.
//!
//! Owns everything under it. A subscription is live, then maybe retired (ended for local publishers, still served for
//! messages that other cores may have matched before), then gone. `matching` asks who gets a message; `interest` keeps
//! what other cores have said.
//! Invariants: see `check`. A pattern's entry is there exactly while some core or some retired subscription needs it.

use super::entry::{NOBODY, PatternEntry, PatternId, push, take};
use super::hash::KeyHash;
use super::id_table::IdTable;
use super::interest::Falls;
use super::match_cache::MatchCache;
use super::queue_group::{GroupNames, GroupRef, Merge};
use super::slab::Slab;
use super::sublist::{Sublist, is_wildcard};
use super::subscription::Subscription;
use super::text::same;
use crate::ids::{CoreId, SubId};

/// What a table is made for.
#[derive(Clone, Copy, Debug)]
pub struct TableConfig {
    /// The core that it belongs to.
    pub this: CoreId,
    /// How many cores there are.
    pub cores: usize,
    /// Subjects whose match is remembered while there are wildcard patterns, rounded down to a power of two. 0: none.
    pub match_cache_entries: usize,
    /// Chooses the hash function, so that nobody can choose subjects that collide.
    pub seed: u64,
}

/// One account's routing table, as one core sees it.
#[derive(Debug)]
pub struct Table {
    pub(super) config: TableConfig,
    pub(super) hasher: KeyHash,
    pub(super) subscriptions: Slab<Subscription>,
    pub(super) patterns: Slab<PatternEntry>,
    pub(super) names: GroupNames,
    pub(super) literals: IdTable,
    pub(super) sublist: Sublist,
    pub(super) cache: MatchCache,
    pub(super) falls: Falls,
    /// Of the match at hand.
    pub(super) found: Vec<PatternId>,
    pub(super) merge: Merge<PatternId>,
    pub(super) totals: Totals,
    /// Subscriptions that are guarded.
    pub(super) guarded: usize,
    /// Counts what may change who gets a message.
    pub(super) version: u64,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) inserts: u64,
    pub(super) removes: u64,
    pub(super) matches: u64,
    pub(super) retired: usize,
    pub(super) fanout_max: usize,
}

/// Figures of a table, for monitoring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Subscriptions of this core that have not ended.
    pub subscriptions: usize,
    /// Ended ones that are served for messages of other cores.
    pub retired: usize,
    /// Patterns, of this core or others.
    pub patterns: usize,
    /// Those of them with a wildcard.
    pub wildcards: usize,
    /// Names of queue groups.
    pub groups: usize,
    /// Subscriptions ever made here.
    pub inserts: u64,
    /// Subscriptions ever ended here.
    pub removes: u64,
    /// Messages matched here.
    pub matches: u64,
    /// Subjects in the match cache.
    pub cache_length: usize,
    /// Matches that the cache had.
    pub cache_hits: u64,
    /// Matches that the cache did not have; a table without wildcards does not ask it.
    pub cache_misses: u64,
    /// The most local receivers that a message has had.
    pub fanout_max: usize,
}

impl Table {
    /// An empty table.
    pub fn new(config: TableConfig) -> Self {
        Self {
            config,
            hasher: KeyHash::new(config.seed),
            subscriptions: Slab::default(),
            patterns: Slab::default(),
            names: GroupNames::default(),
            literals: IdTable::default(),
            sublist: Sublist::default(),
            cache: MatchCache::new(config.match_cache_entries),
            falls: Falls::default(),
            found: Vec::new(),
            merge: Merge::default(),
            totals: Totals::default(),
            guarded: 0,
            version: 0,
        }
    }

    /// How many patterns this core or others subscribe to.
    #[inline]
    pub const fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Adds a subscription. `Some`: how many members the other cores must be told that this core has now; for a plain
    /// subscription 1 where it is the first of its pattern here, for a member of a group always.
    pub fn subscribe(
        &mut self,
        pattern: &[u8],
        queue: Option<&[u8]>,
        conn_slot: u32,
        sid: &[u8],
    ) -> (SubId, Option<u32>) {
        let pattern = self.find_or_add(pattern);
        let group = queue.map_or(GroupRef::NONE, |name| self.find_or_add_group(pattern, name));
        let id = SubId(self.subscriptions.insert(Subscription::new(conn_slot, sid, pattern, group)));
        self.totals.inserts += 1;
        self.version += 1;
        let entry = self.patterns.at_mut(pattern.0);
        if let Some(group) = entry.group_mut(group) {
            group.join(id, &mut self.subscriptions);
            return (id, Some(group.weight()));
        }
        let first = entry.join(id, &mut self.subscriptions);
        (id, first.then_some(1))
    }

    /// Differs from what it was before whenever who gets a message may differ: the same subject, published while it stands still,
    /// has the same [`Routes`](super::Routes), unless a group was asked.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The subscription with this id, where one has it now.
    pub fn find_subscription(&self, id: SubId) -> Option<&Subscription> {
        self.subscriptions.contains(id.0).then(|| self.subscription(id))
    }

    /// A subscription that has not been removed.
    #[inline]
    pub fn subscription(&self, id: SubId) -> &Subscription {
        self.subscriptions.at(id.0)
    }

    /// A subscription that has not been removed.
    #[inline]
    pub fn subscription_mut(&mut self, id: SubId) -> &mut Subscription {
        self.subscriptions.at_mut(id.0)
    }

    /// The pattern of a subscription.
    pub fn pattern_text(&self, id: SubId) -> &[u8] {
        self.patterns.at(self.subscription(id).pattern.0).text.as_bytes()
    }

    /// The queue group of a subscription.
    pub fn queue_name(&self, id: SubId) -> Option<&[u8]> {
        let group = self.subscription(id).group;
        (group != GroupRef::NONE).then(|| self.names.text(group))
    }

    /// The name of a group that a match gave; good until the table changes.
    pub fn group_name(&self, group: GroupRef) -> &[u8] {
        self.names.text(group)
    }

    /// Ends a subscription for local publishers; messages of other cores reach it until `remove`. `Some`: how many members
    /// the others must be told that are left here; for a plain one 0 where it was the last.
    /// One that is retired already stays as it is.
    pub fn retire(&mut self, id: SubId) -> Option<u32> {
        let subscription = self.subscription(id);
        if subscription.is_retired() {
            return None;
        }
        let (pattern, group) = (subscription.pattern, subscription.group);
        self.version += 1;
        let told = self.leave(id);
        let subscriptions = &mut self.subscriptions;
        subscriptions.at_mut(id.0).set_retired();
        let entry = self.patterns.at_mut(pattern.0);
        match entry.group_mut(group) {
            Some(group) => push(&mut group.retired, id, subscriptions),
            None => push(&mut entry.rare_mut().retired, id, subscriptions),
        }
        self.totals.retired += 1;
        told
    }

    /// Frees a subscription; its id may be given out again. One that is live is retired first, and the return is as there.
    pub fn remove(&mut self, id: SubId) -> Option<u32> {
        self.version += 1;
        let subscription = self.subscription(id);
        let (pattern, group) = (subscription.pattern, subscription.group);
        let mut told = None;
        self.guarded -= usize::from(subscription.is_guarded());
        let subscription = self.subscription(id);
        if subscription.is_retired() {
            let position = subscription.position();
            let entry = self.patterns.at_mut(pattern.0);
            match entry.group_mut(group) {
                Some(group) => take(&mut group.retired, position, &mut self.subscriptions),
                None => take(&mut entry.rare_mut().retired, position, &mut self.subscriptions),
            }
            self.totals.retired -= 1;
        } else {
            told = self.leave(id);
        }
        self.subscriptions.remove(id.0);
        self.tidy(pattern, group);
        told
    }

    /// Takes a live subscription out of its list; what others must be told.
    fn leave(&mut self, id: SubId) -> Option<u32> {
        let subscription = self.subscription(id);
        let (group, position) = (subscription.group, subscription.position());
        let entry = self.patterns.at_mut(subscription.pattern.0);
        self.totals.removes += 1;
        if let Some(group) = entry.group_mut(group) {
            group.leave(position, &mut self.subscriptions);
            return Some(group.weight());
        }
        let last = entry.leave(position, &mut self.subscriptions);
        last.then_some(0)
    }

    /// What the table holds and has done.
    pub fn counts(&self) -> Counts {
        let cache = self.cache.counts();
        Counts {
            subscriptions: self.subscriptions.len() - self.totals.retired,
            retired: self.totals.retired,
            patterns: self.patterns.len(),
            wildcards: self.sublist.len(),
            groups: self.names.len(),
            inserts: self.totals.inserts,
            removes: self.totals.removes,
            matches: self.totals.matches,
            cache_length: cache.length,
            cache_hits: cache.hits,
            cache_misses: cache.misses,
            fanout_max: self.totals.fanout_max,
        }
    }

    pub(super) fn find_pattern(&self, pattern: &[u8]) -> Option<PatternId> {
        if is_wildcard(pattern) {
            return self.sublist.find(&self.hasher, pattern);
        }
        self.find_literal(self.hasher.hash(pattern), pattern)
    }

    #[inline(always)]
    pub(super) fn find_literal(&self, hash: u64, subject: &[u8]) -> Option<PatternId> {
        for number in self.literals.candidates(hash) {
            if same(self.patterns.at(number).text.as_bytes(), subject) {
                return Some(PatternId(number));
            }
        }
        None
    }

    pub(super) fn find_or_add(&mut self, pattern: &[u8]) -> PatternId {
        if let Some(id) = self.find_pattern(pattern) {
            return id;
        }
        let id = PatternId(self.patterns.insert(PatternEntry::new(pattern)));
        if is_wildcard(pattern) {
            self.sublist.insert(&self.hasher, pattern, id);
            self.cache.note(pattern);
        } else {
            let hash = self.hasher.hash(pattern);
            self.literals.insert(hash, id.0);
            self.cache.forget(hash);
        }
        id
    }

    pub(super) fn find_or_add_group(&mut self, pattern: PatternId, name: &[u8]) -> GroupRef {
        let entry = self.patterns.at_mut(pattern.0);
        if let Some(name) = self.names.find(&self.hasher, name)
            && entry.group(name).is_some()
        {
            return name;
        }
        let name = self.names.acquire(&self.hasher, name);
        entry.add_group(name);
        name
    }

    /// After something of a pattern has ended: frees what nobody needs any more.
    pub(super) fn tidy(&mut self, id: PatternId, group: GroupRef) {
        let entry = self.patterns.at_mut(id.0);
        if let Some(ended) = entry.tidy(group) {
            self.names.release(&self.hasher, ended);
        }
        if !entry.is_unused() {
            return;
        }
        debug_assert!(entry.one == NOBODY);
        let entry = self.patterns.remove(id.0);
        let text = entry.text.as_bytes();
        if !is_wildcard(text) {
            let hash = self.hasher.hash(text);
            self.literals.remove(hash, id.0);
            self.cache.forget(hash);
            return;
        }
        self.sublist.remove(&self.hasher, text);
        if self.sublist.is_empty() {
            self.cache.clear();
        } else {
            self.cache.note(text);
        }
    }
}
