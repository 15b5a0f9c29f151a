//! Listening sockets, bound as the peer binds them.
//!
//! Owns address resolution and socket options. What a client's socket needs (no delay, buffer sizes) is set on the
//! listening socket: Linux hands it down, so accepting costs no further calls. Keepalive stays off, as on the peer: PING does it.
//! Errors carry the peer's text. Who accepts is `client_listener`.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::errno;

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// Connections that the kernel may hold for us; it cuts this at its own maximum.
    pub backlog: u32,
    /// Others (our other cores) may listen on the same address.
    pub reuse_port: bool,
    /// For sockets of clients.
    pub client: ClientSocketOptions,
}

/// What a client's socket gets.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientSocketOptions {
    /// `SO_SNDBUF` in bytes; 0: the kernel's choice, which grows with need.
    pub send_buffer_bytes: u32,
    /// `SO_RCVBUF` in bytes; 0: the kernel's choice, which grows with need.
    pub receive_buffer_bytes: u32,
}

/// A listening socket that does not block, and its address.
#[derive(Debug)]
pub struct Bound {
    /// Ready to accept.
    pub listener: TcpListener,
    /// With the port that the kernel chose where 0 was asked for.
    pub address: SocketAddr,
}

/// Why we cannot listen. The text is the peer's, after `Error listening on port: `.
#[derive(Debug)]
pub struct ListenError {
    /// As the user wrote them: `host:port`.
    wanted: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Lookup {
        host: String,
    },
    /// An address is written without them.
    Brackets,
    Call {
        name: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
}

impl ListenError {
    /// The text alone, without the address that was wanted.
    pub fn reason(&self) -> String {
        match &self.why {
            Why::Lookup { host } => format!("listen tcp: lookup {host}: no such host"),
            Why::Brackets => format!("listen tcp: address {}: missing port in address", self.wanted),
            Why::Call { name, address, source } => {
                format!("listen tcp {}: {name}: {}", as_wildcard(*address), errno::text(source))
            }
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, \"{}\"", self.wanted, self.reason())
    }
}

impl std::error::Error for ListenError {}

/// Listens on `host` (an address, a name, or empty: every address) and `port` (0: a free one). The wildcard address of
/// either family stands for both families. Of a name's addresses the first IPv4 one is taken, as on the peer.
pub fn bind(host: &str, port: u16, options: &ListenOptions) -> Result<Bound, ListenError> {
    let wanted = host_port(host, port);
    let fail = |why| ListenError { wanted: wanted.clone(), why };
    if host.starts_with('[') {
        return Err(fail(Why::Brackets));
    }
    let address = resolve(host).ok_or_else(|| fail(Why::Lookup { host: host.to_string() }))?;
    let call_failed = |address, (name, source)| fail(Why::Call { name, address, source });
    if !address.is_unspecified() {
        let address = SocketAddr::new(address, port);
        return listen(address, options).map_err(|error| call_failed(address, error));
    }
    let six = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    match listen(six, options) {
        // No IPv6 on this host.
        Err((_, error)) if no_such_family(&error) => {
            let four = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
            listen(four, options).map_err(|error| call_failed(four, error))
        }
        other => other.map_err(|error| call_failed(six, error)),
    }
}

/// Listens on an address that another core has bound already; both have set `reuse_port`.
pub fn bind_again(address: SocketAddr, options: &ListenOptions) -> Result<Bound, ListenError> {
    listen(address, options)
        .map_err(|(name, source)| ListenError { wanted: address.to_string(), why: Why::Call { name, address, source } })
}

/// `host:port`, with brackets around an IPv6 address.
pub fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Sets what an accepted socket inherits from ours; for sockets that come from elsewhere.
pub fn set_client_socket_options<S: std::os::fd::AsFd>(socket: &S, options: &ClientSocketOptions) -> io::Result<()> {
    set_options(&SockRef::from(socket), options)
}

fn set_options(socket: &Socket, options: &ClientSocketOptions) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    if options.send_buffer_bytes > 0 {
        socket.set_send_buffer_size(options.send_buffer_bytes as usize)?;
    }
    if options.receive_buffer_bytes > 0 {
        socket.set_recv_buffer_size(options.receive_buffer_bytes as usize)?;
    }
    Ok(())
}

fn resolve(host: &str) -> Option<IpAddr> {
    if host.is_empty() {
        return Some(Ipv4Addr::UNSPECIFIED.into());
    }
    if let Ok(address) = host.parse() {
        return Some(address);
    }
    let found: Vec<_> = (host, 0).to_socket_addrs().ok()?.map(|address| address.ip()).collect();
    found.iter().find(|address| address.is_ipv4()).or_else(|| found.first()).copied()
}

