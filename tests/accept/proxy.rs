//! Through a proxy: whose address it is in the log, on pages and for limits; and with TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use kit::{Client, DEADLINE, Server, until};
use rcgen::generate_simple_self_signed;
use rustix::process::Signal;
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::{Folder, setup};

/// What a client says that wants to see its INFO again.
pub(crate) const PING: &[u8] = b"CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n";
const ANN: &str = "PROXY TCP4 192.0.2.7 192.0.2.1 51284 4222\r\n";
const BOB: &str = "PROXY TCP4 192.0.2.8 192.0.2.1 51284 4222\r\n";

/// A header of version 2.
pub(crate) fn binary(version_command: u8, family_transport: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[version_command, family_transport][..], &length, body].concat()
}

/// `10.1.2.3:1234`, and where it went.
pub(crate) fn four() -> [u8; 12] {
    [10, 1, 2, 3, 10, 9, 9, 9, 0x04, 0xd2, 0x10, 0x7e]
}

/// `[2001:db8::1]:1234`, and where it went.
pub(crate) fn six() -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    bytes[15] = 1;
    bytes[32..34].copy_from_slice(&[0x04, 0xd2]);
    bytes
}

/// A page of the server.
pub(crate) fn page(server: &Server, path: &str) -> Value {
    let mut stream = TcpStream::connect(server.page_address()).expect("pages are served");
    stream.set_read_timeout(Some(DEADLINE)).expect("an option");
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).expect("taken");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("an answer");
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body).expect("a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {reply}"))
}

pub(crate) fn connz(server: &Server, query: &str) -> Value {
    page(server, &format!("/connz{query}"))
}

fn through(server: &Server, header: &str) -> Client {
    let mut client = server.open();
    client.send(header);
    client
}

#[test]
fn the_log_and_closed_connections_name_the_client_and_not_the_proxy() {
    let server = setup(2).flag("-V").flag("-m").flag("-1").config("proxy_protocol: true\n").start();
    let mut client = through(&server, ANN);
    let proxy = client.local_address();
    client.hello("");
    let cid = client.info()["client_id"].as_u64().expect("a number");
    let says = |text: &str| {
        let found = server.log().find(DEADLINE, |line| line.ends_with(text));
        assert!(found.is_some(), "no {text:?} in\n{}", server.log().tail());
    };
    says(&format!("{proxy} - cid:{cid} - Client connection created"));
    says(&format!("{proxy} - cid:{cid} - PROXY protocol: the client is 192.0.2.7:51284"));
    says(&format!("192.0.2.7:51284 - cid:{cid} - <<- [PING]"));
    client.close().expect("it goes");
    says(&format!("192.0.2.7:51284 - cid:{cid} - Client connection closed: Client Closed"));
    let mut closed = Value::Null;
    until(DEADLINE, || {
        closed = connz(&server, "?state=closed");
        closed["connections"][0]["ip"] == "192.0.2.7"
    });
    assert_eq!(
        (&closed["connections"][0]["ip"], &closed["connections"][0]["port"]),
        (&"192.0.2.7".into(), &51284.into())
    );
    says("PROXY protocol enabled for client connections");
}

