//! What differs between two lists of users or accounts, in words, and who is closed by it.
//!
//! Owns the comparison by name. Passwords are compared and never told. What is told of connections is what
//! `reactor::recheck` does after a reload.

use super::Config;
use super::security::{Account, AccountLimits, Credential, Security, SingleLogin, User};
use crate::secret::Secret;

/// Names told of one list; the others are counted.
const NAMES_MAX: usize = 20;
const VIOLATION: &str = "Authorization Violation";

/// One of two configurations, as logins are compared.
#[derive(Clone, Copy)]
pub(super) struct Side<'a>(pub(super) &'a Security);

impl<'a> Side<'a> {
    /// The users with an nkey, or those with a password.
    pub(super) fn users(self, with_nkeys: bool) -> impl Iterator<Item = &'a User> {
        self.0.users.iter().filter(move |user| matches!(user.credential, Credential::Nkey(_)) == with_nkeys)
    }

    pub(super) fn has_user(self, wanted: &str) -> bool {
        self.0.users.iter().any(|user| name(user) == wanted)
    }

    pub(super) fn password(self) -> Option<&'a Secret> {
        match &self.0.single {
            Some(SingleLogin::User { password, .. }) => Some(password),
            Some(SingleLogin::Token(_)) | None => None,
        }
    }

    pub(super) fn token(self) -> Option<&'a Secret> {
        match &self.0.single {
            Some(SingleLogin::Token(token)) => Some(token),
            Some(SingleLogin::User { .. }) | None => None,
        }
    }

    fn account(self, user: &User) -> &'a str {
        self.0.accounts.get(user.account).map_or("", |account| account.name.as_str())
    }

    fn find(self, user: &User) -> Option<&'a User> {
        self.0.users.iter().find(|other| name(other) == name(user))
    }

    fn asks_for_login(self) -> bool {
        self.0.single.is_some() || (!self.0.users.is_empty() && self.0.no_auth_user.is_none())
    }
}

fn name(user: &User) -> &str {
    match &user.credential {
        Credential::Password { name, .. } => name,
        Credential::Nkey(key) => key,
    }
}

/// Names with a word before them; nothing where there are none.
fn listed(word: &str, names: &[&str]) -> Option<String> {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).copied().collect();
    let more = names.len().checked_sub(NAMES_MAX).filter(|&more| more > 0);
    let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
    (!names.is_empty()).then(|| format!("{word}: {}{more}", shown.join(", ")))
}

/// How a user that is in both differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Differs {
    Login,
    Account,
    Rights,
}

fn how(before: Side<'_>, after: Side<'_>, old: &User, new: &User) -> Option<Differs> {
    if before.account(old) != after.account(new) {
        Some(Differs::Account)
    } else if old.credential != new.credential
        || old.proxy_required != new.proxy_required
        || old.connection_types != new.connection_types
    {
        Some(Differs::Login)
    } else {
        (old.permissions != new.permissions).then_some(Differs::Rights)
    }
}

/// The names of users in both that differ so.
fn differing<'a>(before: Side<'a>, after: Side<'a>, wanted: Differs) -> Vec<&'a str> {
    let users = before.0.users.iter();
    let differ = users.filter(|old| after.find(old).and_then(|new| how(before, after, old, new)) == Some(wanted));
    differ.map(name).collect()
}

fn removed<'a>(before: Side<'a>, after: Side<'a>) -> Vec<&'a str> {
    before.0.users.iter().filter(|user| after.find(user).is_none()).map(name).collect()
}

/// What differs between the users.
pub(super) fn users(before: Side<'_>, after: Side<'_>) -> Vec<String> {
    [
        listed("added", &removed(after, before)),
        listed("removed", &removed(before, after)),
        listed("another login", &differing(before, after, Differs::Login)),
        listed("another account", &differing(before, after, Differs::Account)),
        listed("other permissions", &differing(before, after, Differs::Rights)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What differs between the accounts.
pub(super) fn accounts(old: &Security, new: &Security) -> Vec<String> {
    let of = |security: &'_ Security, wanted: &str| -> Option<AccountLimits> {
        security.accounts.iter().find(|account| account.name == wanted).map(|account| account.limits)
    };
    let gone = |from: &'_ Security, to: &Security| -> Vec<String> {
        let gone = from.accounts.iter().filter(|account| of(to, &account.name).is_none());
        gone.map(|account| account.name.clone()).collect()
    };
    let is_changed = |account: &&Account| of(new, &account.name).is_some_and(|limits| limits != account.limits);
    let changed: Vec<&str> = old.accounts.iter().filter(is_changed).map(|account| account.name.as_str()).collect();
    let (added, removed) = (gone(new, old), gone(old, new));
    fn names(list: &[String]) -> Vec<&str> {
        list.iter().map(String::as_str).collect()
    }
    [listed("added", &names(&added)), listed("removed", &names(&removed)), listed("other limits", &changed)]
        .into_iter()
        .flatten()
        .collect()
}

/// What a reload does to connections that are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Which connections.
    pub who: String,
    /// What becomes of them.
    pub what: String,
    /// They are closed.
    pub is_closing: bool,
}

