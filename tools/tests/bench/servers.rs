//! Each workload, small, against Dunlin on one and two cores and against nats-server.

use crate::invocation::{command, run, servers, start_dunlin, text, workload};

/// Workloads with how many messages are sent and how many arrive.
const WORKLOADS: &[(&str, u64, u64)] = &[
    ("pub --msgs 20000 --clients 2", 20_000, 0),
    ("pubsub --msgs 5000 --pub 2 --sub 3", 5_000, 15_000),
    ("pubsub --msgs 5000 --pub 3 --sub 3 --own-subjects", 5_000, 5_000),
    ("pubsub --msgs 5000 --multisubject --multisubjectmax 50 --multisubjectrandomize", 5_000, 5_000),
    ("pubsub --msgs 2000 -H A:b --header C:d", 2_000, 2_000),
    ("pubsub --msgs 2000 --payload hello", 2_000, 2_000),
    ("pubsub --msgs 300 --size 64KiB", 300, 300),
    ("pubsub --msgs 2000 --size 0", 2_000, 2_000),
    ("pubsub --msgs 500 --throughput 5000", 500, 500),
    ("pubsub --duration 200ms --rate 1000", 200, 200),
    ("fanin --msgs 4000 --clients 4", 4_000, 4_000),
    ("fanout --msgs 1000 --clients 10", 1_000, 10_000),
    ("queue --msgs 4000 --clients 4", 4_000, 4_000),
    ("wildcard --msgs 4000 --sub 2", 4_000, 8_000),
    ("request --responders 2 --msgs 2000 --clients 2 --window 8", 2_000, 2_000),
    ("request --responders 1 --msgs 200 --reply-size 1KiB", 200, 200),
    ("request --responders 1 --msgs 200 --rate 2000", 200, 200),
];

#[test]
fn every_workload_passes_its_checks() {
    for (name, server) in servers() {
        for (words, sent, received) in WORKLOADS {
            let (value, code) = run(server.address(), words);
            let workload = workload(&value);
            let counted = (workload["sent"].as_u64(), workload["received"].as_u64());
            assert_eq!((counted, code), ((Some(*sent), Some(*received)), 0), "{name}: {words}: {value:#}");
            let is_timed = *received > 0 && !words.contains("payload") && !words.contains("--size 0");
            assert_eq!(workload["latency"].is_object(), is_timed, "{name}: {words}");
        }
    }
}

#[test]
fn connections_and_subscriptions_are_measured() {
    for (name, server) in servers() {
        for (words, figure) in [
            ("conns --count 50", "connection_cpu_ns"),
            ("churn --count 50", "connect_p99_ns"),
            ("storm --count 50 --rounds 2", "all_back_ns"),
            ("subs --count 2000 --clients 2 --msgs 1000", "random_message_cpu_ns"),
        ] {
            let (value, code) = run(server.address(), words);
            let found = value["metrics"][figure]["median"].as_f64();
            assert!(found.is_some_and(|found| found > 0.0) && code == 0, "{name}: {words}: {value:#}");
        }
    }
}

#[test]
fn the_process_of_the_server_is_found_and_measured() {
    let server = start_dunlin(1);
    let (value, _) = run(server.address(), "pubsub --msgs 50000");
    let cost = &value["runs"][0]["server"];
    assert_eq!(cost["pid"].as_u64(), Some(u64::from(server.pid())));
    assert!(cost["cpu_ns"].as_u64() > Some(0) && cost["resident_bytes"].as_u64() > Some(0), "{cost}");
    assert!(value["environment"]["server_command"].as_str().is_some_and(|line| line.contains("dunlin")), "{value:#}");
    let (value, _) = run(server.address(), "pub --msgs 100 --no-server-stats");
    assert!(value["runs"][0]["server"].is_null());
}

#[test]
fn pub_and_sub_in_two_processes_find_each_other() {
    let server = start_dunlin(1);
    let mut sub = command(server.address(), "sub two --msgs 1000 --json");
    let sub = sub.stdout(std::process::Stdio::piped()).spawn().expect("runs");
    // When its subscription is there, a request for it finds somebody.
    let mut client = server.client();
    client.send("SUB inbox 1\r\n");
    let is_there = kit::until(kit::DEADLINE, || {
        client.send("PUB two inbox 0\r\n\r\n");
        client.messages_until_pong().is_ok_and(|messages| messages.is_empty())
    });
    assert!(is_there);
    let output = command(server.address(), "pub two --msgs 1000").output().expect("runs");
    assert_eq!(text(&output).2, 0);
    let output = sub.wait_with_output().expect("ends");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{value:#}");
    assert!(workload(&value)["latency"]["count"].as_u64() >= Some(900), "one clock for both: {value:#}");
}

#[test]
fn serve_and_request_in_two_processes() {
    let server = start_dunlin(2);
    let mut serve = command(server.address(), "serve far --msgs 100");
    let mut serve = serve.stdout(std::process::Stdio::piped()).spawn().expect("runs");
    let asked = kit::until(kit::DEADLINE, || {
        text(&command(server.address(), "request far --msgs 50").output().expect("runs")).2 == 0
    });
    assert!(asked);
    let (_, code) = run(server.address(), "request far --msgs 50");
    assert_eq!((code, serve.wait().expect("ends").code()), (0, Some(0)));
}

#[test]
fn nobody_who_serves_is_said() {
    let server = start_dunlin(1);
    let (out, err, code) = text(&command(server.address(), "request alone").output().expect("runs"));
    assert!(format!("{out}{err}").contains("nobody serves 'alone'") && code == 2, "{out}{err}");
}

#[test]
fn files_are_written() {
    let server = start_dunlin(1);
    let folder = std::env::temp_dir().join(format!("dunlinctl-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (csv, hgrm) = (folder.join("out.csv"), folder.join("out.hgrm"));
    let mut command = command(server.address(), "pubsub --msgs 1000 --repeat 3 --warmup 0.1 --markdown");
    let output = command.arg("--csv").arg(&csv).arg("--hgrm").arg(&hgrm).output().expect("runs");
    let (out, err, code) = text(&output);
    assert!(out.contains("| rate |") && code == 0, "{out}{err}");
    let csv = std::fs::read_to_string(csv).expect("written");
    assert_eq!(csv.lines().count(), 1 + 3 * 2, "{csv}");
    assert!(std::fs::read_to_string(hgrm).expect("written").contains("#[Max"));
    std::fs::remove_dir_all(folder).expect("ours");
}