/// Whoever guesses behind a proxy is held back alone, and can't escape with another port.
#[test]
fn guessing_is_counted_by_the_client_and_not_by_the_proxy() {
    let config =
        "proxy_protocol: true\nauthorization { user: u, password: p }\ndunlin { failed_logins_per_minute: 2 }\n";
    let server = setup(2).config(config).start();
    let guess = |header: &str| {
        let mut client = through(&server, header);
        client.try_hello(r#","user":"u","pass":"x""#).expect_err("wrong");
    };
    guess(ANN);
    guess(&ANN.replace("51284", "51285"));
    let right = r#","user":"u","pass":"p""#;
    through(&server, ANN).try_hello(right).expect_err("refused unheard");
    through(&server, &ANN.replace("51284", "51286")).try_hello(right).expect_err("refused unheard");
    through(&server, BOB).hello(right);
    through(&server, "").hello(right);
    let found = server.log().find(DEADLINE, |line| line.contains("192.0.2.7:51284 - cid:") && line.contains("[ERR]"));
    assert!(found.is_some(), "{}", server.log().tail());
}

#[test]
fn a_header_is_for_the_start_and_for_servers_that_expect_one() {
    let unknown = "-ERR 'Unknown Protocol Operation'\r\n";
    for (config, said) in [("proxy_protocol: true\n", [ANN, ANN].concat()), ("proxy_protocol: false\n", ANN.to_owned())]
    {
        let server = setup(1).config(config).start();
        let mut client = through(&server, &said);
        assert_eq!(client.check(unknown.as_bytes()).and_then(|()| client.check_closed()), Ok(()), "{config}");
    }
}

#[test]
fn clients_that_go_before_their_header_is_whole_leave_nothing_behind() {
    let server = setup(2).flag("-m").flag("-1").config("proxy_protocol: true\nmax_connections: 3\n").start();
    for _ in 0..5 {
        for begun in ["", "PRO", "PROXY TCP4 1"] {
            through(&server, begun).close().expect("it is closed in turn");
        }
        through(&server, "PROXY").reset().expect("an option");
    }
    for text in [
        "failed to read protocol version: EOF",
        "failed to read protocol version: unexpected EOF",
        "failed to read v1 line: EOF",
    ] {
        assert!(server.log().find(DEADLINE, |line| line.ends_with(text)).is_some(), "{}", server.log().tail());
    }
    until(DEADLINE, || page(&server, "/varz")["connections"] == 0);
    // All places are free again; who is one too many is told at once, header or not.
    let mut held: Vec<Client> = (0..3).map(|_| through(&server, ANN)).collect();
    held.iter_mut().for_each(|client| client.hello(""));
    let mut one_more = server.open();
    assert_eq!(one_more.check(b"-ERR 'maximum connections exceeded'\r\n"), Ok(()));
}

#[test]
fn a_reload_can_not_change_it() {
    let server = setup(1).config("proxy_protocol: true\n").flag("-m").flag("-1").start();
    let vars = page(&server, "/debug/vars");
    let arguments: Vec<&str> = vars["cmdline"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let at = arguments.iter().position(|argument| *argument == "-c").expect("the file is named");
    std::fs::write(arguments[at + 1], "proxy_protocol: false\n").expect("the file is ours");
    server.signal(Signal::HUP);
    let text = "config reload not supported for ProxyProtocol: old=true, new=false";
    assert!(server.log().find(DEADLINE, |line| line.contains(text)).is_some(), "{}", server.log().tail());
    through(&server, ANN).hello("");
}

/// A server with a certificate of its own, and clients that trust it.
struct Secure {
    server: Server,
    client: Arc<ClientConfig>,
}

impl Secure {
    fn start(cores: usize, options: &str, more: &str) -> Self {
        let folder = Folder::new();
        let made = generate_simple_self_signed(vec!["proxied".to_owned()]).expect("randomness");
        let (certificate, key) = (folder.file("cert.pem"), folder.file("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).expect("writable");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("writable");
        let tls = format!("tls {{ cert_file: {certificate:?}, key_file: {key:?}, timeout: 60{options} }}\n");
        let config = format!("proxy_protocol: true\n{tls}{more}");
        let server = setup(cores).flag("-m").flag("-1").config(&config).start();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("ours");
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { server, client: Arc::new(client) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).expect("it accepts");
        stream.set_read_timeout(Some(DEADLINE)).expect("an option");
        stream
    }

    /// The header, and with `together` the first flight of TLS in the same bytes; then a login. The INFO that answers it.
    fn play(&self, info_first: bool, together: bool) -> Value {
        let mut socket = self.connect();
        if info_first {
            let info = line(&mut socket);
            assert!(!info.contains("client_ip"), "{info}");
        }
        let mut tls =
            ClientConnection::new(Arc::clone(&self.client), "proxied".try_into().expect("a name")).expect("ours");
        let mut first = ANN.as_bytes().to_vec();
        if together {
            tls.write_tls(&mut first).expect("memory");
        }
        socket.write_all(&first).expect("taken");
        let mut stream = StreamOwned::new(tls, socket);
        if !info_first {
            let info = line(&mut stream);
            assert!(info.contains("\"client_ip\":\"192.0.2.7\""), "{info}");
        }
        stream.write_all(PING).expect("taken");
        assert_eq!(line(&mut stream), "PONG\r\n");
        let info = line(&mut stream);
        let shown = connz(&self.server, "");
        let shows = |one: &Value| one["ip"] == "192.0.2.7" && one["port"] == 51284 && one["tls_version"].is_string();
        assert!(shown["connections"].as_array().is_some_and(|all| all.iter().any(shows)), "{shown}");
        serde_json::from_str(info.strip_prefix("INFO ").expect("INFO")).expect("JSON")
    }
}

fn line(stream: &mut impl Read) -> String {
    let mut text = String::new();
    while !text.ends_with('\n') {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {text:?}"));
        text.push(char::from(byte[0]));
    }
    text
}

#[test]
fn tls_begins_behind_the_header() {
    for (options, more, info_first) in [
        ("", "", true),
        ("", "allow_non_tls: true\n", true),
        (", handshake_first: true", "", false),
        (", handshake_first: \"30s\"", "", false),
    ] {
        for cores in [1, 2] {
            let secure = Secure::start(cores, options, more);
            for together in [false, true] {
                let info = secure.play(info_first, together);
                assert_eq!(info["client_ip"], "192.0.2.7", "{options} {more}");
            }
        }
    }
}

#[test]
fn a_client_in_the_clear_behind_a_header_is_one_where_that_is_allowed() {
    let secure = Secure::start(1, "", "allow_non_tls: true\n");
    let mut client = through(&secure.server, ANN);
    client.hello("");
    let mut client = secure.server.open();
    client.send([ANN.as_bytes(), PING].concat());
    client.expect("PONG\r\n");
    let secure = Secure::start(1, "", "");
    let mut client = secure.server.open();
    client.send([ANN.as_bytes(), PING].concat());
    assert_eq!(client.check_closed(), Ok(()));
    let text = "TLS handshake error: tls: first record does not look like a TLS handshake";
    let found = secure.server.log().find(DEADLINE, |line| line.contains("192.0.2.7:51284") && line.ends_with(text));
    assert!(found.is_some(), "{}", secure.server.log().tail());
}
