//! The last responder has gone: the server says so at once, and never nothing.

use kit::Server;

use crate::{server, size};

#[test]
fn a_request_after_the_last_drain_gets_503_on_one_core() {
    after_drain_and_after_close(&server(1));
}

#[test]
fn a_request_after_the_last_drain_gets_503_on_two_cores() {
    after_drain_and_after_close(&server(2));
}

#[test]
fn a_request_after_the_last_drain_gets_503_on_four_cores() {
    after_drain_and_after_close(&server(4));
}

#[test]
fn requests_that_race_with_the_last_drain_get_an_answer_or_503_on_one_core() {
    race(&server(1));
}

#[test]
fn requests_that_race_with_the_last_drain_get_an_answer_or_503_on_two_cores() {
    race(&server(2));
}

#[test]
fn requests_that_race_with_the_last_drain_get_an_answer_or_503_on_four_cores() {
    race(&server(4));
}

fn after_drain_and_after_close(server: &Server) {
    let mut requester = server.client();
    requester.send("SUB inbox.* 1\r\n");
    for round in 0..size(100, 1_000) {
        let mut responder = server.client();
        responder.send("SUB service group 1\r\n");
        responder.ping();
        requester.send(format!("PUB service inbox.{round} 0\r\n\r\n"));
        let request = responder.message_now();
        responder.send(format!("PUB {} 2\r\nok\r\n", request.reply));
        assert_eq!(requester.message_now().payload, b"ok");
        if round % 2 == 0 {
            responder.send("UNSUB 1\r\n");
            responder.ping();
        } else {
            responder.close().expect("the server closes");
        }
        requester.send(format!("PUB service inbox.{round} 0\r\n\r\n"));
        assert!(requester.message_now().is_no_responders(), "round {round}: nobody is left");
    }
    requester.ping();
}

fn race(server: &Server) {
    const REQUESTS: usize = 200;
    for round in 0..size(30, 300) {
        let mut responder = server.client();
        responder.send("SUB service group 1\r\n");
        responder.ping();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..round.min(REQUESTS) {
                    let request = responder.message_now();
                    responder.send(format!("PUB {} 2\r\nok\r\n", request.reply));
                }
                responder.send("UNSUB 1\r\nPING\r\n");
                while let Some(request) = responder.next_message().expect("the responder is connected") {
                    responder.send(format!("PUB {} 2\r\nok\r\n", request.reply));
                }
                responder.ping();
            });
            let mut requester = server.client();
            requester.send("SUB inbox.* 1\r\n");
            let mut answers = [0_u32; REQUESTS];
            for number in 0..REQUESTS {
                requester.send(format!("PUB service inbox.{number} 0\r\n\r\n"));
            }
            for got in 0..REQUESTS {
                let message = requester
                    .next_message()
                    .unwrap_or_else(|error| panic!("round {round}: {got} of {REQUESTS}, then {error}"));
                let subject = message.expect("no PONG was asked for").subject;
                answers[subject.rsplit('.').next().and_then(|n| n.parse::<usize>().ok()).expect("a number")] += 1;
            }
            requester.ping();
            assert!(answers.iter().all(|&n| n == 1), "round {round}: {answers:?}");
        });
    }
}
