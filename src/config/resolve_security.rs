//! From what was written of logins, accounts and TLS to what the server reads.
//!
//! Owns the checks between these settings and the flags over them. Reads no file. The messages are the peer's where it
//! checks the same thing.

use super::raw::{Origin, RawConfig, Warning, Written};
use super::raw_security::{RawAccount, RawTls, RawUser};
use super::resolve::{Checks, flag, positive, text};
use super::security::{Account, Credential, HandshakeFirst, Security, SingleLogin, Tls, User};
use super::value::quoted;
use std::path::PathBuf;
use std::time::Duration;

const GLOBAL: &str = "$G";
const SYSTEM: &str = "$SYS";

/// Logins, permissions and accounts.
pub(super) fn security(checks: &mut Checks, raw: &RawConfig, warnings: &mut Vec<Warning>) -> Security {
    let declared: &[RawAccount] = raw.accounts.as_ref().map(|accounts| accounts.value.as_slice()).unwrap_or_default();
    let mut accounts = vec![Account { name: GLOBAL.into(), ..Account::default() }];
    let mut users = Vec::new();
    add_users(&mut users, raw.users.as_ref().map(|users| users.value.as_slice()).unwrap_or_default(), 0);
    for account in declared {
        add_users(&mut users, &account.users, accounts.len());
        accounts.push(Account { name: account.name.clone(), nkey: account.nkey.clone(), limits: account.limits });
    }
    let no_auth_user = Some(text(raw.no_auth_user.as_ref())).filter(|name| !name.is_empty());
    if let Some(name) = &no_auth_user {
        check_no_auth_user(checks, name, &users);
    }
    let system_account = system_account(checks, raw, &mut accounts);
    check_flags_beside_accounts(checks, raw, declared);
    warn_of_plain_passwords(raw, &users, warnings);
    let single = single_login(raw, &users, warnings);
    let timeout = checks.nanos(raw.authorization_timeout.as_ref(), "authorization timeout", 0);
    let system_name = Some(text(raw.system_account.as_ref())).filter(|name| !name.is_empty());
    let system_name = system_name.as_deref().unwrap_or(SYSTEM);
    Security {
        // As on the peer, and narrower than CVE-2023-47090: any other account, any `authorization` block ends it.
        anonymous_in_global: declared.len() == 1
            && declared.iter().all(|account| account.name == system_name)
            && raw.authorization.is_none()
            && no_auth_user.is_none()
            && single.is_none(),
        accounts,
        users,
        single,
        no_auth_user,
        timeout: Some(nanos(timeout)).filter(|timeout| !timeout.is_zero()),
        proxy_required: flag(raw.proxy_required.as_ref()),
        trusted_proxies: raw.trusted_proxies.as_ref().map(|keys| keys.value.clone()).unwrap_or_default(),
        system_account,
        failed_logins_per_minute_max: positive(raw.failed_logins_per_minute.as_ref())
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
    }
}

fn add_users(users: &mut Vec<User>, list: &[RawUser], account: usize) {
    users.extend(list.iter().cloned().map(|user| User {
        credential: user.credential,
        account,
        permissions: user.permissions,
        connection_types: user.connection_types,
        proxy_required: user.proxy_required,
    }));
}

/// The index of the system account; the default one is made where none is declared.
fn system_account(checks: &mut Checks, raw: &RawConfig, accounts: &mut Vec<Account>) -> Option<usize> {
    let index = |accounts: &[Account], name: &str| accounts.iter().position(|account| account.name == name);
    let name = text(raw.system_account.as_ref());
    if !name.is_empty() {
        let at = index(accounts, &name);
        if at.is_none() {
            checks.refuse("error resolving system account: account missing".into());
        }
        return at;
    }
    index(accounts, SYSTEM).or_else(|| {
        let is_wanted = !flag(raw.no_system_account.as_ref());
        is_wanted.then(|| {
            accounts.push(Account { name: SYSTEM.into(), ..Account::default() });
            accounts.len() - 1
        })
    })
}

fn check_no_auth_user(checks: &mut Checks, name: &str, users: &[User]) {
    let shown = quoted(name.as_bytes());
    if users.is_empty() {
        checks.refuse(format!("no_auth_user: {shown} present, but users/nkeys are not defined"));
        return;
    }
    let is_there = users.iter().any(|user| match &user.credential {
        Credential::Password { name: known, .. } | Credential::Nkey(known) => known == name,
    });
    if !is_there {
        checks.refuse(format!(
            "no_auth_user: {shown} not present as user or nkey in authorization block or account configuration"
        ));
    }
}

/// A single login of a flag stands beside no account with users; for one of the file, the reader of the file has told.
fn check_flags_beside_accounts(checks: &mut Checks, raw: &RawConfig, declared: &[RawAccount]) {
    let is_flag = |origin: &Origin, is_empty: bool| !is_empty && !matches!(origin, Origin::File(_));
    let what = if raw.user.as_ref().is_some_and(|user| is_flag(&user.origin, user.value.is_empty())) {
        "single user/pass"
    } else if raw.token.as_ref().is_some_and(|token| is_flag(&token.origin, token.value.is_empty())) {
        "token"
    } else {
        return;
    };
    for account in declared.iter().filter(|account| !account.users.is_empty()) {
        let place = account.users_place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        checks.refuse(format!("{place}Can not have a {what} and accounts"));
    }
}

