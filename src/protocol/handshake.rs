//! The bodies of INFO and CONNECT.
//!
//! Owns the fields of both, their order and their defaults, and how Go reads JSON where that shows. Must not decide who may
//! come in. Invariant: a refused body changes nothing; secrets are never printed.

use super::connect_body;
use super::encoder::{self, Sink};
use super::error::ConnectFault;
use crate::secret::Secret;
use core::net::IpAddr;
use serde::Serialize;
use std::io::Write as _;

/// Body of the `INFO` that the server sends first, and again when something in it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// The server's public key.
    pub server_id: String,
    /// Its name: configured, else the key.
    pub server_name: String,
    /// The version of nats-server that this one behaves like: clients gate features on it.
    pub version: String,
    /// Version of the protocol.
    pub proto: u8,
    /// Commit that the server was built from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub git_commit: String,
    /// What it was built with.
    pub go: String,
    /// Address that clients connect to.
    pub host: String,
    /// Port that clients connect to.
    pub port: u16,
    /// Whether messages may carry headers.
    pub headers: bool,
    /// Whether credentials are needed.
    #[serde(skip_serializing_if = "is_false")]
    pub auth_required: bool,
    /// Whether only TLS is served.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_required: bool,
    /// Whether clients need a certificate.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_verify: bool,
    /// Whether TLS is served beside plain text.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_available: bool,
    /// Largest message.
    pub max_payload: u32,
    /// Whether streams are served.
    #[serde(skip_serializing_if = "is_false")]
    pub jetstream: bool,
    /// Number of this connection.
    #[serde(skip_serializing_if = "is_zero")]
    pub client_id: u64,
    /// Where it comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_ip: String,
    /// To be signed by clients that log in with a key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nonce: String,
    /// Name of the cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// Domain of streams.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// Other addresses that clients may connect to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connect_urls: Vec<String>,
    /// The same for WebSocket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ws_connect_urls: Vec<String>,
    /// Lame duck mode: connect elsewhere.
    #[serde(skip_serializing_if = "is_false")]
    pub ldm: bool,
    /// Set in the second INFO, which tells about the connection.
    #[serde(skip_serializing_if = "is_false")]
    pub connect_info: bool,
    /// The account that this connection is in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_account: String,
    /// Whether that is the system's.
    #[serde(skip_serializing_if = "is_false")]
    pub acc_is_sys: bool,
    /// Level of the stream API.
    #[serde(skip_serializing_if = "is_zero")]
    pub api_lvl: u64,
    /// The server's public curve key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub xkey: String,
}

/// For `skip_serializing_if`, which passes references.
fn is_false(value: &bool) -> bool {
    !value
}

/// For `skip_serializing_if`, which passes references.
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl ServerInfo {
    /// The whole line, `INFO {…} CR LF`, with the blank that the peer has before the line end.
    pub fn put_line(&self, out: &mut impl Sink) {
        // Strings, numbers and lists of strings always serialise.
        let body = serde_json::to_string(self).unwrap_or_default();
        out.put(b"INFO ");
        for part in body.split_inclusive(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            put_as_go_does(out, part);
        }
        out.put(b" \r\n");
    }
}

/// The line of an INFO whose `client_id`, `client_ip` and `nonce` are filled in for each connection: the rest is made once.
#[derive(Debug)]
pub struct InfoTemplate {
    before: Box<[u8]>,
    after: Box<[u8]>,
}

/// A number that no connection has, and how it is written. Inside a string its quotes would be escaped, so it is found where it belongs.
const PLACE: (u64, &[u8]) = (u64::MAX, b",\"client_id\":18446744073709551615");

