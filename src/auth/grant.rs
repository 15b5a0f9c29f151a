//! What a client that was let in is and may do.
//!
//! Owns the plain data of a decision. Must not decide. Invariant: a [`Grant`] is never changed; a reload makes new ones, and
//! [`super::Directory::renewed`] tells which of them stands for an old one.

use std::sync::Arc;

use super::password::Kept;
use super::permissions::Permissions;
use crate::ids::AccountId;

/// Who a client is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Nobody in particular: no logins are configured, or they are the system account's alone.
    Nobody,
    /// A user with this name.
    User(Box<str>),
    /// A user with this public key.
    Nkey(Box<str>),
    /// Whoever has the token.
    Token,
}

impl Identity {
    /// The name or key, where there is one that may be shown.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User(name) | Self::Nkey(name) => Some(name),
            Self::Nobody | Self::Token => None,
        }
    }
}

/// That a client may come in, and as whom.
#[derive(Debug, PartialEq, Eq)]
pub struct Grant {
    /// The account that it is in.
    pub account: AccountId,
    /// Who it is.
    pub identity: Identity,
    /// What it may do; `None`: everything.
    pub permissions: Option<Arc<Permissions>>,
    /// How it proved who it is; `None`: not at all, or with a key.
    pub(super) kept: Option<Kept>,
    /// How it may come.
    pub(super) connection_types: ConnectionTypes,
    /// Only through a proxy.
    pub(super) proxy_required: bool,
}

/// Why a client is refused. All are told the same; the log and the monitoring pages know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody like that may come in (this way).
    Credentials,
    /// It did not come through a proxy, as it must.
    ProxyRequired,
    /// It came through a proxy that is not trusted.
    ProxyNotTrusted,
}

/// How a client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionType {
    /// TCP, plain or TLS.
    Standard,
    /// WebSocket.
    Websocket,
    /// A leaf node.
    Leafnode,
    /// A leaf node over WebSocket.
    LeafnodeWebsocket,
    /// MQTT.
    Mqtt,
    /// MQTT over WebSocket.
    MqttWebsocket,
    /// From inside the process.
    InProcess,
}

impl ConnectionType {
    /// As `allowed_connection_types` names it.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "STANDARD" => Self::Standard,
            "WEBSOCKET" => Self::Websocket,
            "LEAFNODE" => Self::Leafnode,
            "LEAFNODE_WS" => Self::LeafnodeWebsocket,
            "MQTT" => Self::Mqtt,
            "MQTT_WS" => Self::MqttWebsocket,
            "IN_PROCESS" => Self::InProcess,
            _ => return None,
        })
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of connection types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionTypes(u8);

impl ConnectionTypes {
    /// All there are.
    pub(super) const ALL: Self = Self(u8::MAX);

    /// Those that are named, all where none is; the name that is unknown.
    pub(super) fn named(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Ok(Self::ALL);
        }
        let mut types = Self(0);
        for name in names {
            let kind = ConnectionType::named(&name.to_ascii_uppercase()).ok_or_else(|| name.clone())?;
            types.0 |= kind.bit();
        }
        Ok(types)
    }

    /// Whether `kind` is one of them.
    pub(super) const fn contains(self, kind: ConnectionType) -> bool {
        self.0 & kind.bit() != 0
    }
}
