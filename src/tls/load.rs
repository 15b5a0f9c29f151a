//! Certificates, keys and authorities from their files.
//!
//! Owns the reading of PEM and what is said where a file cannot be used: each text names the file and what it was for, in the
//! peer's words where it has some. Keys are wiped from the buffers that they were read into.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::names::Unusable;
use crate::os::errno;

/// Why TLS cannot be spoken as configured.
#[derive(Debug)]
pub enum TlsError {
    /// There is no certificate.
    NoCertificate,
    /// A certificate and its key cannot be used together.
    Pair {
        /// Which of several, from 1, and of how many.
        of: Option<(usize, usize)>,
        /// `cert_file`.
        certificate: PathBuf,
        /// `key_file`.
        key: PathBuf,
        /// Why.
        fault: Fault,
    },
    /// `ca_file` cannot be used.
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why.
        fault: Fault,
    },
    /// Clients are to be verified, no `ca_file` says by whom, and the system knows nobody.
    NoAuthorities,
    /// A name in `cipher_suites`.
    Suite(Unusable),
    /// A name in `curve_preferences`.
    Curve(Unusable),
    /// `min_version`.
    MinVersion(String),
    /// An entry of `pinned_certs`.
    Pinned(String),
    /// The cryptography refuses.
    Refused(rustls::Error),
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Fault {
    /// It cannot be read: the file, and what the kernel says.
    Open(PathBuf, std::io::Error),
    /// It holds no certificate.
    NoCertificate,
    /// It holds no key.
    NoKey,
    /// A certificate in it is none.
    BadCertificate(String),
    /// The key in it is none, or of a kind that is not known.
    BadKey(String),
    /// The key is another certificate's.
    Mismatch,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("TLS Server certificate must be present and valid"),
            Self::Pair { of, certificate, key, fault } => {
                f.write_str("error parsing X509 certificate/key pair")?;
                if let Some((this, all)) = of {
                    write!(f, " {this}/{all}")?;
                }
                write!(f, ": {fault}")?;
                if !matches!(fault, Fault::Open(..)) {
                    write!(f, " (cert_file {certificate:?}, key_file {key:?})")?;
                }
                Ok(())
            }
            Self::Authorities { fault: fault @ Fault::Open(..), .. } => fault.fmt(f),
            Self::Authorities { file, .. } => write!(f, "failed to parse root ca certificate (ca_file {file:?})"),
            Self::NoAuthorities => f.write_str(
                "'verify' needs authorities: no ca_file is given, and the system has no root certificates; name a ca_file",
            ),
            Self::Suite(Unusable::Unknown(name)) => write!(f, "unrecognized cipher {name}"),
            Self::Curve(Unusable::Unknown(name)) => write!(f, "unrecognized curve preference {name}"),
            Self::Suite(Unusable::Left { name, why }) => write!(f, "cipher_suites cannot have {name}: {why}"),
            Self::Curve(Unusable::Left { name, why }) => write!(f, "curve_preferences cannot have {name}: {why}"),
            Self::MinVersion(text) => match text.as_str() {
                "1.0" | "1.1" => write!(f, "error parsing tls config: unsupported TLS version: TLS {text}"),
                _ => write!(f, "error parsing tls config: unknown version: {text}"),
            },
            Self::Pinned(key) => write!(
                f,
                "error parsing tls config, 'pinned_certs' key {key} does not look like hex-encoded sha256 of DER encoded SubjectPublicKeyInfo"
            ),
            Self::Refused(error) => write!(f, "TLS cannot be set up: {error}"),
        }
    }
}

impl std::error::Error for TlsError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(file, error) => write!(f, "open {}: {}", file.display(), errno::text(error)),
            Self::NoCertificate => f.write_str("tls: failed to find any PEM data in certificate input"),
            Self::NoKey => f.write_str("tls: failed to find any PEM data in key input"),
            Self::BadCertificate(why) => write!(f, "x509: malformed certificate: {why}"),
            Self::BadKey(why) => write!(f, "tls: failed to parse private key: {why}"),
            Self::Mismatch => f.write_str("tls: private key does not match public key"),
        }
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    fs::read(file).map(Zeroizing::new).map_err(|error| Fault::Open(file.to_owned(), error))
}

/// All certificates of a file.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let pem = read(file)?;
    let all: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&pem).collect();
    let all = all.map_err(|error| Fault::BadCertificate(error.to_string()))?;
    if all.is_empty() { Err(Fault::NoCertificate) } else { Ok(all) }
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|error| match error {
        PemError::NoItemsFound => Fault::NoKey,
        other => Fault::BadKey(other.to_string()),
    })
}

/// A chain and its key.
///
/// # Errors
/// Where a file cannot be read or holds something else, or the key is another one's.
pub(super) fn pair(certificate: &Path, key_file: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, Fault> {
    let chain = certificates(certificate)?;
    let key = provider.key_provider.load_private_key(key(key_file)?);
    let key = key.map_err(|error| Fault::BadKey(error.to_string()))?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(pair),
        Err(rustls::Error::InconsistentKeys(_)) => Err(Fault::Mismatch),
        Err(error) => Err(Fault::BadCertificate(error.to_string())),
    }
}

/// Who may sign the certificates of clients: those of a file, or whom the system trusts.
///
/// # Errors
/// Where there is nobody.
pub(super) fn authorities(file: Option<&Path>) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(Arc::new(roots)) };
    };
    let fail = |fault| TlsError::Authorities { file: file.to_owned(), fault };
    let (added, _) = roots.add_parsable_certificates(certificates(file).map_err(fail)?);
    // What cannot be read beside others is passed over, as on the peer.
    if added == 0 { Err(fail(Fault::NoCertificate)) } else { Ok(Arc::new(roots)) }
}