impl InfoTemplate {
    /// Of an INFO whose `client_ip` and `nonce` are not looked at.
    pub fn new(info: &ServerInfo) -> Self {
        let info = ServerInfo { client_id: PLACE.0, client_ip: String::new(), nonce: String::new(), ..info.clone() };
        let mut line = Vec::new();
        info.put_line(&mut line);
        let at = memchr::memmem::find(&line, PLACE.1).unwrap_or_default();
        let (before, rest) = line.split_at(at);
        Self { before: before.into(), after: rest.get(PLACE.1.len()..).unwrap_or_default().into() }
    }

    /// The whole line; a `nonce` that is empty is left out.
    pub fn put_line(&self, out: &mut Vec<u8>, client_id: u64, client_ip: Option<IpAddr>, nonce: &str) {
        out.reserve(self.before.len() + self.after.len() + 128);
        out.extend_from_slice(&self.before);
        out.extend_from_slice(b",\"client_id\":");
        encoder::put_decimal(out, client_id);
        if let Some(ip) = client_ip {
            out.extend_from_slice(b",\"client_ip\":\"");
            put_ip(out, ip);
            out.push(b'"');
        }
        if !nonce.is_empty() {
            out.extend_from_slice(b",\"nonce\":\"");
            out.extend_from_slice(nonce.as_bytes());
            out.push(b'"');
        }
        out.extend_from_slice(&self.after);
    }
}

/// As it is printed; printing costs more than all the rest of the line.
fn put_ip(out: &mut Vec<u8>, ip: IpAddr) {
    let IpAddr::V4(ip) = ip else {
        let _ = write!(out, "{ip}"); // a Vec takes whatever is written
        return;
    };
    let [first, rest @ ..] = ip.octets();
    encoder::put_decimal(out, first.into());
    for octet in rest {
        out.push(b'.');
        encoder::put_decimal(out, octet.into());
    }
}

/// `part` may end with one of the characters that Go escapes in JSON; they only occur inside strings.
fn put_as_go_does(out: &mut impl Sink, part: &str) {
    let escapes =
        [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    for (character, escape) in escapes {
        if let Some(before) = part.strip_suffix(character) {
            out.put(before.as_bytes());
            out.put(escape.as_bytes());
            return;
        }
    }
    out.put(part.as_bytes());
}

/// What a client said about itself in its `CONNECT`s, the latest word on each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Acknowledge each operation with `+OK`.
    pub verbose: bool,
    /// Check published subjects.
    pub pedantic: bool,
    /// Deliver the client's own messages to it.
    pub echo: bool,
    /// Messages may carry headers.
    pub headers: bool,
    /// Tell with a 503 that nobody listens.
    pub no_responders: bool,
    /// The client wants TLS.
    pub tls_required: bool,
    /// 1: takes an INFO at any time.
    pub protocol: u8,
    /// Name of the client.
    pub name: Box<str>,
    /// Language it is written in.
    pub lang: Box<str>,
    /// Version of its library.
    pub version: Box<str>,
    /// User name.
    pub user: Box<str>,
    /// Public key of the user.
    pub nkey: Box<str>,
    /// Password.
    pub pass: Secret,
    /// Token.
    pub auth_token: Secret,
    /// User JWT.
    pub jwt: Secret,
    /// Signature of the nonce.
    pub sig: Secret,
    /// Signature of the nonce by the proxy that the client comes through.
    pub proxy_sig: Secret,
}

impl Default for ConnectOptions {
    /// A client that has not said `CONNECT` is verbose and pedantic.
    fn default() -> Self {
        Self {
            verbose: true,
            pedantic: true,
            echo: true,
            headers: false,
            no_responders: false,
            tls_required: false,
            protocol: 0,
            name: Box::default(),
            lang: Box::default(),
            version: Box::default(),
            user: Box::default(),
            nkey: Box::default(),
            pass: Secret::default(),
            auth_token: Secret::default(),
            jwt: Secret::default(),
            sig: Secret::default(),
            proxy_sig: Secret::default(),
        }
    }
}

