//! The `accounts` block, or list.
//!
//! Owns the keys of an account and of its limits. `$G` is not written here: it has the users of `authorization`.

use super::super::apply::Applied;
use super::super::complaints::{Complaints, GaveUp, string};
use super::super::raw::{Origin, Warning, Written};
use super::super::raw_security::RawAccount;
use super::super::security::AccountLimits;
use super::super::value::{Map, Node, Place, Value, quoted, quoted_value, shown};
use super::permissions::permissions;
use super::shares::{self, Shares};
use super::users::{give_permissions, nkey_prefix, not_a_list, users};
use super::{Keys, exports, find, imports, key, later, mappings};
use crate::config::keys::Shape;
use std::collections::HashSet;

/// The prefix byte of an account's public key.
pub(super) const ACCOUNT_PREFIX: u8 = 0;
const GLOBAL: &[u8] = b"$G";

const SHARES: &str = "imports and exports";

#[derive(Clone, Copy)]
pub(super) enum AccountKey {
    Nkey,
    Users,
    Exports,
    Imports,
    Mappings,
    Permissions,
    Limits,
    MessageTrace,
    JetStream,
}

pub(super) const KEYS: Keys<AccountKey> = &[
    (
        key("nkey", Shape::Text, "Public key of the account")
            .example("ADECCNBUEBWZ727OMBFSN7OMK2FPYRM52TJS25TFQWYS76NPOJBN3KU4"),
        AccountKey::Nkey,
    ),
    (
        key("users", Shape::Blocks, "Users of the account").example("[{user: \"ann\", password: \"s3cret\"}]"),
        AccountKey::Users,
    ),
    (
        key("exports", Shape::Blocks, "What other accounts may import").example("[{stream: \"a.>\"}]").later(SHARES),
        AccountKey::Exports,
    ),
    (key("imports", Shape::Blocks, "What comes from other accounts").example("[]").later(SHARES), AccountKey::Imports),
    (
        key("mappings", Shape::Block, "Subjects that are published under another one")
            .aliases(&["maps"])
            .example("{\"a.*\": \"b.$1\"}")
            .later("subject mappings"),
        AccountKey::Mappings,
    ),
    (
        key("default_permissions", Shape::Block, "What users may do that have no permissions of their own")
            .example("{publish: \"a.>\"}"),
        AccountKey::Permissions,
    ),
    (
        key("limits", Shape::Block, "What all clients of the account may have together (default: no bound)")
            .example("{max_connections: 10}"),
        AccountKey::Limits,
    ),
    (
        key("msg_trace", Shape::Other("subject, or block"), "Where traces of messages go")
            .aliases(&["trace_dest"])
            .example("\"trace.here\"")
            .later("message tracing"),
        AccountKey::MessageTrace,
    ),
    (
        key("jetstream", Shape::Other("bool, string or block"), "Stored messages of the account")
            .example("disabled")
            .later("JetStream"),
        AccountKey::JetStream,
    ),
];

#[derive(Clone, Copy)]
pub(super) enum LimitKey {
    Connections,
    Subscriptions,
    Payload,
    LeafNodes,
}

pub(super) const LIMIT_KEYS: Keys<LimitKey> = &[
    (
        key("max_connections", Shape::Int, "Connections; -1 is no bound").aliases(&["max_conn"]).default("-1"),
        LimitKey::Connections,
    ),
    (
        key("max_subscriptions", Shape::Int, "Subscriptions; -1 is no bound").aliases(&["max_subs"]).default("-1"),
        LimitKey::Subscriptions,
    ),
    (
        key("max_payload", Shape::Int, "Bytes of a message; -1 is the server's bound")
            .aliases(&["max_pay"])
            .default("-1"),
        LimitKey::Payload,
    ),
    (
        key("max_leafnodes", Shape::Int, "Leaf nodes; -1 is no bound")
            .aliases(&["max_leafs"])
            .default("-1")
            .ignored("there are no leaf nodes yet"),
        LimitKey::LeafNodes,
    ),
];

/// Takes the block over.
pub(in super::super) fn accounts(applied: &mut Applied, name: &[u8], node: &Node) {
    let accounts = match &node.value {
        Value::List(items) => match named(items, &mut applied.errors) {
            Ok(accounts) => accounts,
            Err(GaveUp) => return,
        },
        Value::Map(map) => block(applied, map, &node.place),
        _ => {
            let text = format!("{}: {} is neither a block nor a list: ignored", node.place, quoted(name));
            applied.raw.warnings.push(Warning::Notice(text));
            return;
        }
    };
    applied.raw.accounts = Some(Written { value: accounts, origin: Origin::File(node.place.clone()) });
}

