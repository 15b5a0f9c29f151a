//! What a user may have meant, and the way out.
//!
//! Owns the advice. The keys are those of the server's table; the message stays the server's.

use std::path::Path;

use dunlin::config::keys::Key;
use dunlin::config::spans::ValueKind;
use dunlin::config::spans_keys::{blocks_with, is_secret, keys_in};

use super::super::excerpt::{Source, Sources, Span};
use super::findings::{Finding, Included};

/// A longer name may differ in more letters.
const LETTERS_A_SLIP: usize = 3;

/// What the message says of a value's type, and what goes there.
const TYPES: &[(&str, &str)] = &[
    ("not string", "this key takes a text: put quotes around it"),
    ("not int64", "this key takes a whole number, without quotes: 100, 64KB, 1MB"),
    ("not bool", "this key takes true or false, without quotes"),
    ("not map[string]interface {}", "this key takes a block: { … }"),
    ("not []interface {}", "this key takes a list: [ … ]"),
];

/// Words of a message, and what helps.
const ADVICE: &[(&str, &str)] = &[
    (
        "should be converted to a duration",
        "a bare number is taken for seconds; write the unit, in quotes: \"10s\", \"2m\"",
    ),
    ("time: missing unit in duration", "write the unit: \"10s\", \"2m\", \"500ms\""),
    ("time: invalid duration", "durations are numbers with units: \"10s\", \"1m30s\", \"500ms\""),
    ("time: unknown unit", "units of time are ns, us, ms, s, m and h"),
    ("minimum is 30 seconds", "write \"30s\" or more"),
    (
        "should be strictly lower than lame duck duration",
        "make lame_duck_grace_period shorter, or lame_duck_duration longer",
    ),
    ("cannot be higher than max_pending", "make max_pending at least as large as max_payload"),
    (
        "is not supported yet",
        "nats-server has it and this server does not yet: take it out, or stay with nats-server for now",
    ),
    ("server name cannot contain spaces", "use '-' or '_' instead"),
    ("Duplicate user", "each name is there once in all accounts together: rename one of the two"),
    ("Cannot have a user/pass and token", "keep one of the two ways to log in"),
    ("Can not have a single user/pass and a users array", "put the user into the list"),
    ("Can not have a token and a users array", "keep one of the two ways to log in"),
    (
        "Plaintext passwords detected",
        "'dunlinctl config hash FILE' replaces them by hashes; clients keep their passwords",
    ),
    ("config has no values or is empty", "is it the right file?"),
    ("invalid port", "ports are from 1 to 65535; -1 is any free one"),
    ("\"tls\" has no certificate", "write cert_file and key_file into the block"),
    ("expected port or host:port", "write host and port as \"127.0.0.1:4222\", or the port alone"),
    ("could not parse port", "write host and port as \"127.0.0.1:4222\""),
    ("could not parse address string", "write host and port as \"127.0.0.1:4222\""),
    ("error resolving system account", "declare the account in the block accounts, or take system_account out"),
];

/// Gives a finding what helps.
pub(super) fn give(finding: &mut Finding, included: &[Included], sources: &mut Sources) {
    if let Some(span) = &finding.span
        && let Some(source) = sources.get(&span.file)
    {
        let path = path_of(source, span, included);
        let path: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        if finding.message.contains("unknown field") {
            let (span, value_is_block) = (span.clone(), is_block(source, span));
            unknown(finding, &path, value_is_block);
            finding.span = Some(span);
        } else if finding.message.contains("interface conversion") {
            wrong_type(finding, &path);
        }
    }
    files(finding);
    let helps =
        ADVICE.iter().filter(|(words, _)| finding.message.contains(words)).map(|(_, advice)| (*advice).to_owned());
    finding.hints.extend(helps);
}

/// The keys that lead to a span, its own last, with those of the block in which its file is included.
fn path_of(source: &Source, span: &Span, included: &[Included]) -> Vec<Vec<u8>> {
    let prefix = included.iter().find(|include| include.file == span.file).map(|include| include.prefix.clone());
    let mut path = prefix.unwrap_or_default();
    if let Some(entry) = source.outline.around(span.start) {
        path.extend(source.outline.path(&source.text, entry).into_iter().map(<[u8]>::to_vec));
    }
    path
}

