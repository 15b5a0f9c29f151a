//! `dunlinctl rtt`.

use std::net::TcpListener;

use crate::check_client::servers;
use crate::invocation::run;

#[test]
fn every_address_has_a_time() {
    for (name, server) in servers() {
        let url = format!("nats://{}", server.address());
        let (out, err, code) = run(&format!("rtt --server {url}"));
        assert_eq!(code, 0, "{name}: {err}");
        let lines: Vec<_> = out.lines().collect();
        assert_eq!((lines[0], lines[1]), (format!("{url}:").as_str(), ""), "{name}: {out}");
        let time = lines[2].trim_start().strip_prefix(&format!("{url}: "));
        assert!(time.is_some_and(|time| time.ends_with('s')), "{name}: {out}");
        let (out, _, _) = run(&format!("rtt 3 --json --server {url}"));
        let page: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let result = &page[0]["results"][0];
        assert_eq!(result["rtts"].as_array().map(Vec::len), Some(3), "{name}: {out}");
        assert!(result["min"].as_u64() <= result["rtt"].as_u64() && result["rtt"].as_u64() > Some(0), "{name}: {out}");
    }
}

#[test]
fn a_server_that_is_away_is_told_and_the_others_are_measured() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    for (name, server) in servers() {
        let (out, err, code) = run(&format!("rtt --server nats://{free},nats://{}", server.address()));
        assert_eq!(code, 1, "{name}: {out}{err}");
        assert!(out.contains(&format!("nats://{free}: failed")) && err.contains("no connection"), "{name}: {out}{err}");
        assert!(out.contains(&format!("nats://{}: ", server.address())) && !out.contains("0 failed"), "{name}: {out}");
    }
    for words in ["rtt 0", "rtt many", "rtt --server ftp://h"] {
        assert_eq!(run(words).2, 2, "{words}");
    }
}
