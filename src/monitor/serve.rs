//! The thread that serves pages: one poll, non-blocking sockets, a deadline for each connection.
//!
//! Owns the sockets. A request must arrive, and its answer be taken, within the configured time (an answer is given more for each
//! piece that is taken), so that whoever is slow on purpose loses only its own connection. Bounds: connections, bytes of a
//! request, bytes of answers that wait. A page is made on this thread: while the cores are asked, others wait.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::View;
use super::http::{self, HEAD_BYTES_MAX, Parsed, Refusal};
use super::secure::{Channel, Keys, PLAIN_HTTP};
use super::site::Site;
use crate::log::Logger;
use crate::tls::session::Scratch;

/// Connections at a time; beyond that, the one that is idle for longest makes room.
const CONNECTIONS_MAX: usize = 1024;
/// Bytes of answers that may wait for their readers before further requests are made to wait.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes taken from one socket in a turn.
const READ_BYTES: usize = 16 * 1024;
/// A reader that takes so many bytes is given the time anew.
const PROGRESS_BYTES: usize = 64 * 1024;
/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_secs(120);
/// How long a client may go on sending after it was refused, so that it can read why.
const LINGER: Duration = Duration::from_secs(1);
/// How long accepting pauses when there are no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);

/// Ends the thread.
#[derive(Debug)]
pub(super) struct Handle {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    pub(super) fn stop(self) {}
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        drop(self.waker.wake());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Starts the thread.
pub(super) fn start(listener: std::net::TcpListener, view: View, log: Logger) -> io::Result<Handle> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
    let mut listener = TcpListener::from_std(listener);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let work = move || {
        let (timeout, keys) = (view.timeout(), Keys::load(&view));
        let mut server = Serving {
            poll,
            listener,
            connections: HashMap::new(),
            next: WAKER.0 + 1,
            waiting_bytes: 0,
            accept_again: None,
            site: Site::new(view),
            keys,
            scratch: Scratch::default(),
            timeout,
            log,
        };
        while !stopped.load(Ordering::Acquire) {
            server.turn();
        }
    };
    let thread = std::thread::Builder::new().name("monitor".into()).spawn(work)?;
    Ok(Handle { stop, waker, thread: Some(thread) })
}

/// One client.
#[derive(Debug)]
struct Connection {
    socket: TcpStream,
    tls: Option<Channel>,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// Where `written` was when the deadline was last set.
    mark: usize,
    deadline: Instant,
    phase: Phase,
    /// It may have bytes for us.
    readable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A request may come.
    Idle,
    /// A request is coming.
    Reading,
    /// The answer is on its way; the connection goes on after it, or not.
    Writing { keep_alive: bool },
    /// Nothing more will be said; what it still sends is thrown away.
    Lingering,
}

struct Serving {
    poll: Poll,
    listener: TcpListener,
    connections: HashMap<usize, Connection>,
    next: usize,
    /// Bytes of answers that are not taken yet.
    waiting_bytes: usize,
    accept_again: Option<Instant>,
    site: Site,
    /// Where pages are served over TLS.
    keys: Option<Keys>,
    scratch: Scratch,
    timeout: Duration,
    log: Logger,
}

/// Whether a connection is kept.
type Kept = bool;

