//! Subscriptions whose connection may not have everything that they match, or must be told of what they get.
//!
//! Owns the mark on them, so that all others cost nothing, and the choice of another member of a queue group where the one that was
//! chosen may not have the message. Who may have what is asked from outside.
//! Invariant: `guarded` counts the marked ones.

use super::matching::Routes;
use super::queue_group::GroupRef;
use super::rng::Rng;
use super::table::Table;
use crate::ids::{CoreId, SubId};

impl Table {
    /// Marks a subscription, or takes the mark away.
    pub fn set_guarded(&mut self, id: SubId, guarded: bool) {
        let subscription = self.subscription_mut(id);
        if subscription.is_guarded() == guarded {
            return;
        }
        subscription.set_guarded(guarded);
        if guarded {
            self.guarded += 1;
        } else {
            self.guarded -= 1;
        }
        self.version += 1;
    }

    /// Whether some subscription is marked.
    #[inline]
    pub fn has_guarded(&self) -> bool {
        self.guarded > 0
    }

    /// Some live member here of a group that `may` have a message, each as likely as any other.
    pub fn choose_permitted(
        &mut self,
        subject: &[u8],
        group: &[u8],
        rng: &mut Rng,
        mut may: impl FnMut(&Self, SubId) -> bool,
    ) -> Option<SubId> {
        let mut seen = 0;
        let mut chosen = None;
        for id in self.members_here(subject, group) {
            if may(self, id) {
                seen += 1;
                if rng.below(seen) == 0 {
                    chosen = Some(id);
                }
            }
        }
        chosen
    }

    fn members_here(&mut self, subject: &[u8], group: &[u8]) -> Vec<SubId> {
        let Some(name) = self.names.find(&self.hasher, group) else { return Vec::new() };
        let matched = self.matched(subject);
        let patterns = matched.list(&self.cache, &self.found).iter();
        let groups = patterns.filter_map(|id| self.patterns.at(id.0).group(name));
        groups.flat_map(|group| group.members.iter().copied()).collect()
    }

    /// The next core behind `this`, in a circle, that has members of a group, and the group's name.
    pub fn next_core_with(&mut self, subject: &[u8], group: &[u8]) -> Option<(CoreId, GroupRef)> {
        let name = self.names.find(&self.hasher, group)?;
        let matched = self.matched(subject);
        let mut with = 0;
        for id in matched.list(&self.cache, &self.found) {
            if let Some(group) = self.patterns.at(id.0).group(name) {
                with |= group.remote_cores();
            }
        }
        let (this, cores) = (self.config.this.index(), self.config.cores);
        let mut circle = (1..cores).map(|step| CoreId::new((this + step) % cores));
        circle.find(|core| with & core.bit() != 0).map(|core| (core, name))
    }
}

impl Routes {
    /// Takes the `index`-th receiver out; whoever gets the message instead is put there.
    pub fn replace_local(&mut self, index: usize, instead: Option<SubId>) {
        match (self.local.get_mut(index), instead) {
            (Some(place), Some(id)) => *place = id,
            (Some(_), None) => drop(self.local.remove(index)),
            (None, _) => {}
        }
    }
}
