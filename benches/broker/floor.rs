//! The floor: the least that a broker can do, as a yardstick for one that does everything.
//!
//! One thread, epoll, find the line end, look the exact subject up in a hash map, write the MSG line, copy the payload, one
//! write a connection a turn. Owns its listener, its clients and its table. Must not learn features: no wildcards, no queue
//! groups, no checks, no answers to mistakes. It speaks as much of the protocol as the generator beside it needs.
//!
//! A published line and its payload leave as they came: `PUB subject TAIL` becomes `MSG subject sid TAIL`, and the tail
//! (reply, size, payload) is one run of input bytes, so that a delivery is two copies.
//!
//! Invariant: a client is in `dirty` exactly while it has output that no write was tried for in this turn.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use hashbrown::HashMap;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

/// The listener's token; a client's token is its place.
const LISTENER: Token = Token(usize::MAX);
/// Bytes of one read.
const INPUT_BYTES: usize = 256 * 1024;
/// Nothing is read while a client waits for more than this: the generator reads and writes in different threads.
const BACKLOG_BYTES_MAX: usize = 1 << 20;
/// Connections that the kernel may hold for us; as many as for the others.
const ACCEPTS_MAX: i32 = 4096;
/// Events of one turn.
const EVENTS_MAX: usize = 256;

const INFO: &[u8] =
    b"INFO {\"server_id\":\"FLOOR\",\"version\":\"0.0.0\",\"proto\":1,\"headers\":false,\"max_payload\":1048576}\r\n";

/// One client and what it subscribed to.
struct Client {
    stream: TcpStream,
    /// Input that is not a whole operation yet.
    rest: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    is_readable: bool,
    is_dirty: bool,
    is_behind: bool,
    /// The other side will send no more; what it sent is still to be read.
    has_ended: bool,
}

/// One subscription in the table.
struct Receiver {
    client: usize,
    /// `MSG subject sid `
    head: Box<[u8]>,
}

/// The whole broker.
struct Floor {
    poll: Poll,
    listener: TcpListener,
    clients: Vec<Option<Client>>,
    vacant: Vec<usize>,
    table: HashMap<Box<[u8]>, Vec<Receiver>>,
    readable: Vec<usize>,
    dirty: Vec<usize>,
    /// How many clients wait for more than [`BACKLOG_BYTES_MAX`].
    behind: usize,
    input: Vec<u8>,
}

/// Serves on loopback until standard input ends, which it does with the process that started this one.
pub(crate) fn serve(port: u16) -> io::Result<()> {
    std::thread::spawn(|| {
        let mut until_parent_ends = [0_u8; 1];
        while matches!(io::stdin().read(&mut until_parent_ends), Ok(1)) {}
        std::process::exit(0);
    });
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut floor = Floor::bind(port)?;
    loop {
        floor.turn(&mut events)?;
    }
}

/// With room for a burst of connections: of one for which there is none the kernel forgets that it was made, and its client waits in vain.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // As Dunlin on loopback: the host's choice may hold segments back with timers.
    let _ = socket.set_tcp_congestion(b"reno");
    socket.bind(&address.into())?;
    socket.listen(ACCEPTS_MAX)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

