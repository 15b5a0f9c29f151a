//! The rules of permissions once more, plainly: lists that are walked, patterns that are matched by recursion.
//!
//! Owns the oracle that tests and the fuzz target `permissions` compare [`super::Permissions`] with, and how a case is made of bytes.
//! Must not share code with what it judges. Built for tests and fuzzing alone.

use std::sync::Arc;

use super::permissions::Permissions;
use super::publish_cache::PublishCache;
use crate::config::security::{self, ResponsePermission, SubjectLists};

/// Few tokens, so that patterns meet often; among them some that only look like wildcards, and nothing.
const PATTERN_TOKENS: [&str; 7] = ["a", "b", "*", "*", ">", "a", "a*"];
const SUBJECT_TOKENS: [&str; 9] = ["a", "b", "z", "a", "b", "*", ">", "a*", ""];
const QUEUES: [&str; 9] = ["q", "r", "v.a", "v.*", "v.>", "*", ">", "v.a.b", "*.a"];

/// Makes permissions, subscriptions and subjects of `bytes` and checks all answers about them.
///
/// # Panics
/// Where an answer is wrong.
pub fn check(bytes: impl IntoIterator<Item = u8>) {
    let mut source = Source(bytes.into_iter());
    let written = source.permissions();
    let compiled = Arc::new(Permissions::new(&written));
    let mut cache = PublishCache::new(Arc::clone(&compiled));
    for _ in 0..8 {
        let subject = source.words(&SUBJECT_TOKENS, 4);
        let pattern = source.pattern();
        let queue = source.below(2).map(|_| source.pick(&QUEUES));
        let context = format!("subject {subject:?}, pattern {pattern:?}, queue {queue:?}, {written:?}");
        let queue_bytes = queue.map(str::as_bytes);

        let published = naive_publish(&written, &subject);
        assert_eq!(compiled.may_publish(subject.as_bytes()), published, "publish: {context}");
        for _ in 0..2 {
            assert_eq!(cache.may_publish(subject.as_bytes()), published, "from the cache: {context}");
        }
        for of in [&subject, &pattern] {
            let subscribed = naive_subscribe(&written, of, queue);
            assert_eq!(compiled.may_subscribe(of.as_bytes(), queue_bytes), subscribed, "subscribe: {context}");
            let delivered = !naive_denied(&written, of, queue);
            assert_eq!(compiled.may_deliver(of.as_bytes(), queue_bytes), delivered, "deliver: {context}");
        }
        check_delivery(&written, &compiled, &pattern, &context);
    }
}

/// What is denied reaches no subscription that was let in, and nothing is checked in vain.
fn check_delivery(written: &security::Permissions, compiled: &Permissions, pattern: &str, context: &str) {
    let denied = |subject: &str| {
        let entries = written.subscribe.iter().flat_map(|lists| &lists.deny);
        entries.map(|entry| entry.split(' ').next().unwrap_or_default()).any(|deny| naive_match(deny, subject))
    };
    let reached = literals().filter(|subject| naive_match(pattern, subject));
    let expected = reached.filter(|subject| pattern != subject).any(|subject| denied(&subject));
    assert_eq!(compiled.needs_delivery_check(pattern.as_bytes()), expected, "whether to check: {context}");
}

/// Enough literal subjects that two patterns of up to four tokens meet in one of them, if they meet.
fn literals() -> impl Iterator<Item = String> {
    const TOKENS: [&str; 3] = ["a", "b", "a*"];
    (1..=4_u32).flat_map(|length| {
        (0..TOKENS.len().pow(length)).map(move |number| {
            let token = |at| TOKENS[number / TOKENS.len().pow(at) % TOKENS.len()];
            (0..length).map(token).collect::<Vec<_>>().join(".")
        })
    })
}

fn naive_publish(written: &security::Permissions, subject: &str) -> bool {
    let lists = written.publish.clone().unwrap_or_default();
    let any = |list: &[String]| list.iter().any(|pattern| naive_match(pattern, subject));
    let allowed = match &lists.allow {
        Some(list) => any(list),
        None => written.responses.is_none(),
    };
    allowed && !any(&lists.deny)
}

fn naive_subscribe(written: &security::Permissions, pattern: &str, queue: Option<&str>) -> bool {
    let lists = written.subscribe.clone().unwrap_or_default();
    let allowed = lists.allow.is_none_or(|list| {
        let matching: Vec<_> = entries(&list).filter(|(own, _)| naive_match(own, pattern)).collect();
        let named: Vec<_> = matching.iter().filter_map(|(_, queue)| *queue).collect();
        match queue {
            Some(queue) if !named.is_empty() => named.iter().any(|name| naive_queue(name, queue)),
            _ => matching.iter().any(|(_, queue)| queue.is_none()),
        }
    });
    allowed && !naive_denied(written, pattern, queue)
}

