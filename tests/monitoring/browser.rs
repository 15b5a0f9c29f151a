//! Asks for pages, and reads what comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use kit::{DEADLINE, Server, until};
use serde_json::Value;

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, self.body))
    }
}

/// A connection to the pages.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the pages are served");
    stream.set_read_timeout(Some(DEADLINE)).expect("a valid time");
    stream.set_write_timeout(Some(DEADLINE)).expect("a valid time");
    stream
}

/// Sends these bytes on a connection of its own; everything that comes until the server ends it, as far as it comes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // The server may have answered and closed before it has taken all.
    drop(stream.write_all(bytes));
    read_to_end(&mut stream)
}

/// Everything until the end; a reset is an end, waiting for longer than any test may is not.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the server does not end the connection; so far: {}", String::from_utf8_lossy(&all))
            }
            Err(_) => return all,
        }
    }
}

/// One reply out of all that came.
pub(crate) fn reply(bytes: &[u8]) -> Reply {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {text}"));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {head}"));
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// Asks with these headers (each ends its line).
pub(crate) fn ask(address: SocketAddr, path: &str, headers: &str) -> Reply {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    reply(&exchange(address, request.as_bytes()))
}

/// Asks for a page.
pub(crate) fn get(server: &Server, path: &str) -> Reply {
    ask(server.page_address(), path, "")
}

/// A page that is there, as JSON.
pub(crate) fn json(server: &Server, path: &str) -> Value {
    let reply = get(server, path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()
}

/// A page, when it says what is wanted: what clients did may take a moment to show.
pub(crate) fn json_when(server: &Server, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let done = until(DEADLINE, || {
        last = json(server, path);
        wanted(&last)
    });
    assert!(done, "{path} does not come to say what is wanted: {last:#}");
    last
}

/// The values of a field of all items of a list.
pub(crate) fn each(page: &Value, list: &str, field: &str) -> Vec<String> {
    let items = page[list].as_array().unwrap_or_else(|| panic!("no list {list}: {page:#}"));
    items.iter().map(|item| item[field].as_str().map_or_else(|| item[field].to_string(), str::to_owned)).collect()
}
