//! Publishers that write as fast as they can, and receivers that count.
//!
//! Every message is accounted for: the row fails where one is missing, doubled or goes astray. A tenth of the messages goes
//! first and is not measured, so that buffers, windows and the peer's heap have grown.

use std::net::{SocketAddr, TcpStream};

use crate::batch::{Batch, Subjects, delivery_bytes};
use crate::client;
use crate::connections;
use crate::generator::{Publisher, Receiver, check_received, publish, receive};
use crate::metric::{Metric, Sample};
use crate::server::{Cost, Running};
use crate::subscriptions;
use crate::trouble::{Outcome, Trouble};

/// The wildcard row publishes to that many subjects.
const WILDCARD_SUBJECTS: u64 = 1000;
const WARM_UP_SHARE: u64 = 10;
const FAN_OUT_CONNECTIONS: u64 = 20;
/// Where a receiver has several subscriptions.
const FIRST_SID: u64 = 100;

/// Who gets what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Routing {
    Nobody,
    /// Publisher *n* → receiver *n*.
    Own,
    /// Every publisher → every receiver.
    All,
    /// Every publisher → one receiver of the group.
    Queue,
    /// The same as `All`, over a thousand subjects and one pattern.
    Wildcard,
}

/// One workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) publishers: u64,
    pub(crate) receivers: u64,
    /// Of each receiver, with `Routing::All`.
    pub(crate) subscriptions_each: u64,
    pub(crate) routing: Routing,
    pub(crate) payload_bytes: usize,
    /// Over all publishers.
    pub(crate) messages: u64,
    /// What else the server holds, none of which is touched.
    pub(crate) other_subscriptions: u64,
    pub(crate) idle_connections: u64,
}

impl Flow {
    /// Publishers → receivers on an otherwise empty server.
    pub(crate) const fn new(
        publishers: u64,
        receivers: u64,
        routing: Routing,
        payload_bytes: usize,
        messages: u64,
    ) -> Self {
        Self {
            publishers,
            receivers,
            subscriptions_each: 1,
            routing,
            payload_bytes,
            messages,
            other_subscriptions: 0,
            idle_connections: 0,
        }
    }

    /// Publish only, beside much else.
    pub(crate) const fn beside(other_subscriptions: u64, idle_connections: u64, messages: u64) -> Self {
        let alone = Self::new(1, 0, Routing::Nobody, 128, messages);
        Self { other_subscriptions, idle_connections, ..alone }
    }

    /// One subject with `fan_out` subscriptions, spread evenly over at most [`FAN_OUT_CONNECTIONS`].
    pub(crate) const fn fan_out(fan_out: u64, messages: u64) -> Self {
        let receivers = if fan_out < FAN_OUT_CONNECTIONS { fan_out } else { FAN_OUT_CONNECTIONS };
        let spread = Self::new(1, receivers, Routing::All, 128, messages);
        Self { subscriptions_each: fan_out / receivers, ..spread }
    }

    fn subjects(&self, publisher: u64) -> Subjects {
        match self.routing {
            Routing::Own => Subjects::One(format!("bench.{publisher}")),
            Routing::Wildcard => Subjects::Random { stem: "bench", count: WILDCARD_SUBJECTS },
            Routing::Nobody | Routing::All | Routing::Queue => Subjects::One("bench.0".to_owned()),
        }
    }

    fn subscription(&self, receiver: u64) -> String {
        match self.routing {
            Routing::Own => format!("SUB bench.{receiver} 1\r\n"),
            Routing::Queue => "SUB bench.0 workers 1\r\n".to_owned(),
            Routing::Wildcard => "SUB bench.000.* 1\r\n".to_owned(),
            Routing::Nobody | Routing::All => {
                (0..self.subscriptions_each).map(|n| format!("SUB bench.0 {}\r\n", self.sid(n))).collect()
            }
        }
    }

    /// All of one length, so that all deliveries have.
    fn sid(&self, subscription: u64) -> String {
        if self.subscriptions_each == 1 { "1".to_owned() } else { (FIRST_SID + subscription).to_string() }
    }

    /// Deliveries to each receiver, and to all, when each publisher publishes `messages`.
    fn expected(&self, messages: u64) -> (Option<u64>, u64) {
        let published = messages * self.publishers;
        match self.routing {
            Routing::Nobody => (Some(0), 0),
            Routing::Own => (Some(messages), published),
            Routing::All => {
                let each = published * self.subscriptions_each;
                (Some(each), each * self.receivers)
            }
            Routing::Wildcard => (Some(published), published * self.receivers),
            Routing::Queue => (None, published),
        }
    }
}

/// Runs the workload once.
pub(crate) fn run(server: &Running, flow: &Flow) -> Outcome<Sample> {
    let _idle = connections::open(server.address, flow.idle_connections)?;
    let others = client::connect(server.address)?;
    subscriptions::subscribe(&others, "other", flow.other_subscriptions)?;
    let (mut publishers, mut receivers) = connect(server.address, flow)?;
    let messages = flow.messages / flow.publishers;
    let mut pass = |messages: u64| -> Outcome<Cost> {
        let (each, total) = flow.expected(messages);
        let cost = server.measure(|| transfer(&mut publishers, &mut receivers, messages, total))?;
        check_received(&mut receivers, each, total)?;
        Ok(cost)
    };
    pass((messages / WARM_UP_SHARE).max(1))?;
    let cost = pass(messages)?;
    let published = messages * flow.publishers;
    Ok(figures(&cost, published, flow.expected(messages).1))
}

fn connect(address: SocketAddr, flow: &Flow) -> Outcome<(Vec<Publisher>, Vec<Receiver>)> {
    let mut receivers = Vec::new();
    for receiver in 0..flow.receivers {
        let stream = client::connect_with(address, flow.subscription(receiver).as_bytes())?;
        let frame_bytes = delivery_bytes(&flow.subjects(0).name(0), &flow.sid(0), None, flow.payload_bytes);
        receivers.push(Receiver::new(stream, frame_bytes));
    }
    let mut publishers = Vec::new();
    for publisher in 0..flow.publishers {
        let batch = Batch::new(flow.subjects(publisher), flow.payload_bytes, publisher + 1);
        publishers.push(Publisher::new(client::connect(address)?, batch));
    }
    Ok((publishers, receivers))
}

/// Publishes and receives at the same time, and waits until the server has answered a PING of every publisher.
pub(crate) fn transfer(
    publishers: &mut [Publisher],
    receivers: &mut [Receiver],
    messages: u64,
    total: u64,
) -> Outcome<()> {
    std::thread::scope(|scope| {
        let receiving = scope.spawn(|| receive(receivers, total));
        let published = publish(publishers, messages);
        let answered = published.and_then(|()| {
            publishers.iter().map(Publisher::stream).try_for_each(|stream: &TcpStream| client::barrier(stream))
        });
        // What the receivers saw explains more than a publisher that got no answer.
        receiving.join().map_err(|_| Trouble::BadFrame("the receiver panicked".to_owned()))??;
        answered
    })
}

/// CPU an event and the rate.
pub(crate) fn figures(cost: &Cost, published: u64, delivered: u64) -> Sample {
    let counted = if delivered == 0 { published } else { delivered };
    vec![
        (Metric::CpuPerEvent, cost.cpu_ns as f64 / (published + delivered) as f64),
        (Metric::Rate, counted as f64 / cost.wall.as_secs_f64()),
        (Metric::Generator, cost.generator_ns as f64 / published as f64),
    ]
}
