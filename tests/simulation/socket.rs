//! A connection without a kernel: two bounded byte streams, and the server's end of them as a [`Socket`].
//!
//! Behaves as a stream socket does that never blocks: a short read means that there is nothing more, a short write that there is no
//! room, and both bring an edge later. Owns the bytes; who reports edges is `os`, who moves bytes on the client's side is `world`.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dunlin::os::poll::{Event, Socket};

/// One connection.
#[derive(Debug, Default)]
pub struct Line {
    /// From the client, not read by the server yet.
    pub up: VecDeque<u8>,
    pub up_max: usize,
    /// From the server, not read by the client yet.
    pub down: VecDeque<u8>,
    pub down_max: usize,
    /// The client writes no more.
    pub ended: bool,
    /// The client has gone without a word.
    pub reset: bool,
    /// The server writes no more.
    pub server_ended: bool,
    /// The server was told that there is no room, and is owed an edge.
    pub blocked: bool,
    /// Readiness to be written to is reported.
    pub writing_watched: bool,
    /// The core that watches the socket, and the key there.
    pub place: Option<(usize, u64)>,
}

impl Line {
    /// Room for bytes to the client.
    fn room(&self) -> usize {
        self.down_max - self.down.len()
    }

    /// Enough room that a kernel says so.
    pub fn has_room(&self) -> bool {
        3 * self.room() >= self.down_max
    }

    /// What an edge reports now: all that is ready, as epoll does.
    pub fn event(&self, key: u64) -> Event {
        let ended = self.ended || self.reset;
        Event {
            key,
            readable: ended || !self.up.is_empty(),
            writable: self.writing_watched && (self.has_room() || self.reset),
            ended,
            gone: self.reset,
        }
    }
}

/// A connection, shared by its two ends.
pub type SharedLine = Arc<Mutex<Line>>;

pub fn lock(line: &SharedLine) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The server's end.
#[derive(Debug)]
pub struct SimSocket(pub SharedLine);

impl Socket for SimSocket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut line = lock(&self.0);
        if line.reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if line.up.is_empty() {
            return if line.ended { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        let count = line.up.len().min(into.len());
        for (to, from) in into.iter_mut().zip(line.up.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut line = lock(&self.0);
        if line.reset || line.server_ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let (mut room, mut count) = (line.room(), 0);
        for slice in from {
            let part = &slice[..slice.len().min(room)];
            line.down.extend(part);
            room -= part.len();
            count += part.len();
            if part.len() < slice.len() {
                line.blocked = true;
            }
        }
        if count == 0 && line.blocked { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }

    fn shutdown(&mut self) {
        lock(&self.0).server_ended = true;
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        let mut line = lock(&self.0);
        line.server_ended = true;
        line.place = None;
    }
}
