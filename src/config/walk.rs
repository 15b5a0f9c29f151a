//! The single values of one configuration file with the bytes that each takes, for tools that change a file and keep the rest.
//!
//! Owns nothing: it walks the tokens of `lexer`, so what is a value is said in one place. Opens no include, looks up no
//! variable and knows no key. Invariant: the spans rise and do not overlap.

use super::lexer::{Lexer, TokenKind};
use super::parser::beside;
use super::syntax::SyntaxError;
use super::value::Place;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stands at a place.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// Text, escapes resolved. It may be a secret, so this type has no `Debug`.
    Text(Vec<u8>),
    /// `$NAME`, without the sign.
    Variable(Vec<u8>),
    /// The file of an `include`.
    Include(PathBuf),
    /// A truth value, a number or a date: the peer's name for its type.
    Other(&'static str),
}

/// One single value.
pub struct Entry<'a> {
    /// The keys that lead to it, as written; lists have none.
    pub keys: &'a [Vec<u8>],
    /// The value.
    pub value: Scalar,
    /// Its bytes in the file, quotes included (for an include: those of its end alone).
    pub bytes: Range<usize>,
    /// Where it is.
    pub place: Place,
}

/// A file is not in the grammar. It does not say what stands there, as that may be a part of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutsideGrammar {
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for OutsideGrammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parse error on line {}", self.line)
    }
}

impl std::error::Error for OutsideGrammar {}

impl From<SyntaxError> for OutsideGrammar {
    fn from(error: SyntaxError) -> Self {
        Self { line: error.line }
    }
}

