//! `leafnodes`: its keys, its logins, and the servers that it connects to.
//!
//! Owns what may not stand together in a login and in a remote.

use super::super::apply::Applied;
use super::super::keys::Key;
use super::super::security_keys::tls::Side;
use super::super::value::{Node, Place, quoted};
use super::kinds::{Complaint, Ends, Kind, Label, List, Table, entry, like};
use super::reader::{Reader, top};
use super::settings::{Setting, Settings};
use super::urls::{Url, redacted};
use std::collections::HashSet;

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "leaf nodes", help)
}

const GLOBAL: &str = "$G";
const WS_COMPRESSION: &[&str] = &["ws_compress", "websocket_compress", "websocket_compression"];
const DURATION: Kind = Kind::Duration(Label::Name);
const DURATION_AS_WRITTEN: Kind = Kind::Duration(Label::Written);

/// The block.
pub(in super::super) const LEAFNODES: Table = Table {
    otherwise: Complaint::Type("Expected map to define a leafnode, got "),
    ends: Ends::Block,
    keys: &[
        key("listen", &[], Kind::Listen, "Address of the listener of leaf nodes"),
        key("port", &[], Kind::Int, "Its port"),
        key("host", &["net"], Kind::Text, "Its host"),
        key("authorization", &[], Kind::Block(&AUTHORIZATION), "Logins of leaf nodes"),
        key("remotes", &[], Kind::Blocks(&REMOTES), "Servers that the server connects to"),
        key("reconnect", &["reconnect_delay", "reconnect_interval"], DURATION, "Time between tries"),
        key("dial_timeout", &[], DURATION, "How long a connection may take to open"),
        key("tls", &[], Kind::Tls(Side::Others), "TLS of the listener"),
        key("advertise", &["leafnode_advertise"], Kind::Text, "What leaf nodes are told of the address"),
        key("no_advertise", &[], Kind::Bool, "Leaf nodes are not told of other servers"),
        key("min_version", &["minimum_version"], Kind::Version, "The least version of a leaf node"),
        key("compression", &[], Kind::Compression, "How connections are compressed"),
        key("isolate_leafnode_interest", &["isolate"], Kind::Bool, "Leaf nodes do not hear of each other's interest"),
        key("write_deadline", &[], DURATION, "How long a write to a leaf node may take"),
        key("write_timeout", &[], Kind::WriteTimeout, "What a late write to a leaf node does"),
    ],
};

/// Logins.
pub(in super::super) const AUTHORIZATION: Table = Table {
    otherwise: Complaint::Types,
    ends: Ends::NeededBlock,
    keys: &[
        key("user", &["username"], Kind::Text, "Name"),
        key("password", &["pass"], Kind::Secret, "Password"),
        key("nkey", &[], Kind::UserKey, "Public key"),
        key("timeout", &[], Kind::Timeout("leafnode authorization"), "Seconds within which a leaf node must log in"),
        key("users", &[], Kind::Blocks(&USERS), "Users"),
        key("account", &[], Kind::Text, "Account of the login"),
        key("proxy_required", &[], Kind::Bool, "Leaf nodes come through a trusted proxy alone"),
    ],
};

/// Users of `authorization`.
pub(in super::super) const USERS: List = List {
    otherwise: Complaint::Value("Expected users field to be an array, got "),
    check: None,
    entry: Table {
        otherwise: Complaint::Value("Expected user entry to be a map/struct, got "),
        ends: Ends::Around,
        keys: &[
            key("user", &["username"], Kind::Text, "Name"),
            key("password", &["pass"], Kind::Secret, "Password"),
            key("account", &[], Kind::Text, "Account of the user"),
            key("proxy_required", &[], Kind::Bool, "The user comes through a trusted proxy alone"),
        ],
    },
};

