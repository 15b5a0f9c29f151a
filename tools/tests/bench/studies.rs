//! Comparisons, searches, growth, scenarios, the suite and the page, on real servers.

use std::io::{Read, Write};

use serde_json::Value;

use crate::faulty::{Fault, start};
use crate::invocation::{command, dunlin, nowhere, peer, run, start_dunlin, text, without_server};

/// A study with the words of its work behind `--`.
fn study(flags: &[&str], work: &str) -> (String, String, i32) {
    let mut command = command(nowhere(), "");
    text(&command.args(flags).arg("--").args(work.split_whitespace()).output().expect("runs"))
}

fn dunlin_command(flags: &str) -> String {
    format!("{} {flags}", dunlin().path().display())
}

#[test]
fn a_server_beside_itself_shows_no_difference_and_beside_a_slow_one_does() {
    let fast = format!("nats://{}", start(Fault::None));
    let slow = format!("nats://{}", start(Fault::Delay(std::time::Duration::from_micros(500))));
    let rounds = ["--rounds", "4", "--rounds-max", "4", "--json"];
    let compare = |other: &str, more: &[&str]| {
        let flags = [&["compare", &fast, other][..], &rounds, more].concat();
        let (out, err, code) = study(&flags, "pubsub --msgs 300");
        let value: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        let line = value["lines"].as_array().expect("lines").iter().find(|line| line["metric"] == "rate").cloned();
        (line.expect("a rate"), err, code)
    };
    let (line, err, code) = compare(&slow, &["--fail-if", "rate < 0.5"]);
    assert_eq!((line["verdict"].as_str(), code), (Some("worse"), 1), "{line}{err}");
    assert!(err.contains("--fail-if: rate of"), "{err}");
    let (line, err, code) = compare(&slow, &["--fail-if", "rate > 2"]);
    assert_eq!((line["verdict"].as_str(), code), (Some("worse"), 0), "{line}{err}");
}

#[test]
fn servers_are_started_and_ended() {
    let (one, two) = (dunlin_command("--cores 1"), dunlin_command("--cores 2"));
    let flags = ["compare", &one, &two, "--rounds", "2", "--rounds-max", "2"];
    let (out, err, code) = study(&flags, "pubsub --msgs 2000");
    assert!(out.contains("A  dunlin --cores 1") && out.contains("too few rounds") && code == 0, "{out}{err}");
    assert!(out.contains("cost"), "the process that was started is measured: {out}");
    assert!(out.contains("verdict"), "{out}");
}

#[test]
fn a_message_that_a_compared_server_loses_is_said() {
    let bad = format!("nats://{}", start(Fault::Drop(100)));
    let flags = ["compare", &bad, &bad, "--rounds", "1", "--rounds-max", "1", "--quiet-time", "200ms"];
    let (out, err, code) = study(&flags, "pubsub --msgs 300");
    assert!(out.contains("LOST OR WRONG") && code == 3, "{out}{err}");
}

#[test]
fn the_knee_of_a_server_with_a_known_limit_is_below_it() {
    // 1 ms a message: more than 1000 a second pile up.
    let server = format!("nats://{}", start(Fault::Delay(std::time::Duration::from_millis(1))));
    let flags = [
        "knee",
        "--server",
        &server,
        "--from",
        "250",
        "--step",
        "400ms",
        "--under",
        "30ms",
        "--precision",
        "0.3",
        "--json",
    ];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dunlinctl"));
    let output = command.arg("bench").args(flags).args(["--", "pubsub"]).output().expect("runs");
    let (out, err, code) = text(&output);
    let value: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    let knee = value["knee"].as_f64();
    assert!(knee.is_some_and(|knee| knee < 1200.0) && code == 0, "{out}{err}");
    assert!(value["curve"].as_array().is_some_and(|curve| curve.len() > 1), "{out}");
}

#[test]
fn growth_over_a_number() {
    let launch = dunlin_command("--cores 1");
    let flags = ["scale", "--points", "1,2,4", "--figures", "cost,rate", "--launch", &launch];
    let (out, err, code) = study(&flags, "fanout --clients {n} --msgs 1000");
    assert!(out.contains("cost grows like n^") && code == 0, "{out}{err}");
    let (_, err, code) = study(&["scale", "--points", "1"], "fanout");
    assert!(err.contains("{n}") && code == 2, "{err}");
}

#[test]
fn old_flags_are_understood() {
    let server = start_dunlin(1);
    let url = format!("nats://{}", server.address());
    let words = ["compat", "-np", "2", "-ns", "1", "-n", "1000", "-ms", "64", "-s", &url, "old"];
    let (out, err, code) = text(&command(nowhere(), "--no-progress").args(words).output().expect("runs"));
    assert!(out.contains("received 1,000 messages") && code == 0, "{out}{err}");
}

