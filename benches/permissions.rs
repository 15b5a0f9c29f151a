//! What it costs to ask whether a message may be published.
//!
//! `permissions CASE [OPS]` asks OPS times and prints `ops OPS`; instructions are counted from outside (`.ci/instructions`).
//! Cases: `without` (no list: what asking costs then), `repeat` (one subject), `long` (one of 40 bytes), `few` (eight in turn), `many` (500 in turn,
//! most are not remembered), `lookup` (no memory), `deliver` (a deny that is checked at delivery).
//! A list may add at most 60 instructions to a message whose subject repeats: `repeat`, `long` and `few` less `without`.

use std::hint::black_box;
use std::sync::Arc;

use dunlin::auth::{Permissions, PublishCache};
use dunlin::config::security::{self, SubjectLists};

/// A list as a user of a larger system has it.
fn permissions() -> Arc<Permissions> {
    let mut allow: Vec<String> = (0..50).map(|n| format!("service.{n}.>")).collect();
    allow.extend(["bench.*".into(), "orders.*.created".into(), "_INBOX.>".into()]);
    let deny = vec!["bench.secret".into(), "*.admin.>".into(), "audit.>".into()];
    let lists = SubjectLists { allow: Some(allow), deny };
    let written = security::Permissions { publish: Some(lists.clone()), subscribe: Some(lists), responses: None };
    Arc::new(Permissions::new(&written))
}

/// How many of `ops` questions, over the subjects in turn, are answered with yes.
fn ask(ops: usize, subjects: &[String], mut may: impl FnMut(&[u8]) -> bool) -> usize {
    let mut next = subjects.iter().cycle();
    (0..ops).filter(|_| may(black_box(next.next().map_or(&[][..], |subject| subject.as_bytes())))).count()
}

fn main() {
    // cargo adds flags of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(name) = arguments.next() else {
        println!("usage: permissions CASE [OPS]; cases: without repeat long few many lookup deliver");
        return;
    };
    let ops: usize = arguments.next().map_or(100_000, |ops| ops.parse().expect("OPS is a number"));
    let numbered = |count: usize| (0..count).map(|n| format!("bench.{n:03}")).collect::<Vec<_>>();
    let permissions = permissions();
    let mut cache = Some(PublishCache::new(Arc::clone(&permissions)));
    let mut remembered = |subject: &[u8]| cache.as_mut().is_none_or(|cache| cache.may_publish(subject));
    let allowed = match name.as_str() {
        "without" => {
            let mut none: Option<PublishCache> = black_box(None);
            ask(ops, &numbered(1), |subject| none.as_mut().is_none_or(|cache| cache.may_publish(subject)))
        }
        "repeat" => ask(ops, &numbered(1), &mut remembered),
        "long" => ask(ops, &[format!("_INBOX.{}", "x".repeat(33))], &mut remembered),
        "few" => ask(ops, &numbered(8), &mut remembered),
        "many" => ask(ops, &numbered(500), &mut remembered),
        "lookup" => ask(ops, &numbered(1), |subject| permissions.may_publish(subject)),
        "deliver" => ask(ops, &numbered(1), |subject| permissions.may_deliver(subject, Some(b"workers"))),
        _ => panic!("no case {name}"),
    };
    assert_eq!(allowed, ops, "all of these may be published");
    println!("ops {ops}");
}
