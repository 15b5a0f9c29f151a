//! What a server makes of each header: answers, log lines and pages, on Dunlin and on the peer.

use kit::{DEADLINE, Program, Server, Setup};

use crate::proxy::{PING, binary, connz, four, six};

/// One header, and what becomes of it.
struct Row {
    header: Vec<u8>,
    end: End,
}

enum End {
    /// The client is served, and pages show it at this address; `None`: that of its socket.
    Served(Option<(&'static str, u64)>),
    /// It is closed without a word, and the log says this.
    Closed(&'static str),
    /// That was no header, nor anything else.
    NoProtocol,
}

fn line(text: &str, end: End) -> Row {
    Row { header: text.as_bytes().to_vec(), end }
}

fn rows() -> Vec<Row> {
    let row = |header, end| Row { header, end };
    let served = |address| End::Served(Some(address));
    vec![
        line("", End::Served(None)),
        line("PROXY TCP4 10.1.2.3 10.9.9.9 1234 4222\r\n", served(("10.1.2.3", 1234))),
        line("PROXY TCP6 2001:db8::1 2001:db8::2 1234 4222\r\n", served(("2001:db8::1", 1234))),
        line("PROXY TCP6 ::ffff:1.2.3.4 ::ffff:9.9.9.9 1234 4222\r\n", served(("1.2.3.4", 1234))),
        line("PROXY  TCP4\t10.1.2.3 10.9.9.9 1234 4222 \r\n", served(("10.1.2.3", 1234))),
        line("PROXY UNKNOWN\r\n", End::Served(None)),
        line("PROXY UNKNOWN ::1 ::2 1 2\r\n", End::Served(None)),
        row(binary(0x21, 0x11, &four()), served(("10.1.2.3", 1234))),
        row(binary(0x21, 0x21, &six()), served(("2001:db8::1", 1234))),
        row(binary(0x21, 0x11, &[&four()[..], &[4; 5000]].concat()), served(("10.1.2.3", 1234))),
        row(binary(0x21, 0x11, &[&four()[..], &[4; 65_523]].concat()), served(("10.1.2.3", 1234))),
        row(binary(0x20, 0x00, b""), End::Served(None)),
        row(binary(0x20, 0x11, &four()), End::Served(None)),
        row(binary(0x21, 0x01, b"abc"), End::Served(None)),
        line("PROXY TCP4 10.1.2.3\r\n", End::Closed("invalid PROXY protocol header: invalid v1 format")),
        line("PROXY TCP4 x 10.9.9.9 1 2\r\n", End::Closed("invalid PROXY protocol header: invalid address")),
        line("PROXY TCP4 ::1 ::2 1 2\r\n", End::Closed("invalid PROXY protocol header: TCP4 with IPv6 address")),
        line("PROXY TCP6 1.2.3.4 ::2 1 2\r\n", End::Closed("invalid PROXY protocol header: TCP6 with IPv4 address")),
        line("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", End::Closed("invalid PROXY protocol header: invalid protocol UDP4")),
        line(
            "PROXY TCP4 1.2.3.4 1.2.3.4 x 2\r\n",
            End::Closed("invalid source port: strconv.ParseUint: parsing \"x\": invalid syntax"),
        ),
        line(
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n",
            End::Closed("invalid dest port: strconv.ParseUint: parsing \"70000\": value out of range"),
        ),
        row([b"PROXY ", &[b'x'; 101][..]].concat(), End::Closed("invalid PROXY protocol header: v1 line too long")),
        row(
            b"\r\n\r\n\0\r\nQUIX\n\x21\x11\0\0".to_vec(),
            End::Closed("invalid PROXY protocol header: invalid signature"),
        ),
        row(binary(0x31, 0x11, &four()), End::Closed("invalid PROXY protocol header: invalid version 0x30")),
        row(binary(0x22, 0x11, &four()), End::Closed("unknown PROXY protocol command: 0x02")),
        row(
            binary(0x21, 0x12, &four()),
            End::Closed("unsupported PROXY protocol feature: only STREAM protocol supported"),
        ),
        row(
            binary(0x21, 0x31, &[0; 216]),
            End::Closed("unsupported PROXY protocol feature: unsupported address family 0x30"),
        ),
        row(binary(0x21, 0x11, &[0; 8]), End::Closed("IPv4 address data too short: 8 bytes")),
        row(binary(0x21, 0x21, &[0; 20]), End::Closed("IPv6 address data too short: 20 bytes")),
        line("proxy TCP4 10.1.2.3 10.9.9.9 1234 4222\r\n", End::NoProtocol),
        line("PROXYX\r\n", End::NoProtocol),
    ]
}

fn play(server: &Server, row: &Row, cut: usize) {
    let shown = row.header[..row.header.len().min(60)].escape_ascii().to_string();
    let mark = server.log().mark();
    let mut client = server.open();
    assert!(client.info().get("client_ip").is_none(), "nobody knows it yet");
    let said = [&row.header, PING].concat();
    for piece in said.chunks(cut) {
        if client.try_send(piece).is_err() {
            break; // it has closed already
        }
    }
    match row.end {
        End::Served(address) => {
            client.expect("PONG\r\n");
            let from = client.local_address();
            let (ip, port) =
                address.map_or_else(|| (from.ip().to_string(), from.port().into()), |(a, p)| (a.into(), p));
            let info = client.line().expect("what became of CONNECT");
            assert!(info.contains(&format!("\"client_ip\":\"{ip}\"")), "{shown}: {info}");
            let shows = |page: &serde_json::Value| page["ip"] == *ip && page["port"] == port;
            let page = connz(server, "");
            assert!(page["connections"].as_array().is_some_and(|all| all.iter().any(shows)), "{shown}: {page}");
        }
        End::Closed(text) => {
            assert_eq!(client.check_closed(), Ok(()), "{shown}");
            let line = format!("Error reading PROXY protocol header from {}: {text}", client.local_address());
            let found = server.log().find_after(mark, DEADLINE, |logged| logged.ends_with(&line));
            assert!(found.is_some(), "{shown}: no {line:?} in\n{}", server.log().tail());
            let found = server.log().find_after(mark, DEADLINE, |l| l.ends_with("closed: Protocol Violation"));
            assert!(found.is_some(), "{shown}");
        }
        End::NoProtocol => {
            let came = client.check(b"-ERR 'Unknown Protocol Operation'\r\n").and_then(|()| client.check_closed());
            assert_eq!(came, Ok(()), "{shown}");
        }
    }
}

fn play_all(program: &Program, cores: usize) {
    let server = Setup::new(program, cores).flag("-D").flag("-m").flag("-1").config("proxy_protocol: true\n").start();
    for row in rows() {
        play(&server, &row, usize::MAX);
        if row.header.len() < 1000 {
            play(&server, &row, 7);
            play(&server, &row, 1);
        }
    }
    let wrong = rows().iter().filter(|row| !matches!(row.end, End::Served(_))).count();
    let closed = connz(&server, "?state=closed");
    let all = closed["connections"].as_array().expect("a list");
    let violations = all.iter().filter(|one| one["reason"] == "Protocol Violation").count();
    assert_eq!(violations, 3 * wrong);
}

#[test]
fn each_header_on_one_core() {
    play_all(&Program::Dunlin(env!("CARGO_BIN_EXE_dunlin").into()), 1);
}

#[test]
fn each_header_on_three_cores() {
    play_all(&Program::Dunlin(env!("CARGO_BIN_EXE_dunlin").into()), 3);
}

#[test]
fn the_peer_agrees() {
    match std::env::var_os("NATS_SERVER") {
        Some(path) => play_all(&Program::Peer(path.into()), 1),
        None => println!("NATS_SERVER is not set: the rows were not compared with the peer"),
    }
}