/// Accounts of which only the names are said.
fn named(items: &[Node], complaints: &mut Complaints) -> Result<Vec<RawAccount>, GaveUp> {
    let mut accounts: Vec<RawAccount> = Vec::with_capacity(items.len());
    let mut seen = HashSet::new();
    for item in items {
        let name = complaints.string(item)?;
        if name.as_bytes() == GLOBAL {
            complaints.at(&item.place, reserved(name.as_bytes()));
        } else if !seen.insert(name.clone()) {
            complaints.at(&item.place, format!("Duplicate Account Entry: {name}"));
        } else {
            accounts.push(RawAccount { name, ..RawAccount::default() });
        }
    }
    Ok(accounts)
}

fn reserved(name: &[u8]) -> String {
    format!("{} is a Reserved Account", quoted(name))
}

fn block(applied: &mut Applied, map: &Map, place: &Place) -> Vec<RawAccount> {
    let mut accounts = Vec::new();
    let mut shares = Shares::default();
    for (name, node) in map.iter().filter(|(_, node)| !node.is_variable) {
        let Value::Map(keys) = &node.value else {
            applied.errors.at(&node.place, "Expected map entries for accounts");
            continue;
        };
        if name == GLOBAL {
            applied.errors.at(&node.place, reserved(name));
            continue;
        }
        shares.begin(string(name));
        accounts.push(account(applied, name, keys, &mut shares));
    }
    if applied.errors.0.is_empty() {
        shares::check(&shares, place, &mut applied.errors);
    }
    accounts
}

fn account(applied: &mut Applied, name: &[u8], map: &Map, shares: &mut Shares) -> RawAccount {
    let mut account = RawAccount { name: string(name), ..RawAccount::default() };
    let mut default_permissions = None;
    for (name, node) in map.iter() {
        let errors = &mut applied.errors;
        match find(KEYS, name) {
            Some(AccountKey::Nkey) => match &node.value {
                Value::Text(key) if nkey_prefix(key) == Some(ACCOUNT_PREFIX) => account.nkey = Some(string(key)),
                value => {
                    let key = quoted_value(value);
                    errors.at(&node.place, format!("Not a valid public nkey for an account: {key}"));
                }
            },
            Some(AccountKey::Users) => match &node.value {
                Value::List(_) => {
                    account.users = users(node, errors).unwrap_or_default();
                    account.users_place = Some(node.place.clone());
                }
                value => errors.bare(not_a_list(value)),
            },
            Some(AccountKey::Exports) => exports::exports(applied, shares, name, node),
            Some(AccountKey::Imports) => imports::imports(applied, shares, name, node),
            Some(AccountKey::Mappings) => mappings::mappings(applied, name, node),
            Some(AccountKey::Permissions) => default_permissions = permissions(node, errors),
            Some(AccountKey::Limits) => {
                if let Ok(limits) = limits(applied, node) {
                    account.limits = limits;
                }
            }
            Some(AccountKey::MessageTrace) => later::message_trace(applied, name, node),
            Some(AccountKey::JetStream) => later::account_jetstream(applied, name, node),
            None if node.is_variable => {}
            None => errors.at(&node.place, format!("unknown field {}", quoted(name))),
        }
    }
    if let Some(place) = account.users_place.as_ref().filter(|_| !account.users.is_empty()) {
        check_users(applied, &account, place);
        if let Err(text) = give_permissions(&mut account.users, default_permissions.as_ref()) {
            applied.errors.at(place, text);
        }
    }
    account
}

fn check_users(applied: &mut Applied, account: &RawAccount, place: &Place) {
    if applied.logins.has_single_user {
        applied.errors.at(place, "Can not have a single user/pass and accounts");
    } else if applied.logins.has_token {
        applied.errors.at(place, "Can not have a token and accounts");
    } else {
        for text in applied.logins.add(&account.users) {
            applied.errors.at(place, text);
        }
    }
}

/// Bounds of an account: -1 is none, what is below 0 otherwise is 0.
fn limits(applied: &mut Applied, node: &Node) -> Result<AccountLimits, GaveUp> {
    let mut limits = AccountLimits::default();
    let Value::Map(map) = &node.value else {
        let text = format!("Expected account limits to be a map/struct, got {}", shown(&node.value));
        applied.errors.at(&node.place, text);
        return Err(GaveUp);
    };
    for (name, node) in map.iter() {
        let Some(key) = find(LIMIT_KEYS, name) else {
            if !node.is_variable {
                let text = format!("Unknown field {} parsing account limits", quoted(name));
                applied.errors.at(&node.place, text);
            }
            continue;
        };
        let value = applied.errors.int(node)?;
        let bound = (value != -1).then_some(value.max(0).unsigned_abs());
        match key {
            LimitKey::Connections => limits.connections_max = bound,
            LimitKey::Subscriptions => limits.subscriptions_max = bound,
            LimitKey::Payload => limits.payload_bytes_max = bound,
            LimitKey::LeafNodes if bound.is_some() => later::refuse(applied, name, node),
            LimitKey::LeafNodes => {}
        }
    }
    Ok(limits)
}