/// The error names the call that failed.
fn listen(address: SocketAddr, options: &ListenOptions) -> Result<Bound, (&'static str, io::Error)> {
    let during = |name| move |error| (name, error);
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP)).map_err(during("socket"))?;
    if domain == Domain::IPV6 {
        let only = !address.ip().is_unspecified();
        socket.set_only_v6(only).map_err(during("setsockopt"))?;
    }
    socket.set_reuse_address(true).map_err(during("setsockopt"))?;
    if options.reuse_port {
        socket.set_reuse_port(true).map_err(during("setsockopt"))?;
    }
    set_options(&socket, &options.client).map_err(during("setsockopt"))?;
    socket.bind(&address.into()).map_err(during("bind"))?;
    let backlog = i32::try_from(options.backlog).unwrap_or(i32::MAX);
    socket.listen(backlog).map_err(during("listen"))?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().map_err(during("getsockname"))?;
    Ok(Bound { listener, address })
}

fn no_such_family(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL, Errno::PROTONOSUPPORT]
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

/// The peer speaks of `0.0.0.0` when it listens on every address.
fn as_wildcard(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()) } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClientAddress;
    use std::net::TcpStream;

    const OPTIONS: ListenOptions = ListenOptions {
        backlog: 16,
        reuse_port: false,
        client: ClientSocketOptions { send_buffer_bytes: 0, receive_buffer_bytes: 0 },
    };

    fn accept(bound: &Bound) -> (TcpStream, SocketAddr) {
        loop {
            match bound.listener.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                other => return other.expect("a client has connected"),
            }
        }
    }

    #[test]
    fn clients_inherit_no_delay_and_buffers() {
        let client = ClientSocketOptions { send_buffer_bytes: 40_000, receive_buffer_bytes: 30_000 };
        let bound = bind("127.0.0.1", 0, &ListenOptions { client, ..OPTIONS }).expect("loopback");
        let stream = TcpStream::connect(bound.address).expect("it listens");
        let (accepted, _) = accept(&bound);
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().expect("an option"));
        assert!(!socket.keepalive().expect("an option"));
        // The kernel doubles what it is given.
        assert_eq!(socket.send_buffer_size().expect("an option"), 80_000);
        assert_eq!(socket.recv_buffer_size().expect("an option"), 60_000);
        set_client_socket_options(&stream, &client).expect("they can be set on any socket");
        assert!(stream.nodelay().expect("an option"));
    }

    #[test]
    fn the_wildcard_stands_for_both_families() {
        for host in ["0.0.0.0", "::", ""] {
            let bound = bind(host, 0, &OPTIONS).expect("every address");
            assert_ne!(bound.address.port(), 0);
            let _four = TcpStream::connect((Ipv4Addr::LOCALHOST, bound.address.port())).expect("it listens");
            let (_, address) = accept(&bound);
            assert_eq!(ClientAddress::from(address).ip(), Some(Ipv4Addr::LOCALHOST.into()));
            if bound.address.is_ipv6() && TcpListener::bind("[::1]:0").is_ok() {
                let _six = TcpStream::connect((Ipv6Addr::LOCALHOST, bound.address.port())).expect("it listens");
                assert_eq!(ClientAddress::from(accept(&bound).1).ip(), Some(Ipv6Addr::LOCALHOST.into()));
            }
        }
    }

    #[test]
    fn a_port_in_use_is_told_in_the_peers_words() {
        let bound = bind("127.0.0.1", 0, &OPTIONS).expect("loopback");
        let port = bound.address.port();
        let error = bind("127.0.0.1", port, &OPTIONS).expect_err("it is in use");
        let expected = format!("127.0.0.1:{port}, \"listen tcp 127.0.0.1:{port}: bind: address already in use\"");
        assert_eq!(error.to_string(), expected);
        for (host, shown) in [("0.0.0.0", "0.0.0.0"), ("::", "[::]"), ("localhost", "localhost")] {
            let address = if host == "localhost" { "127.0.0.1" } else { "0.0.0.0" };
            let error = bind(host, port, &OPTIONS).expect_err("it is in use");
            let expected = format!("{shown}:{port}, \"listen tcp {address}:{port}: bind: address already in use\"");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn addresses_that_are_not_ours_or_not_there() {
        let error = bind("192.0.2.77", 4222, &OPTIONS).expect_err("a documentation address");
        assert_eq!(
            error.to_string(),
            "192.0.2.77:4222, \"listen tcp 192.0.2.77:4222: bind: cannot assign requested address\""
        );
        let error = bind("[::1]", 4222, &OPTIONS).expect_err("it is written without them");
        let text = "[[::1]]:4222, \"listen tcp: address [[::1]]:4222: missing port in address\"";
        assert_eq!(error.to_string(), text);
        let error = bind("*", 4222, &OPTIONS).expect_err("no name");
        assert_eq!(error.to_string(), "*:4222, \"listen tcp: lookup *: no such host\"");
    }

    #[test]
    fn cores_share_a_port_where_both_ask_for_it() {
        let options = ListenOptions { reuse_port: true, ..OPTIONS };
        let first = bind("127.0.0.1", 0, &options).expect("loopback");
        let second = bind_again(first.address, &options).expect("shared");
        assert_eq!(first.address, second.address);
        assert!(bind_again(first.address, &OPTIONS).is_err());
    }
}
