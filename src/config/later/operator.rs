//! Operator mode: operators, trusted keys, resolvers and what belongs to them.
//!
//! Owns their keys. Reads the files of operators, to check them; writes nothing (the peer makes the folder of a resolver while
//! it checks a file, this server will make it when it starts).

use super::super::apply::Applied;
use super::super::complaints::string;
use super::super::duration;
use super::super::file::read_whole;
use super::super::keys::Key;
use super::super::security_keys::nkey_prefix;
use super::super::security_keys::tls::Side;
use super::super::value::{Map, Node, Value, quoted};
use super::jwt::{self, Subject};
use super::kinds::{Kind, entry, like};
use super::reader::{Reader, refuse};
use super::settings::Setting;
use super::urls::{Url, redacted};
use std::os::unix::fs::PermissionsExt as _;

const fn key(name: &'static str, kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, &[], kind, "operator mode", help)
}

/// The prefix byte of an operator's public key.
const OPERATOR_PREFIX: u8 = 14 << 3;
/// How an operator's JWT begins where it stands in the file itself.
const JWT_BEGIN: &str = "eyJ";
const JWT_BYTES_MAX: usize = 1 << 20;
const OWNER_MAY_WRITE: u32 = 0o200;
pub(super) const NO_RESOLVER: &str = "error parsing account resolver, should be MEM or  URL(\"url\") or a map containing dir and type \
                           state=[FULL|CACHE])";

/// `resolver` as a block. The peer looks for these keys in this order, as they are spelt here, and passes over all others.
pub(in super::super) const RESOLVER: &[(Key, Kind)] = &[
    key("dir", Kind::Text, "Folder of JWTs"),
    like(key("type", Kind::Text, "`full`, `cache` or `memory`"), "memory"),
    key("allow_delete", Kind::Bool, "JWTs may be deleted"),
    key("hard_delete", Kind::Bool, "Deleted JWTs are not kept under another name"),
    key("limit", Kind::Int, "JWTs that are kept"),
    key("ttl", Kind::LimitDuration, "How long a JWT is kept"),
    key("interval", Kind::LimitDuration, "Time between exchanges with other servers"),
    key("timeout", Kind::LimitDuration, "How long a JWT is waited for"),
];

/// `operator`: JWTs, or files of them.
pub(in super::super) fn operator(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut names = Vec::new();
    match &node.value {
        Value::Text(text) => names.push(string(text)),
        Value::List(items) => {
            for item in items.iter() {
                let Value::Text(text) = &item.value else {
                    // The peer names its own wrapper.
                    let text = "error parsing operators: unsupported type *conf.token where string is expected";
                    applied.errors.at(&node.place, text);
                    break;
                };
                names.push(string(text));
            }
        }
        value => {
            let got = value.type_name();
            applied.errors.at(&node.place, format!("error parsing operators: unsupported type {got}"));
        }
    }
    for name in names {
        if let Err(text) = check_operator(&name) {
            applied.errors.at(&node.place, format!("error parsing operator JWT: {text}"));
        }
    }
    refuse(applied, name, node);
}

fn check_operator(name: &str) -> Result<(), String> {
    let contents = match read_whole(name.as_ref(), JWT_BYTES_MAX) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) if name.starts_with(JWT_BEGIN) => name.to_owned(),
        Err(text) => return Err(text),
    };
    jwt::check(undecorated(&contents), Subject::Operator)
}

/// What stands between two lines of hyphens, or all.
fn undecorated(contents: &str) -> &str {
    let mut lines = contents.lines();
    let is_fence = |line: &str| line.starts_with("---") && line.trim_end().ends_with("---");
    match lines.find(|line| is_fence(line)) {
        Some(_) => lines.find(|line| !line.trim().is_empty()).map_or(contents, str::trim),
        None => contents,
    }
}

