//! `exports` of an account: not there yet, but checked.
//!
//! Owns the keys of an entry. Whether others import it is `shares`'.

use super::super::apply::Applied;
use super::super::complaints::{Complaints, GaveUp, string};
use super::super::duration;
use super::super::value::{Map, Node, Value, quoted};
use super::shares::{Export, Shares, What};
use super::{Keys, find, later, shared};
use crate::config::keys::Shape;

#[derive(Clone, Copy)]
pub(super) enum ExportKey {
    Stream,
    Service,
    Accounts,
    ResponseType,
    ResponseThreshold,
    Latency,
    TokenPosition,
    AllowTrace,
}

pub(super) const EXPORT_KEYS: Keys<ExportKey> = &[
    (shared("stream", Shape::Text, "Subject of messages that may be imported").example("\"a.>\""), ExportKey::Stream),
    (shared("service", Shape::Text, "Subject of requests that may be imported").example("\"a.b\""), ExportKey::Service),
    (
        shared("accounts", Shape::Texts, "The only accounts that may import it (default: all)").example("[\"B\"]"),
        ExportKey::Accounts,
    ),
    (
        shared("response_type", Shape::Text, "How many answers a request gets: singleton, stream or chunked")
            .aliases(&["response"])
            .default("singleton"),
        ExportKey::ResponseType,
    ),
    (
        shared("response_threshold", Shape::Duration, "How long a service may take to answer")
            .aliases(&["threshold", "response_max_time", "response_time"])
            .default("\"2m\""),
        ExportKey::ResponseThreshold,
    ),
    (
        shared("latency", Shape::Other("subject, or block"), "Where times of answers are told").example("\"lat.b\""),
        ExportKey::Latency,
    ),
    (
        shared("account_token_position", Shape::Int, "The token that must be the name of the importing account")
            .default("0"),
        ExportKey::TokenPosition,
    ),
    (
        shared("allow_trace", Shape::Bool, "Traces of messages go on into this account").default("false"),
        ExportKey::AllowTrace,
    ),
];

const RESPONSE_TYPES: &[&str] = &["single", "singleton", "stream", "chunk", "chunked"];

/// `exports` of an account.
pub(super) fn exports(applied: &mut Applied, shares: &mut Shares, name: &[u8], node: &Node) {
    let Value::List(items) = &node.value else {
        let text = format!("Exports should be an array, got {}", node.value.type_name());
        applied.errors.at(&node.place, text);
        return;
    };
    for item in items.iter() {
        let Value::Map(map) = &item.value else {
            let text = format!("Export Items should be a map with type entry, got {}", item.value.type_name());
            applied.errors.at(&item.place, text);
            continue;
        };
        if let Ok(Some(export)) = export(&mut applied.errors, shares.account(), map) {
            shares.exports.push(export);
        }
    }
    if !items.is_empty() {
        later::refuse(applied, name, node);
    }
}