fn naive_denied(written: &security::Permissions, subject: &str, queue: Option<&str>) -> bool {
    let list = written.subscribe.as_ref().map(|lists| lists.deny.clone()).unwrap_or_default();
    entries(&list).any(|(pattern, name)| {
        let is_meant = name.is_none_or(|name| queue.is_some_and(|queue| naive_queue(name, queue)));
        is_meant && naive_match(pattern, subject)
    })
}

/// Patterns, each with the queue groups that it is for.
fn entries(list: &[String]) -> impl Iterator<Item = (&str, Option<&str>)> {
    list.iter()
        .map(|entry| entry.split_once(' ').map_or((entry.as_str(), None), |(pattern, name)| (pattern, Some(name))))
}

fn naive_match(pattern: &str, subject: &str) -> bool {
    let (pattern, subject): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), subject.split('.').collect());
    !subject.contains(&"") && tokens_match(&pattern, &subject)
}

fn tokens_match(pattern: &[&str], subject: &[&str]) -> bool {
    match (pattern, subject) {
        ([], []) | ([">"], [_, ..]) => true,
        (["*", pattern @ ..], [_, subject @ ..]) => tokens_match(pattern, subject),
        ([one, pattern @ ..], [other, subject @ ..]) => one == other && tokens_match(pattern, subject),
        _ => false,
    }
}

/// Whether all that `queue` stands for is in `name`, or both are the same.
fn naive_queue(name: &str, queue: &str) -> bool {
    fn holds(name: &[&str], queue: &[&str]) -> bool {
        match (name, queue) {
            ([], []) | ([">"], [_, ..]) => true,
            ([_, ..], ["" | ">", ..]) => false,
            (["*", name @ ..], [_, queue @ ..]) => holds(name, queue),
            ([one, name @ ..], [other, queue @ ..]) => one == other && holds(name, queue),
            _ => false,
        }
    }
    let (names, queues): (Vec<_>, Vec<_>) = (name.split('.').collect(), queue.split('.').collect());
    let is_pattern = names.iter().any(|token| ["*", ">"].contains(token));
    name == queue || (is_pattern && holds(&names, &queues))
}

/// Choices, made of bytes; zeros when they are used up.
struct Source<I>(I);

impl<I: Iterator<Item = u8>> Source<I> {
    fn byte(&mut self) -> usize {
        self.0.next().unwrap_or(0).into()
    }

    /// A number below `bound`; `None` instead of 0.
    fn below(&mut self, bound: usize) -> Option<usize> {
        Some(self.byte() % bound).filter(|number| *number > 0)
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.byte() % list.len()]
    }

    fn words(&mut self, list: &[&str], max: usize) -> String {
        let count = 1 + self.byte() % max;
        (0..count).map(|_| self.pick(list)).collect::<Vec<_>>().join(".")
    }

    /// A pattern that can be subscribed to, of up to three tokens and perhaps `>`.
    fn pattern(&mut self) -> String {
        let words = self.words(&PATTERN_TOKENS, 3);
        let end = words.split('.').position(|token| token == ">").map_or(usize::MAX, |at| at + 1);
        words.split('.').take(end).collect::<Vec<_>>().join(".")
    }

    fn entries(&mut self, with_queues: bool) -> Vec<String> {
        let count = self.byte() % 5;
        (0..count)
            .map(|_| {
                let pattern = self.pattern();
                let queue = self.below(3).filter(|_| with_queues).map(|_| self.pick(&QUEUES));
                queue.map_or_else(|| pattern.clone(), |queue| format!("{pattern} {queue}"))
            })
            .collect()
    }

    fn lists(&mut self, with_queues: bool) -> Option<SubjectLists> {
        self.below(4)?;
        let allow = self.below(3).map(|_| self.entries(with_queues));
        Some(SubjectLists { allow, deny: self.entries(with_queues) })
    }

    fn permissions(&mut self) -> security::Permissions {
        let responses = self.below(2).map(|_| ResponsePermission { messages_max: None, expires: None });
        let responses = responses.filter(|_| self.byte().is_multiple_of(4));
        security::Permissions { publish: self.lists(false), subscribe: self.lists(true), responses }
    }
}
