//! Who this server is: its keys, and what its build is called.
//!
//! Owns the key pairs, which live as long as the server and are never written anywhere. Each server of a process has its own.

use std::fmt;

use nkeys::{KeyPair, XKey};

/// Version that clients see: they decide by it what a server can do.
pub const PEER_VERSION: &str = "2.15.1";

/// Version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that was built, where the build was told (`DUNLIN_GIT_COMMIT`).
pub const GIT_COMMIT: Option<&str> = option_env!("DUNLIN_GIT_COMMIT");

/// `go` of INFO: clients and tools expect a compiler there.
pub const BUILT_WITH: &str = concat!("rust (dunlin ", env!("CARGO_PKG_VERSION"), ")");

/// What stands in the banner's `Git:` line, in brackets.
pub const fn git_commit_shown() -> &'static str {
    match GIT_COMMIT {
        Some(commit) => commit,
        None => "not set",
    }
}

/// Keys of one server.
pub struct Identity {
    server: KeyPair,
    curve: XKey,
    server_id: String,
    xkey: String,
}

impl Identity {
    /// New random keys.
    pub fn new() -> Self {
        Self::from_keys(KeyPair::new_server(), XKey::new())
    }

    fn from_keys(server: KeyPair, curve: XKey) -> Self {
        let (server_id, xkey) = (server.public_key(), curve.public_key());
        Self { server, curve, server_id, xkey }
    }

    /// `server_id` of INFO, and the server's name where none is configured: the public key, `N…`.
    pub fn server_id(&self) -> &str {
        &self.server_id
    }

    /// `xkey` of INFO: the public key to which others encrypt, `X…`.
    pub fn xkey(&self) -> &str {
        &self.xkey
    }

    /// Signs as this server.
    pub fn key_pair(&self) -> &KeyPair {
        &self.server
    }

    /// Opens what was encrypted to this server.
    pub fn curve_key_pair(&self) -> &XKey {
        &self.curve
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the public parts alone.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("server_id", &self.server_id).field("xkey", &self.xkey).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_the_kinds_that_clients_expect() {
        let (one, two) = (Identity::new(), Identity::new());
        for identity in [&one, &two] {
            for (key, first) in [(identity.server_id(), 'N'), (identity.xkey(), 'X')] {
                assert_eq!(key.len(), 56);
                assert!(key.starts_with(first));
            }
        }
        assert_ne!(one.server_id(), two.server_id());
        assert_ne!(one.xkey(), two.xkey());
    }

    #[test]
    fn known_keys_give_known_names() {
        let server = KeyPair::new_from_raw(nkeys::KeyPairType::Server, [7; 32]).expect("32 bytes");
        let identity = Identity::from_keys(server, XKey::new_from_raw([7; 32]));
        let signature = identity.key_pair().sign(b"nonce").expect("it has a seed");
        let public = KeyPair::from_public_key(identity.server_id()).expect("a public key");
        public.verify(b"nonce", &signature).expect("signed by us");
        // CVE-2023-46129: a box sealed to this key must open with it alone.
        let sender = XKey::new();
        let recipient = XKey::from_public_key(identity.xkey()).expect("a public key");
        let sealed = sender.seal(b"secret", &recipient).expect("sealed");
        assert_eq!(identity.curve_key_pair().open(&sealed, &sender).expect("ours"), b"secret");
        assert!(XKey::new_from_raw([0; 32]).open(&sealed, &sender).is_err());
    }

    #[test]
    fn cve_2023_46129_no_private_key_is_shown() {
        let identity = Identity::new();
        let shown = format!("{identity:?}");
        assert!(shown.contains(identity.server_id()));
        assert!(!shown.contains(&identity.key_pair().seed().expect("it has a seed")));
    }
}
