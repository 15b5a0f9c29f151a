//! Which keys of a configuration file hold a password or a token, and whether a hash may stand there.
//!
//! Owns the table, as observed on nats-server 2.15.1. Reads nothing.

/// What may be done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is compared with what a client sends: a hash does as well.
    Compared,
    /// The server also sends it, to the other servers that it learns of: there it has to be plain.
    Sent,
}

/// Blocks in which clients log in. `*` is any name.
const COMPARED: &[&[&str]] = &[
    &["authorization"],
    &["authorization", "users"],
    &["accounts", "*", "users"],
    &["leafnodes", "authorization"],
    &["leafnodes", "authorization", "users"],
    &["websocket", "authorization"],
    &["mqtt", "authorization"],
];

/// Blocks in which servers log in: cluster's password goes into routes that are gossiped, gateway's into URLs without a user.
const SENT: &[&[&str]] = &[&["cluster", "authorization"], &["gateway", "authorization"]];

/// Other names of blocks and keys.
const ALIASES: &[(&str, &str)] =
    &[("authentication", "authorization"), ("leaf", "leafnodes"), ("ws", "websocket"), ("pass", "password")];

/// What the value at the end of these keys is; `None`: no secret that a hash can stand for.
pub(super) fn role(keys: &[&[u8]]) -> Option<Role> {
    let (last, block) = keys.split_last()?;
    let is_in = |blocks: &[&[&str]]| blocks.iter().any(|names| fits(block, names));
    // A user has no token of its own.
    let is_token = is_named(last, "token") && !block.last().is_some_and(|key| is_named(key, "users"));
    let is_password = is_named(last, "password");
    if (is_password || is_token) && is_in(COMPARED) {
        Some(Role::Compared)
    } else if is_password && is_in(SENT) {
        Some(Role::Sent)
    } else {
        None
    }
}

fn fits(keys: &[&[u8]], names: &[&str]) -> bool {
    keys.len() == names.len() && keys.iter().zip(names).all(|(key, name)| *name == "*" || is_named(key, name))
}

/// Whether a key as written, in any case, is this one or another name for it.
fn is_named(key: &[u8], name: &str) -> bool {
    let is = |known: &str| key.eq_ignore_ascii_case(known.as_bytes());
    is(name) || ALIASES.iter().any(|(alias, of)| *of == name && is(alias))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Role> {
        let keys: Vec<&[u8]> = path.split('.').map(str::as_bytes).collect();
        role(&keys)
    }

    #[test]
    fn secrets_are_found_under_all_their_names() {
        for path in [
            "authorization.password",
            "Authorization.PASS",
            "authentication.token",
            "authorization.users.password",
            "accounts.A.users.pass",
            "ACCOUNTS.authorization.Users.password",
            "leafnodes.authorization.password",
            "leaf.authorization.users.password",
            "websocket.authorization.token",
            "ws.authentication.pass",
            "mqtt.authorization.password",
            "mqtt.authorization.token",
        ] {
            assert_eq!(of(path), Some(Role::Compared), "{path}");
        }
        for path in ["cluster.authorization.password", "gateway.authorization.pass"] {
            assert_eq!(of(path), Some(Role::Sent), "{path}");
        }
    }

    #[test]
    fn the_rest_is_no_secret_of_this_kind() {
        for path in [
            "password",
            "token",
            "authorization",
            "authorization.user",
            "authorization.users.token",
            "authorization.users.x.password",
            "accounts.users.password",
            "accounts.A.password",
            "x.authorization.password",
            "leafnodes.remotes.password",
            "leafnodes.remotes.proxy.password",
            "cluster.authorization.token",
            "cluster.routes",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
