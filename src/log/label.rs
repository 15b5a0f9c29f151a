//! How a log line names a connection: `127.0.0.1:51284 - cid:5 - "v1.2:python3:name" - "$G/user:u"`.
//!
//! Owns the form. Stores nothing: a label is made of what a connection knows, when a line needs it. Pure.

use std::fmt;

use super::quote::{quoted, write_quoted};
use crate::ids::{ClientAddress, ClientId};

/// What a line says about who a connection is; parts that are not known are left out.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    /// The other end.
    pub address: ClientAddress,
    /// The connection's number.
    pub client: ClientId,
    /// `version` of CONNECT, or empty.
    pub version: &'a str,
    /// `lang` of CONNECT, or empty.
    pub lang: &'a str,
    /// `name` of CONNECT, or empty.
    pub name: &'a str,
    /// The account's name; shown only together with a login.
    pub account: &'a str,
    /// How the client said who it is.
    pub login: Login<'a>,
}

/// What of a login a line may show: never a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login<'a> {
    /// None was given.
    #[default]
    None,
    /// `user`.
    User(&'a str),
    /// `nkey`, the public key.
    Nkey(&'a str),
    /// `auth_token`, which itself is not shown.
    Token,
}

impl<'a> Label<'a> {
    /// What is known before CONNECT.
    pub const fn new(address: ClientAddress, client: ClientId) -> Self {
        Self { address, client, version: "", lang: "", name: "", account: "", login: Login::None }
    }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - cid:{}", self.address, self.client.0)?;
        let parts = [("v", self.version), ("", self.lang), ("", self.name)];
        let mut separator = " - \"";
        for (prefix, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
            f.write_str(separator)?;
            f.write_str(prefix)?;
            write_quoted(f, part.as_bytes())?;
            separator = ":";
        }
        if separator == ":" {
            f.write_str("\"")?;
        }
        match self.login {
            Login::None => Ok(()),
            Login::Token => write!(f, " - {}", quoted(format!("{}/token", self.account).as_bytes())),
            Login::User(user) => write!(f, " - {}", quoted(format!("{}/user:{user}", self.account).as_bytes())),
            Login::Nkey(key) => write!(f, " - {}", quoted(format!("{}/nkey:{key}", self.account).as_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> ClientAddress {
        text.parse::<std::net::SocketAddr>().expect("an address").into()
    }

    /// What a label has after the address and the number, for these fields of CONNECT.
    fn rest(version: &str, lang: &str, name: &str, login: Login<'_>) -> String {
        let bare = Label::new(at("127.0.0.1:40242"), ClientId(5));
        let label = Label { version, lang, name, account: "$G", login, ..bare };
        let text = label.to_string();
        text.strip_prefix("127.0.0.1:40242 - cid:5").expect("it starts so").to_string()
    }

    #[test]
    fn parts_that_are_known_are_shown() {
        // Right: what nats-server 2.15.1 wrote.
        let none = Login::None;
        let rows = [
            ("", "", "", none, ""),
            ("", "", "n", none, r#" - "n""#),
            ("", "py", "", none, r#" - "py""#),
            ("1", "", "", none, r#" - "v1""#),
            ("1", "", "n", none, r#" - "v1:n""#),
            ("", "py", "n", none, r#" - "py:n""#),
            ("2", "py", "", none, r#" - "v2:py""#),
            ("1.2", "py\x1bthon", "a\nb", none, r#" - "v1.2:py\x1bthon:a\nb""#),
            ("", "", "", Login::User("u"), r#" - "$G/user:u""#),
            ("", "", "n", Login::User("q\"u"), r#" - "n" - "$G/user:q\"u""#),
            ("", "", "", Login::Token, r#" - "$G/token""#),
            ("", "", "", Login::Nkey("N"), r#" - "$G/nkey:N""#),
        ];
        for (version, lang, name, login, expected) in rows {
            assert_eq!(rest(version, lang, name, login), expected);
        }
        let six = Label::new(at("[::1]:52074"), ClientId(6));
        assert_eq!(six.to_string(), "[::1]:52074 - cid:6");
    }
}
