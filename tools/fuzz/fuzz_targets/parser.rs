//! What a client says means the same however it is cut (TOB-NATS-5), and what is said to subscribers stays on its line.
//!
//! The first bytes of the input choose limits and cuts, the rest is what the client sends. The operations and the end of
//! a connection that gets it in one piece are compared with those of one that gets it byte by byte, and in pieces.
#![no_main]

use dunlin::protocol::encoder::{put_hmsg_head, put_msg_head};
use dunlin::protocol::handshake::ConnectOptions;
use dunlin::protocol::{ClientOp, Parsed, Parser, ParserLimits, ProtocolError};
use libfuzzer_sys::fuzz_target;

/// The operations in order, where each began, and the error that ended them.
type Run<'a> = (Vec<(usize, ClientOp<'a>)>, Option<ProtocolError>);

fn run<'a>(parser: Parser, input: &'a [u8], mut piece: impl FnMut() -> usize) -> Run<'a> {
    let (mut ops, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match parser.next(&input[start..end]) {
            Ok(Parsed::Op { op, consumed }) => {
                assert!(consumed > 0 && consumed <= end - start);
                ops.push((start, op));
                start += consumed;
            }
            Ok(Parsed::NeedMore { op_bytes }) => {
                assert!(op_bytes == 0 || op_bytes > end - start, "there already");
                if end == input.len() {
                    return (ops, None);
                }
                end = input.len().min(end + piece().max(1));
            }
            Err(error) => return (ops, Some(error)),
        }
    }
}

/// Whatever was parsed can be encoded, as one line.
fn encode(op: &ClientOp<'_>) {
    let mut out = Vec::new();
    match op {
        ClientOp::Publish(publish) if publish.has_headers => {
            put_hmsg_head(&mut out, publish.subject, b"1", publish.reply, publish.header_len, publish.content.len());
        }
        ClientOp::Publish(publish) => {
            put_msg_head(&mut out, publish.subject, b"1", publish.reply, publish.content.len())
        }
        ClientOp::Subscribe { pattern, sid, .. } => put_msg_head(&mut out, pattern, sid, b"", 0),
        ClientOp::Connect(body) => {
            // Refused or not, it must not panic.
            let _ = ConnectOptions::default().apply(body, true);
            return;
        }
        _ => return,
    }
    assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1, "one line: {}", out.escape_ascii());
}

fuzz_target!(|data: &[u8]| {
    let Some((&[control_line, payload, headers, seed], input)) = data.split_first_chunk() else {
        return;
    };
    let parser = Parser::new(ParserLimits {
        control_line_bytes_max: 16 + u32::from(control_line),
        payload_bytes_max: u32::from(payload),
        headers: headers & 1 == 1,
    });
    let whole = run(parser, input, || input.len());
    assert_eq!(run(parser, input, || 1), whole, "byte by byte");
    let mut state = u32::from(seed) | 1;
    let pieces = run(parser, input, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 28) as usize
    });
    assert_eq!(pieces, whole, "in pieces");
    whole.0.iter().for_each(|(_, op)| encode(op));
});
