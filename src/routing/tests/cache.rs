//! The match cache: a change drops what it touches and nothing else, and what is left is right.

use super::{core, member, plain, route, table};
use crate::routing::{Table, TableCounts};

/// Hits and misses of `work`.
fn asked(table: &mut Table, work: impl FnOnce(&mut Table)) -> (u64, u64) {
    let before = table.counts();
    work(table);
    let TableCounts { cache_hits, cache_misses, .. } = table.counts();
    (cache_hits - before.cache_hits, cache_misses - before.cache_misses)
}

fn publish(table: &mut Table, subjects: &[&str]) {
    for subject in subjects {
        route(table, subject);
    }
}

const SUBJECTS: [&str; 5] = ["a.x", "a.y", "b.x", "nobody.wants.it", "a.z.z"];

/// A table in which every subject of several tokens is worth remembering.
fn busy_table(entries: usize) -> Table {
    let mut table = table(entries);
    plain(&mut table, "*.some.thing.else", 9);
    table
}

#[test]
fn joins_and_leaves_within_known_patterns_drop_nothing() {
    let mut table = busy_table(1024);
    plain(&mut table, "a.*", 1);
    plain(&mut table, "b.x", 1);
    publish(&mut table, &SUBJECTS);
    let (second, worker) = (plain(&mut table, "a.*", 2), member(&mut table, "b.x", "g", 3));
    table.apply(core(1), b"a.*", None, 1);
    table.apply(core(2), b"b.x", Some(b"g"), 3);
    table.retire(second);
    table.remove(second);
    table.remove(worker);
    let work = |table: &mut Table| {
        assert_eq!(route(table, "a.x").remote_plain, core(1).bit());
        assert_eq!(route(table, "b.x").remote_groups.len(), 1);
        publish(table, &["a.y", "nobody.wants.it", "a.z.z"]);
    };
    assert_eq!(asked(&mut table, work), (5, 0));
}

#[test]
fn a_literal_pattern_that_comes_or_goes_drops_its_subject() {
    let mut table = busy_table(1024);
    plain(&mut table, "a.*", 1);
    publish(&mut table, &SUBJECTS);
    let id = plain(&mut table, "a.x", 2);
    let all = |table: &mut Table| publish(table, &SUBJECTS);
    assert_eq!(asked(&mut table, all), (4, 1));
    assert_eq!(route(&mut table, "a.x").local.len(), 2);
    table.remove(id);
    assert_eq!(asked(&mut table, all), (4, 1));
    assert_eq!(route(&mut table, "a.x").local.len(), 1);
}

#[test]
fn a_wildcard_pattern_that_comes_or_goes_drops_what_it_matches() {
    let mut table = busy_table(1024);
    plain(&mut table, "z.*", 1);
    publish(&mut table, &SUBJECTS);
    let id = plain(&mut table, "*.x", 2);
    let all = |table: &mut Table| publish(table, &SUBJECTS);
    assert_eq!(asked(&mut table, all), (3, 2));
    assert_eq!(asked(&mut table, all), (5, 0));
    assert_eq!(route(&mut table, "b.x").local, [id]);
    table.remove(id);
    assert_eq!(asked(&mut table, all), (3, 2));
    assert!(route(&mut table, "b.x").is_empty());
}

#[test]
fn a_result_older_than_the_log_is_made_anew() {
    let mut table = busy_table(1024);
    plain(&mut table, "z.*", 1);
    publish(&mut table, &SUBJECTS);
    let all = |table: &mut Table| publish(table, &SUBJECTS);
    for i in 0..64 {
        plain(&mut table, &format!("other.{i}.*"), 1);
    }
    assert_eq!(asked(&mut table, all), (5, 0), "the log holds 64 changes");
    for i in 64..129 {
        plain(&mut table, &format!("other.{i}.*"), 1);
    }
    assert_eq!(asked(&mut table, all), (0, 5));
}

#[test]
fn the_number_of_a_pattern_that_is_used_again_reaches_nobody_wrongly() {
    let mut table = table(1024);
    plain(&mut table, "keep.*", 1);
    for i in 0..200 {
        let wildcard = plain(&mut table, "a.*", 1);
        let literal = plain(&mut table, "b.x", 1);
        assert_eq!(route(&mut table, "a.x").local, [wildcard]);
        assert_eq!(route(&mut table, "b.x").local, [literal]);
        table.remove(wildcard);
        table.remove(literal);
        // The patterns' numbers go to others, in the other order.
        let others = [plain(&mut table, &format!("c{i}.*"), 1), plain(&mut table, "d", 1)];
        assert!(route(&mut table, "a.x").is_empty() && route(&mut table, "b.x").is_empty());
        assert_eq!(others.map(|id| table.remove(id)), [Some(0); 2]);
        table.check_invariants();
    }
}

