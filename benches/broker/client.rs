//! A raw connection: handshake, barrier, and the reader that counts frames of one known length.
//!
//! Blocking; `generator` switches to readiness while it has the sockets. Must stay cheaper than any server: a frame is hopped
//! over, not parsed; only its first bytes and its end are looked at.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::trouble::{Outcome, Trouble};

/// A server that says nothing for so long has failed.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Large enough for the largest handshake and small enough for thousands of connections, one after the other.
const HANDSHAKE_BYTES_MAX: usize = 4096;

const HELLO: &[u8] =
    b"CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"name\":\"bench\",\"lang\":\"bench\",\
\"version\":\"1.0.0\",\"protocol\":1,\"echo\":true,\"headers\":true,\"no_responders\":true}\r\nPING\r\n";

/// Connects and waits for the PONG after CONNECT.
pub(crate) fn connect(address: SocketAddr) -> Outcome<TcpStream> {
    connect_with(address, &[])
}

/// The same with operations between CONNECT and PING, in one write.
pub(crate) fn connect_with(address: SocketAddr, operations: &[u8]) -> Outcome<TcpStream> {
    greet(TcpStream::connect(address).map_err(Trouble::io("connecting"))?, operations)
}

/// The handshake on a connection that the kernel has made.
pub(crate) fn greet(mut stream: TcpStream, operations: &[u8]) -> Outcome<TcpStream> {
    stream.set_nodelay(true).map_err(Trouble::io("socket option"))?;
    stream.set_read_timeout(Some(SILENCE_MAX)).map_err(Trouble::io("socket option"))?;
    stream.set_write_timeout(Some(SILENCE_MAX)).map_err(Trouble::io("socket option"))?;
    let ping = HELLO.len() - b"PING\r\n".len();
    let hello = [&HELLO[..ping], operations, &HELLO[ping..]].concat();
    // As a client does: INFO first, then the answer to it.
    let mut input = [0; HANDSHAKE_BYTES_MAX];
    let info = read_until(&mut stream, &mut input, 0, b"\r\n")?;
    stream.write_all(&hello).map_err(Trouble::io("writing CONNECT"))?;
    read_until(&mut stream, &mut input, info, b"PONG\r\n")?;
    Ok(stream)
}

/// Reads on until the input holds `end` (an INFO may follow); returns how much there is.
fn read_until(stream: &mut TcpStream, input: &mut [u8], mut filled: usize, end: &[u8]) -> Outcome<usize> {
    while memchr::memmem::find(&input[..filled], end).is_none() {
        let read = stream.read(&mut input[filled..]).map_err(Trouble::io("reading the handshake"))?;
        if read == 0 {
            return Err(Trouble::Refused(String::from_utf8_lossy(&input[..filled]).into_owned()));
        }
        filled += read;
    }
    Ok(filled)
}

/// PING and its PONG on a connection that gets no messages.
pub(crate) fn barrier(stream: &TcpStream) -> Outcome<()> {
    let extra = FrameReader::new(usize::MAX, HANDSHAKE_BYTES_MAX).barrier(stream)?;
    debug_assert_eq!(extra, 0, "no frame is that long");
    Ok(())
}

/// Reads a socket in large pieces and finds messages of one length in them.
pub(crate) struct FrameReader {
    buffer: Vec<u8>,
    filled: usize,
    frame_bytes: usize,
    pongs: u64,
}

impl FrameReader {
    /// For messages whose MSG line and payload take `frame_bytes` together.
    pub(crate) fn new(frame_bytes: usize, buffer_bytes: usize) -> Self {
        Self { buffer: vec![0; buffer_bytes], filled: 0, frame_bytes, pongs: 0 }
    }

    /// One read; 0 bytes is the end of the connection. Where that is full the buffer was read to the end.
    pub(crate) fn fill(&mut self, mut stream: &TcpStream) -> io::Result<Filled> {
        let room = self.buffer.len() - self.filled;
        let read = stream.read(&mut self.buffer[self.filled..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.filled += read;
        Ok(if read == room { Filled::MayHaveMore } else { Filled::Emptied })
    }

    /// Hands every whole message to `on_frame`; returns how many there were.
    pub(crate) fn drain(&mut self, mut on_frame: impl FnMut(&[u8])) -> Outcome<u64> {
        let (mut at, mut frames) = (0, 0);
        while at < self.filled {
            let input = &self.buffer[at..self.filled];
            if input[0] == b'M' {
                let Some(frame) = input.get(..self.frame_bytes) else {
                    break;
                };
                if !(frame.starts_with(b"MSG ") && frame.ends_with(b"\r\n")) {
                    return Err(Trouble::BadFrame(String::from_utf8_lossy(&frame[..frame.len().min(64)]).into_owned()));
                }
                on_frame(frame);
                frames += 1;
                at += self.frame_bytes;
                continue;
            }
            let Some(length) = memchr::memchr(b'\n', input) else {
                break;
            };
            match &input[..=length] {
                b"PONG\r\n" => self.pongs += 1,
                b"PING\r\n" | b"+OK\r\n" => {} // a first PING may stay without an answer for minutes
                line if line.starts_with(b"INFO ") => {}
                line if line.starts_with(b"-ERR") => {
                    return Err(Trouble::Refused(String::from_utf8_lossy(line).into_owned()));
                }
                line => {
                    return Err(Trouble::BadFrame(String::from_utf8_lossy(&line[..line.len().min(64)]).into_owned()));
                }
            }
            at += length + 1;
        }
        self.buffer.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(frames)
    }

    /// PING, and everything up to its PONG; returns how many messages came before it.
    pub(crate) fn barrier(&mut self, mut stream: &TcpStream) -> Outcome<u64> {
        self.pongs = 0;
        stream.write_all(b"PING\r\n").map_err(Trouble::io("writing PING"))?;
        let mut frames = 0;
        while self.pongs == 0 {
            self.fill(stream).map_err(Trouble::io("reading up to a PONG"))?;
            frames += self.drain(|_| {})?;
        }
        Ok(frames)
    }
}

/// Whether a read took all that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    MayHaveMore,
    Emptied,
}
