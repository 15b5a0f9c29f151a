//! Tables of client input and what nats-server 2.15.1 was seen to make of it.
//!
//! Each row is parsed whole, and cut at every byte: a beginning may only be `NeedMore` or the row's own error.

use super::error::{ArgumentFault as Fault, ProtocolError as Error, Verb};
use super::op::{ClientOp, Publish};
use super::parser::{CONTROL_LINE_EXTRA_BYTES_MAX, Parsed, Parser, ParserLimits};

const LIMITS: ParserLimits = ParserLimits { control_line_bytes_max: 128, payload_bytes_max: 1024, headers: true };

pub(super) fn parser() -> Parser {
    Parser::new(LIMITS)
}

fn publish<'a>(subject: &'a str, reply: &'a str, content: &'a str) -> ClientOp<'a> {
    let (subject, reply, content) = (subject.as_bytes(), reply.as_bytes(), content.as_bytes());
    ClientOp::Publish(Publish { subject, reply, has_headers: false, header_len: 0, content })
}

fn with_headers<'a>(reply: &'a str, header_len: usize, content: &'a str) -> ClientOp<'a> {
    let (reply, content) = (reply.as_bytes(), content.as_bytes());
    ClientOp::Publish(Publish { subject: b"foo", reply, has_headers: true, header_len, content })
}

fn subscribe<'a>(pattern: &'a str, queue: Option<&'a str>, sid: &'a str) -> ClientOp<'a> {
    let queue = queue.map(str::as_bytes);
    ClientOp::Subscribe { pattern: pattern.as_bytes(), queue, sid: sid.as_bytes() }
}

fn unsubscribe(sid: &str, max: Option<u64>) -> ClientOp<'_> {
    ClientOp::Unsubscribe { sid: sid.as_bytes(), max }
}

fn bad(verb: Verb, fault: Fault) -> Error {
    Error::BadArguments { verb, fault }
}

/// Both ways of the parser agree on `input`; the answer.
pub(super) fn parse(parser: Parser, input: &[u8]) -> Result<Parsed<'_>, Error> {
    let parsed = parser.next(input);
    assert_eq!(parsed, parser.next_general(input), "{}", input.escape_ascii());
    parsed
}

/// Each beginning of `input` needs more bytes, or already has the same error as the whole.
fn check_cuts(parser: Parser, input: &[u8]) {
    let whole = parse(parser, input);
    let consumed = match whole {
        Ok(Parsed::Op { consumed, .. }) => consumed,
        _ => input.len(),
    };
    let mut failed = false;
    for cut in 0..consumed {
        match parse(parser, &input[..cut]) {
            Ok(Parsed::NeedMore { op_bytes }) => {
                assert!(!failed, "an error was taken back at {cut} of {}", input.escape_ascii());
                let announced = op_bytes == 0 || op_bytes > cut;
                assert!(announced, "{op_bytes} bytes announced where {cut} are there");
                if let Ok(Parsed::Op { consumed, .. }) = whole {
                    assert!(op_bytes == 0 || op_bytes == consumed, "{}", input.escape_ascii());
                }
            }
            Err(error) => {
                assert_eq!(Err(error), whole, "cut at {cut} of {}", input.escape_ascii());
                failed = true;
            }
            Ok(op) => panic!("{op:?} from the first {cut} bytes of {}", input.escape_ascii()),
        }
    }
}

