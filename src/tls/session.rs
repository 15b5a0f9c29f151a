//! The TLS of one connection: records in, bytes of the protocol out, and back.
//!
//! Owns the state of rustls and the bytes that are neither the kernel's nor the protocol's: the beginning of a record, bytes that
//! were decrypted and had no room, records that the kernel did not take yet. Reads and writes a socket only where it is told to.
//!
//! ```text
//!   socket ── incoming (part of a record) ── rustls ── plain (what had no room) ── the core's read buffer
//!   socket ── outgoing (sealed, not taken) ── rustls ── the connection's outbound queue
//! ```
//!
//! What `outgoing` stands for stays in the outbound queue until all of it is written: the queue alone says what is pending.
//!
//! Invariants: after a read `incoming` holds no whole record; it is handed to rustls each time exactly as rustls left it, as
//! that is where parts of handshake messages lie. An idle session holds no buffers.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus};
use rustls::{Error, HandshakeKind};

use super::certificate::Shown;
use super::names;
use super::settings::TlsSettings;
use crate::auth::certificate::PeerCertificate;
use crate::os::poll::Socket;

/// The largest record: payload, what encryption may add, header.
const RECORD_BYTES_MAX: usize = 16 * 1024 + 2048 + 5;
/// Bytes that a client may have on their way before its handshake goes on: a hello, or with it a chain of certificates.
const HELLO_BYTES_MAX: usize = RECORD_BYTES_MAX;
const CHAIN_BYTES_MAX: usize = 64 * 1024 + RECORD_BYTES_MAX;
/// One read of the socket.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Pieces of handshake that are fetched from rustls after it has failed.
const LAST_PIECES_MAX: usize = 8;

/// The first byte of a client that begins with TLS.
pub const HANDSHAKE_RECORD: u8 = 22;
const ALERT_RECORD: u8 = 21;
const HEADER_BYTES: usize = 5;

/// Memory to work in, one for all sessions of a core.
#[derive(Debug, Default)]
pub struct Scratch {
    incoming: Vec<u8>,
    pub(super) sealed: Vec<u8>,
    pub(super) gathered: Vec<u8>,
}

/// What is known of an established session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The suite, by its Go name.
    pub cipher_suite: &'static str,
    /// The certificates that the client has shown, its own first.
    pub certificates: Vec<Shown>,
    /// The names in its own.
    pub peer: Option<PeerCertificate>,
}

/// How far a handshake is.
#[derive(Debug)]
pub enum Progress {
    /// More bytes are needed.
    Waits,
    /// It is over, and all is well.
    Done,
    /// It is over.
    Failed(Failure),
}

/// Why a handshake failed.
#[derive(Debug)]
pub enum Failure {
    /// The client does not speak TLS.
    NotTls,
    /// The client has gone: before it said anything, or in the middle.
    Gone {
        /// In the middle.
        midway: bool,
    },
    /// More bytes came than a handshake may take.
    TooLong,
    /// Reading failed.
    Socket(io::Error),
    /// The two could not agree.
    Tls(Error),
}

/// The TLS of one connection.
pub struct Session {
    pub(super) rustls: UnbufferedServerConnection,
    pub(super) incoming: Vec<u8>,
    incoming_bytes_max: usize,
    pub(super) plain: Vec<u8>,
    taken: usize,
    pub(super) outgoing: Vec<u8>,
    pub(super) sent: usize,
    /// Bytes at the front of the outbound queue that `outgoing` stands for.
    pub(super) covers: usize,
    /// The client has begun with what may be TLS.
    began: bool,
    /// The version that the client's hello is written for; 0xffff before it came.
    hello_version: u16,
    /// The handshake is over.
    pub(super) open: bool,
    /// The client has said that nothing more comes.
    pub(super) ended: bool,
    /// It has broken TLS: rustls is not asked any more.
    pub(super) failed: bool,
    /// The socket may have more.
    more: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("open", &self.open).field("held", &self.held()).finish_non_exhaustive()
    }
}

