//! A client that speaks the protocol through TLS, or not yet. Every read has a deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use kit::DEADLINE;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::authority::{Authority, Identity};

pub(crate) static ONLY_1_2: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
pub(crate) static ONLY_1_3: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// What a client goes by.
pub(crate) struct Wants {
    pub roots: Arc<RootCertStore>,
    pub provider: CryptoProvider,
    pub versions: &'static [&'static SupportedProtocolVersion],
    pub identity: Option<Identity>,
    pub name: &'static str,
}

impl Wants {
    pub(crate) fn of(authority: &Authority) -> Self {
        Self {
            roots: authority.roots(),
            provider: ring::default_provider(),
            versions: rustls::ALL_VERSIONS,
            identity: None,
            name: "localhost",
        }
    }

    pub(crate) fn with(authority: &Authority, identity: Identity) -> Self {
        Self { identity: Some(identity), ..Self::of(authority) }
    }

    pub(crate) fn config(self) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider))
            .with_protocol_versions(self.versions)
            .expect("versions of ours")
            .with_root_certificates(self.roots);
        Arc::new(match self.identity {
            Some(Identity { chain, key }) => builder.with_client_auth_cert(chain, key).expect("a key of ours"),
            None => builder.with_no_client_auth(),
        })
    }

    /// INFO, handshake.
    pub(crate) fn connect(self, to: SocketAddr) -> io::Result<TlsClient> {
        let name = self.name;
        Plain::open(to).upgrade(self.config(), name)
    }
}

/// A connection in the clear.
pub(crate) struct Plain {
    pub socket: TcpStream,
    pub info: serde_json::Value,
}

impl Plain {
    /// Connects and reads INFO.
    pub(crate) fn open(to: SocketAddr) -> Self {
        let mut plain = Self::silent(to);
        plain.read_info();
        plain
    }

    /// Connects.
    pub(crate) fn silent(to: SocketAddr) -> Self {
        let socket = TcpStream::connect(to).expect("it accepts");
        socket.set_nodelay(true).expect("an option");
        socket.set_read_timeout(Some(DEADLINE)).expect("an option");
        socket.set_write_timeout(Some(DEADLINE)).expect("an option");
        Self { socket, info: serde_json::Value::Null }
    }

    pub(crate) fn read_info(&mut self) {
        let line = line(&mut self.socket).expect("INFO comes");
        let body = line.strip_prefix("INFO ").unwrap_or_else(|| panic!("INFO, not {line}"));
        self.info = serde_json::from_str(body).expect("JSON");
    }

    /// Does the handshake to its end: with TLS 1.3 the server may still refuse a certificate after it.
    pub(crate) fn upgrade(self, config: Arc<ClientConfig>, name: &'static str) -> io::Result<TlsClient> {
        let name = ServerName::try_from(name).expect("a name");
        let connection = ClientConnection::new(config, name).expect("a configuration of ours");
        let mut stream = StreamOwned::new(connection, self.socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(TlsClient { stream, info: self.info })
    }
}

/// A connection through TLS.
pub(crate) struct TlsClient {
    pub stream: StreamOwned<ClientConnection, TcpStream>,
    pub info: serde_json::Value,
}

impl TlsClient {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush()).expect("the server takes it");
    }

    /// The next bytes are these.
    #[track_caller]
    pub(crate) fn expect(&mut self, wanted: impl AsRef<[u8]>) {
        let wanted = wanted.as_ref();
        let mut got = vec![0; wanted.len()];
        self.stream.read_exact(&mut got).unwrap_or_else(|error| panic!("{error} instead of what must come"));
        assert!(got == wanted, "got {:?}", String::from_utf8_lossy(&got[..got.len().min(200)]));
    }

    /// CONNECT and a round trip; an error where the server does not want us.
    pub(crate) fn hello(&mut self) -> io::Result<()> {
        self.stream.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n")?;
        let got = line(&mut self.stream)?;
        if got == "PONG" { Ok(()) } else { Err(io::Error::other(got)) }
    }

    /// A line, without its end.
    pub(crate) fn line(&mut self) -> String {
        line(&mut self.stream).expect("a line comes")
    }

    /// Everything up to the end, which the server must announce.
    pub(crate) fn until_goodbye(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.stream.read_to_end(&mut all).expect("close_notify, then the end");
        all
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.stream.conn.peer_certificates().expect("the server has shown one")[0].clone()
    }

    pub(crate) fn suite(&self) -> rustls::CipherSuite {
        self.stream.conn.negotiated_cipher_suite().expect("agreed").suite()
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.stream.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }
}

fn line(from: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
