//! The names that Go has for versions, cipher suites and curves: configurations and pages use them.
//!
//! Owns the tables, and the order in which the server prefers what both sides can. Invariant: what a table maps to, the crypto
//! provider has; a name that Go knows and rustls leaves out on purpose has a reason instead.

use rustls::crypto::{SupportedKxGroup, ring};
use rustls::{CipherSuite, ProtocolVersion, SupportedCipherSuite};

/// `1.3`
pub const fn version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "1.3",
        ProtocolVersion::TLSv1_2 => "1.2",
        _ => "unknown",
    }
}

/// The suites, the preferred first: as the peer, AES with 128 bits before 256, and ChaCha20 last.
const SUITES: [(&str, SupportedCipherSuite); 9] = {
    use ring::cipher_suite as s;
    [
        ("TLS_AES_128_GCM_SHA256", s::TLS13_AES_128_GCM_SHA256),
        ("TLS_AES_256_GCM_SHA384", s::TLS13_AES_256_GCM_SHA384),
        ("TLS_CHACHA20_POLY1305_SHA256", s::TLS13_CHACHA20_POLY1305_SHA256),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", s::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", s::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", s::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", s::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", s::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", s::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ]
};

/// Go's older names for two of them.
const OLDER_NAMES: [(&str, &str); 2] = [
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
];

/// The name of a suite.
pub fn suite(suite: CipherSuite) -> &'static str {
    SUITES.iter().find(|(_, known)| known.suite() == suite).map_or("unknown", |(name, _)| name)
}

/// A name that cannot be gone by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Nobody knows it.
    Unknown(String),
    /// Go has it, this server does not.
    Left {
        /// The name.
        name: String,
        /// Why.
        why: &'static str,
    },
}

/// The suites that `wanted` allows, in order of preference; all where it is empty. As on the peer the list is about TLS 1.2:
/// those of TLS 1.3 are always there.
///
/// # Errors
/// The first name that cannot be gone by.
pub fn suites(wanted: &[String]) -> Result<Vec<SupportedCipherSuite>, Unusable> {
    let mut allowed = Vec::new();
    for name in wanted {
        let newer = OLDER_NAMES.iter().find(|(older, _)| older == name).map_or(name.as_str(), |(_, newer)| newer);
        match SUITES.iter().find(|(known, _)| *known == newer) {
            Some((_, suite)) => allowed.push(suite.suite()),
            None => return Err(left_out(name)),
        }
    }
    let may =
        |suite: &SupportedCipherSuite| wanted.is_empty() || suite.tls13().is_some() || allowed.contains(&suite.suite());
    Ok(SUITES.iter().map(|(_, suite)| *suite).filter(may).collect())
}

fn left_out(name: &str) -> Unusable {
    let why = if !name.starts_with("TLS_") {
        return Unusable::Unknown(name.to_owned());
    } else if name.contains("_CBC_") {
        "suites with CBC are not offered here, since their padding has been attacked again and again"
    } else if name.contains("_RC4_") {
        "RC4 is broken and not offered here"
    } else if name.starts_with("TLS_RSA_WITH_") {
        "suites without forward secrecy are not offered here"
    } else {
        return Unusable::Unknown(name.to_owned());
    };
    Unusable::Left { name: name.to_owned(), why }
}

/// The key exchange groups that `wanted` allows, in its order; all where it is empty.
///
/// # Errors
/// The first name that cannot be gone by.
pub fn groups(wanted: &[String]) -> Result<Vec<&'static dyn SupportedKxGroup>, Unusable> {
    if wanted.is_empty() {
        return Ok(ring::ALL_KX_GROUPS.to_vec());
    }
    wanted.iter().map(|name| group(name)).collect()
}

fn group(name: &str) -> Result<&'static dyn SupportedKxGroup, Unusable> {
    let why = match name {
        "X25519" => return Ok(ring::kx_group::X25519),
        "CurveP256" => return Ok(ring::kx_group::SECP256R1),
        "CurveP384" => return Ok(ring::kx_group::SECP384R1),
        "CurveP521" => "the cryptography used here has no P-521; use X25519, CurveP256 or CurveP384",
        "X25519MLKEM768" | "SecP256r1MLKEM768" | "SecP384r1MLKEM1024" => {
            "the cryptography used here has no ML-KEM; use X25519, CurveP256 or CurveP384"
        }
        _ => return Err(Unusable::Unknown(name.to_owned())),
    };
    Err(Unusable::Left { name: name.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Result<Vec<&'static str>, Unusable> {
        let wanted: Vec<String> = wanted.iter().map(|&n| n.into()).collect();
        Ok(suites(&wanted)?.into_iter().map(|s| suite(s.suite())).collect())
    }

    #[test]
    fn a_list_is_about_tls_1_2() {
        let got = names(&["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]).unwrap();
        assert_eq!(got[..3], ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]);
        assert_eq!(got[3..], ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"]);
        assert_eq!(names(&[]).unwrap().len(), SUITES.len());
    }

    #[test]
    fn what_go_has_and_we_do_not_says_why() {
        assert!(
            matches!(names(&["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"]), Err(Unusable::Left { why, .. }) if why.contains("CBC"))
        );
        assert!(matches!(names(&["TLS_RSA_WITH_AES_128_GCM_SHA256"]), Err(Unusable::Left { .. })));
        assert_eq!(names(&["NOPE"]), Err(Unusable::Unknown("NOPE".into())));
        assert!(groups(&["X25519".into(), "CurveP256".into()]).is_ok_and(|groups| groups.len() == 2));
        assert!(matches!(groups(&["CurveP521".into()]), Err(Unusable::Left { .. })));
        assert!(matches!(groups(&["P256".into()]), Err(Unusable::Unknown(_))));
    }

    #[test]
    fn every_suite_of_the_provider_has_a_name() {
        for known in ring::ALL_CIPHER_SUITES {
            assert_ne!(suite(known.suite()), "unknown", "{known:?}");
        }
        assert_eq!(ring::ALL_CIPHER_SUITES.len(), SUITES.len());
    }
}
