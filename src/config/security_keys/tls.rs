//! The top-level `tls` block.
//!
//! Owns its keys. The first fault ends the block, as in
//! the peer. What the files hold is looked at only as far as `pem` goes; `tls` reads them.

use super::super::apply::Applied;
use super::super::complaints::{Complaints, GaveUp};
use super::super::duration;
use super::super::raw::{Origin, Refusal, Warning, Written};
use super::super::raw_security::RawTls;
use super::super::security::HandshakeFirst;
use super::super::tls_names::{CIPHER_SUITES, CURVES, Known};
use super::super::value::{Map, Node, Value, quoted, shown};
use super::authorization::timeout_nanos;
use super::tls_keys::{KEYS, TlsKey};
use super::{find, later, pem};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// How long `handshake_first: auto` waits.
const HANDSHAKE_FIRST_AUTO: Duration = Duration::from_millis(50);

/// Whose connections a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Side {
    /// Clients of the listener that there is.
    Clients,
    /// Servers that connect to each other: routes, gateways.
    Servers,
    /// Others: listeners of later features, and connections that the server opens.
    Others,
    /// A proxy on the way to another server.
    Proxy,
}

/// Takes the block over.
pub(in super::super) fn tls(applied: &mut Applied, _name: &[u8], node: &Node) {
    if let Ok(tls) = read(applied, Side::Clients, node) {
        let origin = Origin::File(node.place.clone());
        applied.raw.tls = Some(Written { value: tls, origin });
    }
}

/// What holds for the server's side of a connection has no meaning towards a proxy.
fn is_for_proxies(key: TlsKey) -> bool {
    !matches!(
        key,
        TlsKey::Verify
            | TlsKey::VerifyAndMap
            | TlsKey::VerifyKnownUrls
            | TlsKey::PinnedCerts
            | TlsKey::ConnectionRate
            | TlsKey::HandshakeFirst
            | TlsKey::OcspPeer
    )
}

/// Reads a block; the first fault, which is told, ends it.
pub(in super::super) fn read(applied: &mut Applied, side: Side, node: &Node) -> Result<RawTls, GaveUp> {
    let map = applied.errors.map(node)?;
    let mut reading = Reading { applied, side, tls: RawTls::default(), files: Files::default() };
    for (name, node) in map.iter() {
        match find(KEYS, name) {
            Some(key) if side != Side::Proxy || is_for_proxies(key) => reading.key(key, name, node)?,
            // A variable is no excuse here.
            _ if side == Side::Proxy => {
                return reading.fail(node, &format!("{} is not supported for proxy TLS", quoted(name)));
            }
            _ => {
                let text = format!("error parsing tls config, unknown field {}", quoted(name));
                return reading.fail(node, &text);
            }
        }
    }
    let Reading { applied, mut tls, files, .. } = reading;
    files.check(&mut tls).map_err(|text| {
        applied.errors.at(&node.place, text);
        GaveUp
    })?;
    Ok(tls)
}

/// What is compared once the block is read.
#[derive(Default)]
struct Files {
    cert_file: String,
    key_file: String,
    insecure_ciphers: Vec<String>,
    allow_insecure_ciphers: bool,
}

struct Reading<'a> {
    applied: &'a mut Applied,
    side: Side,
    tls: RawTls,
    files: Files,
}

