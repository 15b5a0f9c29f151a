//! Certificates that name users (26-13): a name written for a subject maps it, and no subject with other attributes.
//!
//! The input is two subjects, each a list of attributes: one byte for the type and whether it stands in a part of its own, then the
//! value up to a byte below 32. What remains is a name, which must not be read in a way that panics.
#![no_main]

use dunlin::auth::certificate::{Attribute, DistinguishedName, PeerCertificate};
use dunlin::auth::{Claims, ConnectionType, Directory, Verdict};
use dunlin::config::security::{Credential, Security, User};
use dunlin::ids::AccountId;
use dunlin::protocol::handshake::ConnectOptions;
use dunlin::secret::Secret;
use libfuzzer_sys::fuzz_target;
use std::fmt::Write;

/// Attributes of which the peer keeps all, in each of its texts; domain components stand in one of the two.
const TYPES: [(&str, &str); 4] =
    [("O", "2.5.4.10"), ("OU", "2.5.4.11"), ("L", "2.5.4.7"), ("DC", "0.9.2342.19200300.100.1.25")];

type Subject = Vec<Vec<(usize, String)>>;

/// Up to four attributes; the last byte of the input that was read.
fn read_subject(input: &mut &[u8]) -> Subject {
    let mut parts = Subject::new();
    for _ in 0..4 {
        let [kind, rest @ ..] = *input else { break };
        let end = rest.iter().position(|byte| *byte < b' ').unwrap_or(rest.len());
        let value = String::from_utf8_lossy(&rest[..end]).into_owned();
        *input = rest.get(end + 1..).unwrap_or_default();
        if value.is_empty() {
            break;
        }
        let attribute = (usize::from(kind % 4), value);
        match parts.last_mut() {
            Some(part) if kind & 16 != 0 => part.push(attribute),
            _ => parts.push(vec![attribute]),
        }
    }
    parts
}

/// As RFC 4514 writes it, each byte of a value that could mean something as hex.
fn written(subject: &Subject) -> String {
    let part = |part: &Vec<(usize, String)>| {
        let attributes = part.iter().map(|(kind, value)| {
            let mut text = format!("{}=", TYPES[*kind].0);
            for byte in value.bytes() {
                let _ = match byte {
                    b'a'..=b'z' => write!(text, "{}", char::from(byte)),
                    _ => write!(text, "\\{byte:02x}"),
                };
            }
            text
        });
        attributes.collect::<Vec<_>>().join("+")
    };
    subject.iter().rev().map(part).collect::<Vec<_>>().join(",")
}

fn maps(name: &str, subject: &Subject) -> bool {
    let credential = Credential::Password { name: name.into(), password: Secret::default() };
    let user = User { credential, account: 0, permissions: None, connection_types: Vec::new(), proxy_required: false };
    let security = Security { users: vec![user], ..Security::default() };
    let directory = Directory::new(&security, &[AccountId(0), AccountId(1)]).expect("any name is sound");
    let attribute = |(kind, value): &(usize, String)| Attribute { oid: TYPES[*kind].1.into(), value: value.clone() };
    let parts = subject.iter().map(|part| part.iter().map(attribute).collect()).collect();
    let certificate = PeerCertificate { subject: DistinguishedName(parts), ..PeerCertificate::default() };
    let options = ConnectOptions::default();
    let verdict = directory.decide(&Claims {
        options: &options,
        nonce: b"",
        certificate: Some(&certificate),
        map_certificate: true,
        connection_type: ConnectionType::Standard,
    });
    matches!(verdict, Verdict::Admit(_))
}

/// All attributes, whatever part they stand in; with or without domain components.
fn flat(subject: &Subject, with_domain: bool) -> Vec<(usize, String)> {
    let mut all: Vec<_> = subject.iter().flatten().filter(|(kind, _)| with_domain || *kind != 3).cloned().collect();
    all.sort();
    all
}

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let (one, other) = (read_subject(&mut rest), read_subject(&mut rest));
    let name = written(&one);
    assert_eq!(maps(&name, &one), !one.is_empty(), "{name:?} is written for it");
    if maps(&name, &other) {
        assert!(
            flat(&one, true) == flat(&other, true) || flat(&one, true) == flat(&other, false),
            "{name:?} and {other:?}"
        );
    }
    let _ = maps(&String::from_utf8_lossy(rest), &other);
});
