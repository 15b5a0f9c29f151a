//! The keys of every `tls` block.
//!
//! Owns the table alone; `tls` reads the block.

use super::{Keys, key};
use crate::config::keys::{Key, Shape};

/// A key of certificates that Windows holds.
const fn windows(name: &'static str, shape: Shape) -> Key {
    key(name, shape, "For certificates that Windows holds: taken, as by nats-server on Linux; cert_store itself is refused, as there")
        .ignored("there is no such store here")
}

#[derive(Clone, Copy)]
pub(super) enum TlsKey {
    CertFile,
    KeyFile,
    Certs,
    CaFile,
    Verify,
    VerifyAndMap,
    VerifyKnownUrls,
    Insecure,
    Timeout,
    CipherSuites,
    AllowInsecureCiphers,
    Curves,
    MinVersion,
    PinnedCerts,
    ConnectionRate,
    HandshakeFirst,
    OcspPeer,
    CertStore,
    CertMatch,
    CertMatchBy,
    CaCertsMatch,
    SkipInvalid,
}

/// The keys of every `tls` block.
pub(super) const KEYS: Keys<TlsKey> = &[
    (
        key("cert_file", Shape::Text, "Certificate of the server with its chain, as PEM").example("\"server.pem\""),
        TlsKey::CertFile,
    ),
    (key("key_file", Shape::Text, "Its key, as PEM").example("\"server.key\""), TlsKey::KeyFile),
    (
        key(
            "certs",
            Shape::Blocks,
            "Several certificates: blocks with cert_file and key_file; clients get the one they name",
        )
        .aliases(&["certificates"])
        .example("[{cert_file: \"server.pem\", key_file: \"server.key\"}]"),
        TlsKey::Certs,
    ),
    (key("ca_file", Shape::Text, "Who may sign certificates of clients, as PEM").example("\"ca.pem\""), TlsKey::CaFile),
    (key("verify", Shape::Bool, "A client must show a certificate").default("false"), TlsKey::Verify),
    (
        key("verify_and_map", Shape::Bool, "The same, and its names say which user it is").default("false"),
        TlsKey::VerifyAndMap,
    ),
    (
        key("verify_cert_and_check_known_urls", Shape::Bool, "For clusters and gateways: refused here")
            .example("false")
            .ignored("it has a meaning for clusters and gateways only"),
        TlsKey::VerifyKnownUrls,
    ),
    (
        key("insecure", Shape::Bool, "Do not look at the certificate of the other side, where we are the client")
            .default("false")
            .ignored("clients are not asked by it"),
        TlsKey::Insecure,
    ),
    (key("timeout", Shape::Seconds, "How long a handshake may take").default("2"), TlsKey::Timeout),
    (
        key("cipher_suites", Shape::Texts, "Suites that are offered, by their Go names; dunlin --help_tls lists them")
            .example("[\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]")
            .differs("those with CBC or without forward secrecy are not offered"),
        TlsKey::CipherSuites,
    ),
    (
        key("allow_insecure_cipher_suites", Shape::Bool, "Suites may be named that are known to be weak")
            .default("false"),
        TlsKey::AllowInsecureCiphers,
    ),
    (
        key(
            "curve_preferences",
            Shape::Texts,
            "Curves that are offered, by their Go names; dunlin --help_tls lists them",
        )
        .example("[\"X25519\"]")
        .differs("P-521 and ML-KEM are not offered"),
        TlsKey::Curves,
    ),
    (key("min_version", Shape::Text, "The oldest version of TLS").default("\"1.2\""), TlsKey::MinVersion),
    (
        key("pinned_certs", Shape::Texts, "The only public keys of clients: SHA-256 of each, in hex")
            .example("[\"a8f407340dcc719864214b85ed96f98d16cbffa8f509d9fa4ca237b7bb3f9c32\"]"),
        TlsKey::PinnedCerts,
    ),
    (
        key("connection_rate_limit", Shape::Int, "Handshakes a second; 0 is any number")
            .default("0")
            .fixed("the cores share it from the start")
            .shown_as("TLSRateLimit", |c| c.tls.as_ref().map_or(0, |tls| tls.handshakes_per_second_max).to_string()),
        TlsKey::ConnectionRate,
    ),
    (
        key(
            "handshake_first",
            Shape::Other("bool, `auto` or duration"),
            "TLS begins before INFO; auto waits 50ms for it",
        )
        .aliases(&["first", "immediate"])
        .default("false"),
        TlsKey::HandshakeFirst,
    ),
    (
        key("ocsp_peer", Shape::BoolOrBlock, "Proofs that certificates of clients are valid")
            .example("false")
            .later("OCSP"),
        TlsKey::OcspPeer,
    ),
    (windows("cert_store", Shape::Text), TlsKey::CertStore),
    (windows("cert_match", Shape::Text), TlsKey::CertMatch),
    (windows("cert_match_by", Shape::Text).example("subject"), TlsKey::CertMatchBy),
    (windows("ca_certs_match", Shape::TextOrTexts), TlsKey::CaCertsMatch),
    (windows("cert_match_skip_invalid", Shape::Bool), TlsKey::SkipInvalid),
];
