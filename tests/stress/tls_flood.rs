//! Before login nothing grows: connections that say nothing, garbage, or stop in the middle of a TLS handshake.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use kit::{DEADLINE, Program, Server, Setup, open_files_max, resident_bytes, until};
use rcgen::generate_simple_self_signed;
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::{program, size};

const MIB: u64 = 1024 * 1024;
/// How long memory may take to come back.
const SETTLE: Duration = Duration::from_secs(5);

struct Secure {
    server: Server,
    client: Arc<ClientConfig>,
}

impl Secure {
    fn start() -> Self {
        let made = generate_simple_self_signed(vec!["flood".to_owned()]).expect("randomness");
        let file = |kind: &str| std::env::temp_dir().join(format!("dunlin-flood-{}-{kind}.pem", std::process::id()));
        let (certificate, key) = (file("cert"), file("key"));
        std::fs::write(&certificate, made.cert.pem()).expect("writable");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("writable");
        // Plain clients too: the test kit waits for the server with one.
        let block =
            format!("tls {{ cert_file: {certificate:?}, key_file: {key:?}, timeout: 60 }}\nallow_non_tls: true\n");
        let server = Setup::new(&program(), 2).config(&block).start();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("ours");
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let _ = (std::fs::remove_file(certificate), std::fs::remove_file(key));
        Self { server, client: Arc::new(client) }
    }

    fn tls(&self) -> ClientConnection {
        ClientConnection::new(Arc::clone(&self.client), "flood".try_into().expect("a name")).expect("ours")
    }

    /// The first flight of a client.
    fn hello(&self) -> Vec<u8> {
        let mut flight = Vec::new();
        self.tls().write_tls(&mut flight).expect("memory");
        flight
    }

    /// A client that has logged in.
    fn witness(&self) -> Witness {
        let mut stream = StreamOwned::new(self.tls(), self.socket());
        stream.write_all(b"CONNECT {\"verbose\":false}\r\n").expect("taken");
        let mut witness = Witness(stream);
        witness.ping();
        witness
    }

    /// A connection whose INFO has come.
    fn socket(&self) -> TcpStream {
        let mut socket = TcpStream::connect(self.server.address()).expect("it accepts");
        socket.set_read_timeout(Some(DEADLINE)).expect("an option");
        let mut byte = [0];
        while byte != [b'\n'] {
            socket.read_exact(&mut byte).expect("INFO");
        }
        socket
    }
}

struct Witness(StreamOwned<ClientConnection, TcpStream>);

impl Witness {
    fn ping(&mut self) {
        self.0.write_all(b"PING\r\n").expect("taken");
        let mut answer = [0; 6];
        self.0.read_exact(&mut answer).expect("an answer");
        if &answer == b"PING\r\n" {
            self.0.write_all(b"PONG\r\n").expect("taken");
            self.0.read_exact(&mut answer).expect("an answer");
        }
        assert_eq!(&answer, b"PONG\r\n");
    }
}

#[test]
fn a_flood_of_strangers_leaves_nothing_behind() {
    let secure = Secure::start();
    let mut witness = secure.witness();
    let start = resident_bytes(secure.server.pid());
    let allowed = start + start / 10 + 4 * MIB;
    let wanted = size(600, 8_000);
    let count = wanted.min(open_files_max().saturating_sub(500).try_into().unwrap_or(wanted));
    for _ in 0..2 {
        let flood: Vec<TcpStream> = (0..count)
            .map(|number| {
                let mut socket = secure.socket();
                let hello = secure.hello();
                let bytes = match number % 5 {
                    0 => &b""[..],
                    1 => b"GARBAGE",
                    2 => &hello[..3],
                    3 => &hello[..hello.len() - 1],
                    _ => &hello,
                };
                socket.write_all(bytes).expect("taken");
                if number % 100 == 0 {
                    witness.ping();
                }
                socket
            })
            .collect();
        witness.ping();
        drop(flood);
        until(SETTLE, || resident_bytes(secure.server.pid()) <= allowed);
        witness.ping();
    }
    let end = resident_bytes(secure.server.pid());
    println!("start {} KiB, end {} KiB", start / 1024, end / 1024);
    assert!(matches!(program(), Program::Peer(_)) || end <= allowed, "{start} at the start, then {end}");
}