impl Floor {
    fn bind(port: u16) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = listen(SocketAddr::from(([127, 0, 0, 1], port)))?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            clients: Vec::new(),
            vacant: Vec::new(),
            table: HashMap::new(),
            readable: Vec::new(),
            dirty: Vec::new(),
            behind: 0,
            input: vec![0; INPUT_BYTES],
        })
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let has_backlog = self.behind > 0;
        let timeout = (!self.readable.is_empty() && !has_backlog).then_some(std::time::Duration::ZERO);
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &*events {
            if event.token() == LISTENER {
                self.accept()?;
                continue;
            }
            let place = event.token().0;
            if let Some(Some(client)) = self.clients.get_mut(place) {
                client.has_ended |= event.is_read_closed();
                if event.is_readable() && !client.is_readable {
                    client.is_readable = true;
                    self.readable.push(place);
                }
                if event.is_writable() && client.written < client.output.len() && !client.is_dirty {
                    client.is_dirty = true;
                    self.dirty.push(place);
                }
            }
        }
        if !has_backlog {
            for place in std::mem::take(&mut self.readable) {
                self.read(place);
            }
        }
        for place in std::mem::take(&mut self.dirty) {
            self.flush(place);
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => continue,
            };
            stream.set_nodelay(true)?;
            let place = self.vacant.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            self.poll.registry().register(&mut stream, Token(place), Interest::READABLE | Interest::WRITABLE)?;
            let mut client = Client {
                stream,
                rest: Vec::new(),
                output: Vec::new(),
                written: 0,
                is_readable: false,
                is_dirty: false,
                is_behind: false,
                has_ended: false,
            };
            if client.stream.write_all(INFO).is_ok() {
                self.clients[place] = Some(client);
            } else {
                self.vacant.push(place);
            }
        }
    }

    /// One read, and all whole operations in it.
    fn read(&mut self, place: usize) {
        let Some(client) = self.clients[place].as_mut() else {
            return;
        };
        let mut input = std::mem::take(&mut self.input);
        let rest = client.rest.len();
        if rest + INPUT_BYTES > input.len() {
            input.resize(rest + INPUT_BYTES, 0);
        }
        input[..rest].copy_from_slice(&client.rest);
        client.rest.clear();
        let room = input.len() - rest;
        let outcome = client.stream.read(&mut input[rest..]);
        let filled = rest + outcome.as_ref().map_or(0, |read| *read);
        let consumed = self.handle_input(place, &input[..filled]);
        if let Some(client) = self.clients[place].as_mut() {
            client.rest.extend_from_slice(&input[consumed..filled]);
            if client.rest.is_empty() {
                client.rest = Vec::new();
            }
        }
        self.input = input;
        match outcome {
            Ok(0) => self.close(place),
            Err(error) if error.kind() != ErrorKind::WouldBlock => self.close(place),
            // On Linux a read that is short has emptied the socket: the next bytes are a new event.
            Ok(read) if read == room => self.readable.push(place),
            Ok(_) | Err(_) => match self.clients[place].as_mut() {
                Some(client) if client.has_ended => self.readable.push(place),
                Some(client) => client.is_readable = false,
                None => {}
            },
        }
    }

    /// Carries out the whole operations of `input`; returns how many bytes they took.
    fn handle_input(&mut self, place: usize, input: &[u8]) -> usize {
        let mut at = 0;
        while let Some(length) = memchr::memchr(b'\n', &input[at..]) {
            let line = &input[at..at + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let after_line = at + length + 1;
            match line {
                [b'P', b'U', b'B', b' ', arguments @ ..] => {
                    let after_payload = after_line + payload_size(arguments) + 2;
                    if after_payload > input.len() {
                        return at;
                    }
                    let subject = memchr::memchr(b' ', arguments).unwrap_or(arguments.len());
                    self.deliver(&arguments[..subject], &input[at + 4 + subject + 1..after_payload]);
                    at = after_payload;
                    continue;
                }
                [b'S', b'U', b'B', b' ', arguments @ ..] => self.subscribe(place, arguments),
                [b'U', b'N', b'S', b'U', b'B', b' ', sid @ ..] => self.unsubscribe(place, sid),
                b"PING" => self.answer(place, b"PONG\r\n"),
                _ => {} // CONNECT, PONG
            }
            at = after_line;
        }
        at
    }

    fn deliver(&mut self, subject: &[u8], tail: &[u8]) {
        let Some(receivers) = self.table.get(subject) else {
            return;
        };
        for receiver in receivers {
            let Some(Some(client)) = self.clients.get_mut(receiver.client) else {
                continue;
            };
            client.output.reserve(receiver.head.len() + tail.len());
            client.output.extend_from_slice(&receiver.head);
            client.output.extend_from_slice(tail);
            if !client.is_dirty {
                client.is_dirty = true;
                self.dirty.push(receiver.client);
            }
        }
    }

    fn answer(&mut self, place: usize, bytes: &[u8]) {
        let Some(client) = self.clients[place].as_mut() else {
            return;
        };
        client.output.extend_from_slice(bytes);
        if !client.is_dirty {
            client.is_dirty = true;
            self.dirty.push(place);
        }
    }

    fn subscribe(&mut self, place: usize, arguments: &[u8]) {
        let Some(space) = memchr::memchr(b' ', arguments) else {
            return;
        };
        let (subject, sid) = (&arguments[..space], &arguments[space + 1..]);
        let head = [b"MSG ", subject, b" ", sid, b" "].concat().into_boxed_slice();
        let receivers = self.table.entry(subject.into()).or_insert_with(|| Vec::with_capacity(1));
        receivers.push(Receiver { client: place, head });
    }

    fn unsubscribe(&mut self, place: usize, sid: &[u8]) {
        let end = [b" ", sid, b" "].concat();
        self.remove(|receiver| receiver.client == place && receiver.head.ends_with(&end));
    }

    /// Looks at every subscription there is: a second table to find them by would be part of every SUB.
    fn remove(&mut self, is_gone: impl Fn(&Receiver) -> bool) {
        self.table.retain(|_, receivers| {
            receivers.retain(|receiver| !is_gone(receiver));
            !receivers.is_empty()
        });
    }

    fn flush(&mut self, place: usize) {
        let Some(client) = self.clients[place].as_mut() else {
            return;
        };
        client.is_dirty = false;
        match client.stream.write(&client.output[client.written..]) {
            Ok(written) => client.written += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return self.close(place),
        }
        if client.written == client.output.len() {
            client.output.clear();
            client.written = 0;
        } else if client.written > BACKLOG_BYTES_MAX {
            client.output.drain(..client.written);
            client.written = 0;
        }
        let is_behind = client.output.len() - client.written > BACKLOG_BYTES_MAX;
        self.behind = self.behind + usize::from(is_behind) - usize::from(client.is_behind);
        client.is_behind = is_behind;
    }

    fn close(&mut self, place: usize) {
        let Some(client) = self.clients[place].take() else {
            return;
        };
        self.behind -= usize::from(client.is_behind);
        self.remove(|receiver| receiver.client == place);
        self.vacant.push(place); // closing the socket takes it out of epoll
    }
}

/// The number at the end of the arguments of a PUB.
fn payload_size(arguments: &[u8]) -> usize {
    let digits = arguments.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    arguments[arguments.len() - digits..].iter().fold(0, |size, digit| size * 10 + usize::from(digit - b'0'))
}
