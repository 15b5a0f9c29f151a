//! Every check catches the fault that it is for, says so, and the exit code is 3.

use std::time::Duration;

use crate::faulty::{Fault, start};
use crate::invocation::{command, run, text, workload};

/// Runs one fault and tells how often the check `name` saw something.
fn seen(fault: Fault, words: &str, name: &str) -> (u64, i32) {
    let (value, code) = run(start(fault), words);
    let faults = &workload(&value)["faults"];
    let count = faults[name].as_u64().unwrap_or_else(|| panic!("{fault:?}: no {name} in {value:#}"));
    let others: u64 = faults
        .as_object()
        .expect("counts by name")
        .iter()
        .filter(|(other, _)| *other != name)
        .filter_map(|(_, count)| count.as_u64())
        .sum();
    assert_eq!(others, 0, "{fault:?}: only {name} happened: {faults}");
    (count, code)
}

const SMALL: &str = "pubsub --msgs 1000 --quiet-time 200ms";

#[test]
fn a_server_that_does_right_passes() {
    assert_eq!(seen(Fault::None, SMALL, "lost"), (0, 0));
}

#[test]
fn a_lost_message_is_seen() {
    assert_eq!(seen(Fault::Drop(500), SMALL, "lost"), (1, 3));
    assert_eq!(seen(Fault::Drop(999), SMALL, "lost"), (1, 3), "the last one");
    assert_eq!(
        seen(Fault::Drop(0), "pubsub --msgs 10 --size 4B --quiet-time 200ms", "lost"),
        (1, 3),
        "without a stamp"
    );
}

#[test]
fn a_doubled_message_is_seen() {
    assert_eq!(seen(Fault::Duplicate(500), SMALL, "duplicates"), (1, 3));
    assert_eq!(seen(Fault::Duplicate(999), SMALL, "duplicates"), (1, 3), "the last one");
    assert_eq!(seen(Fault::Duplicate(7), "pubsub --msgs 100 --size 16B", "duplicates"), (1, 3), "with a small stamp");
}

#[test]
fn a_late_message_is_seen() {
    assert_eq!(seen(Fault::Reorder(500), SMALL, "out_of_order"), (1, 3));
}

#[test]
fn a_changed_payload_is_seen() {
    assert_eq!(seen(Fault::Corrupt(500), SMALL, "damaged"), (1, 3));
}

#[test]
fn a_message_under_another_subject_is_seen() {
    let words = "wildcard --msgs 1000 --multisubject --multisubjectmax 3 --quiet-time 200ms";
    assert_eq!(seen(Fault::Misroute(1), words, "cross_talk"), (1, 3));
}

#[test]
fn a_message_that_two_members_of_a_group_get_is_seen() {
    assert_eq!(seen(Fault::Both(500), "queue --msgs 1000 --sub 4 --quiet-time 200ms", "duplicates"), (1, 3));
    assert_eq!(seen(Fault::Drop(500), "queue --msgs 1000 --sub 4 --quiet-time 200ms", "lost"), (1, 3));
}

#[test]
fn a_favourite_in_a_group_is_seen() {
    let output = command(start(Fault::Favour), "queue --msgs 5000 --sub 4").output().expect("the binary runs");
    let (out, err, code) = text(&output);
    assert!(out.contains("NOT FAIR") && code == 3, "{out}{err}");
    let (value, code) = run(start(Fault::Favour), "pubsub --queue group --msgs 5000 --sub 4");
    assert!(workload(&value)["fairness"]["most"].as_u64() > Some(4000) && code == 3, "{value:#}");
    let (value, code) = run(start(Fault::None), "queue --msgs 5000 --sub 4");
    assert!(workload(&value)["fairness"]["probability"].as_f64().is_some_and(|p| p > 0.001) && code == 0, "{value:#}");
}

#[test]
fn a_lost_request_and_a_doubled_reply_are_seen() {
    // Messages 0, 2, 4 … are requests, 1, 3, 5 … replies.
    let words = "request --responders 1 --msgs 20 --timeout 300ms";
    assert_eq!(seen(Fault::Drop(39), words, "lost"), (1, 3), "a reply");
    assert_eq!(seen(Fault::Duplicate(21), words, "unasked"), (1, 3), "a reply");
}

#[test]
fn what_is_lost_is_said_to_people() {
    let output = command(start(Fault::Drop(5)), SMALL).output().expect("the binary runs");
    let (out, _, code) = text(&output);
    assert!(out.contains("LOST OR WRONG: 1 lost") && code == 3, "{out}");
}

#[test]
fn a_delay_is_found_in_the_histogram() {
    let delay = Duration::from_millis(3);
    let (value, code) = run(start(Fault::Delay(delay)), "pubsub --rate 50 --msgs 20");
    let latency = &workload(&value)["latency"];
    assert_eq!((latency["count"].as_u64(), code), (Some(20), 0), "{value:#}");
    let least = latency["min_ns"].as_u64().expect("a minimum");
    assert!(u128::from(least) >= delay.as_nanos() * 999 / 1000, "{least}");
}

#[test]
fn who_was_the_limit_is_said() {
    // Small messages to many subjects cost this tool far more than whoever throws them away. Another program may have the
    // CPU of the sink for a moment, so one run of some must show it.
    let words = "pub --msgs 1M --size 0 --multisubject --multisubjectmax 100000 --multisubjectrandomize";
    let address = start(Fault::Sink);
    let is_bound = |_| {
        let (out, err, code) = text(&command(address, words).output().expect("the binary runs"));
        assert_eq!(code, 0, "{out}{err}");
        out.contains("client-bound")
    };
    assert!((0..20).any(is_bound), "the tool was the limit and did not say so");
    // And a server that takes its time is the limit itself.
    let slow = start(Fault::Delay(Duration::from_millis(2)));
    let (value, _) = run(slow, "request --responders 1 --msgs 50");
    let client = &value["runs"][0]["client"];
    assert_eq!(client["bound"].as_bool(), Some(false), "{client}");
    assert!(client["unwaiting"].as_f64() < Some(0.9), "{client}");
}

#[test]
fn a_server_that_is_too_slow_shows_in_the_corrected_view_alone() {
    // 5 ms a message and one message a millisecond: the last of 40 is some 160 ms late.
    let (value, _) = run(start(Fault::Delay(Duration::from_millis(5))), "pubsub --rate 1000 --msgs 40 --quiet-time 1s");
    let most = |view: &str| workload(&value)[view]["percentiles_ns"][5][1].as_u64().expect("a maximum");
    assert!(most("latency") >= 150_000_000, "{value:#}");
    assert!(most("latency") >= most("latency_uncorrected"));
}
