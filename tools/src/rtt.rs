//! `dunlinctl rtt`: round-trip times to servers, as `nats rtt` shows them.
//!
//! Every address of every server is measured by a connection of its own. Owns the exit code: 0, 1 a server that could not be measured,
//! 2 the command line.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::json;

use crate::bench::target::{ConnectionFlags, Target};
use crate::bench::trouble::Outcome;
use crate::probe::{Probe, show};
use crate::tool::say;

const FAILED: u8 = 1;
const USAGE_ERROR: u8 = 2;

/// Measures the time from PING to PONG
#[derive(Debug, Parser)]
#[command(name = "dunlinctl rtt", disable_version_flag = true)]
struct Flags {
    /// How many round trips are measured to each address
    #[arg(default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    iterations: u32,
    /// Everything that was measured, as JSON; times are nanoseconds
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

/// What one address has answered.
struct Measured {
    address: SocketAddr,
    scheme: &'static str,
    times: Outcome<Vec<Duration>>,
}

/// Runs the tool with the words that follow its name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let line = std::iter::once(OsString::from("dunlinctl rtt")).chain(arguments);
    let flags = match Flags::try_parse_from(line) {
        Ok(flags) => flags,
        Err(error) => {
            let _closed_output = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE_ERROR } else { 0 });
        }
    };
    match measure_all(&flags) {
        Ok(is_whole) => ExitCode::from(if is_whole { 0 } else { FAILED }),
        Err(trouble) => {
            eprintln!("dunlinctl rtt: {trouble}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// False: some address could not be measured.
fn measure_all(flags: &Flags) -> Outcome<bool> {
    let mut pages = Vec::new();
    let mut is_whole = true;
    let urls = match &flags.connection.server {
        Some(list) => list.split(',').map(|url| Some(url.trim().to_owned())).collect(),
        None => vec![None], // the one of the context, or the usual one
    };
    for url in urls {
        let mut connection = flags.connection.clone();
        connection.server.clone_from(&url);
        if connection.connection_name == "dunlinctl bench" {
            connection.connection_name = "dunlinctl rtt".into();
        }
        let target = Target::resolve(&connection)?;
        let measured: Vec<_> = addresses(&target).map(|one| measure(&one, flags.iterations)).collect();
        is_whole &= measured.iter().all(|one| one.times.is_ok());
        let first = target.endpoint(0);
        let name = url.as_deref().map_or_else(|| format!("nats://{}:{}", first.host, first.address.port()), shown_url);
        if flags.json {
            pages.push(page(&name, &measured));
        } else {
            say(&text(&name, &measured));
        }
        for one in &measured {
            if let Err(trouble) = &one.times {
                eprintln!("dunlinctl rtt: {}: {trouble}", one.address);
            }
        }
    }
    if flags.json {
        say(&format!("{:#}\n", serde_json::Value::from(pages)));
    }
    Ok(is_whole)
}

/// The server's URL without login.
fn shown_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_login, place)| place))
}

/// A target for each address that the host of the first endpoint has.
fn addresses(target: &Target) -> impl Iterator<Item = Target> {
    let endpoint = target.endpoint(0).clone();
    let found = (endpoint.host.as_str(), endpoint.address.port()).to_socket_addrs();
    let mut found: Vec<_> = found.map(Iterator::collect).unwrap_or_default();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        found.push(endpoint.address);
    }
    let target = target.clone();
    found.into_iter().map(move |address| {
        let (mut target, mut endpoint) = (target.clone(), target.endpoint(0).clone());
        endpoint.address = address;
        target.endpoints = vec![endpoint];
        target
    })
}

fn measure(target: &Target, iterations: u32) -> Measured {
    let endpoint = target.endpoint(0);
    let times = Probe::connect(target, 0).and_then(|mut probe| (0..iterations).map(|_| probe.rtt()).collect());
    Measured { address: endpoint.address, scheme: if endpoint.needs_tls { "tls" } else { "nats" }, times }
}

fn mean(times: &[Duration]) -> Duration {
    times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(u32::MAX).max(1)
}

fn text(name: &str, measured: &[Measured]) -> String {
    let labels: Vec<_> = measured.iter().map(|one| format!("{}://{}", one.scheme, one.address)).collect();
    let width = labels.iter().map(String::len).max().unwrap_or_default() + 3;
    let mut text = format!("{name}:\n\n");
    for (label, one) in labels.iter().zip(measured) {
        let time = one.times.as_ref().map_or_else(|_| "failed".into(), |times| show(mean(times)));
        text.push_str(&format!("{label:>width$}: {time}\n"));
    }
    text.push('\n');
    text
}

fn page(name: &str, measured: &[Measured]) -> serde_json::Value {
    let results = measured.iter().map(|one| {
        let url = format!("{}://{}", one.scheme, one.address);
        let Ok(times) = &one.times else { return json!({"address": url, "rtt": 0, "url": ""}) };
        let ns = |time: &Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        json!({
            "address": url, "url": url, "rtt": ns(&mean(times)), "min": times.iter().min().map(ns),
            "max": times.iter().max().map(ns), "rtts": times.iter().map(ns).collect::<Vec<_>>(),
        })
    });
    json!({"url": name, "results": results.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::{Measured, page, shown_url, text};
    use crate::bench::trouble::Trouble;
    use std::time::Duration;

    fn measured() -> [Measured; 2] {
        let address = |text: &str| text.parse().expect("an address");
        let times = Ok([100, 300].map(Duration::from_micros).to_vec());
        [
            Measured { address: address("127.0.0.1:4222"), scheme: "nats", times },
            Measured { address: address("[::1]:4222"), scheme: "nats", times: Err(Trouble::Closed) },
        ]
    }

    #[test]
    fn the_mean_stands_beside_each_address() {
        assert_eq!(
            text("nats://localhost:4222", &measured()),
            "nats://localhost:4222:\n\n   nats://127.0.0.1:4222: 200µs\n       nats://[::1]:4222: failed\n\n"
        );
    }

    #[test]
    fn json_has_every_time() {
        let page = page("x", &measured());
        assert_eq!(page["results"][0]["rtts"], serde_json::json!([100_000, 300_000]));
        assert_eq!((&page["results"][0]["rtt"], &page["results"][1]["rtt"]), (&200_000.into(), &0.into()));
    }

    #[test]
    fn a_login_is_not_shown() {
        assert_eq!(shown_url("nats://me:secret@h:1"), "nats://h:1");
        assert_eq!(shown_url("h"), "nats://h");
    }
}
