//! The scenarios.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::{Client, Event, HeaderMap, Message, RequestErrorKind, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{Failure, server::Server};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
const CONNECTIONS: usize = 1000;
/// How many there are.
pub(crate) const COUNT: usize = 9;

pub(crate) type Outcome = Result<(), Failure>;

/// Plays every scenario on the running server.
pub(crate) async fn play_all(server: &mut Server) -> [(&'static str, Outcome); COUNT] {
    [
        ("publish_and_subscribe", bounded(publish_and_subscribe(server)).await),
        ("request_and_reply", bounded(request_and_reply(server)).await),
        ("no_responders", bounded(no_responders(server)).await),
        ("queue_group", bounded(queue_group(server)).await),
        ("drained_member", bounded(a_drained_member_leaves_the_rest_to_the_other(server)).await),
        ("headers", bounded(headers(server)).await),
        ("big_payloads", bounded(big_payloads(server)).await),
        ("a_thousand_connections", bounded(a_thousand_connections(server)).await),
        ("reconnect_after_kill", bounded(reconnect_after_kill(server)).await),
    ]
}

pub(crate) async fn bounded(scenario: impl Future<Output = Outcome>) -> Outcome {
    timeout(3 * DEADLINE, scenario).await?
}

pub(crate) async fn next(subscriber: &mut Subscriber) -> Result<Message, Failure> {
    timeout(DEADLINE, subscriber.next()).await?.ok_or_else(|| "the subscription has ended".into())
}

pub(crate) fn check(is_right: bool, what: &str) -> Outcome {
    if is_right { Ok(()) } else { Err(what.into()) }
}

async fn publish_and_subscribe(server: &Server) -> Outcome {
    let (publisher, subscriber) = (server.connect().await?, server.connect().await?);
    let mut messages = subscriber.subscribe("orders.*.new").await?;
    subscriber.flush().await?;
    round_trip(&subscriber).await?;
    for number in 0..1000 {
        publisher.publish(format!("orders.{}.new", number % 7), number.to_string().into()).await?;
    }
    for number in 0..1000 {
        let message = next(&mut messages).await?;
        check(message.payload == number.to_string(), "in order")?;
    }
    Ok(())
}

/// The client's `flush` only writes; an answered request tells that the server has seen all that was sent before it.
pub(crate) async fn round_trip(client: &Client) -> Outcome {
    let inbox = client.new_inbox();
    let mut messages = client.subscribe(inbox.clone()).await?;
    client.publish(inbox, Bytes::new()).await?;
    next(&mut messages).await.map(drop)
}

pub(crate) fn answer(client: Client, mut requests: Subscriber) {
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let Some(reply) = request.reply else { continue };
            if client.publish(reply, request.payload).await.is_err() {
                return;
            }
        }
    });
}

async fn request_and_reply(server: &Server) -> Outcome {
    let (requester, responder) = (server.connect().await?, server.connect().await?);
    answer(responder.clone(), responder.subscribe("service").await?);
    round_trip(&responder).await?;
    let requests = (0..200).map(|number| {
        let requester = requester.clone();
        async move {
            let answer = requester.request("service", number.to_string().into()).await?;
            check(answer.payload == number.to_string(), "the answer to this request")
        }
    });
    for outcome in futures::future::join_all(requests).await {
        outcome?;
    }
    Ok(())
}

async fn no_responders(server: &Server) -> Outcome {
    let client = server.connect().await?;
    match client.request("nobody.home", Bytes::new()).await {
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
        other => Err(format!("expected no responders, got {other:?}").into()),
    }
}

async fn queue_group(server: &Server) -> Outcome {
    let publisher = server.connect().await?;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for member in 0..4 {
        let client = server.connect().await?;
        let mut jobs = client.queue_subscribe("job", "workers".into()).await?;
        round_trip(&client).await?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(job) = jobs.next().await {
                // The scenario may have ended already.
                let _ = sender.send((member, job.payload));
            }
            drop(client);
        });
    }
    for number in 0..400 {
        publisher.publish("job", number.to_string().into()).await?;
    }
    let mut got = BTreeMap::new();
    let mut shares = [0; 4];
    for _ in 0..400 {
        let (member, payload) = timeout(DEADLINE, receiver.recv()).await?.ok_or("the members have ended")?;
        shares[member] += 1;
        *got.entry(payload).or_insert(0) += 1;
    }
    check(got.len() == 400, "each message once")?;
    check(shares.iter().all(|&share| share > 40), &format!("fair shares: {shares:?}"))
}

