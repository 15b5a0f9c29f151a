//! What must hold of a table, swept in full: for tests and the simulator.

use super::entry::PatternId;
use super::queue_group::GroupRef;
use super::sublist::{is_wildcard, matches};
use super::table::Table;
use crate::ids::SubId;

impl Table {
    /// # Panics
    /// Where the table contradicts itself.
    pub fn check_invariants(&self) {
        let mut listed = 0;
        let mut group_uses = 0;
        for (number, entry) in self.patterns.iter() {
            let id = PatternId(number);
            let text = entry.text.as_bytes();
            assert!(!entry.is_unused(), "pattern {number} is needed by nobody");
            assert!(entry.remote & self.config.this.bit() == 0, "own interest is not kept as another's");
            assert_eq!(self.find_pattern(text), Some(id), "pattern {number} is found by its text");
            listed += self.check_list(entry.plain(), id, GroupRef::NONE, false);
            listed += self.check_list(entry.retired(), id, GroupRef::NONE, true);
            assert!(entry.groups().is_sorted_by_key(|group| group.name), "groups are sorted");
            for group in entry.groups() {
                group.check();
                group_uses += 1;
                listed += self.check_list(&group.members, id, group.name, false);
                listed += self.check_list(&group.retired, id, group.name, true);
            }
        }
        assert_eq!(listed, self.subscriptions.len(), "every subscription stands in one list");
        assert_eq!(group_uses, self.names.uses(), "names are counted");
        let wildcards = self.patterns.iter().filter(|(_, entry)| is_wildcard(entry.text.as_bytes())).count();
        assert_eq!((wildcards, self.patterns.len() - wildcards), (self.sublist.len(), self.literals.len()));
        let retired = self.subscriptions.iter().filter(|(_, s)| s.is_retired()).count();
        assert_eq!(retired, self.totals.retired);
        let guarded = self.subscriptions.iter().filter(|(_, s)| s.is_guarded()).count();
        assert_eq!(guarded, self.guarded);
        self.sublist.check();
        self.cache.check();
        self.check_falls();
        self.check_cache();
    }

    /// Each stands where it says; how many they are.
    fn check_list(&self, list: &[SubId], pattern: PatternId, group: GroupRef, retired: bool) -> usize {
        for (position, id) in list.iter().enumerate() {
            assert!(self.subscriptions.contains(id.0));
            let subscription = self.subscription(*id);
            assert_eq!((subscription.pattern, subscription.group), (pattern, group));
            assert_eq!((subscription.position(), subscription.is_retired()), (position, retired));
        }
        list.len()
    }

    /// What the cache would answer is what a scan of all patterns finds.
    fn check_cache(&self) {
        for (subject, patterns) in self.cache.right() {
            let mut cached = patterns.to_vec();
            cached.sort_unstable();
            let scan = self.patterns.iter().filter(|(_, entry)| matches(entry.text.as_bytes(), subject));
            let mut found: Vec<_> = scan.map(|(n, _)| PatternId(n)).collect();
            found.sort_unstable();
            let no_empty_token = subject.split(|b| *b == b'.').all(|token| !token.is_empty());
            assert!(no_empty_token || cached.is_empty(), "nothing matches an empty token");
            assert!(!no_empty_token || cached == found, "cached {cached:?}, found {found:?}");
        }
    }
}
