//! What a client's certificate says, read from its DER after it was verified.
//!
//! Owns the reading alone: who a name stands for is decided in `auth`. A certificate whose names cannot be read has none, so
//! that it maps to nobody.

use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::asn1::{BmpString, Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use crate::auth::certificate::{Attribute, DistinguishedName, PeerCertificate};

/// A certificate of a client, as the pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its subject, as Go writes it.
    pub subject: String,
    /// SHA-256 of its public key (SPKI), in hex.
    pub spki_sha256: String,
    /// SHA-256 of all of it, in hex.
    pub cert_sha256: String,
}

/// The names and the public key in `der`; nothing where it cannot be read.
pub fn read(der: &[u8]) -> Option<PeerCertificate> {
    let certificate = Certificate::from_der(der).ok()?;
    let body = &certificate.tbs_certificate;
    let mut read = PeerCertificate {
        subject: distinguished(&body.subject)?,
        spki_sha256: Sha256::digest(body.subject_public_key_info.to_der().ok()?).into(),
        ..PeerCertificate::default()
    };
    if let Some((_, SubjectAltName(names))) = body.get::<SubjectAltName>().ok()? {
        for name in names {
            match name {
                GeneralName::Rfc822Name(text) => read.emails.push(text.to_string()),
                GeneralName::DnsName(text) => read.dns_names.push(text.to_string()),
                GeneralName::UniformResourceIdentifier(text) => read.uris.push(text.to_string()),
                _ => {}
            }
        }
    }
    Some(read)
}

/// What the pages show of `der`.
pub fn show(der: &[u8]) -> Shown {
    let read = read(der);
    Shown {
        subject: read.as_ref().map(|read| go_text(&read.subject)).unwrap_or_default(),
        spki_sha256: read.as_ref().map(|read| hex(&read.spki_sha256)).unwrap_or_default(),
        cert_sha256: hex(&Sha256::digest(der)),
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn distinguished(name: &Name) -> Option<DistinguishedName> {
    let attribute = |one: &x509_cert::attr::AttributeTypeAndValue| {
        Some(Attribute { oid: one.oid.to_string(), value: text(&one.value)? })
    };
    let relative = name.0.iter().map(|set| set.0.iter().map(attribute).collect::<Option<Vec<_>>>());
    Some(DistinguishedName(relative.collect::<Option<_>>()?))
}

/// A value as text. One that is of no kind of text has none, and the whole name is not used: it must not look like another.
fn text(value: &x509_cert::der::Any) -> Option<String> {
    Some(match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok()?.to_string(),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().ok()?.to_string(),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok()?.to_string(),
        Tag::TeletexString => value.decode_as::<TeletexStringRef<'_>>().ok()?.to_string(),
        Tag::BmpString => value.decode_as::<BmpString>().ok()?.to_string(),
        Tag::NumericString => String::from_utf8(value.value().to_vec()).ok()?,
        _ => return None,
    })
}

/// A distinguished name as Go writes it: the last part first, unknown types as numbers.
pub fn go_text(name: &DistinguishedName) -> String {
    let relative = |parts: &Vec<Attribute>| parts.iter().map(part).collect::<Vec<_>>().join("+");
    name.0.iter().rev().map(relative).collect::<Vec<_>>().join(",")
}

fn part(attribute: &Attribute) -> String {
    let known = match attribute.oid.as_str() {
        "2.5.4.6" => "C",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.3" => "CN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.17" => "POSTALCODE",
        other => other,
    };
    let mut text = format!("{known}=");
    let last = attribute.value.chars().count().saturating_sub(1);
    for (at, character) in attribute.value.chars().enumerate() {
        let escaped = match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        if escaped {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SanType};
    use rustls::pki_types::CertificateDer;

    fn certificate(params: CertificateParams) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    #[test]
    fn names_come_in_their_order() {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Kit, Inc.");
        params.distinguished_name.push(DnType::CommonName, DnValue::PrintableString("ann".try_into().unwrap()));
        params.distinguished_name.push(DnType::CustomDnType(vec![0, 9, 2342, 19200300, 100, 1, 25]), "example");
        params.subject_alt_names = vec![
            SanType::DnsName("a.example".try_into().unwrap()),
            SanType::Rfc822Name("ann@a.example".try_into().unwrap()),
            SanType::URI("spiffe://a/ann".try_into().unwrap()),
            SanType::Rfc822Name("second@a.example".try_into().unwrap()),
        ];
        let der = certificate(params);
        let read = read(&der).unwrap();
        assert_eq!(read.emails, ["ann@a.example", "second@a.example"]);
        assert_eq!(read.dns_names, ["a.example"]);
        assert_eq!(read.uris, ["spiffe://a/ann"]);
        assert_eq!(read.subject.0.len(), 3);
        assert_eq!(read.subject.0[1], [Attribute { oid: "2.5.4.3".into(), value: "ann".into() }]);
        let shown = show(&der);
        assert_eq!(shown.subject, r"0.9.2342.19200300.100.1.25=example,CN=ann,O=Kit\, Inc.");
        assert_eq!(shown.spki_sha256, hex(&read.spki_sha256));
        assert_eq!(shown.cert_sha256.len(), 64);
    }

    #[test]
    fn the_key_is_hashed_as_it_stands_in_the_certificate() {
        let key = KeyPair::generate().unwrap();
        let der = CertificateParams::default().self_signed(&key).unwrap().der().clone();
        let want: [u8; 32] = Sha256::digest(rcgen::PublicKeyData::subject_public_key_info(&key)).into();
        assert_eq!(read(&der).unwrap().spki_sha256, want);
    }

    #[test]
    fn what_is_no_certificate_has_no_names() {
        let whole = certificate(CertificateParams::default()).to_vec();
        for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
            assert_eq!(read(&whole[..cut]), None);
        }
        let mut random = 7_u64;
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % bytes.len();
            bytes[at] ^= (random >> 25) as u8 | 1;
            let _ = read(&bytes); // says something or nothing, and does not fail
        }
    }
}
