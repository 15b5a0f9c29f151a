//! Names of things, as types: a number of one kind cannot be used as another.
//!
//! A slot that can be used again carries a generation, so that a stale id misses instead of reaching a stranger.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A core: one thread with one event loop. `0..CORES_MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoreId(u8);

impl CoreId {
    /// The core that accepts connections and has no special role besides.
    pub const FIRST: Self = Self(0);

    /// # Panics
    /// Where `index` is not below [`crate::limits::CORES_MAX`]: the number of cores is checked when the configuration is resolved.
    pub fn new(index: usize) -> Self {
        assert!(index < crate::limits::CORES_MAX, "more cores than the mail word has bits");
        Self(index as u8)
    }

    /// Position among the cores, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// This core's bit in a set of cores.
    pub const fn bit(self) -> u64 {
        1 << self.0
    }
}

/// A connection: its core, its place there, and how often that place was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnId {
    /// The core that owns the connection.
    pub core: CoreId,
    /// The place in that core's slab.
    pub slot: u32,
    /// Differs between two connections that used the same place.
    pub generation: u32,
}

/// The number that clients and operators know a connection by (`cid`, `client_id`): unique in a server's life, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// An account; the same number on every core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccountId(pub u32);

impl AccountId {
    /// `$G`: where everyone is when no accounts are configured.
    pub const GLOBAL: Self = Self(0);
    /// `$SYS`: the server's own.
    pub const SYSTEM: Self = Self(1);
}

/// A subscription's place in its account's table on its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubId(pub u32);

/// Where a client is, as logs, pages and limits know it: `203.0.113.9:51284`, or `unix:4711`, a process of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// It came over IP; in the form of IPv4 where it has one.
    Ip(SocketAddr),
    /// It came through a Unix socket.
    Local {
        /// The process that connected.
        pid: u32,
        /// Its user.
        uid: u32,
    },
}

impl ClientAddress {
    /// What stands where a page has an address: `unix` for a process of this host.
    pub fn host(self) -> String {
        match self {
            Self::Ip(address) => address.ip().to_string(),
            Self::Local { .. } => "unix".to_owned(),
        }
    }

    /// What stands where a page has a port: the number of a process of this host.
    pub fn port(self) -> u32 {
        match self {
            Self::Ip(address) => address.port().into(),
            Self::Local { pid, .. } => pid,
        }
    }

    /// The address that a client is told that it has.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            Self::Local { .. } => None,
        }
    }

    /// What failed logins are counted by. A user of this host stands for a network in `::/16`, where no host can be.
    pub fn source(self) -> IpAddr {
        match self {
            Self::Ip(address) => address.ip(),
            Self::Local { uid, .. } => Ipv6Addr::from_bits((1 << 32 | u128::from(uid)) << 64).into(),
        }
    }
}

impl From<SocketAddr> for ClientAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Local { pid, .. } => write!(f, "unix:{pid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_clients() {
        let of = |text: &str| ClientAddress::from(text.parse::<SocketAddr>().expect("an address"));
        assert_eq!(of("[::ffff:10.1.2.3]:7").to_string(), "10.1.2.3:7");
        assert_eq!(of("[2001:db8::1]:7").to_string(), "[2001:db8::1]:7");
        let local = ClientAddress::Local { pid: 4711, uid: 0 };
        assert_eq!(local.to_string(), "unix:4711");
        assert_eq!((local.host(), local.port(), local.ip()), ("unix".to_owned(), 4711, None));
        // Nobody over IP shares their count of failed logins.
        let other = ClientAddress::Local { pid: 4711, uid: 1000 };
        let sources = [local.source(), other.source(), of("[::1]:7").source(), of("127.0.0.1:7").source()];
        let networks = sources.map(|ip| match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(six) => Some(six.to_bits() >> 64),
        });
        for (at, network) in networks.iter().enumerate() {
            assert!(!networks[..at].contains(network), "{sources:?}");
        }
    }
}
