//! Accepts clients at a socket that listens.
//!
//! Owns the socket, when it is worth a look, and the congestion control of those who come.
//!
//! On Linux the poll reports the listener for as long as somebody waits there, so that one who comes alone is accepted without asking
//! whether another one waits: the kernel makes a whole socket before it says no. Where the next poll reports the listener again, many come,
//! and as many are taken as were there until nobody is left. Invariant: while the listener can't be accepted from (no file descriptors are
//! left), it is not watched, since it would be reported without end.
//!
//! There is no link to share on loopback, so the plainest congestion control will do there. Those that pace (BBR does) hold segments back
//! with timers, which took a third of the CPU of large messages. A socket that had one goes on pacing when it gets another, so the plain one
//! is what is handed down, and who is elsewhere gets the host's.

use std::io::{self, ErrorKind};

use socket2::{SockRef, Socket};

use super::poll::LISTENER;
use crate::ids::ClientAddress;

/// Connections that are taken between two polls at most.
const BITE_MAX: u32 = 32;

/// Every kernel has it, and every user may choose it.
const PLAIN: &[u8] = b"reno";
/// Those that hold no segments back.
const UNPACED: [&[u8]; 2] = [PLAIN, b"cubic"];

/// A socket that listens and does not block.
#[derive(Debug)]
pub(super) struct ClientListener {
    listener: mio::net::TcpListener,
    /// The host's congestion control, where that is not what is handed down.
    hosts: Option<Vec<u8>>,
    watched: bool,
    bite: Bite,
}

/// How many are taken after one poll.
#[derive(Debug)]
struct Bite {
    /// The number of that poll.
    poll: u64,
    size: u32,
    left: u32,
}

impl Bite {
    /// Before the first poll.
    const START: Self = Self { poll: 0, size: 1, left: 1 };

    /// Whether one more may be taken after this poll.
    fn has_room(&mut self, poll: u64) -> bool {
        if self.poll != poll {
            let goes_on = self.poll + 1 == poll && self.left == 0;
            self.size = if goes_on { BITE_MAX.min(2 * self.size) } else { 1 };
            (self.poll, self.left) = (poll, self.size);
        }
        self.left > 0
    }
}

impl ClientListener {
    /// Accepts from now on.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn new(listener: std::net::TcpListener, registry: &mio::Registry) -> io::Result<Self> {
        let hosts = spare_pacing(&SockRef::from(&listener));
        let listener = mio::net::TcpListener::from_std(listener);
        let mut this = Self { listener, hosts, watched: false, bite: Bite::START };
        this.watch(registry)?;
        Ok(this)
    }

    /// Is not reported any more.
    pub(super) fn stop(&mut self, registry: &mio::Registry) {
        drop(unwatch(&mut self.listener, registry)); // an error means that it was not
        self.watched = false;
    }

    /// The next connection that waits; `poll` is the number of the last poll. `WouldBlock`: the poll will report it.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn accept(
        &mut self,
        registry: &mio::Registry,
        poll: u64,
    ) -> io::Result<(mio::net::TcpStream, ClientAddress)> {
        if !self.watched {
            self.watch(registry)?;
        }
        if REPORTED_AGAIN && !self.bite.has_room(poll) {
            return Err(ErrorKind::WouldBlock.into());
        }
        match self.listener.accept() {
            Ok((socket, address)) => {
                self.bite.left = self.bite.left.saturating_sub(1);
                let address = ClientAddress::from(address);
                self.suit(&SockRef::from(&socket), address);
                Ok((socket, address))
            }
            Err(error) => {
                let passes = matches!(
                    error.kind(),
                    ErrorKind::WouldBlock
                        | ErrorKind::Interrupted
                        | ErrorKind::ConnectionAborted
                        | ErrorKind::ConnectionReset
                );
                if !passes {
                    self.stop(registry);
                }
                Err(error)
            }
        }
    }

    fn watch(&mut self, registry: &mio::Registry) -> io::Result<()> {
        watch(&mut self.listener, registry)?;
        self.watched = true;
        Ok(())
    }

    /// Gives a socket whose other side is there what it did not inherit. What comes from a loopback address has come over loopback: the
    /// kernel takes it from nowhere else.
    fn suit(&self, socket: &Socket, from: ClientAddress) {
        if let Some(hosts) = &self.hosts
            && !from.ip().is_some_and(|ip| ip.is_loopback())
        {
            set_congestion_control(socket, hosts); // what is the host's, all may choose
        }
    }
}

#[cfg(target_os = "linux")]
const REPORTED_AGAIN: bool = true;
#[cfg(not(target_os = "linux"))]
const REPORTED_AGAIN: bool = false;

/// Has the listener reported while somebody waits, which mio has no word for.
#[cfg(target_os = "linux")]
fn watch(listener: &mut mio::net::TcpListener, registry: &mio::Registry) -> io::Result<()> {
    use rustix::event::epoll::{EventData, EventFlags, add};
    Ok(add(registry, listener, EventData::new_u64(LISTENER), EventFlags::IN)?)
}

#[cfg(target_os = "linux")]
fn unwatch(listener: &mut mio::net::TcpListener, registry: &mio::Registry) -> io::Result<()> {
    Ok(rustix::event::epoll::delete(registry, listener)?)
}