impl Reading<'_> {
    fn key(&mut self, key: TlsKey, name: &[u8], node: &Node) -> Result<(), GaveUp> {
        match key {
            TlsKey::CertFile => self.files.cert_file = self.file_name("cert_file", node)?,
            TlsKey::KeyFile => self.files.key_file = self.file_name("key_file", node)?,
            TlsKey::CaFile => {
                let name = self.file_name("ca_file", node)?;
                self.tls.ca_file = Some(PathBuf::from(name)).filter(|path| !path.as_os_str().is_empty());
            }
            TlsKey::Certs => self.certs(node)?,
            TlsKey::Verify => self.tls.verify |= self.truth("verify", node)?,
            TlsKey::VerifyAndMap => {
                self.tls.verify_and_map = self.truth("verify_and_map", node)?;
                self.tls.verify |= self.tls.verify_and_map;
            }
            TlsKey::VerifyKnownUrls => {
                let is_wanted = self.truth("verify_cert_and_check_known_urls", node)?;
                if is_wanted && self.side != Side::Servers {
                    return self.fail(node, "verify_cert_and_check_known_urls not supported in this context");
                }
            }
            TlsKey::Insecure => {
                if self.truth("insecure", node)? && self.side == Side::Clients {
                    self.ignored(name, node, "is for connections that the server opens");
                }
            }
            TlsKey::Timeout => match timeout_nanos(&node.value) {
                Ok(nanos) => self.tls.timeout = nanos,
                Err(text) => return self.fail(node, &format!("error parsing tls config, 'timeout' {text}")),
            },
            TlsKey::CipherSuites => self.cipher_suites(node)?,
            TlsKey::AllowInsecureCiphers => {
                self.files.allow_insecure_ciphers = self.truth("allow_insecure_cipher_suites", node)?;
            }
            TlsKey::Curves => self.curves(node)?,
            TlsKey::MinVersion => self.min_version(node)?,
            TlsKey::PinnedCerts => self.pinned_certs(node)?,
            TlsKey::ConnectionRate => {
                let Value::Int(rate) = node.value else {
                    return self.fail(node, "error parsing tls config, 'connection_rate_limit' wrong type");
                };
                self.tls.connection_rate_limit = rate;
            }
            TlsKey::HandshakeFirst => self.tls.handshake_first = self.handshake_first(name, node)?,
            TlsKey::OcspPeer => self.ocsp_peer(name, node)?,
            TlsKey::CertStore
            | TlsKey::CertMatch
            | TlsKey::CertMatchBy
            | TlsKey::CaCertsMatch
            | TlsKey::SkipInvalid => self.windows(key, name, node)?,
        }
        Ok(())
    }

    fn fail<T>(&mut self, node: &Node, text: &str) -> Result<T, GaveUp> {
        self.applied.errors.at(&node.place, text);
        Err(GaveUp)
    }

    fn ignored(&mut self, name: &[u8], node: &Node, why: &str) {
        let text = format!("{}: {} {why}: ignored", node.place, quoted(name));
        self.applied.raw.warnings.push(Warning::Notice(text));
    }

    fn later(&mut self, name: &str, node: &Node) {
        let origin = Origin::File(node.place.clone());
        self.applied.raw.refused.push(Refusal { origin, name: name.into() });
    }

    fn file_name(&mut self, key: &str, node: &Node) -> Result<String, GaveUp> {
        match &node.value {
            Value::Text(text) => Ok(String::from_utf8_lossy(text).into_owned()),
            _ => self.fail(node, &format!("error parsing tls config, expected '{key}' to be filename")),
        }
    }

    fn truth(&mut self, key: &str, node: &Node) -> Result<bool, GaveUp> {
        match node.value {
            Value::Bool(value) => Ok(value),
            _ => self.fail(node, &format!("error parsing tls config, expected '{key}' to be a boolean")),
        }
    }

    fn certs(&mut self, node: &Node) -> Result<(), GaveUp> {
        let Value::List(items) = &node.value else {
            // The peer names the type that it wanted.
            return self.fail(node, "error parsing certificates config: unsupported type map[string]interface {}");
        };
        for item in items.iter() {
            let Value::Map(map) = &item.value else {
                let got = item.value.type_name();
                return self.fail(item, &format!("error parsing certificates config: unsupported type {got}"));
            };
            let pair = certificate(item, map, &mut self.applied.errors)?;
            self.tls.certificates.push(pair);
        }
        Ok(())
    }

    fn cipher_suites(&mut self, node: &Node) -> Result<(), GaveUp> {
        for (name, known, item) in self.names(node, "cipher_suites", "cipher", CIPHER_SUITES)? {
            if known == Known::Insecure {
                self.files.insecure_ciphers.push(name.clone());
            }
            if known != Known::Here {
                self.later(&name, item);
            }
            self.tls.cipher_suites.push(name);
        }
        Ok(())
    }

    fn curves(&mut self, node: &Node) -> Result<(), GaveUp> {
        for (name, known, item) in self.names(node, "curve_preferences", "curve preference", CURVES)? {
            if known != Known::Here {
                self.later(&name, item);
            }
            self.tls.curve_preferences.push(name);
        }
        Ok(())
    }

    /// The names of a list, each one that `table` knows.
    fn names<'n>(
        &mut self,
        node: &'n Node,
        key: &str,
        what: &str,
        table: &[(&str, Known)],
    ) -> Result<Vec<(String, Known, &'n Node)>, GaveUp> {
        let items = self.applied.errors.list(node)?;
        if items.is_empty() {
            return self.fail(node, &format!("error parsing tls config, '{key}' cannot be empty"));
        }
        let mut names = Vec::with_capacity(items.len());
        for item in items {
            let name = self.applied.errors.string(item)?;
            let Some((_, known)) = table.iter().find(|(known, _)| *known == name) else {
                return self.fail(item, &format!("unrecognized {what} {name}"));
            };
            names.push((name, *known, item));
        }
        Ok(names)
    }

    fn min_version(&mut self, node: &Node) -> Result<(), GaveUp> {
        let Value::Text(text) = &node.value else {
            let text = format!("error parsing tls config: 'min_version' wrong type: {}", shown(&node.value));
            return self.fail(node, &text);
        };
        let version = String::from_utf8_lossy(text).into_owned();
        match version.as_str() {
            "1.2" | "1.3" => self.tls.min_version = Some(version),
            "1.0" | "1.1" => {
                let text = format!("error parsing tls config: unsupported TLS version: TLS {version}");
                return self.fail(node, &text);
            }
            _ => return self.fail(node, &format!("error parsing tls config: unknown version: {version}")),
        }
        Ok(())
    }

    fn pinned_certs(&mut self, node: &Node) -> Result<(), GaveUp> {
        const WHAT: &str = "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo";
        let Value::List(items) = &node.value else {
            return self
                .fail(node, &format!("error parsing tls config, expected 'pinned_certs' to be a list of {WHAT}"));
        };
        let mut seen = HashSet::new();
        for item in items.iter() {
            let pin = self.applied.errors.string(item)?.to_lowercase();
            if pin.len() != 64 || !pin.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let text = format!("error parsing tls config, 'pinned_certs' key {pin} does not look like {WHAT}");
                return self.fail(item, &text);
            }
            if seen.insert(pin.clone()) {
                self.tls.pinned_certs.push(pin);
            }
        }
        Ok(())
    }

    fn handshake_first(&mut self, name: &[u8], node: &Node) -> Result<HandshakeFirst, GaveUp> {
        let text = match &node.value {
            Value::Bool(true) => return Ok(HandshakeFirst::Yes),
            Value::Bool(false) => return Ok(HandshakeFirst::No),
            Value::Text(text) => text,
            value => {
                let (name, got) = (quoted(name), value.type_name());
                return self.fail(node, &format!("field {name} should be a boolean or a string, got {got}"));
            }
        };
        match text.to_ascii_lowercase().as_slice() {
            b"true" | b"on" => Ok(HandshakeFirst::Yes),
            b"false" | b"off" => Ok(HandshakeFirst::No),
            b"auto" | b"auto_fallback" => Ok(HandshakeFirst::Within(HANDSHAKE_FIRST_AUTO)),
            _ => match duration::parse(text) {
                Ok(nanos) if nanos > 0 => Ok(HandshakeFirst::Within(Duration::from_nanos(nanos.unsigned_abs()))),
                Ok(_) => Ok(HandshakeFirst::Yes),
                Err(_) => {
                    let (name, text) = (quoted(name), quoted(text));
                    self.fail(node, &format!("field {name}'s value {text} is invalid"))
                }
            },
        }
    }

    fn ocsp_peer(&mut self, name: &[u8], node: &Node) -> Result<(), GaveUp> {
        match later::wants_ocsp_peer(node) {
            Ok(wants) => {
                if wants {
                    self.later(&String::from_utf8_lossy(name), node);
                }
                Ok(())
            }
            Err(text) => self.fail(node, &text),
        }
    }

    /// Keys for the certificate stores of Windows: on this system the peer refuses the store and passes over the rest.
    fn windows(&mut self, key: TlsKey, name: &[u8], node: &Node) -> Result<(), GaveUp> {
        let text = match &node.value {
            Value::Text(text) => text.to_ascii_lowercase(),
            _ => Vec::new(),
        };
        let name_text = String::from_utf8_lossy(name).to_lowercase();
        let has_text = !matches!(key, TlsKey::CertStore | TlsKey::CertMatch | TlsKey::CertMatchBy) || !text.is_empty();
        if !has_text {
            return self.fail(node, &format!("expected '{name_text}' to be a valid non-empty string"));
        }
        match key {
            TlsKey::CertStore if matches!(text.as_slice(), b"windowscurrentuser" | b"windowslocalmachine") => {
                return self.fail(node, "cert_store not compatible with current operating system");
            }
            TlsKey::CertStore => return self.fail(node, "cert store type not implemented"),
            TlsKey::CertMatchBy if !matches!(text.as_slice(), b"subject" | b"issuer" | b"thumbprint") => {
                return self.fail(node, "cert match by type not implemented");
            }
            TlsKey::SkipInvalid if !matches!(node.value, Value::Bool(_)) => {
                return self.fail(node, "expected 'cert_match_skip_invalid' to be a boolean");
            }
            TlsKey::CaCertsMatch => {
                if let Value::List(items) = &node.value
                    && items.iter().any(|item| !matches!(item.value, Value::Text(_)))
                {
                    let text = "error parsing ca_cert_match: unsupported type *conf.token where string is expected";
                    return self.fail(node, text);
                }
            }
            _ => {}
        }
        self.ignored(name, node, "is for the certificate stores of Windows");
        Ok(())
    }
}

