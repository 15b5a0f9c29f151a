//! A session against a client of rustls, over a socket that takes and gives what chance wants; and against streams that are broken
//! at any place.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::session::{Progress, Scratch, Session};
use super::settings::TlsSettings;
use crate::config::security::Tls;
use crate::os::poll::Socket;

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The server's end of a connection.
#[derive(Default)]
struct Line {
    random: u64,
    up: VecDeque<u8>,
    down: VecDeque<u8>,
}

impl Line {
    fn some(&mut self, most: usize) -> usize {
        match splitmix(&mut self.random) % 4 {
            0 => 0,
            1 => most,
            _ => (splitmix(&mut self.random) as usize % (most + 1)).min(most),
        }
    }
}

impl Socket for Line {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.up.len().min(into.len());
        let count = self.some(most);
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, from) in into.iter_mut().zip(self.up.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let all: Vec<u8> = from.iter().flat_map(|slice| slice.to_vec()).collect();
        let count = self.some(all.len());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.down.extend(&all[..count]);
        Ok(count)
    }

    fn shutdown(&mut self) {}
}

struct Both {
    server: TlsSettings,
    client: Arc<ClientConfig>,
}

fn both(version: &'static rustls::SupportedProtocolVersion) -> Both {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["test".into()]).unwrap().self_signed(&key).unwrap();
    let name = format!("dunlin-session-{}-{:?}", std::process::id(), std::thread::current().id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let (cert_file, key_file) = (folder.join("cert"), folder.join("key"));
    std::fs::write(&cert_file, certificate.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let server = TlsSettings::load(&Tls { certificates: vec![(cert_file, key_file)], ..Tls::default() }).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(server.timeout, Duration::from_secs(2));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    Both { server, client: Arc::new(builder.with_root_certificates(roots).with_no_client_auth()) }
}

struct Play {
    line: Line,
    session: Session,
    scratch: Scratch,
    client: ClientConnection,
    open: bool,
    /// What the client got and the server got.
    down: Vec<u8>,
    up: Vec<u8>,
    /// What the server has not handed to its session.
    outbound: VecDeque<u8>,
}

impl Play {
    fn new(both: &Both, seed: u64) -> Self {
        Self {
            line: Line { random: seed, ..Line::default() },
            session: Session::new(&both.server, b"").unwrap(),
            scratch: Scratch::default(),
            client: ClientConnection::new(Arc::clone(&both.client), "test".try_into().unwrap()).unwrap(),
            open: false,
            down: Vec::new(),
            up: Vec::new(),
            outbound: VecDeque::new(),
        }
    }

    /// One step of the server, as the reactor does it. Whether it goes on.
    fn serve(&mut self) -> bool {
        if !self.open {
            match self.session.shake(&mut self.line, &mut self.scratch) {
                Progress::Waits => {}
                Progress::Done => self.open = true,
                Progress::Failed(_) => return false,
            }
            let _later = self.session.flush(&mut self.line);
            return true;
        }
        let room = self.line.some(40_000).max(1);
        let mut into = vec![0; room];
        match self.session.read(&mut self.line, &mut into, &mut self.scratch) {
            Ok(0) => return false,
            Ok(count) => self.up.extend_from_slice(&into[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        self.write()
    }

    fn write(&mut self) -> bool {
        let done = match self.session.flush(&mut self.line) {
            Ok(done) => done,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        self.outbound.drain(..done);
        let (front, back) = self.outbound.as_slices();
        // In pieces, as the queue of a connection is.
        let mut slices: Vec<IoSlice<'_>> = front.chunks(3000).chain(back.chunks(20_000)).map(IoSlice::new).collect();
        slices.truncate(8);
        if slices.is_empty() {
            return true;
        }
        match self.session.send(&mut self.line, &slices, &mut self.scratch) {
            Ok(done) => drop(self.outbound.drain(..done)),
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
        true
    }

    /// One step of the client.
    fn ask(&mut self) -> Result<(), rustls::Error> {
        while self.client.wants_write() {
            let mut records = Vec::new();
            self.client.write_tls(&mut records).unwrap();
            self.line.up.extend(records);
        }
        let mut records: Vec<u8> = self.line.down.drain(..).collect();
        let mut rest = &mut records[..];
        while !rest.is_empty() {
            let count = self.client.read_tls(&mut &*rest).unwrap();
            rest = &mut rest[count..];
            let state = self.client.process_new_packets()?;
            let start = self.down.len();
            self.down.resize(start + state.plaintext_bytes_to_read(), 0);
            self.client.reader().read_exact(&mut self.down[start..]).unwrap();
        }
        Ok(())
    }
}

fn bytes(random: &mut u64) -> Vec<u8> {
    let most = [10, 1000, 40_000, 300_000][splitmix(random) as usize % 4];
    let len = splitmix(random) as usize % most;
    (0..len).map(|i| (i * 7 + i / 256) as u8).collect()
}

#[test]
fn what_is_said_is_heard_however_it_is_cut() {
    for (seed, version) in (0..120_u64).zip([&rustls::version::TLS13, &rustls::version::TLS12].into_iter().cycle()) {
        let both = both(version);
        let mut random = seed;
        let mut play = Play::new(&both, seed);
        play.client.set_buffer_limit(None);
        let (up, down) = (bytes(&mut random), bytes(&mut random));
        play.client.writer().write_all(&up).unwrap();
        play.outbound.extend(&down);
        let mut steps = 0;
        while play.up != up || play.down != down {
            assert!(play.serve(), "seed {seed}");
            play.ask().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert!(play.session.held() <= 512 * 1024, "seed {seed}: {}", play.session.held());
            steps += 1;
            assert!(steps < 100_000, "seed {seed}: it stands still");
            if seed % 5 == 0 && play.open && steps % 50 == 0 && version.version == rustls::ProtocolVersion::TLSv1_3 {
                play.client.refresh_traffic_keys().unwrap();
            }
        }
        assert!(play.outbound.is_empty() || play.session.unsent() == 0, "seed {seed}");
        // Once all is said, nothing is held.
        while play.session.unsent() > 0 {
            assert!(play.write());
        }
        assert_eq!(play.session.held(), 0, "seed {seed}");
    }
}

#[test]
fn a_stream_that_breaks_anywhere_ends_the_session_and_no_more() {
    let [new, old] = [both(&rustls::version::TLS13), both(&rustls::version::TLS12)];
    let mut ended = 0;
    for seed in 0..1500_u64 {
        let mut random = seed;
        let mut play = Play::new(if seed % 2 == 0 { &new } else { &old }, seed);
        play.client.writer().write_all(&[1; 3000]).unwrap();
        play.outbound.extend([2; 3000]);
        let at = splitmix(&mut random) % 12;
        for step in 0..60 {
            if play.ask().is_err() {
                break;
            }
            if step == at || step == at + 3 {
                break_something(&mut play.line.up, &mut random);
            }
            if !play.serve() {
                ended += 1;
                // What the reactor does with one that has ended, and must not: all of it is harmless.
                play.session.say_goodbye(&mut play.line);
                let _ = play.session.read(&mut play.line, &mut [0; 100], &mut play.scratch);
                let _ = play.session.flush(&mut play.line);
                break;
            }
        }
    }
    assert!(ended > 500, "only {ended} were noticed");
}

fn break_something(bytes: &mut VecDeque<u8>, random: &mut u64) {
    for _ in 0..=splitmix(random) % 3 {
        let at = splitmix(random) as usize % (bytes.len() + 1);
        match splitmix(random) % 4 {
            0 => bytes.truncate(at),
            1 => bytes.extend((0..splitmix(random) % 40).map(|i| (i * 5) as u8)),
            // What looks like a record of some kind.
            2 => bytes.extend([20 + (splitmix(random) % 5) as u8, 3, 3, 0, 2, 1, 1]),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (splitmix(random) % 8);
                }
            }
        }
    }
}
