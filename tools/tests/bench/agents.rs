//! Several agents as processes on this host, told over the server under test.

use std::process::Stdio;

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
