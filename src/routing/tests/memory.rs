//! What a subscription costs, and that it is given back. `benches/sublist.rs` counts the allocator's bytes; here it is
//! what the parts of the table ask for.

use super::table;
use crate::routing::Table;

/// What the connection's own map of sids takes.
const SID_MAP_BYTES: usize = 16;

fn heap_bytes(table: &Table) -> usize {
    table.subscriptions.heap_bytes() + table.patterns.heap_bytes() + table.literals.heap_bytes()
}

#[test]
fn a_subscription_on_its_own_subject_takes_less_than_150_bytes_and_gives_them_back() {
    let mut table = table(1024);
    let empty = heap_bytes(&table);
    for round in 0..3 {
        let ids: Vec<_> = (0..100_000)
            .map(|i| table.subscribe(format!("sensors.hall.{i:07}").as_bytes(), None, i, b"12345").0)
            .collect();
        let each = (heap_bytes(&table) - empty) / ids.len() + SID_MAP_BYTES;
        assert!(each <= 150, "{each} bytes in round {round}");
        for id in ids {
            table.remove(id);
        }
        let left = heap_bytes(&table) - empty;
        assert!(left < 48 * 1024, "{left} bytes left in round {round}");
    }
}

#[test]
fn lists_of_one_pattern_give_back_too() {
    let mut table = table(1024);
    let ids: Vec<_> = (0..50_000).map(|i| table.subscribe(b"a.*", None, i, b"1").0).collect();
    for id in &ids[1..] {
        table.remove(*id);
    }
    table.check_invariants();
    assert_eq!(super::route(&mut table, "a.b").local, [ids[0]]);
    let (pattern, patterns) = (table.subscription(ids[0]).pattern, &table.patterns);
    assert!(patterns.at(pattern.0).rare.is_none(), "one subscriber needs no list");
}
