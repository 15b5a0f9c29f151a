//! The top-level `authorization` block.
//!
//! Owns its keys and what may not stand together in it. The users go into `$G`.

use super::super::apply::Applied;
use super::super::complaints::{GaveUp, wrong_type};
use super::super::duration;
use super::super::raw::{Origin, Warning, Written};
use super::super::raw_security::RawUser;
use super::super::security::{Credential, Permissions};
use super::super::value::{Map, Node, Value, quoted, shown};
use super::permissions::permissions;
use super::users::{give_permissions, not_a_list, users};
use super::{Keys, Logins, find, key, later};
use crate::config::keys::Shape;
use crate::secret::Secret;
use std::time::Duration;

/// From here on a timeout is taken for a mistake.
const TIMEOUT_SECONDS_ADVISED_MAX: f64 = 60.0;

#[derive(Clone, Copy)]
pub(super) enum AuthorizationKey {
    User,
    Password,
    Token,
    Timeout,
    Users,
    Permissions,
    Callout,
    ProxyRequired,
}

pub(super) const KEYS: Keys<AuthorizationKey> = &[
    (
        key("user", Shape::Text, "Name of the only user; not beside users").aliases(&["username"]).example("\"ann\""),
        AuthorizationKey::User,
    ),
    (
        key("password", Shape::Secret, "Password of that user: plain, or bcrypt")
            .aliases(&["pass"])
            .example("\"s3cret\""),
        AuthorizationKey::Password,
    ),
    (
        key("token", Shape::Secret, "The only login: plain, or bcrypt; not beside a user or users")
            .example("\"s3cret\""),
        AuthorizationKey::Token,
    ),
    (
        key(
            "timeout",
            Shape::Seconds,
            "How long a client may take to log in (default: 2, with TLS its timeout and 1 more)",
        )
        .example("2"),
        AuthorizationKey::Timeout,
    ),
    (
        key("users", Shape::Blocks, "Users of the account $G").example("[{user: \"ann\", password: \"s3cret\"}]"),
        AuthorizationKey::Users,
    ),
    (
        key("permissions", Shape::Block, "What users may do that have no permissions of their own")
            .aliases(&["default_permissions", "default_permission"])
            .example("{publish: \"a.>\"}"),
        AuthorizationKey::Permissions,
    ),
    (
        key("auth_callout", Shape::Block, "A service that decides on logins")
            .aliases(&["auth_hook"])
            .example("{issuer: ADECCNBUEBWZ727OMBFSN7OMK2FPYRM52TJS25TFQWYS76NPOJBN3KU4, auth_users: [ann]}")
            .later("auth callout"),
        AuthorizationKey::Callout,
    ),
    (
        key("proxy_required", Shape::Bool, "Clients must come over a trusted proxy").default("false"),
        AuthorizationKey::ProxyRequired,
    ),
];

/// What the peer says once more of a block that it gave up.
pub(in super::super) const GIVEN_UP: &str = "runtime error: invalid memory address or nil pointer dereference";

/// What a block says.
#[derive(Default)]
pub(in super::super) struct Block {
    pub(in super::super) user: Option<Written<String>>,
    pub(in super::super) password: Option<Written<Secret>>,
    pub(in super::super) token: Option<Written<Secret>>,
    pub(in super::super) timeout: Option<Written<i64>>,
    pub(in super::super) users: Option<Vec<RawUser>>,
    pub(in super::super) permissions: Option<Permissions>,
    proxy_required: Option<Written<bool>>,
    /// `auth_callout`: the accounts that it may name.
    pub(in super::super) callout: Option<Vec<String>>,
}

/// What ends the reading of a block.
pub(in super::super) enum Ended {
    /// A value of the wrong type.
    GaveUp,
    /// A fault after which the peer leaves the block alone.
    Left,
}

impl From<GaveUp> for Ended {
    fn from(_: GaveUp) -> Self {
        Self::GaveUp
    }
}

/// Takes the block over.
pub(in super::super) fn authorization(applied: &mut Applied, _name: &[u8], node: &Node) {
    let Value::Map(map) = &node.value else {
        applied.errors.at(&node.place, wrong_type(&node.value, "map[string]interface {}"));
        applied.errors.at(&node.place, GIVEN_UP);
        return;
    };
    applied.raw.authorization = Some(Written { value: true, origin: Origin::File(node.place.clone()) });
    match read(applied, map) {
        Ok(block) => take_over(applied, block, node),
        Err(Ended::GaveUp) => applied.errors.at(&node.place, GIVEN_UP),
        Err(Ended::Left) => {}
    }
}

