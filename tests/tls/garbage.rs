//! Clients that break TLS, and clients that go: nobody else notices, and nothing of them stays.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};

use kit::{DEADLINE, until};

use crate::client::{Plain, Wants};
use crate::{Setting, counted};

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The first flight of a client.
fn hello(setting: &Setting) -> Vec<u8> {
    let config = Wants::of(&setting.authority).config();
    let mut connection = rustls::ClientConnection::new(config, "localhost".try_into().expect("a name")).expect("ours");
    let mut flight = Vec::new();
    connection.write_tls(&mut flight).expect("memory");
    flight
}

/// Sends bytes, and no more; reads to the end, however it comes.
fn send_and_wait(to: SocketAddr, bytes: &[u8]) {
    let mut plain = Plain::open(to);
    let _ = plain.socket.write_all(bytes);
    let _ = plain.socket.shutdown(Shutdown::Write);
    let _ = plain.socket.read_to_end(&mut Vec::new());
}

#[test]
fn garbage_in_a_handshake_closes_that_client_alone() {
    let setting = Setting::new();
    let server = setting.start();
    let mut witness = Wants::of(&setting.authority).connect(server.address()).expect("in");
    witness.hello().expect("served");
    let good = hello(&setting);
    let seed = 0x715_u64;
    println!("seed {seed}");
    let mut random = seed;
    for round in 0..150 {
        let mut bytes = good.clone();
        for _ in 0..=splitmix(&mut random) % 4 {
            let at = splitmix(&mut random) as usize % bytes.len();
            match splitmix(&mut random) % 4 {
                0 => bytes[at] ^= 1 << (splitmix(&mut random) % 8),
                1 => bytes[at] = splitmix(&mut random) as u8,
                2 => bytes.truncate(at + 1),
                _ => bytes.extend((0..splitmix(&mut random) % 64).map(|i| i as u8)),
            }
        }
        send_and_wait(server.address(), &bytes);
        if round % 50 == 0 {
            witness.send("PING\r\n");
            witness.expect("PONG\r\n");
        }
    }
    assert!(until(DEADLINE, || counted(&server, |stats| stats.closed) == 150));
    witness.send("PING\r\n");
    witness.expect("PONG\r\n");
}

#[test]
fn a_handshake_that_never_ends_is_bounded() {
    let setting = Setting::new();
    let server = setting.start();
    // A hello of 16 MiB, in records as large as may be.
    let mut plain = Plain::open(server.address());
    let mut record = vec![22, 3, 1, 0x40, 0];
    record.extend([1, 0xff, 0xff, 0xff]);
    record.resize(5 + 0x4000, 0);
    let mut sent = 0;
    while sent < 4 * 1024 * 1024 && plain.socket.write_all(&record).is_ok() {
        sent += record.len();
    }
    assert!(sent < 4 * 1024 * 1024, "nobody takes all of that");
    assert!(until(DEADLINE, || counted(&server, |stats| stats.closed) == 1));
    let log = setting.end(server);
    assert!(log.contains("TLS handshake error: tls: handshake message exceeds"), "{log}");
}

#[test]
fn a_client_that_goes_in_the_middle_is_forgotten() {
    let setting = Setting::new();
    let server = setting.start();
    for cut in [0, 1, 4, 5, 100, hello(&setting).len()] {
        let mut plain = Plain::open(server.address());
        plain.socket.write_all(&hello(&setting)[..cut]).expect("taken");
        drop(plain);
    }
    assert!(until(DEADLINE, || counted(&server, |stats| stats.closed) == 6));
    Wants::of(&setting.authority).connect(server.address()).expect("in").hello().expect("served");
    let log = setting.end(server);
    assert!(log.contains("TLS handshake error: EOF"), "{log}");
    assert!(log.contains("TLS handshake error: unexpected EOF"), "{log}");
}

#[test]
fn garbage_after_the_handshake_closes_with_an_alert() {
    let setting = Setting::new();
    let server = setting.start();
    for bytes in [
        &b"\x17\x03\x03\x00\x05hello"[..],
        b"PING\r\n",
        b"\x17\x03\x03\xff\xff",
        b"\x16\x03\x03\x00\x04\x01\x00\x00\x00",
    ] {
        let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
        client.hello().expect("served");
        client.stream.sock.write_all(bytes).expect("taken");
        let error = client.stream.read_to_end(&mut Vec::new()).expect_err("an alert");
        assert!(error.to_string().contains("alert"), "{error}");
    }
    assert!(until(DEADLINE, || counted(&server, |stats| stats.closed) == 4));
    let log = setting.end(server);
    assert_eq!(log.matches("Client connection closed: Read Error").count(), 4, "{log}");
}

/// The same bytes in the clear after INFO: a broken session must not fall back to plain text.
#[test]
fn plain_text_never_reaches_the_parser() {
    let setting = Setting::new();
    let server = setting.start();
    let mut plain = Plain::open(server.address());
    plain.socket.write_all(b"PUB a 1\r\nx\r\nPING\r\n").expect("taken");
    let mut rest = Vec::new();
    plain.socket.read_to_end(&mut rest).expect("the end");
    assert_eq!(rest, b"");
    assert_eq!(counted(&server, |stats| stats.in_msgs), 0);
}
