//! The digest of a configuration that `-t` and the log show: SHA-256 of its values as the peer writes them in JSON.
//!
//! Comments, order and spelling of values do not change it; files and variables count by what they brought.

use super::value::{Map, Node, Value};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// `sha256:` and the digest in hexadecimal.
pub(super) fn digest(root: &Map) -> String {
    let mut json = String::new();
    write_json(root, &mut json);
    json.push('\n');
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(json.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Something still to be written. A list of these instead of recursion: files may nest deeply.
enum Job<'a> {
    Value(&'a Value),
    Entry(&'a [u8], &'a Value),
    Text(&'static str),
}

fn write_json(root: &Map, out: &mut String) {
    let mut jobs = Vec::new();
    push_map(root, &mut jobs);
    while let Some(job) = jobs.pop() {
        match job {
            Job::Text(text) => out.push_str(text),
            Job::Entry(key, value) => {
                write_text(key, out);
                out.push(':');
                jobs.push(Job::Value(value));
            }
            Job::Value(Value::Map(map)) => push_map(map, &mut jobs),
            Job::Value(Value::List(items)) => push_list(items, &mut jobs),
            Job::Value(scalar) => write_scalar(scalar, out),
        }
    }
}

fn push_map<'a>(map: &'a Map, jobs: &mut Vec<Job<'a>>) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|entry| entry.0);
    jobs.push(Job::Text("}"));
    for (at, (key, node)) in entries.into_iter().enumerate().rev() {
        jobs.push(Job::Entry(key, &node.value));
        if at > 0 {
            jobs.push(Job::Text(","));
        }
    }
    jobs.push(Job::Text("{"));
}

fn push_list<'a>(items: &'a [Node], jobs: &mut Vec<Job<'a>>) {
    jobs.push(Job::Text("]"));
    for (at, node) in items.iter().enumerate().rev() {
        jobs.push(Job::Value(&node.value));
        if at > 0 {
            jobs.push(Job::Text(","));
        }
    }
    jobs.push(Job::Text("["));
}

fn write_scalar(value: &Value, out: &mut String) {
    let _ = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) if *value != 0.0 && !(1e-6..1e21).contains(&value.abs()) => {
            let text = format!("{value:e}");
            // The peer writes the sign of a positive exponent.
            let text = if text.contains("e-") { text } else { text.replace('e', "e+") };
            write!(out, "{text}")
        }
        Value::Float(value) => write!(out, "{value}"),
        Value::Date(text) => {
            write_text(text, out);
            Ok(())
        }
        Value::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Value::List(_) | Value::Map(_) => Ok(()),
    };
}

fn write_text(text: &[u8], out: &mut String) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        for _ in chunk.invalid() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::file::parse_text;
    use super::digest;

    #[test]
    fn the_digest_is_the_peers() {
        for (text, expected) in [
            ("server_name: abc # comment", "0b1fe415b87ddc3540b382c42f940542884ebeba3022892fc8dc9951392641d3"),
            ("max_payload: 5; server_name: 'abc'", "6906c5514ebb5b0040a27b11262937d2f2cdef803380c7ad5f5ebf757e3d97de"),
            ("max_payload: 1k", "87b40978d8143e0f7ca1683875c2702cd654f6459eb9d21accf3c71079a2bae3"),
        ] {
            let map = parse_text(text.as_bytes()).expect("a valid file");
            assert_eq!(digest(&map), format!("sha256:{expected}"), "{text}");
        }
    }
}
