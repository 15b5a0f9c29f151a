//! Settings of features that are not there yet: their form is checked as the peer checks it, and they stop the start.
//!
//! Owns `auth_callout`, `msg_trace`, an account's `jetstream`, `ocsp`, `ocsp_cache`, `ocsp_peer`. Makes nothing of them.

use super::super::apply::Applied;
use super::super::complaints::{GaveUp, string, wrong_type};
use super::super::raw::{Origin, Refusal, Warning};
use super::super::value::{Map, Node, Value, quoted, shown};
use super::accounts::ACCOUNT_PREFIX;
use super::authorization::timeout_nanos;
use super::find;
use super::users::nkey_prefix;
use crate::subject::is_valid_publish_subject;

/// Names of a key (the first is its own), and what it is in its block.
type Keys<K> = &'static [(&'static [&'static str], K)];

/// The prefix byte of a public curve key.
const CURVE_PREFIX: u8 = 23 << 3;

/// Stops the start, with the place of the key.
pub(super) fn refuse(applied: &mut Applied, name: &[u8], node: &Node) {
    applied.raw.refused.push(Refusal { origin: Origin::File(node.place.clone()), name: string(name) });
}

#[derive(Clone, Copy)]
enum CalloutKey {
    Issuer,
    Account,
    Users,
    CurveKey,
    AllowedAccounts,
}

const CALLOUT_KEYS: Keys<CalloutKey> = &[
    (&["issuer"], CalloutKey::Issuer),
    (&["account", "acc"], CalloutKey::Account),
    (&["auth_users", "users"], CalloutKey::Users),
    (&["xkey", "key"], CalloutKey::CurveKey),
    (&["allowed_accounts"], CalloutKey::AllowedAccounts),
];

/// `auth_callout`; the accounts that it may name.
pub(super) fn callout(applied: &mut Applied, name: &[u8], node: &Node) -> Option<Vec<String>> {
    let Value::Map(map) = &node.value else {
        let text = format!("Expected authorization callout to be a map/struct, got {}", shown(&node.value));
        applied.errors.at(&node.place, text);
        return None;
    };
    let allowed = callout_block(applied, node, map).ok()?;
    refuse(applied, name, node);
    Some(allowed)
}

/// Whether the accounts that a callout may name are there; told once the file is read.
pub(in super::super) fn check_callout_accounts(applied: &mut Applied) {
    let accounts = applied.raw.accounts.as_ref().map(|accounts| accounts.value.as_slice()).unwrap_or_default();
    for allowed in &applied.callout_accounts {
        if !accounts.iter().any(|account| account.name == *allowed) {
            let name = quoted(allowed.as_bytes());
            applied.errors.bare(format!("auth_callout allowed account {name} not found in configured accounts"));
        }
    }
}

fn callout_block(applied: &mut Applied, node: &Node, map: &Map) -> Result<Vec<String>, GaveUp> {
    let errors = &mut applied.errors;
    let (mut issuer, mut has_users, mut allowed) = (None, false, Vec::new());
    let mut last_place = &node.place;
    for (name, node) in map.iter() {
        last_place = &node.place;
        match find(CALLOUT_KEYS, name) {
            Some(CalloutKey::Issuer) => {
                let key = errors.text(node)?;
                if nkey_prefix(key) != Some(ACCOUNT_PREFIX) {
                    let text = format!("Expected callout user to be a valid public account nkey, got {}", quoted(key));
                    errors.at(&node.place, text);
                    return Err(GaveUp);
                }
                issuer = Some(());
            }
            Some(CalloutKey::Account) => drop(errors.text(node)?),
            Some(CalloutKey::CurveKey) => {
                let key = errors.text(node)?;
                if nkey_prefix(key) != Some(CURVE_PREFIX) {
                    let text = format!("Expected callout xkey to be a valid public xkey, got {}", quoted(key));
                    errors.at(&node.place, text);
                    return Err(GaveUp);
                }
            }
            Some(key @ (CalloutKey::Users | CalloutKey::AllowedAccounts)) => {
                let is_users = matches!(key, CalloutKey::Users);
                let Value::List(items) = &node.value else {
                    let what = if is_users { "auth_users" } else { "allowed accounts" };
                    // The peer names its own wrapper.
                    errors.at(&node.place, format!("Expected {what} field to be an array, got *conf.token"));
                    return Err(GaveUp);
                };
                let names = errors.strings(node)?;
                has_users |= is_users && !items.is_empty();
                if !is_users {
                    allowed = names;
                }
            }
            None if node.is_variable => {}
            None => {
                let text = format!("Unknown field {} parsing authorization callout", quoted(name));
                errors.at(&node.place, text);
            }
        }
    }
    if issuer.is_none() {
        errors.at(last_place, "Authorization callouts require an issuer to be specified");
        return Err(GaveUp);
    }
    if !has_users {
        errors.at(last_place, "Authorization callouts require authorized users to be specified");
        return Err(GaveUp);
    }
    Ok(allowed)
}

#[derive(Clone, Copy)]
enum TraceKey {
    Destination,
    Sampling,
}

const TRACE_KEYS: Keys<TraceKey> = &[(&["dest"], TraceKey::Destination), (&["sampling"], TraceKey::Sampling)];

/// `msg_trace` of an account.
pub(super) fn message_trace(applied: &mut Applied, name: &[u8], node: &Node) {
    let errors = &mut applied.errors;
    let invalid = |text: &[u8]| format!("Trace destination {} is not valid", quoted(text));
    let shown_name = quoted(name);
    match &node.value {
        Value::Text(text) if is_destination(text) => {}
        Value::Text(text) => return errors.at(&node.place, invalid(text)),
        Value::Map(map) => {
            let (mut has_destination, mut has_sampling) = (false, false);
            for (name, node) in map.iter() {
                match find(TRACE_KEYS, name) {
                    Some(TraceKey::Destination) => match &node.value {
                        Value::Text(text) if is_destination(text) => has_destination = true,
                        Value::Text(text) => return errors.at(&node.place, invalid(text)),
                        value => {
                            let (name, got) = (quoted(name), value.type_name());
                            return errors.at(&node.place, format!("Field {name} should be a string, got {got}"));
                        }
                    },
                    Some(TraceKey::Sampling) => {
                        if let Err(text) = sampling(name, &node.value) {
                            return errors.at(&node.place, text);
                        }
                        has_sampling = true;
                    }
                    None if node.is_variable => {}
                    None => {
                        let name = quoted(name);
                        let text =
                            format!("Unknown field {name} parsing account message trace map/struct {shown_name}");
                        return errors.at(&node.place, text);
                    }
                }
            }
            if !has_destination && !has_sampling {
                return;
            }
            if !has_destination {
                let text = "Trace destination sampling ignored since no destination was set";
                return errors.at(&node.place, text);
            }
        }
        value => {
            let got = value.type_name();
            let text = format!("Expected account message trace {shown_name} to be a string or a map/struct, got {got}");
            return errors.at(&node.place, text);
        }
    }
    refuse(applied, name, node);
}

/// A subject without blanks that messages can be published to.
fn is_destination(text: &[u8]) -> bool {
    is_valid_publish_subject(text) && !text.iter().any(u8::is_ascii_whitespace)
}

fn sampling(name: &[u8], value: &Value) -> Result<(), String> {
    let percentage = match value {
        Value::Int(percentage) => *percentage,
        Value::Text(text) => {
            let digits = text.trim_ascii().strip_suffix(b"%").unwrap_or(text);
            let percentage = std::str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse().ok());
            percentage.ok_or_else(|| format!("Invalid trace destination sampling value {}", quoted(text)))?
        }
        value => {
            let (name, got) = (quoted(name), value.type_name());
            return Err(format!(
                "Trace destination sampling field {name} should be an integer or a percentage, got {got}"
            ));
        }
    };
    if (1..=100).contains(&percentage) {
        return Ok(());
    }
    // As the peer spells it.
    Err(format!("Ttrace destination sampling value {percentage} is invalid, needs to be [1..100]"))
}

