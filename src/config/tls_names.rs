//! Names of cipher suites and curves as Go has them, and which of them are there.
//!
//! The one list of each: the file's check, `--help_tls` and `tls` read it.

/// What the TLS here does with a name that the peer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is there.
    Here,
    /// It is not, and the start is refused.
    Missing,
    /// The same, and the peer wants `allow_insecure_cipher_suites` for it.
    Insecure,
}

/// Cipher suites, of TLS 1.3 and 1.2.
pub const CIPHER_SUITES: &[(&str, Known)] = &[
    ("TLS_AES_128_GCM_SHA256", Known::Here),
    ("TLS_AES_256_GCM_SHA384", Known::Here),
    ("TLS_CHACHA20_POLY1305_SHA256", Known::Here),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Known::Here),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Known::Here),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Known::Here),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Known::Here),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Known::Here),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Known::Here),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Known::Missing),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Known::Missing),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Known::Missing),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Known::Missing),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Known::Insecure),
    ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Known::Insecure),
    ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Known::Insecure),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Known::Insecure),
    ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", Known::Insecure),
    ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Known::Insecure),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", Known::Insecure),
    ("TLS_RSA_WITH_AES_128_CBC_SHA256", Known::Insecure),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", Known::Insecure),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", Known::Insecure),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", Known::Insecure),
    ("TLS_RSA_WITH_RC4_128_SHA", Known::Insecure),
];

/// Curves of the key exchange.
pub const CURVES: &[(&str, Known)] = &[
    ("X25519", Known::Here),
    ("CurveP256", Known::Here),
    ("CurveP384", Known::Here),
    ("CurveP521", Known::Missing),
    ("X25519MLKEM768", Known::Missing),
    ("SecP256r1MLKEM768", Known::Missing),
    ("SecP384r1MLKEM1024", Known::Missing),
];
