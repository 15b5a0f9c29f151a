//! One connection: the handshake, bytes in, bytes out. Never waits.
//!
//! Owns the socket and the bytes that it could not send yet. The buffer for reading belongs to the thread, so that ten thousand
//! connections do not need ten thousand of them; only the start of a message that is not whole is kept here.

use std::io::ErrorKind;
use std::net::SocketAddr;

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use super::frame::{self, Frame, Message, Parsed};
use super::target::{Info, Target};
use super::tls::Transport;
use super::trouble::{Outcome, Trouble};

/// Bytes of one read.
pub(crate) const READ_BYTES: usize = 256 * 1024;
/// Reads before the others have their turn.
const READS_MAX: usize = 4;

/// How far the handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    AwaitInfo,
    AwaitPong,
    Ready,
}

/// What a reader of a link is told.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    Message(Message<'a>),
    Pong,
}

/// Whether a read took all that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Emptied,
    MayHaveMore,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    transport: Transport,
    number: usize,
    phase: Phase,
    /// Sent between CONNECT and the first PING.
    first: Vec<u8>,
    pub(crate) info: Info,
    /// To be written: everything from `written` on.
    pub(crate) out: Vec<u8>,
    written: usize,
    partial: Vec<u8>,
    address: SocketAddr,
    /// An `-ERR` that came: the reason if the server closes next.
    last_error: Option<String>,
    /// The peer has closed its side: a short read is not the last one, and there is no further event.
    pub(crate) is_ending: bool,
}

impl Link {
    /// Begins to connect. `number` chooses among several servers; `first` follows CONNECT.
    pub(crate) fn open(target: &Target, number: usize, first: Vec<u8>, receive_bytes: Option<usize>) -> Outcome<Self> {
        let address = target.endpoint(number).address;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))
            .map_err(Trouble::io("opening a socket"))?;
        socket.set_tcp_nodelay(true).map_err(Trouble::io("socket option"))?;
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).map_err(Trouble::io("socket option"))?;
        }
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(source) => return Err(Trouble::Unreachable { address: address.to_string(), source }),
        }
        let mut transport = Transport::new(TcpStream::from_std(socket.into()));
        if target.is_tls_first {
            transport.upgrade(&target.tls, &target.endpoint(number).host)?;
        }
        let info = Info::default();
        let (out, partial) = (Vec::new(), Vec::new());
        let phase = Phase::AwaitInfo;
        Ok(Self {
            transport,
            number,
            phase,
            first,
            info,
            out,
            written: 0,
            partial,
            address,
            last_error: None,
            is_ending: false,
        })
    }

    /// For `mio::Registry`.
    pub(crate) fn source(&mut self) -> &mut TcpStream {
        &mut self.transport.stream
    }

    /// The server has answered the PING after CONNECT.
    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Bytes that wait to be written.
    pub(crate) fn pending(&self) -> usize {
        self.out.len() - self.written
    }

    /// Writes until nothing is left (true) or the socket is full.
    pub(crate) fn flush(&mut self) -> Outcome<bool> {
        if self.phase == Phase::AwaitInfo {
            // Nothing to say yet, but perhaps a handshake.
            if self.transport.has_backlog() {
                self.transport.push().map_err(|error| self.failed(error))?;
            }
            return Ok(true);
        }
        while self.written < self.out.len() {
            match self.transport.write(&self.out[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.out.clear();
        self.written = 0;
        if self.transport.has_backlog() {
            self.transport.push().map_err(Trouble::io("writing"))?;
        }
        Ok(!self.transport.has_backlog())
    }

    /// Reads what is there and hands it to `on`. `scratch` belongs to the thread.
    pub(crate) fn read(
        &mut self,
        target: &Target,
        scratch: &mut Vec<u8>,
        mut on: impl FnMut(&mut Vec<u8>, Incoming<'_>) -> Outcome<()>,
    ) -> Outcome<Reading> {
        for _ in 0..READS_MAX {
            let kept = self.partial.len();
            if scratch.len() < kept * 2 + READ_BYTES {
                scratch.resize(kept * 2 + READ_BYTES, 0);
            }
            let room = scratch.len() - kept;
            let read = match self.transport.read(&mut scratch[kept..]) {
                Ok(0) => return Err(self.closed()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Reading::Emptied),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // The socket is not connected yet.
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(Reading::Emptied),
                Err(error) => return Err(self.failed(error)),
            };
            scratch[..kept].copy_from_slice(&self.partial);
            let used = self.take(target, &scratch[..kept + read], &mut on)?;
            self.partial.clear();
            self.partial.extend_from_slice(&scratch[used..kept + read]);
            if read < room && self.transport.is_plain() && !self.is_ending {
                return Ok(Reading::Emptied);
            }
        }
        Ok(Reading::MayHaveMore)
    }

    /// Handles every whole operation; returns how many bytes they took.
    fn take(
        &mut self,
        target: &Target,
        input: &[u8],
        on: &mut impl FnMut(&mut Vec<u8>, Incoming<'_>) -> Outcome<()>,
    ) -> Outcome<usize> {
        let mut at = 0;
        while at < input.len() {
            let Parsed::Frame(frame, used) = frame::next(&input[at..])? else { break };
            at += used;
            match frame {
                Frame::Message(message) => on(&mut self.out, Incoming::Message(message))?,
                Frame::Pong if self.phase == Phase::AwaitPong => self.phase = Phase::Ready,
                Frame::Pong => on(&mut self.out, Incoming::Pong)?,
                Frame::Ping => self.out.extend_from_slice(b"PONG\r\n"),
                Frame::Info(body) if self.phase == Phase::AwaitInfo => self.hello(target, body)?,
                Frame::Info(_) | Frame::Ok => {}
                Frame::Error(text) => {
                    let text = String::from_utf8_lossy(text).into_owned();
                    // These leave the connection open in a server, but not a benchmark that means anything.
                    self.last_error = Some(text.clone());
                    return Err(Trouble::Refused(text));
                }
            }
        }
        Ok(at)
    }

    fn hello(&mut self, target: &Target, body: &[u8]) -> Outcome<()> {
        self.info = serde_json::from_slice(body)
            .map_err(|_| Trouble::BadFrame(String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned()))?;
        let endpoint = target.endpoint(self.number);
        if (endpoint.needs_tls || self.info.tls_required) && self.transport.is_plain() {
            self.transport.upgrade(&target.tls, &endpoint.host)?;
        }
        self.out.extend_from_slice(&target.connect_line(endpoint, &self.info)?);
        self.out.append(&mut self.first);
        self.out.extend_from_slice(b"PING\r\n");
        self.phase = Phase::AwaitPong;
        self.flush().map(drop)
    }

    fn closed(&mut self) -> Trouble {
        self.last_error.take().map_or(Trouble::Closed, Trouble::Refused)
    }

    fn failed(&mut self, source: std::io::Error) -> Trouble {
        match source.kind() {
            ErrorKind::InvalidData => Trouble::Tls(source.to_string()),
            _ if self.phase == Phase::AwaitInfo => Trouble::Unreachable { address: self.address.to_string(), source },
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => self.closed(),
            _ => Trouble::Io { what: "talking to the server", source },
        }
    }
}
