//! Whom to believe over HTTPS: the host's authorities, or those of a file; and the certificate that says who we are.
//!
//! Reads PEM files once, at the start. Not checking the server is possible, as everywhere with `-k`, and never the default.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// What the flags say about TLS.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    authorities: Vec<Certificate<'static>>,
    identity: Option<ClientCert>,
    believes_anyone: bool,
}

/// A flag and the file that it names.
pub(crate) type FileFlag<'a> = (&'a str, Option<&'a Path>);

impl Trust {
    /// Reads the files. Without an authority of its own, those of the host are asked, where `is_tls`.
    pub(crate) fn read(
        authority: FileFlag<'_>,
        cert: FileFlag<'_>,
        key: FileFlag<'_>,
        believes_anyone: bool,
        is_tls: bool,
    ) -> Result<Self, String> {
        let identity = match (cert.1, key.1) {
            (None, None) => None,
            (Some(cert_file), Some(key_file)) => {
                let text = read(key.0, key_file)?;
                let key = PrivateKey::from_pem(&text).map_err(|error| wrong(key.0, key_file, &error.to_string()))?;
                Some(ClientCert::new_with_certs(&certificates(cert.0, cert_file)?, key))
            }
            _ => return Err(format!("{} and {} go together", cert.0, key.0)),
        };
        let authorities = match authority.1 {
            Some(file) => certificates(authority.0, file)?,
            None if is_tls && !believes_anyone => host_authorities(authority.0)?,
            None => Vec::new(),
        };
        Ok(Self { authorities, identity, believes_anyone })
    }

    /// The settings of the HTTP client.
    pub(super) fn config(&self) -> TlsConfig {
        TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&self.authorities))
            .client_cert(self.identity.clone())
            .disable_verification(self.believes_anyone)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build()
    }
}

fn wrong(flag: &str, file: &Path, reason: &str) -> String {
    format!("{flag} {}: {reason}", file.display())
}

fn read(flag: &str, file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| wrong(flag, file, &error.to_string()))
}

fn certificates(flag: &str, file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let text = read(flag, file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| wrong(flag, file, &error.to_string()))?;
    if found.is_empty() {
        return Err(wrong(flag, file, "there is no certificate in it"));
    }
    Ok(found.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

fn host_authorities(flag: &str) -> Result<Vec<Certificate<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(format!("this host has no certificate authorities: name a file with {flag}"));
    }
    Ok(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::Trust;
    use std::path::Path;

    #[test]
    fn halves_and_missing_files_are_named() {
        let file = Some(Path::new("no-such.pem"));
        for (authority, cert, key, word) in [
            (None, file, None, "-cert and -key go together"),
            (None, None, file, "-cert and -key go together"),
            (file, None, None, "-cacert no-such.pem"),
            (None, file, file, "-key no-such.pem"),
        ] {
            let error = Trust::read(("-cacert", authority), ("-cert", cert), ("-key", key), false, true);
            let error = error.expect_err("refused");
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = Trust::read(("-cacert", Some(&file)), ("-cert", None), ("-key", None), false, true);
        assert!(error.expect_err("refused").contains("no certificate"));
    }
}
