//! The blocks of a file that say who may come in, what they may do, and how TLS is spoken.
//!
//! Owns the tables of keys inside these blocks and what their values mean; each table is the one list of its block's keys.
//! The messages are the peer's. Relations between blocks that hold in any order are `resolve_security`'s; what depends on
//! which block is written first (users twice, one login beside many) is found here, as the peer finds it.

pub(super) mod accounts;
pub(super) mod authorization;
mod exports;
mod imports;
pub(super) mod later;
pub(super) mod mappings;
mod pem;
pub(super) mod permissions;
pub(super) mod proxies;
mod shares;
pub(super) mod tls;
mod tls_keys;
mod users;

pub(super) use authorization::{timeout_nanos, timeout_warning};
pub(super) use permissions::check_subjects;
pub(super) use users::{USER_PREFIX, nkey_prefix};

use super::keys::{Block, Key, SECURITY, Shape};
use std::collections::HashSet;

/// The keys of a block, and what each is there.
pub(super) type Keys<K> = &'static [(Key, K)];

/// An entry of a table.
pub(super) trait Entry {
    /// What it is in its block.
    type Means: Copy;

    /// That, where the entry has this name.
    fn named(&self, name: &[u8]) -> Option<Self::Means>;
}

impl<K: Copy> Entry for (Key, K) {
    type Means = K;

    fn named(&self, name: &[u8]) -> Option<K> {
        self.0.is_named(name).then_some(self.1)
    }
}

/// Only names, of a block that nobody describes yet.
impl<K: Copy> Entry for (&'static [&'static str], K) {
    type Means = K;

    fn named(&self, name: &[u8]) -> Option<K> {
        self.0.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)).then_some(self.1)
    }
}

/// The key of a name as written.
pub(super) fn find<E: Entry>(keys: &[E], name: &[u8]) -> Option<E::Means> {
    keys.iter().find_map(|entry| entry.named(name))
}

/// A key of a block of this folder; each came with logins, accounts and TLS.
const fn key(name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key::inside(name, shape, help).since(SECURITY)
}

/// A key of an entry of exports or imports.
const fn shared(name: &'static str, shape: Shape, help: &'static str) -> Key {
    key(name, shape, help).later("imports and exports")
}

fn described<K>(keys: Keys<K>) -> Vec<&'static Key> {
    keys.iter().map(|(key, _)| key).collect()
}

/// The blocks with their keys.
pub(super) fn blocks() -> Vec<Block> {
    let block = |path, keys| Block { path, keys };
    vec![
        block("authorization", described(authorization::KEYS)),
        block("authorization.users", described(users::KEYS)),
        block("authorization.permissions", described(permissions::KEYS)),
        block("authorization.permissions.publish", described(permissions::LIST_KEYS)),
        block("authorization.permissions.allow_responses", described(permissions::RESPONSE_KEYS)),
        block("accounts.*", described(accounts::KEYS)),
        block("accounts.*.limits", described(accounts::LIMIT_KEYS)),
        block("accounts.*.exports", described(exports::EXPORT_KEYS)),
        block("accounts.*.imports", described(imports::IMPORT_KEYS)),
        block("mappings.*", described(mappings::DESTINATION_KEYS)),
        block("tls", described(tls_keys::KEYS)),
        block("proxies", vec![&proxies::TRUSTED]),
        block("proxies.trusted", vec![&proxies::KEY]),
    ]
}

/// The names of users and keys that the blocks read so far have, and what else the peer compares them with.
#[derive(Debug, Default)]
pub(super) struct Logins {
    /// Both are compared with both, as in the peer.
    names: HashSet<String>,
    /// A single user has a name.
    has_single_user: bool,
    has_token: bool,
}

#[cfg(test)]
mod tests;
