//! Until when a listener's certificate is good, for who watches over it.

use std::fs;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::config::security::Tls;

/// The end of the first certificate that `tls` names; nothing where it cannot be read.
pub fn not_after(tls: &Tls) -> Option<SystemTime> {
    let (file, _) = tls.certificates.first()?;
    let der = CertificateDer::from_pem_slice(&fs::read(file).ok()?).ok()?;
    let certificate = Certificate::from_der(&der).ok()?;
    Some(certificate.tbs_certificate.validity.not_after.to_system_time())
}