#[test]
fn operations_in_every_spelling_that_the_peer_takes() {
    let rows: Vec<(&str, ClientOp)> = vec![
        ("PUB foo 2\r\nhi\r\n", publish("foo", "", "hi")),
        ("pUb foo 2\r\nhi\r\n", publish("foo", "", "hi")),
        ("PUB foo re.ply 2\r\nhi\r\n", publish("foo", "re.ply", "hi")),
        ("PUB foo 1 2\r\nhi\r\n", publish("foo", "1", "hi")),
        ("PUB foo 1x 2\r\nhi\r\n", publish("foo", "1x", "hi")),
        ("PUB foo 0\r\n\r\n", publish("foo", "", "")),
        ("PUB foo 000000002\r\nhi\r\n", publish("foo", "", "hi")),
        ("PUB \t foo \t 2 \t \r\nhi\r\n", publish("foo", "", "hi")),
        ("PUB\tfoo\t2\nhi\r\n", publish("foo", "", "hi")),
        ("PUB foo 2\r\n\r\n\r\n", publish("foo", "", "\r\n")),
        ("PUB a.subject.of.some.length 2\r\nhi\r\n", publish("a.subject.of.some.length", "", "hi")),
        ("PUB f\0o\x0b\x7f 1\r\nx\r\n", publish("f\0o\x0b\x7f", "", "x")),
        ("PUB ..> 1\r\nx\r\n", publish("..>", "", "x")),
        ("HPUB foo 2 5\r\nabcde\r\n", with_headers("", 2, "abcde")),
        ("hpub foo r 5 5\r\nabcde\r\n", with_headers("r", 5, "abcde")),
        ("HPUB foo 7 2 5\r\nabcde\r\n", with_headers("7", 2, "abcde")),
        ("HPUB\tfoo  0\t5 \nabcde\r\n", with_headers("", 0, "abcde")),
        ("HPUB foo 0 0\r\n\r\n", with_headers("", 0, "")),
        ("SUB foo 1\r\n", subscribe("foo", None, "1")),
        ("sub foo.* q 1\r\n", subscribe("foo.*", Some("q"), "1")),
        ("SUB\tfoo \t q\t1\t\n", subscribe("foo", Some("q"), "1")),
        ("SUB foo..bar sid\r\n", subscribe("foo..bar", None, "sid")),
        ("UNSUB 1\r\n", unsubscribe("1", None)),
        ("unsub abc 5\r\n", unsubscribe("abc", Some(5))),
        ("UNSUB\t1\tx\n", unsubscribe("1", None)),
        ("PING\r\n", ClientOp::Ping),
        ("ping\n", ClientOp::Ping),
        ("PING hello there\r\n", ClientOp::Ping),
        ("PINGPING\r\n", ClientOp::Ping),
        ("PING\r\r\r\n", ClientOp::Ping),
        ("PoNGx\r\n", ClientOp::Pong),
        ("+OK\r\n", ClientOp::Ignored),
        ("+okay then\r\n", ClientOp::Ignored),
        ("INFO {}\r\n", ClientOp::Ignored),
        ("info{\"a\":[1]}\n", ClientOp::Ignored),
        ("INFO null\r\n", ClientOp::Ignored),
        ("-ERR 'x y'\r\n", ClientOp::Err(b"'x y'")),
        ("-err\t \r\n", ClientOp::Err(b"")),
        ("CONNECT {\"verbose\":false}\r\n", ClientOp::Connect(b"{\"verbose\":false}")),
        ("connect{}\n", ClientOp::Connect(b"{}")),
        ("CONNECT\t {} \r\n", ClientOp::Connect(b"{} ")),
        ("CONNECT\r\n", ClientOp::Connect(b"")),
        ("CONNECTX\r\n", ClientOp::Connect(b"X")),
    ];
    for (input, expected) in rows {
        let followed = format!("{input}PING\r\n");
        for text in [input, &followed] {
            let expected = Ok(Parsed::Op { op: expected, consumed: input.len() });
            assert_eq!(parse(parser(), text.as_bytes()), expected, "{text:?}");
            check_cuts(parser(), text.as_bytes());
        }
    }
}

