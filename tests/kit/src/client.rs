//! A client that speaks the protocol byte by byte and believes nothing.
//!
//! Owns one blocking socket. Every read has a deadline, so a silent server fails a test instead of hanging it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::DEADLINE;

/// A message as a subscriber got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub subject: String,
    /// Which subscription got it.
    pub sid: String,
    /// Where an answer goes; empty: nowhere.
    pub reply: String,
    /// The header block; empty where it came as MSG.
    pub headers: Vec<u8>,
    /// What follows the headers.
    pub payload: Vec<u8>,
}

impl Message {
    /// The server's answer to a request that nobody gets.
    pub fn is_no_responders(&self) -> bool {
        self.headers.starts_with(b"NATS/1.0 503")
    }
}

/// One connection to a server.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    info: serde_json::Value,
    buffer: Vec<u8>,
    start: usize,
}

impl Client {
    /// Connects and reads INFO.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(address)?)
    }

    /// The same with a receive buffer of so many bytes, so that a reader who stops is noticed early.
    pub fn open_with_receive_buffer(address: SocketAddr, bytes: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_recv_buffer_size(bytes)?;
        socket.connect(&address.into())?;
        Self::over(socket.into())
    }

    /// Connects through a Unix socket and reads INFO.
    pub fn open_local(path: &Path) -> io::Result<Self> {
        // Reading and writing are the same calls for both.
        Self::begin(TcpStream::from(OwnedFd::from(UnixStream::connect(path)?)))
    }

    fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Self::begin(stream)
    }

    fn begin(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        let mut client = Self { stream, info: serde_json::Value::Null, buffer: Vec::new(), start: 0 };
        let line = client.line()?;
        let body = line.strip_prefix("INFO ").ok_or_else(|| unexpected("INFO", &line))?;
        client.info = serde_json::from_str(body.trim_end()).map_err(io::Error::other)?;
        Ok(client)
    }

    /// This end of the connection, where it is one over IP.
    pub fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a socket of IP")
    }

    /// The first INFO.
    pub fn info(&self) -> &serde_json::Value {
        &self.info
    }

    /// CONNECT, quiet, with further fields (`,"echo":false`), and a round trip.
    #[track_caller]
    pub fn hello(&mut self, fields: &str) {
        self.try_hello(fields).expect("CONNECT is accepted");
    }

    /// The same on a server that may refuse it.
    pub fn try_hello(&mut self, fields: &str) -> io::Result<()> {
        let quiet = r#""verbose":false,"pedantic":false,"headers":true,"no_responders":true"#;
        self.try_send(format!("CONNECT {{{quiet}{fields}}}\r\n"))?;
        match self.messages_until_pong()?.first() {
            Some(message) => Err(unexpected("no message before any subscription", &message.subject)),
            None => Ok(()),
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the server takes what we send");
    }

    /// Sends bytes to a server that may have closed the connection.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// PING, and nothing but PONG comes back.
    #[track_caller]
    pub fn ping(&mut self) {
        if let Err(text) = self.try_ping() {
            panic!("{text}");
        }
    }

    /// The same; if something else comes, what it was. A PING of the server is answered on the way.
    pub fn try_ping(&mut self) -> Result<(), String> {
        self.try_send("PING\r\n").map_err(|error| error.to_string())?;
        while self.check_one_of(&["PONG\r\n", "PING\r\n"])? == "PING\r\n" {
            self.try_send("PONG\r\n").map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// The next bytes are exactly these.
    #[track_caller]
    pub fn expect(&mut self, wanted: impl AsRef<[u8]>) {
        if let Err(text) = self.check(wanted.as_ref()) {
            panic!("{text}");
        }
    }

    /// The next bytes are exactly these; if not, what came instead. A difference is told as soon as it is seen.
    pub fn check(&mut self, wanted: &[u8]) -> Result<(), String> {
        loop {
            let have = self.unread();
            let common = have.len().min(wanted.len());
            if have.get(..common) != wanted.get(..common) {
                return Err(format!("expected {}, got {}", show(wanted), show(have)));
            }
            if common == wanted.len() {
                self.start += common;
                return Ok(());
            }
            if let Err(error) = self.fill() {
                return Err(format!("expected {}, got {} and then {error}", show(wanted), show(self.unread())));
            }
        }
    }

    /// The next bytes are all of these texts, in any order.
    pub fn check_any_order(&mut self, wanted: &[&str]) -> Result<(), String> {
        let mut left = wanted.to_vec();
        while !left.is_empty() {
            let unread = self.unread();
            if let Some(at) = left.iter().position(|text| unread.starts_with(text.as_bytes())) {
                self.start += left.swap_remove(at).len();
                continue;
            }
            self.await_prefix_of(&left)?;
        }
        Ok(())
    }

    /// The next bytes are exactly one of these texts: this one.
    pub fn check_one_of<'a>(&mut self, wanted: &[&'a str]) -> Result<&'a str, String> {
        loop {
            let unread = self.unread();
            if let Some(text) = wanted.iter().find(|text| unread.starts_with(text.as_bytes())) {
                self.start += text.len();
                return Ok(text);
            }
            self.await_prefix_of(wanted)?;
        }
    }

    /// Reads on, provided that what is there may still become one of `wanted`.
    fn await_prefix_of(&mut self, wanted: &[&str]) -> Result<(), String> {
        let unread = self.unread();
        if !wanted.iter().any(|text| text.as_bytes().starts_with(unread)) {
            return Err(format!("expected one of {wanted:?}, got {}", show(unread)));
        }
        self.fill().map_err(|error| format!("expected one of {wanted:?}, got {} and then {error}", show(self.unread())))
    }

    /// The next line without its end.
    pub fn line(&mut self) -> io::Result<String> {
        let mut from = 0;
        loop {
            let unread = self.unread();
            if let Some(at) = unread.iter().skip(from).position(|&byte| byte == b'\n') {
                let end = from + at;
                let line =
                    String::from_utf8_lossy(unread.get(..end).unwrap_or_default()).trim_end_matches('\r').to_owned();
                self.start += end + 1;
                return Ok(line);
            }
            from = unread.len();
            self.fill()?;
        }
    }

    /// The next message; `None` where PONG comes first. Answers PING and passes over INFO and +OK.
    pub fn next_message(&mut self) -> io::Result<Option<Message>> {
        loop {
            let line = self.line()?;
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("MSG") => return self.message(&words.collect::<Vec<_>>(), false).map(Some),
                Some("HMSG") => return self.message(&words.collect::<Vec<_>>(), true).map(Some),
                Some("PONG") => return Ok(None),
                Some("PING") => self.try_send("PONG\r\n")?,
                Some("INFO" | "+OK") => {}
                _ => return Err(unexpected("a message", &line)),
            }
        }
    }

    /// The next message, which must come before any PONG.
    #[track_caller]
    pub fn message_now(&mut self) -> Message {
        self.next_message().expect("the connection is open").expect("a message comes before PONG")
    }

    /// Sends PING and gives all messages that come before its PONG.
    pub fn messages_until_pong(&mut self) -> io::Result<Vec<Message>> {
        self.try_send("PING\r\n")?;
        let mut messages = Vec::new();
        while let Some(message) = self.next_message()? {
            messages.push(message);
        }
        Ok(messages)
    }

    /// Nothing is left to read and the server has closed the connection.
    pub fn check_closed(&mut self) -> Result<(), String> {
        if !self.unread().is_empty() {
            return Err(format!("expected the end, got {}", show(self.unread())));
        }
        match self.fill() {
            Ok(()) => Err(format!("expected the end, got {}", show(self.unread()))),
            Err(error) if is_end(&error) => Ok(()),
            Err(error) => Err(format!("expected the end, got {error}")),
        }
    }

    /// Reads and forgets everything until the server closes.
    pub fn read_to_end(&mut self) -> io::Result<u64> {
        let mut count = self.unread().len() as u64;
        loop {
            self.start = self.buffer.len();
            match self.fill() {
                Ok(()) => count += self.unread().len() as u64,
                Err(error) if is_end(&error) => return Ok(count),
                Err(error) => return Err(error),
            }
        }
    }

    /// Says that nothing more will be sent, and waits until the server has closed too: then its subscriptions are gone.
    pub fn close(mut self) -> io::Result<()> {
        if let Err(error) = self.stream.shutdown(Shutdown::Write)
            && error.kind() != ErrorKind::NotConnected
        {
            return Err(error);
        }
        self.read_to_end().map(drop)
    }

    /// Closes with a reset.
    pub fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// Sets how long a read may take.
    pub fn set_read_timeout(&self, limit: Duration) {
        self.stream.set_read_timeout(Some(limit)).expect("the socket is open");
    }

    fn message(&mut self, words: &[&str], has_headers: bool) -> io::Result<Message> {
        let numbers = if has_headers { 2 } else { 1 };
        let (names, sizes) = words.split_at_checked(words.len().saturating_sub(numbers)).unwrap_or_default();
        let sizes: Vec<usize> = sizes.iter().filter_map(|size| size.parse().ok()).collect();
        let (header_len, total) = match sizes[..] {
            [total] if !has_headers => (0, total),
            [header_len, total] if has_headers && header_len <= total => (header_len, total),
            _ => return Err(unexpected("sizes", &words.join(" "))),
        };
        let (subject, sid, reply) = match *names {
            [subject, sid] => (subject, sid, ""),
            [subject, sid, reply] => (subject, sid, reply),
            _ => return Err(unexpected("subject and sid", &words.join(" "))),
        };
        while self.unread().len() < total + 2 {
            self.fill()?;
        }
        let content = &self.buffer[self.start..self.start + total];
        let message = Message {
            subject: subject.into(),
            sid: sid.into(),
            reply: reply.into(),
            headers: content[..header_len].into(),
            payload: content[header_len..].into(),
        };
        let end = &self.buffer[self.start + total..self.start + total + 2];
        if end != b"\r\n" {
            return Err(unexpected("the end of a payload", &show(end)));
        }
        self.start += total + 2;
        Ok(message)
    }

    fn unread(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let old = self.buffer.len();
        self.buffer.resize(old + 64 * 1024, 0);
        let result = self.stream.read(&mut self.buffer[old..]);
        self.buffer.truncate(old + *result.as_ref().unwrap_or(&0));
        match result? {
            0 => Err(io::Error::from(ErrorKind::UnexpectedEof)),
            _ => Ok(()),
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    // A reset is an end too: the kernel sends one where the server closes with bytes of ours unread.
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

fn unexpected(wanted: &str, got: &str) -> io::Error {
    io::Error::other(format!("expected {wanted}, got {got:?}"))
}

fn show(bytes: &[u8]) -> String {
    let shown: String =
        bytes.iter().take(300).flat_map(|&byte| std::ascii::escape_default(byte)).map(char::from).collect();
    if bytes.len() > 300 { format!("\"{shown}…\" ({} bytes)", bytes.len()) } else { format!("\"{shown}\"") }
}