/// `trusted_keys`: public keys of operators.
pub(in super::super) fn trusted_keys(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut reader = Reader { applied, types_at: None };
    let keys = match reader.texts("trusted", node) {
        Ok(Setting::Texts(keys)) => keys,
        _ => Vec::new(),
    };
    // The peer tells of a wrong key at the last entry of a list.
    let place = match &node.value {
        Value::List(items) => items.last().map_or(&node.place, |item| &item.place),
        _ => &node.place,
    };
    for key in &keys {
        if nkey_prefix(key.as_bytes()) != Some(OPERATOR_PREFIX) {
            let is_seed = nkeys::decode_seed(key).is_ok();
            let shown = if is_seed { "\"[REDACTED]\"".into() } else { quoted(key.as_bytes()) };
            reader.tell(place, format!("trust key {shown} required to be a valid public operator nkey"));
        }
    }
    refuse(applied, name, node);
}

/// `resolver`: where JWTs of accounts are found.
pub(in super::super) fn resolver(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut reader = Reader { applied, types_at: None };
    let is_there = match &node.value {
        Value::Text(text) => match named_resolver(&string(text)) {
            Ok(is_there) => is_there,
            Err(text) => return reader.tell(&node.place, text),
        },
        Value::Map(map) => match reader.resolver_block(map, node) {
            Some(is_there) => is_there,
            None => return,
        },
        value => {
            let got = value.type_name();
            return reader.tell(&node.place, format!("error parsing operator resolver, wrong type {got}"));
        }
    };
    if !is_there {
        reader.tell(&node.place, NO_RESOLVER);
    }
    refuse(applied, name, node);
}

/// `MEM`, `MEMORY` or `URL(url)`, in capitals or not, wherever in the text. Whether it is one of them.
fn named_resolver(text: &str) -> Result<bool, String> {
    let upper = text.to_ascii_uppercase();
    if upper.contains("MEM") {
        return Ok(true);
    }
    let Some(at) = upper.find("URL") else {
        return Ok(false);
    };
    let url = url_of(text.get(at + 3..).unwrap_or_default());
    let shown = || quoted(redacted(url).as_bytes());
    Url::parse(url).map_err(|_| format!("error parsing account resolver url [{}]", shown()))?;
    // An empty one is a URL too.
    Ok(true)
}

/// The URL in `(url)` or `("url")`; empty where that is not what stands there.
fn url_of(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(') else {
        return "";
    };
    let inner = inner.trim_start();
    let inner = inner.strip_prefix('"').unwrap_or(inner);
    let end = inner.find(|c: char| c.is_whitespace() || c == '"').unwrap_or_else(|| inner.rfind(')').unwrap_or(0));
    inner.get(..end).unwrap_or_default().trim_end_matches(')')
}

#[derive(Default)]
struct Folder {
    dir: String,
    kind: String,
    allow_delete: bool,
    hard_delete: Option<bool>,
    ttl: i64,
    interval: i64,
    timeout: Option<i64>,
}

impl Reader<'_> {
    /// Whether the block names a resolver; `None` where it was given up.
    fn resolver_block(&mut self, map: &Map, node: &Node) -> Option<bool> {
        let mut folder = Folder::default();
        for (key, kind) in RESOLVER {
            let Some(node_of_key) = map.find(key.name.as_bytes()) else {
                continue;
            };
            match (key.name, kind) {
                ("limit", _) => drop(self.int(node_of_key).ok()?),
                ("allow_delete", _) => folder.allow_delete = self.bool(node_of_key).ok()?,
                (_, Kind::Bool) => folder.hard_delete = Some(self.bool(node_of_key).ok()?),
                (name, Kind::LimitDuration) => match duration::parse(self.text(node_of_key).ok()?) {
                    Ok(nanos) if name == "ttl" => folder.ttl = nanos,
                    Ok(nanos) if name == "interval" => folder.interval = nanos,
                    Ok(nanos) => folder.timeout = Some(nanos),
                    Err(text) => {
                        self.tell(&node.place, text);
                        return None;
                    }
                },
                ("dir", _) => folder.dir = string(self.text(node_of_key).ok()?),
                _ => folder.kind = string(self.text(node_of_key).ok()?),
            }
        }
        match folder.kind.to_uppercase().as_str() {
            "MEM" | "MEMORY" => Some(true),
            kind @ ("FULL" | "CACHE") => {
                if let Err(text) = check_dir(&folder.dir) {
                    self.tell(&node.place, text);
                }
                for text in folder.misplaced(kind == "CACHE") {
                    self.tell(&node.place, text);
                }
                if let Some(text) = cannot_be_made(&folder.dir) {
                    self.tell(&node.place, text);
                    return None;
                }
                if let Some(timeout) = folder.timeout.filter(|&timeout| timeout <= 0) {
                    self.tell(&node.place, format!("Fetch timeout {} is too smal", duration::shown(timeout)));
                    return None;
                }
                Some(true)
            }
            _ => Some(false),
        }
    }
}

