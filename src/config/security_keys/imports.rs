//! `imports` of an account: not there yet, but checked.
//!
//! Owns the keys of an entry. Whether it is exported is `shares`'.

use super::super::apply::Applied;
use super::super::complaints::{Complaints, GaveUp};
use super::super::value::{Map, Node, Place, Value, quoted};
use super::shares::{Import, Shares, What};
use super::{Keys, find, later, shared};
use crate::config::keys::Shape;

#[derive(Clone, Copy)]
pub(super) enum ImportKey {
    Stream,
    Service,
    To,
    Prefix,
    Share,
    AllowTrace,
}

pub(super) const IMPORT_KEYS: Keys<ImportKey> = &[
    (
        shared("stream", Shape::Block, "Messages of another account: account and subject")
            .example("{account: \"B\", subject: \"a.>\"}"),
        ImportKey::Stream,
    ),
    (
        shared("service", Shape::Block, "A service of another account: account and subject")
            .example("{account: \"B\", subject: \"a.b\"}"),
        ImportKey::Service,
    ),
    (shared("to", Shape::Text, "The subject under which it is here").example("\"c.b\""), ImportKey::To),
    (
        shared("prefix", Shape::Text, "What goes before the subject of a stream here").example("\"c\""),
        ImportKey::Prefix,
    ),
    (shared("share", Shape::Bool, "The service is told who asks").default("false"), ImportKey::Share),
    (
        shared("allow_trace", Shape::Bool, "Traces of messages come on into this account").default("false"),
        ImportKey::AllowTrace,
    ),
];

/// `imports` of an account.
pub(super) fn imports(applied: &mut Applied, shares: &mut Shares, name: &[u8], node: &Node) {
    let Value::List(items) = &node.value else {
        let text = format!("Imports should be an array, got {}", node.value.type_name());
        applied.errors.at(&node.place, text);
        return;
    };
    for item in items.iter() {
        let Value::Map(map) = &item.value else {
            let text = format!("Import Items should be a map with type entry, got {}", item.value.type_name());
            applied.errors.at(&item.place, text);
            continue;
        };
        let Ok(Some(import)) = import(&mut applied.errors, shares.account(), map) else {
            continue;
        };
        if let Err(text) = shares.add_import(import) {
            applied.errors.at(&item.place, text);
        }
    }
    if !items.is_empty() {
        later::refuse(applied, name, node);
    }
}

fn import(complaints: &mut Complaints, account: String, map: &Map) -> Result<Option<Import>, GaveUp> {
    let mut source: Option<(What, String, String)> = None;
    let (mut to, mut prefix, mut allow_trace) = (None, None, None);
    for (name, node) in map.iter() {
        match find(IMPORT_KEYS, name) {
            Some(key @ (ImportKey::Stream | ImportKey::Service)) => {
                let what = if matches!(key, ImportKey::Stream) { What::Stream } else { What::Service };
                if let Some((other, ..)) = &source {
                    let (what, other) = (what.name(), other.name());
                    complaints.at(&node.place, format!("Detected {what} but already saw a {other}"));
                    continue;
                }
                source = import_source(complaints, node, what).map(|(from, subject)| (what, from, subject));
            }
            Some(ImportKey::To) => to = Some((complaints.string(node)?, &node.place)),
            Some(ImportKey::Prefix) => prefix = Some((complaints.string(node)?, &node.place)),
            Some(ImportKey::Share) => drop(complaints.bool(node)?),
            Some(ImportKey::AllowTrace) if matches!(source, Some((What::Service, ..))) => {
                allow_trace = Some(&node.place)
            }
            Some(ImportKey::AllowTrace) => allow_trace = complaints.bool(node)?.then_some(&node.place),
            None if node.is_variable => {}
            None => complaints.at(&node.place, format!("unknown field {}", quoted(name))),
        }
    }
    let Some((what, from, subject)) = source else {
        return Ok(None);
    };
    match (what, allow_trace, &to, &prefix) {
        (What::Service, Some(place), ..) => complaints.at(place, "Detected allow_trace directive on a non-stream"),
        (What::Stream, _, Some((_, place)), Some(_)) => {
            complaints.at(place, "Stream import can not have a 'prefix' and a 'to' property");
        }
        _ => {}
    }
    let text = |setting: Option<(String, &Place)>| setting.map(|(text, _)| text).filter(|text| !text.is_empty());
    Ok(Some(Import { account, what, from, subject, to: text(to), prefix: text(prefix) }))
}

/// Account and subject of what is imported.
fn import_source(complaints: &mut Complaints, node: &Node, what: What) -> Option<(String, String)> {
    let Value::Map(map) = &node.value else {
        let name = if what == What::Stream { "Stream" } else { "Service" };
        let got = node.value.type_name();
        complaints.at(&node.place, format!("{name} entry should be an account map, got {got}"));
        return None;
    };
    let (mut account, mut subject) = (String::new(), String::new());
    let mut is_known = true;
    for (name, node) in map.iter() {
        let slot = match name.to_ascii_lowercase().as_slice() {
            b"account" => &mut account,
            b"subject" => &mut subject,
            _ if node.is_variable => continue,
            _ => {
                complaints.at(&node.place, format!("unknown field {}", quoted(name)));
                is_known = false;
                continue;
            }
        };
        match complaints.string(node) {
            Ok(text) => *slot = text,
            Err(GaveUp) => break,
        }
    }
    if account.is_empty() || subject.is_empty() {
        complaints.at(&node.place, "Expect an account name and a subject");
        return None;
    }
    is_known.then_some((account, subject))
}
