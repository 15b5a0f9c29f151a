//! Tests of the file grammar: tables of inputs with the peer's answers, and inputs that must not hang or overflow.

use super::file::{InMemory, parse_text};
use super::parser::{ParseError, parse_file};
use super::value::{Map, Node, Value};
use std::path::Path;

/// The value of `X: text` in a short form, or the error.
fn value(text: &[u8]) -> Result<String, String> {
    let input = [b"X: ", text, b"\n"].concat();
    let map = parse_text(&input).map_err(|error| error.to_string())?;
    map.find(b"X").map(|node| short(&node.value)).ok_or_else(|| "no value".into())
}

fn short(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Date(text) => format!("date {}", String::from_utf8_lossy(text)),
        Value::Text(text) => super::value::quoted(text),
        Value::List(items) => {
            format!("[{}]", items.iter().map(|node| short(&node.value)).collect::<Vec<_>>().join(","))
        }
        Value::Map(map) => {
            let entry =
                |(key, node): (&[u8], &Node)| format!("{}:{}", String::from_utf8_lossy(key), short(&node.value));
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(","))
        }
    }
}

#[test]
fn values_are_what_the_peer_reads() {
    for (text, expected) in [
        ("abc", r#""abc""#),
        ("5", "5"),
        ("-5", "-5"),
        ("007", "7"),
        ("5k", "5000"),
        ("5KB", "5120"),
        ("5ki", "5120"),
        ("5KiB", "5120"),
        ("5m", "5000000"),
        ("5gib", "5368709120"),
        ("5e", "5000000000000000000"),
        ("5eb", "5764607523034234880"),
        ("-5kb", "-5120"),
        ("5b", r#""5b""#),
        ("5kx", r#""5kx""#),
        ("5#", r##""5#""##),
        ("1.5", "1.5"),
        ("-0.0", "-0.0"),
        ("127.0.0.1:4222", r#""127.0.0.1:4222""#),
        ("1_000", r#""1_000""#),
        ("TRUE", "true"),
        ("On", "true"),
        ("no", "false"),
        ("truex", r#""truex""#),
        ("true'", r#""true""#),
        (r#""true""#, r#""true""#),
        (r#""a\tb\x41""#, r#""a\tbA""#),
        (r"'a\tb'", r#""a\\tb""#),
        ("a#b", r##""a#b""##),
        ("a # b", r#""a""#),
        ("a // b", r#""a""#),
        ("$2a$10$abc", r#""$2a$10$abc""#),
        ("(\nabc\n)", r#""\nabc\n""#),
        ("(\n)b\n)", r#""\n)b\n""#),
        ("[]", "[]"),
        ("[a,b]", r#"["a","b"]"#),
        ("[1\n2\n]", "[1,2]"),
        ("[{a:1},{b:2}]", "[{a:1},{b:2}]"),
        ("[6k]", r#"["6k"]"#),
        ("{a:1;b:2}", "{a:1,b:2}"),
        ("{a:1\nb:{c:2}}", "{a:1,b:{c:2}}"),
        ("{a:1,a:2}", "{a:2}"),
        (r#"{"a b"=1, 'c' 2}"#, "{a b:1,c:2}"),
        ("2024-02-29T00:00:00Z", "date 2024-02-29T00:00:00Z"),
    ] {
        assert_eq!(value(text.as_bytes()).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn errors_are_the_peers() {
    for (text, expected) in [
        (
            "server_name: a b",
            "Parse error on line 1: 'Expected a top-level value to end with a new line, comment or EOF, but got 'b' instead.'",
        ),
        (
            "a: {b: c d}",
            "Parse error on line 1: 'Expected a map value terminator \",\" or a map terminator \"}\", but got 'd' instead.'",
        ),
        (
            "a: [b c]",
            "Parse error on line 1: 'Expected an array value terminator \",\" or an array terminator \"]\", but got 'c' instead.'",
        ),
        (
            "a: [1,2]",
            "Parse error on line 1: 'Expected an array value terminator \",\" or an array terminator \"]\", but got '\0' instead.'",
        ),
        ("a: [b,,c]", "Parse error on line 1: 'Unexpected array value terminator ','.'"),
        ("a: {b:,c:d}", "Parse error on line 1: 'Unexpected map value terminator \",\".'"),
        ("a:\n b", "Parse error on line 2: 'Expected value but found new line'"),
        ("a: \"b\nc: 1", "Parse error on line 2: 'Unexpected EOF.'"),
        ("a {\n", "Parse error on line 2: 'Unexpected EOF processing map.'"),
        ("a: (b", "Parse error on line 1: 'Unexpected EOF processing block.'"),
        ("= 5", "Parse error on line 1: 'Unexpected key separator '=''"),
        ("a {=b}", "Parse error on line 1: 'Unexpected key separator '='.'"),
        ("a: .5", "Parse error on line 1: 'Floats must start with a digit'"),
        ("a: 1.", "Parse error on line 1: 'Floats must have a digit after the '.', but got '\0' instead.'"),
        ("a: -x", "Parse error on line 1: 'Expected a digit but got 'x'.'"),
        ("a: 2024-01-01", "Parse error on line 1: 'Expected 'T' in ISO8601 datetime, but found '\0' instead.'"),
        ("a: 2024-13-01T00:00:00Z", "expected Zulu formatted DateTime, but got '2024-13-01T00:00:00Z'"),
        ("a: 99999999999999999999", "integer '99999999999999999999' is out of the range"),
        ("a: $NOWHERE", "variable reference for 'NOWHERE' on line 1 can not be found"),
        ("a: {b: 5}\nc: $b", "variable reference for 'b' on line 2 can not be found"),
        ("foo", "config is invalid (x.conf:1:3)"),
        ("a: 1\n,", "config is invalid (x.conf:2:2)"),
        ("include x", "error parsing include file 'x', open x: no such file or directory"),
        ("include {", "Parse error on line 1: 'Expected include value but found start of a map'"),
        (
            "a: \"\\q\"",
            "Parse error on line 1: 'Invalid escape character 'q'. Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\\", \\\\.'",
        ),
        ("a: \"\\xzz\"", "Parse error on line 1: 'Expected two hexadecimal digits after '\\x', but got 'zz''"),
    ] {
        assert_eq!(
            parse_text(text.as_bytes()).map(|_| ()).map_err(|error| error.to_string()),
            Err(expected.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn a_brace_alone_at_the_end_is_let_pass() {
    for text in ["max_payload: 1\n}\n", "{\"max_payload\": 1}", "{max_payload: 1}\n}", "max_payload: 1 }"] {
        let map = parse_text(text.as_bytes()).expect("the peer takes it");
        assert!(matches!(map.find(b"max_payload"), Some(Node { value: Value::Int(1), .. })), "{text}");
    }
}

fn parse_with(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Map, ParseError> {
    let files: Vec<_> = files.iter().map(|(name, text)| (Path::new(*name), text.as_bytes())).collect();
    let variables: Vec<_> = variables.iter().map(|(name, text)| (name.as_bytes(), text.as_bytes())).collect();
    parse_file(Path::new("x.conf"), &InMemory { files: &files, variables: &variables })
}

#[test]
fn includes_are_beside_the_file_that_includes() {
    let files = [
        ("x.conf", "include \"/s/a.conf\"\nb { include './s/../c.conf' }"),
        ("s/a.conf", "\n  one: 1; include deep/d.conf"),
        ("s/deep/d.conf", "two: 2"),
        ("c.conf", "three: 3"),
    ];
    let map = parse_with(&files, &[]).expect("all files are there");
    let place = |map: &Map, key: &[u8]| map.find(key).map(|node| node.place.to_string());
    assert_eq!(place(&map, b"one").as_deref(), Some("s/a.conf:2:3"));
    assert_eq!(place(&map, b"two").as_deref(), Some("s/deep/d.conf:1:0"));
    let Some(Node { value: Value::Map(inner), .. }) = map.find(b"b") else { panic!("b is a block") };
    assert_eq!(place(inner, b"three").as_deref(), Some("c.conf:1:0"));
}

#[test]
fn a_file_that_includes_itself_ends_in_an_error() {
    let error = parse_with(&[("x.conf", "include x.conf")], &[]).expect_err("a cycle");
    assert_eq!(error.to_string(), "error parsing include file 'x.conf', include cycle for 'x.conf'");
    let error = parse_with(&[("x.conf", "include y"), ("y", "include x.conf\ninclude x.conf\ninclude x.conf")], &[]);
    let error = error.expect_err("a cycle").to_string();
    assert_eq!(
        error,
        "error parsing include file 'y', error parsing include file 'x.conf', include cycle for 'x.conf'"
    );
    let names: Vec<String> = (0..40).map(|number| format!("f{number}.conf")).collect();
    let texts: Vec<String> = (1..41).map(|number| format!("include f{number}.conf")).collect();
    let files: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(name, text)| (&**name, &**text)).collect();
    let error = parse_with(&[&[("x.conf", "include f0.conf")], &files[..]].concat(), &[]).expect_err("too deep");
    assert!(error.to_string().ends_with("the configuration has too many files inside files"), "{error}");
}

/// An empty file costs no bytes, and still cannot be included for ever.
#[test]
fn includes_that_multiply_end_soon() {
    let (many_b, many_c) = ("include b\n".repeat(3000), "include c\n".repeat(3000));
    let error = parse_with(&[("x.conf", &many_b), ("b", &many_c), ("c", "")], &[]).expect_err("nine million files");
    assert!(error.to_string().ends_with("the configuration has too many files"), "{error}");
}

#[test]
fn variables_come_from_the_file_then_from_the_environment() {
    let file = "A: 1\nb { c: $A, A: 2, d: $A }\ne: $ENV\nf: $LIST";
    let map =
        parse_with(&[("x.conf", file)], &[("ENV", "2k"), ("LIST", "[a, $ENV]"), ("A", "9")]).expect("all are defined");
    assert_eq!(short(&Value::Map(map.into())), r#"{A:1,b:{c:1,A:2,d:2},e:2000,f:["a",2000]}"#);
    let error = parse_with(&[("x.conf", "a: $FOO")], &[("FOO", "$BAR"), ("BAR", "$FOO")]).expect_err("a cycle");
    assert_eq!(
        error.to_string(),
        "variable reference for 'FOO' on line 1 could not be parsed: variable reference for 'BAR' on line 1 could not be parsed: \
         variable reference for 'FOO' on line 1 could not be parsed: variable reference cycle for 'FOO'"
    );
}

/// Each variable holds the one before ten times: 10^30 values, were they copied.
#[test]
fn variables_cannot_grow_a_tree_without_bound() {
    let mut file = String::from("v0: x\n");
    for level in 1..30 {
        let uses = vec![format!("$v{}", level - 1); 10].join(", ");
        file.push_str(&format!("v{level}: [{uses}]\n"));
    }
    let error = parse_with(&[("x.conf", &file)], &[]).expect_err("too much");
    assert_eq!(error, ParseError::TooMuch("values"));
}

#[test]
fn nesting_is_bounded() {
    for open in ["[", "{a:", "a {", "{"] {
        let file = format!("a: {}", open.repeat(200_000));
        assert!(parse_text(file.as_bytes()).is_err(), "{open}");
    }
    let deep = format!("a: {}x{}", "[".repeat(200), "]".repeat(200));
    assert!(parse_text(deep.as_bytes()).is_ok());
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below).unwrap_or(1)).unwrap_or(0)
    }
}

/// nats-server's lexer has hung on such input (its issues 1791 and 1792).
#[test]
fn random_files_end_in_a_tree_or_an_error() {
    const PIECES: &[&str] = &[
        "a",
        "X",
        ":",
        "=",
        " ",
        "\n",
        "\r\n",
        "\t",
        ",",
        ";",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "(",
        ")",
        "\n)\n",
        "#",
        "//",
        "/",
        "$X",
        "$",
        "5",
        "1.5",
        "-",
        "5k",
        ".",
        "true",
        "\\",
        "\\x41",
        "include ",
        "2024-01-01T00:00:00Z",
        "\u{e9}",
        "\0",
        "\u{b}",
        "a: b\n",
        "X: 5\n",
        "k { ",
        " }",
        "max_payload",
    ];
    let seed = u64::from(std::process::id()) ^ 0x5eed;
    println!("seed {seed}");
    let mut random = Random(seed);
    for _ in 0..20_000 {
        let mut file = Vec::new();
        for _ in 0..random.next(24) {
            if random.next(8) == 0 {
                file.push(u8::try_from(random.next(256)).unwrap_or(0));
            } else {
                file.extend_from_slice(PIECES[random.next(PIECES.len())].as_bytes());
            }
        }
        // Neither panics nor hangs; what it gives is the other tests' business.
        if let Ok(map) = parse_text(&file) {
            let _ = super::digest::digest(&map);
            let _ = super::apply::apply(&map);
        }
    }
}