#[test]
fn it_is_bounded_and_hot_subjects_survive_a_flood() {
    let mut table = busy_table(256);
    plain(&mut table, "a.*", 1);
    let mut hits = 0;
    for i in 0..20_000 {
        route(&mut table, &format!("flood.{i}"));
        if i % 16 == 0 {
            hits += asked(&mut table, |table| publish(table, &["a.hot"])).0;
        }
        assert!(table.counts().cache_length <= 256);
    }
    assert!(hits > 1_200, "{hits} of 1250");
    table.check_invariants();
}

/// A table whose cache is full of subjects that were asked for once.
fn flooded_table() -> Table {
    let mut table = busy_table(256);
    plain(&mut table, "a.*", 1);
    (0..10_000).for_each(|i| publish(&mut table, &[&format!("once.{i}")]));
    assert!(table.counts().cache_length > 250);
    table
}

#[test]
fn subjects_that_are_used_once_do_not_drive_out_those_that_are_used_now_and_then() {
    let mut table = flooded_table();
    let mut hits = 0;
    for i in 0..50_000 {
        publish(&mut table, &[&format!("flood.{i}")]);
        if i % 1024 == 0 {
            // Four times as many others have come as there is room for.
            hits += asked(&mut table, |table| publish(table, &SUBJECTS)).0;
        }
    }
    assert!(hits > 150, "{hits} of 245");
    table.check_invariants();
}

#[test]
fn a_subject_that_comes_again_takes_the_place_of_one_that_does_not() {
    let mut table = flooded_table();
    let subjects: Vec<String> = (0..64).map(|i| format!("a.{i}")).collect();
    let mut round = || asked(&mut table, |table| subjects.iter().for_each(|subject| publish(table, &[subject])));
    let hits = [round().0, round().0, round().0];
    assert!(hits[1] < 32 && hits[2] > 48, "most are turned away once, and kept when they come again: {hits:?} of 64");
}

#[test]
fn many_patterns_and_long_subjects_match_with_and_without_it() {
    for entries in [0, 1, 64] {
        let mut table = table(entries);
        let long = format!("a.{}.b", "x".repeat(200));
        for pattern in [">", "a.>", "a.*.b", "*.*.*", "a.*.>", "*.>"] {
            plain(&mut table, pattern, 1);
        }
        for _ in 0..3 {
            assert_eq!(route(&mut table, "a.c.b").local.len(), 6);
            assert_eq!(route(&mut table, &long).local.len(), 6);
            assert_eq!(route(&mut table, "a").local.len(), 1);
            assert_eq!(route(&mut table, "a.b").local.len(), 3);
        }
        table.check_invariants();
    }
}

#[test]
fn without_wildcards_it_is_not_asked() {
    let mut table = table(1024);
    plain(&mut table, "a.b", 1);
    let work = |table: &mut Table| publish(table, &["a.b", "a.c"]);
    assert_eq!(asked(&mut table, work), (0, 0));
    let wildcard = plain(&mut table, "a.*", 1);
    assert_eq!(asked(&mut table, work), (0, 2));
    table.remove(wildcard);
    assert_eq!(asked(&mut table, work), (0, 0));
    assert_eq!(table.counts().cache_length, 0);
}

#[test]
fn what_ends_at_the_first_token_is_not_remembered() {
    let mut table = table(64);
    plain(&mut table, ">", 1);
    plain(&mut table, "a.*", 1);
    for i in 0..100 {
        assert_eq!(route(&mut table, &format!("b.{i}")).local.len(), 1);
    }
    assert_eq!(table.counts().cache_length, 0);
}

#[test]
fn nothing_matches_a_subject_with_an_empty_token() {
    let mut table = table(64);
    for pattern in [">", "a.>", "a.*.b", "*"] {
        plain(&mut table, pattern, 1);
    }
    for subject in ["", ".", "a.", ".a", "a..b", "a.b.", "z..", "z.y..x"] {
        assert!(route(&mut table, subject).is_empty(), "{subject}");
        assert!(route(&mut table, subject).is_empty(), "{subject} again");
    }
    assert_eq!(route(&mut table, "a.*").local.len(), 2, "a wildcard token is a token");
}
