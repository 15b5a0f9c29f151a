//! `authorization` of the listeners for WebSocket and MQTT.

use super::super::keys::Key;
use super::kinds::{Complaint, Ends, Kind, Table, entry};

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "other listeners", help)
}

/// The block: one login.
pub(in super::super) const LOGIN: Table = Table {
    otherwise: Complaint::Types,
    ends: Ends::NeededBlock,
    keys: &[
        key("user", &["username"], Kind::Text, "Name"),
        key("password", &["pass"], Kind::Secret, "Password"),
        key("token", &[], Kind::Secret, "Token"),
        key("timeout", &[], Kind::AnyTimeout, "Seconds within which a client must log in"),
    ],
};
