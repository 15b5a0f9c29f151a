//! Certificates for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// One who signs.
pub(crate) struct Authority {
    name: String,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A chain and a key that a client shows.
pub(crate) struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named(&format!("{name} authority"));
        let pem = params.self_signed(&key).expect("it signs itself").pem();
        Self { name: name.into(), issuer: Issuer::new(params, key), pem }
    }

    /// Its certificate as a file.
    pub(crate) fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}-ca.pem", self.name));
        fs::write(&path, &self.pem).expect("writable");
        path
    }

    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("ours")).expect("ours");
        Arc::new(roots)
    }

    /// A server's certificate and key as files.
    pub(crate) fn server(&self, folder: &Path, file: &str, hosts: &[&str]) -> (PathBuf, PathBuf) {
        self.server_with(folder, file, hosts, &KeyPair::generate().expect("randomness"))
    }

    pub(crate) fn server_with(&self, folder: &Path, file: &str, hosts: &[&str], key: &KeyPair) -> (PathBuf, PathBuf) {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("names of hosts");
        params.distinguished_name = named(file);
        let certificate = params.signed_by(key, &self.issuer).expect("it signs");
        let (pem, key_pem) = (folder.join(format!("{file}.pem")), folder.join(format!("{file}-key.pem")));
        fs::write(&pem, certificate.pem()).expect("writable");
        fs::write(&key_pem, key.serialize_pem()).expect("writable");
        (pem, key_pem)
    }

    /// A client's, valid now or long over.
    pub(crate) fn client(&self, name: &str, valid: bool) -> Identity {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.subject_alt_names = vec![SanType::Rfc822Name(format!("{name}@test").try_into().expect("text"))];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !valid {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        Identity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).expect("a key of ours"),
        }
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut all = DistinguishedName::new();
    all.push(DnType::CommonName, name);
    all
}
