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
fn flags_that_are_impossible_are_named() {
    let address = "127.0.0.1:1".parse().expect("an address");
    for (words, named) in [("pub --size 100GB", "--size"), ("pub --msgs 0", "--msgs"), ("conns --count 0", "--count")] {
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