pub(in super::super) fn read(applied: &mut Applied, map: &Map) -> Result<Block, Ended> {
    let mut block = Block::default();
    for (name, node) in map.iter() {
        let origin = || Origin::File(node.place.clone());
        let errors = &mut applied.errors;
        match find(KEYS, name) {
            Some(AuthorizationKey::User) => {
                block.user = Some(Written { value: errors.string(node)?, origin: origin() });
            }
            Some(AuthorizationKey::Password) => {
                block.password = Some(Written { value: Secret::new(errors.string(node)?), origin: origin() });
            }
            Some(AuthorizationKey::Token) => {
                block.token = Some(Written { value: Secret::new(errors.string(node)?), origin: origin() });
            }
            Some(AuthorizationKey::Timeout) => {
                block.timeout = Some(Written { value: timeout(applied, name, node)?, origin: origin() });
            }
            Some(AuthorizationKey::Users) => match &node.value {
                Value::List(_) => block.users = users(node, errors),
                value => errors.at(&node.place, not_a_list(value)),
            },
            Some(AuthorizationKey::Permissions) => block.permissions = permissions(node, errors),
            Some(AuthorizationKey::Callout) => block.callout = later::callout(applied, name, node),
            Some(AuthorizationKey::ProxyRequired) => {
                block.proxy_required = Some(Written { value: errors.bool(node)?, origin: origin() });
            }
            None if node.is_variable => {}
            None => errors.at(&node.place, format!("unknown field {}", quoted(name))),
        }
    }
    Ok(block)
}

/// Nanoseconds.
fn timeout(applied: &mut Applied, name: &[u8], node: &Node) -> Result<i64, Ended> {
    match timeout_nanos(&node.value) {
        Ok(nanos) => {
            if let Some(text) = timeout_warning(name, &node.value, nanos) {
                applied.raw.warnings.push(Warning::Usage(format!("{}: {text}", node.place)));
            }
            Ok(nanos)
        }
        Err(text) => {
            applied.errors.at(&node.place, format!("error parsing authorization config, 'timeout' {text}"));
            Err(Ended::Left)
        }
    }
}

/// What is told of a timeout that is so long that it may be a mistake.
pub(in super::super) fn timeout_warning(name: &[u8], value: &Value, nanos: i64) -> Option<String> {
    // The nanoseconds of a great number of seconds do not fit.
    let seconds = match *value {
        Value::Int(seconds) => signed_seconds(Duration::from_secs(seconds.unsigned_abs()), seconds < 0),
        Value::Float(seconds) => seconds,
        _ => signed_seconds(Duration::from_nanos(nanos.unsigned_abs()), nanos < 0),
    };
    (seconds > TIMEOUT_SECONDS_ADVISED_MAX).then(|| {
        let (name, value) = (quoted(name), shown(value));
        format!(
            "invalid use of field {name}: timeout of {value} ({seconds:.6} seconds) is high, consider keeping it under 60 \
             seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example"
        )
    })
}

fn signed_seconds(time: Duration, is_negative: bool) -> f64 {
    time.as_secs_f64() * if is_negative { -1.0 } else { 1.0 }
}

/// A timeout in seconds (whole or not) or as a duration; nanoseconds, or what is wrong with it.
pub(in super::super) fn timeout_nanos(value: &Value) -> Result<i64, String> {
    match value {
        Value::Int(seconds) => Ok(seconds.saturating_mul(1_000_000_000)),
        Value::Float(seconds) => {
            let magnitude = std::time::Duration::try_from_secs_f64(seconds.abs()).unwrap_or(std::time::Duration::MAX);
            let nanos = i64::try_from(magnitude.as_nanos()).unwrap_or(i64::MAX);
            Ok(if *seconds < 0.0 { -nanos } else { nanos })
        }
        Value::Text(text) => duration::parse(text),
        _ => Err("wrong type".into()),
    }
}

fn take_over(applied: &mut Applied, block: Block, node: &Node) {
    applied.callout_accounts = block.callout.unwrap_or_default();
    let is_said = |text: Option<bool>| text == Some(false);
    let has_name = is_said(block.user.as_ref().map(|user| user.value.is_empty()));
    let has_user = has_name || is_said(block.password.as_ref().map(|password| password.value.is_empty()));
    let has_token = is_said(block.token.as_ref().map(|token| token.value.is_empty()));
    let mut list = block.users;
    let users = list.as_deref_mut().unwrap_or_default();
    if let Err(text) = give_permissions(users, block.permissions.as_ref()) {
        applied.errors.at(&node.place, text);
    }
    let logins = &mut applied.logins;
    let has_users = list.is_some() || !logins.names.is_empty();
    logins.has_single_user |= has_name;
    logins.has_token |= has_token;
    let conflict = if has_user && has_token {
        Some("Cannot have a user/pass and token".into())
    } else if has_users && has_name {
        Some("Can not have a single user/pass and a users array".into())
    } else if has_users && has_token {
        Some("Can not have a token and a users array".into())
    } else {
        logins.add(list.as_deref().unwrap_or_default()).into_iter().next()
    };
    if let Some(text) = conflict {
        applied.errors.at(&node.place, text);
        return;
    }
    let raw = &mut applied.raw;
    (raw.user, raw.password, raw.token) = (block.user, block.password, block.token);
    (raw.authorization_timeout, raw.proxy_required) = (block.timeout, block.proxy_required);
    raw.users = list.map(|value| Written { value, origin: Origin::File(node.place.clone()) });
}

impl Logins {
    /// Adds the users of a list; each that is there already has its line.
    pub(super) fn add(&mut self, users: &[RawUser]) -> Vec<String> {
        let mut doubles = Vec::new();
        for user in users {
            let (kind, name) = match &user.credential {
                Credential::Password { name, .. } => ("user", name),
                Credential::Nkey(key) => ("nkey", key),
            };
            if !self.names.insert(name.clone()) {
                doubles.push(format!("Duplicate {kind} {} detected", quoted(name.as_bytes())));
            }
        }
        doubles
    }
}
