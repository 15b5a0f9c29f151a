//! The one table of keys of a configuration file.
//!
//! Owns names, aliases, types, defaults, which keys a reload may change, and what the server does with each. From it come
//! parsing and its errors (`apply`), later help and pages. A key that is not here is an unknown field.

use super::apply::Applied;
use super::block_keys::{CLUSTER_KEYS, GATEWAY_KEYS, LEAFNODE_KEYS, WEBSOCKET_KEYS};
use super::own_flags;
use super::raw::{RawConfig, Written};
use super::security_keys::later as later_keys;
use super::security_keys::{accounts, authorization, mappings, proxies, tls};
use super::value::Node;

/// What the server does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is carried out.
    Supported,
    /// It is taken, has no effect here, and the log says so.
    Ignored,
    /// It stops the start: it belongs to this feature, which is not there yet.
    NotYet(&'static str),
}

/// Where a value goes.
pub type Slot<T> = fn(&mut RawConfig) -> &mut Option<Written<T>>;

/// What takes over a block: its settings, its complaints. It gets the key as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Section(pub(super) fn(&mut Applied, &[u8], &Node));

/// Bounds that the peer checks while it reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntBound {
    /// None.
    Any,
    /// At most 2^31 - 1.
    Int32,
    /// From 1 to 255.
    SubTokens,
}

/// Bounds of durations that the peer checks while it reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationForm {
    /// A number of seconds is let pass, with a warning.
    TextOrSeconds,
    /// At least 30 seconds.
    LameDuck,
    /// Not negative.
    Grace,
}

/// The type of a key's value, and where it goes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A truth value.
    Bool(Slot<bool>),
    /// A whole number.
    Int(Slot<i64>, IntBound),
    /// Text.
    Text(Slot<String>),
    /// `server_name`.
    ServerName,
    /// `listen`: `host:port` or a port.
    Listen,
    /// `http`, `https`: the same, for pages; its port goes there.
    MonitorListen(Slot<i64>),
    /// A duration; nanoseconds.
    Duration(Slot<i64>, DurationForm),
    /// `server_tags`: text, or a list of texts.
    Tags,
    /// `server_metadata`: a map of texts.
    Metadata,
    /// `feature_flags`: a map of truth values.
    FeatureFlags,
    /// `write_timeout`.
    WriteTimeout,
    /// `system_account`.
    SystemAccount,
    /// A block that is read by this.
    Section(Section),
    /// A key of a feature that is not there yet: its form is checked, its meaning is not.
    Later(Form),
}

/// The outer form of a value that nothing is made of yet.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A truth value; `false` asks for nothing.
    Bool,
    /// A whole number; 0 asks for nothing.
    Int,
    /// Text.
    Text,
    /// `host:port` or a port; port 0 asks for nothing.
    Address,
    /// Anything.
    Any,
    /// Text, or a list: what goes before the type in the message for anything else.
    Texts(&'static str),
    /// A block, with the message for anything else (the type goes after it; empty: the common one) and its keys; no keys: any.
    Block(&'static str, &'static [&'static str]),
    /// A `tls` block, whose unknown keys have a message of their own.
    Tls,
    /// `jetstream`.
    JetStream,
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The type of its value.
    pub kind: Kind,
    /// Its default as a user would write it, or empty.
    pub default: &'static str,
    /// A reload may change it.
    pub is_reloadable: bool,
    /// What the server does with it.
    pub status: Status,
}

/// The key of a name as written.
pub fn find(name: &[u8]) -> Option<&'static Key> {
    let is_named = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    KEYS.iter().find(|key| is_named(&key.name) || key.aliases.iter().any(is_named))
}

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, default: &'static str) -> Key {
    Key { name, aliases, kind, default, is_reloadable: false, status: Status::Supported }
}

