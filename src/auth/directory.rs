//! Everyone who may come in, and the decision about one who asks.
//!
//! Owns the order of the checks, which is the peer's: the proxy, then a key, a certificate or a name with a password, then the one
//! login that stands for all. Must not do what takes long (see [`BcryptCheck`]), nor log what it decides.
//! Invariants: a directory is never changed; a reload builds another. What a client is told does not depend on why it is refused, nor,
//! for names with passwords, does the time it takes. Leniency never opens what is configured: a client that presents credentials
//! never becomes the user of `no_auth_user` (CVE-2023-47090).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::bcrypt_check::{BcryptCheck, PADDED_COST_MAX};
use super::certificate::PeerCertificate;
use super::distinguished_name::{self, Name};
use super::grant::{ConnectionType, ConnectionTypes, Grant, Identity, Refusal};
use super::nkey::{PublicKey, Signature};
use super::password::Kept;
use super::permissions::Permissions;
use crate::config::security::{Credential, Security, SingleLogin, User};
use crate::ids::AccountId;
use crate::protocol::handshake::ConnectOptions;
use crate::secret::Secret;

/// What a client has to show.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// What its CONNECT said.
    pub options: &'a ConnectOptions,
    /// The nonce of its INFO; empty where there was none.
    pub nonce: &'a [u8],
    /// Its certificate, where it showed one and it was verified.
    pub certificate: Option<&'a PeerCertificate>,
    /// `verify_and_map`: the certificate names the user.
    pub map_certificate: bool,
    /// How it comes.
    pub connection_type: ConnectionType,
}

/// The decision about a client.
#[derive(Debug)]
pub enum Verdict {
    /// It may come in.
    Admit(Arc<Grant>),
    /// That depends on a check which takes long.
    Verify(BcryptCheck),
    /// It may not.
    Refuse(Refusal),
}

/// What is wrong with what is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryError {
    /// There are fewer accounts than a user's index says.
    Account(usize),
    /// This is no public key of a user.
    UserKey(String),
    /// This is no public key.
    ProxyKey(String),
    /// There is no such connection type.
    ConnectionType(String),
    /// `no_auth_user` names nobody.
    NoAuthUser(String),
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(index) => write!(formatter, "a user is in account {index}, and there is none"),
            Self::UserKey(key) => write!(formatter, "Not a valid public nkey for a user: {key:?}"),
            Self::ProxyKey(key) => write!(formatter, "invalid proxy key {key:?}"),
            Self::ConnectionType(name) => write!(formatter, "unknown connection type {name:?}"),
            Self::NoAuthUser(name) => write!(
                formatter,
                "no_auth_user: {name:?} not present as user in authorization block or account configuration"
            ),
        }
    }
}

impl std::error::Error for DirectoryError {}

/// Whom a client becomes that says nothing of who it is.
#[derive(Debug)]
enum Guest {
    /// `no_auth_user`, a name.
    User(Box<str>),
    /// `no_auth_user`, a key.
    Nkey(Box<str>),
    /// Nobody in `$G`: only the system account has users, and no `authorization` is written.
    Nobody(Arc<Grant>),
}

/// The one login beside lists of users.
#[derive(Debug)]
struct Single {
    /// `None`: it is a token.
    name: Option<Box<str>>,
    grant: Arc<Grant>,
}

/// Everyone who may come in.
#[derive(Debug)]
pub struct Directory {
    users: HashMap<Box<str>, Arc<Grant>>,
    nkeys: HashMap<Box<str>, (PublicKey, Arc<Grant>)>,
    /// Users whose names are distinguished names, by these without their order.
    distinguished: HashMap<Name, Vec<(Name, Arc<Grant>)>>,
    single: Option<Single>,
    guest: Option<Guest>,
    proxies: Vec<PublicKey>,
    /// Who everyone is where no logins are configured.
    everyone: Arc<Grant>,
    /// What a failed login with a password costs; `None`: no password is kept as a hash.
    failure_cost: Option<u8>,
}