/// What a reload from `old` to `new` does to connections that are open, where it is carried out.
pub fn effects(old: &Config, new: &Config) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut add = |is_closing: bool, who: String, what: String| effects.push(Effect { who, what, is_closing });
    let (before, after) = (Side(&old.security), Side(&new.security));
    let shrinks =
        |before: Option<u64>, after: Option<u64>| after.filter(|&after| before.is_none_or(|before| after < before));
    if let Some(most) = shrinks(old.limits.connections_max, new.limits.connections_max) {
        add(true, format!("connections over {most}, the newest first"), "closed: maximum connections exceeded".into());
    }
    let closed = |word: &str| format!("closed: {word}");
    if let Some(who) = listed("clients of removed users", &removed(before, after)) {
        add(true, who, closed(VIOLATION));
    }
    if let Some(who) = listed("clients of users with another login", &differing(before, after, Differs::Login)) {
        add(true, who, format!("closed, unless what they showed still fits: {VIOLATION}"));
    }
    if let Some(who) = listed("clients of users in another account", &differing(before, after, Differs::Account)) {
        add(true, who, "closed, to connect anew".into());
    }
    if let Some(who) = listed("clients of users with other permissions", &differing(before, after, Differs::Rights)) {
        add(false, who, "stay; subscriptions that are not allowed any more end".into());
    }
    if old.security.single != new.security.single && old.security.single.is_some() {
        add(
            true,
            "clients with the single login or token".into(),
            format!("closed, unless it still fits: {VIOLATION}"),
        );
    }
    if after.asks_for_login() && !before.asks_for_login() {
        add(true, "clients that showed no login".into(), closed(VIOLATION));
    }
    for (name, before, after) in [
        ("max_payload", old.limits.payload_bytes_max, new.limits.payload_bytes_max),
        ("max_control_line", old.limits.control_line_bytes_max, new.limits.control_line_bytes_max),
    ] {
        if after < before {
            add(
                false,
                format!("clients that send more than {name} from then on ({after} bytes)"),
                "stay until they do".into(),
            );
        }
    }
    if old.tls.is_some() != new.tls.is_some() {
        add(false, "clients that are connected".into(), "stay as they are; new ones are asked for the new way".into());
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::effects;
    use crate::config::{Config, changes, read_text};
    use std::path::Path;

    fn config(text: &str) -> Config {
        let raw = read_text(Path::new("x.conf"), text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        raw.resolve().unwrap_or_else(|errors| panic!("{errors}")).0
    }

    #[test]
    fn who_is_closed_is_told() {
        let users = |list: &str| format!("authorization {{ users: [{list}] }}");
        let ann = "{user: ann, password: p}";
        for (old, new, who, closes) in [
            ("max_connections: 10".into(), "max_connections: 5".into(), "connections over 5", true),
            (users(&format!("{ann}, {{user: bob, password: p}}")), users(ann), "removed users: bob", true),
            (users(ann), users("{user: ann, password: q}"), "another login: ann", true),
            (users(ann), users("{user: ann, password: p, permissions: {publish: a}}"), "other permissions: ann", false),
            (
                "accounts { A { users: [{user: ann, password: p}] }, B { } }".into(),
                "accounts { A { }, B { users: [{user: ann, password: p}] } }".into(),
                "another account: ann",
                true,
            ),
            ("port: 1".into(), users(ann), "showed no login", true),
            ("authorization { token: x }".into(), "authorization { token: y }".into(), "single login or token", true),
            ("max_payload: 2MB".into(), "max_payload: 1MB".into(), "more than max_payload", false),
        ] {
            let effects = effects(&config(&old), &config(&new));
            let told = effects.iter().any(|effect| effect.who.contains(who) && effect.is_closing == closes);
            assert!(told, "{old} to {new}: {effects:?}");
        }
        assert_eq!(effects(&config("max_connections: 5"), &config("max_connections: 10")), []);
    }

    #[test]
    fn differences_of_lists_are_named() {
        let old = config("accounts { A { users: [{user: a, password: p}, {user: c, password: p}] }, O { } }");
        let new = config(
            "accounts { A { users: [{user: b, password: p}, {user: c, password: q}], limits { max_connections: 5 } } }",
        );
        let details: Vec<_> = changes::diff(&old, &new).into_iter().flat_map(|change| change.details).collect();
        assert_eq!(details, ["added: b", "removed: a", "another login: c", "removed: O", "other limits: A"]);
    }
}