impl Folder {
    /// What the other type of resolver has.
    fn misplaced(&self, is_cache: bool) -> Vec<&'static str> {
        let told = if is_cache {
            [
                (self.interval != 0, "CACHE does not accept sync"),
                (self.allow_delete, "CACHE does not accept allow_delete"),
                (self.hard_delete.is_some(), "CACHE does not accept hard_delete"),
            ]
        } else {
            [
                (self.ttl != 0, "FULL does not accept ttl"),
                (self.hard_delete.is_some() && !self.allow_delete, "hard_delete has no effect without delete"),
                (false, ""),
            ]
        };
        told.into_iter().filter(|(is_told, _)| *is_told).map(|(_, text)| text).collect()
    }
}

fn check_dir(dir: &str) -> Result<(), &'static str> {
    if dir.is_empty() {
        return Err("dir has no value and needs to point to a directory");
    }
    match std::fs::metadata(dir) {
        Ok(found) if !found.is_dir() || found.permissions().mode() & OWNER_MAY_WRITE == 0 => {
            Err("dir needs to point to an accessible directory")
        }
        _ => Ok(()),
    }
}

/// Why there can be no such folder, as far as that shows without making it.
fn cannot_be_made(dir: &str) -> Option<String> {
    if dir.is_empty() {
        return Some("mkdir : no such file or directory".into());
    }
    for ancestor in std::path::Path::new(dir).ancestors().filter(|ancestor| !ancestor.as_os_str().is_empty()) {
        match std::fs::metadata(ancestor) {
            Ok(found) if found.is_dir() => return None,
            Ok(_) => return Some(format!("mkdir {}: not a directory", ancestor.display())),
            Err(_) => {}
        }
    }
    None
}

/// `resolver_tls`.
pub(in super::super) fn resolver_tls(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut reader = Reader { applied, types_at: None };
    if reader.tls(Side::Others, node).is_ok() {
        refuse(applied, name, node);
    }
}

/// `resolver_preload`: JWTs of accounts.
pub(in super::super) fn resolver_preload(applied: &mut Applied, name: &[u8], node: &Node) {
    let Value::Map(map) = &node.value else {
        return applied.errors.at(&node.place, "preload should be a map of account_public_key:account_jwt");
    };
    for (_, node) in map.iter() {
        let text = match &node.value {
            Value::Text(text) if jwt::check(&string(text), Subject::Account).is_ok() => continue,
            Value::Text(_) => "invalid account JWT",
            _ => "preload map value should be a string JWT",
        };
        applied.errors.at(&node.place, text);
    }
    refuse(applied, name, node);
}

/// `resolver_pinned_accounts`: the only accounts that may connect.
pub(in super::super) fn pinned_accounts(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut reader = Reader { applied, types_at: None };
    if reader.texts("resolver_pinned_accounts", node).is_ok() {
        refuse(applied, name, node);
    }
}

/// `default_sentinel`: who a client is that shows nothing.
pub(in super::super) fn default_sentinel(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut reader = Reader { applied, types_at: None };
    if reader.text(node).is_ok_and(|text| !text.is_empty()) {
        refuse(applied, name, node);
    }
}
