//! A `tls` block, made ready: what handshakes go by, and who is let in after one.
//!
//! Owns the loaded certificates, keys and authorities, and the keys of session tickets. Made anew at every reload: a ticket of
//! another `TlsSettings` is worth nothing, so that a session never outlives the authorities under which it began.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{HandshakeKind, ServerConfig};

use super::certificate::{hex, read, show};
use super::choose::Choice;
use super::load::{self, TlsError};
use super::names;
use super::session::{Info, Session};
use crate::config::security::{HandshakeFirst, Tls};

/// How long a handshake may take where nothing is configured.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// What handshakes of one listener go by.
#[derive(Debug)]
pub struct TlsSettings {
    pub(super) config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    /// SHA-256 of public keys, lower-case hex; empty: any.
    pinned: Vec<String>,
    /// How long a handshake may take.
    pub timeout: Duration,
    /// Whether TLS comes before INFO.
    pub handshake_first: HandshakeFirst,
    /// `verify_and_map`: a certificate names the user.
    pub maps_names: bool,
    /// Clients that do not begin with TLS are served as well.
    pub allow_plain: bool,
    /// Connections a second; 0: no bound.
    pub connections_per_second_max: u64,
}

/// Why a client is sent away although the handshake went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has shown no certificate, and some are pinned.
    NoneToPin,
    /// The key of its certificate is not pinned; its SHA-256.
    NotPinned(String),
    /// It takes up a session again whose certificate would not be accepted today.
    Resumed(String),
}

impl TlsSettings {
    /// Reads the files that `tls` names.
    ///
    /// # Errors
    /// Where one cannot be used, or a name in a list cannot be gone by.
    pub fn load(tls: &Tls) -> Result<Self, TlsError> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: names::suites(&tls.cipher_suites).map_err(TlsError::Suite)?,
            kx_groups: names::groups(&tls.curve_preferences).map_err(TlsError::Curve)?,
            ..ring::default_provider()
        });
        let versions: &[&rustls::SupportedProtocolVersion] = match tls.min_version.as_deref() {
            None | Some("1.2") => &[&rustls::version::TLS13, &rustls::version::TLS12],
            Some("1.3") => &[&rustls::version::TLS13],
            Some(other) => return Err(TlsError::MinVersion(other.to_owned())),
        };
        for key in &tls.pinned_certs {
            if key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(TlsError::Pinned(key.clone()));
            }
        }
        let choice = Choice::new(certificates(tls, &provider)?);
        let verifier = verifier(tls, &provider)?;
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let builder = builder.map_err(TlsError::Refused)?;
        let builder = match &verifier {
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(choice));
        config.ignore_client_order = true;
        // Tickets that hold the session, under keys of this listener alone; nothing is remembered here.
        config.ticketer = ring::Ticketer::new().map_err(TlsError::Refused)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 1;
        Ok(Self {
            config: Arc::new(config),
            verifier,
            pinned: tls.pinned_certs.iter().map(|key| key.to_ascii_lowercase()).collect(),
            timeout: tls.timeout.unwrap_or(TIMEOUT),
            handshake_first: tls.handshake_first,
            maps_names: tls.verify_and_map,
            allow_plain: tls.allow_plain,
            connections_per_second_max: tls.handshakes_per_second_max,
        })
    }

    /// Whether clients must show a certificate.
    pub fn verifies(&self) -> bool {
        self.verifier.is_some()
    }

    /// What is known of the other side after a handshake.
    ///
    /// # Errors
    /// Where it must not come in all the same.
    pub fn admit(&self, session: &Session) -> Result<Info, Refusal> {
        let chain = session.peer_certificates().unwrap_or_default();
        if session.kind() == Some(HandshakeKind::Resumed) {
            self.verify_again(session, chain)?;
        }
        let info = Info {
            version: session.version(),
            cipher_suite: session.cipher_suite(),
            certificates: chain.iter().map(|der| show(der)).collect(),
            peer: chain.first().and_then(|der| read(der)),
        };
        self.check_pinned(&info)?;
        Ok(info)
    }

    /// Whether the key that a client has shown is one of those that are pinned, where any are.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check_pinned(&self, info: &Info) -> Result<(), Refusal> {
        if self.pinned.is_empty() {
            return Ok(());
        }
        if info.certificates.is_empty() {
            return Err(Refusal::NoneToPin);
        }
        let key = info.peer.as_ref().map(|peer| hex(&peer.spki_sha256)).unwrap_or_default();
        if self.pinned.contains(&key) { Ok(()) } else { Err(Refusal::NotPinned(key)) }
    }

    /// A ticket keeps a certificate for hours: it is looked at as if it were shown now.
    fn verify_again(&self, session: &Session, chain: &[CertificateDer<'_>]) -> Result<(), Refusal> {
        let Some(verifier) = &self.verifier else { return Ok(()) };
        let refuse = |error: &rustls::Error| Refusal::Resumed(super::words::handshake(error, session.hello_version()));
        let Some((leaf, rest)) = chain.split_first() else {
            return Err(refuse(&rustls::Error::NoCertificatesPresented));
        };
        let Some(now) = self.config.time_provider.current_time() else {
            return Err(refuse(&rustls::Error::FailedToGetCurrentTime));
        };
        verifier.verify_client_cert(leaf, rest, now).map(drop).map_err(|error| refuse(&error))
    }
}

fn certificates(tls: &Tls, provider: &CryptoProvider) -> Result<Vec<rustls::sign::CertifiedKey>, TlsError> {
    let count = tls.certificates.len();
    if count == 0 {
        return Err(TlsError::NoCertificate);
    }
    let load = |(at, (certificate, key)): (usize, &(std::path::PathBuf, std::path::PathBuf))| {
        load::pair(certificate, key, provider).map_err(|fault| TlsError::Pair {
            of: (count > 1).then_some((at + 1, count)),
            certificate: certificate.clone(),
            key: key.clone(),
            fault,
        })
    };
    tls.certificates.iter().enumerate().map(load).collect()
}

fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    if !tls.verify && !tls.verify_and_map {
        // The file is looked at all the same, as the peer does.
        if let Some(file) = &tls.ca_file {
            load::authorities(Some(file))?;
        }
        return Ok(None);
    }
    let roots = load::authorities(tls.ca_file.as_deref())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider)).build();
    verifier
        .map(|verifier| Some(verifier as Arc<dyn ClientCertVerifier>))
        .map_err(|error| TlsError::Refused(rustls::Error::General(error.to_string())))
}
