//! Headers of proxies, good and bad, whole and in pieces: the verdicts are those of nats-server 2.15.1.

use super::proxy_header::{Family, HeaderError as Error, LINE_BYTES_MAX, Missing, Progress, ProxyHeader};
use std::hash::{BuildHasher, Hasher, RandomState};

/// What becomes of all that a client sends: the source, or that there was no header, and how many bytes are not the header's.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Open(Missing),
    Source(Option<String>, usize),
    Absent(Vec<u8>),
    Wrong(Error),
}

/// Feeds pieces, one after the other.
fn feed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> End {
    let mut header = ProxyHeader::default();
    let mut pieces = pieces.into_iter();
    while let Some(piece) = pieces.next() {
        match header.advance(piece) {
            Ok(Progress::NeedMore) => {}
            Ok(Progress::Done { consumed, source }) => {
                let rest = piece.len() - consumed + pieces.map(<[u8]>::len).sum::<usize>();
                return End::Source(source.map(|source| source.to_string()), rest);
            }
            Ok(Progress::Absent) => {
                let rest: Vec<&[u8]> = pieces.collect();
                return End::Absent([header.held(), piece, &rest.concat()].concat());
            }
            Err(error) => return End::Wrong(error),
        }
    }
    End::Open(header.missing())
}

/// Whole, byte by byte, and cut at every place: always the same.
fn end_of(input: &[u8]) -> End {
    let whole = feed([input]);
    assert_eq!(feed(input.chunks(1)), whole, "byte by byte: {}", input.escape_ascii());
    for cut in 0..input.len().min(200) {
        let (a, b) = input.split_at(cut);
        assert_eq!(feed([a, b]), whole, "cut at {cut}: {}", input.escape_ascii());
    }
    whole
}

fn source(text: &str, rest: usize) -> End {
    End::Source(Some(text.to_owned()), rest)
}

const NONE: End = End::Source(None, 0);
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn binary(version_command: u8, family_transport: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [SIGNATURE, &[version_command, family_transport], &length, body].concat()
}

const FOUR: [u8; 12] = [10, 1, 2, 3, 10, 9, 9, 9, 0x04, 0xd2, 0x10, 0x7e];
const SIX: [u8; 36] = {
    let mut bytes = [0; 36];
    (bytes[0], bytes[1], bytes[2], bytes[3], bytes[15]) = (0x20, 0x01, 0x0d, 0xb8, 1);
    (bytes[32], bytes[33]) = (0x04, 0xd2);
    bytes
};

#[test]
fn lines_that_name_a_client() {
    let rows = [
        ("PROXY TCP4 10.1.2.3 10.9.9.9 1234 4222\r\n", "10.1.2.3:1234"),
        ("PROXY TCP6 2001:db8::1 2001:db8::2 1234 4222\r\n", "[2001:db8::1]:1234"),
        ("PROXY TCP6 ::ffff:1.2.3.4 ::ffff:9.9.9.9 1234 4222\r\n", "[::ffff:1.2.3.4]:1234"),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 0 0\r\n", "10.1.2.3:0"),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 005 0\r\n", "10.1.2.3:5"),
        ("PROXY  TCP4\t10.1.2.3 10.9.9.9\r1234\n4222 \r\n", "10.1.2.3:1234"),
        ("PROXY TCP4 10.1.2.3\u{a0}10.9.9.9 1234 4222\r\n", "10.1.2.3:1234"),
    ];
    for (line, expected) in rows {
        assert_eq!(end_of(line.as_bytes()), source(expected, 0), "{line:?}");
        assert_eq!(end_of(format!("{line}PING\r\n").as_bytes()), source(expected, 6), "{line:?}");
    }
}

#[test]
fn lines_that_name_nobody() {
    for tail in ["", " ", " ffff::1 ffff::2 1 2", " whatever it is"] {
        assert_eq!(end_of(format!("PROXY UNKNOWN{tail}\r\n").as_bytes()), NONE);
    }
    let longest = format!("PROXY UNKNOWN {:x<1$}\r\n", "", LINE_BYTES_MAX - 16);
    assert_eq!(longest.len(), LINE_BYTES_MAX);
    assert_eq!(end_of(longest.as_bytes()), NONE);
    let longer = longest.replace('x', "xx");
    assert_eq!(end_of(longer.as_bytes()), End::Wrong(Error::LineTooLong));
    assert_eq!(end_of(&longer.as_bytes()[..LINE_BYTES_MAX]), End::Wrong(Error::LineTooLong));
    assert!(matches!(end_of(&longer.as_bytes()[..LINE_BYTES_MAX - 1]), End::Open(_)));
}

