//! Many subscriptions: what one costs, and what a message costs that looks for its own among them.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use crate::batch::{Batch, Subjects, delivery_bytes};
use crate::client;
use crate::flow::transfer;
use crate::generator::{Publisher, Receiver, check_received};
use crate::metric::{Metric, Sample};
use crate::server::Running;
use crate::trouble::{Outcome, Trouble};

const PAYLOAD_BYTES: usize = 16;
const STEM: &str = "live";
/// Sids have one length, so that all deliveries have.
const FIRST_SID: u64 = 1_000_000;
const WRITE_BYTES: usize = 64 * 1024;
const REST_TIME: Duration = Duration::from_millis(300);
const WARM_UP_SHARE: u64 = 10;

/// Subscribes to the first `count` subjects of `stem` on one connection.
pub(crate) fn subscribe(mut stream: &TcpStream, stem: &'static str, count: u64) -> Outcome<()> {
    let subjects = Subjects::Random { stem, count };
    let mut operations = Vec::with_capacity(WRITE_BYTES + 64);
    for number in 0..count {
        operations.extend_from_slice(format!("SUB {} {}\r\n", subjects.name(number), FIRST_SID + number).as_bytes());
        if operations.len() >= WRITE_BYTES || number + 1 == count {
            stream.write_all(&operations).map_err(Trouble::io("subscribing"))?;
            operations.clear();
        }
    }
    client::barrier(stream)
}

/// `count` subscriptions, then `messages` to random subjects among them.
pub(crate) fn run(server: &Running, count: u64, messages: u64) -> Outcome<Sample> {
    let receiver = client::connect(server.address)?;
    let publisher = client::connect(server.address)?;
    let before = server.resident_bytes()?;
    let subscribing = server.measure(|| subscribe(&receiver, STEM, count))?;
    std::thread::sleep(REST_TIME);
    let resident = server.resident_bytes()?.saturating_sub(before);

    let subjects = Subjects::Random { stem: STEM, count };
    let frame_bytes = delivery_bytes(&subjects.name(0), &FIRST_SID.to_string(), None, PAYLOAD_BYTES);
    let mut publishers = [Publisher::new(publisher, Batch::new(subjects, PAYLOAD_BYTES, count))];
    let mut receivers = [Receiver::new(receiver, frame_bytes)];
    let mut cost = subscribing;
    for messages in [messages / WARM_UP_SHARE + 1, messages] {
        cost = server.measure(|| transfer(&mut publishers, &mut receivers, messages, messages))?;
        check_received(&mut receivers, Some(messages), messages)?;
    }
    Ok(vec![
        (Metric::ResidentPerSubscription, resident as f64 / count as f64),
        (Metric::CpuPerSubscription, subscribing.cpu_ns as f64 / count as f64),
        (Metric::CpuPerMessage, cost.cpu_ns as f64 / messages as f64),
        (Metric::Rate, messages as f64 / cost.wall.as_secs_f64()),
        (Metric::Generator, cost.generator_ns as f64 / messages as f64),
    ])
}
