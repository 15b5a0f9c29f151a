//! One message for more receivers than a turn serves: each has it once, in order, and others are served in between.

use crate::{server, size};

#[test]
fn very_many_receivers_each_have_each_message_once_on_one_core() {
    check(1);
}

#[test]
fn very_many_receivers_each_have_each_message_once_on_two_cores() {
    check(2);
}

fn check(cores: usize) {
    let server = server(cores);
    let receivers = size(20_000, 60_000);
    let (mut subscriber, mut publisher) = (server.client(), server.client());
    let subscriptions: String = (0..receivers).map(|sid| format!("SUB big {sid}\r\n")).collect();
    subscriber.send(&subscriptions);
    subscriber.ping();
    // The last operation comes after the messages: it must not overtake them.
    publisher.send("PUB big 1\r\n1\r\nPUB big 1\r\n2\r\nPUB big 1\r\n3\r\nUNSUB 0\r\nPING\r\n");
    let mut seen = vec![0; receivers];
    for _ in 0..3 * receivers {
        let message = subscriber.next_message().expect("the connection stands").expect("no PONG is due");
        let sid: usize = message.sid.parse().expect("a sid of ours");
        seen[sid] += 1;
        assert_eq!(message.payload, seen[sid].to_string().as_bytes(), "sid {sid}: order");
    }
    publisher.expect("PONG\r\n");
    assert!(seen.iter().all(|&count| count == 3), "each has each");
    subscriber.ping();
}