#[test]
fn lines_that_are_wrong() {
    let port = |is_source, text: &str, out_of_range| Error::Port { is_source, text: text.into(), out_of_range };
    let rows = [
        ("PROXY \r\n", Error::Line),
        ("PROXY TCP4\r\n", Error::Line),
        ("PROXY UNKNOWNX\r\n", Error::Line),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 1234\r\n", Error::Line),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 1234 4222 7\r\n", Error::Line),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 1234 4222\nPING 1\r\n", Error::Line),
        ("PROXY TCP4 foo 10.9.9.9 1234 4222\r\n", Error::Address),
        ("PROXY TCP4 10.1.2.3 bar 1234 4222\r\n", Error::Address),
        ("PROXY TCP4 010.1.2.3 10.9.9.9 1234 4222\r\n", Error::Address),
        ("PROXY TCP6 fe80::1%eth0 fe80::2 1234 4222\r\n", Error::Address),
        ("PROXY XXX foo bar x y\r\n", Error::Address),
        ("PROXY TCP4 ::1 ::2 x y\r\n", port(true, "x", false)),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 1 y\r\n", port(false, "y", false)),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 70000 1\r\n", port(true, "70000", true)),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 99999999999999999999999 1\r\n", port(true, "99999999999999999999999", true)),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 -1 1\r\n", port(true, "-1", false)),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 +5 1\r\n", port(true, "+5", false)),
        ("PROXY TCP4 10.1.2.3 10.9.9.9 1_0 1\r\n", port(true, "1_0", false)),
        ("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", Error::OtherFamily(Family::Six)),
        ("PROXY TCP4 1.2.3.4 2001:db8::1 1 2\r\n", Error::OtherFamily(Family::Six)),
        ("PROXY TCP4 ::ffff:1.2.3.4 ::ffff:9.9.9.9 1 2\r\n", Error::OtherFamily(Family::Six)),
        ("PROXY TCP6 10.1.2.3 10.9.9.9 1 2\r\n", Error::OtherFamily(Family::Four)),
        ("PROXY TCP6 2001:db8::1 9.9.9.9 1 2\r\n", Error::OtherFamily(Family::Four)),
        ("PROXY tcp4 10.1.2.3 10.9.9.9 1 2\r\n", Error::Transport("tcp4".into())),
        ("PROXY UDP4 10.1.2.3 10.9.9.9 1 2\r\n", Error::Transport("UDP4".into())),
    ];
    for (line, expected) in rows {
        assert_eq!(end_of(line.as_bytes()), End::Wrong(expected), "{line:?}");
    }
    let not_utf8 = end_of(b"PROXY TCP\xff4 1.2.3.4 5.6.7.8 1 2\r\n");
    assert_eq!(not_utf8, End::Wrong(Error::Transport("TCP\u{fffd}4".into())));
}

#[test]
fn binary_headers() {
    let mapped = [&[0; 10], &[0xff, 0xff, 1, 2, 3, 4][..], &[0; 16], &[0, 7, 0, 8]].concat();
    let with = |addresses: &[u8], count: usize| [addresses, &vec![3; count]].concat();
    let rows = [
        (binary(0x21, 0x11, &FOUR), source("10.1.2.3:1234", 0)),
        (binary(0x21, 0x21, &SIX), source("[2001:db8::1]:1234", 0)),
        (binary(0x21, 0x21, &mapped), source("[::ffff:1.2.3.4]:7", 0)),
        (binary(0x21, 0x11, &[0; 12]), source("0.0.0.0:0", 0)),
        (binary(0x21, 0x11, &with(&FOUR, 7)), source("10.1.2.3:1234", 0)),
        (binary(0x21, 0x21, &with(&SIX, 4096)), source("[2001:db8::1]:1234", 0)),
        (binary(0x20, 0x00, b""), NONE),
        (binary(0x20, 0x11, &FOUR), NONE),
        (binary(0x20, 0x42, &[9; 50]), NONE),
        (binary(0x21, 0x01, b""), NONE),
        (binary(0x21, 0x01, b"abcde"), NONE),
    ];
    for (bytes, expected) in rows {
        assert_eq!(end_of(&bytes), expected, "{}", bytes.escape_ascii());
        let End::Source(from, 0) = expected else { panic!("a complete header") };
        assert_eq!(end_of(&[&bytes, &b"PUB a 0\r\n"[..]].concat()), End::Source(from, 9));
    }
    for bytes in [binary(0x21, 0x11, &with(&FOUR, 65_523)), binary(0x20, 0x11, &[7; 65_535])] {
        assert!(matches!(feed([&bytes[..]]), End::Source(_, 0)));
        assert!(matches!(feed(bytes.chunks(1000)), End::Source(_, 0)));
        assert!(matches!(feed([&bytes[..bytes.len() - 1]]), End::Open(_)));
    }
}

