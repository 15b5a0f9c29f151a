//! Bad input and servers that fail: a clear line, what was measured so far, exit 2.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use kit::until;
use rustix::process::{Pid, Signal, kill_process};

use crate::faulty::{Fault, start};
use crate::invocation::{command, start_dunlin, text};

#[test]
fn an_unreachable_server_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let (out, err, code) = text(&command(address, "pub").output().expect("runs"));
    assert!(err.contains(&format!("no connection to {address}")) && out.is_empty() && code == 2, "{out}{err}");
}

#[test]
fn a_refusal_is_shown_in_the_words_of_the_server() {
    let (_, err, code) = text(&command(start(Fault::Refuse), "pub").output().expect("runs"));
    assert!(err.contains("Authorization Violation") && code == 2, "{err}");
}

#[test]
fn silence_has_an_end() {
    let (_, err, code) = text(&command(start(Fault::Silence), "pub --timeout 300ms").output().expect("runs"));
    assert!(err.contains("did not answer in time") && code == 2, "{err}");
}

#[test]
fn a_server_that_dies_leaves_what_was_measured() {
    // Several times: whether the end of a connection comes with the last bytes or after them is a matter of luck.
    for _ in 0..10 {
        let (out, err, code) = text(&command(start(Fault::Die(5000)), "pubsub --msgs 1M").output().expect("runs"));
        assert!(out.contains("ended early") && out.contains("sent ") && code == 2, "{out}{err}");
        assert!(!out.contains("LOST"), "what was under way is not judged: {out}");
    }
}

#[test]
fn a_server_that_dies_under_subscriptions_leaves_what_they_cost() {
    let words = "subs --count 100 --msgs 1000 --timeout 2s";
    let (out, err, code) = text(&command(start(Fault::Die(500)), words).output().expect("runs"));
    assert!(out.contains("subscription_rate") && out.contains("ended early") && code == 2, "{out}{err}");
}

#[test]
fn flags_that_are_impossible_are_named() {
    let address = "127.0.0.1:1".parse().expect("an address");
    for (words, named) in [
        ("pub --size 100GB", "--size"),
        ("pub --msgs 0", "--msgs"),
        ("conns --count 0", "--count"),
        ("pub --payload no-such-file", "--body"),
        ("storm --msgs 5", "--msgs: 'storm' sends none"),
        ("suite --csv out.csv", "--csv: 'suite' has no use for it"),
        ("agent --json", "--json: 'agent' has no use for it"),
        ("scale --points 1 -- pub --csv {n}", "--csv: give it before --"),
        ("scale --points 1 --repeat 3 -- pub {n}", "--repeat: 'scale' has no use for it"),
    ] {
        let (_, err, code) = text(&command(address, words).output().expect("runs"));
        assert!(err.contains(named) && code == 2, "{words}: {err}");
    }
}

#[test]
fn more_connections_than_files_says_the_number_needed() {
    let server = start_dunlin(1);
    let (_, err, code) = text(&command(server.address(), "conns --count 900M").output().expect("runs"));
    assert!(err.contains("ulimit -Hn 900000064") && code == 2, "{err}");
}

#[test]
fn more_connections_than_the_soft_limit_raise_it() {
    let server = start_dunlin(1);
    let mut limited = std::process::Command::new("sh");
    let tool = env!("CARGO_BIN_EXE_dunlinctl");
    limited.args(["-c", "ulimit -Sn 64 && exec \"$0\" \"$@\"", tool, "bench", "conns", "--count", "100"]);
    let (out, err, code) =
        text(&limited.args(["--server", &format!("nats://{}", server.address())]).output().expect("runs"));
    assert!(out.contains("connection_rate") && code == 0, "{out}{err}");
}

#[test]
fn a_rate_that_cannot_be_held_is_said() {
    let server = start_dunlin(1);
    let words = "pub --msgs 20M --size 0 --rate 1G";
    let (out, err, code) = text(&command(server.address(), words).output().expect("runs"));
    assert!(out.contains("this rate was not held") && code == 0, "{out}{err}");
}

#[test]
fn ctrl_c_tells_what_connections_cost_so_far() {
    let server = start_dunlin(1);
    let mut subscriber = server.client();
    let child = command(server.address(), "churn --count 100M --no-progress")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    // It runs when somebody has subscribed to its subject.
    let is_running = until(kit::DEADLINE, || {
        subscriber.send("SUB inbox 1\r\nPUB bench.churn inbox 0\r\n\r\nUNSUB 1\r\n");
        subscriber.messages_until_pong().is_ok_and(|messages| messages.is_empty())
    });
    assert!(is_running);
    kill_process(Pid::from_child(&child), Signal::INT).expect("our child");
    let (out, err, code) = text(&child.wait_with_output().expect("ends"));
    assert!(out.contains("churn_rate") && out.contains("interrupted") && code == 130, "{out}{err}");
}

#[test]
fn ctrl_c_prints_what_was_measured() {
    let server = start_dunlin(1);
    let mut subscriber = server.open();
    subscriber.hello("");
    subscriber.send("SUB interrupted 1\r\nPING\r\n");
    subscriber.expect("PONG\r\n");
    let mut child = command(server.address(), "pub interrupted --rate 1000 --duration 1m")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    // It runs when its messages come.
    subscriber.message_now();
    kill_process(Pid::from_child(&child), Signal::INT).expect("our child");
    let mut status = None;
    until(Duration::from_secs(10), || {
        status = child.try_wait().ok().flatten();
        status.is_some()
    });
    let mut out = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_to_string(&mut out).expect("text");
    assert!(out.contains("interrupted") && out.contains("sent "), "{out}");
    assert_eq!(status.and_then(|status| status.code()), Some(130));
    assert!(BufReader::new(child.stderr.take().expect("a pipe")).lines().next().is_none(), "quiet: no terminal");
}
