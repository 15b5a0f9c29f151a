//! Several agents as processes on this host, told over the server under test.

use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::faulty::{Fault, start};
use crate::invocation::{command, run, servers, start_dunlin, text, workload};

#[test]
fn agents_share_the_work_and_their_results_add_up() {
    for (name, server) in servers() {
        let start = || {
            let mut agent = command(server.address(), "agent --runs 2");
            agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs")
        };
        let agents = [start(), start(), start()];
        let (value, code) = run(server.address(), "pubsub --msgs 3001 --sub 2 --agents 3");
        let workload_of = |value: &serde_json::Value| workload(value).clone();
        let found = workload_of(&value);
        assert_eq!(
            (found["sent"].as_u64(), found["received"].as_u64(), code),
            (Some(3001), Some(6002), 0),
            "{name}: {value:#}"
        );
        assert_eq!(found["clients"].as_array().map(Vec::len), Some(3), "{name}");
        let (value, code) = run(server.address(), "request --responders 1 --rate 300 --duration 300ms --agents 3");
        let found = workload_of(&value);
        let latency = found["latency"]["count"].as_u64();
        assert!(latency == found["sent"].as_u64() && latency >= Some(80) && code == 0, "{name}: {value:#}");
        for mut agent in agents {
            assert_eq!(agent.wait().expect("ends").code(), Some(0), "{name}");
        }
    }
}

/// Agents for so many runs, and their end.
struct Agents(Vec<Child>);

impl Agents {
    fn start(address: SocketAddr, count: usize, runs: usize) -> Self {
        let start = |_| {
            let mut agent = command(address, &format!("agent --runs {runs}"));
            agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs")
        };
        Self((0..count).map(start).collect())
    }

    fn end(self) {
        for mut agent in self.0 {
            assert_eq!(agent.wait().expect("ends").code(), Some(0));
        }
    }
}

#[test]
fn publishers_and_subscribers_sit_on_different_agents() {
    for (name, server) in servers() {
        let agents = Agents::start(server.address(), 3, 4);
        let across = |words: &str| {
            let (value, code) = run(server.address(), &format!("{words} --agents 3 --across"));
            let found = workload(&value).clone();
            let counts = [&found["sent"], &found["received"], &found["latency"]["count"]].map(Value::as_u64);
            let kinds: Option<Vec<Value>> = found["clients"]
                .as_array()
                .map(|clients| clients.iter().map(|client| client["kind"].clone()).collect());
            assert_eq!(code, 0, "{name}: {words}: {value:#}");
            (counts, kinds.unwrap_or_default(), found)
        };
        // Two agents send, one receives.
        let (counts, kinds, _) = across("pubsub --pub 3 --sub 2 --msgs 3001 --rate 20000");
        assert_eq!(counts, [Some(3001), Some(6002), Some(6002)], "{name}: every message is timed");
        assert_eq!(kinds.iter().filter(|kind| *kind == "publisher").count(), 2, "{name}: {kinds:?}");
        let (counts, ..) = across("pubsub --pub 2 --sub 1 --duration 200ms --size 16B");
        assert!(counts[0] > Some(0) && counts[0] == counts[1], "{name}: {counts:?}");
        let (counts, _, found) = across("queue --pub 2 --sub 4 --msgs 4000");
        assert_eq!(counts[..2], [Some(4000), Some(4000)], "{name}");
        assert_eq!(found["fairness"]["members"].as_u64(), Some(4), "{name}: {found:#}");
        let (counts, ..) = across("request --clients 2 --responders 2 --msgs 400");
        assert_eq!(counts, [Some(400), Some(400), Some(400)], "{name}");
        agents.end();
    }
}

#[test]
fn a_queue_group_over_several_agents_is_judged_as_one() {
    let server = start_dunlin(2);
    let agents = Agents::start(server.address(), 4, 1);
    let words = "queue --pub 2 --sub 6 --msgs 6000 --agents 4 --across --quiet-time 300ms";
    let (value, code) = run(server.address(), words);
    let found = workload(&value);
    assert_eq!(
        (found["received"].as_u64(), found["fairness"]["members"].as_u64(), code),
        (Some(6000), Some(6), 0),
        "{value:#}"
    );
    agents.end();
}

#[test]
fn loss_and_doubles_between_agents_are_seen() {
    // Beside 2000 messages the few that agents tell each other come first and last.
    for (fault, check) in [(Fault::Drop(1000), "lost"), (Fault::Duplicate(1000), "duplicates")] {
        let address = start(fault);
        let agents = Agents::start(address, 2, 1);
        let (value, code) = run(address, "pubsub --msgs 2000 --agents 2 --across --quiet-time 300ms");
        let faults = &workload(&value)["faults"];
        assert_eq!((faults[check].as_u64(), code), (Some(1), 3), "{fault:?}: {faults}");
        agents.end();
    }
}

#[test]
fn what_cannot_be_split_over_agents_is_said() {
    let server = start_dunlin(1);
    for (words, part) in [
        ("pubsub --across", "--agents"),
        ("pubsub --agents 1 --across", "--agents 2"),
        ("pub --agents 2 --across", "--pub and --sub"),
        ("request --agents 2 --across", "--responders"),
    ] {
        let (_, err, code) = text(&command(server.address(), words).output().expect("runs"));
        assert!(err.contains(part) && code == 2, "{words}: {err}");
    }
}

#[test]
fn agents_that_do_not_come_are_missed() {
    let server = start_dunlin(1);
    let output = command(server.address(), "pubsub --agents 1 --timeout 500ms").output().expect("runs");
    let (_, err, code) = text(&output);
    assert!(err.contains("only 0 are there") && err.contains("bench agent") && code == 2, "{err}");
    let output = command(server.address(), "conns --agents 1").output().expect("runs");
    let (_, err, code) = text(&output);
    assert!(err.contains("--agents") && code == 2, "{err}");
}

#[test]
fn an_agent_that_fails_says_why() {
    let server = start_dunlin(1);
    let mut agent = command(server.address(), "agent --runs 1");
    let mut agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
    let output = command(server.address(), "request nobody.there --msgs 10 --agents 1").output().expect("runs");
    let (_, err, code) = text(&output);
    assert!(err.contains("nobody serves") && code == 2, "{err}");
    assert_eq!(agent.wait().expect("ends").code(), Some(0));
}
