//! Connections that do nothing, and connections that come and go.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::client;
use crate::metric::{Metric, Sample};
use crate::server::{Cost, Running};
use crate::trouble::{Outcome, Trouble};

/// Memory is looked at when a server had time to give back what connecting took.
const REST_TIME: Duration = Duration::from_millis(300);
/// Not measured: the first connections pay for tables and stacks.
const WARM_UP: u64 = 50;

/// Opens `count` connections that have said CONNECT.
pub(crate) fn open(address: SocketAddr, count: u64) -> Outcome<Vec<TcpStream>> {
    (0..count).map(|_| client::connect(address)).collect()
}

/// What an idle connection costs: memory while it is there, CPU to set it up.
pub(crate) fn idle(server: &Running, count: u64) -> Outcome<Sample> {
    let _warm = open(server.address, WARM_UP)?;
    std::thread::sleep(REST_TIME);
    let before = server.resident_bytes()?;
    let mut held = Vec::new();
    let cost = server.measure(|| {
        held = open(server.address, count)?;
        Ok(())
    })?;
    std::thread::sleep(REST_TIME);
    let resident = server.resident_bytes()?.saturating_sub(before);
    held.iter().try_for_each(|stream| stream.take_error().map(drop)).map_err(Trouble::io("an idle connection"))?;
    let mut sample = vec![(Metric::ResidentPerConnection, resident as f64 / count as f64)];
    sample.extend(figures(&cost, count));
    Ok(sample)
}

/// All connect before the first says anything: what the kernel has no room for comes again after a second.
pub(crate) fn burst(server: &Running, count: u64) -> Outcome<Sample> {
    let _warm = open(server.address, WARM_UP)?;
    let mut held = Vec::new();
    let cost = server.measure(|| {
        let mut connecting = Vec::new();
        for _ in 0..count {
            connecting.push(mio::net::TcpStream::connect(server.address).map_err(Trouble::io("connecting"))?);
        }
        for stream in connecting {
            held.push(client::greet(into_blocking(stream)?, &[])?);
        }
        Ok(())
    })?;
    Ok(figures(&cost, count))
}

/// From here the stream blocks: the first read waits for the kernel's part of connecting too.
fn into_blocking(stream: mio::net::TcpStream) -> Outcome<TcpStream> {
    let stream = TcpStream::from(OwnedFd::from(stream));
    stream.set_nonblocking(false).map_err(Trouble::io("socket option"))?;
    Ok(stream)
}

/// Connect, SUB, PING, PONG, close; one after the other.
pub(crate) fn churn(server: &Running, count: u64) -> Outcome<Sample> {
    let visit = || -> Outcome<()> {
        let stream = client::connect_with(server.address, b"SUB bench.0 1\r\n")?;
        stream.shutdown(Shutdown::Both).map_err(Trouble::io("closing"))
    };
    (0..WARM_UP).try_for_each(|_| visit())?;
    let cost = server.measure(|| (0..count).try_for_each(|_| visit()))?;
    Ok(figures(&cost, count))
}

/// CPU a connection and how many a second.
pub(crate) fn figures(cost: &Cost, count: u64) -> Sample {
    vec![
        (Metric::CpuPerConnection, cost.cpu_ns as f64 / count as f64),
        (Metric::Rate, count as f64 / cost.wall.as_secs_f64()),
        (Metric::Generator, cost.generator_ns as f64 / count as f64),
    ]
}