impl Directory {
    /// Reads what is configured; `account_ids` are those of `security.accounts`, in the same order.
    pub fn new(security: &Security, account_ids: &[AccountId]) -> Result<Self, DirectoryError> {
        let global = *account_ids.first().ok_or(DirectoryError::Account(0))?;
        let mut directory = Self {
            users: HashMap::new(),
            nkeys: HashMap::new(),
            distinguished: HashMap::new(),
            single: None,
            guest: None,
            proxies: Vec::new(),
            everyone: Arc::new(plain_grant(global, Identity::Nobody, None, false)),
            failure_cost: None,
        };
        for user in &security.users {
            directory.add(user, account_ids)?;
        }
        directory.single = single(security, global);
        directory.guest = directory.guest(security, global)?;
        for key in &security.trusted_proxies {
            let proxy = PublicKey::of_any(key).ok_or_else(|| DirectoryError::ProxyKey(key.clone()))?;
            directory.proxies.push(proxy);
        }
        let kept = directory.users.values().chain(directory.single.as_ref().map(|single| &single.grant));
        let cost = kept.filter_map(|grant| grant.kept.as_ref()?.cost()).max();
        directory.failure_cost = cost.map(|cost| cost.min(PADDED_COST_MAX));
        Ok(directory)
    }

    fn add(&mut self, user: &User, account_ids: &[AccountId]) -> Result<(), DirectoryError> {
        let (identity, kept) = match &user.credential {
            Credential::Password { name, password } => {
                (Identity::User(name.as_str().into()), Some(Kept::new(password)))
            }
            Credential::Nkey(key) => (Identity::Nkey(key.as_str().into()), None),
        };
        let grant = Arc::new(Grant {
            account: *account_ids.get(user.account).ok_or(DirectoryError::Account(user.account))?,
            identity,
            permissions: user.permissions.as_ref().map(|written| Arc::new(Permissions::new(written))),
            kept,
            connection_types: ConnectionTypes::named(&user.connection_types).map_err(DirectoryError::ConnectionType)?,
            proxy_required: user.proxy_required,
        });
        match &user.credential {
            Credential::Password { name, .. } => {
                if let Some(parsed) = Name::parse(name) {
                    let same = self.distinguished.entry(parsed.regardless_of_order()).or_default();
                    same.push((parsed, Arc::clone(&grant)));
                }
                self.users.insert(name.as_str().into(), grant);
            }
            Credential::Nkey(key) => {
                let public = PublicKey::of_user(key).ok_or_else(|| DirectoryError::UserKey(key.clone()))?;
                self.nkeys.insert(key.as_str().into(), (public, grant));
            }
        }
        Ok(())
    }

    /// Who clients are that do not say who they are.
    fn guest(&self, security: &Security, global: AccountId) -> Result<Option<Guest>, DirectoryError> {
        if let Some(name) = &security.no_auth_user {
            let guest = if self.users.contains_key(name.as_str()) {
                Guest::User(name.as_str().into())
            } else if self.nkeys.contains_key(name.as_str()) {
                Guest::Nkey(name.as_str().into())
            } else {
                return Err(DirectoryError::NoAuthUser(name.clone()));
            };
            return Ok(Some(guest));
        }
        Ok(security
            .anonymous_in_global
            .then(|| Guest::Nobody(Arc::new(plain_grant(global, Identity::Nobody, None, false)))))
    }

    /// Whether clients must log in.
    pub fn is_required(&self) -> bool {
        !self.users.is_empty() || !self.nkeys.is_empty() || self.single.is_some() || self.guest.is_some()
    }

    /// `auth_required` of a client's first INFO: with `no_auth_user` it is kept from clients, which may say nothing of who they
    /// are. The INFO after CONNECT says whether it [`Self::is_required`].
    pub fn is_announced(&self) -> bool {
        self.is_required() && !matches!(self.guest, Some(Guest::User(_) | Guest::Nkey(_)))
    }

    /// Whether INFO carries a nonce to sign.
    pub fn wants_nonce(&self) -> bool {
        !self.nkeys.is_empty() || !self.proxies.is_empty()
    }