#[test]
fn refusals_come_where_the_peer_has_them() {
    let pub_ = |fault| bad(Verb::Publish, fault);
    let hpub = |fault| bad(Verb::PublishWithHeaders, fault);
    let rows: Vec<(&str, Error)> = vec![
        ("PUB foo 1\r\nxY", Error::UnknownOp),
        ("PUB foo 1\r\nx\rP", Error::UnknownOp),
        ("PUB foo 1\r\nx\n", Error::UnknownOp),
        ("HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhiX", Error::UnknownOp),
        ("PUB foo\r\n", pub_(Fault::Count)),
        ("PUB \r\n", pub_(Fault::Count)),
        ("PUB a b c 1\r\n", pub_(Fault::Count)),
        ("PUB foo,1\r\n", pub_(Fault::Count)),
        ("PUB foo abc\r\n", pub_(Fault::Size)),
        ("PUB foo -1\r\n", pub_(Fault::Size)),
        ("PUB foo +3\r\n", pub_(Fault::Size)),
        ("PUB foo 3.0\r\n", pub_(Fault::Size)),
        ("PUB foo 1000000000\r\n", pub_(Fault::Size)),
        ("PUB foo 99999999999999999999\r\n", pub_(Fault::Size)),
        ("PUB foo 0000000001\r\n", pub_(Fault::Size)),
        ("PUB foo 1025\r\n", Error::PayloadTooLarge { size: 1025, max: 1024 }),
        ("PUB foo 999999999\r\n", Error::PayloadTooLarge { size: 999_999_999, max: 1024 }),
        ("HPUB foo 5\r\n", hpub(Fault::Count)),
        ("HPUB foo re x 5 5\r\n", hpub(Fault::Count)),
        ("HPUB foo a 5\r\n", hpub(Fault::HeaderSize)),
        ("HPUB foo -1 5\r\n", hpub(Fault::HeaderSize)),
        ("HPUB foo 5 b\r\n", hpub(Fault::Size)),
        ("HPUB foo 1 1000000000\r\n", hpub(Fault::Size)),
        ("HPUB foo 12 11\r\n", hpub(Fault::HeaderLargerThanTotal)),
        ("HPUB foo 2000 1999\r\n", hpub(Fault::HeaderLargerThanTotal)),
        ("HPUB foo 1 1025\r\n", Error::PayloadTooLarge { size: 1025, max: 1024 }),
        ("SUB \r\n", bad(Verb::Subscribe, Fault::Count)),
        ("SUB foo\r\n", bad(Verb::Subscribe, Fault::Count)),
        ("SUB foo q 1 2\r\n", bad(Verb::Subscribe, Fault::Count)),
        ("UNSUB \r\n", bad(Verb::Unsubscribe, Fault::Count)),
        ("UNSUB 1 2 3\r\n", bad(Verb::Unsubscribe, Fault::Count)),
        ("INFO\r\n", Error::InfoMalformed),
        ("INFO x\r\n", Error::InfoMalformed),
        ("INFO [1]\r\n", Error::InfoMalformed),
        ("INFO {}{}\r\n", Error::InfoMalformed),
    ];
    for (input, expected) in rows {
        assert_eq!(parse(parser(), input.as_bytes()), Err(expected), "{input:?}");
        check_cuts(parser(), input.as_bytes());
        let early = &input.as_bytes()[..input.len() - 1];
        let parsed = parse(parser(), early);
        assert!(matches!(parsed, Ok(Parsed::NeedMore { .. })), "{input:?} is refused too early");
    }
}

#[test]
fn an_unknown_verb_is_refused_at_its_first_wrong_byte() {
    let rows = "X,PX,PUX,PUBX,PUB\r,PUB\n,SX,SUX,SUBX,HX,HPX,HPUX,HPUBX,CX,COX,CONNECX,UX,UNSUX,UNSUBX,IX,INX,INFX,\
                PIX,POX,+X,+OX,-X,-EX,-ERX,-ERRX,-ERR\r,M,HM,R,L,A,\r,\n, ,\t,\0,\u{b}OK,\rERR";
    for row in rows.split(',') {
        let input = row.as_bytes();
        assert_eq!(parse(parser(), input), Err(Error::UnknownOp), "{row:?}");
        check_cuts(parser(), input);
        let before = &input[..input.iter().rposition(|_| true).unwrap_or(0)];
        if !matches!(before, b"\x0bO" | b"\rER") {
            assert_eq!(parse(parser(), before), Ok(Parsed::NeedMore { op_bytes: 0 }), "{row:?}");
        }
    }
}

#[test]
fn the_control_line_is_bounded_with_and_without_its_end() {
    let max = LIMITS.control_line_bytes_max as usize;
    for verb in ["PUB ", "HPUB ", "SUB ", "UNSUB ", "CONNECT ", "INFO ", "-ERR ", "PING", "PONG", "+OK"] {
        let ignores_arguments = !verb.ends_with(' ');
        for arguments in [max - 1, max, max + 1, max + 2, 3 * max] {
            for end in ["", "\r", "\n", "\r\n"] {
                let input = format!("{verb}{}{end}", "a".repeat(arguments));
                let too_long = parse(parser(), input.as_bytes()) == Err(Error::ControlLineTooLong);
                assert_eq!(too_long, arguments > max, "{verb}, {arguments}, {end:?}");
                check_cuts(parser(), input.as_bytes());
            }
        }
        if !ignores_arguments {
            let blanks = " ".repeat(max + CONTROL_LINE_EXTRA_BYTES_MAX + 1);
            let input = format!("{verb}{blanks}");
            assert_eq!(parse(parser(), input.as_bytes()), Err(Error::ControlLineTooLong), "{verb}");
            check_cuts(parser(), input.as_bytes());
        }
    }
    for (input, long) in
        [(format!("SUB {} 1\r\n", "a".repeat(126)), false), (format!("PUB {} 1\r\n", "a".repeat(127)), true)]
    {
        assert_eq!(parse(parser(), input.as_bytes()) == Err(Error::ControlLineTooLong), long);
    }
}