fn export(complaints: &mut Complaints, account: String, map: &Map) -> Result<Option<Export>, GaveUp> {
    let mut subject: Option<(What, String)> = None;
    let (mut accounts, mut latency, mut token_position) = (None, None, 0);
    let mut of_services = Vec::new();
    for (name, node) in map.iter() {
        match find(EXPORT_KEYS, name) {
            Some(key @ (ExportKey::Stream | ExportKey::Service)) => {
                let what = if matches!(key, ExportKey::Stream) { What::Stream } else { What::Service };
                let Value::Text(text) = &node.value else {
                    let got = node.value.type_name();
                    complaints.at(&node.place, format!("Expected {} name to be string, got {got}", what.name()));
                    continue;
                };
                if let Some((other, _)) = &subject {
                    let (what, name, other) = (what.name(), quoted(text), other.name());
                    complaints.at(&node.place, format!("Detected {what} {name} but already saw a {other}"));
                    continue;
                }
                subject = Some((what, string(text)));
            }
            Some(ExportKey::Accounts) => accounts = Some(complaints.strings(node)?),
            Some(ExportKey::ResponseType) => {
                if response_type(complaints, node) {
                    of_services.push(("response", &node.place));
                }
            }
            Some(ExportKey::ResponseThreshold) => {
                if response_threshold(complaints, node) {
                    of_services.push(("response", &node.place));
                }
            }
            Some(ExportKey::Latency) => {
                latency = self::latency(complaints, node);
                if latency.is_some() {
                    of_services.push(("latency", &node.place));
                }
            }
            Some(ExportKey::TokenPosition) => token_position = complaints.int(node)?,
            Some(ExportKey::AllowTrace) => {
                complaints.bool(node)?;
                of_services.push(("allow_trace", &node.place));
            }
            None if node.is_variable => {}
            None => complaints.at(&node.place, format!("unknown field {}", quoted(name))),
        }
    }
    let Some((what, subject)) = subject else {
        return Ok(None);
    };
    if what == What::Stream {
        for (directive, place) in of_services {
            complaints.at(place, format!("Detected {directive} directive on non-service"));
        }
    }
    Ok(Some(Export { account, what, subject, accounts, latency, token_position }))
}

fn response_type(complaints: &mut Complaints, node: &Node) -> bool {
    let text = match &node.value {
        Value::Text(text) if RESPONSE_TYPES.contains(&string(text).to_lowercase().as_str()) => return true,
        Value::Text(text) => format!("Unknown response type: {}", quoted(text)),
        value => format!("Expected response type to be string, got {}", value.type_name()),
    };
    complaints.at(&node.place, text);
    false
}

fn response_threshold(complaints: &mut Complaints, node: &Node) -> bool {
    let got = match &node.value {
        Value::Text(text) if duration::parse(text).is_ok() => return true,
        Value::Text(text) => quoted(text),
        value => value.type_name().into(),
    };
    complaints.at(&node.place, format!("Expected response threshold to be a parseable time duration, got {got}"));
    false
}

/// The subject of latency samples.
fn latency(complaints: &mut Complaints, node: &Node) -> Option<String> {
    let map = match &node.value {
        Value::Text(text) => return Some(string(text)),
        Value::Map(map) => map,
        value => {
            let got = value.type_name();
            complaints.at(&node.place, format!("Expected latency entry to be a map/struct or string, got {got}"));
            return None;
        }
    };
    let mut subject = None;
    for (name, node) in map.iter() {
        match (name.to_ascii_lowercase().as_slice(), &node.value) {
            (b"subject", Value::Text(text)) => subject = Some(string(text)),
            (b"subject", _) => {
                // The peer names the type that it wanted.
                complaints.at(&node.place, "Expected latency subject to be a string, got string");
                return None;
            }
            (b"sampling", value) => {
                if let Err(text) = latency_sampling(value) {
                    complaints.at(&node.place, text);
                    return None;
                }
            }
            _ => {}
        }
    }
    if subject.is_none() {
        complaints.at(&node.place, "Latency subject required, but missing");
    }
    subject
}

fn latency_sampling(value: &Value) -> Result<(), String> {
    let percentage = match value {
        Value::Int(percentage) => *percentage,
        Value::Text(text) if text.eq_ignore_ascii_case(b"headers") => return Ok(()),
        Value::Text(text) => {
            let digits = string(text.strip_suffix(b"%").unwrap_or(text));
            digits.trim().parse().map_err(|_| {
                let digits = quoted(digits.as_bytes());
                format!("Failed to parse latency sample: strconv.Atoi: parsing {digits}: invalid syntax")
            })?
        }
        value => {
            let got = value.type_name();
            return Err(format!("Expected latency sample to be a string or map/struct, got {got}"));
        }
    };
    if (1..=100).contains(&percentage) { Ok(()) } else { Err("bad sampling percentage, should be 1-100".into()) }
}
