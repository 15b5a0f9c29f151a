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
mod permissions;
pub(super) mod proxies;
mod shares;
pub(super) mod tls;
mod users;

use std::collections::HashSet;

/// What stands behind a key of a block: its names (the first is its own), and what it is there.
pub(super) type Keys<K> = &'static [(&'static [&'static str], K)];

/// The key of a name as written.
fn find<K: Copy>(keys: Keys<K>, name: &[u8]) -> Option<K> {
    let is_named = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    keys.iter().find(|(names, _)| names.iter().any(&is_named)).map(|(_, key)| *key)
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
