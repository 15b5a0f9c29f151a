//! Dealing a run among a queue group: all of it, evenly, and nobody favoured.

use super::{core, member, plain, table};
use crate::routing::{Choice, Publisher, Rng, Routes, Stretch, Table};
use std::collections::BTreeMap;

/// The stretches of one run of `messages` to `a.b`.
fn deal(table: &mut Table, no_echo: bool, messages: usize, rng: &mut Rng) -> Vec<Stretch> {
    let (mut routes, mut stretches) = (Routes::default(), Vec::new());
    let publisher = Publisher { conn_slot: 7, no_echo };
    table.route(b"a.b", publisher, rng, &mut routes);
    assert!(table.only_group(&routes).is_some());
    table.deal(&routes, publisher, rng, messages, &mut stretches);
    stretches
}

fn name(to: Choice) -> String {
    match to {
        Choice::Here(id) => format!("member {}", id.0),
        Choice::There(core) => format!("core {}", core.index()),
    }
}

/// Who gets the message at each place of the run, counted over many runs.
fn tally(table: &mut Table, no_echo: bool, messages: usize) -> Vec<BTreeMap<String, f64>> {
    let (mut rng, mut tally) = (Rng::new(42), vec![BTreeMap::new(); messages]);
    for _ in 0..20_000 {
        let stretches = deal(table, no_echo, messages, &mut rng);
        let receivers = stretches.iter().flat_map(|stretch| std::iter::repeat_n(stretch.to, stretch.count));
        let mut count = 0;
        for (at, to) in receivers.enumerate() {
            *tally[at].entry(name(to)).or_default() += 1.0;
            count += 1;
        }
        assert_eq!(count, messages, "all of the run, and not more");
    }
    tally
}

fn assert_shares(tally: &[BTreeMap<String, f64>], weights: &[f64]) {
    let weight: f64 = weights.iter().sum();
    for (at, place) in tally.iter().enumerate() {
        assert_eq!(place.len(), weights.len(), "{place:?}");
        let shares = place.values().zip(weights).map(|(n, w)| (n, 20_000.0 * w / weight));
        let statistic: f64 = shares.map(|(n, share)| (n - share).powi(2) / share).sum();
        assert!(statistic < 25.0, "message {at}: {statistic}, of {place:?}: one in ten thousand is above");
    }
}

#[test]
fn each_message_is_as_likely_to_go_to_any_member() {
    let mut table = table(64);
    for conn in 0..3 {
        member(&mut table, "a.b", "g", conn);
    }
    table.apply(core(1), b"a.b", Some(b"g"), 1);
    table.apply(core(3), b"a.b", Some(b"g"), 3);
    for messages in [1, 2, 6, 7, 30] {
        assert_shares(&tally(&mut table, false, messages), &[1.0, 3.0, 1.0, 1.0, 1.0]);
    }
}

#[test]
fn no_member_gets_more_than_one_message_more_than_another() {
    let mut table = table(64);
    for conn in 0..8 {
        member(&mut table, "a.b", "g", conn);
    }
    let mut rng = Rng::new(1);
    for messages in 1..70 {
        let counts: Vec<usize> = deal(&mut table, false, messages, &mut rng).iter().map(|s| s.count).collect();
        assert_eq!(counts.len(), messages.min(8));
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 1, "{counts:?}");
    }
}

#[test]
fn who_wants_no_echo_deals_to_the_others_alike() {
    let mut table = table(64);
    for conn in [7, 8, 7, 9, 7, 7] {
        member(&mut table, "a.b", "g", conn);
    }
    assert_shares(&tally(&mut table, true, 1), &[1.0, 1.0]);
    for messages in [2, 3, 20, 64] {
        // Who follows the publisher's own members in the list must not be met more often, and the rest is shared in a second round.
        let tally = tally(&mut table, true, messages);
        assert!(tally.iter().all(|place| place.len() == 2));
        assert_shares(&tally[..1], &[1.0, 1.0]);
    }
    let mut rng = Rng::new(3);
    let mut of_publisher = super::table(64);
    member(&mut of_publisher, "a.b", "g", 7);
    assert_eq!(deal(&mut of_publisher, true, 5, &mut rng), []);
    assert_eq!(deal(&mut of_publisher, false, 5, &mut rng).len(), 1);
}

#[test]
fn only_one_group_and_nobody_else_is_dealt_to() {
    let groups = |table: &mut Table| {
        let mut routes = Routes::default();
        table.route(b"a.b", Publisher { conn_slot: 7, no_echo: false }, &mut Rng::new(1), &mut routes);
        table.only_group(&routes)
    };
    let mut table = table(64);
    assert_eq!(groups(&mut table), None);
    let first = member(&mut table, "a.b", "g", 1);
    assert!(groups(&mut table).is_some());
    let other = member(&mut table, "a.b", "h", 1);
    assert_eq!(groups(&mut table), None, "two groups");
    table.remove(other);
    let beside = plain(&mut table, "a.*", 2);
    assert_eq!(groups(&mut table), None, "a plain subscription");
    table.remove(beside);
    table.apply(core(2), b"a.*", None, 1);
    assert_eq!(groups(&mut table), None, "a plain one of another core");
    table.apply(core(2), b"a.*", None, 0);
    table.end_look();
    table.end_look();
    assert!(groups(&mut table).is_some());
    table.remove(first);
    assert_eq!(groups(&mut table), None);
}
