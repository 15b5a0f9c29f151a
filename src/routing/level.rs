//! One level of the trie of wildcard patterns.
//!
//! Owns what is known below one prefix of tokens, but for its literal children: those are in one table for the whole trie,
//! keyed by parent and token, so that a level with a million children grows like any other.
//! A wildcard as last token makes no level: the pattern stands in the level above.

use super::entry::PatternId;
use super::text::Text;

/// A level's place in the trie.
pub(super) type LevelId = u32;

pub(super) const NO_LEVEL: LevelId = u32::MAX;

/// A prefix of tokens.
#[derive(Debug)]
pub(super) struct Level {
    /// The last token of the prefix; `*` for the level that stands in its parent's `star`.
    pub(super) token: Text,
    pub(super) parent: LevelId,
    /// The level below `*`.
    pub(super) star: LevelId,
    /// The pattern that is this prefix.
    pub(super) ends: PatternId,
    /// The pattern that is this prefix and `*`.
    pub(super) star_ends: PatternId,
    /// The pattern that is this prefix and `>`.
    pub(super) rest: PatternId,
    /// Literal children.
    pub(super) children: u32,
}

const _: () = assert!(size_of::<Level>() == 48);

impl Default for Level {
    fn default() -> Self {
        Self::new(b"", NO_LEVEL)
    }
}

impl Level {
    pub(super) fn new(token: &[u8], parent: LevelId) -> Self {
        let none = PatternId::NONE;
        Self { token: Text::new(token), parent, star: NO_LEVEL, ends: none, star_ends: none, rest: none, children: 0 }
    }

    pub(super) fn is_unused(&self) -> bool {
        let none = PatternId::NONE;
        self.star == NO_LEVEL && self.children == 0 && [self.ends, self.star_ends, self.rest] == [none; 3]
    }

    /// Where the id of a pattern stands whose last token this level holds.
    pub(super) const fn place(&mut self, end: End) -> &mut PatternId {
        match end {
            End::Literal => &mut self.ends,
            End::Star => &mut self.star_ends,
            End::Rest => &mut self.rest,
        }
    }
}

/// How a pattern ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Literal,
    Star,
    Rest,
}