/// This client forgets a draining subscription before the server's PONG, so it is only asked when nothing is on its way.
async fn a_drained_member_leaves_the_rest_to_the_other(server: &Server) -> Outcome {
    let (publisher, leaver, other) = (server.connect().await?, server.connect().await?, server.connect().await?);
    let mut leaving = leaver.queue_subscribe("shift", "workers".into()).await?;
    let mut staying = other.queue_subscribe("shift", "workers".into()).await?;
    round_trip(&leaver).await?;
    round_trip(&other).await?;
    let (mut first, mut second) = (0, 0);
    for _ in 0..200 {
        publisher.publish("shift", Bytes::new()).await?;
        tokio::select! {
            message = next(&mut leaving) => message.map(|_| first += 1)?,
            message = next(&mut staying) => message.map(|_| second += 1)?,
        }
    }
    check(first > 20 && second > 20, &format!("both work: {first} and {second}"))?;
    leaving.drain().await?;
    round_trip(&leaver).await?;
    check(timeout(DEADLINE, leaving.next()).await?.is_none(), "the drained subscription ends")?;
    for _ in 0..200 {
        publisher.publish("shift", Bytes::new()).await?;
        next(&mut staying).await?;
    }
    Ok(())
}

async fn headers(server: &Server) -> Outcome {
    let (publisher, subscriber) = (server.connect().await?, server.connect().await?);
    let mut messages = subscriber.subscribe("h").await?;
    round_trip(&subscriber).await?;
    let mut headers = HeaderMap::new();
    headers.append("Trace-Id", "17");
    headers.append("Trace-Id", "18");
    publisher.publish_with_reply_and_headers("h", "somewhere", headers.clone(), "body".into()).await?;
    let message = next(&mut messages).await?;
    check(message.headers == Some(headers), "the headers")?;
    check(message.payload == "body" && message.reply.as_deref() == Some("somewhere"), "body and reply")
}

async fn big_payloads(server: &Server) -> Outcome {
    let (publisher, subscriber) = (server.connect().await?, server.connect().await?);
    let mut messages = subscriber.subscribe("big").await?;
    round_trip(&subscriber).await?;
    for byte in b'a'..b'i' {
        let payload = Bytes::from(vec![byte; 1024 * 1024]);
        publisher.publish("big", payload.clone()).await?;
        check(next(&mut messages).await?.payload == payload, "the payload")?;
    }
    Ok(())
}

async fn a_thousand_connections(server: &Server) -> Outcome {
    let mut clients = Vec::new();
    while clients.len() < CONNECTIONS {
        for client in futures::future::join_all((0..50).map(|_| server.connect())).await {
            clients.push(client?);
        }
    }
    let mut subscribers = Vec::new();
    for client in &clients {
        subscribers.push(client.subscribe("everyone").await?);
    }
    for outcome in futures::future::join_all(clients.iter().map(round_trip)).await {
        outcome?;
    }
    clients.first().ok_or("no client")?.publish("everyone", "hello".into()).await?;
    for subscriber in &mut subscribers {
        check(next(subscriber).await?.payload == "hello", "the payload")?;
    }
    Ok(())
}

async fn reconnect_after_kill(server: &mut Server) -> Outcome {
    let (sender, mut events) = mpsc::unbounded_channel();
    let client = server.connect_with_events(sender).await?;
    let mut messages = client.subscribe("again").await?;
    round_trip(&client).await?;
    server.kill().await?;
    wait_for(&mut events, &Event::Disconnected).await?;
    server.start().await?;
    wait_for(&mut events, &Event::Connected).await?;
    round_trip(&client).await?;
    client.publish("again", "after".into()).await?;
    check(next(&mut messages).await?.payload == "after", "the subscription is there again")
}

pub(crate) async fn wait_for(events: &mut mpsc::UnboundedReceiver<Event>, wanted: &Event) -> Outcome {
    loop {
        let event = timeout(DEADLINE, events.recv()).await?.ok_or("the client has ended")?;
        // The first connect tells of itself too: what came before the kill is passed over by waiting for the end first.
        if event == *wanted {
            return Ok(());
        }
    }
}
