//! What other cores have said about their interest, and when it counts.
//!
//! Owns the falls that wait. Each core writes its own column only, so there are no conflicts; but a look at the mail sees
//! the cores one after the other, and may find that one member left before it finds that another joined first. So what
//! rises counts at once, and what falls counts at the end of the next look, unless that look had news of the same column.
//! Believing too much is harmless: the other core knows better, and chooses again. Believing too little loses messages.

use super::entry::PatternId;
use super::queue_group::GroupRef;
use super::table::Table;
use crate::ids::CoreId;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Falls that take effect in one look; more wait for later ones, so that a look stays short.
const FALLS_PER_LOOK_MAX: usize = 4096;
/// Memory for so many waiting falls is kept.
const FALLS_KEPT: usize = 256;

/// What one core has of one pattern: plain subscribers, or members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Column {
    pattern: PatternId,
    group: GroupRef,
    core: CoreId,
}

#[derive(Clone, Copy, Debug)]
struct Fall {
    members: u32,
    look: u64,
}

/// Weights that have fallen and are still believed.
#[derive(Debug, Default)]
pub(super) struct Falls {
    /// The look that is going on.
    look: u64,
    waiting: HashMap<Column, Fall>,
    /// The same in the order in which they came. May name some that a rise has cancelled or a later look has replaced.
    order: VecDeque<(Column, u64)>,
}

impl Falls {
    fn note(&mut self, column: Column, members: u32) {
        self.waiting.insert(column, Fall { members, look: self.look });
        self.order.push_back((column, self.look));
    }

    /// A fall that was found before the look that ends now and was not replaced in it.
    fn due(&mut self) -> Option<(Column, u32)> {
        while let Some((column, look)) = self.order.front().copied()
            && look < self.look
        {
            self.order.pop_front();
            if let Some(fall) = self.waiting.get(&column).copied()
                && fall.look == look
            {
                self.waiting.remove(&column);
                return Some((column, fall.members));
            }
        }
        None
    }

    fn end_look(&mut self) {
        self.look += 1;
        if self.order.is_empty() && self.order.capacity() > FALLS_KEPT {
            self.order.shrink_to(FALLS_KEPT);
            self.waiting.shrink_to(FALLS_KEPT);
        }
    }
}

impl Table {
    /// Another core says how many members it has: plain subscribers of a pattern (any or none), or members of a group.
    pub fn apply(&mut self, from: CoreId, pattern: &[u8], queue: Option<&[u8]>, members: u32) {
        debug_assert!(from != self.config.this && from.index() < self.config.cores, "{from:?} does not write here");
        let pattern = match self.find_pattern(pattern) {
            Some(id) => id,
            None if members == 0 => return,
            None => self.find_or_add(pattern),
        };
        let group = match queue {
            None => GroupRef::NONE,
            Some(name) if members > 0 => self.find_or_add_group(pattern, name),
            Some(name) => match self.names.find(&self.hasher, name) {
                Some(name) => name,
                None => return,
            },
        };
        let column = Column { pattern, group, core: from };
        let known = self.believed(column);
        if members < known {
            self.falls.note(column, members);
        } else if members > 0 {
            self.falls.waiting.remove(&column);
            self.believe(column, members);
        }
    }

    /// A look at the mail has ended (one that found nothing is a look too).
    pub fn end_look(&mut self) {
        for _ in 0..FALLS_PER_LOOK_MAX {
            let Some((column, members)) = self.falls.due() else {
                break;
            };
            self.believe(column, members);
            self.tidy(column.pattern, column.group);
        }
        self.falls.end_look();
    }

    /// Whether a later look may find that something no longer counts.
    pub fn removals_pending(&self) -> bool {
        !self.falls.order.is_empty()
    }

    fn believed(&self, column: Column) -> u32 {
        let entry = self.patterns.at(column.pattern.0);
        if column.group == GroupRef::NONE {
            return u32::from(entry.remote & column.core.bit() != 0);
        }
        entry.group(column.group).map_or(0, |group| group.remote_weight(column.core))
    }

    fn believe(&mut self, column: Column, members: u32) {
        self.version += 1;
        let entry = self.patterns.at_mut(column.pattern.0);
        if column.group != GroupRef::NONE {
            if let Some(group) = entry.group_mut(column.group) {
                group.set_remote_weight(column.core, members);
            }
        } else if members > 0 {
            entry.remote |= column.core.bit();
        } else {
            entry.remote &= !column.core.bit();
        }
    }

    /// Every waiting fall is of a column that is still believed to have more.
    pub(super) fn check_falls(&self) {
        for (column, fall) in &self.falls.waiting {
            assert!(self.patterns.contains(column.pattern.0), "a column with a waiting fall keeps its pattern");
            assert!(fall.members < self.believed(*column), "{column:?} has nothing to fall");
            assert!(self.falls.order.contains(&(*column, fall.look)), "{column:?} is in order");
        }
    }
}
