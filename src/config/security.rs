//! Who may come in and do what, and how TLS is spoken: plain data, as the file and the flags say it.
//!
//! Owns no rule: `auth` decides logins and permissions from it, `tls` reads the files that it names.
//! Invariants (`resolve` sees to them): account names are unique, `$G` is first and the system account, where there is one, is
//! marked; every user's `account` is an index into `accounts`; subjects in permissions are valid patterns.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// Logins, permissions and accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// All accounts; the first is `$G`.
    pub accounts: Vec<Account>,
    /// Users with a name or an nkey, of `authorization.users` and of all accounts.
    pub users: Vec<User>,
    /// The one login of `authorization { user, password }`, `{ token }`, `--user`, `--pass` and `--auth`. Beside `users` it is a
    /// token (`--auth` over a file with users), and both are let in.
    pub single: Option<SingleLogin>,
    /// `no_auth_user`: who a client is that says nothing of who it is.
    pub no_auth_user: Option<String>,
    /// Only the system account was declared, and nothing else about logins: whoever shows nothing of who it is comes into `$G`.
    /// INFO asks for a login all the same, and one that is shown must be right, even where there are no users at all.
    pub anonymous_in_global: bool,
    /// `authorization.timeout`: how long a client may take to log in. `None`: the default (2 s, with TLS its timeout and 1 s).
    pub timeout: Option<Duration>,
    /// `authorization.proxy_required`: holds for `single`; users of a list have their own.
    pub proxy_required: bool,
    /// `proxies.trusted`: public keys of trusted proxies.
    pub trusted_proxies: Vec<String>,
    /// Index of the system account among `accounts`; `None`: `no_system_account`.
    pub system_account: Option<usize>,
    /// Failed logins allowed a minute from one address before further ones are refused unheard; `None` (the default): no bound.
    pub failed_logins_per_minute_max: Option<u32>,
}

impl Default for Security {
    /// Everyone is let in, to `$G`.
    fn default() -> Self {
        let named = |name: &str| Account { name: name.into(), ..Account::default() };
        Self {
            accounts: vec![named("$G"), named("$SYS")],
            users: Vec::new(),
            single: None,
            no_auth_user: None,
            anonymous_in_global: false,
            timeout: None,
            proxy_required: false,
            trusted_proxies: Vec::new(),
            system_account: Some(1),
            failed_logins_per_minute_max: None,
        }
    }
}

/// A login that is not in a list of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SingleLogin {
    /// A name and a password, plain or bcrypt.
    User {
        /// Name.
        name: String,
        /// Password as written.
        password: Secret,
    },
    /// A token, plain or bcrypt.
    Token(Secret),
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its public key, where it has one.
    pub nkey: Option<String>,
    /// `limits`.
    pub limits: AccountLimits,
}

/// Bounds on what all clients of an account have together; `None`: no bound, 0: none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// `max_connections`.
    pub connections_max: Option<u64>,
    /// `max_subscriptions`.
    pub subscriptions_max: Option<u64>,
    /// `max_payload`: bytes.
    pub payload_bytes_max: Option<u64>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// How it proves who it is.
    pub credential: Credential,
    /// Index of its account.
    pub account: usize,
    /// Its own permissions, or the default ones of where it stands; `None`: everything.
    pub permissions: Option<Permissions>,
    /// `allowed_connection_types`, in upper case; empty: all.
    pub connection_types: Vec<String>,
    /// `proxy_required`.
    pub proxy_required: bool,
}

/// How a user proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// With a password.
    Password {
        /// Name.
        name: String,
        /// Plain, or bcrypt where it begins with `$2a$`, `$2b$`, `$2x$` or `$2y$`. May be empty: whoever has a certificate of that name, or any.
        password: Secret,
    },
    /// With a signature.
    Nkey(String),
}

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// `publish`.
    pub publish: Option<SubjectLists>,
    /// `subscribe`; an entry may be `subject queue`.
    pub subscribe: Option<SubjectLists>,
    /// `allow_responses`.
    pub responses: Option<ResponsePermission>,
}

/// Subjects that are allowed and denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectLists {
    /// `None`: all that is not denied; empty: nothing.
    pub allow: Option<Vec<String>>,
    /// What is denied.
    pub deny: Vec<String>,
}

/// `allow_responses`: may publish to the reply subjects of what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponsePermission {
    /// How many messages to each; `None`: any number.
    pub messages_max: Option<u64>,
    /// For how long; `None`: for ever.
    pub expires: Option<Duration>,
}

/// A `tls` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chains with their keys, in the order written; `cert_file` and `key_file`, or `certs`.
    pub certificates: Vec<(PathBuf, PathBuf)>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
    /// `verify`: a client must show a certificate.
    pub verify: bool,
    /// `verify_and_map`: its names are the user's.
    pub verify_and_map: bool,
    /// `timeout`: how long a handshake may take. `None`: 2 s.
    pub timeout: Option<Duration>,
    /// `min_version`: `1.2` or `1.3`.
    pub min_version: Option<String>,
    /// `cipher_suites`, by their Go names.
    pub cipher_suites: Vec<String>,
    /// `curve_preferences`, by their Go names.
    pub curve_preferences: Vec<String>,
    /// `pinned_certs`: SHA-256 of public keys (SPKI), lower-case hex.
    pub pinned_certs: Vec<String>,
    /// `handshake_first`.
    pub handshake_first: HandshakeFirst,
    /// `connection_rate_limit`: handshakes a second; 0: no bound.
    pub handshakes_per_second_max: u64,
    /// `allow_non_tls`: plain clients are served as well.
    pub allow_plain: bool,
}

/// `handshake_first`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandshakeFirst {
    /// INFO goes out in the clear, then TLS begins.
    #[default]
    No,
    /// TLS begins at once.
    Yes,
    /// TLS begins at once where the client begins it within that time; else INFO goes out.
    Within(Duration),
}