#[test]
fn hpub_without_headers_is_refused_when_its_line_is_there() {
    let parser = Parser::new(ParserLimits { headers: false, ..LIMITS });
    for input in ["HPUB foo 1 1\r\n", "HPUB x\r\n", "hpub \n"] {
        assert_eq!(parse(parser, input.as_bytes()), Err(Error::HeadersNotSupported));
        check_cuts(parser, input.as_bytes());
    }
}

#[test]
fn a_waiting_payload_tells_how_large_its_operation_is() {
    for (input, op_bytes) in
        [("PUB foo 5\r\n", 18), ("PUB foo 5\r\nabcde\r", 18), ("HPUB foo 2 5\r\na", 21), ("PUB foo 5\r", 0)]
    {
        assert_eq!(parse(parser(), input.as_bytes()), Ok(Parsed::NeedMore { op_bytes }), "{input:?}");
    }
}

#[test]
fn before_connect_only_connect_may_begin() {
    let parser = parser();
    for input in ["P", "X", "i", "\r\n", "+", "SUB a 1\r\n"] {
        assert_eq!(parser.next_awaiting_connect(input.as_bytes()), Err(Error::AuthorizationViolation));
    }
    for input in ["", "C", "connec", "CONNECT {"] {
        assert_eq!(parser.next_awaiting_connect(input.as_bytes()), Ok(Parsed::NeedMore { op_bytes: 0 }));
    }
    assert_eq!(parser.next_awaiting_connect(b"CX"), Err(Error::UnknownOp));
    let whole = parser.next_awaiting_connect(b"CONNECT {}\r\n");
    assert_eq!(whole, Ok(Parsed::Op { op: ClientOp::Connect(b"{}"), consumed: 12 }));
}

#[test]
fn tob_nats_5_cr_inside_arguments_gives_one_result_by_any_cut() {
    let rows: Vec<(&[u8], Result<ClientOp, Error>)> = vec![
        (b"PUB a\rbc 3\r\nxyz\r\n", Ok(publish("a\rbc", "", "xyz"))),
        (b"PUB \ra 1\r\nx\r\n", Ok(publish("\ra", "", "x"))),
        (b"PUB a 1\r\r\n", Err(bad(Verb::Publish, Fault::Size))),
        (b"PUB a 1\r2\r\n", Err(bad(Verb::Publish, Fault::Size))),
        (b"PUB a \r1\r\n", Err(bad(Verb::Publish, Fault::Size))),
        (b"HPUB foo a\r 1 1\r\nx\r\n", Ok(with_headers("a\r", 1, "x"))),
        (b"SUB fo\ro 1\r\n", Ok(subscribe("fo", Some("o"), "1"))),
        (b"SUB foo 1\r\r\n", Ok(subscribe("foo", None, "1"))),
        (b"SUB foo \r1\r\n", Ok(subscribe("foo", None, "1"))),
        (b"UNSUB 1\r1\r\n", Ok(unsubscribe("1", Some(1)))),
        (b"UNSUB a\rb 1\r\n", Err(bad(Verb::Unsubscribe, Fault::Count))),
    ];
    for (input, expected) in rows {
        let expected = expected.map(|op| Parsed::Op { op, consumed: input.len() });
        assert_eq!(parse(parser(), input), expected, "{}", input.escape_ascii());
        check_cuts(parser(), input);
    }
}

#[test]
fn design_8_no_argument_can_hold_a_line_feed() {
    // The peer takes a line feed as the first byte of an argument and sends it on to subscribers as it is.
    for input in ["PUB \nfoo 1\r\nx\r\n", "HPUB \nfoo 0 1\r\nx\r\n", "SUB \nfoo 1\r\n", "UNSUB \n1\r\n"] {
        assert!(matches!(parse(parser(), input.as_bytes()), Err(Error::BadArguments { .. })), "{input:?}");
        check_cuts(parser(), input.as_bytes());
    }
}
