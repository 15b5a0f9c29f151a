//! Keys of features that are not there yet: they are checked, and stop the start.

use super::SECURITY;
use super::key::Key;
use super::kinds::{Kind, Section, Shape};
use crate::config::apply::Applied;
use crate::config::later::{cluster, gateway, jetstream, leafnodes, mqtt, operator, websocket};
use crate::config::security_keys::later;
use crate::config::value::Node;

const OPERATOR: &str = "operator mode";

const fn section(name: &'static str, shape: Shape, read: fn(&mut Applied, &[u8], &Node)) -> Key {
    Key::new(name, Kind::Section(Section(read, shape)))
}

/// Operators and their resolvers, and OCSP.
pub(super) const TRUST: &[Key] = &[
    section("trusted_keys", Shape::TextOrTexts, operator::trusted_keys)
        .aliases(&["trusted"])
        .example("OAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JSU")
        .later(OPERATOR)
        .help("Public keys of operators"),
    section("operator", Shape::TextOrTexts, operator::operator)
        .aliases(&["operators", "root", "roots", "root_operator", "root_operators"])
        .example("[]")
        .later(OPERATOR)
        .help("JWT of an operator, or its file"),
    section("resolver", Shape::Other("`MEMORY`, `URL(url)` or block"), operator::resolver)
        .aliases(&["account_resolver", "accounts_resolver"])
        .example("MEMORY")
        .later(OPERATOR)
        .help("Where JWTs of accounts are found"),
    section("resolver_tls", Shape::Block, operator::resolver_tls)
        .example("{}")
        .later(OPERATOR)
        .help("TLS towards a resolver"),
    section("resolver_preload", Shape::Other("map of strings"), operator::resolver_preload)
        .example("{}")
        .later(OPERATOR)
        .help("JWTs of accounts"),
    section("resolver_pinned_accounts", Shape::TextOrTexts, operator::pinned_accounts)
        .example("[]")
        .later(OPERATOR)
        .help("The only accounts that may connect"),
    section("default_sentinel", Shape::Text, operator::default_sentinel)
        .later(OPERATOR)
        .help("JWT of the user that a client is which shows none"),
    Key::new("ocsp", Kind::Section(Section(later::ocsp, Shape::BoolOrBlock)))
        .example("{mode: auto}")
        .later("OCSP")
        .help("Stapled proofs that certificates are valid"),
    Key::new("ocsp_cache", Kind::Section(Section(later::ocsp_cache, Shape::BoolOrBlock)))
        .example("false")
        .ignored("it is for OCSP, which is not supported yet")
        .since(SECURITY)
        .help("Cache of proofs that certificates are valid")
        .differs("taken, without effect"),
];

/// Other listeners and servers.
pub(super) const LISTENERS: &[Key] = &[
    section("cluster", Shape::Block, cluster::cluster)
        .example("{}")
        .later("clusters")
        .help("Servers that share clients"),
    section("gateway", Shape::Block, gateway::gateway)
        .example("{}")
        .later("gateways")
        .help("Clusters that share interest"),
    section("leafnodes", Shape::Block, leafnodes::leafnodes)
        .aliases(&["leaf"])
        .example("{}")
        .later("leaf nodes")
        .help("Servers that hang on others"),
    section("websocket", Shape::Block, websocket::websocket)
        .aliases(&["ws"])
        .example("{}")
        .later("WebSocket")
        .help("Clients over WebSocket"),
    section("mqtt", Shape::Block, mqtt::mqtt).example("{}").later("MQTT").help("Clients over MQTT"),
    section("jetstream", Shape::Other("bool, string or block"), jetstream::jetstream)
        .example("enabled")
        .later("JetStream")
        .help("Stored messages"),
    section("store_dir", Shape::Text, jetstream::store_dir)
        .aliases(&["storedir"])
        .later("JetStream")
        .help("Folder of stored messages"),
    section("default_js_domain", Shape::Other("map of strings"), jetstream::default_domain)
        .example("{}")
        .later("JetStream")
        .help("Domains of accounts"),
];
