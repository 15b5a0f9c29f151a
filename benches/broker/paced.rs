//! A publisher at a constant rate, and the latency of each message from the time it was *meant* to be sent.
//!
//! A publisher that is held up does not stop the clock: the messages that were due meanwhile count with their full delay (no
//! coordinated omission). The time stands in the payload, as nanoseconds since the start of the run.

use std::io::Write;
use std::net::TcpStream;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::batch::{delivery_bytes, publication, write_digits};
use crate::client::{self, FrameReader};
use crate::metric::{Metric, Sample};
use crate::requests::{new_histogram, percentiles};
use crate::server::Running;
use crate::trouble::{Outcome, Trouble};

const PAYLOAD_BYTES: usize = 128;
/// Nanoseconds in decimal, at the start of the payload.
const STAMP_DIGITS: usize = 16;
const SUBJECT: &str = "bench.0";
const BUFFER_BYTES: usize = 256 * 1024;
/// Shorter waits are spun: the kernel needs that long to wake a thread.
const SLEEP_MIN: Duration = Duration::from_micros(60);
/// Messages in one write, however late the publisher is.
const LATE_MESSAGES_MAX: u64 = 256;
const WARM_UP: Duration = Duration::from_millis(200);

/// Runs the workload once, for `time`.
pub(crate) fn run(server: &Running, per_second: u64, time: Duration) -> Outcome<Sample> {
    let receiver = client::connect_with(server.address, format!("SUB {SUBJECT} 1\r\n").as_bytes())?;
    let publisher = client::connect(server.address)?;
    let mut reader = FrameReader::new(delivery_bytes(SUBJECT, "1", None, PAYLOAD_BYTES), BUFFER_BYTES);
    let mut latencies = new_histogram();
    let mut pass = |messages: u64| {
        latencies.clear();
        server.measure(|| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                let receiving = scope.spawn(|| receive(&receiver, &mut reader, messages, start, &mut latencies));
                publish(&publisher, per_second, messages, start)?;
                receiving.join().map_err(|_| Trouble::BadFrame("the receiver panicked".to_owned()))?
            })
        })
    };
    pass(messages_in(per_second, WARM_UP))?;
    let messages = messages_in(per_second, time);
    let cost = pass(messages)?;
    let extra = reader.barrier(&receiver)?;
    if extra > 0 {
        return Err(Trouble::Miscount { expected: messages, received: messages + extra });
    }
    let mut sample = percentiles(&latencies);
    sample.push((Metric::CpuPerMessage, cost.cpu_ns as f64 / messages as f64));
    sample.push((Metric::Rate, messages as f64 / cost.wall.as_secs_f64()));
    sample.push((Metric::Generator, cost.generator_ns as f64 / messages as f64));
    Ok(sample)
}

fn messages_in(per_second: u64, time: Duration) -> u64 {
    ((per_second as f64 * time.as_secs_f64()) as u64).max(1)
}

fn publish(mut stream: &TcpStream, per_second: u64, messages: u64, start: Instant) -> Outcome<()> {
    // The default slack of 50 µs would be part of every latency. Not allowed everywhere; the figures show it.
    let _slack = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let operation = publication(SUBJECT, None, &[b'x'; PAYLOAD_BYTES]);
    let stamp = operation.len() - PAYLOAD_BYTES - b"\r\n".len();
    let mut batch = operation.repeat(LATE_MESSAGES_MAX as usize);
    let due_ns = |message: u64| (u128::from(message) * 1_000_000_000 / u128::from(per_second)) as u64;
    let mut sent = 0;
    while sent < messages {
        wait_until(start + Duration::from_nanos(due_ns(sent)));
        let now = start.elapsed().as_nanos() as u64;
        let mut late = 0;
        while late < LATE_MESSAGES_MAX && sent + late < messages && due_ns(sent + late) <= now {
            let at = late as usize * operation.len() + stamp;
            write_digits(&mut batch[at..at + STAMP_DIGITS], due_ns(sent + late));
            late += 1;
        }
        stream.write_all(&batch[..late as usize * operation.len()]).map_err(Trouble::io("publishing"))?;
        sent += late;
    }
    Ok(())
}

fn wait_until(due: Instant) {
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        if left > SLEEP_MIN {
            std::thread::sleep(left);
        } else {
            std::hint::spin_loop();
        }
    }
}

fn receive(
    stream: &TcpStream,
    reader: &mut FrameReader,
    messages: u64,
    start: Instant,
    latencies: &mut Histogram<u64>,
) -> Outcome<()> {
    let mut received = 0;
    while received < messages {
        reader.fill(stream).map_err(Trouble::io("receiving"))?;
        let now = start.elapsed().as_nanos() as u64;
        received += reader.drain(|frame| {
            let stamp = &frame[frame.len() - PAYLOAD_BYTES - 2..][..STAMP_DIGITS];
            let due = stamp.iter().fold(0, |number, digit| number * 10 + u64::from(digit.wrapping_sub(b'0')));
            latencies.saturating_record(now.saturating_sub(due));
        })?;
    }
    if received == messages { Ok(()) } else { Err(Trouble::Miscount { expected: messages, received }) }
}
