//! TLS settings, and the layer between a socket and the protocol.
//!
//! Reads PEM files; checks the server against `--tlsca`, or else against what this host trusts. There is no way to skip the check.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use mio::net::TcpStream;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::trouble::{Outcome, Trouble};

/// What `--tlsca`, `--tlscert` and `--tlskey` say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `None`: the authorities that this host trusts.
    ca: Option<Vec<CertificateDer<'static>>>,
    own: Option<Arc<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>>,
    /// Made for the first connection that needs it: reading what a host trusts takes milliseconds.
    made: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Settings {
    /// Reads the files.
    pub(crate) fn read(ca: Option<&Path>, cert: Option<&Path>, key: Option<&Path>) -> Outcome<Self> {
        let ca = ca.map(|ca| certificates("--tlsca", ca)).transpose()?;
        let own = match (cert, key) {
            (Some(cert), Some(key)) => {
                let wrong = |error: String| Trouble::Usage(format!("--tlskey {}: {error}", key.display()));
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(error.to_string()))?;
                Some(Arc::new((certificates("--tlscert", cert)?, private)))
            }
            (None, None) => None,
            _ => return Err(Trouble::Usage("--tlscert and --tlskey go together".into())),
        };
        let settings = Self { ca, own, made: Arc::default() };
        // What was given must fit together, also where the server will not ask for it.
        if settings.ca.is_some() {
            settings.config()?;
        }
        Ok(settings)
    }

    fn config(&self) -> Outcome<Arc<ClientConfig>> {
        if let Some(made) = self.made.get() {
            return Ok(Arc::clone(made));
        }
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(ca) => {
                for certificate in ca {
                    roots.add(certificate.clone()).map_err(|error| Trouble::Tls(format!("--tlsca: {error}")))?;
                }
            }
            None => {
                // One of a hundred authorities that cannot be read is no reason to trust none.
                let (_added, _passed_over) =
                    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() {
                    return Err(Trouble::Tls("this host trusts no authority: give --tlsca".into()));
                }
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Trouble::Tls(error.to_string()))?
            .with_root_certificates(roots);
        let config = match self.own.as_deref() {
            Some((certificates, key)) => builder
                .with_client_auth_cert(certificates.clone(), key.clone_key())
                .map_err(|error| Trouble::Usage(format!("--tlscert, --tlskey: {error}")))?,
            None => builder.with_no_client_auth(),
        };
        Ok(Arc::clone(self.made.get_or_init(|| Arc::new(config))))
    }

    fn client(&self, host: &str) -> Outcome<ClientConnection> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Trouble::Tls(error.to_string()))?;
        let mut client =
            ClientConnection::new(self.config()?, name).map_err(|error| Trouble::Tls(error.to_string()))?;
        client.set_buffer_limit(None); // what is waiting is bounded by the link
        Ok(client)
    }
}

fn certificates(flag: &str, file: &Path) -> Outcome<Vec<CertificateDer<'static>>> {
    let wrong = |reason: String| Trouble::Usage(format!("{flag} {}: {reason}", file.display()));
    let read = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    let found = read.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() { Err(wrong("there is no certificate in it".into())) } else { Ok(found) }
}

/// A socket, plain or below TLS.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Transport {
    /// Plain at first: INFO comes before TLS.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, tls: None }
    }

    /// From here on everything is encrypted.
    pub(crate) fn upgrade(&mut self, settings: &Settings, host: &str) -> Outcome<()> {
        self.tls = Some(Box::new(settings.client(host)?));
        Ok(())
    }

    /// Whether a short read means that the socket is empty.
    pub(crate) fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    /// Like `Read::read` on a socket that never waits.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
            if tls.read_tls(&mut self.stream)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            if tls.is_handshaking() || tls.wants_write() {
                write_encrypted(tls, &mut self.stream)?;
            }
        }
    }

    /// Like `Write::write`.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.write(bytes) };
        if tls.wants_write() && !tls.is_handshaking() {
            self.push()?;
            if self.has_backlog() {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        let Some(tls) = &mut self.tls else { return Ok(0) };
        let written = tls.writer().write(bytes)?;
        self.push()?;
        Ok(written)
    }

    /// Encrypted bytes that the socket has not taken yet.
    pub(crate) fn has_backlog(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write() || tls.is_handshaking())
    }

    /// Writes encrypted bytes until the socket is full.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        self.tls.as_mut().map_or(Ok(()), |tls| write_encrypted(tls, &mut self.stream))
    }
}

fn write_encrypted(tls: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(stream) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use std::path::Path;

    #[test]
    fn halves_of_a_pair_and_missing_files_are_named() {
        let file = Path::new("no-such.pem");
        for (ca, cert, key, word) in [
            (None, Some(file), Some(file), "--tlskey no-such.pem"),
            (Some(file), None, None, "--tlsca no-such.pem"),
            (None, None, Some(file), "--tlscert and --tlskey"),
            (None, Some(file), None, "--tlscert and --tlskey"),
        ] {
            let text = Settings::read(ca, cert, key).expect_err("refused").to_string();
            assert!(text.contains(word), "{text}");
        }
    }
}
