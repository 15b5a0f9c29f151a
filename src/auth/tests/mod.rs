//! Logins, permissions and reloads as the peer was seen to do them, and permissions beside their oracle.

mod certificates;
mod logins;
mod permissions;
mod reload;
mod secrets;

use std::sync::Arc;

use super::certificate::PeerCertificate;
use super::directory::{Claims, Directory, Verdict};
use super::grant::{ConnectionType, Grant, Refusal};
use crate::config::security::{Account, Credential, Security, User};
use crate::ids::AccountId;
use crate::protocol::handshake::ConnectOptions;
use crate::secret::Secret;

/// "sesame", at the least cost.
const SESAME: &str = "$2a$04$1LLomvjc4JAAGdywxsPxLuNUIXq2ZRuC7NNBJSjK9rtCrEDfXQO7S";
const NONCE: &[u8] = b"bWhvvcPHFa0";
const KEY: &str = "UDR3SSUSWTPATKKD7IF6GQ74OZPP2BLNCMPQVWX7H4U4SFIPX3YO4UUZ";
const KEY_SEED: &str = "SUAORFBVU4SN6X5XYXI6K3BL3CWNET2FVPYHTQ7JVIGZEA6LRT4NA3A34A";

fn user(name: &str, password: &str) -> User {
    with_credential(Credential::Password { name: name.into(), password: Secret::new(password) })
}

fn nkey_user(key: &str) -> User {
    with_credential(Credential::Nkey(key.into()))
}

fn with_credential(credential: Credential) -> User {
    User { credential, account: 0, permissions: None, connection_types: Vec::new(), proxy_required: false }
}

fn in_account(account: usize, user: User) -> User {
    User { account, ..user }
}

fn with_users(users: impl Into<Vec<User>>) -> Security {
    Security { users: users.into(), ..Security::default() }
}

fn with_account(security: Security, name: &str) -> Security {
    let mut accounts = security.accounts.clone();
    accounts.push(Account { name: name.into(), ..Account::default() });
    Security { accounts, ..security }
}

/// Account ids that are not the indices.
fn directory(security: &Security) -> Directory {
    let ids: Vec<_> = (0..security.accounts.len() as u32).map(|n| AccountId(n + 10)).collect();
    Directory::new(security, &ids).expect("a sound configuration")
}

/// CONNECT, as one that is not signed writes it; `SIG` stands for a signature by [`KEY`].
fn options(body: &str) -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.apply(body.replace("SIG", &signature()).as_bytes(), true).expect("a sound body");
    options
}

fn signature() -> String {
    use base64::Engine;
    let pair = nkeys::KeyPair::from_seed(KEY_SEED).expect("a seed");
    let mut text = [0; 128];
    let signature = pair.sign(NONCE).expect("it can sign");
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let length = engine.encode_slice(signature, &mut text).expect("it fits");
    String::from_utf8_lossy(&text[..length]).into_owned()
}

fn claims(options: &ConnectOptions) -> Claims<'_> {
    Claims {
        options,
        nonce: NONCE,
        certificate: None,
        map_certificate: false,
        connection_type: ConnectionType::Standard,
    }
}

/// The end of a login, whatever it takes.
fn settle(verdict: Verdict) -> Result<Arc<Grant>, Refusal> {
    match verdict {
        Verdict::Admit(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
        Verdict::Verify(check) => check.run(),
    }
}

fn login(directory: &Directory, body: &str) -> Result<Arc<Grant>, Refusal> {
    settle(directory.decide(&claims(&options(body))))
}

fn login_with(directory: &Directory, certificate: Option<&PeerCertificate>, body: &str) -> Result<Arc<Grant>, Refusal> {
    let options = options(body);
    settle(directory.decide(&Claims { certificate, map_certificate: true, ..claims(&options) }))
}

/// Each row: a CONNECT, and who comes in (`-`: nobody in particular), or nothing where it is refused.
#[track_caller]
fn play(security: &Security, rows: &[(&str, Option<&str>)]) {
    let directory = directory(security);
    for (body, expected) in rows {
        let grant = login(&directory, body).ok();
        let came = grant.as_ref().map(|grant| grant.identity.name().unwrap_or("-"));
        assert_eq!(came, *expected, "{body}");
    }
}
