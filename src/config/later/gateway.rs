//! `gateway`: its keys, and those of the gateways that it names.

use super::super::apply::Applied;
use super::super::keys::Key;
use super::super::security_keys::tls::Side;
use super::super::value::Node;
use super::kinds::{Complaint, Ends, Kind, Label, List, Table, entry};
use super::reader;

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "gateways", help)
}

/// The block.
pub(in super::super) const GATEWAY: Table = Table {
    otherwise: Complaint::Type("Expected gateway to be a map, got "),
    ends: Ends::Block,
    keys: &[
        key("name", &[], Kind::Name("gateway name"), "Name of the cluster among clusters"),
        key("listen", &[], Kind::Listen, "Address of the listener of gateways"),
        key("port", &[], Kind::Int, "Its port"),
        key("host", &["net"], Kind::Text, "Its host"),
        key("authorization", &[], Kind::Authorization("Gateway"), "User and password of gateways"),
        key("tls", &[], Kind::Tls(Side::Servers), "TLS of gateways"),
        key("advertise", &[], Kind::Text, "What other servers are told of the address"),
        key("connect_retries", &[], Kind::Int, "How often a gateway that others told of is tried again"),
        key("connect_backoff", &[], Kind::Bool, "Waits longer after each try"),
        key("gateways", &[], Kind::Blocks(&GATEWAYS), "Other clusters"),
        key("reject_unknown_cluster", &["reject_unknown"], Kind::Bool, "Only clusters that are named may connect"),
        key("write_deadline", &[], Kind::Duration(Label::Name), "How long a write to a gateway may take"),
        key("write_timeout", &[], Kind::WriteTimeout, "What a late write to a gateway does"),
    ],
};

/// Other clusters.
pub(in super::super) const GATEWAYS: List = List {
    otherwise: Complaint::PlacelessType("Expected gateways field to be an array, got "),
    check: None,
    entry: Table {
        otherwise: Complaint::Value("Expected gateway entry to be a map/struct, got "),
        ends: Ends::Around,
        keys: &[
            key("name", &[], Kind::Text, "Name of the cluster"),
            key("url", &[], Kind::Url("gateway"), "One of its servers"),
            key("urls", &[], Kind::Urls("gateway"), "Its servers"),
            key("tls", &[], Kind::Tls(Side::Servers), "TLS towards it"),
        ],
    },
};

/// Takes the block over.
pub(in super::super) fn gateway(applied: &mut Applied, name: &[u8], node: &Node) {
    reader::top(applied, name, node, &GATEWAY);
}
