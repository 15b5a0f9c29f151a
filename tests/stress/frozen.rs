//! One subscriber does not read; fifty beside it do.

use std::sync::Barrier;

use kit::{Client, DEADLINE, Server, Setup};

use crate::{program, size};

const HEALTHY: usize = 50;
const PAYLOAD_BYTES: usize = 2048;
/// Messages between two meetings of the publisher with its subscribers: so few that no healthy one is ever far behind.
const WINDOW: usize = 100;

#[test]
fn a_frozen_subscriber_is_closed_and_fifty_healthy_ones_lose_nothing_on_one_core() {
    check(1);
}

#[test]
fn a_frozen_subscriber_is_closed_and_fifty_healthy_ones_lose_nothing_on_two_cores() {
    check(2);
}

fn check(cores: usize) {
    let server = Setup::new(&program(), cores).config("max_pending: 2MB\n").start();
    let mut frozen = Client::open_with_receive_buffer(server.address(), 4096).expect("a connection");
    frozen.hello("");
    frozen.send("SUB x 1\r\n");
    frozen.ping();
    let meeting = Barrier::new(HEALTHY + 1);
    let windows = size(50, 400);
    std::thread::scope(|scope| {
        for _ in 0..HEALTHY {
            scope.spawn(|| read_in_order(&server, &meeting, windows));
        }
        publish(&server, &meeting, windows);
    });
    let slow = server.log().find(DEADLINE, |line| line.contains("Slow Consumer"));
    assert!(slow.is_some(), "the log does not name the slow consumer:\n{}", server.log().tail());
    assert_eq!(server.log().count("Slow Consumer"), 1, "only one was slow:\n{}", server.log().tail());
    frozen.read_to_end().expect("the frozen one is closed");
}

fn publish(server: &Server, meeting: &Barrier, windows: usize) {
    let mut publisher = server.client();
    meeting.wait();
    for window in 0..windows {
        let mut bytes = Vec::new();
        for number in window * WINDOW..(window + 1) * WINDOW {
            bytes.extend_from_slice(format!("PUB x {PAYLOAD_BYTES}\r\n{number:0PAYLOAD_BYTES$}\r\n").as_bytes());
        }
        publisher.send(&bytes);
        meeting.wait();
    }
    publisher.ping();
}

fn read_in_order(server: &Server, meeting: &Barrier, windows: usize) {
    let mut client = server.client();
    client.send("SUB x 1\r\n");
    client.ping();
    meeting.wait();
    for number in 0..windows * WINDOW {
        let message = client.message_now();
        let got: usize = String::from_utf8_lossy(&message.payload).parse().expect("a number");
        assert_eq!(got, number, "in order, and none is missing");
        if (number + 1) % WINDOW == 0 {
            meeting.wait();
        }
    }
    client.ping();
}