#[derive(Clone, Copy)]
enum JetStreamKey {
    Size,
    Bool,
    Traffic,
}

const JETSTREAM_KEYS: Keys<JetStreamKey> = &[
    (&["max_memory", "max_mem", "mem", "memory"], JetStreamKey::Size),
    (&["max_store", "max_file", "max_disk", "store", "disk"], JetStreamKey::Size),
    (&["max_streams", "streams"], JetStreamKey::Size),
    (&["max_consumers", "consumers"], JetStreamKey::Size),
    (&["max_bytes_required", "max_stream_bytes", "max_bytes"], JetStreamKey::Bool),
    (&["mem_max_stream_bytes", "memory_max_stream_bytes"], JetStreamKey::Size),
    (&["disk_max_stream_bytes", "store_max_stream_bytes"], JetStreamKey::Size),
    (&["max_ack_pending"], JetStreamKey::Size),
    (&["cluster_traffic"], JetStreamKey::Traffic),
];

/// `jetstream` of an account.
pub(super) fn account_jetstream(applied: &mut Applied, name: &[u8], node: &Node) {
    let errors = &mut applied.errors;
    match &node.value {
        Value::Bool(false) => return,
        Value::Bool(true) => {}
        Value::Text(text) => match text.to_ascii_lowercase().as_slice() {
            b"enabled" | b"enable" => {}
            b"disabled" | b"disable" => return,
            _ => {
                let text = string(text);
                errors.bare(format!("Expected 'enabled' or 'disabled' for string value, got '{text}'"));
                return;
            }
        },
        Value::Map(map) => {
            for (name, node) in map.iter() {
                if let Err(text) = jetstream_limit(name, node) {
                    errors.at(&node.place, text);
                    return;
                }
            }
        }
        value => {
            let got = value.type_name();
            errors.bare(format!("Expected map, bool or string to define JetStream, got {got}"));
            return;
        }
    }
    refuse(applied, name, node);
}