    /// Whether a client may come in.
    pub fn decide(&self, claims: &Claims<'_>) -> Verdict {
        let proxy_sig = &claims.options.proxy_sig;
        let through_proxy = !self.proxies.is_empty() && !proxy_sig.is_empty();
        if through_proxy && !self.is_by_proxy(claims.nonce, proxy_sig) {
            return Verdict::Refuse(Refusal::ProxyNotTrusted);
        }
        if !self.is_required() {
            return Verdict::Admit(Arc::clone(&self.everyone));
        }
        let outcome = |grant: &Arc<Grant>| {
            let refused = grant.proxy_required && !through_proxy;
            if refused { Err(Refusal::ProxyRequired) } else { Ok(Arc::clone(grant)) }
        };
        match self.find(claims) {
            Found::Nobody => Verdict::Refuse(Refusal::Credentials),
            Found::Proved(grant) => outcome(grant).map_or_else(Verdict::Refuse, Verdict::Admit),
            Found::Claimed { grant, secret } => {
                let grant = grant.filter(|grant| grant.connection_types.contains(claims.connection_type));
                self.compare(grant, secret, outcome)
            }
        }
    }

    /// The grant that stands for `old` after a reload: the same user with the same credentials, who may come the same way.
    /// Its permissions and its account may be others. `None`: decide again, or close the connection.
    pub fn renewed(&self, old: &Grant) -> Option<Arc<Grant>> {
        let new = match &old.identity {
            Identity::User(name) => match (&self.single, self.users.get(name)) {
                (Some(single), _) if single.name.as_ref() == Some(name) => Some(&single.grant),
                (_, user) => user,
            },
            Identity::Nkey(key) => self.nkeys.get(key).map(|(_, grant)| grant),
            Identity::Token => self.single.as_ref().filter(|single| single.name.is_none()).map(|single| &single.grant),
            Identity::Nobody => match &self.guest {
                _ if !self.is_required() => Some(&self.everyone),
                Some(Guest::Nobody(grant)) => Some(grant),
                _ => None,
            },
        };
        let is_same = |new: &&Arc<Grant>| {
            new.kept == old.kept
                && new.connection_types == old.connection_types
                && (new.proxy_required == old.proxy_required || !new.proxy_required)
        };
        new.filter(is_same).cloned()
    }

    fn is_by_proxy(&self, nonce: &[u8], signature: &Secret) -> bool {
        Signature::of_proxy(signature.expose())
            .is_some_and(|signature| self.proxies.iter().any(|proxy| proxy.signed(nonce, &signature)))
    }

    /// Whom the claims are about, and what is left to prove.
    fn find<'a>(&'a self, claims: &Claims<'a>) -> Found<'a> {
        let options = claims.options;
        let says_nothing = options.user.is_empty() && options.pass.is_empty() && options.auth_token.is_empty();
        let nkey = match &self.guest {
            Some(Guest::Nkey(key)) if says_nothing && options.nkey.is_empty() => key,
            _ => &options.nkey,
        };
        if !self.nkeys.is_empty() && !nkey.is_empty() {
            return self.find_nkey(nkey, claims);
        }
        if !self.users.is_empty() || matches!(self.guest, Some(Guest::Nobody(_))) {
            if claims.map_certificate {
                let user = claims.certificate.and_then(|certificate| self.mapped(certificate, claims.connection_type));
                return user
                    .map_or(Found::Nobody, |grant| Found::Claimed { grant: Some(grant), secret: &options.pass });
            }
            match &self.guest {
                Some(Guest::User(name)) if says_nothing => return self.guest_user(name, claims.connection_type),
                Some(Guest::Nobody(grant)) if says_nothing => return Found::Proved(grant),
                _ => {}
            }
            if !options.user.is_empty() {
                return Found::Claimed { grant: self.users.get(&options.user), secret: &options.pass };
            }
        }
        match &self.single {
            None => Found::Nobody,
            Some(Single { name: None, grant }) => Found::Claimed { grant: Some(grant), secret: &options.auth_token },
            Some(Single { name: Some(name), grant }) => {
                Found::Claimed { grant: (*name == options.user).then_some(grant), secret: &options.pass }
            }
        }
    }

    fn find_nkey<'a>(&'a self, nkey: &str, claims: &Claims<'_>) -> Found<'a> {
        let is_guest = matches!(&self.guest, Some(Guest::Nkey(key)) if **key == *nkey);
        let proved = self.nkeys.get(nkey).filter(|(key, grant)| {
            let is_signed = || {
                Signature::of_user(claims.options.sig.expose())
                    .is_some_and(|signature| key.signed(claims.nonce, &signature))
            };
            (is_guest || is_signed()) && grant.connection_types.contains(claims.connection_type)
        });
        proved.map_or(Found::Nobody, |(_, grant)| Found::Proved(grant))
    }