impl Session {
    /// A handshake that begins, with the bytes that were read already.
    ///
    /// # Errors
    /// Where the settings are of no use to rustls.
    pub fn new(settings: &TlsSettings, first: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            rustls: UnbufferedServerConnection::new(Arc::clone(&settings.config))?,
            incoming: first.to_vec(),
            incoming_bytes_max: if settings.verifies() { CHAIN_BYTES_MAX } else { HELLO_BYTES_MAX },
            plain: Vec::new(),
            taken: 0,
            outgoing: Vec::new(),
            sent: 0,
            covers: 0,
            began: false,
            hello_version: u16::MAX,
            open: false,
            ended: false,
            failed: false,
            more: true,
        })
    }

    /// Whether a read may bring something.
    pub fn has_more(&self) -> bool {
        self.more || self.ended || self.taken < self.plain.len()
    }

    /// Bytes that the kernel has not taken.
    pub fn unsent(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Bytes held in all, beside what rustls holds.
    pub fn held(&self) -> usize {
        self.incoming.capacity() + self.plain.capacity() + self.outgoing.capacity()
    }

    /// How the handshake came about.
    pub fn kind(&self) -> Option<HandshakeKind> {
        self.rustls.handshake_kind()
    }

    /// `1.2` or `1.3`.
    pub fn version(&self) -> &'static str {
        self.rustls.protocol_version().map_or("unknown", names::version)
    }

    /// The suite, by its Go name.
    pub fn cipher_suite(&self) -> &'static str {
        self.rustls.negotiated_cipher_suite().map_or("unknown", |suite| names::suite(suite.suite()))
    }

    /// The version that the client's hello is written for: 1.2 where it knows a later one.
    pub fn hello_version(&self) -> u16 {
        self.hello_version
    }

    /// What the client has shown.
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.rustls.peer_certificates()
    }

    /// One step of the handshake: reads once and does what the bytes allow. Its answer is in what is to be flushed.
    pub fn shake<S: Socket>(&mut self, socket: &mut S, scratch: &mut Scratch) -> Progress {
        let total = match self.fetch(socket, 0, scratch) {
            Ok(0) => return Progress::Failed(Failure::Gone { midway: !self.incoming.is_empty() || self.began }),
            Ok(total) => total,
            Err(error) if is_for_later(&error) => 0,
            Err(error) => return Progress::Failed(Failure::Socket(error)),
        };
        if total == 0 && self.began {
            return Progress::Waits;
        }
        let mut input = std::mem::take(&mut scratch.incoming);
        let total = if total > 0 {
            total
        } else {
            // The first bytes came with the session.
            self.load(&mut input)
        };
        let progress = self.shake_on(&mut input, total);
        scratch.incoming = input;
        progress
    }

    fn shake_on(&mut self, input: &mut [u8], total: usize) -> Progress {
        let Some(input) = input.get_mut(..total) else { return Progress::Waits };
        if !self.began {
            let Some(&[kind, major, ..]) = input.first_chunk::<HEADER_BYTES>().map(|header| header.as_slice()) else {
                self.keep(input);
                return Progress::Waits;
            };
            if !matches!(kind, HANDSHAKE_RECORD | ALERT_RECORD) || major >= 0x10 {
                return Progress::Failed(Failure::NotTls);
            }
            self.began = true;
            // A client's first message: record header, kind and length, then this.
            if let Some(&[high, low]) = input.get(HEADER_BYTES + 4..HEADER_BYTES + 6) {
                self.hello_version = u16::from_be_bytes([high, low]);
            }
        }
        let mut plain = Vec::new();
        let result = self.process(input, |bytes| plain.extend_from_slice(bytes));
        self.plain = plain;
        match result {
            Err(error) => Progress::Failed(Failure::Tls(error)),
            Ok(used) => {
                self.keep(input.get(used..).unwrap_or_default());
                if self.open {
                    self.incoming_bytes_max = RECORD_BYTES_MAX;
                    Progress::Done
                } else if self.incoming.len() > self.incoming_bytes_max {
                    Progress::Failed(Failure::TooLong)
                } else if self.ended {
                    Progress::Failed(Failure::Gone { midway: true })
                } else {
                    Progress::Waits
                }
            }
        }
    }

    /// Reads bytes of the protocol.
    ///
    /// # Errors
    /// `WouldBlock` where there are none now ([`Self::has_more`] says whether to come again), `InvalidData` where the client
    /// breaks TLS, else what the kernel says.
    pub fn read<S: Socket>(&mut self, socket: &mut S, into: &mut [u8], scratch: &mut Scratch) -> io::Result<usize> {
        if self.taken < self.plain.len() {
            // The socket was not asked: what came to it meanwhile has had its edge.
            self.more = true;
            return Ok(self.take_plain(into));
        }
        if self.ended {
            return Ok(0);
        }
        let total = self.fetch(socket, into.len(), scratch)?;
        if total == 0 {
            return Ok(0);
        }
        let (mut at, mut rest) = (0, Vec::new());
        let mut input = std::mem::take(&mut scratch.incoming);
        let result = match input.get_mut(..total) {
            Some(records) => self.process(records, |bytes| {
                let room = into.get_mut(at..).unwrap_or_default();
                let count = bytes.len().min(room.len());
                let (fits, too_much) = bytes.split_at(count);
                room.get_mut(..count).unwrap_or_default().copy_from_slice(fits);
                at += count;
                rest.extend_from_slice(too_much);
            }),
            None => Ok(0),
        };
        self.plain = rest;
        if let Ok(used) = result {
            self.keep(input.get(used..total).unwrap_or_default());
        }
        scratch.incoming = input;
        result.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if self.incoming.len() > self.incoming_bytes_max {
            return Err(ErrorKind::InvalidData.into());
        }
        if at == 0 && !self.ended { Err(ErrorKind::WouldBlock.into()) } else { Ok(at) }
    }

    fn take_plain(&mut self, into: &mut [u8]) -> usize {
        let rest = self.plain.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(into.len());
        let (now, _) = rest.split_at(count);
        into.get_mut(..count).unwrap_or_default().copy_from_slice(now);
        self.taken += count;
        if self.taken == self.plain.len() {
            self.plain = Vec::new();
            self.taken = 0;
        }
        count
    }

    /// Reads once, behind what there is of a record. How many bytes there are then; 0: the other side has ended.
    fn fetch<S: Socket>(&mut self, socket: &mut S, wanted: usize, scratch: &mut Scratch) -> io::Result<usize> {
        let room = wanted.clamp(RECORD_BYTES_MAX, READ_BYTES_MAX);
        let held = self.load(&mut scratch.incoming);
        let place = scratch.incoming.get_mut(held..held + room).unwrap_or_default();
        match socket.read(place) {
            Ok(0) => {
                self.more = false;
                Ok(0)
            }
            Ok(count) => {
                self.more = count == room;
                Ok(held + count)
            }
            Err(error) => {
                self.more = error.kind() == ErrorKind::Interrupted;
                Err(error)
            }
        }
    }

    /// Puts what is held of a record in front.
    fn load(&self, into: &mut Vec<u8>) -> usize {
        let held = self.incoming.len();
        if into.len() < held + READ_BYTES_MAX {
            into.resize(held + READ_BYTES_MAX, 0);
        }
        into.get_mut(..held).unwrap_or_default().copy_from_slice(&self.incoming);
        held
    }

    fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            self.incoming = Vec::new();
        } else {
            self.incoming.clear();
            self.incoming.extend_from_slice(rest);
        }
    }

    /// Has rustls work on `input`; decrypted bytes go to `sink`, what is to be sent to `outgoing`. How many bytes are done with.
    fn process(&mut self, input: &mut [u8], mut sink: impl FnMut(&[u8])) -> Result<usize, Error> {
        if self.failed {
            return Err(Error::HandshakeNotComplete);
        }
        let mut used = 0;
        loop {
            let rest = input.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.rustls.process_tls_records(rest);
            let mut last = false;
            let mut failed = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        used += record.discard;
                        sink(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, &mut self.outgoing)?,
                Ok(ConnectionState::TransmitTlsData(sent)) => sent.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(ConnectionState::WriteTraffic(_)) => {
                    self.open = true;
                    last = true;
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => last = true,
                // Early data is not offered.
                Ok(_) => failed = Some(Error::General("unexpected state".into())),
                Err(error) => failed = Some(error),
            }
            used += discard;
            if let Some(error) = failed {
                self.fetch_alert();
                return Err(error);
            }
            if last {
                return Ok(used);
            }
        }
    }

    /// What rustls has to tell the other side after it has failed. It is asked for nothing else from then on, and only as long
    /// as it has something: it must not look at more input.
    fn fetch_alert(&mut self) {
        self.failed = true;
        for _ in 0..LAST_PIECES_MAX {
            if !self.rustls.wants_write() {
                return;
            }
            match self.rustls.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => drop(encode(&mut data, &mut self.outgoing)),
                Ok(ConnectionState::ReadTraffic(mut traffic)) => while traffic.next_record().is_some() {},
                _ => return,
            }
        }
    }
}

pub(super) fn encode<D>(data: &mut EncodeTlsData<'_, D>, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    if let Err(EncodeError::InsufficientSize(room)) = data.encode(&mut []) {
        out.resize(start + room.required_size, 0);
        let piece = out.get_mut(start..).unwrap_or_default();
        data.encode(piece).map_err(|_| Error::EncryptError)?;
    }
    Ok(())
}

pub(super) fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
