//! Publishers that outrun a subscriber which reads all the time: they are held back for it, and nothing is lost.

use kit::{Client, Setup};

use crate::{program, size};

const PAYLOAD_BYTES: usize = 1000;
const PUBLISHERS: usize = 3;
/// What may be pending for the subscriber: each publisher sends as much.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

#[test]
fn a_subscriber_that_reads_gets_all_of_publishers_that_outrun_it_on_one_core() {
    check(1);
}

#[test]
fn a_subscriber_that_reads_gets_all_of_publishers_that_outrun_it_on_two_cores() {
    check(2);
}

#[test]
fn a_subscriber_that_reads_gets_all_of_publishers_that_outrun_it_on_four_cores() {
    check(4);
}

/// The subscriber looks at each message and so is slower than who only sends. Its buffers are small: whenever it reads, it takes bytes.
fn check(cores: usize) {
    let server = Setup::new(&program(), cores).flag("--sndbuf").flag("65536").start();
    let mut subscriber = Client::open_with_receive_buffer(server.address(), 65_536).expect("a connection");
    subscriber.hello("");
    subscriber.send("SUB late.* 1\r\n");
    subscriber.ping();
    let each = size(QUEUE_BYTES / PAYLOAD_BYTES, 10 * QUEUE_BYTES / PAYLOAD_BYTES);
    std::thread::scope(|scope| {
        for number in 0..PUBLISHERS {
            let mut publisher = server.client();
            scope.spawn(move || {
                let mut bytes = Vec::new();
                for message in 0..each {
                    let line = format!("PUB late.{number} {PAYLOAD_BYTES}\r\n{message:0PAYLOAD_BYTES$}\r\n");
                    bytes.extend_from_slice(line.as_bytes());
                    if bytes.len() >= 1 << 20 || message + 1 == each {
                        publisher.send(&bytes);
                        bytes.clear();
                    }
                }
                publisher.ping();
            });
        }
        let mut seen = [0; PUBLISHERS];
        for _ in 0..PUBLISHERS * each {
            let message = subscriber.message_now();
            let publisher: usize = message.subject["late.".len()..].parse().expect("a subject of ours");
            let number: usize = String::from_utf8_lossy(&message.payload).parse().expect("a number");
            assert_eq!(number, seen[publisher], "publisher {publisher}: in order, and none is missing");
            seen[publisher] += 1;
        }
    });
    subscriber.ping();
    assert_eq!(server.log().count("Slow Consumer"), 0, "{}", server.log().tail());
}
