//! Files made of the tables: each key good, with other names, with values of other types, out of range, in other blocks, and misspelt.
//!
//! A block that gets a table is in the corpus by that; the rest of this file need not know it.

use super::frames;
use dunlin::config::keys::{self, Key, Kind, Shape};

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Path of the key, what is done with it, and the value: `tls.timeout/type/true`.
    pub name: String,
    /// The file.
    pub text: String,
    /// It is right, whoever reads it.
    pub is_good: bool,
    /// The peer has no such key.
    pub is_own: bool,
}

/// One of each type.
const TYPES: &[&str] = &["true", "5", "1.5", "\"text\"", "[1]", "[\"a\"]", "{a: 1}", "2024-02-29T00:00:00Z"];
const NUMBERS: &[&str] = &["-1", "0", "-5", "256", "70000", "2147483648", "9223372036854775807"];
const TEXTS: &[&str] = &["\"\"", "\"a b\"", "\"a.>\"", "\"5\""];
const DURATIONS: &[&str] = &["\"-1s\"", "\"0\"", "\"29s\"", "\"1h\"", "\"1 parsec\""];

/// Keys that `-t` complains of, as the peer does: one is refused on this system, the other warned of.
const NEVER_GOOD: &[&str] = &["tls.cert_store", "mqtt.consumer_replicas"];

/// The blocks of the tables, with the top of a file.
fn blocks() -> Vec<keys::Block> {
    let mut blocks = vec![keys::Block { path: "", keys: keys::top_level().collect() }];
    blocks.extend(keys::blocks());
    blocks
}

/// A value that is right.
pub(crate) fn good(key: &Key) -> String {
    if !key.example.is_empty() {
        return key.example.to_owned();
    }
    if !key.default.is_empty() {
        return key.default.to_owned();
    }
    if let Some(range) = key.range {
        return range.default.to_string();
    }
    match key.kind {
        Kind::Inside(Shape::Bool) => "true".into(),
        Kind::Inside(Shape::Int | Shape::Seconds) => "5".into(),
        Kind::Inside(Shape::Duration) => "\"1m\"".into(),
        Kind::Inside(Shape::Texts) => "[\"a\"]".into(),
        Kind::Inside(Shape::Blocks) => "[]".into(),
        Kind::Inside(Shape::Block | Shape::BlockOrNames | Shape::BoolOrBlock) => "{}".into(),
        _ => "\"a\"".into(),
    }
}

/// Values at the edges of a type.
fn edges(key: &Key) -> Vec<&'static str> {
    match key.kind.type_name() {
        "int" | "host:port or port" => NUMBERS.to_vec(),
        "duration" => DURATIONS.to_vec(),
        "seconds or duration" => [NUMBERS, DURATIONS].concat(),
        "string" | "string or list" | "secret" => TEXTS.to_vec(),
        _ => Vec::new(),
    }
}

/// The name with a letter left out that no key of the block has.
fn misspelt(key: &Key, block: &keys::Block) -> Option<String> {
    (1..key.name.len())
        .rev()
        .map(|at| format!("{}{}", &key.name[..at], &key.name[at + 1..]))
        .find(|name| !name.is_empty() && !block.keys.iter().any(|key| key.is_named(name.as_bytes())))
}

/// All files.
pub(crate) fn all() -> Vec<Sample> {
    let blocks = blocks();
    let mut samples: Vec<Sample> = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        for (at, key) in block.keys.iter().enumerate() {
            let path = if block.path.is_empty() { key.name.to_owned() } else { format!("{}.{}", block.path, key.name) };
            let mut add = |what: &str, block: &str, name: &str, value: &str, is_good| {
                let text = frames::file(block, key.name, &format!("{name}: {value}"));
                let is_own = path.starts_with("dunlin") || block.starts_with("dunlin");
                let is_good = is_good && !NEVER_GOOD.contains(&path.as_str());
                samples.push(Sample { name: format!("{path}/{what}/{value}"), text, is_good, is_own });
            };
            let value = good(key);
            add("good", block.path, key.name, &value, true);
            for alias in key.aliases {
                add(&format!("as {alias}"), block.path, alias, &value, true);
            }
            for value in TYPES {
                add("type", block.path, key.name, value, false);
            }
            for value in edges(key) {
                add("edge", block.path, key.name, value, false);
            }
            if let Some(name) = misspelt(key, block) {
                add(&format!("misspelt {name}"), block.path, &name, &value, false);
            }
            // The top, and another block each time.
            for other in [0, 1 + (number + at) % (blocks.len() - 1)] {
                let other = &blocks[other];
                if !other.keys.iter().any(|known| known.is_named(key.name.as_bytes())) {
                    add(&format!("in {}", other.path), other.path, key.name, &value, false);
                }
            }
        }
    }
    samples
}

#[test]
fn every_key_is_in_the_corpus_in_each_way() {
    let samples = all();
    for (path, key) in keys::all() {
        let has = |what: &str| samples.iter().any(|sample| sample.name.starts_with(&format!("{path}/{what}")));
        assert!(has("good") && has("type") && has("misspelt"), "{path}");
        assert!(key.aliases.iter().all(|alias| has(&format!("as {alias}/"))), "{path}");
    }
    assert!(samples.len() > 500, "{} files", samples.len());
}
