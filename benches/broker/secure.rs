//! TLS: what a message costs through it, and what a handshake costs. Both servers agree on TLS 1.3, X25519, a key of P-256 and
//! AES-128-GCM with these clients, so that they do the same cryptography.
//!
//! Owns the certificate, made anew by each run of this program. The servers accept plain clients as well, as whoever waits for
//! a server to answer is one.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::SILENCE_MAX;
use crate::connections;
use crate::flow;
use crate::metric::Sample;
use crate::server::Running;
use crate::trouble::{Outcome, Trouble};

/// Bytes of one write, and writes that the receiver may be behind.
const BATCH_BYTES: usize = 128 * 1024;
const BATCHES_AHEAD_MAX: usize = 64;
/// Not measured.
const WARM_UP_SHARE: u64 = 10;
const HANDSHAKES_FIRST: u64 = 50;

static MATERIAL: LazyLock<Material> = LazyLock::new(Material::new);

struct Material {
    certificate: PathBuf,
    key: PathBuf,
    client: Arc<ClientConfig>,
}

impl Material {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["bench".to_owned()]).expect("a certificate can be made");
        let file = |kind: &str| std::env::temp_dir().join(format!("dunlin-bench-{}-{kind}.pem", std::process::id()));
        let (certificate, key) = (file("cert"), file("key"));
        std::fs::write(&certificate, made.cert.pem()).expect("the temporary folder can be written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("the temporary folder can be written");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("the certificate just made");
        let provider = CryptoProvider {
            cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
            kx_groups: vec![ring::kx_group::X25519],
            ..ring::default_provider()
        };
        let mut client = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider has a suite of it")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        Self { certificate, key, client: Arc::new(client) }
    }
}

/// What the servers are started with.
pub(crate) fn config() -> String {
    let Material { certificate, key, .. } = &*MATERIAL;
    format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}\nallow_non_tls: true\n")
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// INFO, handshake, CONNECT, `operations`, and a round trip.
fn connect(address: SocketAddr, operations: &[u8]) -> Outcome<Stream> {
    let mut socket = TcpStream::connect(address).map_err(Trouble::io("connecting"))?;
    socket.set_nodelay(true).map_err(Trouble::io("socket option"))?;
    socket.set_read_timeout(Some(SILENCE_MAX)).map_err(Trouble::io("socket option"))?;
    socket.set_write_timeout(Some(SILENCE_MAX)).map_err(Trouble::io("socket option"))?;
    read_line(&mut socket)?;
    let name = "bench".try_into().map_err(|_| Trouble::Absent("name"))?;
    let tls = ClientConnection::new(Arc::clone(&MATERIAL.client), name);
    let tls = tls.map_err(|error| Trouble::BadFrame(error.to_string()))?;
    let mut stream = StreamOwned::new(tls, socket);
    let hello = [b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n", operations, b"PING\r\n"].concat();
    stream.write_all(&hello).map_err(Trouble::io("writing CONNECT"))?;
    match read_line(&mut stream)? {
        line if line == b"PONG\r\n" => Ok(stream),
        line => Err(Trouble::Refused(String::from_utf8_lossy(&line).into_owned())),
    }
}

fn read_line(from: &mut impl Read) -> Outcome<Vec<u8>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        from.read_exact(&mut byte).map_err(Trouble::io("reading a line"))?;
        line.push(byte[0]);
    }
    Ok(line)
}

/// One publisher, one receiver; every byte that is delivered is compared.
pub(crate) fn run(server: &Running, payload_bytes: usize, messages: u64) -> Outcome<Sample> {
    let payload = vec![b'x'; payload_bytes];
    let message = |verb: &str| [verb.as_bytes(), b"\r\n", &payload, b"\r\n"].concat();
    let published = message(&format!("PUB bench.0 {payload_bytes}"));
    let delivered = message(&format!("MSG bench.0 1 {payload_bytes}"));
    let in_batch = (BATCH_BYTES / published.len()).max(1);
    let (batch, wanted) = (published.repeat(in_batch), delivered.repeat(in_batch));
    let mut receiver = connect(server.address, b"SUB bench.0 1\r\n")?;
    let mut publisher = connect(server.address, b"")?;
    let mut pass = |batches: u64| {
        server.measure(|| {
            let (done, behind) = sync_channel(BATCHES_AHEAD_MAX);
            std::thread::scope(|scope| {
                let (receiver, wanted) = (&mut receiver, &wanted);
                let receiving = scope.spawn(move || receive(receiver, wanted, batches, &behind));
                let sent = publish(&mut publisher, &batch, batches, &done);
                drop(done);
                receiving.join().map_err(|_| Trouble::BadFrame("the receiver panicked".to_owned()))??;
                sent
            })
        })
    };
    let batches = messages.div_ceil(in_batch as u64);
    pass((batches / WARM_UP_SHARE).max(1))?;
    let cost = pass(batches)?;
    let count = batches * in_batch as u64;
    Ok(flow::figures(&cost, count, count))
}

fn publish(stream: &mut Stream, batch: &[u8], batches: u64, ahead: &SyncSender<()>) -> Outcome<()> {
    for _ in 0..batches {
        if ahead.send(()).is_err() {
            return Ok(()); // the receiver says why
        }
        stream.write_all(batch).map_err(Trouble::io("publishing"))?;
    }
    Ok(())
}

fn receive(stream: &mut Stream, wanted: &[u8], batches: u64, behind: &Receiver<()>) -> Outcome<()> {
    let mut got = vec![0; wanted.len()];
    for _ in 0..batches {
        stream.read_exact(&mut got).map_err(Trouble::io("receiving"))?;
        if got != wanted {
            return Err(Trouble::BadFrame(String::from_utf8_lossy(&got[..got.len().min(64)]).into_owned()));
        }
        let _publisher_has_failed = behind.recv();
    }
    Ok(())
}

/// INFO, a full handshake, CONNECT, PING, PONG, close; one after the other.
pub(crate) fn handshakes(server: &Running, count: u64) -> Outcome<Sample> {
    let visit = || -> Outcome<()> {
        let stream = connect(server.address, b"")?;
        stream.sock.shutdown(Shutdown::Both).map_err(Trouble::io("closing"))
    };
    (0..HANDSHAKES_FIRST).try_for_each(|_| visit())?;
    let cost = server.measure(|| (0..count).try_for_each(|_| visit()))?;
    Ok(connections::figures(&cost, count))
}
