//! Who speaks first: INFO, the client's handshake, or a client that wants no TLS.

use std::io::Read;
use std::time::Duration;

use dunlin::config::security::{HandshakeFirst, Tls};
use kit::{DEADLINE, until};

use crate::client::{Plain, Wants};
use crate::{Setting, counted};

/// So long that no test sees its end.
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn info_comes_first_and_says_so() {
    let setting = Setting::new();
    let server = setting.start();
    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    assert_eq!(client.info["tls_required"], true);
    assert_eq!((client.info.get("tls_available"), client.info.get("tls_verify")), (None, None));
    client.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
    client.expect("PONG\r\nINFO ");
    let second = client.line();
    assert!(second.contains("\"tls_required\":true") && second.contains("\"connect_info\":true"), "{second}");
    let log = setting.end(server);
    let at = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text}\n{log}"));
    assert!(at("Client connection created") < at("Starting TLS client connection handshake"));
    assert!(at("Starting TLS client connection handshake") < at("TLS handshake complete"));
}

#[test]
fn with_handshake_first_info_comes_inside() {
    let setting = Setting::new();
    for handshake_first in [HandshakeFirst::Yes, HandshakeFirst::Within(LONG)] {
        let server = setting.folder.start(Tls { handshake_first, ..setting.tls.clone() });
        let client = Plain::silent(server.address()).upgrade(Wants::of(&setting.authority).config(), "localhost");
        let mut client = client.expect("in");
        let info = client.line();
        assert!(info.starts_with("INFO {") && info.contains("\"tls_required\":true"), "{info}");
        client.hello().expect("served");
    }
}

#[test]
fn a_silent_client_gets_info_after_a_while() {
    let setting = Setting::new();
    let handshake_first = HandshakeFirst::Within(Duration::from_millis(20));
    let server = setting.folder.start(Tls { handshake_first, ..setting.tls.clone() });
    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    assert_eq!(client.info["tls_required"], true);
    client.hello().expect("and no second INFO");
}

#[test]
fn a_port_for_both_serves_both() {
    let setting = Setting::new();
    let server = setting.folder.start(Tls { allow_plain: true, ..setting.tls.clone() });
    let mut secure = Wants::of(&setting.authority).connect(server.address()).expect("in");
    assert_eq!((secure.info.get("tls_required"), &secure.info["tls_available"]), (None, &true.into()));
    secure.hello().expect("served");
    secure.send("SUB a 1\r\nPING\r\n");
    secure.expect("PONG\r\n");
    let mut plain = kit::Client::open(server.address()).expect("in");
    plain.send("C"); // the first byte decides
    plain.send("ONNECT {\"verbose\":false}\r\nSUB b 1\r\nPUB a 1\r\nx\r\nPING\r\n");
    plain.expect("PONG\r\n");
    secure.expect("MSG a 1 1\r\nx\r\n");
    secure.send("PUB b 1\r\ny\r\n");
    plain.expect("MSG b 1 1\r\ny\r\n");
    assert_eq!(counted(&server, |stats| stats.handshakes), 1);
}

/// As on the peer: a client that is silent for as long as a handshake may take is one without TLS.
#[test]
fn silence_ends_the_choice() {
    let setting = Setting::new();
    let timeout = Some(Duration::from_millis(20));
    let server = setting.folder.start(Tls { allow_plain: true, timeout, ..setting.tls.clone() });
    let mut plain = kit::Client::open(server.address()).expect("in");
    // The server's PING says that the time is over: it asks those who are in.
    plain.expect("PING\r\n");
    plain.send("\x16\x03\x01\r\n");
    plain.expect("-ERR 'Unknown Protocol Operation'\r\n");
}

#[test]
fn a_client_in_the_clear_is_closed_without_a_word() {
    let setting = Setting::new();
    for handshake_first in [HandshakeFirst::No, HandshakeFirst::Yes, HandshakeFirst::Within(LONG)] {
        for allow_plain in [false, true] {
            if allow_plain && handshake_first == HandshakeFirst::No {
                continue; // it would be served
            }
            let server = setting.folder.start(Tls { handshake_first, allow_plain, ..setting.tls.clone() });
            let mut plain = Plain::silent(server.address());
            if handshake_first == HandshakeFirst::No {
                plain.read_info();
            }
            std::io::Write::write_all(&mut plain.socket, b"CONNECT {\"verbose\":false}\r\n").expect("taken");
            let mut rest = Vec::new();
            plain.socket.read_to_end(&mut rest).expect("the end");
            assert_eq!(rest, b"");
            let log = setting.end(server);
            let line = "[DBG] 127.0.0.1";
            let text = "TLS handshake error: tls: first record does not look like a TLS handshake";
            assert!(log.lines().any(|l| l.contains(line) && l.contains(text)), "{log}");
        }
    }
}

#[test]
fn who_does_not_finish_is_closed_in_time() {
    let setting = Setting::new();
    let timeout = Some(Duration::from_millis(50));
    let server = setting.folder.start(Tls { timeout, ..setting.tls.clone() });
    // Silent, the beginning of a header, the beginning of a hello.
    for bytes in [&b""[..], b"P", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut plain = Plain::open(server.address());
        std::io::Write::write_all(&mut plain.socket, bytes).expect("taken");
        let mut rest = Vec::new();
        plain.socket.read_to_end(&mut rest).expect("the end");
        assert_eq!(rest, b"");
    }
    assert!(until(DEADLINE, || counted(&server, |stats| stats.closed) == 4));
    assert_eq!(counted(&server, |stats| stats.handshakes_failed), 4);
    let log = setting.end(server);
    for line in ["TLS handshake timeout", "i/o timeout", "Client connection closed: TLS Handshake Failure"] {
        assert_eq!(log.matches(line).count(), 4, "{line}\n{log}");
    }
}

#[test]
fn connections_a_second_are_bounded() {
    let setting = Setting::new();
    let server = setting.folder.start(Tls { handshakes_per_second_max: 2, ..setting.tls.clone() });
    // They come within one second or, on a machine that stands still, one each: then more are let in, never fewer.
    let mut refused = 0;
    for _ in 0..6 {
        let mut plain = Plain::open(server.address());
        plain.socket.set_nonblocking(false).expect("an option");
        let client = rustls::ClientConnection::new(
            Wants::of(&setting.authority).config(),
            "localhost".try_into().expect("a name"),
        );
        let mut client = client.expect("ours");
        client.write_tls(&mut plain.socket).expect("taken");
        let mut first = [0];
        plain.socket.read_exact(&mut first).expect("an answer");
        if first[0] == b'-' {
            let mut rest = Vec::new();
            let _ = plain.socket.read_to_end(&mut rest); // it may be reset: we wrote what nobody read
            assert!(b"ERR 'Connection throttling is active. Please try again later.'\r\n".starts_with(&rest));
            refused += 1;
        }
    }
    assert!(refused >= 1);
    assert!(until(DEADLINE, || setting
        .folder
        .log()
        .contains(&format!("Rejected {refused} connections due to TLS rate limiting"))
        || setting.folder.log().matches("connections due to TLS rate limiting").count() > 1));
    let log = setting.end(server);
    assert!(log.contains("Client connection closed: Maximum Connections Exceeded"), "{log}");
}