/// The same, and a reload may change it.
const fn hot(name: &'static str, aliases: &'static [&'static str], kind: Kind, default: &'static str) -> Key {
    Key { is_reloadable: true, ..key(name, aliases, kind, default) }
}

/// Taken and without effect.
const fn idle(name: &'static str, kind: Kind) -> Key {
    Key { status: Status::Ignored, ..key(name, &[], kind, "") }
}

/// Not there yet.
const fn later(name: &'static str, aliases: &'static [&'static str], form: Form, feature: &'static str) -> Key {
    Key { status: Status::NotYet(feature), ..key(name, aliases, Kind::Later(form), "") }
}

/// Not there yet, and a reload will change it; its block is read to be checked.
const fn soon(name: &'static str, aliases: &'static [&'static str], section: Section, feature: &'static str) -> Key {
    Key { status: Status::NotYet(feature), ..hot(name, aliases, Kind::Section(section), "") }
}

macro_rules! slot {
    ($field:ident) => {
        |raw| &mut raw.$field
    };
}

const OPERATOR: &str = "operator mode";
const TLS: &str = "TLS";

/// The table.
pub const KEYS: &[Key] = &[
    // Listeners, identity, logging.
    key("listen", &[], Kind::Listen, "0.0.0.0:4222"),
    key("port", &[], Kind::Int(slot!(port), IntBound::Any), "4222"),
    key("host", &["net"], Kind::Text(slot!(host)), "0.0.0.0"),
    key("server_name", &[], Kind::ServerName, ""),
    hot("client_advertise", &[], Kind::Text(slot!(client_advertise)), ""),
    hot("server_tags", &[], Kind::Tags, ""),
    hot("server_metadata", &[], Kind::Metadata, ""),
    idle("feature_flags", Kind::FeatureFlags),
    hot("debug", &[], Kind::Bool(slot!(debug)), "false"),
    hot("trace", &[], Kind::Bool(slot!(trace)), "false"),
    hot("trace_verbose", &[], Kind::Bool(slot!(trace_verbose)), "false"),
    hot("trace_headers", &[], Kind::Bool(slot!(trace_headers)), "false"),
    hot("logtime", &[], Kind::Bool(slot!(logtime)), "true"),
    hot("logtime_utc", &[], Kind::Bool(slot!(logtime_utc)), "false"),
    hot("log_file", &["logfile"], Kind::Text(slot!(log_file)), ""),
    key("log_size_limit", &["logfile_size_limit"], Kind::Int(slot!(log_size_limit), IntBound::Any), "0"),
    key("log_max_num", &["logfile_max_num"], Kind::Int(slot!(log_max_num), IntBound::Any), "0"),
    hot("max_traced_msg_len", &[], Kind::Int(slot!(max_traced_msg_len), IntBound::Any), "0"),
    hot("syslog", &[], Kind::Bool(slot!(syslog)), "false"),
    hot("remote_syslog", &[], Kind::Text(slot!(remote_syslog)), ""),
    hot("pid_file", &["pidfile"], Kind::Text(slot!(pid_file)), ""),
    hot("ports_file_dir", &[], Kind::Text(slot!(ports_file_dir)), ""),
    idle("connect_error_reports", Kind::Int(slot!(connect_error_reports), IntBound::Any)),
    idle("reconnect_error_reports", Kind::Int(slot!(reconnect_error_reports), IntBound::Any)),
    idle("prof_port", Kind::Int(slot!(prof_port), IntBound::Any)),
    idle("prof_block_rate", Kind::Int(slot!(prof_block_rate), IntBound::Any)),
    // Limits and timing.
    hot("max_connections", &["max_conn"], Kind::Int(slot!(max_connections), IntBound::Any), "65536"),
    hot("max_control_line", &[], Kind::Int(slot!(max_control_line), IntBound::Int32), "4096"),
    hot("max_payload", &[], Kind::Int(slot!(max_payload), IntBound::Int32), "1MB"),
    key("max_pending", &[], Kind::Int(slot!(max_pending), IntBound::Any), "64MB"),
    key("max_subscriptions", &["max_subs"], Kind::Int(slot!(max_subscriptions), IntBound::Any), "0"),
    key("max_sub_tokens", &["max_subscription_tokens"], Kind::Int(slot!(max_sub_tokens), IntBound::SubTokens), ""),
    hot("ping_interval", &[], Kind::Duration(slot!(ping_interval), DurationForm::TextOrSeconds), "2m"),
    hot("ping_max", &[], Kind::Int(slot!(ping_max), IntBound::Any), "2"),
    hot("write_deadline", &[], Kind::Duration(slot!(write_deadline), DurationForm::TextOrSeconds), "10s"),
    key("write_timeout", &[], Kind::WriteTimeout, "default"),
    key("max_closed_clients", &[], Kind::Int(slot!(max_closed_clients), IntBound::Any), "10000"),
    hot("no_fast_producer_stall", &[], Kind::Bool(slot!(no_fast_producer_stall)), "false"),
    key("lame_duck_duration", &[], Kind::Duration(slot!(lame_duck_duration), DurationForm::LameDuck), "2m"),
    key("lame_duck_grace_period", &[], Kind::Duration(slot!(lame_duck_grace_period), DurationForm::Grace), "10s"),
    key("no_header_support", &[], Kind::Bool(slot!(no_header_support)), "false"),
    key("disable_sublist_cache", &["no_sublist_cache"], Kind::Bool(slot!(disable_sublist_cache)), "false"),
    later("proxy_protocol", &[], Form::Bool, "PROXY protocol"),
    // Monitoring.
    key("http", &[], Kind::MonitorListen(slot!(http_port)), ""),
    key("http_port", &["monitor_port"], Kind::Int(slot!(http_port), IntBound::Any), "0"),
    key("https", &[], Kind::MonitorListen(slot!(https_port)), ""),
    key("https_port", &[], Kind::Int(slot!(https_port), IntBound::Any), "0"),
    key("http_base_path", &[], Kind::Text(slot!(http_base_path)), ""),
    // Security and accounts.
    hot("authorization", &[], Kind::Section(Section(authorization::authorization)), ""),
    hot("accounts", &[], Kind::Section(Section(accounts::accounts)), ""),
    soon("mappings", &["maps"], Section(mappings::mappings), "subject mappings"),
    key("no_auth_user", &[], Kind::Text(slot!(no_auth_user)), ""),
    key("system_account", &["system"], Kind::SystemAccount, "$SYS"),
    key("no_system_account", &["no_system", "no_sys_acc"], Kind::Bool(slot!(no_system_account)), "false"),
    later("trusted_keys", &["trusted"], Form::Texts("error parsing trusted: unsupported type "), OPERATOR),
    later(
        "operator",
        &["operators", "root", "roots", "root_operator", "root_operators"],
        Form::Texts("error parsing operators: unsupported type "),
        OPERATOR,
    ),
    later("resolver", &["account_resolver", "accounts_resolver"], Form::Any, OPERATOR),
    later("resolver_tls", &[], Form::Tls, OPERATOR),
    later("resolver_preload", &[], Form::Any, OPERATOR),
    later(
        "resolver_pinned_accounts",
        &[],
        Form::Texts("error parsing resolver_pinned_accounts: unsupported type "),
        OPERATOR,
    ),
    later("default_sentinel", &[], Form::Text, OPERATOR),
    hot("tls", &[], Kind::Section(Section(tls::tls)), ""),
    key("allow_non_tls", &[], Kind::Bool(slot!(allow_non_tls)), "false"),
    soon("ocsp", &[], Section(later_keys::ocsp), TLS),
    idle("ocsp_cache", Kind::Section(Section(later_keys::ocsp_cache))),
    hot("proxies", &[], Kind::Section(Section(proxies::proxies)), ""),
    // Dunlin's own settings; nats-server refuses a file that has them.
    hot("dunlin", &[], Kind::Section(Section(own_flags::block)), ""),
    // Other listeners and servers.
    later("cluster", &[], Form::Block("Expected map to define cluster, got ", CLUSTER_KEYS), "clusters"),
    later("gateway", &[], Form::Block("Expected gateway to be a map, got ", GATEWAY_KEYS), "gateways"),
    later("leafnodes", &["leaf"], Form::Block("Expected map to define a leafnode, got ", LEAFNODE_KEYS), "leaf nodes"),
    later("websocket", &["ws"], Form::Block("Expected websocket to be a map, got ", WEBSOCKET_KEYS), "WebSocket"),
    later("mqtt", &[], Form::Block("Expected mqtt to be a map, got ", &[]), "MQTT"),
    later("jetstream", &[], Form::JetStream, "JetStream"),
    later("store_dir", &["storedir"], Form::Text, "JetStream"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_there_once() {
        let mut seen = HashSet::new();
        for key in KEYS {
            for name in std::iter::once(&key.name).chain(key.aliases) {
                assert!(seen.insert(*name), "{name} is there twice");
                assert_eq!(*name, name.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn names_are_found_without_regard_to_case() {
        assert_eq!(find(b"MAX_Payload").map(|key| key.name), Some("max_payload"));
        assert_eq!(find(b"Net").map(|key| key.name), Some("host"));
        assert!(find(b"bogus").is_none());
    }
}