    /// The user of `no_auth_user`. The peer presents the configured password for the client; a hash does not match itself.
    fn guest_user(&self, name: &str, connection_type: ConnectionType) -> Found<'_> {
        let is_plain = |grant: &&Arc<Grant>| matches!(grant.kept, Some(Kept::Plain(_)));
        let user = self.users.get(name).filter(is_plain);
        user.filter(|grant| grant.connection_types.contains(connection_type)).map_or(Found::Nobody, Found::Proved)
    }

    /// The user that a certificate names: by an e-mail address, a host name, a URI, by its subject, or by a text of that.
    fn mapped(&self, certificate: &PeerCertificate, connection_type: ConnectionType) -> Option<&Arc<Grant>> {
        let may_come = |grant: &&Arc<Grant>| grant.connection_types.contains(connection_type);
        let by_name = |name: &str| self.users.get(name).filter(may_come);
        let names = certificate.emails.iter().chain(&certificate.dns_names).chain(&certificate.uris);
        if let Some(grant) = names.filter(|name| !name.is_empty()).find_map(|name| by_name(name)) {
            return Some(grant);
        }
        let subject = Name::of_certificate(&certificate.subject);
        if let Some(same) = subject.as_ref().and_then(|name| self.distinguished.get(&name.regardless_of_order())) {
            let coming = || same.iter().filter(|(_, grant)| may_come(&grant));
            let exact = coming().find(|(name, _)| Some(name) == subject.as_ref());
            if let Some((_, grant)) = exact.or_else(|| coming().next()) {
                return Some(grant);
            }
        }
        distinguished_name::texts(&certificate.subject).find_map(|text| by_name(&text))
    }

    /// Compares `secret` with the one that is kept for `grant`; `None`: with nobody's, in the same time.
    fn compare(
        &self,
        grant: Option<&Arc<Grant>>,
        secret: &Secret,
        outcome: impl Fn(&Arc<Grant>) -> Result<Arc<Grant>, Refusal>,
    ) -> Verdict {
        let check =
            |hash, outcome, cost| Verdict::Verify(BcryptCheck { hash, password: secret.clone(), outcome, cost });
        let failed = |refusal| match self.failure_cost {
            None => Verdict::Refuse(refusal),
            Some(cost) => check(None, Err(refusal), cost),
        };
        let Some(grant) = grant else { return failed(Refusal::Credentials) };
        // Without its proxy no password helps; as with the peer, the log says so whatever the password was.
        let grant = match outcome(grant) {
            Ok(grant) => grant,
            Err(refusal) => return failed(refusal),
        };
        match &grant.kept {
            Some(Kept::Plain(kept)) if kept.matches(secret) => Verdict::Admit(grant),
            Some(Kept::Bcrypt(hash)) => {
                let (hash, cost) = (hash.clone(), self.failure_cost.unwrap_or(hash.cost));
                check(Some(hash), Ok(grant), cost)
            }
            Some(Kept::Plain(_) | Kept::Nothing) | None => failed(Refusal::Credentials),
        }
    }
}

/// Whom claims are about.
enum Found<'a> {
    /// Nobody, and there is nothing to hide.
    Nobody,
    /// Somebody, and no more is needed.
    Proved(&'a Arc<Grant>),
    /// Somebody, or `None`, where the secret is right.
    Claimed { grant: Option<&'a Arc<Grant>>, secret: &'a Secret },
}

fn plain_grant(account: AccountId, identity: Identity, kept: Option<Kept>, proxy_required: bool) -> Grant {
    Grant { account, identity, permissions: None, kept, connection_types: ConnectionTypes::ALL, proxy_required }
}

/// The login without a list; an empty name or token is none, as with the peer.
fn single(security: &Security, global: AccountId) -> Option<Single> {
    let (name, identity, secret) = match security.single.as_ref()? {
        SingleLogin::User { name, .. } if name.is_empty() => return None,
        SingleLogin::Token(token) if token.is_empty() => return None,
        SingleLogin::User { name, password } => {
            (Some(name.as_str().into()), Identity::User(name.as_str().into()), password)
        }
        SingleLogin::Token(token) => (None, Identity::Token, token),
    };
    let grant = plain_grant(global, identity, Some(Kept::new(secret)), security.proxy_required);
    Some(Single { name, grant: Arc::new(grant) })
}
