//! Which server, and how to log in: the flags and the environment that NATS clients honour.
//!
//! Owns the CONNECT line and what holds where flags say nothing. Touches no socket; reads the files that flags name.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use super::context;
use super::login::Login;
use super::tls;
use super::trouble::{Outcome, Trouble};

const PORT: u16 = 4222;
const SERVER: &str = "nats://127.0.0.1:4222";

/// Flags that say where the server is and who we are.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionFlags {
    /// Server URLs, several with commas: connections take them in turn (default: nats://127.0.0.1:4222)
    #[arg(short, long, global = true, env = "NATS_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) server: Option<String>,
    /// A context of the nats command (default: the selected one where no server is given)
    #[arg(long, global = true, env = "NATS_CONTEXT", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// User name; without a password it is a token
    #[arg(long, global = true, env = "NATS_USER")]
    pub(crate) user: Option<String>,
    /// Password
    #[arg(long, global = true, env = "NATS_PASSWORD", hide_env_values = true)]
    pub(crate) password: Option<String>,
    /// Token
    #[arg(long, global = true, env = "NATS_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// File with an nkey seed
    #[arg(long, global = true, env = "NATS_NKEY", value_name = "FILE")]
    pub(crate) nkey: Option<PathBuf>,
    /// Credentials: a file with a user JWT and its seed
    #[arg(long, global = true, env = "NATS_CREDS", value_name = "FILE")]
    pub(crate) creds: Option<PathBuf>,
    /// The JWT of a context that goes with `nkey`.
    #[arg(skip)]
    pub(crate) jwt: Option<String>,
    /// Client certificate
    #[arg(long, global = true, env = "NATS_CERT", value_name = "FILE")]
    pub(crate) tlscert: Option<PathBuf>,
    /// Private key of the client certificate
    #[arg(long, global = true, env = "NATS_KEY", value_name = "FILE")]
    pub(crate) tlskey: Option<PathBuf>,
    /// Certificate authority that the server is checked against (default: those that this host trusts)
    #[arg(long, global = true, env = "NATS_CA", value_name = "FILE")]
    pub(crate) tlsca: Option<PathBuf>,
    /// TLS even where neither the URL nor the server asks for it
    #[arg(long, global = true)]
    pub(crate) tls: bool,
    /// TLS before the server says anything
    #[arg(long, global = true, env = "NATS_TLS_FIRST")]
    pub(crate) tlsfirst: bool,
    /// Seconds until a server that says nothing is given up
    #[arg(long, global = true, env = "NATS_TIMEOUT", default_value = "10s", value_parser = super::values::duration)]
    pub(crate) timeout: Duration,
    /// Name of the connections, as the server shows it
    #[arg(long, global = true, default_value = "dunlinctl bench")]
    pub(crate) connection_name: String,
}

/// One address of the server and what its URL said.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// The name that a certificate must have.
    pub(crate) host: String,
    pub(crate) needs_tls: bool,
    login: Option<Login>,
}

/// A resolved server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) timeout: Duration,
    pub(crate) tls: tls::Settings,
    /// The handshake comes before INFO.
    pub(crate) is_tls_first: bool,
    login: Login,
    name: String,
}

/// What INFO says that matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    pub(crate) version: String,
    pub(crate) server_name: String,
    pub(crate) nonce: String,
    pub(crate) headers: bool,
    pub(crate) tls_required: bool,
    pub(crate) max_payload: u64,
    pub(crate) git_commit: String,
}

impl Target {
    /// Reads the files and resolves the names.
    pub(crate) fn resolve(flags: &ConnectionFlags) -> Outcome<Self> {
        let flags = &context::complete(flags)?;
        let login = login(flags)?;
        let server = flags.server.as_deref().unwrap_or(SERVER);
        let mut endpoints = server.split(',').map(endpoint).collect::<Outcome<Vec<_>>>()?;
        endpoints.iter_mut().for_each(|endpoint| endpoint.needs_tls |= flags.tls || flags.tlsfirst);
        let tls = tls::Settings::read(flags.tlsca.as_deref(), flags.tlscert.as_deref(), flags.tlskey.as_deref())?;
        let (name, is_tls_first) = (flags.connection_name.clone(), flags.tlsfirst);
        Ok(Self { endpoints, timeout: flags.timeout, tls, is_tls_first, login, name })
    }

    /// The endpoint of the connection with this number.
    pub(crate) fn endpoint(&self, number: usize) -> &Endpoint {
        &self.endpoints[number % self.endpoints.len()]
    }

    /// The answer to INFO, line end included.
    pub(crate) fn connect_line(&self, endpoint: &Endpoint, info: &Info) -> Outcome<Vec<u8>> {
        let mut body = serde_json::json!({
            "verbose": false, "pedantic": false, "tls_required": endpoint.needs_tls, "name": self.name, "lang": "dunlinctl",
            "version": env!("CARGO_PKG_VERSION"), "protocol": 1, "echo": true, "headers": true, "no_responders": true,
        });
        endpoint.login.as_ref().unwrap_or(&self.login).add_to(&mut body, &info.nonce)?;
        Ok(format!("CONNECT {body}\r\n").into_bytes())
    }
}

/// The login that the flags name, the strongest first.
fn login(flags: &ConnectionFlags) -> Outcome<Login> {
    if flags.creds.is_some() && flags.nkey.is_some() {
        return Err(Trouble::Usage("--creds and --nkey: two keys; give one of them".into()));
    }
    Ok(match (&flags.user, &flags.password, &flags.token, &flags.nkey, &flags.creds) {
        (.., Some(file)) => Login::of_creds(file)?,
        (.., Some(file), None) => match &flags.jwt {
            Some(jwt) => Login::of_jwt(jwt, file)?,
            None => Login::of_nkey(file)?,
        },
        (Some(user), Some(password), ..) => Login::Password { user: user.clone(), password: password.clone() },
        (_, _, Some(token), ..) | (Some(token), None, None, ..) => Login::Token(token.clone()),
        (None, Some(_), ..) => return Err(Trouble::Usage("--password needs --user".into())),
        (None, None, None, ..) if flags.jwt.is_some() => {
            return Err(Trouble::Usage("the context has a user JWT and no key for it: give --nkey or --creds".into()));
        }
        (None, None, None, ..) => Login::Nobody,
    })
}