impl ConnectOptions {
    /// Takes over what the body of a `CONNECT` says; what it does not name stays as an earlier `CONNECT` left it.
    ///
    /// Where the server has headers switched off (`headers_allowed`), so has the client.
    pub fn apply(&mut self, body: &[u8], headers_allowed: bool) -> Result<(), ConnectFault> {
        connect_body::apply(self, body, headers_allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ServerInfo {
        ServerInfo {
            server_id: "NID".into(),
            server_name: "a<b>&'\u{2028}".into(),
            version: "2.15.1".into(),
            proto: 1,
            git_commit: "abc".into(),
            go: "go1.27.2".into(),
            host: "127.0.0.1".into(),
            port: 4222,
            headers: true,
            max_payload: 1_048_576,
            client_id: 5,
            client_ip: "127.0.0.1".into(),
            api_lvl: 5,
            xkey: "X".into(),
            ..ServerInfo::default()
        }
    }

    fn line(info: &ServerInfo) -> String {
        let mut out = Vec::new();
        info.put_line(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn info_has_the_peers_order_and_escapes() {
        let start = r#"INFO {"server_id":"NID","server_name":"a\u003cb\u003e\u0026'\u2028","version":"2.15.1","proto":1,"git_commit":"abc","go":"go1.27.2","host":"127.0.0.1","port":4222,"headers":true,"#;
        let first = r#""max_payload":1048576,"client_id":5,"client_ip":"127.0.0.1","api_lvl":5,"xkey":"X"} "#;
        assert_eq!(line(&info()), format!("{start}{first}\r\n"));
        let second = ServerInfo {
            auth_required: true,
            jetstream: true,
            nonce: "n".into(),
            cluster: "c".into(),
            connect_urls: vec!["h:1".into()],
            ldm: true,
            connect_info: true,
            remote_account: "SYS".into(),
            acc_is_sys: true,
            ..info()
        };
        let rest = r#""auth_required":true,"max_payload":1048576,"jetstream":true,"client_id":5,"client_ip":"127.0.0.1","nonce":"n","cluster":"c","connect_urls":["h:1"],"ldm":true,"connect_info":true,"remote_account":"SYS","acc_is_sys":true,"api_lvl":5,"xkey":"X"} "#;
        assert_eq!(line(&second), format!("{start}{rest}\r\n"));
    }

    #[test]
    fn a_template_makes_the_same_line() {
        let rows = [
            (info(), ""),
            (ServerInfo { jetstream: true, cluster: "c".into(), nonce: "n".into(), ..info() }, "n"),
            (ServerInfo { server_name: r#","client_id":18446744073709551615"#.into(), ldm: true, ..info() }, ""),
        ];
        for (info, nonce) in rows {
            for ip in [None, Some("127.0.0.1"), Some("255.20.3.0"), Some("2001:db8::1")] {
                let wanted = ServerInfo {
                    client_id: 77,
                    client_ip: ip.unwrap_or_default().into(),
                    nonce: nonce.into(),
                    ..info.clone()
                };
                let mut made = Vec::new();
                let ip = ip.map(|ip| ip.parse().expect("an address"));
                InfoTemplate::new(&info).put_line(&mut made, 77, ip, nonce);
                assert_eq!(String::from_utf8(made).expect("text"), line(&wanted));
            }
        }
    }

    #[test]
    fn cve_2026_33216_secrets_are_not_printed() {
        let mut options = ConnectOptions::default();
        let body =
            br#"{"user":"u","pass":"hidden","auth_token":"hidden","jwt":"hidden","sig":"hidden","proxy_sig":"hidden"}"#;
        assert_eq!(options.apply(body, true), Ok(()));
        assert!(!format!("{options:?}").contains("hidden"));
        assert_eq!(options.pass.expose(), "hidden");
    }

    #[test]
    fn before_connect_a_client_is_verbose_and_pedantic() {
        let options = ConnectOptions::default();
        assert!(options.verbose && options.pedantic && options.echo);
        assert!(!options.headers && !options.no_responders && options.protocol == 0);
    }
}
