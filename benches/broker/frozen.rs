//! Healthy subscribers of one subject, with and without one beside them that has stopped reading.
//!
//! The same server, publisher and healthy subscribers in every pass; the passes are paired, with and without in turn (A B, B A, …).
//! A pass with the frozen one covers its whole end: it falls behind, reaches `max_pending`, is closed, and some traffic follows.
//! Every message to a healthy one is counted, and a frozen one that was not closed fails the row.
//!
//! Publishing goes in windows that are smaller than `max_pending`, so that no healthy one can be taken for a slow one.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::batch::{Batch, Subjects, delivery_bytes};
use crate::client::{self, SILENCE_MAX};
use crate::flow::transfer;
use crate::generator::{Publisher, Receiver, check_received};
use crate::metric::{Metric, Sample};
use crate::paired::Interval;
use crate::server::{Cost, Running};
use crate::trouble::{Outcome, Trouble};

/// What the server is told: small, so that a frozen subscriber meets it within one pass.
pub(crate) const CONFIG: &str = "max_pending: 1MB\n";
const SUBJECT: &str = "bench.0";
const SUBSCRIBE: &[u8] = b"SUB bench.0 1\r\n";
const HEALTHY: u64 = 50;
const PAYLOAD_BYTES: usize = 128;
/// 0.6 MB to each subscriber.
const WINDOW_MESSAGES: u64 = 4_000;
/// 2.9 MB to each: the frozen one is closed in the second half.
const WINDOWS: u64 = 5;
/// The least that gives an interval worth printing.
const PAIRS_MIN: u64 = 15;
const RECEIVE_BUFFER_BYTES: usize = 8 * 1024;
const SEGMENT_BYTES: u32 = 1400;
const LOOK_EVERY: Duration = Duration::from_millis(1);

struct Group {
    publishers: [Publisher; 1],
    healthy: Vec<Receiver>,
}

impl Group {
    fn connect(server: &Running) -> Outcome<Self> {
        let frame_bytes = delivery_bytes(SUBJECT, "1", None, PAYLOAD_BYTES);
        let mut healthy = Vec::new();
        for _ in 0..HEALTHY {
            healthy.push(Receiver::new(client::connect_with(server.address, SUBSCRIBE)?, frame_bytes));
        }
        let batch = Batch::new(Subjects::One(SUBJECT.to_owned()), PAYLOAD_BYTES, 1);
        Ok(Self { publishers: [Publisher::new(client::connect(server.address)?, batch)], healthy })
    }

    fn pass(&mut self, server: &Running) -> Outcome<Cost> {
        let total = WINDOW_MESSAGES * HEALTHY;
        let cost = server.measure(|| {
            (0..WINDOWS).try_for_each(|_| transfer(&mut self.publishers, &mut self.healthy, WINDOW_MESSAGES, total))
        })?;
        check_received(&mut self.healthy, Some(WINDOW_MESSAGES * WINDOWS), total * WINDOWS)?;
        Ok(cost)
    }

    fn pass_beside_frozen(&mut self, server: &Running) -> Outcome<Cost> {
        let frozen = connect_frozen(server.address)?;
        let cost = self.pass(server)?;
        expect_closed(&frozen)?;
        Ok(cost)
    }
}

/// As far away as a client on a network is: with the segments of loopback the server's kernel would take 2.6 MB for it.
fn connect_frozen(address: SocketAddr) -> Outcome<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(Trouble::io("making a socket"))?;
    socket
        .set_recv_buffer_size(RECEIVE_BUFFER_BYTES)
        .and_then(|()| socket.set_tcp_mss(SEGMENT_BYTES))
        .map_err(Trouble::io("shrinking a receive buffer"))?;
    socket.connect(&address.into()).map_err(Trouble::io("connecting"))?;
    client::greet(socket.into(), SUBSCRIBE)
}

/// A server that has closed its end answers what is written to it with a reset. Not by reading: through a buffer so small the
/// kernel would take minutes to hand over what it still holds.
fn expect_closed(mut frozen: &TcpStream) -> Outcome<()> {
    let deadline = Instant::now() + SILENCE_MAX;
    while Instant::now() < deadline {
        if frozen.write(b"PING\r\n").is_err() {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Err(Trouble::NotClosed)
}

/// Runs `pairs` pairs, but enough for an interval.
pub(crate) fn run(server: &Running, pairs: u64) -> Outcome<Sample> {
    let mut group = Group::connect(server)?;
    // Not measured: buffers, windows and the heap grow, those of a frozen one too.
    group.pass(server)?;
    group.pass_beside_frozen(server)?;
    let mut costs = Vec::new();
    for pair in 0..pairs.max(PAIRS_MIN) {
        costs.push(if pair % 2 == 0 {
            let with = group.pass_beside_frozen(server)?;
            (with, group.pass(server)?)
        } else {
            let without = group.pass(server)?;
            (group.pass_beside_frozen(server)?, without)
        });
    }
    let ratio_of = |figure: fn(&Cost) -> f64| {
        Interval::of_ratios(costs.iter().map(|(with, without)| figure(with) / figure(without)))
            .ok_or(Trouble::Unreadable("schedstat: no time has passed"))
    };
    let ratio = ratio_of(|cost| cost.cpu_ns as f64)?;
    let time = ratio_of(|cost| cost.wall.as_secs_f64())?;
    let (with, without) = costs.iter().fold((0, 0), |(a, b), (with, without)| (a + with.cpu_ns, b + without.cpu_ns));
    let deliveries = (costs.len() as u64 * WINDOW_MESSAGES * WINDOWS * HEALTHY) as f64;
    Ok(vec![
        (Metric::CpuBesideFrozen, with as f64 / deliveries),
        (Metric::CpuWithoutFrozen, without as f64 / deliveries),
        (Metric::FrozenRatio, ratio.mean),
        (Metric::FrozenRatioLow, ratio.low),
        (Metric::FrozenRatioHigh, ratio.high),
        (Metric::FrozenTimeRatio, time.mean),
    ])
}