fn is_block(source: &Source, span: &Span) -> bool {
    let entry = source.outline.around(span.start).and_then(|at| source.outline.entries.get(at));
    entry.is_some_and(|entry| entry.kind == ValueKind::Block)
}

/// A name that the table does not have in this block.
fn unknown(finding: &mut Finding, path: &[&[u8]], value_is_block: bool) {
    let Some((name, block)) = path.split_last() else { return };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    if let Some(near) = nearest(&name, &keys_in(block)) {
        finding.label = format!("did you mean \"{near}\"?");
        finding.suggestion = Some(near.to_owned());
        return;
    }
    let others = blocks_with(name.as_bytes());
    if let Some(first) = others.first() {
        let place = if first.is_empty() { "the top of the file".to_owned() } else { format!("the block {first}") };
        finding.label = "not in this block".into();
        finding.hints.push(format!("it is a key of {place}"));
        return;
    }
    let mut names: Vec<&str> = keys_in(block).iter().map(|key| key.name).collect();
    names.sort_unstable();
    if !block.is_empty() && !names.is_empty() {
        finding.hints.push(format!("the keys of this block are {}", names.join(", ")));
    } else if value_is_block {
        finding.hints.push(
            "'dunlinctl config explain --all FILE' lists the keys; the blocks of accounts stand in accounts { }".into(),
        );
    } else {
        finding.hints.push("'dunlinctl config explain --all FILE' lists the keys that there are".into());
    }
}

/// The name of a key that is spelt almost like this.
fn nearest<'k>(name: &str, keys: &[&'k Key]) -> Option<&'k str> {
    let names = keys.iter().flat_map(|key| std::iter::once(&key.name).chain(key.aliases));
    let squeezed = |name: &str| name.replace(['_', '-'], "");
    let distance = |known: &str| {
        let plain = strsim::damerau_levenshtein(name, known);
        // `maxPayload`, `max-payload`: the same letters.
        if squeezed(name) == squeezed(known) { plain.min(1) } else { plain }
    };
    let (least, nearest) = names.map(|known| (distance(known), *known)).min_by_key(|(distance, _)| *distance)?;
    (least <= (name.len() / LETTERS_A_SLIP).max(1)).then_some(nearest)
}

fn wrong_type(finding: &mut Finding, path: &[&[u8]]) {
    let advice = TYPES.iter().find(|(words, _)| finding.message.contains(words)).map(|(_, advice)| *advice);
    let name = path.last().copied().unwrap_or_default();
    if is_secret(name) {
        finding.hints.push("a password that is a number or true/false needs quotes around it".into());
    } else if let Some(advice) = advice {
        finding.hints.push(advice.into());
    }
    let block = path.split_last().map(|(_, block)| block).unwrap_or_default();
    if let Some(key) = keys_in(block).into_iter().find(|key| key.is_named(name)) {
        let example = if key.example.is_empty() { key.default } else { key.example };
        if !example.is_empty() && !is_secret(name) {
            finding.hints.push(format!("for example: {}: {example}", key.name));
        }
    }
}

/// Files of TLS are looked for from the folder of the process: the mistake that everybody makes once.
fn files(finding: &mut Finding) {
    let is_missing = finding.message.contains("no such file or directory");
    let is_include = finding.message.contains("include file") || finding.span.is_none();
    if !is_missing || is_include {
        return;
    }
    let folder = std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_owned());
    finding.hints.push(format!(
        "a path that does not begin with '/' is looked for from the folder in which the server starts (now {}), not beside \
         the configuration file",
        folder.display()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let keys = keys_in(&[]);
        for (name, expected) in [
            ("max_payloud", Some("max_payload")),
            ("maxpayload", Some("max_payload")),
            ("max-payload", Some("max_payload")),
            ("prot", Some("port")),
            ("autorization", Some("authorization")),
            ("acounts", Some("accounts")),
            ("frobnicate", None),
            ("xy", None),
        ] {
            assert_eq!(nearest(name, &keys), expected, "{name}");
        }
    }
}
