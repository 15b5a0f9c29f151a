//! Queue groups: their names, their members on all cores, and choosing one.
//!
//! Owns the names (each kept once) and, per pattern, the members here and the weight of each other core.
//! A choice is uniform over all members of all cores; who wants no echo is not chosen for its own message.
//! Invariant: `remote_total` is the sum of the other cores' weights, none of which is 0.

use super::entry::{push, take};
use super::hash::KeyHash;
use super::id_table::IdTable;
use super::rng::Rng;
use super::slab::Slab;
use super::subscription::Subscription;
use super::text::Text;
use crate::ids::{CoreId, SubId};

/// How often a choice that fell on the publisher itself is repeated before its own members are counted.
const TRIES: usize = 4;

/// A group's name in its table: good until the table changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupRef(pub(super) u32);

impl GroupRef {
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// Who gets a group's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A member here.
    Here(SubId),
    /// Some member there, which that core chooses.
    There(CoreId),
}

impl Choice {
    /// Whether it is a subscription of the connection that is not to have the message.
    pub(super) fn is_of(self, subscriptions: &Slab<Subscription>, without: Option<u32>) -> bool {
        match (self, without) {
            (Self::Here(id), Some(conn)) => subscriptions.at(id.0).conn_slot() == conn,
            _ => false,
        }
    }
}

#[derive(Debug, Default)]
struct Name {
    text: Text,
    /// Patterns with a group of that name.
    uses: u32,
    /// Where it may stand in the list of a merge.
    seen: u32,
}

/// The names of all groups of a table.
#[derive(Debug, Default)]
pub(super) struct GroupNames {
    names: Slab<Name>,
    by_text: IdTable,
}

impl GroupNames {
    pub(super) fn text(&self, name: GroupRef) -> &[u8] {
        self.names.at(name.0).text.as_bytes()
    }

    pub(super) const fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn find(&self, hasher: &KeyHash, text: &[u8]) -> Option<GroupRef> {
        let mut candidates = self.by_text.candidates(hasher.hash(text));
        let found = candidates.find(|n| self.names.at(*n).text.as_bytes() == text);
        found.map(GroupRef)
    }

    /// One more pattern has a group of that name; `release` when it has no more.
    pub(super) fn acquire(&mut self, hasher: &KeyHash, text: &[u8]) -> GroupRef {
        let name = self.find(hasher, text).unwrap_or_else(|| {
            let number = self.names.insert(Name { text: Text::new(text), uses: 0, seen: 0 });
            self.by_text.insert(hasher.hash(text), number);
            GroupRef(number)
        });
        self.names.at_mut(name.0).uses += 1;
        name
    }

    pub(super) fn release(&mut self, hasher: &KeyHash, name: GroupRef) {
        let entry = self.names.at_mut(name.0);
        entry.uses -= 1;
        if entry.uses == 0 {
            let hash = hasher.hash(entry.text.as_bytes());
            self.by_text.remove(hash, name.0);
            self.names.remove(name.0);
        }
    }

    pub(super) fn uses(&self) -> usize {
        self.names.iter().map(|(_, name)| name.uses as usize).sum()
    }
}

/// A group of one pattern.
#[derive(Debug)]
pub(super) struct PatternGroup {
    pub(super) name: GroupRef,
    /// Live members of this core.
    pub(super) members: Vec<SubId>,
    /// Members that have ended for local publishers.
    pub(super) retired: Vec<SubId>,
    /// Other cores and how many members they have.
    remote: Vec<(CoreId, u32)>,
    remote_total: u64,
}

impl PatternGroup {
    pub(super) const fn new(name: GroupRef) -> Self {
        Self { name, members: Vec::new(), retired: Vec::new(), remote: Vec::new(), remote_total: 0 }
    }

    pub(super) fn is_unused(&self) -> bool {
        self.members.is_empty() && self.retired.is_empty() && self.remote.is_empty()
    }

