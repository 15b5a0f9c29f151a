//! From flags to workloads. Says which flag is impossible, and the way out.

use std::path::Path;

use super::flags::{FlowFlags, LoadFlags, RequestFlags};
use super::traffic::{Order, Payload};
use super::trouble::{Outcome, Trouble};
use super::workload::{Extent, Flow, Layout, Requests, Workload};

const MESSAGES: u64 = 100_000;
/// Publishers have 16 bits in a stamp.
const PUBLISHERS_MAX: u64 = 65_000;
const WINDOW_MAX: usize = 1 << 20;
/// The most that a server can be told to allow.
const PAYLOAD_BYTES_MAX: u64 = 64 << 20;

/// What a flow looks like where flags say nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Pub,
    Sub,
    PubSub,
    FanIn,
    FanOut,
    Queue,
    Wildcard,
}

/// Publishers and subscribers of a command.
pub(crate) fn flow(shape: Shape, flags: &FlowFlags) -> Outcome<Workload> {
    let clients = flags.clients;
    let (publishers, subscribers) = match shape {
        Shape::Pub => (flags.publishers.or(clients).unwrap_or(1), 0),
        Shape::Sub => (0, flags.subscribers.or(clients).unwrap_or(1)),
        Shape::PubSub | Shape::Wildcard => {
            (flags.publishers.or(clients).unwrap_or(1), flags.subscribers.or(clients).unwrap_or(1))
        }
        Shape::FanIn => (flags.publishers.or(clients).unwrap_or(8), flags.subscribers.unwrap_or(1)),
        Shape::FanOut | Shape::Queue => (flags.publishers.unwrap_or(1), flags.subscribers.or(clients).unwrap_or(8)),
    };
    check(
        !matches!(shape, Shape::Pub) || flags.subscribers.is_none(),
        "--sub: 'pub' has no subscribers; use 'pubsub'",
    )?;
    check(!matches!(shape, Shape::Sub) || flags.publishers.is_none(), "--pub: 'sub' has no publishers; use 'pubsub'")?;
    check(publishers <= PUBLISHERS_MAX, "--pub: at most 65000 publishers; use several runs")?;
    check(publishers + subscribers > 0, "--clients 0: there is nothing to do; give at least 1")?;
    check(flags.multisubjectmax > 0, "--multisubjectmax 0: give at least 1, or leave --multisubject out")?;
    check(
        flags.multisubjectzipf.is_none_or(|exponent| exponent > 0.0 && exponent <= 10.0),
        "--multisubjectzipf: give an exponent above 0, up to 10; 1 is usual",
    )?;
    subject(&flags.subject)?;
    let is_wildcard = matches!(shape, Shape::Wildcard);
    let subjects = if flags.multisubject {
        flags.multisubjectmax
    } else if is_wildcard {
        100
    } else {
        0
    };
    let layout = match shape {
        Shape::Wildcard => Layout::Wildcard,
        _ if flags.own_subjects => Layout::Own,
        _ => Layout::Shared,
    };
    let queue = flags.queue.clone().or_else(|| matches!(shape, Shape::Queue).then(|| "bench".into()));
    check(
        layout != Layout::Own || queue.is_none(),
        "--own-subjects: each subscriber is alone there; leave --queue out",
    )?;
    let extent = extent(&flags.load, publishers.max(1))?;
    Ok(Workload::Flow(Flow {
        subject: flags.subject.clone(),
        subjects,
        order: match flags.multisubjectzipf {
            Some(exponent) => Order::Zipf(exponent),
            None if flags.multisubjectrandomize => Order::Random,
            None => Order::InTurn,
        },
        layout,
        publishers,
        subscribers,
        queue,
        frozen: flags.frozen,
        payload: payload(&flags.load)?,
        elsewhere: None,
        awaited: if publishers == 0 && flags.load.duration.is_none() { extent.messages } else { None },
        extent,
    }))
}

/// Requesters and responders of a command.
pub(crate) fn requests(is_service: bool, flags: &RequestFlags, timeout: std::time::Duration) -> Outcome<Workload> {
    check(flags.window > 0 && flags.window <= WINDOW_MAX, "--window: give 1 to 1048576")?;
    check(flags.clients > 0, "--clients 0: there is nothing to do; give at least 1")?;
    subject(&flags.subject)?;
    let (requesters, responders) = if is_service { (0, flags.clients) } else { (flags.clients, flags.responders) };
    let mut extent = extent(&flags.load, requesters.max(1))?;
    if is_service && flags.load.msgs.is_none() {
        extent.messages = None;
    }
    let window = if extent.rate.is_some() { flags.window.max(1024) } else { flags.window };
    Ok(Workload::Requests(Requests {
        subject: flags.subject.clone(),
        requesters,
        responders,
        window,
        queue: (!flags.queue.is_empty()).then(|| flags.queue.clone()),
        payload: payload(&flags.load)?.unstamped(),
        reply: flags.reply_size.map(Payload::of_size),
        extent,
        inbox_prefix: flags.inbox_prefix.clone(),
        timeout,
        is_across: false,
    }))
}

fn extent(load: &LoadFlags, senders: u64) -> Outcome<Extent> {
    check(load.msgs != Some(0), "--msgs 0: there is nothing to do; give at least 1")?;
    check(load.rate != Some(0), "--rate 0: nothing would be sent; leave it out for full speed")?;
    let sleep = load.sleep.map(|sleep| senders as f64 / sleep.as_secs_f64());
    check(sleep.is_none_or(f64::is_finite), "--sleep 0: leave it out for full speed")?;
    let messages = load.msgs.or_else(|| load.duration.is_none().then_some(MESSAGES));
    Ok(Extent { messages, duration: load.duration, rate: load.rate.map(|rate| rate as f64).or(sleep) })
}