#[cfg(not(target_os = "linux"))]
fn unwatch(listener: &mut mio::net::TcpListener, registry: &mio::Registry) -> io::Result<()> {
    registry.deregister(listener)
}

/// Has the listener reported when somebody comes.
#[cfg(not(target_os = "linux"))]
fn watch(listener: &mut mio::net::TcpListener, registry: &mio::Registry) -> io::Result<()> {
    registry.register(listener, mio::Token(LISTENER as usize), mio::Interest::READABLE)
}

/// Gives a socket that listens the plainest congestion control where the host's paces; returns the host's then. Not to get it is no error.
fn spare_pacing(listener: &Socket) -> Option<Vec<u8>> {
    let hosts = congestion_control(listener).filter(|name| !UNPACED.contains(&name.as_slice()));
    hosts.filter(|_| set_congestion_control(listener, PLAIN))
}

#[cfg(target_os = "linux")]
fn congestion_control(socket: &Socket) -> Option<Vec<u8>> {
    let mut name = socket.tcp_congestion().ok()?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    name.truncate(end); // the kernel fills it up
    Some(name)
}

#[cfg(target_os = "linux")]
fn set_congestion_control(socket: &Socket, name: &[u8]) -> bool {
    socket.set_tcp_congestion(name).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn congestion_control(_socket: &Socket) -> Option<Vec<u8>> {
    None
}

#[cfg(not(target_os = "linux"))]
fn set_congestion_control(_socket: &Socket, _name: &[u8]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::listener::{ClientSocketOptions, ListenOptions, bind};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
    use std::time::Duration;

    const OPTIONS: ListenOptions = ListenOptions {
        backlog: 64,
        reuse_port: false,
        client: ClientSocketOptions { send_buffer_bytes: 0, receive_buffer_bytes: 0 },
    };

    /// A listener, and the poll that watches it.
    struct Site {
        poll: mio::Poll,
        events: mio::Events,
        polls: u64,
        address: SocketAddr,
        listener: ClientListener,
    }

    impl Site {
        fn new(host: &str) -> Self {
            let poll = mio::Poll::new().expect("a poll");
            let bound = bind(host, 0, &OPTIONS).expect("loopback");
            let listener = ClientListener::new(bound.listener, poll.registry()).expect("it can be watched");
            Self { poll, events: mio::Events::with_capacity(8), polls: 0, address: bound.address, listener }
        }

        /// Whether the listener is reported, within `time`.
        fn poll(&mut self, time: Duration) -> bool {
            self.polls += 1;
            self.poll.poll(&mut self.events, Some(time)).expect("a poll");
            !self.events.is_empty()
        }

        /// How many are accepted after one poll.
        fn take(&mut self) -> Vec<(mio::net::TcpStream, ClientAddress)> {
            let mut taken = Vec::new();
            loop {
                match self.listener.accept(self.poll.registry(), self.polls) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return taken,
                    other => taken.push(other.expect("a client has connected")),
                }
            }
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn clients_on_loopback_get_a_congestion_control_that_does_not_pace_and_others_the_hosts() {
        let mut site = Site::new("");
        let mut loopback = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
        if site.address.is_ipv6() && TcpListener::bind("[::1]:0").is_ok() {
            loopback.push(Ipv6Addr::LOCALHOST.into());
        }
        for ip in loopback {
            let client = TcpStream::connect((ip, site.address.port())).expect("it listens");
            let hosts = congestion_control(&SockRef::from(&client));
            let spared = hosts.clone().map(|name| if UNPACED.contains(&&*name) { name } else { PLAIN.to_vec() });
            assert!(site.poll(LONG));
            let (socket, address) = site.take().pop().expect("a client has connected");
            assert_eq!((address.ip(), congestion_control(&SockRef::from(&socket))), (Some(ip), spared));
            let elsewhere = SocketAddr::from(([192, 0, 2, 77], 1));
            site.listener.suit(&SockRef::from(&socket), elsewhere.into());
            assert_eq!(congestion_control(&SockRef::from(&socket)), hosts);
        }
    }

    #[test]
    fn all_who_wait_are_accepted_in_bites_that_grow() {
        let mut site = Site::new("127.0.0.1");
        let clients: Vec<_> = (0..40).map(|_| TcpStream::connect(site.address).expect("it listens")).collect();
        let mut bites = Vec::new();
        while site.poll(Duration::ZERO) {
            bites.push(site.take().len());
        }
        assert_eq!(bites.iter().sum::<usize>(), clients.len());
        if REPORTED_AGAIN {
            assert_eq!(bites, [1, 2, 4, 8, 16, 9]);
        }
        // One who comes alone is accepted, and the next one too.
        for _ in 0..2 {
            let _client = TcpStream::connect(site.address).expect("it listens");
            assert!(site.poll(LONG));
            assert_eq!(site.take().len(), 1);
            assert!(!site.poll(Duration::ZERO));
        }
    }

    #[test]
    fn a_listener_that_was_stopped_is_not_reported_until_it_is_asked_again() {
        let mut site = Site::new("127.0.0.1");
        site.listener.stop(site.poll.registry());
        let _client = TcpStream::connect(site.address).expect("it listens");
        assert!(!site.poll(Duration::ZERO));
        assert_eq!(site.take().len(), 1, "it waited all the same");
        let _other = TcpStream::connect(site.address).expect("it listens");
        assert!(site.poll(LONG));
        assert_eq!(site.take().len(), 1);
    }
}