/// `{ cert_file, key_file }` of `certs`.
fn certificate(item: &Node, map: &Map, complaints: &mut Complaints) -> Result<(PathBuf, PathBuf), GaveUp> {
    let (mut cert_file, mut key_file) = (String::new(), String::new());
    let mut last_place = &item.place;
    for (name, node) in map.iter() {
        last_place = &node.place;
        let Value::Text(text) = &node.value else {
            let got = node.value.type_name();
            complaints.at(&node.place, format!("error parsing certificates config: unsupported type {got}"));
            return Err(GaveUp);
        };
        let text = String::from_utf8_lossy(text).into_owned();
        match name.to_ascii_lowercase().as_slice() {
            b"cert_file" => cert_file = text,
            b"key_file" => key_file = text,
            _ => {
                let text = format!("error parsing tls certs config, unknown field {}", quoted(name));
                complaints.at(&node.place, text);
                return Err(GaveUp);
            }
        }
    }
    if cert_file.is_empty() || key_file.is_empty() {
        let text = "error parsing certificates config: both 'cert_file' and 'cert_key' options are required";
        complaints.at(last_place, text);
        return Err(GaveUp);
    }
    Ok((cert_file.into(), key_file.into()))
}

impl Files {
    /// What belongs together is there, and the files can be read; in the peer's order.
    fn check(&self, tls: &mut RawTls) -> Result<(), String> {
        if !self.cert_file.is_empty() && !tls.certificates.is_empty() {
            return Err("error parsing tls config, cannot combine 'cert_file' option with 'certs' option".into());
        }
        if !self.insecure_ciphers.is_empty() && !self.allow_insecure_ciphers {
            let names = self.insecure_ciphers.join(", ");
            return Err(format!(
                "insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: {names}"
            ));
        }
        match (self.cert_file.as_str(), self.key_file.as_str()) {
            ("", "") => {}
            (_, "") => return Err("missing 'key_file' in TLS configuration".into()),
            ("", _) => return Err("missing 'cert_file' in TLS configuration".into()),
            (cert, key) => {
                pem::check_pair(cert.as_ref(), key.as_ref())
                    .map_err(|text| format!("error parsing X509 certificate/key pair: {text}"))?;
                tls.certificates.push((cert.into(), key.into()));
                return pem::check_roots(tls.ca_file.as_deref());
            }
        }
        let count = tls.certificates.len();
        for (at, (cert, key)) in tls.certificates.iter().enumerate() {
            pem::check_pair(cert, key)
                .map_err(|text| format!("error parsing X509 certificate/key pair {}/{count}: {text}", at + 1))?;
        }
        pem::check_roots(tls.ca_file.as_deref())
    }
}