fn payload(load: &LoadFlags) -> Outcome<Payload> {
    let mut headers = Vec::new();
    for header in &load.headers {
        let Some((name, value)) = header.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(Trouble::Usage(format!("-H '{header}': write 'Name: value'")));
        };
        check(!header.contains(['\r', '\n']), "-H: a header is one line")?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    // What people give is sent as it is: a stamp would change it.
    let payload = match (&load.payload, &load.body) {
        (Some(file), _) => Payload::of_body(content(file)?).unstamped(),
        (None, Some(text)) => Payload::of_body(text.clone().into_bytes()).unstamped(),
        (None, None) => Payload::of_size(load.size),
    };
    let payload = payload.with_headers(&headers);
    Ok(if load.no_check { payload.unstamped() } else { payload })
}

/// A payload from a file.
fn content(file: &Path) -> Outcome<Vec<u8>> {
    let wrong = |reason: String| Trouble::Usage(format!("--payload {}: {reason}", file.display()));
    let metadata = std::fs::metadata(file).map_err(|error| wrong(format!("{error}; for a text use --body")))?;
    if metadata.len() > PAYLOAD_BYTES_MAX {
        return Err(wrong("no server takes more than 64MiB".into()));
    }
    std::fs::read(file).map_err(|error| wrong(error.to_string()))
}

fn subject(subject: &str) -> Outcome<()> {
    let is_right = !subject.contains(|c: char| c.is_whitespace() || c.is_control())
        && subject.split('.').all(|token| !token.is_empty() && token != "*" && token != ">");
    check(is_right, &format!("'{subject}' is no subject to publish to: no wildcards, no empty tokens, no blanks"))
}

fn check(is_right: bool, text: &str) -> Outcome<()> {
    if is_right { Ok(()) } else { Err(Trouble::Usage(text.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::{Shape, flow, requests};
    use crate::bench::flags::{Command, Flags};
    use crate::bench::workload::{Layout, Workload};
    use clap::Parser;
    use std::time::Duration;

    fn command(line: &str) -> Command {
        Flags::try_parse_from(line.split_whitespace()).expect(line).command
    }

    fn refused(line: &str) -> String {
        let outcome = match command(line) {
            Command::Pub(flags) => flow(Shape::Pub, &flags),
            Command::Sub(flags) => flow(Shape::Sub, &flags),
            Command::Pubsub(flags) => flow(Shape::PubSub, &flags),
            Command::Request(flags) => requests(false, &flags, Duration::from_secs(1)),
            _ => panic!("{line}"),
        };
        outcome.map(|_| ()).expect_err(line).to_string()
    }

    #[test]
    fn shapes_have_sensible_numbers() {
        for (line, shape, numbers) in [
            ("bench pub --clients 3", Shape::Pub, (3, 0)),
            ("bench sub", Shape::Sub, (0, 1)),
            ("bench pubsub --pub 2 --sub 5", Shape::PubSub, (2, 5)),
            ("bench fanin", Shape::FanIn, (8, 1)),
            ("bench fanout --clients 4", Shape::FanOut, (1, 4)),
            ("bench queue", Shape::Queue, (1, 8)),
        ] {
            let (Command::Pub(flags)
            | Command::Sub(flags)
            | Command::Pubsub(flags)
            | Command::Fanin(flags)
            | Command::Fanout(flags)
            | Command::Queue(flags)) = command(line)
            else {
                panic!("{line}")
            };
            let Ok(Workload::Flow(flow)) = flow(shape, &flags) else { panic!("{line}") };
            assert_eq!((flow.publishers, flow.subscribers), numbers, "{line}");
            assert_eq!(flow.queue.is_some(), line.contains("queue"), "{line}");
            assert_eq!(flow.layout, Layout::Shared);
        }
    }

    #[test]
    fn impossible_flags_are_named_with_a_way_out() {
        for (line, word) in [
            ("bench pub --sub 2", "use 'pubsub'"),
            ("bench sub --pub 2", "use 'pubsub'"),
            ("bench pub --clients 0", "at least 1"),
            ("bench pub --msgs 0", "--msgs"),
            ("bench pub --rate 0", "--rate"),
            ("bench pub --sleep 0s", "--sleep"),
            ("bench pub a.*", "a.*"),
            ("bench pub -H nonsense", "'Name: value'"),
            ("bench pub --payload no-such-file", "--body"),
            ("bench pub --payload /", "--payload /"),
            ("bench pubsub --own-subjects --queue q", "--queue"),
            ("bench request --window 0", "--window"),
            ("bench pub --multisubject --multisubjectzipf 0", "--multisubjectzipf"),
        ] {
            let text = refused(line);
            assert!(text.contains(word), "{line}: {text}");
        }
    }

    #[test]
    fn a_pause_between_messages_is_a_rate() {
        let Command::Pub(flags) = command("bench pub --clients 4 --sleep 10ms") else { panic!("pub") };
        let Ok(Workload::Flow(flow)) = flow(Shape::Pub, &flags) else { panic!("a flow") };
        assert_eq!(flow.extent.rate, Some(400.0));
    }
}
