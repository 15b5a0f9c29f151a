//! Bad input costs its sender and nobody else.

use kit::{Server, resident_bytes};

use crate::{server, size};

/// Small, good enough and repeatable.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Pieces that are near enough to the protocol to get past its first byte.
const PIECES: &[&str] = &[
    "CONNECT {",
    "CONNECT {\"verbose\":",
    "{\"a\":[[[[[",
    "}\r\n",
    "PUB ",
    "HPUB ",
    "SUB ",
    "UNSUB ",
    "PING\r\n",
    "PONG\r\n",
    "foo",
    "noise.*",
    ">",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "0",
    "5",
    "-1",
    "99999999",
    "4294967296",
    "NATS/1.0\r\n",
    "\r\n\r\n",
    "+OK\r\n",
    "-ERR",
    "MSG noise 1 1\r\n",
    "é",
    "INFO {}\r\n",
    "RS+ ",
    "A- ",
];

#[test]
fn garbage_costs_only_its_sender_on_one_core() {
    garbage(&mut server(1), 1);
}

#[test]
fn garbage_costs_only_its_sender_on_two_cores() {
    garbage(&mut server(2), 2);
}

fn garbage(server: &mut Server, seed: u64) {
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut subscriber = server.client();
    subscriber.send("SUB healthy 1\r\n");
    subscriber.ping();
    let mut publisher = server.client();
    for round in 0..size(300, 5_000) {
        let mut bad = server.open();
        for _ in 0..random.below(12) {
            let bytes = match random.below(8) {
                0 => (0..random.below(50)).map(|_| random.next() as u8).collect(),
                _ => PIECES[random.below(PIECES.len())].as_bytes().to_vec(),
            };
            if bad.try_send(&bytes).is_err() {
                break;
            }
        }
        publisher.send(format!("PUB healthy 4\r\n{round:04}\r\n"));
        assert_eq!(subscriber.message_now().payload, format!("{round:04}").as_bytes(), "seed {seed}");
        match random.below(3) {
            0 => bad.reset().expect("the socket is ours"),
            // Some of these the server has closed already, with bytes of ours unread.
            1 => drop(bad.close()),
            _ => drop(bad),
        }
    }
    subscriber.ping();
    assert!(server.is_running());
}

#[test]
fn a_line_without_end_before_connect_is_not_kept_26_11() {
    let server = server(2);
    server.client().close().expect("a first connection");
    let start = resident_bytes(server.pid());
    let mut held = Vec::new();
    for number in 0..200 {
        let mut client = server.open();
        let line = format!("CONNECT {{\"name\":\"{}", "x".repeat(1024 * 1024));
        // The server closes while we send: that is what is asked of it.
        let _ = client.try_send(&line);
        let text = client.line().unwrap_or_default();
        assert!(text.is_empty() || text == "-ERR 'maximum control line exceeded'", "connection {number}: {text}");
        client.read_to_end().expect("the server closes");
        held.push(client);
    }
    let grown = resident_bytes(server.pid()).saturating_sub(start);
    assert!(grown < 32 * 1024 * 1024, "200 connections that said nothing cost {grown} bytes");
}