/// `[nats|tls]://[user[:password]@]host[:port]`.
fn endpoint(url: &str) -> Outcome<Endpoint> {
    let url = url.trim();
    let wrong = |reason: &str| Trouble::Usage(format!("--server '{url}': {reason}; write nats://host:port"));
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    let needs_tls = match scheme {
        "nats" => false,
        "tls" => true,
        "ws" | "wss" => return Err(wrong("WebSocket is not spoken here")),
        _ => return Err(wrong("an unknown scheme")),
    };
    let (login, place) = match rest.rsplit_once('@') {
        None => (None, rest),
        Some((login, place)) => (
            Some(match login.split_once(':') {
                Some((user, password)) => Login::Password { user: unescape(user), password: unescape(password) },
                None => Login::Token(unescape(login)),
            }),
            place,
        ),
    };
    let place = place.trim_end_matches('/');
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && (!host.contains(':') || host.ends_with(']')) => {
            (host, port.parse().map_err(|_| wrong("the port is no number"))?)
        }
        _ => (place, PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(wrong("there is no host"));
    }
    let found = (host, port).to_socket_addrs().map_err(|error| wrong(&error.to_string()))?.collect::<Vec<_>>();
    // `localhost` is both on many hosts, and servers listen on IPv4 more often.
    let address = found.iter().find(|address| address.is_ipv4()).or(found.first()).copied();
    Ok(Endpoint {
        address: address.ok_or_else(|| wrong("the host has no address"))?,
        host: host.into(),
        needs_tls,
        login,
    })
}

fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = (byte == b'%').then(|| [ahead.next(), ahead.next()]);
        if let Some([Some(high), Some(low)]) = hex
            && let Ok(value) = u8::from_str_radix(&String::from_utf8_lossy(&[high, low]), 16)
        {
            out.push(value);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{ConnectionFlags, Info, Target, endpoint, unescape};

    fn flags(server: &str) -> ConnectionFlags {
        ConnectionFlags { server: Some(server.into()), ..ConnectionFlags::default() }
    }

    fn line(flags: &ConnectionFlags) -> String {
        let target = Target::resolve(flags).expect("resolves");
        String::from_utf8(target.connect_line(target.endpoint(0), &Info::default()).expect("a line")).expect("text")
    }

    #[test]
    fn urls_are_read() {
        for (url, address, needs_tls) in [
            ("127.0.0.1", "127.0.0.1:4222", false),
            ("nats://127.0.0.1:99", "127.0.0.1:99", false),
            ("tls://u:p@127.0.0.1:7/", "127.0.0.1:7", true),
            ("nats://[::1]:5", "[::1]:5", false),
        ] {
            let endpoint = endpoint(url).expect(url);
            assert_eq!((endpoint.address.to_string().as_str(), endpoint.needs_tls), (address, needs_tls), "{url}");
        }
        for url in ["http://x:1", "nats://127.0.0.1:x", "nats://:5", "ws://127.0.0.1:1"] {
            let text = endpoint(url).expect_err(url).to_string();
            assert!(text.contains("--server") && text.contains(url), "{text}");
        }
    }

    #[test]
    fn logins_stand_in_connect() {
        assert!(!line(&flags("127.0.0.1")).contains("user"));
        let with = |change: fn(&mut ConnectionFlags)| {
            let mut flags = flags("127.0.0.1");
            change(&mut flags);
            line(&flags)
        };
        let both = with(|f| (f.user, f.password) = (Some("me".into()), Some("se\"cret".into())));
        assert!(both.contains(r#""user":"me""#) && both.contains(r#""pass":"se\"cret""#), "{both}");
        assert!(with(|f| f.user = Some("t0k".into())).contains(r#""auth_token":"t0k""#));
        assert!(with(|f| f.token = Some("t0k".into())).contains(r#""auth_token":"t0k""#));
        assert!(line(&flags("nats://a%40b:c@127.0.0.1")).contains(r#""user":"a@b""#));
    }

    #[test]
    fn a_password_alone_says_what_is_missing() {
        let flags = ConnectionFlags { password: Some("x".into()), ..flags("127.0.0.1") };
        assert!(Target::resolve(&flags).expect_err("no user").to_string().contains("--user"));
    }

    #[test]
    fn connections_take_servers_in_turn() {
        let target = Target::resolve(&flags("127.0.0.1:1,127.0.0.1:2")).expect("resolves");
        assert_eq!([0, 1, 2].map(|number| target.endpoint(number).address.port()), [1, 2, 1]);
    }

    #[test]
    fn percent_signs_are_undone() {
        assert_eq!(unescape("a%40b%"), "a@b%");
    }

    #[test]
    fn two_keys_are_one_too_many() {
        let both = ConnectionFlags { nkey: Some("a".into()), creds: Some("b".into()), ..flags("127.0.0.1") };
        assert!(Target::resolve(&both).expect_err("two keys").to_string().contains("--creds and --nkey"));
    }

    #[test]
    fn tls_can_be_asked_for_where_the_url_does_not() {
        let asked = ConnectionFlags { tls: true, ..flags("127.0.0.1") };
        assert!(Target::resolve(&asked).expect("resolves").endpoint(0).needs_tls);
    }
}
