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
use super::{Keys, Logins, find, later};
use crate::secret::Secret;

/// From here on a timeout is taken for a mistake.
const TIMEOUT_SECONDS_ADVISED_MAX: f64 = 60.0;

#[derive(Clone, Copy)]
enum AuthorizationKey {
    User,
    Password,
    Token,
    Timeout,
    Users,
    Permissions,
    Callout,
    ProxyRequired,
}

const KEYS: Keys<AuthorizationKey> = &[
    (&["user", "username"], AuthorizationKey::User),
    (&["password", "pass"], AuthorizationKey::Password),
    (&["token"], AuthorizationKey::Token),
    (&["timeout"], AuthorizationKey::Timeout),
    (&["users"], AuthorizationKey::Users),
    (&["default_permissions", "default_permission", "permissions"], AuthorizationKey::Permissions),
    (&["auth_callout", "auth_hook"], AuthorizationKey::Callout),
    (&["proxy_required"], AuthorizationKey::ProxyRequired),
];

/// What the peer says once more of a block that it gave up.
const GIVEN_UP: &str = "runtime error: invalid memory address or nil pointer dereference";

/// What a block says.
#[derive(Default)]
struct Block {
    user: Option<Written<String>>,
    password: Option<Written<Secret>>,
    token: Option<Written<Secret>>,
    timeout: Option<Written<i64>>,
    users: Option<Vec<RawUser>>,
    permissions: Option<Permissions>,
    proxy_required: Option<Written<bool>>,
}

/// What ends the reading of a block.
enum Ended {
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

fn read(applied: &mut Applied, map: &Map) -> Result<Block, Ended> {
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
            Some(AuthorizationKey::Callout) => later::callout(applied, name, node),
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
            let seconds = seconds(nanos);
            if seconds > TIMEOUT_SECONDS_ADVISED_MAX {
                let (place, name, value) = (&node.place, quoted(name), shown(&node.value));
                applied.raw.warnings.push(Warning::Usage(format!(
                    "{place}: invalid use of field {name}: timeout of {value} ({seconds:.6} seconds) is high, consider \
                     keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example"
                )));
            }
            Ok(nanos)
        }
        Err(text) => {
            applied.errors.at(&node.place, format!("error parsing authorization config, 'timeout' {text}"));
            Err(Ended::Left)
        }
    }
}

fn seconds(nanos: i64) -> f64 {
    std::time::Duration::from_nanos(nanos.unsigned_abs()).as_secs_f64() * if nanos < 0 { -1.0 } else { 1.0 }
}

/// A timeout in seconds (whole or not) or as a duration; nanoseconds, or what is wrong with it.
pub(super) fn timeout_nanos(value: &Value) -> Result<i64, String> {
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
