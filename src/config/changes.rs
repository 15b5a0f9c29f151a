//! What a reload from one configuration to another changes: each setting with its old and new value, and whether it can change
//! while the server runs.
//!
//! One function for the server's reload and for `dunlinctl config diff`: [`diff`]. Settings come from the table of keys, in its
//! order; logins, accounts and TLS, whose values are secrets or long lists, have rows here. Owns the names of these, which are
//! the peer's. Applies nothing. Invariant: no secret is in a change, only that one differs.

use super::Config;
use super::changes_users::{self, Side};
use super::keys::show;
use super::keys::{self, Reload};
use super::security::{HandshakeFirst, Security, SingleLogin, Tls};
use std::time::Duration;

/// How long a handshake may take where nothing is written.
const TLS_SECONDS_DEFAULT: f64 = 2.0;
/// How long a login may take where nothing is written.
const LOGIN_SECONDS_DEFAULT: f64 = 2.0;

/// Whether a setting can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// While the server runs.
    Applied,
    /// Not before it is started again, for this reason; the whole reload is refused.
    Refused(&'static str),
    /// It is taken and makes no difference, for this reason.
    NoEffect(&'static str),
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its key with its block: `max_payload`, `authorization.token`.
    pub key: String,
    /// Its name in the log.
    pub name: &'static str,
    /// Old and new value, where they are no secrets and not too long.
    pub values: Option<(String, String)>,
    /// What differs of a list, in words.
    pub details: Vec<String>,
    /// Whether it can change.
    pub outcome: Outcome,
}

impl Change {
    /// Its line in the log of a reload that is carried out.
    pub fn line(&self) -> String {
        match &self.values {
            Some((_, new)) if self.name == PINNED => format!("{new} {PINNED}"),
            Some((_, new)) if self.name == FIRST || self.name == FIRST_DELAY => format!("{}: {new}", self.name),
            Some((_, new)) => format!("{} = {new}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Why it refuses the reload, if it does.
    pub fn refusal(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::Refused(why) => Some(why),
            Outcome::Applied | Outcome::NoEffect(_) => None,
        }
    }
}

const PINNED: &str = "pinned_certs";
const FIRST: &str = "Client TLS handshake first";
const FIRST_DELAY: &str = "Client TLS handshake first fallback delay";

/// All settings that differ, in the order in which they are told. Certificates are read again in any case: what is in the
/// files does not show here.
pub fn diff(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
    logins(old, new, &mut changes);
    for (path, key) in keys::all() {
        let Some(shown) = key.shown else { continue };
        let (before, after) = ((shown.value)(old), (shown.value)(new));
        if before != after {
            changes.push(Change {
                key: path,
                name: shown.name,
                values: Some((before, after)),
                details: Vec::new(),
                outcome: outcome(key.reload),
            });
        }
    }
    fixed_logins(&old.security, &new.security, &mut changes);
    tls(old, new, &mut changes);
    changes
}

fn outcome(rule: Reload) -> Outcome {
    match rule {
        Reload::Yes => Outcome::Applied,
        Reload::No(why) => Outcome::Refused(why),
        Reload::NoEffect(why) => Outcome::NoEffect(why),
    }
}

/// A setting that a reload changes.
fn row(key: &str, name: &'static str, values: Option<(String, String)>) -> Change {
    Change { key: key.to_owned(), name, values, details: Vec::new(), outcome: Outcome::Applied }
}

/// How long a login may take, in seconds: with TLS its handshake has to fit in.
fn login_seconds(config: &Config) -> String {
    let of_tls = |tls: &Tls| tls.timeout.map_or(TLS_SECONDS_DEFAULT, |timeout| timeout.as_secs_f64()) + 1.0;
    let default = config.tls.as_ref().map_or(LOGIN_SECONDS_DEFAULT, of_tls);
    config.security.timeout.map_or(default, |timeout| timeout.as_secs_f64()).to_string()
}

fn logins(before: &Config, after: &Config, changes: &mut Vec<Change>) {
    let (old_seconds, new_seconds) = (login_seconds(before), login_seconds(after));
    let (old, new) = (&before.security, &after.security);
    let (before, after) = (Side(old), Side(new));
    let who_differs = old.users != new.users || old.single != new.single || old.accounts != new.accounts;
    if !before.users(true).eq(after.users(true)) {
        changes.push(row("authorization.users", "authorization nkey users", None));
    }
    // The peer cannot tell what of the lists has changed: any login that changes is said to be both of these.
    if who_differs {
        let details = changes_users::users(before, after);
        changes.push(Change { details, ..row("authorization.users", "authorization users", None) });
        let details = changes_users::accounts(old, new);
        changes.push(Change { details, ..row("accounts", "accounts", None) });
    }
    let name = |security: &Security| match &security.single {
        Some(SingleLogin::User { name, .. }) => name.clone(),
        Some(SingleLogin::Token(_)) | None => String::new(),
    };
    if name(old) != name(new) {
        changes.push(row("authorization.user", "authorization username", None));
    }
    if before.password() != after.password() {
        changes.push(row("authorization.password", "authorization password", None));
    }
    if before.token() != after.token() {
        changes.push(row("authorization.token", "authorization token", None));
    }
    if old_seconds != new_seconds {
        let values = Some((old_seconds, new_seconds));
        changes.push(row("authorization.timeout", "authorization timeout", values));
    }
    if old.trusted_proxies != new.trusted_proxies {
        changes.push(row("proxies", "proxies", None));
    }
}

/// Logins that are fixed: the guest, who may only go together with its user, and the system account.
fn fixed_logins(old: &Security, new: &Security, changes: &mut Vec<Change>) {
    let guest = |security: &Security| security.no_auth_user.clone().unwrap_or_default();
    let goes = new.no_auth_user.is_none() && !Side(new).has_user(&guest(old));
    let none = |security: &Security| security.system_account.is_none().to_string();
    for (key, name, before, after) in [
        ("no_auth_user", "NoAuthUser", guest(old), if goes { guest(old) } else { guest(new) }),
        ("system_account", "SystemAccount", system_name(old), system_name(new)),
        ("no_system_account", "NoSystemAccount", none(old), none(new)),
    ] {
        if before != after {
            let rule = keys::find(key.as_bytes()).map_or(Reload::Yes, |key| key.reload);
            changes.push(Change { outcome: outcome(rule), ..row(key, name, Some((before, after))) });
        }
    }
}

/// The configured name of the system account; the one that is made without is not named.
fn system_name(security: &Security) -> String {
    let account = security.system_account.and_then(|index| security.accounts.get(index));
    account.map(|account| account.name.clone()).filter(|name| name != "$SYS").unwrap_or_default()
}

fn tls(old: &Config, new: &Config, changes: &mut Vec<Change>) {
    let enabled = |tls: &Option<Tls>| if tls.is_some() { "enabled" } else { "disabled" }.to_owned();
    let mut differ = |key: &str, name: &'static str, value: &dyn Fn(&Config) -> String| {
        let (before, after) = (value(old), value(new));
        if before != after {
            changes.push(row(key, name, Some((before, after))));
        }
    };
    differ("tls.timeout", "tls timeout", &|config| {
        let timeout = config.tls.as_ref().and_then(|tls| tls.timeout);
        timeout.map_or(TLS_SECONDS_DEFAULT, |timeout| timeout.as_secs_f64()).to_string()
    });
    differ("tls", "tls", &|config| enabled(&config.tls));
    differ("tls.handshake_first", FIRST, &|config| handshake_first(config).0.to_string());
    differ("tls.handshake_first", FIRST_DELAY, &|config| show::time(handshake_first(config).1));
    let (Some(before), Some(after)) = (&old.tls, &new.tls) else { return };
    if before.pinned_certs != after.pinned_certs {
        let count = |tls: &Tls| tls.pinned_certs.len().to_string();
        changes.push(row("tls.pinned_certs", PINNED, Some((count(before), count(after)))));
    }
    let files = |tls: &Tls| tls.certificates.iter().map(|(cert, _)| cert.display().to_string()).collect::<Vec<_>>();
    let ca = |tls: &Tls| tls.ca_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    for (key, name, before, after) in [
        ("tls.cert_file", "tls cert_file", files(before).join(", "), files(after).join(", ")),
        ("tls.ca_file", "tls ca_file", ca(before), ca(after)),
        ("tls.verify", "tls verify", before.verify.to_string(), after.verify.to_string()),
        (
            "tls.verify_and_map",
            "tls verify_and_map",
            before.verify_and_map.to_string(),
            after.verify_and_map.to_string(),
        ),
        (
            "tls.min_version",
            "tls min_version",
            before.min_version.clone().unwrap_or_default(),
            after.min_version.clone().unwrap_or_default(),
        ),
        ("tls.cipher_suites", "tls cipher_suites", before.cipher_suites.join(", "), after.cipher_suites.join(", ")),
        (
            "tls.curve_preferences",
            "tls curve_preferences",
            before.curve_preferences.join(", "),
            after.curve_preferences.join(", "),
        ),
    ] {
        if before != after {
            changes.push(row(key, name, Some((before, after))));
        }
    }
}

/// Whether TLS comes before INFO, and how long that is waited for.
fn handshake_first(config: &Config) -> (bool, Duration) {
    match config.tls.as_ref().map(|tls| tls.handshake_first) {
        None | Some(HandshakeFirst::No) => (false, Duration::ZERO),
        Some(HandshakeFirst::Yes) => (true, Duration::ZERO),
        Some(HandshakeFirst::Within(delay)) => (true, delay),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, diff};
    use crate::config::{Config, read_text};
    use std::path::Path;

    fn config(text: &str) -> Config {
        let raw = read_text(Path::new("x.conf"), text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        raw.resolve().unwrap_or_else(|errors| panic!("{errors}")).0
    }

    /// Lines of the log, and refusals by name.
    fn told(old: &str, new: &str) -> Vec<String> {
        let changes = diff(&config(old), &config(new));
        let line = |change: &super::Change| match (change.outcome, &change.values) {
            (Outcome::Refused(_), Some((old, new))) => format!("refused {}: {old} to {new}", change.name),
            (Outcome::Refused(_), None) => format!("refused {}", change.name),
            _ => change.line(),
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let none: [&str; 0] = [];
        for (old, new, expected) in [
            ("port: 1", "port: 1 # same", &none[..]),
            ("debug: false", "debug: true", &["debug = true"]),
            ("port: 1", "port: 2", &["refused Port: 1 to 2"]),
            ("max_payload: 1MB", "max_payload: 2MB\nport: 5", &["refused Port: 4222 to 5", "max_payload = 2097152"]),
            ("dunlin { link_bytes: 65536 }", "dunlin { link_bytes: 65537 }", &["refused link_bytes: 65536 to 65537"]),
            ("dunlin { spin_us: 1 }", "dunlin { spin_us: 2 }", &["spin_us = 2"]),
            ("prof_port: 1", "prof_port: 2", &none[..]),
            ("authorization { timeout: 1 }", "authorization { timeout: 3 }", &["authorization timeout = 3"]),
        ] {
            assert_eq!(told(old, new), expected, "{old} to {new}");
        }
    }

    #[test]
    fn a_guest_goes_only_with_its_user() {
        let with = "authorization { users: [{user: g, password: p}, {user: a, password: p}] }\n";
        let guest = format!("{with}no_auth_user: g\n");
        assert_eq!(told(&guest, with), ["refused NoAuthUser: g to "]);
        let without = "authorization { users: [{user: a, password: p}] }\n";
        assert!(told(&guest, without).iter().all(|line| !line.contains("NoAuthUser")));
    }

    #[test]
    fn no_secret_is_in_a_change() {
        let old = "authorization { user: u, password: hunter2 }";
        let new = "authorization { token: swordfish }";
        let changes = diff(&config(old), &config(new));
        let shown = format!("{changes:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("swordfish"), "{shown}");
        let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
        for key in ["authorization.password", "authorization.token", "authorization.user"] {
            assert!(keys.contains(&key), "{key}: {keys:?}");
        }
    }
}