fn jetstream_limit(name: &[u8], node: &Node) -> Result<(), String> {
    let got = || shown(&node.value);
    let (lower, value) = (string(name).to_lowercase(), &node.value);
    match find(JETSTREAM_KEYS, name) {
        Some(JetStreamKey::Size) => match value {
            Value::Int(_) => Ok(()),
            _ => Err(format!("Expected a parseable size for \"{lower}\", got {}", got())),
        },
        Some(JetStreamKey::Bool) => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(format!("Expected a parseable bool for \"{lower}\", got {}", got())),
        },
        Some(JetStreamKey::Traffic) => match value {
            Value::Text(text) if matches!(text.as_ref(), b"system" | b"owner" | b"") => Ok(()),
            Value::Text(_) => Err(format!("Expected 'system' or 'owner' string value for \"{lower}\", got {}", got())),
            _ => Err(format!("Expected either 'system' or 'owner' string value for \"{lower}\", got {}", got())),
        },
        None if node.is_variable => Ok(()),
        None => Err(format!("unknown field {}", quoted(name))),
    }
}

#[derive(Clone, Copy)]
enum OcspPeerKey {
    Verify,
    Bool,
    Time,
}

const OCSP_PEER_KEYS: Keys<OcspPeerKey> = &[
    (&["verify"], OcspPeerKey::Verify),
    (&["warn_only", "unknown_is_good", "allow_when_ca_unreachable"], OcspPeerKey::Bool),
    (&["ca_timeout", "allowed_clockskew", "cache_ttl_when_next_update_unset"], OcspPeerKey::Time),
];

/// Whether an `ocsp_peer` asks for anything; what is wrong with it.
pub(super) fn wants_ocsp_peer(node: &Node) -> Result<bool, String> {
    let map = match &node.value {
        Value::Bool(wants) => return Ok(*wants),
        Value::Map(map) => map,
        // The peer names the type that it wanted.
        _ => return Err("error parsing ocsp peer config: unsupported type map[string]interface {}".into()),
    };
    let mut wants = false;
    for (name, node) in map.iter() {
        let unknown = || format!("{}: error parsing tls peer config, unknown field [{}]", node.place, quoted(name));
        match (find(OCSP_PEER_KEYS, name), &node.value) {
            (Some(OcspPeerKey::Verify), Value::Bool(value)) => wants = *value,
            (Some(OcspPeerKey::Bool), Value::Bool(_)) => {}
            (Some(OcspPeerKey::Time), value) => {
                timeout_nanos(value).map_err(|text| {
                    let text = if text == "wrong type" { "unexpected type".into() } else { text };
                    format!("{}: error parsing tls peer config, conversion error: {text}", node.place)
                })?;
            }
            (None, _) if node.is_variable => {}
            _ => return Err(unknown()),
        }
    }
    Ok(wants)
}

