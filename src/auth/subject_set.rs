//! A list of subjects of a permission, compiled: which of its patterns match a subject.
//!
//! Owns a trie of the patterns' tokens. A pattern may be for certain queue groups only. Must not know what follows from a match.
//! Invariants: a look visits each node of the trie at most once and allocates nothing, whatever the subject; a subject with an
//! empty token matches nothing, as with the peer; wildcards in a subject are ordinary tokens.

use std::collections::BTreeMap;

use crate::subject::pattern::{has_empty_token, pattern_matches};
use crate::subject::tokens::{ONE, REST, SEPARATOR, is_wildcard, tokens};

/// The first node; no node's child, so it also stands for "no child".
const ROOT: u32 = 0;

/// What matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// A pattern for all.
    pub(super) plain: bool,
    /// A pattern for some queue group.
    pub(super) queue_named: bool,
    /// A pattern for the group that was asked for.
    pub(super) queue_matched: bool,
}

/// Patterns that end at one place of the trie.
#[derive(Debug, Default)]
struct Ends {
    plain: bool,
    queues: Vec<Box<[u8]>>,
}

impl Ends {
    fn add_to(&self, found: &mut Found, queue: Option<&[u8]>) {
        found.plain |= self.plain;
        if !self.queues.is_empty() {
            found.queue_named = true;
            found.queue_matched |= queue.is_some_and(|queue| self.queues.iter().any(|name| queue_matches(name, queue)));
        }
    }
}

#[derive(Debug, Default)]
struct Node {
    parent: u32,
    is_star: bool,
    literals: BTreeMap<Box<[u8]>, u32>,
    /// Below `*`.
    star: u32,
    /// Patterns that end here.
    here: Ends,
    /// Patterns that end with `>` here.
    rest: Ends,
}

/// Patterns, each for all or for one name of queue groups.
#[derive(Debug)]
pub(super) struct SubjectSet {
    nodes: Vec<Node>,
    patterns: Vec<Box<[u8]>>,
}

impl SubjectSet {
    /// Compiles `entries`: `subject`, or `subject queue`.
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self { nodes: vec![Node::default()], patterns: Vec::new() };
        for entry in entries {
            let mut parts = entry.split_ascii_whitespace();
            if let Some(pattern) = parts.next() {
                set.insert(pattern.as_bytes(), parts.next().map(str::as_bytes));
            }
        }
        set
    }

    fn insert(&mut self, pattern: &[u8], queue: Option<&[u8]>) {
        self.patterns.push(pattern.into());
        let mut at = ROOT;
        let mut ends_with_rest = false;
        for token in tokens(pattern) {
            if token == REST {
                ends_with_rest = true;
                break;
            }
            at = self.child(at, token);
        }
        let Some(node) = self.nodes.get_mut(at as usize) else { return };
        let ends = if ends_with_rest { &mut node.rest } else { &mut node.here };
        match queue {
            None => ends.plain = true,
            Some(queue) => ends.queues.push(queue.into()),
        }
    }

    /// The node below `parent` for `token`, made where there is none.
    fn child(&mut self, parent: u32, token: &[u8]) -> u32 {
        let next = self.nodes.len() as u32;
        let Some(node) = self.nodes.get_mut(parent as usize) else { return ROOT };
        let is_star = token == ONE;
        let known = if is_star { node.star } else { node.literals.get(token).copied().unwrap_or(ROOT) };
        if known != ROOT {
            return known;
        }
        if is_star {
            node.star = next;
        } else {
            node.literals.insert(token.into(), next);
        }
        self.nodes.push(Node { parent, is_star, ..Node::default() });
        next
    }

    /// Whether there are no patterns.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// What matches `subject`, for a member of `queue`. Where no group is asked for, the look ends with the first pattern for all.
    pub(super) fn look(&self, subject: &[u8], queue: Option<&[u8]>) -> Found {
        let mut found = Found::default();
        if self.is_empty() || has_empty_token(subject) {
            return found;
        }
        // Where the next token begins; beyond the end after the last one.
        let (mut at, mut node) = (0, ROOT);
        while let Some(here) = self.nodes.get(node as usize) {
            let mut child = ROOT;
            if at > subject.len() {
                here.here.add_to(&mut found, queue);
            } else {
                here.rest.add_to(&mut found, queue);
                let token = token_at(subject, at);
                child = here.literals.get(token).copied().unwrap_or(here.star);
                if child != ROOT {
                    at += token.len() + 1;
                }
            }
            if found.plain && queue.is_none() {
                break;
            }
            node = if child == ROOT { self.climb(node, subject, &mut at) } else { child };
            if node == ROOT {
                break;
            }
        }
        found
    }

    /// The next node that was not visited yet: below the `*` of the nearest place above where a literal was tried; else the root.
    fn climb(&self, mut node: u32, subject: &[u8], at: &mut usize) -> u32 {
        while node != ROOT {
            let Some(here) = self.nodes.get(node as usize) else { break };
            let end = *at - 1;
            let before = subject.get(..end).unwrap_or_default();
            let star = self.nodes.get(here.parent as usize).map_or(ROOT, |parent| parent.star);
            if !here.is_star && star != ROOT {
                return star;
            }
            *at = memchr::memrchr(SEPARATOR, before).map_or(0, |dot| dot + 1);
            node = here.parent;
        }
        ROOT
    }

    /// Whether some subject matches both `pattern` and one of the patterns.
    pub(super) fn overlaps(&self, pattern: &[u8]) -> bool {
        self.patterns.iter().any(|own| patterns_overlap(own, pattern))
    }
}

/// The token that begins at `at`.
fn token_at(subject: &[u8], at: usize) -> &[u8] {
    let rest = subject.get(at..).unwrap_or_default();
    let end = memchr::memchr(SEPARATOR, rest).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Whether some subject matches both.
pub(super) fn patterns_overlap(one: &[u8], other: &[u8]) -> bool {
    let mut others = tokens(other);
    for token in tokens(one) {
        let Some(other) = others.next() else { return false };
        if token == REST || other == REST {
            return true;
        }
        if token != other && token != ONE && other != ONE {
            return false;
        }
    }
    others.next().is_none()
}

/// Whether a permission for the groups `name` is for the group `queue`: the same name, or one that `name` matches as a pattern.
/// Wildcards in `queue` are matched by the same or wider ones only.
pub(super) fn queue_matches(name: &[u8], queue: &[u8]) -> bool {
    if name == queue {
        return true;
    }
    if !tokens(name).any(is_wildcard) || !pattern_matches(name, queue) {
        return false;
    }
    tokens(name)
        .zip(tokens(queue))
        .take_while(|(own, _)| *own != REST)
        .all(|(_, token)| token != REST && !token.is_empty())
}
