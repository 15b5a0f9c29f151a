//! The one declared table of keys of a configuration file.
//!
//! Owns names, aliases, types, defaults, ranges, what a reload does, with which feature each came, a line of help, and how
//! its value is told of. From it come parsing and its errors (`apply`), the rules of a reload, `explain` and the reference
//! page. A key that is not here is an unknown field. Keys within blocks stand in tables of the same [`Key`], beside what
//! reads the block; [`all`] lists them all.
//!
//! - `key`: one entry and its builders
//! - `kinds`: types of values
//! - `general`, `limits`, `security`, `features`: the tables, by theme
//! - `show`: forms of values that are told

mod features;
mod general;
mod key;
mod kinds;
mod limits;
mod security;
pub(crate) mod show;

pub use key::{Key, Range, Reload, Shown, Status};
pub use kinds::{DurationForm, Form, IntBound, Kind, Section, Shape, Slot};

use super::{later, own_flags, security_keys};

/// Came with the broker.
pub const BROKER: &str = "broker";
/// Came with logins, accounts and TLS.
pub const SECURITY: &str = "security";
/// Came with pages.
pub const MONITORING: &str = "monitoring";
/// Came with the complete configuration.
pub const CONFIGURATION: &str = "configuration";

macro_rules! slot {
    ($field:ident) => {
        |raw| &mut raw.$field
    };
}
use slot;

/// The keys at the top of a file, by theme: a title, and its keys.
pub const TOP_LEVEL: &[(&str, &[Key])] = &[
    ("Listener of clients", general::LISTENER),
    ("Identity", general::IDENTITY),
    ("Limits", limits::LIMITS),
    ("Timing and behaviour", limits::TIMING),
    ("Pages", limits::PAGES_KEYS),
    ("Logs", general::LOGS),
    ("Files, process and lame duck mode", general::PROCESS),
    ("Logins, accounts and TLS", security::LOGINS),
    ("Dunlin's own", security::OWN),
    ("Operators and OCSP", features::TRUST),
    ("Other listeners and servers", features::LISTENERS),
];

/// The keys of one kind of block.
#[derive(Clone, Debug)]
pub struct Block {
    /// How one gets there: `authorization.users`; `accounts.*` is any account.
    pub path: &'static str,
    /// Its keys.
    pub keys: Vec<&'static Key>,
}

/// The keys at the top of a file.
pub fn top_level() -> impl Iterator<Item = &'static Key> {
    TOP_LEVEL.iter().flat_map(|(_, keys)| keys.iter())
}

/// The blocks that have tables of their own.
pub fn blocks() -> Vec<Block> {
    let mut blocks = security_keys::blocks();
    blocks.extend(own_flags::blocks());
    blocks.extend(later::blocks());
    blocks
}

/// Every key with its path: `max_payload`, `tls.cert_file`, `dunlin.spin_us`. The order is that in which a reload looks at them.
pub fn all() -> Vec<(String, &'static Key)> {
    let top = top_level().map(|key| (key.name.to_owned(), key));
    let inner = blocks().into_iter().flat_map(|block| {
        let path = block.path;
        block.keys.into_iter().map(move |key| (format!("{path}.{}", key.name), key))
    });
    top.chain(inner).collect()
}

/// The key at the top of a file of a name as written.
pub fn find(name: &[u8]) -> Option<&'static Key> {
    top_level().find(|key| key.is_named(name))
}

/// The range of a number at the top of a file.
pub fn range(name: &str) -> Option<Range> {
    find(name.as_bytes()).and_then(|key| key.range)
}

/// The entry of a block's table of a name as written.
pub(super) fn find_in<K>(table: &'static [(Key, K)], name: &[u8]) -> Option<(&'static Key, &'static K)> {
    table.iter().find(|(key, _)| key.is_named(name)).map(|(key, kind)| (key, kind))
}

#[cfg(test)]
mod tests;
