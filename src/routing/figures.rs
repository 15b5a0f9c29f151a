//! What a table tells of itself, in pieces: subscriptions and queue groups by the place where the last piece ended.

use super::entry::PatternEntry;
use super::sublist;
use super::subscription::Subscription;
use super::table::{Counts, Table};
use crate::ids::SubId;

/// A queue group on one pattern, as one core sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFigures {
    /// The pattern.
    pub subject: String,
    /// The group's name.
    pub queue: String,
    /// Members of this core.
    pub members: u64,
    /// Messages that they got, all together.
    pub picks: u64,
    /// The squares of what each got, summed up: how even it is follows from both.
    pub squares: u128,
}

/// What an entry of the match cache takes.
const CACHE_ENTRY_BYTES: usize = 128;

impl Table {
    /// Shows subscriptions that have not ended, from a number on and up to `count` numbers further; where to go on.
    pub fn visit_subscriptions(
        &self,
        from: u32,
        count: u32,
        mut visit: impl FnMut(SubId, &Subscription),
    ) -> Option<u32> {
        let end = from.saturating_add(count).min(self.subscriptions.numbers_end());
        for number in from..end {
            if self.subscriptions.contains(number) {
                let subscription = self.subscriptions.at(number);
                if !subscription.is_retired() {
                    visit(SubId(number), subscription);
                }
            }
        }
        (end < self.subscriptions.numbers_end()).then_some(end)
    }

    /// Shows queue groups with members here, from a pattern's number on and up to `count` numbers or so many members further;
    /// where to go on.
    pub fn visit_groups(&self, from: u32, count: u32, mut visit: impl FnMut(GroupFigures)) -> Option<u32> {
        let (mut number, mut budget) = (from, count as usize);
        while number < self.patterns.numbers_end() {
            if budget == 0 {
                return Some(number);
            }
            budget -= 1;
            if self.patterns.contains(number) {
                let entry = self.patterns.at(number);
                budget = budget.saturating_sub(self.show_groups(entry, &mut visit));
            }
            number += 1;
        }
        None
    }

    /// How many members it has shown.
    fn show_groups(&self, entry: &PatternEntry, visit: &mut impl FnMut(GroupFigures)) -> usize {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut shown = 0;
        for group in entry.groups().iter().filter(|group| !group.members.is_empty()) {
            let picks = group.members.iter().map(|id| self.subscription(*id).delivered);
            visit(GroupFigures {
                subject: text(entry.text.as_bytes()),
                queue: text(self.names.text(group.name)),
                members: group.members.len() as u64,
                picks: picks.clone().sum(),
                squares: picks.map(|picks| u128::from(picks) * u128::from(picks)).sum(),
            });
            shown += group.members.len();
        }
        shown
    }

    /// Whether a subscription gets messages of a subject.
    pub fn pattern_matches(&self, id: SubId, subject: &[u8]) -> bool {
        sublist::matches(self.pattern_text(id), subject)
    }

    /// How many live subscriptions of this core get messages of a subject: plain ones and members of groups.
    pub fn receivers(&mut self, subject: &[u8]) -> usize {
        self.found.clear();
        let literal = self.find_literal(self.hasher.hash(subject), subject);
        self.found.extend(literal);
        self.sublist.collect(&self.hasher, subject, &mut self.found);
        let count = |entry: &PatternEntry| {
            entry.plain().len() + entry.groups().iter().map(|group| group.members.len()).sum::<usize>()
        };
        self.found.iter().map(|id| count(self.patterns.at(id.0))).sum()
    }

    /// Bytes that the table takes, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.subscriptions.numbers_end() as usize * size_of::<Subscription>()
            + self.patterns.numbers_end() as usize * (size_of::<PatternEntry>() + size_of::<u64>())
            + self.cache.counts().length * CACHE_ENTRY_BYTES
    }
}

impl Counts {
    /// Adds those of another table.
    pub fn add(&mut self, other: &Self) {
        self.subscriptions += other.subscriptions;
        self.retired += other.retired;
        self.patterns += other.patterns;
        self.wildcards += other.wildcards;
        self.groups += other.groups;
        self.inserts += other.inserts;
        self.removes += other.removes;
        self.matches += other.matches;
        self.cache_length += other.cache_length;
        self.cache_hits += other.cache_hits;
        self.cache_misses += other.cache_misses;
        self.fanout_max = self.fanout_max.max(other.fanout_max);
    }
}
