//! What a schedule's configuration says of users and limits: what a reload changes.
//!
//! Owns the users, their accounts and rights; `shape` has what stays the same. Everything happens in `$G`, and there is the account of
//! the neighbours.

use dunlin::Config;
use dunlin::config::security::{Account, AccountLimits, Credential, Permissions, Security, SubjectLists, User};
use dunlin::secret::Secret;

/// Who a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// It may do what it likes in the account where everything happens.
    Anybody,
    /// It is in that account, and may not have everything ([`Terms::restricted`]).
    Restricted,
    /// It is in another account.
    Neighbour,
    /// It says nothing of who it is, and is in the account where everything happens.
    Guest,
    /// As anybody; a reload takes it away.
    Leaver,
    /// The same, and its password takes time to check.
    Hashed,
}

/// A hash of the password `sesame`, and one of another.
const HASHES: [&str; 2] = [
    "$2a$04$1LLomvjc4JAAGdywxsPxLuNUIXq2ZRuC7NNBJSjK9rtCrEDfXQO7S",
    "$2a$04$nI5wTbvPxF8qS08Zpf5.gO/Sekret7Tb7Pc6TmX6cVzXbDZRwzC9a",
];

impl Who {
    /// The name of the user.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anybody => "any",
            Self::Restricted => "restricted",
            Self::Neighbour => "neighbour",
            Self::Guest => "guest",
            Self::Leaver => "leaver",
            Self::Hashed => "hashed",
        }
    }

    /// What a client shows.
    pub const fn password(self) -> &'static str {
        if matches!(self, Self::Hashed) { "sesame" } else { "p" }
    }

    /// Whether it is in the account of the neighbours.
    pub fn is_elsewhere(self) -> bool {
        self == Self::Neighbour
    }
}

/// What can change while the server runs.
#[derive(Clone, Debug)]
pub struct Terms {
    /// There are logins.
    pub logins: bool,
    /// What [`Who::Restricted`] may not have.
    pub restricted: Option<&'static str>,
    /// What [`Who::Guest`] may not have.
    pub guest: Option<&'static str>,
    /// [`Who::Leaver`] may come in.
    pub leavers: bool,
    /// Which password [`Who::Hashed`] has; only the first is shown by clients.
    pub hash: usize,
    pub connections_max: Option<u64>,
    pub payload_bytes_max: u32,
    pub control_line_bytes_max: u32,
    /// Bounds of the account where everything happens.
    pub account: AccountLimits,
    /// TLS may be spoken.
    pub tls: bool,
}

impl Terms {
    /// Those that a server starts with.
    pub fn new(neighbours: usize, tls: bool) -> Self {
        Self {
            logins: neighbours > 0,
            restricted: Some("*.*.no"),
            guest: (neighbours > 1).then_some("*.*.no"),
            leavers: true,
            hash: 0,
            connections_max: None,
            payload_bytes_max: 1 << 20,
            control_line_bytes_max: 4096,
            account: AccountLimits::default(),
            tls,
        }
    }

    /// What somebody may not have.
    pub fn denied(&self, who: Who) -> Option<&'static str> {
        match who {
            Who::Restricted => self.restricted,
            Who::Guest => self.guest,
            Who::Anybody | Who::Neighbour | Who::Leaver | Who::Hashed => None,
        }
    }

    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.limits.connections_max = self.connections_max;
        config.limits.payload_bytes_max = self.payload_bytes_max;
        config.limits.control_line_bytes_max = self.control_line_bytes_max;
        config
    }

    pub fn security(&self) -> Security {
        let plain = Security::default();
        if !self.logins {
            return plain;
        }
        let named = |name: &str, limits| Account { name: name.into(), limits, ..Account::default() };
        let mut accounts = [plain.accounts.clone(), vec![named("OTHER", AccountLimits::default())]].concat();
        accounts[0].limits = self.account;
        let mut users: Vec<User> =
            [Who::Anybody, Who::Restricted, Who::Neighbour, Who::Guest, Who::Hashed].map(|who| self.user(who)).into();
        if self.leavers {
            users.push(self.user(Who::Leaver));
        }
        Security { accounts, users, no_auth_user: Some(Who::Guest.name().into()), ..plain }
    }

    fn user(&self, who: Who) -> User {
        let permissions = self.denied(who).map(|denied| {
            let lists = SubjectLists { allow: None, deny: vec![denied.to_owned()] };
            Permissions { subscribe: Some(lists), ..Permissions::default() }
        });
        let password = if who == Who::Hashed { HASHES[self.hash] } else { who.password() };
        User {
            credential: Credential::Password { name: who.name().into(), password: Secret::new(password) },
            account: if who.is_elsewhere() { 2 } else { 0 },
            permissions,
            connection_types: Vec::new(),
            proxy_required: false,
        }
    }
}
