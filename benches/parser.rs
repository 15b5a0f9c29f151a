//! Instructions an operation in the parser, for a named case.
//!
//! Runs under `valgrind --tool=callgrind` or `perf stat`; does not measure time itself. Two runs with different counts give
//! the cost of one operation without start-up: `parser pub16 1000` and `parser pub16 101000`.
//! A case is one operation repeated in a buffer of about 64 KiB, as a socket read would bring it.

use dunlin::protocol::{ClientOp, Parsed, Parser, ParserLimits};
use std::hint::black_box;
use std::process::ExitCode;

const BUFFER_BYTES: usize = 64 * 1024;
const LIMITS: ParserLimits =
    ParserLimits { control_line_bytes_max: 4096, payload_bytes_max: 1024 * 1024, headers: true };

/// Name and operation.
fn cases() -> Vec<(&'static str, String)> {
    let payload = |bytes: usize| "x".repeat(bytes);
    let publish = |subject: &str, bytes: usize| format!("PUB {subject} {bytes}\r\n{}\r\n", payload(bytes));
    vec![
        ("pub0", publish("bench", 0)),
        ("pub16", publish("bench", 16)),
        ("pub128", publish("bench", 128)),
        ("pub1k", publish("bench", 1024)),
        ("pub_long", publish("orders.eu.berlin.4711.created", 128)),
        ("pub_reply", format!("PUB service.echo _INBOX.Hk3v9mQzW1.5rT0pLx2 16\r\n{}\r\n", payload(16))),
        ("hpub", format!("HPUB bench 21 37\r\nNATS/1.0\r\nKey: v1\r\n\r\n{}\r\n", payload(16))),
        ("sub", "SUB orders.eu.* 17\r\n".to_owned()),
        ("sub_queue", "SUB orders.eu.* workers 17\r\n".to_owned()),
        ("unsub", "UNSUB 17\r\n".to_owned()),
        ("unsub_max", "UNSUB 17 1\r\n".to_owned()),
        ("ping", "PING\r\n".to_owned()),
        ("pong", "PONG\r\n".to_owned()),
    ]
}

/// Parses `ops` operations; the sum of what they hold.
#[inline(never)]
fn run(parser: Parser, buffer: &[u8], ops: u64) -> u64 {
    let mut sum = 0;
    let mut input = buffer;
    for _ in 0..ops {
        if input.is_empty() {
            input = black_box(buffer);
        }
        match parser.next(input) {
            Ok(Parsed::Op { op, consumed }) => {
                sum += match op {
                    ClientOp::Publish(publish) => publish.subject.len() + publish.reply.len() + publish.content.len(),
                    ClientOp::Subscribe { pattern, sid, .. } => pattern.len() + sid.len(),
                    ClientOp::Unsubscribe { sid, .. } => sid.len(),
                    _ => 1,
                } as u64;
                input = input.get(consumed..).unwrap_or_default();
            }
            other => {
                eprintln!("a case must hold whole, sound operations: {other:?}");
                return 0;
            }
        }
    }
    sum
}

fn main() -> ExitCode {
    // `cargo bench` passes `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let wanted = arguments.next();
    let ops = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let mut found = false;
    for (name, operation) in cases() {
        if wanted.as_deref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        found = true;
        let buffer = operation.repeat(BUFFER_BYTES / operation.len());
        let sum = run(black_box(Parser::new(LIMITS)), buffer.as_bytes(), black_box(ops));
        println!("{name}: {ops} ops, sum {sum}");
        println!("ops {ops}");
    }
    if found { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