#[test]
fn workloads_run_side_by_side() {
    let server = start_dunlin(2);
    let file = std::env::temp_dir().join(format!("dunlinctl-scenario-{}.toml", std::process::id()));
    let scenario = "[[workload]]\nname = \"service\"\nkind = \"request\"\nresponders = 1\nrate = 500\nmsgs = 100\n\
[[workload]]\nname = \"flow\"\nkind = \"pubsub\"\nsubject = \"x\"\nmsgs = 5000\nfrozen = 1\n\
[[workload]]\nname = \"storm\"\nkind = \"storm\"\ncount = 20\n";
    std::fs::write(&file, scenario).expect("written");
    let (value, code) = run(server.address(), &format!("scenario {}", file.display()));
    std::fs::remove_file(file).expect("ours");
    let names: Vec<_> =
        value["runs"][0]["workloads"].as_array().expect("workloads").iter().map(|w| w["name"].clone()).collect();
    assert_eq!((names.as_slice(), code), (["service", "flow"].map(Value::from).as_slice(), 0), "{value:#}");
    assert!(value["runs"][0]["figures"]["storm: all_back_ns"].as_f64() > Some(0.0), "{value:#}");
}

/// Pages of a server with two cores, whose counters grow with every look.
fn pages_that_grow() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for (look, mut stream) in listener.incoming().flatten().enumerate() {
            let mut request = [0; 1024];
            let read = stream.read(&mut request).expect("a request");
            let grown = 100 * (look / 2);
            let body = if request[..read].starts_with(b"GET /corez") {
                format!("{{\"cores\":[{{\"core\":0,\"turns\":{grown}}},{{\"core\":1,\"turns\":7}}]}}")
            } else {
                format!("{{\"in_msgs\":{grown},\"version\":\"2.15.1\"}}")
            };
            let answer = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
    });
    address
}

#[test]
fn counters_of_cores_are_read() {
    let server = start_dunlin(1);
    let words = format!("pubsub --msgs 100 --monitor http://{}", pages_that_grow());
    let (out, err, code) = text(&command(server.address(), &words).output().expect("runs"));
    for line in ["varz in_msgs", "core 0: turns"] {
        let found = out.lines().find(|text| text.trim().starts_with(line)).unwrap_or_default();
        assert!(found.ends_with(" 100") && code == 0, "{line}: {out}{err}");
    }
    assert!(out.contains("core 1: turns"), "{out}");
}

#[test]
fn the_pages_of_the_peer_are_read() {
    let Some(program) = peer() else { return eprintln!("there is no nats-server") };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let server = kit::Setup::new(&program, 1).flag("-m").flag(&port.to_string()).start();
    let words = format!("pubsub --msgs 1000 --monitor http://127.0.0.1:{port}");
    let (value, code) = run(server.address(), &words);
    let run = &value["runs"][0];
    assert_eq!((run["server_pages"]["varz in_msgs"].as_f64(), code), (Some(1000.0), 0), "{run:#}");
    assert!(run["host_cpus"].as_array().is_some_and(|cpus| !cpus.is_empty()));
    let wrong = command(server.address(), "pub --msgs 1 --monitor 127.0.0.1:1").output().expect("runs");
    let (_, err, code) = text(&wrong);
    assert!(err.contains("--monitor") && err.contains("http://host:port") && code == 2, "{err}");
}

#[test]
fn a_server_that_dies_leaves_the_rounds_before() {
    // 300 messages a turn, four turns of each: it dies in the fifth of its own.
    let (good, mortal) = (format!("nats://{}", start(Fault::None)), format!("nats://{}", start(Fault::Die(1_400))));
    let flags = ["compare", &good, &mortal, "--rounds", "6", "--rounds-max", "6", "--timeout", "2s"];
    let (out, err, code) = study(&flags, "pubsub --msgs 300");
    assert!(out.contains("ended early") && out.contains("B is ") && code == 2, "{out}{err}");
    let mortal = format!("nats://{}", start(Fault::Die(400)));
    let flags = ["scale", "--server", &mortal, "--points", "1,2,3", "--figures", "rate", "--timeout", "2s"];
    let mut command = without_server("");
    let output = command.args(flags).args(["--", "pubsub", "--pub", "{n}", "--msgs", "300"]).output();
    let (out, err, code) = text(&output.expect("runs"));
    assert!(out.contains("at 2: ended early") && out.contains("rate") && code == 2, "{out}{err}");
    let mortal = format!("nats://{}", start(Fault::Die(200)));
    let flags = ["knee", "--server", &mortal, "--from", "500", "--step", "300ms", "--under", "1m", "--timeout", "2s"];
    let (out, err, code) = text(&without_server("").args(flags).args(["--", "pubsub"]).output().expect("runs"));
    assert!(out.contains("ended early") && out.contains("500 /s asked") && code == 2, "{out}{err}");
}

#[test]
fn a_mistake_in_a_threshold_costs_no_measurement() {
    let good = format!("nats://{}", start(Fault::None));
    let flags = ["compare", &good, &good, "--rounds", "1", "--rounds-max", "1", "--fail-if", "beauty > 1"];
    let (out, err, code) = study(&flags, "pubsub --msgs 100");
    assert!(out.contains("after 1 rounds") && err.contains("there is no figure 'beauty'") && code == 2, "{out}{err}");
}
