//! Clients that vanish in the middle, and signals that interrupt system calls.

use kit::{Client, DEADLINE, Server, Setup, until};
use rustix::process::Signal;

use crate::{program, server, size};

#[test]
fn a_reset_in_the_middle_of_a_write_costs_nobody_else_on_one_core() {
    resets(&server(1));
}

#[test]
fn a_reset_in_the_middle_of_a_write_costs_nobody_else_on_two_cores() {
    resets(&server(2));
}

fn resets(server: &Server) {
    let mut survivor = server.client();
    survivor.send("SUB x 1\r\n");
    survivor.ping();
    let mut publisher = server.client();
    let payload = "x".repeat(20_000);
    for round in 0..size(100, 1_000) {
        let mut reader = Client::open_with_receive_buffer(server.address(), 4096).expect("a connection");
        reader.hello("");
        reader.send("SUB x 1\r\nSUB reader 2\r\n");
        reader.ping();
        let mut writer = server.client();
        writer.send("SUB writer 1\r\nPUB x 100000\r\nonly a beginning");
        for _ in 0..20 {
            publisher.send(format!("PUB x {}\r\n{payload}\r\n", payload.len()));
        }
        reader.reset().expect("the socket is ours");
        writer.reset().expect("the socket is ours");
        for number in 0..20 {
            assert_eq!(survivor.message_now().payload.len(), payload.len(), "round {round}, message {number}");
        }
    }
    survivor.ping();
    publisher.send("SUB inbox.* 1\r\n");
    for gone in ["reader", "writer"] {
        let is_gone = until(DEADLINE, || {
            publisher.send(format!("PUB {gone} inbox.1 0\r\n\r\n"));
            let messages = publisher.messages_until_pong().expect("the publisher is connected");
            messages.iter().any(kit::Message::is_no_responders)
        });
        assert!(is_gone, "a subscription of a {gone} is still there");
    }
}

#[test]
fn signals_that_interrupt_system_calls_lose_nothing() {
    let server = Setup::new(&program(), 2).start();
    let count = size(20_000, 200_000);
    let mut subscriber = server.client();
    subscriber.send("SUB x 1\r\n");
    subscriber.ping();
    let server = &server;
    std::thread::scope(|scope| {
        let publisher = scope.spawn(move || {
            let mut publisher = server.client();
            for number in 0..count {
                publisher.send(format!("PUB x 8\r\n{number:08}\r\n"));
            }
            publisher.ping();
        });
        scope.spawn(move || {
            while !publisher.is_finished() {
                server.signal(Signal::USR1);
                std::thread::yield_now();
            }
        });
        for number in 0..count {
            assert_eq!(subscriber.message_now().payload, format!("{number:08}").as_bytes());
        }
    });
    subscriber.ping();
}
