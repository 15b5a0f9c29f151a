//! Queue groups: fairness, no echo, one name over several patterns, choosing again.

use super::{core, member, plain, table};
use crate::ids::SubId;
use crate::routing::{Choice, Publisher, Rng, Routes, Table};
use std::collections::BTreeMap;

/// How often each is chosen in `rounds` messages.
fn tally(table: &mut Table, subject: &str, no_echo: bool, rounds: usize) -> BTreeMap<String, f64> {
    let (mut rng, mut routes, mut tally) = (Rng::new(42), Routes::default(), BTreeMap::new());
    let publisher = Publisher { conn_slot: 7, no_echo };
    for _ in 0..rounds {
        table.route(subject.as_bytes(), publisher, &mut rng, &mut routes);
        for id in &routes.local {
            *tally.entry(format!("member {}", id.0)).or_default() += 1.0;
        }
        for (core, _) in &routes.remote_groups {
            *tally.entry(format!("core {}", core.index())).or_default() += 1.0;
        }
    }
    tally
}

/// Pearson's statistic against shares that are proportional to `weights`, in the order of the tally's keys.
fn chi_square(tally: &BTreeMap<String, f64>, weights: &[f64]) -> f64 {
    assert_eq!(tally.len(), weights.len(), "{tally:?}");
    let (all, weight): (f64, f64) = (tally.values().sum(), weights.iter().sum());
    let shares = tally.values().zip(weights).map(|(n, w)| (n, all * w / weight));
    shares.map(|(n, share)| (n - share).powi(2) / share).sum()
}

#[test]
fn every_member_of_every_core_is_as_likely_as_any_other() {
    let mut table = table(64);
    for conn in 0..3 {
        member(&mut table, "a.b", "g", conn);
    }
    table.apply(core(1), b"a.b", Some(b"g"), 1);
    table.apply(core(3), b"a.b", Some(b"g"), 4);
    let tally = tally(&mut table, "a.b", false, 40_000);
    let statistic = chi_square(&tally, &[1.0, 4.0, 1.0, 1.0, 1.0]);
    assert!(statistic < 18.5, "{statistic}: one run in a thousand is above");
}

#[test]
fn a_group_is_one_over_all_patterns_that_match() {
    let mut table = table(64);
    for conn in 0..2 {
        member(&mut table, "a.b", "g", conn);
        member(&mut table, "a.*", "g", conn);
    }
    table.apply(core(1), b">", Some(b"g"), 3);
    table.apply(core(1), b"a.b", Some(b"g"), 2);
    table.apply(core(2), b"z.>", Some(b"g"), 50);
    let tally = tally(&mut table, "a.b", false, 36_000);
    assert_eq!(tally.values().sum::<f64>(), 36_000.0, "one member a message");
    let statistic = chi_square(&tally, &[5.0, 1.0, 1.0, 1.0, 1.0]);
    assert!(statistic < 18.5, "{statistic}: one run in a thousand is above");
}

#[test]
fn who_wants_no_echo_is_not_chosen_and_the_others_are_as_likely_as_before() {
    for patterns in [["a.b", "a.b"], ["a.b", "a.*"]] {
        let mut table = table(64);
        for (conn, pattern) in [7, 7, 7, 7, 7, 7, 7, 8, 9].into_iter().zip(patterns.into_iter().cycle()) {
            member(&mut table, pattern, "g", conn);
        }
        table.apply(core(1), b"a.b", Some(b"g"), 2);
        let tally = tally(&mut table, "a.b", true, 20_000);
        let statistic = chi_square(&tally, &[2.0, 1.0, 1.0]);
        assert!(statistic < 13.8, "{statistic}: one run in a thousand is above");
    }
}

#[test]
fn a_group_of_nobody_but_the_publisher_is_skipped() {
    let mut table = table(64);
    for pattern in ["a.b", "a.*"] {
        member(&mut table, pattern, "g", 7);
        assert!(tally(&mut table, "a.b", true, 20).is_empty());
        assert_eq!(table.choose_again(b"a.b", b"g", Some(7), &mut Rng::new(1)), None);
    }
    assert_eq!(tally(&mut table, "a.b", false, 20).values().sum::<f64>(), 20.0);
}

/// What a message of another core finds here.
fn receive(table: &mut Table, plain: bool, groups: &[&[u8]], without: Option<u32>) -> (Vec<SubId>, Vec<usize>) {
    let mut routes = Routes::default();
    let groups = groups.iter().copied();
    table.route_remote(b"a.b", plain, groups, without, &mut Rng::new(1), &mut routes);
    routes.local.sort_unstable_by_key(|id| id.0);
    (routes.local, routes.gone)
}

#[test]
fn a_message_of_another_core_reaches_retired_members_only_if_no_other_is_left() {
    let mut table = table(64);
    let (a, b) = (member(&mut table, "a.b", "g", 1), member(&mut table, "a.*", "g", 2));
    assert_eq!(table.retire(a), Some(0));
    for _ in 0..20 {
        assert_eq!(receive(&mut table, true, &[b"g"], None), (vec![b], vec![]));
    }
    assert_eq!(receive(&mut table, true, &[b"g"], Some(2)).0, [a], "better a retired one than none");
    assert_eq!(table.retire(b), Some(0));
    let (found, gone) = receive(&mut table, false, &[b"x", b"g"], None);
    assert_eq!((found.len(), gone), (1, vec![0]), "an unknown group has gone");
    assert_eq!(table.choose_again(b"a.b", b"g", None, &mut Rng::new(1)), None, "nobody new");
    assert_eq!([a, b].map(|id| table.remove(id)), [None; 2]);
    assert_eq!(receive(&mut table, true, &[b"g"], None), (vec![], vec![0]));
    table.check_invariants();
}

#[test]
fn plain_subscriptions_are_served_for_other_cores_until_they_are_removed() {
    let mut table = table(64);
    let (a, b, c) = (plain(&mut table, "a.b", 1), plain(&mut table, "a.b", 2), plain(&mut table, "a.*", 3));
    assert_eq!((table.retire(a), table.retire(c), table.retire(b)), (None, Some(0), Some(0)));
    assert_eq!(table.retire(b), None, "it is retired");
    assert!(super::route(&mut table, "a.b").is_empty(), "local publishers see none of them");
    assert_eq!(receive(&mut table, true, &[], None).0, [a, b, c]);
    assert_eq!(receive(&mut table, false, &[], None).0, [], "a forward for a group is not for them");
    let (again, told) = table.subscribe(b"a.b", None, 4, b"9");
    assert_eq!(told, Some(1), "the first live one");
    assert_eq!(super::route(&mut table, "a.b").local, [again]);
    assert_eq!([a, b, c].map(|id| table.remove(id)), [None; 3]);
    assert_eq!(receive(&mut table, true, &[], None).0, [again]);
    table.check_invariants();
}

#[test]
fn choosing_again_sees_all_cores() {
    let mut table = table(64);
    let here = member(&mut table, "a.*", "g", 1);
    table.apply(core(2), b"a.b", Some(b"g"), 1);
    let mut rng = Rng::new(5);
    let choices: Vec<_> = (0..50).map(|_| table.choose_again(b"a.b", b"g", None, &mut rng)).collect();
    assert!(choices.contains(&Some(Choice::Here(here))) && choices.contains(&Some(Choice::There(core(2)))));
    let elsewhere = Some(Choice::There(core(2)));
    assert!((0..50).all(|_| table.choose_again(b"a.b", b"g", Some(1), &mut rng) == elsewhere));
    assert_eq!(table.choose_again(b"a.b", b"other", None, &mut rng), None);
}
