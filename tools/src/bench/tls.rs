//! TLS settings, and the layer between a socket and the protocol.
//!
//! Reads PEM files; checks the server against `--tlsca`. There is no way to skip the check.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::trouble::{Outcome, Trouble};

/// What `--tlsca`, `--tlscert` and `--tlskey` make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(Option<Arc<ClientConfig>>);

impl Settings {
    /// Reads the files.
    pub(crate) fn read(ca: Option<&Path>, cert: Option<&Path>, key: Option<&Path>) -> Outcome<Self> {
        let Some(ca) = ca else {
            return if cert.is_some() || key.is_some() {
                Err(Trouble::Usage("--tlscert and --tlskey need --tlsca: the server is always checked".into()))
            } else {
                Ok(Self(None))
            };
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates("--tlsca", ca)? {
            roots.add(certificate).map_err(|error| Trouble::Tls(format!("--tlsca: {error}")))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Trouble::Tls(error.to_string()))?
            .with_root_certificates(roots);
        let config = match (cert, key) {
            (Some(cert), Some(key)) => {
                let wrong = |error: String| Trouble::Usage(format!("--tlskey {}: {error}", key.display()));
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(error.to_string()))?;
                builder
                    .with_client_auth_cert(certificates("--tlscert", cert)?, private)
                    .map_err(|error| wrong(error.to_string()))?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err(Trouble::Usage("--tlscert and --tlskey go together".into())),
        };
        Ok(Self(Some(Arc::new(config))))
    }

    fn client(&self, host: &str) -> Outcome<ClientConnection> {
        let config = self.0.clone().ok_or_else(|| Trouble::Tls("the server wants TLS: give --tlsca".into()))?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Trouble::Tls(error.to_string()))?;
        let mut client = ClientConnection::new(config, name).map_err(|error| Trouble::Tls(error.to_string()))?;
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
            (None, Some(file), Some(file), "--tlsca"),
            (Some(file), None, None, "--tlsca no-such.pem"),
            (None, None, Some(file), "--tlsca"),
        ] {
            let text = Settings::read(ca, cert, key).expect_err("refused").to_string();
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn tls_without_an_authority_says_what_to_give() {
        let text = Settings::default().client("localhost").expect_err("no authority").to_string();
        assert!(text.contains("--tlsca"), "{text}");
    }
}
