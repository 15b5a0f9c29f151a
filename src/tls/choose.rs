//! Which of several certificates a client is shown: the first that has the name it asks for (where it asks) and that it can
//! check, else the first of all; as the peer does.

use std::sync::Arc;

use rustls::SignatureAlgorithm;
use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::names;

/// The certificates of one listener, in the order written.
#[derive(Debug)]
pub(super) struct Choice {
    all: Vec<Arc<CertifiedKey>>,
}

impl Choice {
    /// From these; without any, every handshake fails.
    pub(super) fn new(all: Vec<CertifiedKey>) -> Self {
        Self { all: all.into_iter().map(Arc::new).collect() }
    }
}

/// Whether `certificate` is for `name`; one without a name to ask for fits.
fn is_for(certificate: &CertifiedKey, name: Option<&ServerName<'_>>) -> bool {
    let Some(name) = name else { return true };
    let parsed = certificate.end_entity_cert().ok().and_then(|der| ParsedCertificate::try_from(der).ok());
    parsed.is_some_and(|parsed| verify_server_name(&parsed, name).is_ok())
}

/// Whether the client can check a signature of this key, in some version of TLS that it offers.
fn can_be_checked(certificate: &CertifiedKey, hello: &ClientHello<'_>) -> bool {
    if certificate.key.choose_scheme(hello.signature_schemes()).is_none() {
        return false;
    }
    let wanted = match certificate.key.algorithm() {
        SignatureAlgorithm::RSA => "TLS_ECDHE_RSA_",
        _ => "TLS_ECDHE_ECDSA_",
    };
    hello.cipher_suites().iter().map(|&suite| names::suite(suite)).any(|name| {
        let of_1_3 = name != "unknown" && !name.contains("_WITH_");
        of_1_3 || name.starts_with(wanted)
    })
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let first = self.all.first()?;
        if self.all.len() == 1 {
            return Some(Arc::clone(first));
        }
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let fits = |one: &&Arc<CertifiedKey>| is_for(one, name.as_ref()) && can_be_checked(one, &hello);
        Some(Arc::clone(self.all.iter().find(fits).unwrap_or(first)))
    }
}
