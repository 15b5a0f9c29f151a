//! What is known about one pattern: who here wants it, and which other cores do.
//!
//! Owns the pattern's text and the lists of its subscriptions. 48 bytes for the usual case of one subscriber; what few
//! patterns have is boxed. Entries change in place, so a join or leave within a known pattern invalidates no match.
//! Invariant: `one` is set exactly where there is one live plain subscriber, else they are in `many`.

use super::queue_group::{GroupRef, PatternGroup};
use super::slab::Slab;
use super::subscription::Subscription;
use super::text::Text;
use crate::ids::SubId;

/// A pattern's place in its table. Used again after the pattern has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PatternId(pub(super) u32);

impl PatternId {
    pub(super) const NONE: Self = Self(u32::MAX);
}

pub(super) const NOBODY: SubId = SubId(u32::MAX);

/// A pattern and who wants it.
#[derive(Debug)]
pub(super) struct PatternEntry {
    pub(super) text: Text,
    /// Other cores with a plain subscriber.
    pub(super) remote: u64,
    pub(super) rare: Option<Box<Rare>>,
    /// The only live plain subscriber here, or `NOBODY`.
    pub(super) one: SubId,
}

const _: () = assert!(size_of::<PatternEntry>() == 48);

/// What few patterns have.
#[derive(Debug, Default)]
pub(super) struct Rare {
    /// Two live plain subscribers or more.
    pub(super) many: Vec<SubId>,
    /// Plain subscribers that have ended for local publishers.
    pub(super) retired: Vec<SubId>,
    /// Sorted by name.
    pub(super) groups: Vec<PatternGroup>,
}

impl Default for PatternEntry {
    fn default() -> Self {
        Self { text: Text::default(), remote: 0, rare: None, one: NOBODY }
    }
}

impl PatternEntry {
    pub(super) fn new(pattern: &[u8]) -> Self {
        Self { text: Text::new(pattern), ..Self::default() }
    }

    pub(super) fn is_unused(&self) -> bool {
        self.one == NOBODY && self.remote == 0 && self.rare.is_none()
    }

    /// Live plain subscribers of this core.
    pub(super) fn plain(&self) -> &[SubId] {
        if self.one != NOBODY {
            return std::slice::from_ref(&self.one);
        }
        self.rare.as_ref().map_or(&[], |rare| &rare.many)
    }

    pub(super) fn retired(&self) -> &[SubId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.retired)
    }

    pub(super) fn groups(&self) -> &[PatternGroup] {
        self.rare.as_ref().map_or(&[], |rare| &rare.groups)
    }

    pub(super) fn group(&self, name: GroupRef) -> Option<&PatternGroup> {
        let groups = self.groups();
        let at = groups.binary_search_by_key(&name, |group| group.name).ok()?;
        groups.get(at)
    }

    pub(super) fn group_mut(&mut self, name: GroupRef) -> Option<&mut PatternGroup> {
        let groups = &mut self.rare.as_mut()?.groups;
        let at = groups.binary_search_by_key(&name, |group| group.name).ok()?;
        groups.get_mut(at)
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Adds a group that is not there.
    pub(super) fn add_group(&mut self, name: GroupRef) {
        let groups = &mut self.rare_mut().groups;
        let at = groups.partition_point(|group| group.name < name);
        groups.insert(at, PatternGroup::new(name));
    }

    /// Adds a live plain subscriber; whether it is the first.
    pub(super) fn join(&mut self, id: SubId, subscriptions: &mut Slab<Subscription>) -> bool {
        if self.plain().is_empty() {
            subscriptions.at_mut(id.0).set_position(0);
            self.one = id;
            return true;
        }
        let first = std::mem::replace(&mut self.one, NOBODY);
        let many = &mut self.rare_mut().many;
        if first != NOBODY {
            many.push(first);
        }
        push(many, id, subscriptions);
        false
    }

    /// Takes a live plain subscriber out; whether it was the last.
    pub(super) fn leave(&mut self, position: usize, subscriptions: &mut Slab<Subscription>) -> bool {
        if self.one != NOBODY {
            self.one = NOBODY;
            return true;
        }
        let many = &mut self.rare_mut().many;
        take(many, position, subscriptions);
        if let [last] = *many.as_slice() {
            many.clear();
            subscriptions.at_mut(last.0).set_position(0);
            self.one = last;
        }
        false
    }

    /// Frees what nobody needs any more, after a list has become shorter; names of groups that are gone go to `ended`.
    pub(super) fn tidy(&mut self, name: GroupRef) -> Option<GroupRef> {
        let mut ended = None;
        if let Some(rare) = &mut self.rare {
            if let Ok(at) = rare.groups.binary_search_by_key(&name, |group| group.name)
                && rare.groups.get(at).is_some_and(PatternGroup::is_unused)
            {
                rare.groups.remove(at);
                ended = Some(name);
            }
            if rare.many.is_empty() && rare.retired.is_empty() && rare.groups.is_empty() {
                self.rare = None;
            } else if rare.many.is_empty() {
                rare.many = Vec::new();
            }
        }
        ended
    }
}

/// Adds a subscription at the end of a list.
pub(super) fn push(list: &mut Vec<SubId>, id: SubId, subscriptions: &mut Slab<Subscription>) {
    subscriptions.at_mut(id.0).set_position(list.len());
    list.push(id);
}

/// Takes a subscription out of a list; the last one takes its place.
pub(super) fn take(list: &mut Vec<SubId>, position: usize, subscriptions: &mut Slab<Subscription>) {
    list.swap_remove(position);
    if let Some(moved) = list.get(position) {
        subscriptions.at_mut(moved.0).set_position(position);
    }
    if list.capacity() > 16 && list.len() * 4 < list.capacity() {
        list.shrink_to(list.len() * 2);
    }
}
