//! What a reload says and refuses of logins and accounts. Their values are secrets or long lists, so mostly only the name is said.
//!
//! Owns the names, which are the peer's, and which of these settings are fixed.

use crate::config::Config;
use crate::config::security::{Credential, Security, SingleLogin, User};
use crate::secret::Secret;

/// A setting that a reload changes, and what is said when it does.
struct Row {
    name: &'static str,
    differs: fn(&Security, &Security) -> bool,
}

const ROWS: &[Row] = &[
    Row { name: "authorization nkey users", differs: |old, new| !users(old, true).eq(users(new, true)) },
    // The peer cannot tell what of the lists has changed: any login that changes is said to be both of these.
    Row { name: "authorization users", differs: who_differs },
    Row { name: "accounts", differs: |old, new| old.accounts != new.accounts || who_differs(old, new) },
    Row { name: "authorization username", differs: |old, new| name(old) != name(new) },
    Row { name: "authorization password", differs: |old, new| password(old) != password(new) },
    Row { name: "authorization token", differs: |old, new| token(old) != token(new) },
];

/// What is said of the settings that differ.
pub(super) fn changed(old: &Config, new: &Config) -> Vec<String> {
    let differ = ROWS.iter().filter(|row| (row.differs)(&old.security, &new.security));
    let mut lines: Vec<String> = differ.map(|row| row.name.to_owned()).collect();
    if old.security.timeout != new.security.timeout {
        let seconds = new.security.timeout.map_or(2.0, |timeout| timeout.as_secs_f64());
        lines.push(format!("authorization timeout = {seconds}"));
    }
    if old.security.trusted_proxies != new.security.trusted_proxies {
        lines.push("proxies".to_owned());
    }
    let limit = |config: &Config| config.security.failed_logins_per_minute_max;
    if limit(old) != limit(new) {
        lines.push(format!("failed_logins_per_minute = {}", limit(new).unwrap_or(0)));
    }
    lines
}

/// The first setting that differs and is fixed: its name, what it is and what it was to become.
pub(super) fn fixed(old: &Config, new: &Config) -> Option<(&'static str, String, String)> {
    let (old, new) = (&old.security, &new.security);
    let guest = |security: &Security| security.no_auth_user.clone().unwrap_or_default();
    // It may only go together with its user.
    let goes = new.no_auth_user.is_none() && !new.users.iter().any(|user| is_named(user, &guest(old)));
    let none = |security: &Security| security.system_account.is_none().to_string();
    let rows = [
        ("NoAuthUser", guest(old), if goes { guest(old) } else { guest(new) }),
        ("SystemAccount", system_name(old), system_name(new)),
        ("NoSystemAccount", none(old), none(new)),
    ];
    rows.into_iter().find(|(_, old, new)| old != new)
}

/// The configured name of the system account; the one that is made without is not named.
fn system_name(security: &Security) -> String {
    let account = security.system_account.and_then(|index| security.accounts.get(index));
    account.map(|account| account.name.clone()).filter(|name| name != "$SYS").unwrap_or_default()
}

fn users(security: &Security, with_nkeys: bool) -> impl Iterator<Item = &User> {
    security.users.iter().filter(move |user| matches!(user.credential, Credential::Nkey(_)) == with_nkeys)
}

fn who_differs(old: &Security, new: &Security) -> bool {
    old.users != new.users || old.single != new.single || old.accounts != new.accounts
}

fn is_named(user: &User, wanted: &str) -> bool {
    match &user.credential {
        Credential::Password { name, .. } => name == wanted,
        Credential::Nkey(key) => key == wanted,
    }
}

fn name(security: &Security) -> Option<&str> {
    match &security.single {
        Some(SingleLogin::User { name, .. }) => Some(name),
        Some(SingleLogin::Token(_)) | None => None,
    }
}

fn password(security: &Security) -> Option<&Secret> {
    match &security.single {
        Some(SingleLogin::User { password, .. }) => Some(password),
        Some(SingleLogin::Token(_)) | None => None,
    }
}

fn token(security: &Security) -> Option<&Secret> {
    match &security.single {
        Some(SingleLogin::Token(token)) => Some(token),
        Some(SingleLogin::User { .. }) | None => None,
    }
}