impl Serving {
    fn turn(&mut self) {
        let now = Instant::now();
        let next = self.connections.values().map(|c| c.deadline).chain(self.accept_again).min();
        // A request that waits for room is looked at again soon.
        let waits = self.waiting_bytes >= ANSWER_BYTES_MAX;
        let timeout =
            next.map(|at| at.saturating_duration_since(now)).map(|t| if waits { t.min(ACCEPT_PAUSE) } else { t });
        let mut events = Events::with_capacity(256);
        if let Err(error) = self.poll.poll(&mut events, timeout)
            && error.kind() != ErrorKind::Interrupted
        {
            self.log.error(format_args!("Monitoring: poll: {error}"));
        }
        let mut ready: Vec<usize> = Vec::new();
        let mut accept = self.accept_again.is_some_and(|at| at <= Instant::now());
        for event in &events {
            match event.token() {
                LISTENER => accept = true,
                WAKER => {}
                Token(token) => {
                    if let Some(connection) = self.connections.get_mut(&token) {
                        connection.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
                        ready.push(token);
                    }
                }
            }
        }
        if waits {
            ready.extend(self.connections.iter().filter(|(_, c)| c.phase == Phase::Reading).map(|(token, _)| *token));
        }
        for token in ready {
            self.drive(token);
        }
        if accept {
            self.accept();
        }
        self.end_late();
    }

