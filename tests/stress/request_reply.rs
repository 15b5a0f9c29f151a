//! The request-reply pattern as the NATS documentation describes it, on one core and on several.

use std::collections::BTreeMap;

use kit::{Client, Server};

use crate::server;

const RESPONDERS: usize = 5;

#[test]
fn many_responders_in_a_queue_group_share_the_requests_on_one_core() {
    share(&server(1));
}

#[test]
fn many_responders_in_a_queue_group_share_the_requests_on_four_cores() {
    share(&server(4));
}

#[test]
fn the_first_of_several_answers_is_used_and_the_rest_cost_nothing_on_one_core() {
    first_answer(&server(1));
}

#[test]
fn the_first_of_several_answers_is_used_and_the_rest_cost_nothing_on_four_cores() {
    first_answer(&server(4));
}

#[test]
fn an_observer_with_wildcards_sees_all_and_changes_nothing_on_one_core() {
    observer(&server(1));
}

#[test]
fn an_observer_with_wildcards_sees_all_and_changes_nothing_on_four_cores() {
    observer(&server(4));
}

fn subscribed(server: &Server, line: &str) -> Client {
    let mut client = server.client();
    client.send(line);
    client.ping();
    client
}

/// Answers everything that has come to this responder; gives how many that were.
fn answer_all(responder: &mut Client, name: usize) -> usize {
    let requests = responder.messages_until_pong().expect("a responder is connected");
    for request in &requests {
        responder.send(format!("PUB {} 1\r\n{name}\r\n", request.reply));
    }
    responder.ping();
    requests.len()
}

fn share(server: &Server) {
    const REQUESTS: usize = 500;
    let mut responders: Vec<Client> = (0..RESPONDERS).map(|_| subscribed(server, "SUB service group 1\r\n")).collect();
    let mut requester = subscribed(server, "SUB inbox.* 1\r\n");
    for number in 0..REQUESTS {
        requester.send(format!("PUB service inbox.{number} 0\r\n\r\n"));
    }
    requester.ping();
    let shares: Vec<usize> =
        responders.iter_mut().enumerate().map(|(name, responder)| answer_all(responder, name)).collect();
    assert_eq!(shares.iter().sum::<usize>(), REQUESTS, "each request has gone to one responder: {shares:?}");
    // 500 over 5: fewer than 50 for one of them comes up once in some ten million runs.
    assert!(shares.iter().all(|&share| share >= 50), "no responder is left out: {shares:?}");
    let answers = requester.messages_until_pong().expect("the requester is connected");
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.subject).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), REQUESTS);
    assert!(counts.values().all(|&count| count == 1));
}

fn first_answer(server: &Server) {
    let mut responders: Vec<Client> = (0..RESPONDERS).map(|_| subscribed(server, "SUB service 1\r\n")).collect();
    let mut requester = server.client();
    for number in 0..20 {
        requester
            .send(format!("SUB inbox.{number} {number}\r\nUNSUB {number} 1\r\nPUB service inbox.{number} 0\r\n\r\n"));
        requester.ping();
        for (name, responder) in responders.iter_mut().enumerate() {
            assert_eq!(answer_all(responder, name), 1, "every responder gets the request");
        }
        let answers = requester.messages_until_pong().expect("the requester is connected");
        assert_eq!(answers.len(), 1, "one answer and no more: {answers:?}");
        assert_eq!(answers[0].payload, b"0", "the first answer");
    }
}

fn observer(server: &Server) {
    let mut observer = subscribed(server, "SUB > 9\r\n");
    let mut responders: Vec<Client> =
        (0..RESPONDERS).map(|_| subscribed(server, "SUB service.* group 1\r\n")).collect();
    let mut requester = subscribed(server, "SUB inbox.* 1\r\n");
    for number in 0..50 {
        requester.send(format!("HPUB service.{number} inbox.{number} 18 22\r\nNATS/1.0\r\nA: b\r\n\r\nwhat\r\n"));
        requester.ping();
        let served: usize =
            responders.iter_mut().enumerate().map(|(name, responder)| answer_all(responder, name)).sum();
        assert_eq!(served, 1, "the observer takes nothing from the group");
        let answers = requester.messages_until_pong().expect("the requester is connected");
        assert_eq!(answers.len(), 1, "one answer: {answers:?}");
        let mut seen = observer.messages_until_pong().expect("the observer is connected");
        // Two publishers: over several cores an observer may hear the second one first.
        seen.sort_by_key(|message| !message.subject.starts_with("service"));
        let [request, answer] = &seen[..] else { panic!("the observer sees request and answer: {seen:?}") };
        assert_eq!(
            (request.subject.as_str(), request.reply.as_str()),
            (&*format!("service.{number}"), &*format!("inbox.{number}"))
        );
        assert_eq!(
            (request.headers.as_slice(), request.payload.as_slice()),
            (&b"NATS/1.0\r\nA: b\r\n\r\n"[..], &b"what"[..])
        );
        assert_eq!((answer.subject.as_str(), answer.payload.len()), (&*format!("inbox.{number}"), 1));
    }
}
