//! How a server ends: everyone is told or closed, the exit code is the peer's.

use kit::{Setup, run_to_end};
use rustix::process::Signal;

use crate::{program, server};

#[test]
fn term_closes_everyone_and_ends_with_code_zero_on_two_cores() {
    let mut server = server(2);
    let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
    server.signal(Signal::TERM);
    for client in &mut clients {
        client.read_to_end().expect("the server closes");
    }
    assert!(server.wait_for_exit().is_some_and(|status| status.success()));
}

#[test]
fn what_was_published_before_the_stop_is_delivered() {
    let mut server = server(2);
    let mut publisher = server.client();
    let mut subscriber = server.client();
    subscriber.send("SUB x 1\r\n");
    subscriber.ping();
    for number in 0..1_000 {
        publisher.send(format!("PUB x 4\r\n{number:04}\r\n"));
    }
    publisher.ping();
    server.signal(Signal::TERM);
    for number in 0..1_000 {
        assert_eq!(subscriber.message_now().payload, format!("{number:04}").as_bytes());
    }
    subscriber.read_to_end().expect("the server closes");
    assert!(server.wait_for_exit().is_some_and(|status| status.success()));
}

#[test]
fn lame_duck_mode_tells_clients_and_closes_the_listener() {
    let config = "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"10s\"\n";
    let server = Setup::new(&program(), 2).config(config).start();
    let mut clients: Vec<_> = (0..8)
        .map(|_| {
            let mut client = server.open();
            client.hello(",\"protocol\":1");
            client
        })
        .collect();
    for client in &mut clients {
        // The second INFO of CONNECT may still be on its way.
        client.messages_until_pong().expect("the connection is open");
    }
    server.signal(Signal::USR2);
    for client in &mut clients {
        let line = client.line().expect("the server tells");
        assert!(line.starts_with("INFO {") && line.contains("\"ldm\":true"), "{line}");
    }
    assert!(kit::until(kit::DEADLINE, || kit::Client::open(server.address()).is_err()), "the listener is closed");
    let [first, second, ..] = &mut clients[..] else { unreachable!("eight clients") };
    first.send("SUB x 1\r\n");
    first.ping();
    second.send("PUB x 1\r\ny\r\n");
    second.ping();
    assert_eq!(first.message_now().payload, b"y");
}

#[test]
fn a_wrong_flag_ends_with_code_one_and_a_message() {
    let output = run_to_end(program().path(), &["--no_such_flag"]).expect("the program runs");
    // The peer says what is wrong too, but ends with 0: scripts then believe that all is well.
    assert_eq!(output.status.code(), Some(i32::from(program().is_dunlin())));
    assert!(!output.stderr.is_empty());
}
