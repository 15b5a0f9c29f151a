//! The trie of wildcard patterns: insert, remove, find, match.
//!
//! Owns the levels. Literal patterns are not in it (a hash of the whole subject finds them).
//! No recursion: a match goes down token by token with the list of levels that the subject has reached.
//! Invariant: no level but the root is unused.

use super::entry::PatternId;
use super::hash::KeyHash;
use super::id_table::IdTable;
use super::level::{End, Level, LevelId, NO_LEVEL};
use super::slab::Slab;
use super::text::same;

/// The literal children of all levels, by parent and token.
#[derive(Debug, Default)]
struct Children(IdTable);

/// The wildcard patterns of a table.
#[derive(Debug)]
pub(super) struct Sublist {
    levels: Slab<Level>,
    children: Children,
    root: LevelId,
    length: usize,
    /// Levels reached by a match, and those it reaches with the next token.
    reached: Vec<LevelId>,
    next: Vec<LevelId>,
}

impl Default for Sublist {
    fn default() -> Self {
        let mut levels = Slab::default();
        let root = levels.insert(Level::default());
        Self { levels, children: Children::default(), root, length: 0, reached: Vec::new(), next: Vec::new() }
    }
}

/// Whether a pattern has a wildcard: `*` as a token, or `>` as the last one.
pub(super) fn is_wildcard(pattern: &[u8]) -> bool {
    pattern.iter().any(|b| matches!(b, b'*' | b'>'))
        && (pattern.split(|b| *b == b'.').any(|token| token == b"*") || split_last(pattern).1 == b">")
}

/// The first token, and what follows its dot.
#[inline]
pub(super) fn split_first(subject: &[u8]) -> (&[u8], Option<&[u8]>) {
    match first_dot(subject).and_then(|at| subject.split_at_checked(at)) {
        Some((token, rest)) => (token, rest.get(1..)),
        None => (subject, None),
    }
}

