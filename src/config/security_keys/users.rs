//! A list of users: of `authorization`, or of an account.
//!
//! Owns what an entry may hold and the check of its parts. Whether a name is there twice is for who reads the list.

use super::super::complaints::{Complaints, GaveUp};
use super::super::raw_security::RawUser;
use super::super::security::{Credential, Permissions, SubjectLists};
use super::super::value::{Map, Node, Value, quoted, shown};
use super::permissions::permissions;
use super::{Keys, find, key};
use crate::config::keys::Shape;
use crate::secret::Secret;

#[derive(Clone, Copy)]
pub(super) enum UserKey {
    Name,
    Password,
    Nkey,
    Permissions,
    ConnectionTypes,
    ProxyRequired,
}

pub(super) const KEYS: Keys<UserKey> = &[
    (key("user", Shape::Text, "Name").aliases(&["username"]).example("\"ann\""), UserKey::Name),
    (
        key("password", Shape::Secret, "Password: plain, or bcrypt").aliases(&["pass"]).example("\"s3cret\""),
        UserKey::Password,
    ),
    (
        key("nkey", Shape::Text, "Public key of the user, instead of a name and a password")
            .example("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"),
        UserKey::Nkey,
    ),
    (
        key("permissions", Shape::Block, "What the user may do (default: those of where it stands, else everything)")
            .aliases(&["permission", "authorization"])
            .example("{publish: \"a.>\"}"),
        UserKey::Permissions,
    ),
    (
        key("allowed_connection_types", Shape::TextOrTexts, "Kinds of connection that the user may use (default: all)")
            .aliases(&["connection_types", "clients"])
            .example("[\"STANDARD\"]"),
        UserKey::ConnectionTypes,
    ),
    (
        key("proxy_required", Shape::Bool, "The user must come over a trusted proxy").default("false"),
        UserKey::ProxyRequired,
    ),
];

/// Kinds of connection that a user may be bound to.
const CONNECTION_TYPES: &[&str] =
    &["STANDARD", "WEBSOCKET", "LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS"];

/// The prefix byte of a user's public key.
pub(in super::super) const USER_PREFIX: u8 = 20 << 3;

/// The kind of a public nkey, if it is one: its prefix byte.
pub(in super::super) fn nkey_prefix(text: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(text).ok()?;
    nkeys::from_public_key(text).ok().map(|(prefix, _)| prefix)
}

/// The users of a list. `None` where it is no list, or an entry was given up: the peer looks at none behind it.
pub(super) fn users(node: &Node, complaints: &mut Complaints) -> Option<Vec<RawUser>> {
    let Value::List(items) = &node.value else {
        return None;
    };
    let mut users = Vec::with_capacity(items.len());
    for item in items.iter() {
        let Value::Map(map) = &item.value else {
            let text = format!("Expected user entry to be a map/struct, got {}", shown(&item.value));
            complaints.at(&item.place, text);
            continue;
        };
        match user(item, map, complaints) {
            Ok(user) => users.push(user),
            Err(GaveUp) => return None,
        }
    }
    Some(users)
}

/// The most entries that default permissions may come to, in all users that get them.
const DEFAULT_ENTRIES_MAX: usize = 4 << 20;

/// Gives the users that have no permissions of their own these.
pub(super) fn give_permissions(users: &mut [RawUser], default: Option<&Permissions>) -> Result<(), &'static str> {
    let Some(default) = default else {
        return Ok(());
    };
    let entries = |lists: &Option<SubjectLists>| {
        lists.as_ref().map_or(0, |lists| lists.deny.len() + lists.allow.as_ref().map_or(0, Vec::len))
    };
    let each = 1 + entries(&default.publish) + entries(&default.subscribe);
    let count = users.iter().filter(|user| user.permissions.is_none()).count();
    if count.saturating_mul(each) > DEFAULT_ENTRIES_MAX {
        return Err("the default permissions are too long for so many users");
    }
    for user in users.iter_mut().filter(|user| user.permissions.is_none()) {
        user.permissions = Some(default.clone());
    }
    Ok(())
}

/// What is wrong with something that should have been a list of users.
pub(super) fn not_a_list(value: &Value) -> String {
    format!("Expected users field to be an array, got {}", shown(value))
}

fn user(item: &Node, map: &Map, complaints: &mut Complaints) -> Result<RawUser, GaveUp> {
    let (mut name, mut password, mut nkey) = (String::new(), Secret::default(), String::new());
    let mut rest = (None, Vec::new(), false);
    let mut last_place = &item.place;
    for (key, node) in map.iter() {
        last_place = &node.place;
        match find(KEYS, key) {
            Some(UserKey::Name) => name = complaints.string(node)?,
            Some(UserKey::Password) => password = Secret::new(complaints.string(node)?),
            Some(UserKey::Nkey) => nkey = complaints.string(node)?,
            Some(UserKey::Permissions) => rest.0 = permissions(node, complaints),
            Some(UserKey::ConnectionTypes) => rest.1 = connection_types(node, complaints),
            Some(UserKey::ProxyRequired) => rest.2 = complaints.bool(node)?,
            None if node.is_variable => {}
            None => complaints.at(&node.place, format!("unknown field {}", quoted(key))),
        }
    }
    let has_login = !name.is_empty() || !password.is_empty();
    let credential = match (nkey.as_str(), name.as_str()) {
        ("", "") => Err("User entry requires a user"),
        ("", _) => Ok(Credential::Password { name, password }),
        (key, _) if nkey_prefix(key.as_bytes()) != Some(USER_PREFIX) => Err("Not a valid public nkey for a user"),
        _ if has_login => Err("Nkey users do not take usernames or passwords"),
        _ => Ok(Credential::Nkey(nkey)),
    };
    let (permissions, connection_types, proxy_required) = rest;
    match credential {
        Ok(credential) => Ok(RawUser { credential, permissions, connection_types, proxy_required }),
        Err(text) => {
            complaints.at(last_place, text);
            Err(GaveUp)
        }
    }
}

fn connection_types(node: &Node, complaints: &mut Complaints) -> Vec<String> {
    let texts = match &node.value {
        Value::Text(text) => vec![text.as_ref()],
        Value::List(items) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items.iter() {
                let Value::Text(text) = &item.value else {
                    let got = item.value.type_name();
                    let text = format!("error parsing allowed connection types: unsupported type in array {got}");
                    complaints.at(&item.place, text);
                    return Vec::new();
                };
                texts.push(text.as_ref());
            }
            texts
        }
        value => {
            let text = format!("error parsing allowed connection types: unsupported type {}", value.type_name());
            complaints.at(&node.place, text);
            return Vec::new();
        }
    };
    let types: Vec<String> = texts.into_iter().map(|text| String::from_utf8_lossy(text).to_uppercase()).collect();
    let unknown: Vec<String> = types
        .iter()
        .filter(|name| !CONNECTION_TYPES.contains(&name.as_str()))
        .map(|name| quoted(name.as_bytes()))
        .collect();
    if !unknown.is_empty() {
        complaints.at(&node.place, format!("invalid connection types [{}]", unknown.join(" ")));
    }
    types
}