/// Servers that the server connects to.
pub(in super::super) const REMOTES: List = List {
    otherwise: Complaint::Type("Expected remotes field to be an array, got "),
    check: Some(check_remote),
    entry: Table {
        otherwise: Complaint::Value("Expected remote leafnode entry to be a map/struct, got "),
        ends: Ends::Around,
        keys: &[
            key("url", &["urls"], Kind::UrlOrUrls("leafnode"), "The server, or several of one cluster"),
            key("account", &["local"], Kind::Text, "Account that is bound to it"),
            key("credentials", &["creds"], Kind::FileName, "File with the JWT and seed of a user"),
            key("nkey", &["seed"], Kind::Seed, "Seed of a user"),
            key("tls", &[], Kind::Tls(Side::Others), "TLS towards it"),
            key("hub", &[], Kind::Bool, "This server is the hub of the two"),
            key("deny_imports", &["deny_import"], Kind::Subjects, "Subjects that are not taken from it"),
            key("deny_exports", &["deny_export"], Kind::Subjects, "Subjects that are not sent to it"),
            key("no_randomize", &["dont_randomize"], Kind::Bool, "URLs are tried in order"),
            key("compression", &[], Kind::Compression, "How the connection is compressed"),
            key("ws_compression", WS_COMPRESSION, Kind::Bool, "Frames of WebSocket are compressed"),
            key("ws_no_masking", &["websocket_no_masking"], Kind::Bool, "Frames of WebSocket are not masked"),
            key("jetstream_cluster_migrate", &["js_cluster_migrate"], Kind::Migrate, "Leaders move when it is lost"),
            key(
                "isolate_leafnode_interest",
                &["isolate"],
                Kind::Bool,
                "It does not hear of other leaf nodes' interest",
            ),
            key("request_isolation", &[], Kind::Bool, "It is asked not to tell of other leaf nodes' interest"),
            key("first_info_timeout", &[], DURATION_AS_WRITTEN, "How long its first line may take"),
            key("dial_timeout", &[], DURATION_AS_WRITTEN, "How long a connection may take to open"),
            key("disabled", &[], Kind::Bool, "It is not connected to"),
            key("ignore_discovered_servers", &[], Kind::Bool, "Only the URLs that are written are used"),
            key("proxy", &[], Kind::Block(&PROXY), "HTTP proxy on the way to it"),
        ],
    },
};

/// The proxy on the way to a remote.
pub(in super::super) const PROXY: Table = Table {
    otherwise: Complaint::Type("Expected proxy to be a map, got "),
    ends: Ends::Around,
    keys: &[
        like(key("url", &[], Kind::Text, "Its URL"), "\"http://a:1\""),
        key("username", &[], Kind::Text, "Name"),
        key("password", &[], Kind::Secret, "Password"),
        key("timeout", &[], Kind::Duration(Label::Text("proxy timeout")), "How long it may take"),
        key("tls", &[], Kind::Tls(Side::Proxy), "TLS towards the proxy"),
    ],
};

/// Takes the block over.
pub(in super::super) fn leafnodes(applied: &mut Applied, name: &[u8], node: &Node) {
    let Some(settings) = top(applied, name, node, &LEAFNODES) else {
        return;
    };
    if let (Some(logins), Some(place)) = (settings.block("authorization"), settings.place("authorization"))
        && let Err(text) = check_logins(logins)
    {
        applied.errors.at(place, text);
    }
}

/// A single login stands beside no list, and each user is there once.
fn check_logins(logins: &Settings) -> Result<(), String> {
    let users = logins.blocks("users");
    if users.is_empty() {
        return Ok(());
    }
    if !logins.text("user").is_empty() {
        return Err("can not have a single user/pass and a users array".into());
    }
    if !logins.text("nkey").is_empty() {
        return Err("can not have a single nkey and a users array".into());
    }
    let mut seen = HashSet::new();
    match users.iter().map(|user| user.text("user")).find(|name| !seen.insert(*name)) {
        Some(name) => Err(format!("duplicate user {} detected in leafnode authorization", quoted(name.as_bytes()))),
        None => Ok(()),
    }
}

