//! Whether what TLS is spoken with has changed: the block, or what is in the files that it names.
//!
//! Owns the fingerprint of both. Where nothing differs a reload leaves TLS as it is, and sessions can be taken up again.

use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::config::security::{HandshakeFirst, Tls};

/// A fingerprint; `None`: no TLS.
pub(super) type Fingerprint = Option<[u8; 32]>;

/// That of a configuration and of the files as they are now. A file that cannot be read counts as empty: whoever loads it complains.
pub(super) fn fingerprint(config: &Config) -> Fingerprint {
    config.tls.as_ref().map(of)
}

fn of(tls: &Tls) -> [u8; 32] {
    let mut hash = Sha256::new();
    // These have lines of their own in the log.
    let told_apart = Tls {
        timeout: None,
        handshake_first: HandshakeFirst::No,
        pinned_certs: Vec::new(),
        handshakes_per_second_max: 0,
        ..tls.clone()
    };
    hash.update(format!("{told_apart:?}"));
    let pairs = tls.certificates.iter().flat_map(|(certificate, key)| [certificate, key]);
    for path in pairs.chain(&tls.ca_file) {
        let content = zeroize::Zeroizing::new(std::fs::read(path).unwrap_or_default());
        hash.update(content.len().to_le_bytes());
        hash.update(&*content);
    }
    hash.finalize().into()
}
