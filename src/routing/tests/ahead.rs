//! Looking ahead asks for few subjects and changes nothing.

use super::{member, plain, route, table};

/// How many of `subjects` a look takes.
fn taken(table: &super::Table, subjects: &[&str]) -> usize {
    let mut count = 0;
    table.look_ahead(subjects.iter().map(|subject| {
        count += 1;
        subject.as_bytes()
    }));
    count
}

#[test]
fn a_look_takes_sixteen_subjects_at_most_and_stops_where_one_repeats() {
    let table = table(64);
    let subjects: Vec<String> = (0..40).map(|i| format!("a.{i}")).collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    assert_eq!(taken(&table, &[]), 0);
    assert_eq!(taken(&table, &subjects[..5]), 5);
    assert_eq!(taken(&table, &subjects), 16);
    assert_eq!(taken(&table, &["x", "x", "y", "z"]), 2);
    assert_eq!(taken(&table, &["x", "y", "x", "y"]), 4);
}

#[test]
fn a_look_meets_every_kind_of_pattern_and_changes_nothing() {
    let mut table = table(64);
    let long = "a.subject.that.is.too.long.for.its.place.in.the.entry";
    let sid = b"a-sid-that-is-too-long-for-its-place";
    let one = plain(&mut table, "one", 1);
    let (many, other) = (plain(&mut table, "many", 1), plain(&mut table, "many", 2));
    let worker = member(&mut table, "group", "g", 3);
    let wild = plain(&mut table, "wild.*", 4);
    let far = table.subscribe(long.as_bytes(), None, 5, sid).0;
    let gone = plain(&mut table, "gone", 6);
    table.remove(gone);
    let before = table.counts();
    assert_eq!(taken(&table, &["one", "many", "group", "wild.x", long, "gone", "never", ""]), 8);
    assert_eq!(table.counts(), before);
    table.check_invariants();
    assert_eq!(route(&mut table, "one").local, [one]);
    assert_eq!(route(&mut table, "many").local, [many, other]);
    assert_eq!(route(&mut table, "group").local, [worker]);
    assert_eq!(route(&mut table, "wild.x").local, [wild]);
    assert_eq!(route(&mut table, long).local, [far]);
    assert!(route(&mut table, "gone").is_empty());
}
