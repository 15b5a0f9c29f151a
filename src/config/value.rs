//! What a configuration file says, before anything is made of it.
//!
//! Owns the tree of values with the place each came from, and the peer's name for the type of each.
//! Knows no key and no default: `keys` and `apply` do. Invariant: keys of a map are unique (the last one written stays),
//! and shared parts (values taken by `$variable`) are shared, not copied, so a small file cannot become a large tree.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Where something was written: `file:line:column`, counted as the peer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: Arc<Path>,
    /// Line, from 1.
    pub line: usize,
    /// Column: from 0 on the first line, from 1 on the others (the peer's way).
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// One value.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// A whole number, with its size suffix applied.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A date in Zulu form, as written: no key takes one.
    Date(Box<[u8]>),
    /// Text: the bytes as written, escapes resolved.
    Text(Rc<[u8]>),
    /// `[ ]`.
    List(Rc<Vec<Node>>),
    /// `{ }`.
    Map(Rc<Map>),
}

impl Value {
    /// What the peer calls this value's type in its messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Date(_) => "time.Time",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }
}

/// A value, where it is, and whether something took it.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The place of its key, or its own in a list.
    pub place: Place,
    /// A `$variable` took this value, so its key may be one that nobody knows.
    pub is_variable: bool,
}

/// A block: keys and values in the order in which they were first written.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Box<[u8]>, Node)>,
    index: HashMap<Box<[u8]>, usize>,
}

impl Map {
    /// Sets a key; one that was there is replaced.
    pub fn insert(&mut self, key: &[u8], node: Node) {
        if let Some(entry) = self.index.get(key).and_then(|&at| self.entries.get_mut(at)) {
            entry.1 = node;
            return;
        }
        self.index.insert(key.into(), self.entries.len());
        self.entries.push((key.into(), node));
    }

    /// The value of a key, by its exact spelling.
    pub fn find(&self, key: &[u8]) -> Option<&Node> {
        self.index.get(key).and_then(|&at| self.entries.get(at)).map(|entry| &entry.1)
    }

    /// Remembers that a variable took this key's value; the value, if there is one.
    pub fn take_as_variable(&mut self, key: &[u8]) -> Option<Value> {
        let at = *self.index.get(key)?;
        let node = &mut self.entries.get_mut(at)?.1;
        node.is_variable = true;
        Some(node.value.clone())
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.entries.iter().map(|(key, node)| (&**key, node))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A value as the peer shows it in messages (`%v`). Of lists and blocks the peer shows addresses; here their type stands.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => shown_float(*value),
        Value::Date(text) => shown_date(text),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::List(items) if items.is_empty() => "[]".into(),
        Value::Map(map) if map.is_empty() => "map[]".into(),
        Value::List(_) | Value::Map(_) => value.type_name().into(),
    }
}

fn shown_date(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    format!("{} +0000 UTC", text.trim_end_matches('Z').replace('T', " "))
}

/// The shortest form; with an exponent from a million on and below a ten thousandth.
fn shown_float(value: f64) -> String {
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e').and_then(|(d, e)| Some((d, e.parse::<i32>().ok()?))) else {
        return text;
    };
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// A value as the peer quotes it in messages (`%q`), whatever its type.
pub(super) fn quoted_value(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        // A number is taken for a character.
        Value::Int(number) => {
            let c = u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
            let text = quoted(c.encode_utf8(&mut [0; 4]).as_bytes());
            match c {
                '\'' => "'\\''".into(),
                '"' => "'\"'".into(),
                _ => format!("'{}'", text.trim_matches('"')),
            }
        }
        Value::Date(text) => quoted(shown_date(text).as_bytes()),
        Value::List(_) | Value::Map(_) => shown(value),
        value => format!("%!q({}={})", value.type_name(), shown(value)),
    }
}

/// Text in double quotes as the peer quotes it in messages (`%q`).
pub(crate) fn quoted(text: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\x07' => out.push_str("\\a"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x0b' => out.push_str("\\v"),
                c if c.is_ascii_control() => {
                    let _ = write!(out, "\\x{:02x}", u32::from(c));
                }
                c if c.is_control()
                    || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{ad}') =>
                {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_the_peer_quotes() {
        for (text, expected) in [
            (&b"plain"[..], r#""plain""#),
            (b"a\"b\\c", r#""a\"b\\c""#),
            (b"\n\x01\x7f", r#""\n\x01\x7f""#),
            (b"\xff\xc3\xa9", "\"\\xff\u{e9}\""),
            ("\u{feff}a".as_bytes(), r#""\ufeffa""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn the_last_value_of_a_key_stays_in_the_first_ones_place() {
        let node = |n| Node {
            value: Value::Int(n),
            place: Place { file: Path::new("x").into(), line: 1, column: 0 },
            is_variable: false,
        };
        let mut map = Map::default();
        map.insert(b"a", node(1));
        map.insert(b"b", node(2));
        map.insert(b"a", node(3));
        assert_eq!(map.len(), 2);
        assert!(matches!(map.find(b"a"), Some(Node { value: Value::Int(3), .. })));
        assert_eq!(map.iter().map(|(key, _)| key).collect::<Vec<_>>(), [b"a", b"b"]);
    }
}
