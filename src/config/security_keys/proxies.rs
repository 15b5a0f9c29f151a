//! The `proxies` block: which proxies may speak for clients.
//!
//! Owns its keys. A proxy proves itself in CONNECT; that is `auth`'s.

use super::super::apply::Applied;
use super::super::complaints::GaveUp;
use super::super::raw::{Origin, Written};
use super::super::value::{Node, Value, quoted};
use super::key;
use super::users::nkey_prefix;
use crate::config::keys::{Key, Shape};

/// The only key of the block.
pub(super) const TRUSTED: Key = key("trusted", Shape::Blocks, "Proxies: blocks with a key").example("[]");

/// The only key of an entry.
pub(super) const KEY: Key = key("key", Shape::Text, "Public key of a proxy")
    .example("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");

/// Takes the block over.
pub(in super::super) fn proxies(applied: &mut Applied, _name: &[u8], node: &Node) {
    let Value::Map(map) = &node.value else {
        let text = format!("expected proxies to be a map/struct, got {}", node.value.type_name());
        applied.errors.at(&node.place, text);
        return;
    };
    for (name, node) in map.iter() {
        if TRUSTED.is_named(name) {
            trusted(applied, node);
        } else if !node.is_variable {
            applied.errors.at(&node.place, format!("unknown field {}", quoted(name)));
        }
    }
}

fn trusted(applied: &mut Applied, node: &Node) {
    let Value::List(items) = &node.value else {
        let text = format!("expected proxies' trusted field to be an array, got {}", node.value.type_name());
        applied.errors.at(&node.place, text);
        return;
    };
    let mut keys = Vec::with_capacity(items.len());
    for item in items.iter() {
        let Value::Map(map) = &item.value else {
            let text = format!("expected proxies' trusted entry to be a map/struct, got {}", item.value.type_name());
            applied.errors.at(&item.place, text);
            continue;
        };
        for (name, node) in map.iter() {
            if KEY.is_named(name) {
                match applied.errors.string(node) {
                    Ok(key) if nkey_prefix(key.as_bytes()).is_some() => keys.push(key),
                    Ok(key) => {
                        applied.errors.at(&node.place, format!("invalid proxy key {}", quoted(key.as_bytes())));
                    }
                    Err(GaveUp) => return,
                }
            } else if !node.is_variable {
                applied.errors.at(&node.place, format!("unknown field {}", quoted(name)));
            }
        }
    }
    applied.raw.trusted_proxies = Some(Written { value: keys, origin: Origin::File(node.place.clone()) });
}
