//! `cluster`: its keys.

use super::super::apply::Applied;
use super::super::keys::Key;
use super::super::security_keys::tls::Side;
use super::super::value::Node;
use super::kinds::{Complaint, Ends, Kind, Label, Table, entry};
use super::reader;

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "clusters", help)
}

/// The block.
pub(in super::super) const CLUSTER: Table = Table {
    otherwise: Complaint::Type("Expected map to define cluster, got "),
    ends: Ends::Block,
    keys: &[
        key("name", &[], Kind::Name("cluster name"), "Name of the cluster"),
        key("listen", &[], Kind::Listen, "Address of the listener of routes"),
        key("port", &[], Kind::Int, "Its port"),
        key("host", &["net"], Kind::Text, "Its host"),
        key("authorization", &[], Kind::Authorization("Cluster"), "User and password of routes"),
        key("routes", &[], Kind::Urls("route"), "Servers that the server connects to"),
        key("tls", &[], Kind::Tls(Side::Servers), "TLS of routes"),
        key("advertise", &["cluster_advertise"], Kind::Text, "What other servers are told of the address"),
        key("no_advertise", &[], Kind::Bool, "Other servers are not told the addresses of clients"),
        key("connect_retries", &[], Kind::Int, "How often a route that others told of is tried again"),
        key("connect_backoff", &[], Kind::Bool, "Waits longer after each try"),
        key("permissions", &[], Kind::Permissions, "What is imported and exported"),
        key("pool_size", &[], Kind::Int, "Connections between two servers"),
        key("accounts", &[], Kind::Texts("accounts"), "Accounts with a route of their own"),
        key("compression", &[], Kind::Compression, "How routes are compressed"),
        key("ping_interval", &[], Kind::RoutePings, "Time between pings of routes"),
        key("ping_max", &[], Kind::Int, "Unanswered pings before a route is stale"),
        key("write_deadline", &[], Kind::Duration(Label::Name), "How long a write to a route may take"),
        key("write_timeout", &[], Kind::WriteTimeout, "What a late write to a route does"),
    ],
};

/// Takes the block over.
pub(in super::super) fn cluster(applied: &mut Applied, name: &[u8], node: &Node) {
    reader::top(applied, name, node, &CLUSTER);
}
