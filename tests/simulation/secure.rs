//! TLS on the client's end of a line: what an application says becomes records, and records what the server says.
//!
//! Sizes of records do not depend on chance (the key is one of Ed25519, and no session is taken up again), so that a seed
//! plays the same schedule each time although keys differ.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dunlin::config::security::Tls;
use dunlin::tls::TlsSettings;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// Both ends of all schedules.
pub static ENDS: LazyLock<Ends> = LazyLock::new(Ends::new);

pub struct Ends {
    pub server: Arc<TlsSettings>,
    client: Arc<ClientConfig>,
}

impl Ends {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("randomness");
        let certificate =
            CertificateParams::new(vec!["sim".into()]).expect("a name").self_signed(&key).expect("signed");
        let folder = std::env::temp_dir();
        let file = |kind: &str| folder.join(format!("dunlin-simulation-{}-{kind}.pem", std::process::id()));
        let (cert_file, key_file) = (file("cert"), file("key"));
        std::fs::write(&cert_file, certificate.pem()).expect("writable");
        std::fs::write(&key_file, key.serialize_pem()).expect("writable");
        let server = TlsSettings::load(&Tls {
            certificates: vec![(cert_file.clone(), key_file.clone())],
            // Time jumps where nothing else can happen; that is not what these schedules are about.
            timeout: Some(Duration::from_secs(3600)),
            allow_plain: true,
            ..Tls::default()
        });
        for file in [cert_file, key_file] {
            let _ = std::fs::remove_file(file);
        }
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).expect("ours");
        let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        Self { server: Arc::new(server.expect("files of ours")), client: Arc::new(client) }
    }
}

/// TLS of one client.
#[derive(Debug)]
pub struct Secure {
    connection: ClientConnection,
    /// INFO, which comes in the clear.
    clear: Vec<u8>,
    began: bool,
    /// Records on their way to the server.
    records: VecDeque<u8>,
}

impl Default for Secure {
    fn default() -> Self {
        let name = "sim".try_into().expect("a name");
        let connection = ClientConnection::new(Arc::clone(&ENDS.client), name).expect("a configuration of ours");
        Self { connection, clear: Vec::new(), began: false, records: VecDeque::new() }
    }
}

impl Secure {
    /// Takes what the application has said; what is to be sent.
    pub fn seal(&mut self, out: &mut VecDeque<u8>) -> &mut VecDeque<u8> {
        if self.began {
            self.connection.set_buffer_limit(None);
            let said: Vec<u8> = out.drain(..).collect();
            self.connection.writer().write_all(&said).expect("there is no limit");
            while self.connection.wants_write() {
                self.connection.write_tls(&mut self.records).expect("memory");
            }
        }
        &mut self.records
    }

    /// Whether something is to be sent, with what the application has said.
    pub fn has_out(&self, out: &VecDeque<u8>) -> bool {
        self.began && (!out.is_empty() || !self.records.is_empty() || self.connection.wants_write())
    }

    /// Opens what the server has sent.
    pub fn open(&mut self, bytes: &[u8], input: &mut Vec<u8>) -> Result<(), String> {
        let mut rest = bytes;
        if !self.began {
            self.clear.extend_from_slice(bytes);
            let Some(end) = self.clear.windows(2).position(|two| two == b"\r\n") else { return Ok(()) };
            input.extend_from_slice(&self.clear[..end + 2]);
            if end + 2 < self.clear.len() {
                return Err("bytes behind INFO before the client has begun".into());
            }
            self.began = true;
            rest = b"";
        }
        while !rest.is_empty() {
            self.connection.read_tls(&mut rest).map_err(|error| error.to_string())?;
            let state = self.connection.process_new_packets().map_err(|error| error.to_string())?;
            let start = input.len();
            input.resize(start + state.plaintext_bytes_to_read(), 0);
            self.connection.reader().read_exact(&mut input[start..]).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether the handshake is over.
    pub fn is_open(&self) -> bool {
        !self.connection.is_handshaking()
    }
}