    /// Members that others must be told of.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn remote_weight(&self, core: CoreId) -> u32 {
        self.remote.iter().find(|(c, _)| *c == core).map_or(0, |(_, weight)| *weight)
    }

    /// Other cores that have members, a bit each.
    pub(super) fn remote_cores(&self) -> u64 {
        self.remote.iter().fold(0, |mask, (core, _)| mask | core.bit())
    }

    pub(super) fn set_remote_weight(&mut self, core: CoreId, weight: u32) {
        self.remote_total = self.remote_total + u64::from(weight) - u64::from(self.remote_weight(core));
        match self.remote.iter_mut().find(|(c, _)| *c == core) {
            Some(_) if weight == 0 => self.remote.retain(|(c, _)| *c != core),
            Some((_, known)) => *known = weight,
            None if weight > 0 => self.remote.push((core, weight)),
            None => {}
        }
    }

    pub(super) fn join(&mut self, id: SubId, subscriptions: &mut Slab<Subscription>) {
        push(&mut self.members, id, subscriptions);
    }

    pub(super) fn leave(&mut self, position: usize, subscriptions: &mut Slab<Subscription>) {
        take(&mut self.members, position, subscriptions);
    }

    /// Members over all cores that may be chosen.
    pub(super) fn eligible(&self, subscriptions: &Slab<Subscription>, without: Option<u32>) -> u64 {
        eligible(&self.members, subscriptions, without) + self.remote_total
    }

    /// One member over all cores, each as likely as any other.
    #[inline]
    pub(super) fn choose(
        &self,
        subscriptions: &Slab<Subscription>,
        without: Option<u32>,
        rng: &mut Rng,
    ) -> Option<Choice> {
        self.at(self.draw(subscriptions, without, rng)?)
    }

    /// The place of a member over all cores that may be chosen, each as likely as any other.
    pub(super) fn draw(&self, subscriptions: &Slab<Subscription>, without: Option<u32>, rng: &mut Rng) -> Option<u64> {
        let places = self.places();
        if places == 0 {
            return None;
        }
        if without.is_none() {
            return Some(rng.below(places));
        }
        // Repeating a uniform choice until it is allowed is uniform over the allowed, and usually needs no count.
        for _ in 0..TRIES {
            let place = rng.below(places);
            if !self.at(place)?.is_of(subscriptions, without) {
                return Some(place);
            }
        }
        let here = eligible(&self.members, subscriptions, without);
        let total = here + self.remote_total;
        if total == 0 {
            return None;
        }
        let k = rng.below(total);
        if k >= here {
            return Some(self.members.len() as u64 + k - here);
        }
        let mut allowed = (0..).zip(&self.members).filter(|(_, id)| !Choice::Here(**id).is_of(subscriptions, without));
        allowed.nth(k as usize).map(|(place, _)| place)
    }

    /// How many members there are over all cores.
    pub(super) const fn places(&self) -> u64 {
        self.members.len() as u64 + self.remote_total
    }

    /// The member at a place: those of this core first.
    pub(super) fn at(&self, place: u64) -> Option<Choice> {
        if let Some(id) = self.members.get(place as usize) {
            return Some(Choice::Here(*id));
        }
        let mut k = place - self.members.len() as u64;
        for (core, weight) in &self.remote {
            let weight = u64::from(*weight);
            if k < weight {
                return Some(Choice::There(*core));
            }
            k -= weight;
        }
        None
    }

    pub(super) fn check(&self) {
        assert!(self.remote.iter().all(|(_, weight)| *weight > 0), "a weight of 0 is not kept");
        assert_eq!(self.remote_total, self.remote.iter().map(|(_, w)| u64::from(*w)).sum::<u64>());
        assert!(!self.is_unused(), "a group without anybody is not kept");
    }
}

pub(super) fn eligible(list: &[SubId], subscriptions: &Slab<Subscription>, without: Option<u32>) -> u64 {
    match without {
        None => list.len() as u64,
        Some(conn) => list.iter().filter(|id| subscriptions.at(id.0).conn_slot() != conn).count() as u64,
    }
}

fn nth_eligible(list: &[SubId], subscriptions: &Slab<Subscription>, without: Option<u32>, k: u64) -> Option<SubId> {
    let mut eligible = list.iter().filter(|id| without != Some(subscriptions.at(id.0).conn_slot()));
    eligible.nth(k as usize).copied()
}

/// One of several lists' members, each as likely as any other.
#[derive(Debug, Default)]
pub(super) struct Draw {
    total: u64,
    chosen: Option<SubId>,
}

impl Draw {
    pub(super) fn add(
        &mut self,
        list: &[SubId],
        subscriptions: &Slab<Subscription>,
        without: Option<u32>,
        rng: &mut Rng,
    ) {
        let count = eligible(list, subscriptions, without);
        self.total += count;
        if count > 0 && rng.below(self.total) < count {
            let k = if count == 1 { 0 } else { rng.below(count) };
            self.chosen = nth_eligible(list, subscriptions, without, k);
        }
    }

    pub(super) const fn chosen(&self) -> Option<SubId> {
        self.chosen
    }
}

#[derive(Debug)]
struct Candidate<P> {
    name: GroupRef,
    total: u64,
    place: P,
}

/// Merges the groups of several patterns by name: for each name one place, as likely as it has members.
#[derive(Debug)]
pub(super) struct Merge<P> {
    candidates: Vec<Candidate<P>>,
}

impl<P> Default for Merge<P> {
    fn default() -> Self {
        Self { candidates: Vec::new() }
    }
}

impl<P: Copy> Merge<P> {
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
    }

    /// A group with `weight` members that may be chosen, at `place`.
    pub(super) fn add(&mut self, names: &mut GroupNames, name: GroupRef, weight: u64, place: P, rng: &mut Rng) {
        if weight == 0 {
            return;
        }
        let seen = &mut names.names.at_mut(name.0).seen;
        match self.candidates.get_mut(*seen as usize) {
            Some(candidate) if candidate.name == name => {
                candidate.total += weight;
                if rng.below(candidate.total) < weight {
                    candidate.place = place;
                }
            }
            _ => {
                *seen = self.candidates.len() as u32;
                self.candidates.push(Candidate { name, total: weight, place });
            }
        }
    }

    pub(super) fn chosen(&self) -> impl Iterator<Item = (GroupRef, P)> {
        self.candidates.iter().map(|candidate| (candidate.name, candidate.place))
    }
}
