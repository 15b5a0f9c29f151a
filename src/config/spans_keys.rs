//! Which keys a block of a file may have, by the keys that lead to it.
//!
//! Owns the comparison of written keys with the paths of the table of keys. Holds no list of keys itself.

use super::keys::{self, Key};

/// The keys that may stand in the block to which `path` leads, aliases in the path included; empty: any, or none is known.
pub fn keys_in(path: &[&[u8]]) -> Vec<&'static Key> {
    if path.is_empty() {
        return keys::top_level().collect();
    }
    let blocks = keys::blocks();
    // Permissions of users and of accounts are the same block as those of `authorization`.
    // The first key is a block at the top, whatever a user calls so.
    let tail = path.iter().skip(1).position(|name| is_called(name, PERMISSIONS)).map(|at| at + 1);
    let under_permissions = tail.map(|at| [&[&b"authorization"[..]], path.get(at..).unwrap_or_default()].concat());
    let found = blocks.iter().find(|block| leads(&blocks, path, block.path));
    let found = found.or_else(|| {
        let path = under_permissions?;
        blocks.iter().find(|block| leads(&blocks, &path, block.path))
    });
    let users = path.last().filter(|name| name.eq_ignore_ascii_case(b"users"));
    let found = found.or_else(|| users.and_then(|_| blocks.iter().find(|block| block.path == "authorization.users")));
    found.map(|block| block.keys.clone()).unwrap_or_default()
}

/// Keys whose values are secrets, beside those that end in one of [`ENDINGS`]; blocks of features to come included.
const SECRETS: &[&str] = &["pass", "seed", "key", "ek", "encryption_key", "prev_key", "prev_encryption_key"];
const ENDINGS: &[&str] = &["password", "token", "secret", "_seed", "_pass"];

/// Whether the value of a key is a secret, by its name.
pub fn is_secret(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    SECRETS.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

const PERMISSIONS: &str = "permissions";

/// Whether a written key is this one, or another name for it.
fn is_called(written: &[u8], name: &str) -> bool {
    if written.eq_ignore_ascii_case(name.as_bytes()) {
        return true;
    }
    let blocks = keys::blocks();
    let mut known = keys::top_level().chain(blocks.iter().flat_map(|block| block.keys.iter().copied()));
    known.any(|key| key.name == name && key.is_named(written))
}

/// Whether written keys lead to a block of this path. `subscribe` has the keys of `publish`.
fn leads(blocks: &[keys::Block], written: &[&[u8]], path: &str) -> bool {
    let names: Vec<&str> = path.split('.').collect();
    let mut above = String::new();
    let mut fits = names.len() == written.len();
    for (name, written) in names.iter().zip(written) {
        let keys: Vec<&Key> = match blocks.iter().find(|block| block.path == above) {
            Some(block) => block.keys.clone(),
            None if above.is_empty() => keys::top_level().collect(),
            None => Vec::new(),
        };
        let is_alias = keys.iter().any(|key| key.name == *name && key.is_named(written));
        let is_twin = *name == "publish" && keys.iter().any(|key| key.name == "subscribe" && key.is_named(written));
        fits &= *name == "*" || written.eq_ignore_ascii_case(name.as_bytes()) || is_alias || is_twin;
        above = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
    }
    fits
}

/// The paths of blocks in which a key of this name may stand; the top of a file is empty.
pub fn blocks_with(name: &[u8]) -> Vec<&'static str> {
    let top = keys::find(name).map(|_| "");
    let blocks = keys::blocks();
    let inner = blocks.iter().filter(|block| block.keys.iter().any(|key| key.is_named(name))).map(|block| block.path);
    top.into_iter().chain(inner).collect()
}

#[cfg(test)]
mod tests {
    use super::{blocks_with, keys_in};

    fn has(path: &str, name: &str) -> bool {
        let path: Vec<&[u8]> = path.split('.').filter(|name| !name.is_empty()).map(str::as_bytes).collect();
        keys_in(&path).iter().any(|key| key.name == name)
    }

    #[test]
    fn a_path_leads_to_the_keys_of_its_block() {
        for (path, name) in [
            ("", "max_payload"),
            ("authorization", "timeout"),
            ("Authorization.Users", "password"),
            ("accounts.A.users", "password"),
            ("accounts.A", "exports"),
            ("accounts.A.limits", "max_connections"),
            ("tls", "cert_file"),
            ("dunlin", "spin_us"),
            ("dunlin.monitoring", "user"),
            ("authorization.users.permissions", "publish"),
            ("authorization.default_permissions", "publish"),
            ("accounts.A.users.permissions.subscribe", "allow"),
        ] {
            assert!(has(path, name), "{name} in {path:?}");
        }
        assert!(!has("tls", "max_payload") && !has("frobnicate", "max_payload"));
    }

    #[test]
    fn a_key_knows_its_blocks() {
        assert!(blocks_with(b"password").contains(&"authorization"));
        assert_eq!(blocks_with(b"max_payload").first(), Some(&""));
        assert_eq!(blocks_with(b"frobnicate"), [""; 0]);
    }
}
