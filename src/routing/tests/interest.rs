//! Other cores' interest: additions at once, falls one look later, one column at a time.

use super::{core, route, table};
use crate::routing::Table;

/// Which other cores get "a.b", plain.
fn cores(table: &mut Table) -> u64 {
    route(table, "a.b").remote_plain
}

#[test]
fn a_rise_counts_at_once_and_a_fall_after_the_next_look() {
    let mut table = table(64);
    table.apply(core(1), b"a.b", None, 1);
    assert_eq!(cores(&mut table), core(1).bit());
    table.end_look();
    table.apply(core(1), b"a.b", None, 0);
    assert!(table.removals_pending());
    table.end_look();
    assert_eq!(cores(&mut table), core(1).bit(), "the look that found it");
    table.end_look();
    assert_eq!(cores(&mut table), 0, "a look that found nothing counts");
    assert!(!table.removals_pending());
    assert_eq!(table.counts().patterns, 0);
}

#[test]
fn news_of_the_same_column_puts_a_fall_off() {
    let mut table = table(64);
    let weight = |table: &mut Table| route(table, "a.b").remote_groups.len();
    table.apply(core(1), b"a.b", Some(b"g"), 3);
    table.apply(core(1), b"a.b", Some(b"g"), 1);
    table.end_look();
    table.apply(core(1), b"a.b", Some(b"g"), 0);
    table.end_look();
    assert_eq!(weight(&mut table), 1, "the fall to 1 was replaced, the fall to 0 waits");
    table.apply(core(1), b"a.b", Some(b"g"), 4);
    table.end_look();
    table.end_look();
    assert_eq!(weight(&mut table), 1, "a rise cancels what waits");
    table.apply(core(1), b"a.b", Some(b"g"), 0);
    table.apply(core(2), b"a.b", Some(b"g"), 1);
    table.end_look();
    table.apply(core(2), b"a.b", Some(b"g"), 2);
    table.end_look();
    let group = route(&mut table, "a.b").remote_groups;
    assert_eq!(group.len(), 1);
    assert_eq!(group[0].0, core(2), "news of another column puts nothing off");
    assert_eq!(table.group_name(group[0].1), b"g");
    table.check_invariants();
}

#[test]
fn a_member_that_hands_over_to_another_core_leaves_no_gap() {
    let mut table = table(64);
    table.apply(core(2), b"a.b", Some(b"g"), 1);
    table.end_look();
    // This look came to core 2's ring after the member there had left, and to core 1's before the other had joined.
    table.apply(core(2), b"a.b", Some(b"g"), 0);
    table.end_look();
    assert_eq!(route(&mut table, "a.b").remote_groups.len(), 1);
    table.apply(core(1), b"a.b", Some(b"g"), 1);
    table.end_look();
    let chosen = route(&mut table, "a.b").remote_groups;
    assert_eq!((chosen.len(), chosen[0].0), (1, core(1)));
}

#[test]
fn a_fall_of_what_nobody_had_changes_nothing() {
    let mut table = table(64);
    table.apply(core(1), b"a.b", None, 0);
    table.apply(core(1), b"a.*", Some(b"g"), 0);
    table.apply(core(1), b"c", None, 1);
    table.apply(core(1), b"c", Some(b"g"), 0);
    assert!(!table.removals_pending());
    assert_eq!(table.counts().patterns, 1);
    table.check_invariants();
}

#[test]
fn more_falls_than_one_look_takes_wait_for_the_next() {
    let mut table = table(64);
    let pattern = |i: usize| format!("a.{i}.*");
    (0..10_000).for_each(|i| table.apply(core(1), pattern(i).as_bytes(), None, 1));
    (0..10_000).for_each(|i| table.apply(core(1), pattern(i).as_bytes(), None, 0));
    let mut looks = 0;
    while table.removals_pending() {
        table.end_look();
        looks += 1;
        assert!(looks < 10);
    }
    assert_eq!(table.counts().patterns, 0);
    table.check_invariants();
}
