//! Checks that connect as a client does.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};

use kit::{Program, Server, Setup};

use crate::invocation::check;
use crate::real_monitor::{dunlin, peer};

/// The server of this repository, and the peer where it is.
pub(crate) fn servers() -> Vec<(&'static str, Server)> {
    let mut servers = vec![("dunlin", Setup::new(&Program::Dunlin(dunlin()), 2).start())];
    match peer() {
        Some(program) => servers.push(("nats-server", Setup::new(&program, 1).start())),
        None => eprintln!("there is no nats-server: only Dunlin is tested"),
    }
    servers
}

/// A server that says INFO, and answers every line with what `answer` makes of it.
fn scripted(answer: impl Fn(&str) -> &'static str + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Ok(read_half) = stream.try_clone() else { return };
            // An error means that the client is gone.
            let _gone = stream.write_all(b"INFO {\"server_name\":\"odd\",\"max_payload\":1048576}\r\n");
            for line in BufReader::new(read_half).lines() {
                let Ok(line) = line else { break };
                let text = answer(&line);
                if text == "close" || stream.write_all(text.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[test]
fn a_server_that_is_well_is_ok() {
    for (name, server) in servers() {
        let place = format!("--server nats://{}", server.address());
        let (out, code) = check(&format!("connection {place}"));
        let begins = format!("OK Connection OK:connected to nats://{} in ", server.address());
        assert!(code == 0 && out.starts_with(&begins), "{name}: {out}");
        for metric in ["connect_time=0.", "rtt=0.", "request_time=0."] {
            assert!(out.contains(metric) && out.contains("s;0.5000;1.0000"), "{name}: {metric}: {out}");
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let (out, code) = check(&format!("connection --server nats://{free},nats://{}", server.address()));
        assert!(code == 0 && out.starts_with(&begins), "{name}: the first that can be had: {out}");
        for words in ["message", "message --count 20 --size 64KiB", "message --size 0", "message --subject check.it"] {
            let (out, code) = check(&format!("{words} {place}"));
            assert!(code == 0 && out.contains("OK:round trip took "), "{name}: {words}: {out}");
        }
    }
}

#[test]
fn times_are_judged() {
    for (name, server) in servers() {
        let place = format!("--server nats://{}", server.address());
        for (words, code, text) in [
            ("connection --connect-warn 0 --connect-critical 1h", 1, "Warn:connected to nats://"),
            ("connection --rtt-warn 0 --rtt-critical 0", 2, "Crit:rtt time exceeded: "),
            ("connection --req-warn 0 --req-critical 1h", 1, "Warn:round trip took too long: "),
            ("message --req-warn 0 --req-critical 0", 2, "Crit:round trip took too long: "),
            ("connection --rtt-warn 2s", 3, "--rtt-critical: the critical limit 1 is below"),
        ] {
            let (out, found) = check(&format!("{words} {place}"));
            assert!(found == code && out.contains(text), "{name}: {words}: {found}: {out}");
        }
    }
}

#[test]
fn a_server_that_is_away_silent_or_wrong_is_critical() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let (out, code) = check(&format!("connection --server {free}"));
    assert!(code == 2 && out.contains("Crit:no connection to "), "{out}");
    let silent = scripted(|_| "");
    let (out, code) = check(&format!("connection --timeout 300ms --server {silent}"));
    assert!(code == 2 && out.contains("did not answer in time: a new connection"), "{out}");
    let refusing = scripted(|_| "-ERR 'Authorization Violation'\r\n");
    let (out, code) = check(&format!("connection --server {refusing}"));
    assert!(code == 2 && out.contains("Authorization Violation"), "{out}");
    let closing = scripted(|line| if line == "PING" { "close" } else { "" });
    let (out, code) = check(&format!("connection --server {closing}"));
    assert!(code == 2 && out.contains("closed"), "{out}");
}

#[test]
fn a_message_that_is_lost_or_changed_is_critical() {
    let losing = scripted(|line| if line == "PING" { "PONG\r\n" } else { "" });
    let (out, code) = check(&format!("message --timeout 300ms --server {losing}"));
    assert!(code == 2 && out.contains("did not answer in time: the message that was sent"), "{out}");
    let changing = scripted(|line| match line {
        "PING" => "PONG\r\n",
        line if line.starts_with("PUB ") => "MSG x 1 2\r\nno\r\n",
        _ => "",
    });
    let (out, code) = check(&format!("message --server {changing}"));
    assert!(code == 2 && out.contains("did not receive the message that was sent"), "{out}");
}
