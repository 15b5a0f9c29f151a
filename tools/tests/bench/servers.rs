//! Each workload, small, against Dunlin on one and two cores and against nats-server.

use crate::invocation::{command, run, servers, start_dunlin, text, workload};

/// Workloads with how many messages are sent and how many arrive.
const WORKLOADS: &[(&str, u64, u64)] = &[
    ("pub --msgs 20000 --clients 2", 20_000, 0),
    ("pubsub --msgs 5000 --pub 2 --sub 3", 5_000, 15_000),
    ("pubsub --msgs 5000 --pub 3 --sub 3 --own-subjects", 5_000, 5_000),
    ("pubsub --msgs 5000 --multisubject --multisubjectmax 50 --multisubjectrandomize", 5_000, 5_000),
    ("pubsub --msgs 5000 --multisubject --multisubjectmax 50 --multisubjectzipf 1.1", 5_000, 5_000),
    ("pubsub --msgs 2000 -H A:b --header C:d", 2_000, 2_000),
    ("pubsub --msgs 2000 --body hello", 2_000, 2_000),
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
            let is_timed = *received > 0 && !words.contains("--body") && !words.contains("--size 0");
            assert_eq!(workload["latency"].is_object(), is_timed, "{name}: {words}");
        }
    }
}

#[test]
fn connections_and_subscriptions_are_measured() {
    for (name, server) in servers() {
        for (words, figure) in [
            ("conns --count 50", "connection_cpu_ns"),
            ("conns --count 50 --msgs 1000", "message_cpu_ns"),
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
fn messages_cross_a_route() {
    let Some(program) = crate::invocation::peer() else { return eprintln!("there is no nats-server") };
    let free = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let (one, two) = (free(), free());
    let cluster = |own: u16, other: u16| {
        let routes = format!("nats://127.0.0.1:{other}");
        let url = format!("nats://127.0.0.1:{own}");
        kit::Setup::new(&program, 1)
            .flag("--cluster_name")
            .flag("c")
            .flag("--cluster")
            .flag(&url)
            .flag("--routes")
            .flag(&routes)
    };
    let servers = [cluster(one, two).start(), cluster(two, one).start()];
    let urls = servers.each_ref().map(|server| format!("nats://{}", server.address())).join(",");
    // Until the two have found each other: a message of one reaches the other.
    let mut subscriber = servers[0].client();
    subscriber.send("SUB found 1\r\n");
    let mut publisher = servers[1].client();
    let is_found = kit::until(kit::DEADLINE, || {
        publisher.send("PUB found 0\r\n\r\n");
        publisher.messages_until_pong().is_ok() && subscriber.messages_until_pong().is_ok_and(|found| !found.is_empty())
    });
    assert!(is_found);
    // Connections take the servers in turn: the subscriber the first, the publisher the second.
    let output =
        crate::invocation::without_server("--json pubsub --msgs 5000 --server").arg(urls).output().expect("runs");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = workload(&value);
    assert_eq!((found["received"].as_u64(), output.status.code()), (Some(5000), Some(0)), "{value:#}");
    assert!(value["runs"][0]["notes"][0].as_str().is_some_and(|note| note.contains("several servers")), "{value:#}");
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
    let (csv, hgrm, payload) = (folder.join("out.csv"), folder.join("out.hgrm"), folder.join("payload"));
    std::fs::write(&payload, b"from a file\r\n").expect("written");
    let (value, code) = run(server.address(), &format!("pubsub --msgs 10 --payload {}", payload.display()));
    assert_eq!((workload(&value)["received_bytes"].as_u64(), code), (Some(130), 0), "{value:#}");
    let mut command = command(server.address(), "pubsub --msgs 1000 --repeat 3 --warmup 0.1 --markdown");
    let output = command.arg("--csv").arg(&csv).arg("--hgrm").arg(&hgrm).output().expect("runs");
    let (out, err, code) = text(&output);
    assert!(out.contains("| rate |") && code == 0, "{out}{err}");
    let csv = std::fs::read_to_string(csv).expect("written");
    assert_eq!(csv.lines().count(), 1 + 3 * 2, "{csv}");
    assert!(std::fs::read_to_string(hgrm).expect("written").contains("#[Max"));
    std::fs::remove_dir_all(folder).expect("ours");
}
