//! Responders come and go by the protocol's drain; every request is answered exactly once.
//!
//! A drain is UNSUB, PING, serve until PONG, close. This is what scaling a service up and down looks like to a broker.

use std::sync::atomic::{AtomicBool, Ordering};

use kit::{Client, Server};

use crate::{server, size};

const REQUESTERS: usize = 4;
const COMING_AND_GOING: usize = 3;
const IN_FLIGHT: usize = 16;
/// Requests that a responder serves before it leaves.
const SHIFT: usize = 40;

#[test]
fn each_request_is_answered_exactly_once_while_responders_drain_on_one_core() {
    check(&server(1));
}

#[test]
fn each_request_is_answered_exactly_once_while_responders_drain_on_two_cores() {
    check(&server(2));
}

#[test]
fn each_request_is_answered_exactly_once_while_responders_drain_on_four_cores() {
    check(&server(4));
}

fn check(server: &Server) {
    let over = AtomicBool::new(false);
    let requests = size(5_000, 50_000);
    std::thread::scope(|scope| {
        let (mut steady, _) = join(server);
        scope.spawn(move || serve(&mut steady, usize::MAX));
        for _ in 0..COMING_AND_GOING {
            scope.spawn(|| come_and_go(server, &over));
        }
        let requesters: Vec<_> =
            (0..REQUESTERS).map(|number| scope.spawn(move || request(server, number, requests))).collect();
        let outcomes: Vec<_> = requesters.into_iter().map(|requester| requester.join()).collect();
        // The responders end before the outcome is looked at, so that a failure is reported and does not hang.
        over.store(true, Ordering::SeqCst);
        let mut last = server.client();
        last.send("PUB over 0\r\n\r\n");
        last.ping();
        for outcome in outcomes {
            let outcome: Result<(), String> = outcome.expect("a requester does not panic");
            outcome.expect("each request is answered exactly once");
        }
    });
}

/// A member of the group, known to the server; and whether the test is over already.
fn join(server: &Server) -> (Client, bool) {
    let mut client = server.client();
    client.send("SUB over 2\r\nSUB service group 1\r\nPING\r\n");
    // Requests may come before the PONG already.
    let is_over = serve_until_pong(&mut client);
    (client, is_over)
}

fn come_and_go(server: &Server, over: &AtomicBool) {
    // The subscription to `over` stands before the flag is read, so one of the two ends the loop.
    while !over.load(Ordering::SeqCst) {
        let (mut member, joined_late) = join(server);
        let is_over = joined_late || over.load(Ordering::SeqCst) || serve(&mut member, SHIFT);
        member.send("UNSUB 1\r\nPING\r\n");
        let is_over = serve_until_pong(&mut member) || is_over;
        member.close().expect("the server closes");
        if is_over {
            return;
        }
    }
}

/// Answers what comes before PONG; true when the test is over.
fn serve_until_pong(client: &mut Client) -> bool {
    let mut is_over = false;
    while let Some(message) = client.next_message().expect("a responder is connected") {
        is_over |= message.subject == "over";
        answer(client, &message);
    }
    is_over
}

/// Answers so many requests; true when the test is over.
fn serve(client: &mut Client, count: usize) -> bool {
    for _ in 0..count {
        let message = client.message_now();
        if message.subject == "over" {
            return true;
        }
        answer(client, &message);
    }
    false
}

fn answer(client: &mut Client, message: &kit::Message) {
    if message.subject == "service" {
        client.send(format!("PUB {} 0\r\n\r\n", message.reply));
    }
}

fn request(server: &Server, requester: usize, count: usize) -> Result<(), String> {
    let mut client = server.client();
    client.send(format!("SUB inbox.{requester}.* 1\r\n"));
    let mut answers = vec![0_u32; count];
    let mut sent = 0;
    let mut got = 0;
    while got < count {
        while sent < count && sent - got < IN_FLIGHT {
            client.send(format!("PUB service inbox.{requester}.{sent} 0\r\n\r\n"));
            sent += 1;
        }
        let lost = |error: String| format!("requester {requester}: {got} of {sent} answered, then {error}");
        let message =
            client.next_message().map_err(|error| lost(error.to_string()))?.ok_or_else(|| lost("PONG".into()))?;
        let number: usize = message.subject.rsplit('.').next().and_then(|n| n.parse().ok()).expect("a number");
        if message.is_no_responders() {
            return Err(format!("requester {requester}: no responders for {number}, and one never left"));
        }
        answers[number] += 1;
        got += 1;
    }
    let late = client.messages_until_pong().map_err(|error| error.to_string())?;
    if let Some(message) = late.first() {
        return Err(format!("requester {requester}: one answer too many, {}", message.subject));
    }
    match answers.iter().position(|&n| n != 1) {
        Some(number) => Err(format!("requester {requester}: request {number} has {} answers", answers[number])),
        None => Ok(()),
    }
}
