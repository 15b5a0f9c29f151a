//! Random input, cut at random: what a connection makes of it must not depend on the cuts (TOB-NATS-5).

use super::error::ProtocolError as Error;
use super::parser::Parsed;
use super::parser_tests::{parse, parser};
use std::hash::{BuildHasher, Hasher, RandomState};

/// A small generator of input that is mostly sound and sometimes not.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn input(&mut self) -> Vec<u8> {
        const PARTS: [&[u8]; 24] = [
            b"PUB foo 2\r\nhi\r\n",
            b"PUB a.b _INBOX.x 0\r\n\r\n",
            b"HPUB foo 2 3\r\nabc\r\n",
            b"SUB foo.> 1\r\n",
            b"UNSUB 1 2\r\n",
            b"UNSUB 12\r\n",
            b"PING\r\n",
            b"PONG\r\n",
            b"SUB a q 7\r\n",
            b"pub x 10\r\n0123456789\r\n",
            b"CONNECT {}\r\n",
            b"+OK\r\n",
            b"PUB ",
            b"HPUB ",
            b"SUB ",
            b"foo",
            b" ",
            b"\t",
            b"\r",
            b"\n",
            b"\r\n",
            b"3",
            b"INFO {}\r\n",
            b"-ERR x\r\n",
        ];
        let mut input = Vec::new();
        for _ in 0..1 + self.below(8) {
            input.extend_from_slice(PARTS[self.below(PARTS.len())]);
        }
        if self.below(3) == 0 {
            let at = self.below(input.len());
            input[at] = self.next() as u8;
        }
        input
    }
}

/// What a connection makes of `input` that arrives in pieces: the operations, and how it ended.
fn run(input: &[u8], mut piece: impl FnMut() -> usize) -> (Vec<String>, Option<Error>) {
    let (mut ops, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match parse(parser(), &input[start..end]) {
            Ok(Parsed::Op { op, consumed }) => {
                ops.push(format!("{op:?}"));
                start += consumed;
            }
            Ok(Parsed::NeedMore { .. }) if end == input.len() => return (ops, None),
            Ok(Parsed::NeedMore { .. }) => end = input.len().min(end + piece().max(1)),
            Err(error) => return (ops, Some(error)),
        }
    }
}

#[test]
fn tob_nats_5_random_input_gives_one_result_by_any_cut() {
    let seed = RandomState::new().build_hasher().finish();
    println!("seed {seed}");
    let mut random = Random(seed);
    for _ in 0..5_000 {
        let input = random.input();
        let whole = run(&input, || input.len());
        assert_eq!(run(&input, || 1), whole, "byte by byte: {}", input.escape_ascii());
        for _ in 0..4 {
            let cut = run(&input, || random.below(9));
            assert_eq!(cut, whole, "seed {seed}: {}", input.escape_ascii());
        }
    }
}