    fn accept(&mut self) {
        self.accept_again = None;
        loop {
            match self.listener.accept() {
                Ok((mut socket, _)) => {
                    if self.connections.len() >= CONNECTIONS_MAX && !self.make_room() {
                        continue; // all are busy: the new one is closed
                    }
                    let token = self.next;
                    self.next += 1;
                    let both = Interest::READABLE | Interest::WRITABLE;
                    if self.poll.registry().register(&mut socket, Token(token), both).is_err() {
                        continue;
                    }
                    // Small answers must not wait for an acknowledgement.
                    drop(socket.set_nodelay(true));
                    let tls = self.keys.as_mut().map(|keys| Channel::new(keys.current(&self.site.view, &self.log)));
                    if matches!(tls, Some(None)) {
                        continue;
                    }
                    let connection = Connection {
                        socket,
                        tls: tls.flatten(),
                        input: Vec::new(),
                        output: Vec::new(),
                        written: 0,
                        mark: 0,
                        deadline: Instant::now() + self.timeout,
                        phase: Phase::Reading,
                        readable: true,
                    };
                    self.connections.insert(token, connection);
                    self.drive(token);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    // No file descriptors: who waits, waits in the kernel.
                    self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    /// Closes the connection that has been idle for longest, if one is idle.
    fn make_room(&mut self) -> bool {
        let idle = self.connections.iter().filter(|(_, c)| c.phase == Phase::Idle);
        let oldest = idle.min_by_key(|(_, c)| c.deadline).map(|(token, _)| *token);
        oldest.is_some_and(|token| self.connections.remove(&token).is_some())
    }

    fn end_late(&mut self) {
        let now = Instant::now();
        let late: Vec<usize> =
            self.connections.iter().filter(|(_, c)| c.deadline <= now).map(|(token, _)| *token).collect();
        for token in late {
            self.end(token);
        }
    }

    fn end(&mut self, token: usize) {
        if let Some(mut connection) = self.connections.remove(&token) {
            self.waiting_bytes -= connection.output.len() - connection.written;
            drop(self.poll.registry().deregister(&mut connection.socket));
        }
    }

    /// Does what can be done for a connection.
    fn drive(&mut self, token: usize) {
        let Some(mut connection) = self.connections.remove(&token) else { return };
        let before = connection.output.len() - connection.written;
        let kept = self.go_on(&mut connection);
        let after = if kept { connection.output.len() - connection.written } else { 0 };
        self.waiting_bytes = self.waiting_bytes + after - before;
        if kept {
            self.connections.insert(token, connection);
        } else {
            drop(self.poll.registry().deregister(&mut connection.socket));
        }
    }

    fn go_on(&mut self, connection: &mut Connection) -> Kept {
        loop {
            let went = match connection.phase {
                Phase::Writing { keep_alive } => match connection.write(self.timeout, &mut self.scratch) {
                    Ok(true) => connection.answered(keep_alive, self.timeout),
                    Ok(false) => return true,
                    Err(_) => return false,
                },
                Phase::Lingering => return connection.throw_away(),
                Phase::Idle | Phase::Reading => match self.take_request(connection) {
                    Some(went) => went,
                    None => return false,
                },
            };
            if !went {
                return true;
            }
        }
    }

    /// Reads, and answers a request that is there in full. Whether something changed; `None`: the connection has ended.
    fn take_request(&mut self, connection: &mut Connection) -> Option<bool> {
        if self.waiting_bytes >= ANSWER_BYTES_MAX {
            return Some(false);
        }
        loop {
            match if connection.input.is_empty() { Parsed::NeedMore } else { http::parse(&connection.input) } {
                Parsed::NeedMore if connection.input.len() >= 2 * HEAD_BYTES_MAX => {
                    connection.begin_answer(Refusal::TOO_LARGE.bytes(), false, self.timeout);
                    return Some(true);
                }
                Parsed::NeedMore => match connection.read(self.timeout, &mut self.scratch) {
                    Ok(0) => return None,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(false),
                    Err(error) if error.kind() == ErrorKind::Unsupported => {
                        connection.tls = None;
                        connection.begin_answer(PLAIN_HTTP.to_vec(), false, self.timeout);
                        return Some(true);
                    }
                    Err(_) => return None,
                },
                Parsed::Bad(refusal) => {
                    connection.begin_answer(refusal.bytes(), false, self.timeout);
                    return Some(true);
                }
                Parsed::Request(request, length) => {
                    connection.input.drain(..length);
                    let response = self.site.answer(&request);
                    let bytes = response.bytes(&request, SystemTime::now());
                    connection.begin_answer(bytes, request.keep_alive, self.timeout);
                    return Some(true);
                }
            }
        }
    }
}

impl Connection {
    fn read(&mut self, timeout: Duration, scratch: &mut Scratch) -> io::Result<usize> {
        if !self.readable {
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut buffer = [0; READ_BYTES];
        loop {
            let result = match &mut self.tls {
                None => self.socket.read(&mut buffer),
                Some(channel) => channel.read(&mut self.socket, &mut buffer, scratch),
            };
            match result {
                Ok(count) => {
                    self.input.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    if self.phase == Phase::Idle && count > 0 {
                        (self.phase, self.deadline) = (Phase::Reading, Instant::now() + timeout);
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.readable = error.kind() != ErrorKind::WouldBlock;
                    return Err(error);
                }
            }
        }
    }

    fn begin_answer(&mut self, bytes: Vec<u8>, keep_alive: bool, timeout: Duration) {
        (self.output, self.written, self.mark) = (bytes, 0, 0);
        (self.phase, self.deadline) = (Phase::Writing { keep_alive }, Instant::now() + timeout);
    }

    /// Whether all of the answer has been taken.
    fn write(&mut self, timeout: Duration, scratch: &mut Scratch) -> io::Result<bool> {
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            let result = match &mut self.tls {
                None => self.socket.write(rest),
                Some(channel) => channel.write(&mut self.socket, rest, scratch),
            };
            match result {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.written - self.mark >= PROGRESS_BYTES {
                        (self.mark, self.deadline) = (self.written, Instant::now() + timeout);
                    }
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The answer has been taken: another request may come, or the connection ends.
    fn answered(&mut self, keep_alive: bool, timeout: Duration) -> bool {
        (self.output, self.written) = (Vec::new(), 0);
        if keep_alive {
            let now = Instant::now();
            (self.phase, self.deadline) =
                if self.input.is_empty() { (Phase::Idle, now + IDLE) } else { (Phase::Reading, now + timeout) };
        } else {
            if let Some(channel) = &mut self.tls {
                channel.say_goodbye(&mut self.socket);
            }
            drop(self.socket.shutdown(Shutdown::Write));
            self.input = Vec::new();
            (self.phase, self.deadline) = (Phase::Lingering, Instant::now() + LINGER);
        }
        true
    }

    /// Reads what nobody wants, so that the client is not cut off before it has read the answer.
    fn throw_away(&mut self) -> Kept {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }
}