/// The one login beside or instead of a list of users. A token wins over a name, and a list of users does too.
fn single_login(raw: &RawConfig, users: &[User], warnings: &mut Vec<Warning>) -> Option<SingleLogin> {
    let token = raw.token.as_ref().map(|token| &token.value).filter(|token| !token.is_empty());
    let name = text(raw.user.as_ref());
    let password = raw.password.as_ref().map(|password| password.value.clone()).unwrap_or_default();
    let mut notice = |text: &str| warnings.push(Warning::Notice(text.into()));
    match (token, name.is_empty()) {
        (Some(token), is_nameless) => {
            if !is_nameless || !password.is_empty() {
                notice("A single user and its password have no effect beside a token");
            }
            Some(SingleLogin::Token(token.clone()))
        }
        (None, true) => {
            if !password.is_empty() {
                notice("A password without a user has no effect: it asks nobody to log in");
            }
            None
        }
        (None, false) if !users.is_empty() => {
            notice("A single user has no effect beside a list of users");
            None
        }
        (None, false) => Some(SingleLogin::User { name, password }),
    }
}

/// Whether a password is given as its bcrypt hash.
fn is_bcrypt(password: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| password.starts_with(prefix))
}

fn warn_of_plain_passwords(raw: &RawConfig, users: &[User], warnings: &mut Vec<Warning>) {
    // Who comes with a certificate needs no password.
    let is_mapped = raw.tls.as_ref().is_some_and(|tls| tls.value.verify_and_map);
    let in_list = users.iter().any(|user| match &user.credential {
        Credential::Password { password, .. } if password.is_empty() => !is_mapped,
        Credential::Password { password, .. } => !is_bcrypt(password.expose()),
        Credential::Nkey(_) => false,
    });
    let single = raw.password.as_ref().map(|password| password.value.expose()).unwrap_or_default();
    if in_list || (!single.is_empty() && !is_bcrypt(single)) {
        warnings.push(Warning::Notice("Plaintext passwords detected, use nkeys or bcrypt".into()));
    }
}

/// TLS for clients. Flags replace the file's certificate, and what else they say. The rest of the file stands: on the peer a
/// certificate in a flag takes the file's verification, versions and ciphers away, which nobody means (CVE-2021-32026).
pub(super) fn tls(checks: &mut Checks, raw: &RawConfig, warnings: &mut Vec<Warning>) -> Option<Tls> {
    let flags = [&raw.tls_cert_flag, &raw.tls_key_flag, &raw.tls_ca_flag];
    let has_flags = flags.iter().any(|flag| flag.is_some()) || raw.tls_flag.is_some() || raw.tls_verify_flag.is_some();
    if raw.tls_flag.as_ref().is_some_and(|flag| !flag.value) {
        return None;
    }
    let written = raw.tls.clone();
    let origin = written.as_ref().map(|tls| tls.origin.clone()).unwrap_or_default();
    let tls = if has_flags {
        from_flags(checks, raw, written.map(|tls| tls.value).unwrap_or_default())?
    } else {
        let tls = written?.value;
        if tls.certificates.is_empty() {
            checks.refuse(format!(
                "{origin}: \"tls\" has no certificate: write \"cert_file\" and \"key_file\", or \"certs\""
            ));
        }
        tls
    };
    if tls.handshake_first == HandshakeFirst::Yes {
        let text = "Clients that are not using \"TLS Handshake First\" option will fail to connect";
        warnings.push(Warning::Notice(text.into()));
    }
    let timeout = Written { value: tls.timeout, origin };
    let timeout = checks.nanos(Some(&timeout), "tls timeout", 0);
    Some(Tls {
        certificates: tls.certificates,
        ca_file: tls.ca_file,
        verify: tls.verify,
        verify_and_map: tls.verify_and_map,
        timeout: Some(nanos(timeout)).filter(|timeout| !timeout.is_zero()),
        min_version: tls.min_version,
        cipher_suites: tls.cipher_suites,
        curve_preferences: tls.curve_preferences,
        pinned_certs: tls.pinned_certs,
        handshake_first: tls.handshake_first,
        handshakes_per_second_max: u64::try_from(tls.connection_rate_limit).unwrap_or(0),
        allow_plain: flag(raw.allow_non_tls.as_ref()),
    })
}

fn from_flags(checks: &mut Checks, raw: &RawConfig, under: RawTls) -> Option<RawTls> {
    let (cert, key) = (text(raw.tls_cert_flag.as_ref()), text(raw.tls_key_flag.as_ref()));
    let missing = match (cert.is_empty(), key.is_empty()) {
        (true, _) => "TLS Server certificate must be present and valid",
        (false, true) => "TLS Server private key must be present and valid",
        (false, false) => {
            let verify = raw.tls_verify_flag.as_ref().map_or(under.verify, |flag| flag.value);
            let ca_flag = Some(PathBuf::from(text(raw.tls_ca_flag.as_ref())));
            return Some(RawTls {
                certificates: vec![(cert.into(), key.into())],
                ca_file: ca_flag.filter(|path| !path.as_os_str().is_empty()).or(under.ca_file),
                verify,
                verify_and_map: verify && under.verify_and_map,
                ..under
            });
        }
    };
    checks.refuse(missing.into());
    None
}

fn nanos(value: i64) -> Duration {
    Duration::from_nanos(value.unsigned_abs())
}