#[test]
fn binary_headers_that_are_wrong() {
    let mut signature = [SIGNATURE, &[0x12, 0x11, 0, 0]].concat();
    let rows = [
        (binary(0x11, 0x11, &FOUR), Error::Version(0x10)),
        (binary(0x32, 0x11, &FOUR), Error::Version(0x30)),
        (binary(0x22, 0x11, &FOUR), Error::Command(2)),
        (binary(0x21, 0x00, b""), Error::NotStream),
        (binary(0x21, 0x10, &FOUR), Error::NotStream),
        (binary(0x21, 0x12, &FOUR), Error::NotStream),
        (binary(0x21, 0x13, &FOUR), Error::NotStream),
        (binary(0x21, 0x42, b""), Error::NotStream),
        (binary(0x21, 0x31, &[0; 216]), Error::Family(0x30)),
        (binary(0x21, 0x41, &FOUR), Error::Family(0x40)),
        (binary(0x21, 0x11, &[0; 8]), Error::TooShort { family: Family::Four, bytes: 8 }),
        (binary(0x21, 0x21, &[0; 20]), Error::TooShort { family: Family::Six, bytes: 20 }),
    ];
    for (bytes, expected) in rows {
        assert_eq!(end_of(&bytes), End::Wrong(expected.clone()), "{}", bytes.escape_ascii());
        assert_eq!(end_of(&bytes[..16]), End::Wrong(expected), "before what it announces has come");
    }
    for at in 6..12 {
        signature[at] ^= 1;
        assert_eq!(end_of(&signature[..12]), End::Wrong(Error::Signature));
        signature[at] ^= 1;
    }
}

#[test]
fn a_client_may_do_without() {
    for input in
        ["PING\r\n", "CONNECT {}\r\nPING\r\n", "+OK\r\n", "proxy TCP4", "PROXYX", "PROXY\r\n", "\r\n\r\nxx", "\0", "P!"]
    {
        assert_eq!(end_of(input.as_bytes()), End::Absent(input.as_bytes().to_vec()), "{input:?}");
    }
}

#[test]
fn what_is_missing_is_known() {
    let missing = |input: &[u8]| match end_of(input) {
        End::Open(missing) => (missing.doing, missing.midway),
        other => panic!("{other:?}"),
    };
    let four = binary(0x21, 0x11, &[&FOUR[..], &[0; 9]].concat());
    let six = binary(0x21, 0x21, &SIX);
    assert_eq!(missing(b""), ("failed to read protocol version", false));
    assert_eq!(missing(b"PRO"), ("failed to read protocol version", true));
    assert_eq!(missing(b"PROXY "), ("failed to read v1 line", false));
    assert_eq!(missing(b"PROXY TCP4 1"), ("failed to read v1 line", false));
    assert_eq!(missing(&four[..6]), ("failed to read v2 signature", false));
    assert_eq!(missing(&four[..9]), ("failed to read v2 signature", true));
    assert_eq!(missing(&four[..12]), ("failed to read v2 header", false));
    assert_eq!(missing(&four[..15]), ("failed to read v2 header", true));
    assert_eq!(missing(&four[..16]), ("failed to read IPv4 address data", false));
    assert_eq!(missing(&four[..17]), ("failed to read IPv4 address data", true));
    assert_eq!(missing(&four[..30]), ("failed to read IPv4 address data", true));
    assert_eq!(missing(&six[..30]), ("failed to read IPv6 address data", true));
    let local = binary(0x20, 0x00, &[0; 50]);
    assert_eq!(missing(&local[..30]), ("failed to discard LOCAL command address data", false));
    let unspecified = binary(0x21, 0x01, &[0; 50]);
    assert_eq!(missing(&unspecified[..30]), ("failed to discard UNSPEC address address data", false));
}

#[test]
fn random_headers_cut_at_random() {
    let seed = RandomState::new().build_hasher().finish();
    println!("seed {seed}");
    let mut state = seed;
    let mut below = |bound: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    };
    let sound = [
        b"PROXY TCP4 10.1.2.3 10.9.9.9 1234 4222\r\nPING\r\n".to_vec(),
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1234 4222\r\nPING\r\n".to_vec(),
        b"PROXY UNKNOWN\r\nPING\r\n".to_vec(),
        binary(0x21, 0x11, &[&FOUR[..], &[0; 40]].concat()),
        binary(0x21, 0x21, &SIX),
        binary(0x20, 0x00, &[0; 30]),
        b"CONNECT {}\r\n".to_vec(),
    ];
    for _ in 0..5000 {
        let mut bytes = sound[below(sound.len())].clone();
        for _ in 0..below(4) {
            let at = below(bytes.len());
            bytes[at] = [b' ', b'\r', b'\n', 0, 0x21, 0xff, b'1', b':'][below(8)];
        }
        bytes.truncate(1 + below(2 * bytes.len()));
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(below(rest.len() + 1));
            pieces.push(piece);
            rest = behind;
        }
        assert_eq!(feed(pieces), feed([&bytes[..]]), "{}", bytes.escape_ascii());
    }
}