const OCSP_MODES: &[&str] = &["auto", "must", "always", "never"];

/// The top-level `ocsp`.
pub(in super::super) fn ocsp(applied: &mut Applied, name: &[u8], node: &Node) {
    let map = match &node.value {
        Value::Bool(false) => return,
        Value::Bool(true) => return refuse(applied, name, node),
        Value::Map(map) => map,
        value => {
            let text = format!("error parsing ocsp config: unsupported type {}", value.type_name());
            return applied.errors.at(&node.place, text);
        }
    };
    let mut is_off = false;
    for (name, entry) in map.iter() {
        // The peer tells the place of the block where a type is wrong.
        let at_block = Node { place: node.place.clone(), ..entry.clone() };
        // These names are not taken in capitals.
        match name {
            b"mode" => match applied.errors.string(&at_block) {
                Ok(mode) if OCSP_MODES.contains(&mode.to_lowercase().as_str()) => {
                    is_off = mode.eq_ignore_ascii_case("never");
                }
                Ok(_) => applied.errors.at(&entry.place, "error parsing ocsp config: unsupported ocsp mode string"),
                Err(GaveUp) => return,
            },
            b"url" => {
                if applied.errors.string(&at_block).is_err() {
                    return;
                }
            }
            // No value of a file has the type that the peer wants here.
            b"urls" => return applied.errors.at(&node.place, wrong_type(&entry.value, "[]string")),
            _ => return applied.errors.at(&entry.place, "error parsing ocsp config: unsupported field string"),
        }
    }
    if !is_off {
        refuse(applied, name, node);
    }
}

#[derive(Clone, Copy)]
enum OcspCacheKey {
    Type,
    Store,
    PreserveRevoked,
    SaveInterval,
}

const OCSP_CACHE_KEYS: Keys<OcspCacheKey> = &[
    (&["type"], OcspCacheKey::Type),
    (&["local_store"], OcspCacheKey::Store),
    (&["preserve_revoked"], OcspCacheKey::PreserveRevoked),
    (&["save_interval"], OcspCacheKey::SaveInterval),
];

/// The top-level `ocsp_cache`.
pub(in super::super) fn ocsp_cache(applied: &mut Applied, name: &[u8], node: &Node) {
    let map = match &node.value {
        Value::Bool(false) => return,
        Value::Bool(true) => return passed_over(applied, name, node),
        Value::Map(map) => map,
        value => {
            let text = format!("error parsing tags: unsupported type {}", value.type_name());
            return applied.errors.at(&node.place, text);
        }
    };
    for (name, node) in map.iter() {
        let unknown = || format!("error parsing OCSP peer cache config, unknown field [{}]", quoted(name));
        let checked = match (find(OCSP_CACHE_KEYS, name), &node.value) {
            (Some(OcspCacheKey::Type), Value::Text(text)) => {
                let kind = string(text);
                let is_known = matches!(kind.to_lowercase().as_str(), "none" | "local");
                is_known
                    .then_some(())
                    .ok_or_else(|| format!("error parsing OCSP peer cache config, unknown type [{kind}]"))
            }
            (Some(OcspCacheKey::Store), Value::Text(_)) | (Some(OcspCacheKey::PreserveRevoked), Value::Bool(_)) => {
                Ok(())
            }
            (Some(OcspCacheKey::SaveInterval), value) => timeout_nanos(value).map(drop).map_err(|text| {
                if text == "wrong type" {
                    return "error parsing OCSP peer cache config, conversion error: unexpected type".into();
                }
                format!("error parsing tls peer config, conversion error: {text}")
            }),
            (None, _) if node.is_variable => Ok(()),
            _ => Err(unknown()),
        };
        if let Err(text) = checked {
            return applied.errors.at(&node.place, text);
        }
    }
    passed_over(applied, name, node);
}

/// Without `ocsp_peer`, which stops the start, the peer does not look at it either.
fn passed_over(applied: &mut Applied, name: &[u8], node: &Node) {
    let text = format!("{}: {} has no effect without \"ocsp_peer\": ignored", node.place, quoted(name));
    applied.raw.warnings.push(Warning::Notice(text));
}
