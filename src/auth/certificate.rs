//! What a client's certificate says of it.
//!
//! Owns the names that may stand for a user, in the order in which they are tried. Reads no DER: `tls` does, after the
//! certificate was verified.

/// The names in a verified client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// E-mail addresses of the subject alternative names.
    pub emails: Vec<String>,
    /// Host names of the subject alternative names.
    pub dns_names: Vec<String>,
    /// URIs of the subject alternative names.
    pub uris: Vec<String>,
    /// Subject.
    pub subject: DistinguishedName,
    /// SHA-256 of the public key (SPKI).
    pub spki_sha256: [u8; 32],
}

/// A distinguished name, as it stands in a certificate: its relative names in order, each of one or several attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName(pub Vec<Vec<Attribute>>);

/// One attribute of a relative distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// The type as a dotted object identifier (`2.5.4.3`).
    pub oid: String,
    /// The value as text.
    pub value: String,
}
