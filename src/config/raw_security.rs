//! What the user wrote of users, accounts and TLS, before defaults are filled in and blocks are compared.
//!
//! Plain data. An account's users stand in it; `resolve_security` gives them its index.

use super::security::{AccountLimits, Credential, HandshakeFirst, Permissions};
use super::value::Place;
use std::path::PathBuf;

/// A user of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawUser {
    /// How it proves who it is.
    pub credential: Credential,
    /// Its own permissions, or the default ones of its block.
    pub permissions: Option<Permissions>,
    /// `allowed_connection_types`, in upper case; empty: all.
    pub connection_types: Vec<String>,
    /// `proxy_required`.
    pub proxy_required: bool,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawAccount {
    /// Its name.
    pub name: String,
    /// `nkey`.
    pub nkey: Option<String>,
    /// `limits`.
    pub limits: AccountLimits,
    /// `users`.
    pub users: Vec<RawUser>,
    /// Where `users` was written.
    pub users_place: Option<Place>,
}

/// A `tls` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawTls {
    /// `cert_file` and `key_file`, or `certs`.
    pub certificates: Vec<(PathBuf, PathBuf)>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
    /// `verify`; `verify_and_map` too.
    pub verify: bool,
    /// `verify_and_map`.
    pub verify_and_map: bool,
    /// `timeout`: nanoseconds; 0: the default.
    pub timeout: i64,
    /// `min_version`.
    pub min_version: Option<String>,
    /// `cipher_suites`.
    pub cipher_suites: Vec<String>,
    /// `curve_preferences`.
    pub curve_preferences: Vec<String>,
    /// `pinned_certs`, in lower case.
    pub pinned_certs: Vec<String>,
    /// `handshake_first`.
    pub handshake_first: HandshakeFirst,
    /// `connection_rate_limit`.
    pub connection_rate_limit: i64,
}