/// Where the first dot is: eight bytes at a time, since tokens are too short for a call to pay.
#[inline]
fn first_dot(text: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = text.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        // The lowest byte of `dots` that has its top bit set is the first that was a dot.
        let word = u64::from_le_bytes(*word) ^ (LOW * b'.' as u64);
        let dots = word.wrapping_sub(LOW) & !word & (LOW << 7);
        if dots != 0 {
            return Some(i * 8 + dots.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|b| *b == b'.').map(|at| words.len() * 8 + at)
}

/// What comes before the last dot, and the last token.
fn split_last(pattern: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match pattern.iter().rposition(|b| *b == b'.').and_then(|at| pattern.split_at_checked(at)) {
        Some((before, last)) => (Some(before), last.get(1..).unwrap_or_default()),
        None => (None, pattern),
    }
}

/// Nothing can subscribe to an empty token, and nothing matches a subject that has one.
fn has_empty_token(subject: &[u8]) -> bool {
    subject.split(|b| *b == b'.').any(<[u8]>::is_empty)
}

/// Whether a pattern matches a subject, as the trie sees it.
pub(super) fn matches(pattern: &[u8], subject: &[u8]) -> bool {
    let (mut pattern, mut subject) = (Some(pattern), Some(subject));
    while let (Some(p), Some(s)) = (pattern, subject) {
        let ((wanted, more), (token, rest)) = (split_first(p), split_first(s));
        if wanted == b">" && more.is_none() {
            return true;
        }
        if wanted != b"*" && wanted != token {
            return false;
        }
        (pattern, subject) = (more, rest);
    }
    pattern.is_none() && subject.is_none()
}

/// The levels above the end of a pattern, how it ends, and its last token where that is literal.
fn end_of(pattern: &[u8]) -> (Option<&[u8]>, End) {
    match split_last(pattern) {
        (before, b"*") => (before, End::Star),
        (before, b">") => (before, End::Rest),
        _ => (Some(pattern), End::Literal),
    }
}

impl Children {
    #[inline]
    fn child(
        &self,
        levels: &Slab<Level>,
        hasher: &KeyHash,
        parent: LevelId,
        token: &[u8],
        hash: u64,
    ) -> Option<LevelId> {
        let mut candidates = self.0.candidates(hasher.below(parent, hash));
        candidates.find(|n| {
            let level = levels.at(*n);
            level.parent == parent && same(level.token.as_bytes(), token)
        })
    }
}

impl Sublist {
    pub(super) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    fn step(&self, hasher: &KeyHash, level: LevelId, token: &[u8]) -> Option<LevelId> {
        if token == b"*" {
            return Some(self.levels.at(level).star).filter(|star| *star != NO_LEVEL);
        }
        self.children.child(&self.levels, hasher, level, token, hasher.hash(token))
    }

    /// The level that holds the end of a pattern.
    fn holder(&self, hasher: &KeyHash, above: Option<&[u8]>) -> Option<LevelId> {
        let mut tokens = above.into_iter().flat_map(|text| text.split(|b| *b == b'.'));
        tokens.try_fold(self.root, |level, token| self.step(hasher, level, token))
    }

    pub(super) fn find(&self, hasher: &KeyHash, pattern: &[u8]) -> Option<PatternId> {
        let (above, end) = end_of(pattern);
        let level = self.levels.at(self.holder(hasher, above)?);
        let id = match end {
            End::Literal => level.ends,
            End::Star => level.star_ends,
            End::Rest => level.rest,
        };
        (id != PatternId::NONE).then_some(id)
    }

    /// Adds a pattern that is not there.
    pub(super) fn insert(&mut self, hasher: &KeyHash, pattern: &[u8], id: PatternId) {
        let (above, end) = end_of(pattern);
        let mut at = self.root;
        for token in above.into_iter().flat_map(|text| text.split(|b| *b == b'.')) {
            at = match self.step(hasher, at, token) {
                Some(level) => level,
                None => self.add_level(hasher, at, token),
            };
        }
        let place = self.levels.at_mut(at).place(end);
        debug_assert!(*place == PatternId::NONE, "the pattern is there");
        *place = id;
        self.length += 1;
    }

    fn add_level(&mut self, hasher: &KeyHash, parent: LevelId, token: &[u8]) -> LevelId {
        let new = self.levels.insert(Level::new(token, parent));
        let above = self.levels.at_mut(parent);
        if token == b"*" {
            above.star = new;
        } else {
            above.children += 1;
            self.children.0.insert(hasher.below(parent, hasher.hash(token)), new);
        }
        new
    }

    /// Removes a pattern, and the levels that only it needed.
    pub(super) fn remove(&mut self, hasher: &KeyHash, pattern: &[u8]) {
        let (above, end) = end_of(pattern);
        let Some(mut at) = self.holder(hasher, above) else {
            debug_assert!(false, "the pattern is not there");
            return;
        };
        *self.levels.at_mut(at).place(end) = PatternId::NONE;
        self.length -= 1;
        while at != self.root && self.levels.at(at).is_unused() {
            let level = self.levels.remove(at);
            let above = self.levels.at_mut(level.parent);
            if above.star == at {
                above.star = NO_LEVEL;
            } else {
                above.children -= 1;
                let hash = hasher.hash(level.token.as_bytes());
                self.children.0.remove(hasher.below(level.parent, hash), at);
            }
            at = level.parent;
        }
    }

    /// Appends the patterns that match a subject; nothing where a token is empty. Whether the match is worth remembering:
    /// one that ended at the first token costs no more than asking for it.
    pub(super) fn collect(&mut self, hasher: &KeyHash, subject: &[u8], found: &mut Vec<PatternId>) -> bool {
        let kept = found.len();
        let Self { levels, children, root, reached, next, .. } = self;
        let (mut rest, mut tokens, mut empty_token) = (Some(subject), 0, false);
        reached.clear();
        reached.push(*root);
        while let Some(text) = rest
            && !reached.is_empty()
        {
            let (token, more) = split_first(text);
            (rest, tokens, empty_token) = (more, tokens + 1, empty_token | token.is_empty());
            let hash = hasher.hash(token);
            for number in reached.iter() {
                let level = levels.at(*number);
                if level.rest != PatternId::NONE {
                    found.push(level.rest);
                }
                if more.is_some() {
                    if level.star != NO_LEVEL {
                        next.push(level.star);
                    }
                } else if level.star_ends != PatternId::NONE {
                    found.push(level.star_ends);
                }
                if level.children == 0 {
                    continue;
                }
                if let Some(child) = children.child(levels, hasher, *number, token, hash) {
                    if more.is_some() {
                        next.push(child);
                    } else if levels.at(child).ends != PatternId::NONE {
                        found.push(levels.at(child).ends);
                    }
                }
            }
            reached.clear();
            std::mem::swap(reached, next);
        }
        if found.len() > kept && (empty_token || rest.is_some_and(has_empty_token)) {
            found.truncate(kept);
        }
        tokens > 1
    }

    pub(super) fn check(&self) {
        let literal = self.levels.iter().filter(|(n, _)| *n != self.root).inspect(|(n, level)| {
            assert!(!level.is_unused(), "level {n} is unused");
            assert!(self.levels.contains(level.parent), "level {n} has a parent");
        });
        let literal = literal.filter(|(n, level)| self.levels.at(level.parent).star != *n).count();
        assert_eq!(literal, self.children.0.len());
        assert_eq!(self.levels.iter().map(|(_, l)| l.children as usize).sum::<usize>(), literal);
        let ends = self.levels.iter().flat_map(|(_, l)| [l.ends, l.star_ends, l.rest]);
        assert_eq!(ends.filter(|id| *id != PatternId::NONE).count(), self.length);
    }
}
