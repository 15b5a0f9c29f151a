//! Where a server listens, and where it says that it does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use dunlin::Server;
use kit::Client;
use serde_json::Value;

use crate::{Folder, config};

const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A server that was told this of its address; its log is in the folder.
fn start(folder: &Folder, flags: &[&str]) -> Server {
    let log = folder.file("log");
    Server::start(config(&[&["-D", "--cores", "2", "-l", &log], flags].concat())).expect("it starts")
}

fn has_six() -> bool {
    TcpListener::bind((SIX, 0)).is_ok()
}

/// INFO before CONNECT and after it, for a client from there.
fn infos(server: &Server, from: IpAddr) -> [Value; 2] {
    let mut client = Client::open(SocketAddr::new(from, server.address().port())).expect("it listens there");
    client.hello(",\"protocol\":1");
    let again = client.line().expect("what became of CONNECT");
    [client.info().clone(), serde_json::from_str(again.strip_prefix("INFO ").expect("INFO")).expect("JSON")]
}

#[test]
fn addresses_of_both_families_and_names() {
    let folder = Folder::new();
    // As written, as logged, who reaches it: what nats-server 2.15.1 does.
    let rows: [(&str, &str, &[IpAddr]); 6] = [
        ("127.0.0.1", "127.0.0.1", &[FOUR]),
        ("localhost", "localhost", &[FOUR]),
        ("::1", "[::1]", &[SIX]),
        ("::", "[::]", &[FOUR, SIX]),
        ("0.0.0.0", "0.0.0.0", &[FOUR, SIX]),
        ("", "0.0.0.0", &[FOUR, SIX]),
    ];
    for (host, logged, reached) in rows {
        if !has_six() && reached.contains(&SIX) {
            println!("there is no IPv6 here: {host} was not tried");
            continue;
        }
        let server = start(&folder, &["-a", host, "-p", "-1"]);
        let port = server.address().port();
        assert_ne!(port, 0);
        for from in [FOUR, SIX] {
            if !reached.contains(&from) {
                TcpStream::connect((from, port)).expect_err("nobody listens there");
                continue;
            }
            for info in infos(&server, from) {
                let expected = if host.is_empty() { "0.0.0.0" } else { host };
                assert_eq!((&info["host"], &info["port"]), (&expected.into(), &port.into()), "{host}");
                assert_eq!(info["client_ip"], from.to_string(), "{host}");
            }
        }
        drop(server);
        let log = folder.read("log");
        assert!(log.contains(&format!("Listening for client connections on {logged}:{port}\n")), "{host}: {log}");
        for from in reached {
            let label = SocketAddr::new(*from, 0).to_string();
            let label = label.trim_end_matches('0');
            let created = log.lines().any(|l| l.contains(&format!(" {label}")) && l.contains("connection created"));
            assert!(created, "{host}: no {label} in {log}");
        }
        std::fs::remove_file(folder.file("log")).expect("it is there");
    }
}

#[test]
fn every_core_listens_on_both_families() {
    let folder = Folder::new();
    let server = start(&folder, &["-a", "::", "-p", "-1", "--accept", "reuseport"]);
    for from in if has_six() { vec![FOUR, SIX] } else { vec![FOUR] } {
        for _ in 0..8 {
            infos(&server, from);
        }
    }
}

#[test]
fn what_is_advertised_is_told_instead() {
    let folder = Folder::new();
    let port_of = |server: &Server| server.address().port();
    for (advertised, host, port) in [
        ("example.net:7", "example.net", Some(7)),
        ("example.net", "example.net", None),
        ("[2001:db8::1]:7", "2001:db8::1", Some(7)),
    ] {
        let server = start(&folder, &["-a", "127.0.0.1", "-p", "-1", "--client_advertise", advertised]);
        for info in infos(&server, FOUR) {
            let port = port.unwrap_or_else(|| port_of(&server));
            assert_eq!((&info["host"], &info["port"]), (&host.into(), &port.into()), "{advertised}");
        }
    }
}
