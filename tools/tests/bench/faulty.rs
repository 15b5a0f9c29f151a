//! A server that does wrong on purpose, at one message of its choice.
//!
//! Just enough of the protocol for the tool: INFO, CONNECT, PING, SUB with `*`, `>` and queue groups, PUB. A thread a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What it does wrong. The number is the message that it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Drop(u64),
    Duplicate(u64),
    /// Swaps it with the next one.
    Reorder(u64),
    /// Changes the last byte of the payload.
    Corrupt(u64),
    /// Delivers it under another subject.
    Misroute(u64),
    /// The first member of a queue group gets nearly all.
    Favour,
    /// Two members of a queue group get it.
    Both(u64),
    /// Every message waits so long.
    Delay(Duration),
    /// Closes all connections.
    Die(u64),
    /// Reads as fast as it can, looks at nothing and delivers nothing: no server is faster.
    Sink,
    /// Says `-ERR` and closes.
    Refuse,
    /// Takes the connection and says nothing.
    Silence,
}

#[derive(Debug)]
struct Subscription {
    pattern: String,
    queue: Option<String>,
    sid: String,
    client: u64,
    stream: TcpStream,
}

#[derive(Debug)]
struct Shared {
    fault: Fault,
    subscriptions: Mutex<Vec<Subscription>>,
    held: Mutex<Option<(String, String, Vec<u8>)>>,
    messages: AtomicU64,
    clients: Mutex<Vec<TcpStream>>,
}

/// Starts one; it lives as long as the test.
pub(crate) fn start(fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shared = Arc::new(Shared {
        fault,
        subscriptions: Mutex::default(),
        held: Mutex::default(),
        messages: AtomicU64::new(0),
        clients: Mutex::default(),
    });
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || serve(&shared, number as u64, stream));
        }
    });
    address
}

fn serve(shared: &Shared, client: u64, mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    shared.clients.lock().ok()?.push(stream.try_clone().ok()?);
    if shared.fault == Fault::Silence {
        return Some(());
    }
    stream.write_all(b"INFO {\"version\":\"0.0.0\",\"headers\":true,\"max_payload\":1048576}\r\n").ok()?;
    if shared.fault == Fault::Sink {
        return sink(stream);
    }
    let mut input = BufReader::with_capacity(1 << 20, stream.try_clone().ok()?);
    let mut line = String::new();
    while input.read_line(&mut line).ok()? > 0 {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["CONNECT", ..] if shared.fault == Fault::Refuse => {
                stream.write_all(b"-ERR 'Authorization Violation'\r\n").ok()?;
                return stream.shutdown(std::net::Shutdown::Both).ok();
            }
            ["PING"] => stream.write_all(b"PONG\r\n").ok()?,
            ["SUB", pattern, .., sid] => {
                let queue = (words.len() == 4).then(|| words[2].to_owned());
                let (pattern, sid) = (pattern.to_owned(), sid.to_owned());
                let stream = stream.try_clone().ok()?;
                shared.subscriptions.lock().ok()?.push(Subscription { pattern, queue, sid, client, stream });
            }
            ["PUB", subject, .., size] => {
                let reply = if words.len() == 4 { words[2] } else { "" };
                let mut payload = vec![0; size.parse::<usize>().ok()? + 2];
                input.read_exact(&mut payload).ok()?;
                payload.truncate(payload.len() - 2);
                publish(shared, subject.to_owned(), reply.to_owned(), payload)?;
            }
            _ => {}
        }
        line.clear();
    }
    let mut subscriptions = shared.subscriptions.lock().ok()?;
    subscriptions.retain(|subscription| subscription.client != client);
    Some(())
}

/// Answers a PING that ends what was read, and throws everything away.
fn sink(mut stream: TcpStream) -> Option<()> {
    let mut buffer = vec![0; 1 << 20];
    let mut end = Vec::new();
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        end.extend_from_slice(&buffer[read.saturating_sub(6)..read]);
        end.drain(..end.len().saturating_sub(6));
        if end == b"PING\r\n" {
            stream.write_all(b"PONG\r\n").ok()?;
        }
    }
}

fn publish(shared: &Shared, mut subject: String, reply: String, mut payload: Vec<u8>) -> Option<()> {
    let number = shared.messages.fetch_add(1, Relaxed);
    match shared.fault {
        Fault::Drop(at) if at == number => return Some(()),
        Fault::Duplicate(at) if at == number => deliver(shared, &subject, &reply, &payload, false)?,
        Fault::Corrupt(at) if at == number => *payload.last_mut()? ^= 1,
        Fault::Misroute(at) if at == number => subject = subject.replace(".1", ".2"),
        Fault::Reorder(at) if at == number => {
            *shared.held.lock().ok()? = Some((subject, reply, payload));
            return Some(());
        }
        Fault::Delay(time) => {
            let end = Instant::now() + time;
            while Instant::now() < end {
                std::thread::park_timeout(end.saturating_duration_since(Instant::now()));
            }
        }
        Fault::Die(at) if at == number => {
            for client in shared.clients.lock().ok()?.iter() {
                client.shutdown(std::net::Shutdown::Both).ok();
            }
            return None;
        }
        _ => {}
    }
    let goes_to_both = shared.fault == Fault::Both(number);
    deliver(shared, &subject, &reply, &payload, goes_to_both)?;
    let held = shared.held.lock().ok()?.take();
    match held {
        Some((subject, reply, payload)) => deliver(shared, &subject, &reply, &payload, false),
        None => Some(()),
    }
}

fn deliver(shared: &Shared, subject: &str, reply: &str, payload: &[u8], goes_to_both: bool) -> Option<()> {
    let mut subscriptions = shared.subscriptions.lock().ok()?;
    let number = shared.messages.load(Relaxed) as usize;
    let group: Vec<usize> = (0..subscriptions.len())
        .filter(|place| subscriptions[*place].queue.is_some() && matches(&subscriptions[*place].pattern, subject))
        .collect();
    let mut chosen = Vec::new();
    if !group.is_empty() {
        let is_favour = shared.fault == Fault::Favour && !number.is_multiple_of(10);
        chosen.push(group[if is_favour { 0 } else { number % group.len() }]);
        if goes_to_both {
            chosen.push(group[(number + 1) % group.len()]);
        }
    }
    for (place, subscription) in subscriptions.iter_mut().enumerate() {
        let is_alone = subscription.queue.is_none() && matches(&subscription.pattern, subject);
        if is_alone || chosen.contains(&place) {
            let reply = if reply.is_empty() { String::new() } else { format!(" {reply}") };
            let mut message = format!("MSG {subject} {}{reply} {}\r\n", subscription.sid, payload.len()).into_bytes();
            message.extend_from_slice(payload);
            message.extend_from_slice(b"\r\n");
            // Who is gone gets nothing.
            subscription.stream.write_all(&message).ok();
        }
    }
    Some(())
}

fn matches(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some(token), Some(other)) if token == "*" || token == other => {}
            _ => return false,
        }
    }
}
