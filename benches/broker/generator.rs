//! Publishers and receivers at full speed: one thread for all publishers, one for all receivers.
//!
//! Owns the sockets for the time of a run and gives them back blocking. Two threads whatever the number of connections, so that
//! the generator costs little of the CPUs it shares with the server. Both give up when
//! nothing has moved for [`SILENCE_MAX`], and what they move is counted, so they end.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::batch::Batch;
use crate::client::{Filled, FrameReader, SILENCE_MAX};
use crate::trouble::{Outcome, Trouble};

/// Bytes of one read of a receiver.
pub(crate) const READ_BYTES: usize = 256 * 1024;
const EVENTS_MAX: usize = 64;
/// How often a thread that waits looks at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One publishing connection and what it still has to say.
pub(crate) struct Publisher {
    stream: TcpStream,
    batch: Batch,
    left: u64,
    /// What of the batch is being written: `at..until`.
    at: usize,
    until: usize,
}

impl Publisher {
    pub(crate) fn new(stream: TcpStream, batch: Batch) -> Self {
        Self { stream, batch, left: 0, at: 0, until: 0 }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn is_done(&self) -> bool {
        self.left == 0 && self.at == self.until
    }

    /// One write. Says whether the socket would take more.
    fn write(&mut self) -> Outcome<bool> {
        if self.at == self.until {
            let messages = self.left.min(self.batch.messages());
            (self.at, self.until) = (0, self.batch.prepare(messages));
            self.left -= messages;
        }
        match (&self.stream).write(&self.batch.bytes()[self.at..self.until]) {
            Ok(written) => self.at += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(source) => {
                return Err(Trouble::Io { what: "publishing", source });
            }
        }
        Ok(true)
    }
}

/// Publishes `messages` with each of `publishers`.
pub(crate) fn publish(publishers: &mut [Publisher], messages: u64) -> Outcome<()> {
    for publisher in &mut *publishers {
        publisher.left = messages;
    }
    let mut readiness = Readiness::new(publishers.iter().map(|publisher| &publisher.stream), Interest::WRITABLE)?;
    let mut is_ready = vec![true; publishers.len()];
    loop {
        let (mut is_any_ready, mut is_all_done) = (false, true);
        for (publisher, is_ready) in publishers.iter_mut().zip(&mut is_ready) {
            if publisher.is_done() {
                continue;
            }
            is_all_done = false;
            if *is_ready {
                *is_ready = publisher.write()?;
                is_any_ready |= *is_ready;
            }
        }
        if is_all_done {
            return readiness.end(publishers.iter().map(|publisher| &publisher.stream));
        }
        if !is_any_ready {
            if readiness.is_silent() {
                let left: u64 = publishers.iter().map(|publisher| publisher.left).sum();
                let expected = messages * publishers.len() as u64;
                return Err(Trouble::TimedOut { expected, received: expected - left });
            }
            readiness.wait(|place| is_ready[place] = true)?;
        }
    }
}

/// One subscribed connection and what it got.
pub(crate) struct Receiver {
    stream: TcpStream,
    reader: FrameReader,
    received: u64,
}

impl Receiver {
    pub(crate) fn new(stream: TcpStream, frame_bytes: usize) -> Self {
        Self { stream, reader: FrameReader::new(frame_bytes, READ_BYTES.max(2 * frame_bytes)), received: 0 }
    }

    /// Reads until nothing is there; returns how many messages came.
    fn read(&mut self) -> Outcome<u64> {
        let before = self.received;
        loop {
            match self.reader.fill(&self.stream) {
                Ok(filled) => {
                    self.received += self.reader.drain(|_| {})?;
                    if filled == Filled::Emptied {
                        return Ok(self.received - before);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(self.received - before);
                }
                Err(source) => {
                    return Err(Trouble::Io { what: "receiving", source });
                }
            }
        }
    }
}

/// Receives until all of `receivers` together have `expected` messages.
pub(crate) fn receive(receivers: &mut [Receiver], expected: u64) -> Outcome<()> {
    let mut readiness = Readiness::new(receivers.iter().map(|receiver| &receiver.stream), Interest::READABLE)?;
    let mut received = 0;
    while received < expected {
        let mut outcome = Ok(());
        readiness.wait(|place| match receivers[place].read() {
            Ok(messages) => received += messages,
            Err(trouble) => outcome = Err(trouble),
        })?;
        outcome?;
        if readiness.is_silent() {
            return Err(Trouble::TimedOut { expected, received });
        }
    }
    readiness.end(receivers.iter().map(|receiver| &receiver.stream))
}

/// Nothing more may come, and each must have its share: exactly `each`, or any where it is `None` (queue groups).
pub(crate) fn check_received(receivers: &mut [Receiver], each: Option<u64>, total: u64) -> Outcome<()> {
    let mut sum = 0;
    for receiver in receivers {
        let received = std::mem::take(&mut receiver.received) + receiver.reader.barrier(&receiver.stream)?;
        if let Some(expected) = each.filter(|each| *each != received) {
            return Err(Trouble::Miscount { expected, received });
        }
        sum += received;
    }
    if sum == total { Ok(()) } else { Err(Trouble::Miscount { expected: total, received: sum }) }
}

/// Sockets that are watched by one thread; a socket's token is its place.
struct Readiness {
    poll: Poll,
    events: Events,
    last_event: Instant,
    /// Duplicates of the sockets: mio wants its own type.
    _watched: Vec<mio::net::TcpStream>,
}

impl Readiness {
    fn new<'a>(streams: impl Iterator<Item = &'a TcpStream>, interest: Interest) -> Outcome<Self> {
        let poll = Poll::new().map_err(Trouble::io("making an epoll"))?;
        let mut watched = Vec::new();
        for (place, stream) in streams.enumerate() {
            stream.set_nonblocking(true).map_err(Trouble::io("socket option"))?;
            let mut stream =
                mio::net::TcpStream::from_std(stream.try_clone().map_err(Trouble::io("duplicating a socket"))?);
            poll.registry().register(&mut stream, Token(place), interest).map_err(Trouble::io("watching a socket"))?;
            watched.push(stream);
        }
        Ok(Self { poll, events: Events::with_capacity(EVENTS_MAX), last_event: Instant::now(), _watched: watched })
    }

    /// Waits for something to be ready, for [`LOOK_EVERY`] at most.
    fn wait(&mut self, mut on_ready: impl FnMut(usize)) -> Outcome<()> {
        match self.poll.poll(&mut self.events, Some(LOOK_EVERY)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            outcome => outcome.map_err(Trouble::io("waiting for sockets"))?,
        }
        for event in &self.events {
            on_ready(event.token().0);
            self.last_event = Instant::now();
        }
        Ok(())
    }

    fn is_silent(&self) -> bool {
        self.last_event.elapsed() > SILENCE_MAX
    }

    fn end<'a>(self, mut streams: impl Iterator<Item = &'a TcpStream>) -> Outcome<()> {
        streams.try_for_each(|stream| stream.set_nonblocking(false)).map_err(Trouble::io("socket option"))
    }
}
