//! An operator with one account and one user, as JWTs signed here, and the configuration of a server that trusts it.

use nkeys::KeyPair;
use serde_json::{Value, json};

/// The keys, and what they have signed.
pub(crate) struct Operator {
    operator_jwt: String,
    account: String,
    account_jwt: String,
    user_jwt: String,
    user_seed: String,
}

impl Operator {
    /// New keys.
    pub(crate) fn new() -> Self {
        let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
        let free = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1
        });
        let account_claims = json!({"type": "account", "version": 2, "limits": free});
        let user_claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
        Self {
            operator_jwt: signed(&operator, &operator, &json!({"type": "operator", "version": 2})),
            account: account.public_key(),
            account_jwt: signed(&operator, &account, &account_claims),
            user_jwt: signed(&account, &user, &user_claims),
            user_seed: user.seed().expect("a seed"),
        }
    }

    /// The configuration of a server that knows the account from memory.
    pub(crate) fn config(&self) -> String {
        let (operator, account, jwt) = (&self.operator_jwt, &self.account, &self.account_jwt);
        format!("operator: {operator}\nresolver: MEMORY\nresolver_preload: {{ {account}: {jwt} }}\n")
    }

    /// The credentials file of the user.
    pub(crate) fn creds(&self) -> String {
        let (jwt, seed) = (&self.user_jwt, &self.user_seed);
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }
}

/// A JWT about `subject`, signed by `issuer`.
fn signed(issuer: &KeyPair, subject: &KeyPair, nats: &Value) -> String {
    let header = base64url(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let claims = json!({
        "jti": subject.public_key(), "iat": 1_700_000_000, "iss": issuer.public_key(), "name": "test",
        "sub": subject.public_key(), "nats": nats,
    });
    let text = format!("{header}.{}", base64url(claims.to_string().as_bytes()));
    let signature = issuer.sign(text.as_bytes()).expect("signed");
    format!("{text}.{}", base64url(&signature))
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let bits = part.iter().enumerate().fold(0_u32, |sum, (at, byte)| sum | u32::from(*byte) << (16 - 8 * at));
        text.extend((0..=part.len()).map(|at| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize])));
    }
    text
}
