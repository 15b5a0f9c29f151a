//! Bytes through an established session, in every size and cut.

use std::io::{Read, Write};

use crate::Setting;
use crate::client::{ONLY_1_2, ONLY_1_3, Plain, TlsClient, Wants};

const MIB: usize = 1024 * 1024;

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

fn publication(subject: &str, payload: &[u8]) -> Vec<u8> {
    [format!("PUB {subject} {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat()
}

fn delivery(subject: &str, payload: &[u8]) -> Vec<u8> {
    [format!("MSG {subject} 1 {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat()
}

fn subscriber(setting: &Setting, to: std::net::SocketAddr) -> TlsClient {
    let mut client = Wants::of(&setting.authority).connect(to).expect("it is let in");
    client.hello().expect("served");
    client.send("SUB > 1\r\nPING\r\n");
    client.expect("PONG\r\n");
    client
}

#[test]
fn payloads_of_all_sizes_go_both_ways() {
    let setting = Setting::new();
    let server = setting.start();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let mut client = Wants { versions, ..Wants::of(&setting.authority) }.connect(server.address()).expect("in");
        client.hello().expect("served");
        client.send("SUB a 1\r\n");
        for len in [0, 1, 100, 4095, 4096, 16_383, 16_384, 16_385, 65_536, 100_000, 131_072, 131_073, MIB] {
            let payload = payload(len);
            client.send(publication("a", &payload));
            client.expect(delivery("a", &payload));
        }
    }
}

#[test]
fn many_messages_for_others_and_across_cores() {
    let setting = Setting::new();
    let server = setting.start();
    let mut readers: Vec<TlsClient> = (0..3).map(|_| subscriber(&setting, server.address())).collect();
    let mut writer = Wants::of(&setting.authority).connect(server.address()).expect("in");
    writer.hello().expect("served");
    let (mut all, mut want) = (Vec::new(), Vec::new());
    for i in 0..2000 {
        let payload = payload(i % 97 * (i % 13) * 7);
        all.extend(publication("x", &payload));
        want.extend(delivery("x", &payload));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| writer.send(&all));
        for reader in &mut readers {
            scope.spawn(|| reader.expect(&want));
        }
    });
}

/// A relay would cut like this: the records of the client, in pieces of `size` bytes.
#[test]
fn records_may_come_byte_by_byte() {
    let setting = Setting::new();
    let server = setting.start();
    for size in [1, 2, 5, 6, 1000] {
        let plain = Plain::open(server.address());
        let config = Wants::of(&setting.authority).config();
        let name = "localhost".try_into().expect("a name");
        let mut connection = rustls::ClientConnection::new(config, name).expect("ours");
        let mut socket = plain.socket;
        connection.writer().write_all(b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPUB a 5\r\nhello\r\n").expect("room");
        let mut got = Vec::new();
        while !got.ends_with(b"hello\r\n") {
            while connection.wants_write() {
                let mut records = Vec::new();
                connection.write_tls(&mut records).expect("memory");
                for piece in records.chunks(size) {
                    socket.write_all(piece).expect("taken");
                }
            }
            if connection.read_tls(&mut socket).expect("it answers") == 0 {
                panic!("it closed with pieces of {size}");
            }
            connection.process_new_packets().expect("well formed");
            let mut some = [0; 100];
            if let Ok(count) = connection.reader().read(&mut some) {
                got.extend_from_slice(&some[..count]);
            }
        }
        assert_eq!(got, b"MSG a 1 5\r\nhello\r\n");
    }
}

/// Nothing of what waits for a slow reader is lost or out of order, although it was sealed in part.
#[test]
fn a_reader_that_pauses_gets_all_of_it() {
    let setting = Setting::new();
    let server = setting.start();
    let mut reader = subscriber(&setting, server.address());
    let mut writer = Wants::of(&setting.authority).connect(server.address()).expect("in");
    writer.hello().expect("served");
    let payload = payload(300_000);
    for _ in 0..40 {
        writer.send(publication("big", &payload));
    }
    writer.send("PING\r\n");
    writer.expect("PONG\r\n");
    for _ in 0..40 {
        reader.expect(delivery("big", &payload));
    }
}

#[test]
fn both_sides_say_goodbye() {
    let setting = Setting::new();
    let server = setting.start();
    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    client.hello().expect("served");
    client.stream.conn.send_close_notify();
    client.stream.flush().expect("taken");
    assert_eq!(client.until_goodbye(), b"");

    // The last words come first.
    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    client.hello().expect("served");
    client.send("FOO\r\n");
    assert_eq!(client.until_goodbye(), b"-ERR 'Unknown Protocol Operation'\r\n");

    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    client.hello().expect("served");
    server.stop();
    assert_eq!(client.until_goodbye(), b"");
    let log = setting.end(server);
    assert!(log.contains("Client connection closed: Client Closed"), "{log}");
}

/// The bounds that hold in the clear hold inside.
#[test]
fn ghsa_26_11_a_line_without_end_is_refused_through_tls_too() {
    let setting = Setting::new();
    let server = setting.start();
    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    client.send(vec![b'x'; 3]);
    let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
    client.send([b"CONNECT {".as_slice(), &[b' '; 8192]].concat());
    assert_eq!(client.until_goodbye(), b"-ERR 'maximum control line exceeded'\r\n");
}