/// One login, a proxy that can be used, and no remote twice.
fn check_remote(reader: &mut Reader<'_>, remote: &Settings, last_place: &Place, before: &[Settings]) -> bool {
    if let Some(place) = second_login(remote) {
        reader.tell(place, "Remote leafnode can not have both creds and nkey defined");
    }
    if let (Some(proxy), Some(place)) = (remote.block("proxy"), remote.place("proxy")) {
        match check_proxy(remote, proxy) {
            Err(text) => {
                reader.tell(place, text);
                return false;
            }
            Ok(Some(text)) => reader.notice(place, text),
            Ok(None) => {}
        }
    }
    if before.iter().any(|other| identity(other) == identity(remote)) {
        let urls: Vec<String> = remote.urls("url").iter().map(|url| quoted(url.shown().as_bytes())).collect();
        let (_, account, credentials, seed) = identity(remote);
        let login = match (credentials, seed) {
            ("", "") => String::new(),
            ("", _) => ", nkey=\"[REDACTED]\"".into(),
            (file, _) => format!(", credentials={}", quoted(file.as_bytes())),
        };
        let (urls, account) = (urls.join(" "), quoted(account.as_bytes()));
        reader.tell(last_place, format!("duplicate remote urls=[{urls}], account={account}{login}"));
        return false;
    }
    true
}

/// Where the later of two logins is written.
fn second_login(remote: &Settings) -> Option<&Place> {
    let (file, seed) = (remote.place("credentials")?, remote.place("nkey")?);
    let is_file_first = (file.line, file.column) < (seed.line, seed.column);
    if !is_file_first {
        return Some(file);
    }
    (!remote.text("credentials").is_empty()).then_some(seed)
}

/// What makes two remotes one: URLs, account, credentials or seed.
fn identity(remote: &Settings) -> (Vec<&str>, &str, &str, &str) {
    let account = Some(remote.text("account")).filter(|account| !account.is_empty()).unwrap_or(GLOBAL);
    let urls = remote.urls("url").iter().map(Url::as_written).collect();
    let (mut credentials, mut seed) = (remote.text("credentials"), remote.text("nkey"));
    // Of two logins the later one counts for nothing.
    match second_login(remote) {
        Some(place) if Some(place) == remote.place("credentials") => credentials = "",
        Some(_) => seed = "",
        None => {}
    }
    (urls, account, credentials, seed)
}

/// What the user should know of a proxy, or what is wrong with it.
fn check_proxy(remote: &Settings, proxy: &Settings) -> Result<Option<&'static str>, String> {
    let text = proxy.text("url");
    let has_login = !proxy.text("username").is_empty() || !proxy.text("password").is_empty();
    let has_proxy_tls = matches!(proxy.find("tls"), Some(Setting::Tls(_)));
    if text.is_empty() && (has_login || has_proxy_tls || proxy.int("timeout") != 0) {
        return Err("proxy URL must be specified when other proxy options are set".into());
    }
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text)
        .map_err(|why| format!("invalid proxy URL: parse {}: {why}", quoted(redacted(text).as_bytes())))?;
    if !matches!(url.scheme.as_str(), "http" | "https") {
        return Err(format!("proxy URL scheme must be http or https, got: {}", url.scheme));
    }
    if url.host.is_empty() {
        return Err("proxy URL must specify a host".into());
    }
    if proxy.int("timeout") < 0 {
        return Err("proxy timeout must be >= 0".into());
    }
    if proxy.text("username").is_empty() != proxy.text("password").is_empty() {
        return Err("proxy username and password must both be specified or both be empty".into());
    }
    if has_proxy_tls && url.scheme != "https" {
        return Err(format!("proxy TLS configuration requires an https proxy URL, got: {}", url.scheme));
    }
    let has_tls = matches!(remote.find("tls"), Some(Setting::Tls(_)));
    let is_websocket = |url: &&Url| matches!(url.scheme.as_str(), "ws" | "wss");
    let urls = remote.urls("url");
    if let Some(url) = urls.iter().find(|url| url.scheme == "wss" && !has_tls) {
        let url = url.shown();
        return Err(format!(
            "proxy is configured but remote URL {url} requires TLS and no TLS configuration is provided. When using proxy \
             with TLS endpoints, ensure TLS is properly configured for the leafnode remote"
        ));
    }
    let count = urls.iter().filter(is_websocket).count();
    Ok(if urls.is_empty() || count == urls.len() {
        None
    } else if count == 0 {
        Some(
            "proxy configuration will be ignored: proxy settings only apply to WebSocket connections (ws:// or wss://), \
             but all configured URLs use TCP connections (nats://)",
        )
    } else {
        Some(
            "proxy configuration will only be used for WebSocket URLs: proxy settings do not apply to TCP connections \
             (nats://)",
        )
    })
}
