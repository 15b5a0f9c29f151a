//! How a file is written that has one key in its block.
//!
//! Owns what has to stand beside a key so that its block is right. A block that has a table gets its frame from its path alone.

use dunlin::config::keys::{self, Key, Kind, Shape};

/// Keys, and what sets them.
type Setting = (&'static [&'static str], &'static str);

/// What else has to stand in a block so that it is right: each by the keys that it sets, which are left out where one of them is
/// looked at.
const BESIDE: &[(&str, &[Setting])] = &[
    ("authorization.users", &[(&["user", "nkey"], "user: \"frame\""), (&["password", "nkey"], "password: \"s3cret\"")]),
    ("authorization", &[]),
    (
        "tls",
        &[(&["cert_file", "certs"], "cert_file: \"server.pem\""), (&["key_file", "certs"], "key_file: \"server.key\"")],
    ),
    ("mappings.*", &[(&["destination"], "destination: \"b\""), (&["weight"], "weight: 100")]),
    ("leafnodes.remotes.proxy", &[(&["url"], "url: \"http://a:1\"")]),
    ("resolver", &[(&["type"], "type: full"), (&["dir"], "dir: \"jwts\"")]),
    ("accounts.*.exports", &[(&["stream", "service"], "service: \"frame.s\"")]),
];

/// What has to stand beside single keys.
const WITH: &[(&str, &str)] = &[
    ("authorization.user", "password: \"s3cret\""),
    ("authorization.password", "user: \"frame\""),
    ("tls.cert_file", "key_file: \"server.key\""),
    ("tls.key_file", "cert_file: \"server.pem\""),
    ("tls.verify", "ca_file: \"server-ca.pem\""),
    ("tls.verify_and_map", "ca_file: \"server-ca.pem\""),
    ("leafnodes.remotes.proxy.username", "password: \"s3cret\""),
    ("leafnodes.remotes.proxy.password", "username: \"frame\""),
    ("leafnodes.remotes.proxy.tls", "url: \"https://a:1\""),
    ("resolver.hard_delete", "allow_delete: true"),
    ("resolver.ttl", "type: cache"),
    ("no_auth_user", "authorization: {users: [{user: \"guest\", password: \"s3cret\"}]}"),
    ("https", "tls: {cert_file: \"server.pem\", key_file: \"server.key\"}"),
    ("https_port", "tls: {cert_file: \"server.pem\", key_file: \"server.key\"}"),
    ("accounts.*.exports.accounts", "stream: \"frame.s\""),
    ("accounts.*.imports.to", "service: {account: \"B\", subject: \"frame.s\"}"),
    ("accounts.*.imports.share", "service: {account: \"B\", subject: \"frame.s\"}"),
    ("accounts.*.imports.prefix", "stream: {account: \"B\", subject: \"frame.t\"}"),
    ("accounts.*.imports.allow_trace", "stream: {account: \"B\", subject: \"frame.t\"}"),
];

/// Where an import comes from.
const OTHER_ACCOUNT: &str =
    ", B: {exports: [{stream: \"a.>\"}, {service: \"a.b\"}, {service: \"frame.s\"}, {stream: \"frame.t\"}]}";

/// A file that has `written` (a key and its value) in the block of `path`; empty is the top. `key` is the key's own name, which
/// decides what has to stand beside it.
pub(crate) fn file(path: &str, key: &str, written: &str) -> String {
    let mut text = beside(path, key).into_iter().chain([written]).collect::<Vec<_>>().join(", ");
    if path.is_empty() {
        return text.replace(", ", "\n") + "\n";
    }
    let names: Vec<&str> = path.split('.').collect();
    for depth in (0..names.len()).rev() {
        let (block, name) = (names[..depth].join("."), names[depth]);
        text = match shape(&block, name) {
            Some(Shape::Blocks) => format!("{name}: [{{{text}}}]"),
            _ if name == "*" => format!("A: {{{text}}}{}", if path.ends_with("ports") { OTHER_ACCOUNT } else { "" }),
            _ => format!("{name}: {{{text}}}"),
        };
        if depth > 0 && name != "*" {
            let around = beside(&block, name).into_iter().chain([text.as_str()]).collect::<Vec<_>>().join(", ");
            text = around;
        }
    }
    text + "\n"
}

fn beside(path: &str, key: &str) -> Vec<&'static str> {
    let whole = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    // Users of accounts are written as those of `authorization`.
    let path = if path == "accounts.*.users" { "authorization.users" } else { path };
    let with = WITH.iter().find(|(of, _)| *of == whole).map(|(_, text)| *text);
    let block = BESIDE.iter().find(|(of, _)| *of == path).map_or(&[][..], |(_, rows)| rows);
    let fits = |(keys, _): &&Setting| {
        let is_there = |name: &&str| *name == key || with.is_some_and(|text| text.starts_with(&format!("{name}:")));
        !keys.iter().any(is_there)
    };
    block.iter().filter(fits).map(|(_, text)| *text).chain(with).collect()
}

/// The shape of a key that opens a block.
fn shape(block: &str, name: &str) -> Option<Shape> {
    let of = |key: &Key| match key.kind {
        Kind::Section(section) => Some(section.1),
        Kind::Inside(shape) => Some(shape),
        _ => None,
    };
    if block.is_empty() {
        return keys::find(name.as_bytes()).and_then(of);
    }
    let blocks = keys::blocks();
    let block = blocks.iter().find(|known| known.path == block)?;
    block.keys.iter().find(|key| key.is_named(name.as_bytes())).and_then(|key| of(key))
}
