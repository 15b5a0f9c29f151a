//! `mqtt`: its keys.

use super::super::apply::Applied;
use super::super::keys::Key;
use super::super::security_keys::tls::Side;
use super::super::value::Node;
use super::kinds::{Complaint, Ends, Kind, Label, Table, entry};
use super::logins::LOGIN;
use super::reader;

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "MQTT", help)
}

const PENDING: Kind = Kind::IntWithin(0, 0xffff);
const REPLICAS: Kind = Kind::PassedOver("consumer replicas setting ignored in this server version");
const DURATION: Kind = Kind::Duration(Label::Name);

/// The block.
pub(in super::super) const MQTT: Table = Table {
    otherwise: Complaint::Type("Expected mqtt to be a map, got "),
    ends: Ends::Block,
    keys: &[
        key("listen", &[], Kind::Listen, "Address of the listener"),
        key("port", &[], Kind::Int, "Its port"),
        key("host", &["net"], Kind::Text, "Its host"),
        key("tls", &[], Kind::Tls(Side::Others), "TLS of the listener"),
        key("authorization", &["authentication"], Kind::Block(&LOGIN), "Login of these clients"),
        key("no_auth_user", &[], Kind::Text, "Who a client is that does not say"),
        key("ack_wait", &["ackwait"], DURATION, "How long an acknowledgement is waited for"),
        key("js_api_timeout", &["api_timeout"], DURATION, "How long an answer of JetStream is waited for"),
        key("max_ack_pending", &["max_pending", "max_inflight"], PENDING, "Messages that wait for acknowledgement"),
        key("js_domain", &[], Kind::Text, "Domain of JetStream"),
        key("stream_replicas", &[], Kind::Int, "Replicas of streams"),
        key("consumer_replicas", &[], REPLICAS, "Replicas of consumers"),
        key("consumer_memory_storage", &[], Kind::Bool, "Consumers are kept in memory"),
        key(
            "consumer_inactive_threshold",
            &["consumer_auto_cleanup"],
            DURATION,
            "How long a consumer that nobody uses is kept",
        ),
        key("reject_qos2_publish", &[], Kind::Bool, "Messages of the highest quality are refused"),
        key("downgrade_qos2_subscribe", &[], Kind::Bool, "Subscriptions of the highest quality get the one below"),
    ],
};

/// Takes the block over.
pub(in super::super) fn mqtt(applied: &mut Applied, name: &[u8], node: &Node) {
    reader::top(applied, name, node, &MQTT);
}
