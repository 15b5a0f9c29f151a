//! Request-reply: some requesters, each with a window of requests in flight, and one responder.
//!
//! The responder answers in the order of arrival with one write a read. Every reply is counted; a requester sends as many new
//! requests as it got replies.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::batch::{delivery_bytes, publication, write_digits};
use crate::client::{self, FrameReader};
use crate::metric::{Metric, Sample};
use crate::server::Running;
use crate::trouble::{Outcome, Trouble};

const PAYLOAD: &[u8] = b"0123456789abcdef";
const SERVICE: &str = "service";
const BUFFER_BYTES: usize = 64 * 1024;
const WARM_UP_SHARE: u64 = 10;
/// Digits at the end of the reply subject.
const REPLY_DIGITS: usize = 8;

/// Where replies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inbox {
    /// One subject a requester; the floor can do no other.
    Exact,
    /// A pattern a requester and a new subject for every request, as client libraries do.
    Wildcard,
}

/// One workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requests {
    pub(crate) requesters: u64,
    pub(crate) in_flight: u64,
    pub(crate) inbox: Inbox,
    /// Over all requesters.
    pub(crate) requests: u64,
}

/// One requesting connection.
struct Requester {
    stream: TcpStream,
    reader: FrameReader,
    inbox: Inbox,
    /// Requests to write, a whole window.
    window: Vec<u8>,
    request_bytes: usize,
    sent: u64,
}

impl Requester {
    fn connect(server: &Running, number: u64, workload: &Requests) -> Outcome<Self> {
        let reply = format!("_INBOX.{number:02}.{:0width$}", 0, width = REPLY_DIGITS);
        let pattern = match workload.inbox {
            Inbox::Exact => reply.clone(),
            Inbox::Wildcard => format!("_INBOX.{number:02}.*"),
        };
        let stream = client::connect_with(server.address, format!("SUB {pattern} 1\r\n").as_bytes())?;
        let request = publication(SERVICE, Some(&reply), PAYLOAD);
        let frame_bytes = delivery_bytes(&reply, "1", None, PAYLOAD.len());
        Ok(Self {
            stream,
            reader: FrameReader::new(frame_bytes, BUFFER_BYTES),
            inbox: workload.inbox,
            request_bytes: request.len(),
            window: request.repeat(workload.in_flight as usize),
            sent: 0,
        })
    }

    fn send(&mut self, requests: u64) -> Outcome<()> {
        let bytes = &mut self.window[..requests as usize * self.request_bytes];
        if self.inbox == Inbox::Wildcard {
            let end = format!("PUB {SERVICE} _INBOX.00.").len() + REPLY_DIGITS;
            for (request, number) in bytes.chunks_exact_mut(self.request_bytes).zip(self.sent..) {
                write_digits(&mut request[end - REPLY_DIGITS..end], number);
            }
        }
        (&self.stream).write_all(bytes).map_err(Trouble::io("sending requests"))?;
        self.sent += requests;
        Ok(())
    }

    /// Sends `requests` and waits for their replies; `on_reply` gets the time that a window's first reply took.
    fn run(&mut self, requests: u64, in_flight: u64, mut on_reply: impl FnMut(Duration)) -> Outcome<()> {
        self.sent = 0;
        let mut received = 0;
        let mut start = Instant::now();
        self.send(in_flight.min(requests))?;
        while received < requests {
            self.reader.fill(&self.stream).map_err(Trouble::io("waiting for a reply"))?;
            let replies = self.reader.drain(|_| {})?;
            if replies == 0 {
                continue;
            }
            on_reply(start.elapsed());
            received += replies;
            if received > self.sent {
                return Err(Trouble::Miscount { expected: self.sent, received });
            }
            start = Instant::now();
            let more = replies.min(requests - self.sent);
            if more > 0 {
                self.send(more)?;
            }
        }
        let expected = requests;
        let received = received + self.reader.barrier(&self.stream)?;
        if received == expected { Ok(()) } else { Err(Trouble::Miscount { expected, received }) }
    }
}

/// Answers `requests`, then ends.
fn respond(stream: &TcpStream, reader: &mut FrameReader, requests: u64) -> Outcome<()> {
    let mut answered = 0;
    let mut output = Vec::new();
    let reply_at = format!("MSG {SERVICE} 1 ").len();
    let reply_bytes = "_INBOX.00.".len() + REPLY_DIGITS;
    let tail = [format!(" {}\r\n", PAYLOAD.len()).as_bytes(), PAYLOAD, b"\r\n"].concat();
    while answered < requests {
        reader.fill(stream).map_err(Trouble::io("waiting for a request"))?;
        answered += reader.drain(|request| {
            output.extend_from_slice(b"PUB ");
            output.extend_from_slice(&request[reply_at..reply_at + reply_bytes]);
            output.extend_from_slice(&tail);
        })?;
        let mut writer = stream;
        writer.write_all(&output).map_err(Trouble::io("answering"))?;
        output.clear();
    }
    if answered == requests { Ok(()) } else { Err(Trouble::Miscount { expected: requests, received: answered }) }
}

/// Runs the workload once.
pub(crate) fn run(server: &Running, workload: &Requests) -> Outcome<Sample> {
    let responder = client::connect_with(server.address, format!("SUB {SERVICE} 1\r\n").as_bytes())?;
    let reply = format!("_INBOX.00.{:0width$}", 0, width = REPLY_DIGITS);
    let mut responder_reader =
        FrameReader::new(delivery_bytes(SERVICE, "1", Some(&reply), PAYLOAD.len()), BUFFER_BYTES);
    let mut requesters = (0..workload.requesters)
        .map(|number| Requester::connect(server, number, workload))
        .collect::<Outcome<Vec<_>>>()?;
    let mut latencies = new_histogram();
    let each = (workload.requests / workload.requesters).max(1);
    let mut pass = |each: u64| {
        latencies.clear();
        server.measure(|| {
            let total = each * workload.requesters;
            std::thread::scope(|scope| {
                let responding = scope.spawn(|| respond(&responder, &mut responder_reader, total));
                let mut running = Vec::new();
                for requester in &mut requesters {
                    running.push(scope.spawn(move || {
                        let mut latencies = new_histogram();
                        let in_flight = workload.in_flight;
                        requester.run(each, in_flight, |took| latencies.saturating_record(took.as_nanos() as u64))?;
                        Ok::<_, Trouble>(latencies)
                    }));
                }
                for thread in running {
                    latencies += thread.join().map_err(|_| Trouble::BadFrame("a requester panicked".to_owned()))??;
                }
                responding.join().map_err(|_| Trouble::BadFrame("the responder panicked".to_owned()))?
            })
        })
    };
    pass((each / WARM_UP_SHARE).max(1))?;
    let cost = pass(each)?;
    let requests = (each * workload.requesters) as f64;
    let mut sample = vec![
        (Metric::CpuPerRequest, cost.cpu_ns as f64 / requests),
        (Metric::Rate, requests / cost.wall.as_secs_f64()),
        (Metric::Generator, cost.generator_ns as f64 / requests),
    ];
    if workload.in_flight == 1 {
        sample.extend(percentiles(&latencies));
    }
    Ok(sample)
}

/// Nanoseconds up to a minute with three digits: a bounded size, whatever is recorded.
pub(crate) fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_max(60_000_000_000, 3).expect("these bounds are allowed")
}

pub(crate) fn percentiles(latencies: &Histogram<u64>) -> Sample {
    [(Metric::Median, 0.5), (Metric::Percentile99, 0.99)]
        .map(|(metric, quantile)| (metric, latencies.value_at_quantile(quantile) as f64))
        .to_vec()
}
