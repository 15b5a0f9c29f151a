//! Lines to syslog: the local service, or a remote one named by an address like `udp://host:514`.
//!
//! Owns the socket, and connects again after an error, at most once a second. The framing is RFC 3164 as the peer writes
//! it: to the local service with a short time stamp, to a remote one with an RFC 3339 stamp and the host's name.
//! Invariant: one call sends one line; nothing here blocks for longer than [`WAIT_MAX`].

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::line::Level;
use super::quote;
use crate::os::errno;

/// How long one send or connect may take.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Bytes of a datagram; longer lines are cut.
const DATAGRAM_BYTES_MAX: usize = 32 * 1024;

/// Facility `daemon`, which the peer uses towards the local service only.
const LOCAL_FACILITY: u8 = 3 << 3;

/// Where the local service listens.
const LOCAL_PATHS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

pub(super) struct Syslog {
    target: Target,
    /// `None` after an error.
    socket: Option<Socket>,
    tried_at: Instant,
    zone: TimeZone,
    /// `tag[pid]: `, after the host's name where the target is remote.
    origin: String,
}

enum Target {
    Local(Vec<String>),
    Remote { network: Network, address: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    Udp,
    Tcp,
    Unix,
}

enum Socket {
    Datagram(UnixDatagram),
    Udp(UdpSocket),
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Syslog {
    /// The service of this host.
    pub(super) fn local() -> Result<Self, String> {
        Self::start(Target::Local(LOCAL_PATHS.map(String::from).into()))
    }

    /// The service at `url`; the error is the whole line of the peer.
    pub(super) fn remote(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            let shown = quote::quoted(url.as_bytes());
            return Err(format!("parse {shown}: first path segment in URL cannot contain colon"));
        };
        let network = match scheme {
            "udp" => Network::Udp,
            "tcp" => Network::Tcp,
            "unix" => Network::Unix,
            _ => {
                return Err(format!("error invalid network type: {}", quote::quoted(scheme.as_bytes())));
            }
        };
        // A path may follow a host; only a socket's path is used.
        let address = if network == Network::Unix { rest } else { rest.split('/').next().unwrap_or_default() };
        Self::start(Target::Remote { network, address: address.to_string() })
    }

    fn start(target: Target) -> Result<Self, String> {
        let socket =
            target.connect().map_err(|why| format!("error connecting to syslog: {}", quote::quoted(why.as_bytes())))?;
        let program = std::env::args_os().next().unwrap_or_default();
        let name = std::path::Path::new(&program).file_name().unwrap_or(program.as_os_str()).to_string_lossy();
        let mut origin = match &target {
            Target::Local(_) => String::new(),
            Target::Remote { .. } => {
                format!("{} ", rustix::system::uname().nodename().to_string_lossy())
            }
        };
        // Writing to a String cannot fail.
        let _ = write!(origin, "{name}[{}]: ", std::process::id());
        Ok(Self { target, socket: Some(socket), tried_at: Instant::now(), zone: TimeZone::system(), origin })
    }

