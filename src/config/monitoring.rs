//! Pages for monitoring: where they are served, to whom, and what they may cost.
//!
//! The listener's keys are the peer's. What is Dunlin's own stands in `dunlin { monitoring { … } }` and in flags. Owns the relations
//! between these settings; their faults are found at the start, in the peer's words.

use std::time::Duration;

use super::raw::{RawConfig, Written};
use crate::secret::Secret;

/// How long a request may take to arrive, and its answer to be taken.
const TIMEOUT_MILLIS_DEFAULT: i64 = 10_000;
/// The default of `--subject_sample`.
pub(super) const SUBJECT_SAMPLE_DEFAULT: i64 = 512;

/// Pages for monitoring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// Where they are served; `None`: nowhere.
    pub listener: Option<MonitorListener>,
    /// `http_base_path`, as written.
    pub base_path: String,
    /// Who may see them; `None`: everyone.
    pub login: Option<PageLogin>,
    /// How long a request may take to arrive, and its answer to be taken.
    pub timeout: Duration,
    /// `--subject_sample`: one message in so many is looked at for `/subjectz`; 0: none.
    pub subject_sample: u64,
}

/// A listener for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorListener {
    /// Address, as written.
    pub host: String,
    /// Port; 0 here means: any free one.
    pub port: u16,
    /// It speaks TLS.
    pub tls: bool,
}

/// Who may see the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLogin {
    /// Name and password, by HTTP's basic authentication.
    pub user: Option<(String, Secret)>,
    /// A bearer token.
    pub token: Option<Secret>,
}

impl RawConfig {
    /// The part for monitoring; `clients_host` is where it is served unless another host is named. What is wrong goes to `refuse`
    /// where a key is wrong, and to `fatal` where the peer finds it while it starts.
    pub(super) fn resolve_monitoring(
        &self,
        clients_host: &str,
        has_tls: bool,
        refuse: &mut Vec<String>,
        fatal: &mut Vec<String>,
    ) -> Monitoring {
        let port = |setting: &Option<Written<i64>>| setting.as_ref().map_or(0, |setting| setting.value);
        let text = |setting: &Option<Written<String>>| {
            setting.as_ref().map(|setting| setting.value.clone()).filter(|text| !text.is_empty())
        };
        let (plain, secure) = (port(&self.http_port), port(&self.https_port));
        let host = text(&self.http_host).unwrap_or_else(|| clients_host.to_owned());
        let listener = match (plain, secure) {
            (0, 0) => None,
            (_, 0) => listener(host, plain, false, fatal),
            (0, _) if !has_tls => {
                fatal.push("Can't start monitoring: TLS cert and key required for HTTPS".into());
                None
            }
            (0, _) => listener(host, secure, true, fatal),
            _ => {
                fatal.push(format!(
                    "Can't start monitoring: can't specify both HTTP ({plain}) and HTTPs ({secure}) ports"
                ));
                None
            }
        };
        let password = self.monitor_password.as_ref().map(|written| written.value.clone());
        let token = self.monitor_token.as_ref().map(|written| written.value.clone()).filter(|token| !token.is_empty());
        let user = match (text(&self.monitor_user), password) {
            (Some(name), Some(password)) if !password.is_empty() => Some((name, password)),
            (None, None) => None,
            _ => {
                refuse.push("monitoring: user and password belong together: set both or neither".into());
                None
            }
        };
        let number = |setting: &Option<Written<i64>>, default| setting.as_ref().map_or(default, |s| s.value);
        let millis = number(&self.monitor_timeout_ms, TIMEOUT_MILLIS_DEFAULT).clamp(1, 3_600_000);
        let sample = number(&self.subject_sample, SUBJECT_SAMPLE_DEFAULT).clamp(0, 1 << 30);
        Monitoring {
            listener,
            base_path: text(&self.http_base_path).unwrap_or_default(),
            login: (user.is_some() || token.is_some()).then_some(PageLogin { user, token }),
            timeout: Duration::from_millis(millis.unsigned_abs()),
            subject_sample: sample.unsigned_abs(),
        }
    }
}

fn listener(host: String, port: i64, tls: bool, fatal: &mut Vec<String>) -> Option<MonitorListener> {
    let wanted = if port == -1 { 0 } else { port };
    match u16::try_from(wanted) {
        Ok(port) => Some(MonitorListener { host, port, tls }),
        Err(_) => {
            fatal.push(format!(
                "Can't start monitoring: can't listen to the monitor port: listen tcp: address {port}: invalid port"
            ));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, RawConfig, read_text};
    use std::path::Path;

    fn resolved(text: &str) -> Result<Config, String> {
        let raw: RawConfig = read_text(Path::new("x.conf"), text.as_bytes()).map_err(|errors| errors.to_string())?;
        raw.resolve().map(|(config, _)| config).map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_listener_is_where_it_was_put() {
        for (text, host, port) in [
            ("http: 8222", "0.0.0.0", 8222),
            ("host: h\nmonitor_port: 8222", "h", 8222),
            ("host: h\nhttp: \"m:8222\"", "m", 8222),
            ("http: 127.0.0.1:-1", "127.0.0.1", 0),
        ] {
            let listener = resolved(text).expect("it is right").monitoring.listener.expect("there is one");
            assert_eq!((listener.host.as_str(), listener.port, listener.tls), (host, port, false), "{text}");
        }
        assert_eq!(resolved("http_port: 0\nhttp: 0").expect("off").monitoring.listener, None);
    }

    #[test]
    fn faults_have_the_peers_words() {
        for (text, expected) in [
            ("http: 1\nhttps: 2", "Can't start monitoring: can't specify both HTTP (1) and HTTPs (2) ports"),
            ("https: 2", "Can't start monitoring: TLS cert and key required for HTTPS"),
            (
                "http_port: 99999",
                "Can't start monitoring: can't listen to the monitor port: listen tcp: address 99999: invalid port",
            ),
            ("http: \"x\"", "x.conf:1:0: could not parse address string \"x\"\n"),
            ("http_port: \"x\"", "x.conf:1:0: interface conversion: interface {} is string, not int64\n"),
            ("dunlin { bogus: 1 }", "x.conf:1:9: unknown field \"bogus\"\n"),
            ("dunlin { monitoring { bogus: 1 } }", "x.conf:1:22: unknown field \"bogus\"\n"),
            ("dunlin { monitoring { user: a } }", "monitoring: user and password belong together: set both or neither"),
        ] {
            assert_eq!(resolved(text).map(|_| ()), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn logins_are_read_and_not_printed() {
        let config = resolved("dunlin { monitoring { user: ann, password: s3cret, token: t0ken, timeout_ms: 50 } }");
        let monitoring = config.expect("it is right").monitoring;
        assert_eq!(monitoring.timeout.as_millis(), 50);
        let login = monitoring.login.expect("there is one");
        assert!(login.user.as_ref().is_some_and(|(name, password)| name == "ann" && password.expose() == "s3cret"));
        let shown = format!("{login:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
    }
}
