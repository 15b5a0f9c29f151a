//! Names of things, as types: a number of one kind cannot be used as another.
//!
//! A slot that can be used again carries a generation, so that a stale id misses instead of reaching a stranger.

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
