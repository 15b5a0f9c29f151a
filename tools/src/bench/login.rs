//! Who we are: passwords, tokens, nkeys and credentials files, and how they stand in CONNECT.
//!
//! Reads the files that flags name. Shows no secret: `Debug` tells the kind alone.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use nkeys::KeyPair;
use serde_json::Value;

use super::trouble::{Outcome, Trouble};

/// Who we are.
#[derive(Clone)]
pub(crate) enum Login {
    Nobody,
    Password {
        user: String,
        password: String,
    },
    Token(String),
    Nkey(Arc<KeyPair>),
    /// A user JWT and the key that it is for: `--creds`.
    Jwt {
        jwt: String,
        pair: Arc<KeyPair>,
    },
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Password { .. } => "Password",
            Self::Token(_) => "Token",
            Self::Nkey(_) => "Nkey",
            Self::Jwt { .. } => "Jwt",
        })
    }
}

impl Login {
    /// From a file with an nkey seed.
    pub(crate) fn of_nkey(file: &Path) -> Outcome<Self> {
        Ok(Self::Nkey(Arc::new(pair("--nkey", file, &text("--nkey", file)?)?)))
    }

    /// From a credentials file: a JWT and a seed, each between lines of dashes.
    pub(crate) fn of_creds(file: &Path) -> Outcome<Self> {
        let text = text("--creds", file)?;
        let jwt = text.lines().map(str::trim).find(|line| is_jwt(line));
        let jwt = jwt.ok_or_else(|| wrong("--creds", file, "there is no user JWT in it (eyJ…)"))?.to_owned();
        Ok(Self::Jwt { jwt, pair: Arc::new(pair("--creds", file, &text)?) })
    }

    /// From a JWT by itself and a file with the seed.
    pub(crate) fn of_jwt(jwt: &str, file: &Path) -> Outcome<Self> {
        Ok(Self::Jwt { jwt: jwt.to_owned(), pair: Arc::new(pair("--nkey", file, &text("--nkey", file)?)?) })
    }

    /// Adds what CONNECT says of us; `nonce` is that of INFO.
    pub(crate) fn add_to(&self, body: &mut Value, nonce: &str) -> Outcome<()> {
        let sign = |pair: &KeyPair| {
            let signature = pair.sign(nonce.as_bytes()).map_err(|e| Trouble::Usage(format!("--nkey, --creds: {e}")))?;
            Ok(base64url(&signature))
        };
        match self {
            Self::Nobody => {}
            Self::Password { user, password } => {
                body["user"] = user.as_str().into();
                body["pass"] = password.as_str().into();
            }
            Self::Token(token) => body["auth_token"] = token.as_str().into(),
            Self::Nkey(pair) => {
                body["nkey"] = pair.public_key().into();
                body["sig"] = sign(pair)?.into();
            }
            Self::Jwt { jwt, pair } => {
                body["jwt"] = jwt.as_str().into();
                body["sig"] = sign(pair)?.into();
            }
        }
        Ok(())
    }
}

fn wrong(flag: &str, file: &Path, reason: &str) -> Trouble {
    Trouble::Usage(format!("{flag} {}: {reason}", file.display()))
}

fn text(flag: &str, file: &Path) -> Outcome<String> {
    std::fs::read_to_string(file).map_err(|error| wrong(flag, file, &error.to_string()))
}

fn is_jwt(line: &str) -> bool {
    line.starts_with("eyJ") && line.split('.').count() == 3
}

fn pair(flag: &str, file: &Path, text: &str) -> Outcome<KeyPair> {
    let line = text.lines().map(str::trim).find(|line| line.starts_with('S') && line.len() > 50);
    let line = line.ok_or_else(|| wrong(flag, file, "there is no line with a seed (SU…)"))?;
    KeyPair::from_seed(line).map_err(|error| wrong(flag, file, &error.to_string()))
}

/// Base64 with the URL alphabet and without padding, as the `sig` of a CONNECT is written.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let bits = part.iter().enumerate().fold(0_u32, |sum, (at, byte)| sum | u32::from(*byte) << (16 - 8 * at));
        text.extend((0..=part.len()).map(|at| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Login, base64url};
    use std::path::PathBuf;

    fn file(name: &str, text: &str) -> PathBuf {
        let file = std::env::temp_dir().join(format!("dunlinctl-login-unit-{name}-{}", std::process::id()));
        std::fs::write(&file, text).expect("written");
        file
    }

    #[test]
    fn base64_is_that_of_urls() {
        for (bytes, text) in [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")] {
            assert_eq!(base64url(bytes), text);
        }
    }

    #[test]
    fn credentials_are_a_jwt_and_a_signature() {
        let pair = nkeys::KeyPair::new_user();
        let seed = pair.seed().expect("a seed");
        let text = format!(
            "-----BEGIN NATS USER JWT-----\neyJh.eyJi.c2ln\n------END NATS USER JWT------\n\n*** IMPORTANT ***\n\
-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        let login = Login::of_creds(&file("whole", &text)).expect("read");
        assert_eq!(format!("{login:?}"), "Jwt", "no secret is shown");
        let mut body = serde_json::json!({});
        login.add_to(&mut body, "nonce").expect("signed");
        let sig = base64url(&pair.sign(b"nonce").expect("signed"));
        assert_eq!((body["jwt"].as_str(), body["sig"].as_str()), (Some("eyJh.eyJi.c2ln"), Some(sig.as_str())));
        assert!(body["nkey"].is_null() && !body.to_string().contains(&seed));
    }

    #[test]
    fn what_is_missing_in_a_file_is_said() {
        let seed = nkeys::KeyPair::new_user().seed().expect("a seed");
        for (name, text, part) in
            [("seed", seed.as_str(), "no user JWT"), ("jwt", "eyJh.eyJi.c2ln\n", "no line with a seed")]
        {
            let error = Login::of_creds(&file(name, text)).expect_err(name).to_string();
            assert!(error.contains("--creds") && error.contains(part) && !error.contains(&seed), "{error}");
        }
        let error = Login::of_creds(&PathBuf::from("no-such.creds")).expect_err("no file").to_string();
        assert!(error.contains("--creds no-such.creds"), "{error}");
    }
}
