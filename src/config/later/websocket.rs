//! `websocket`: its keys.

use super::super::apply::Applied;
use super::super::keys::Key;
use super::super::security_keys::tls::Side;
use super::super::value::Node;
use super::kinds::{Complaint, Ends, Kind, Label, Table, entry};
use super::logins::LOGIN;
use super::reader;

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "WebSocket", help)
}

const ORIGINS: &[&str] = &["allowed_origin", "allow_origins", "allow_origin", "origins", "origin"];

/// The block.
pub(in super::super) const WEBSOCKET: Table = Table {
    otherwise: Complaint::Type("Expected websocket to be a map, got "),
    ends: Ends::Block,
    keys: &[
        key("listen", &[], Kind::Listen, "Address of the listener"),
        key("port", &[], Kind::Int, "Its port"),
        key("host", &["net"], Kind::Text, "Its host"),
        key("advertise", &[], Kind::Text, "What clients are told of the address"),
        key("no_tls", &[], Kind::Bool, "Clients speak in the clear"),
        key("tls", &[], Kind::Tls(Side::Others), "TLS of the listener"),
        key("same_origin", &[], Kind::Bool, "Pages must come from this host"),
        key("allowed_origins", ORIGINS, Kind::Texts("allowed origins"), "Where pages may come from"),
        key("handshake_timeout", &[], Kind::HandshakeTimeout, "How long a handshake may take"),
        key("compression", &["compress"], Kind::Bool, "Messages may be compressed"),
        key("authorization", &["authentication"], Kind::Block(&LOGIN), "Login of these clients"),
        key("jwt_cookie", &[], Kind::Text, "Cookie with a JWT"),
        key("user_cookie", &[], Kind::Text, "Cookie with a name"),
        key("pass_cookie", &[], Kind::Text, "Cookie with a password"),
        key("token_cookie", &[], Kind::Text, "Cookie with a token"),
        key("no_auth_user", &[], Kind::Text, "Who a client is that does not say"),
        key("headers", &[], Kind::Headers, "Headers of the answer"),
        key("ping_interval", &[], Kind::Duration(Label::Name), "Time between pings"),
    ],
};

/// Takes the block over.
pub(in super::super) fn websocket(applied: &mut Applied, name: &[u8], node: &Node) {
    reader::top(applied, name, node, &WEBSOCKET);
}