/// Tells `visit` of every single value of `text`, in order; `file` is its name in places, and includes are beside it.
///
/// # Errors
/// The first place that is not in the grammar.
pub fn walk(file: &Path, text: &[u8], visit: &mut dyn FnMut(Entry<'_>)) -> Result<(), OutsideGrammar> {
    let file: Arc<Path> = file.into();
    let mut lexer = Lexer::new(text);
    let mut keys: Vec<Vec<u8>> = Vec::new();
    // How many keys lead to each open block (with `true`) or list.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut key_is_last = false;
    loop {
        let token = lexer.next_token()?;
        let place = Place { file: Arc::clone(&file), line: token.line, column: token.column };
        let value = match token.kind {
            TokenKind::End if key_is_last => return Err(OutsideGrammar { line: place.line }),
            TokenKind::End => return Ok(()),
            TokenKind::Key(key) => {
                key_is_last = key != b"}";
                keys.push(key);
                continue;
            }
            TokenKind::MapStart | TokenKind::ListStart => {
                key_is_last = false;
                open.push((keys.len(), token.kind == TokenKind::MapStart));
                continue;
            }
            TokenKind::MapEnd | TokenKind::ListEnd => {
                key_is_last = false;
                keys.truncate(open.pop().map_or(0, |(depth, _)| depth));
                end_entry(&mut keys, &open);
                continue;
            }
            TokenKind::Include(name) => Scalar::Include(beside(&file, &String::from_utf8_lossy(&name))),
            TokenKind::Variable(name) => Scalar::Variable(name),
            TokenKind::Text(text) => Scalar::Text(text),
            TokenKind::Bool(_) => Scalar::Other("bool"),
            TokenKind::Number(_) => Scalar::Other("int64"),
            TokenKind::Float(_) => Scalar::Other("float64"),
            TokenKind::Date(_) => Scalar::Other("time.Time"),
        };
        key_is_last = false;
        let is_include = matches!(value, Scalar::Include(_));
        let start = if is_include { lexer.at } else { lexer.value_start };
        visit(Entry { keys: &keys, value, bytes: start..lexer.at, place });
        if !is_include {
            end_entry(&mut keys, &open);
        }
    }
}

/// A value is over: outside of a list, its key is too.
fn end_entry(keys: &mut Vec<Vec<u8>>, open: &[(usize, bool)]) {
    match open.last() {
        Some(&(depth, true)) => keys.truncate(depth),
        Some((_, false)) => {}
        None => keys.clear(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &[u8]) -> Result<Vec<String>, OutsideGrammar> {
        let mut lines = Vec::new();
        walk(Path::new("conf/x.conf"), text, &mut |entry| {
            let keys: Vec<_> = entry.keys.iter().map(|key| String::from_utf8_lossy(key)).collect();
            let value = match entry.value {
                Scalar::Text(text) => format!("text {}", String::from_utf8_lossy(&text)),
                Scalar::Variable(name) => format!("variable {}", String::from_utf8_lossy(&name)),
                Scalar::Include(path) => format!("include {}", path.display()),
                Scalar::Other(name) => name.to_owned(),
            };
            let written = String::from_utf8_lossy(&text[entry.bytes]);
            lines.push(format!("{} | {value} | {written} | {}", keys.join("."), entry.place));
        })?;
        Ok(lines)
    }

    #[test]
    fn every_value_is_told_with_its_keys_and_its_bytes() {
        let text = b"# top\nauthorization {\n  users = [\n    {user: a, password: \"s\\x31\"} # one\n    {user: 'b', pass: bare}\n  ]\n  timeout: 2\n  token: $T\n}\naccounts: { A: { users: [ {user: c, password: (\nblock\n)\n } ] }, B { x: on } }\ninclude sub/y.conf\ndebug: true";
        assert_eq!(
            walked(text).expect("in the grammar"),
            [
                "authorization.users.user | text a | a | conf/x.conf:4:12",
                "authorization.users.password | text s1 | \"s\\x31\" | conf/x.conf:4:26",
                "authorization.users.user | text b | 'b' | conf/x.conf:5:13",
                "authorization.users.pass | text bare | bare | conf/x.conf:5:23",
                "authorization.timeout | int64 | 2 | conf/x.conf:7:12",
                "authorization.token | variable T | $T | conf/x.conf:8:10",
                "accounts.A.users.user | text c | c | conf/x.conf:10:34",
                "accounts.A.users.password | text \nblock\n | (\nblock\n) | conf/x.conf:12:48",
                "accounts.B.x | bool | on | conf/x.conf:13:16",
                " | include conf/sub/y.conf |  | conf/x.conf:14:9",
                "debug | bool | true | conf/x.conf:15:8",
            ]
        );
    }

    #[test]
    fn a_file_in_json_is_walked_too() {
        let text = br#"{"authorization": {"users": [{"user": "a", "password": "p"}], "timeout": 1.5}, "http": 8222}"#;
        assert_eq!(
            walked(text).expect("in the grammar"),
            [
                "authorization.users.user | text a | \"a\" | conf/x.conf:1:39",
                "authorization.users.password | text p | \"p\" | conf/x.conf:1:56",
                "authorization.timeout | float64 | 1.5 | conf/x.conf:1:73",
                "http | int64 | 8222 | conf/x.conf:1:87",
            ]
        );
    }

    #[test]
    fn what_is_not_in_the_grammar_is_an_error() {
        for (text, line) in [(&b"\na {"[..], 2), (b"a: \"b", 1), (b"foo", 1), (b"a: 1\nb: [1,2", 2)] {
            assert_eq!(walked(text), Err(OutsideGrammar { line }), "{}", String::from_utf8_lossy(text));
        }
    }

    /// splitmix64.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % bound
        }

        fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
            choices[usize::try_from(self.below(choices.len() as u64)).expect("small")]
        }

        /// A value as text, with names that no other value has.
        fn value(&mut self, depth: u32, number: &mut u32, out: &mut String) {
            *number += 1;
            match self.below(if depth < 4 { 10 } else { 7 }) {
                7 | 8 => {
                    out.push_str(self.of(&["{", "{ ", "{\n  # one: two\n"]));
                    self.entries(depth + 1, number, out);
                    out.push('}');
                }
                9 => {
                    out.push('[');
                    for _ in 0..self.below(4) {
                        out.push_str(self.of(&[" ", "", "\n", "// 'x\n"]));
                        self.value(depth + 1, number, out);
                        self.end_value(&[",", "\n", " , ", "\r\n"], out);
                    }
                    out.push(']');
                }
                0 => out.push_str(&format!("'s {number} # }}'")),
                1 => out.push_str(&format!("\"d\\t{number}\\\"\\x41 {{\"")),
                2 => out.push_str(&format!("bare{number}#x")),
                3 => out.push_str(&number.to_string()),
                4 => out.push_str(self.of(&["true", "off", "1.5", "2024-02-29T00:00:00Z", "5kb"])),
                5 => out.push_str(&format!("(\nblock {number} ) }}\n)")),
                _ => out.push_str(&format!("{number}h0")),
            }
        }

        /// The end of a block has a line of its own.
        fn end_value(&mut self, ends: &[&str], out: &mut String) {
            let end = if out.ends_with("\n)") { "\n" } else { self.of(ends) };
            out.push_str(end);
        }

        fn entries(&mut self, depth: u32, number: &mut u32, out: &mut String) {
            for _ in 0..self.below(5) {
                *number += 1;
                let quote = self.of(&["", "\"", "'"]);
                out.push_str(&format!("{quote}k{number}{quote}{}", self.of(&[": ", "=", " ", " : "])));
                self.value(depth, number, out);
                self.end_value(&["\n", "\r\n", ";\n", " # c\n", " // [c\n", "\n\n"], out);
            }
        }
    }

    /// The single values of what the parser has made, with their keys.
    fn flat(map: &crate::config::value::Map) -> Vec<(Vec<Vec<u8>>, Scalar)> {
        use crate::config::value::{Node, Value};
        fn push(node: &Node, keys: &[Vec<u8>], out: &mut Vec<(Vec<Vec<u8>>, Scalar)>) {
            match &node.value {
                Value::Text(text) => out.push((keys.to_vec(), Scalar::Text(text.to_vec()))),
                Value::List(items) => items.iter().for_each(|item| push(item, keys, out)),
                Value::Map(map) => {
                    for (key, node) in map.iter() {
                        push(node, &[keys, &[key.to_vec()]].concat(), out);
                    }
                }
                other => out.push((keys.to_vec(), Scalar::Other(other.type_name()))),
            }
        }
        let mut out = Vec::new();
        map.iter().for_each(|(key, node)| push(node, &[key.to_vec()], &mut out));
        out
    }

    #[test]
    fn random_files_are_walked_as_they_are_parsed() {
        let mut values = 0;
        for seed in 0..2000 {
            let mut text = String::new();
            Random(seed).entries(0, &mut 0, &mut text);
            let map = crate::config::file::parse_text(text.as_bytes());
            let map = map.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
            let (mut got, mut end) = (Vec::new(), 0);
            let walked = walk(Path::new("x"), text.as_bytes(), &mut |entry| {
                assert!(entry.bytes.start >= end && entry.bytes.end > entry.bytes.start, "seed {seed}\n{text}");
                end = entry.bytes.end;
                got.push((entry.keys.to_vec(), entry.value));
            });
            assert_eq!(walked, Ok(()), "seed {seed}\n{text}");
            assert!(got == flat(&map), "seed {seed}\n{text}");
            values += got.len();
        }
        assert!(values > 5000, "{values} values");
    }
}