    /// Sends one line. On an error it is lost; the next one connects again.
    pub(super) fn send(&mut self, level: Level, at: SystemTime, text: &str) -> io::Result<()> {
        let frame = self.frame(level, at, text);
        if let Some(socket) = &mut self.socket {
            match socket.send(&frame) {
                Ok(()) => return Ok(()),
                // The service was started anew, or the connection ended: worth one more try, at once.
                Err(_) => self.socket = None,
            }
        } else if self.tried_at.elapsed() < WAIT_MAX {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.tried_at = Instant::now();
        let mut socket = self.target.connect().map_err(io::Error::other)?;
        socket.send(&frame)?;
        self.socket = Some(socket);
        Ok(())
    }

    fn frame(&self, level: Level, at: SystemTime, text: &str) -> Vec<u8> {
        let stamp = Timestamp::try_from(at).unwrap_or_default().to_zoned_datetime(self.zone.clone());
        let severity = level.severity();
        let head = match &self.target {
            Target::Local(_) => {
                format!("<{}>{} {}", LOCAL_FACILITY | severity, stamp.strftime("%b %e %H:%M:%S"), self.origin)
            }
            Target::Remote { .. } => {
                let zone = if stamp.offset().is_zero() { "Z".into() } else { stamp.strftime("%:z").to_string() };
                format!("<{severity}>{}{zone} {}", stamp.strftime("%Y-%m-%dT%H:%M:%S"), self.origin)
            }
        };
        let mut frame = head.into_bytes();
        quote::push_visible(&mut frame, text);
        let streams = matches!(self.target, Target::Remote { network: Network::Tcp | Network::Unix, .. });
        if !streams {
            frame.truncate(DATAGRAM_BYTES_MAX);
        }
        frame.push(b'\n');
        frame
    }
}

impl Target {
    /// The error is what the peer says within quotes.
    fn connect(&self) -> Result<Socket, String> {
        match self {
            Self::Local(paths) => {
                let found = paths.iter().find_map(|path| connect_datagram(path).ok());
                found.map(Socket::Datagram).ok_or_else(|| "Unix syslog delivery error".into())
            }
            Self::Remote { network: Network::Unix, address } => {
                connect_unix(address).map_err(|error| format!("dial unix {address}: connect: {}", errno::text(&error)))
            }
            Self::Remote { network, address } => connect_network(*network, address),
        }
    }
}

fn connect_datagram(path: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(WAIT_MAX))?;
    Ok(socket)
}

fn connect_unix(path: &str) -> io::Result<Socket> {
    let socket = UnixStream::connect(path)?;
    socket.set_write_timeout(Some(WAIT_MAX))?;
    Ok(Socket::Unix(socket))
}

fn connect_network(network: Network, address: &str) -> Result<Socket, String> {
    let name = if network == Network::Udp { "udp" } else { "tcp" };
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    if !has_port {
        return Err(format!("dial {name}: address {address}: missing port in address"));
    }
    let resolved = address.to_socket_addrs().ok().and_then(|mut found| found.next());
    let Some(resolved) = resolved else {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        return Err(format!("dial {name}: lookup {host}: no such host"));
    };
    let connected = if network == Network::Udp { connect_udp(resolved) } else { connect_tcp(resolved) };
    connected.map_err(|error| format!("dial {name} {address}: connect: {}", errno::text(&error)))
}

fn connect_udp(address: std::net::SocketAddr) -> io::Result<Socket> {
    let any: std::net::IpAddr = match address {
        std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    socket.set_write_timeout(Some(WAIT_MAX))?;
    Ok(Socket::Udp(socket))
}

fn connect_tcp(address: std::net::SocketAddr) -> io::Result<Socket> {
    let socket = TcpStream::connect_timeout(&address, WAIT_MAX)?;
    socket.set_write_timeout(Some(WAIT_MAX))?;
    Ok(Socket::Tcp(socket))
}

impl Socket {
    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagram(socket) => socket.send(frame).map(drop),
            Self::Udp(socket) => socket.send(frame).map(drop),
            Self::Tcp(socket) => socket.write_all(frame),
            Self::Unix(socket) => socket.write_all(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::new(1_794_848_332, 5);

    fn received(read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> String {
        let mut bytes = [0; 1024];
        let count = read(&mut bytes).expect("a datagram was sent");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    fn program() -> String {
        let path = std::env::args().next().expect("a test has a name");
        let name = std::path::Path::new(&path).file_name().expect("it is a file");
        format!("{}[{}]", name.to_string_lossy(), std::process::id())
    }

    #[test]
    fn remote_lines_carry_the_hosts_name() {
        let collector = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let url = format!("udp://{}", collector.local_addr().expect("bound"));
        let mut syslog = Syslog::remote(&url).expect("loopback");
        syslog.zone = TimeZone::UTC;
        let at = SystemTime::UNIX_EPOCH + AT;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let rows = [
            (Level::Info, 5),
            (Level::Trace, 5),
            (Level::Debug, 7),
            (Level::Error, 3),
            (Level::Warn, 4),
            (Level::Fatal, 2),
        ];
        for (level, severity) in rows {
            syslog.send(level, at, "Server is ready\n").expect("loopback");
            let expected = format!("<{severity}>2026-11-16T16:58:52Z {host} {}: Server is ready\\n\n", program());
            assert_eq!(received(|bytes| collector.recv(bytes)), expected);
        }
        syslog.zone = TimeZone::fixed(jiff::tz::offset(2));
        syslog.send(Level::Info, at, "x").expect("loopback");
        assert!(received(|bytes| collector.recv(bytes)).starts_with("<5>2026-11-16T18:58:52+02:00 "));
    }

    #[test]
    fn local_lines_are_short_and_survive_a_restart_of_the_service() {
        let path = std::env::temp_dir().join(format!("dunlin-syslog-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let service = UnixDatagram::bind(&path).expect("a temporary socket");
        let name = path.to_string_lossy().into_owned();
        let mut syslog = Syslog::start(Target::Local(vec!["/nonexistent/log".into(), name])).expect("it is there");
        syslog.zone = TimeZone::UTC;
        let at = SystemTime::UNIX_EPOCH + AT;
        syslog.send(Level::Info, at, "one").expect("it is there");
        let expected = format!("<29>Nov 16 16:58:52 {}: one\n", program());
        assert_eq!(received(|bytes| service.recv(bytes)), expected);
        let day_one = SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_491_200);
        syslog.send(Level::Debug, day_one, "pad").expect("it is there");
        assert!(received(|bytes| service.recv(bytes)).starts_with("<31>Nov  1 00:00:00 "));
        drop(service);
        std::fs::remove_file(&path).expect("ours");
        assert!(syslog.send(Level::Info, at, "two").is_err());
        assert!(syslog.send(Level::Info, at, "soon after: not tried").is_err());
        let service = UnixDatagram::bind(&path).expect("a temporary socket");
        syslog.tried_at -= WAIT_MAX;
        syslog.send(Level::Info, at, "three").expect("it is back");
        assert!(received(|bytes| service.recv(bytes)).ends_with(": three\n"));
        std::fs::remove_file(&path).expect("ours");
    }

    #[test]
    fn bad_addresses_are_refused_in_the_peers_words() {
        let rows = [
            (
                "udp://127.0.0.1",
                r#"error connecting to syslog: "dial udp: address 127.0.0.1: missing port in address""#,
            ),
            ("127.0.0.1:99", r#"parse "127.0.0.1:99": first path segment in URL cannot contain colon"#),
            ("foo://x:1", r#"error invalid network type: "foo""#),
            (
                "unix:///nonexistent/x",
                r#"error connecting to syslog: "dial unix /nonexistent/x: connect: no such file or directory""#,
            ),
        ];
        for (url, expected) in rows {
            assert_eq!(Syslog::remote(url).err().as_deref(), Some(expected), "{url}");
        }
    }
}
