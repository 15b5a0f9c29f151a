//! CVE-2021-32026: settings were lost when they came from flags. Each flag builds the configuration that its key builds.
//!
//! Dunlin's own flags are taken from their table, so a new one is tested by being there; a flag of the peer without a row fails.

use super::keys::Shape;
use super::own_flags::{Kind, OWN_FLAGS, OwnFlag};
use super::{Config, Origin, RawConfig, read_text};
use crate::cli;
use std::path::Path;

/// Flags and the file that says the same. Those of logins and TLS are compared in `security_tests`.
const PEERS: &[(&[&str], &str)] = &[
    (&["-a", "127.0.0.1"], "host: 127.0.0.1"),
    (&["--addr", "127.0.0.1"], "host: 127.0.0.1"),
    (&["--net", "127.0.0.1"], "net: 127.0.0.1"),
    (&["-p", "5"], "port: 5"),
    (&["--port", "-1"], "port: -1"),
    (&["-n", "x"], "server_name: x"),
    (&["--name", "x"], "server_name: x"),
    (&["--server_name", "x"], "server_name: x"),
    (&["-P", "x.pid"], "pid_file: x.pid"),
    (&["--pid", "x.pid"], "pidfile: x.pid"),
    (&["-m", "8222"], "http_port: 8222"),
    (&["--http_port", "8222"], "monitor_port: 8222"),
    (&["--client_advertise", "a:1"], "client_advertise: \"a:1\""),
    (&["--ports_file_dir", "x"], "ports_file_dir: x"),
    (&["-l", "x.log"], "log_file: x.log"),
    (&["--log", "x.log"], "logfile: x.log"),
    (&["-T=false"], "logtime: false"),
    (&["--logtime=false"], "logtime: false"),
    (&["--logtime_utc"], "logtime_utc: true"),
    (&["-s"], "syslog: true"),
    (&["--syslog"], "syslog: true"),
    (&["-r", "udp://a:1"], "remote_syslog: \"udp://a:1\""),
    (&["--remote_syslog", "udp://a:1"], "remote_syslog: \"udp://a:1\""),
    (&["-D"], "debug: true"),
    (&["--debug"], "debug: true"),
    (&["-V"], "trace: true"),
    (&["--trace"], "trace: true"),
    (&["-VV"], "trace_verbose: true"),
    (&["-DV"], "debug: true; trace: true"),
    (&["-DVV"], "debug: true; trace: true; trace_verbose: true"),
    (&["--log_size_limit", "5000"], "log_size_limit: 5k"),
    (&["--max_traced_msg_len", "7"], "max_traced_msg_len: 7"),
];

/// Flags without a key of the same meaning, or compared elsewhere.
const NOT_HERE: &[(&str, &[&str])] = &[
    ("what is done, not how", &["c", "config", "t", "sl", "signal", "h", "help", "v", "version", "help_tls"]),
    ("`security_tests` has them", &["user", "pass", "auth", "tls", "tlscert", "tlskey", "tlsverify", "tlscacert"]),
    ("needs a certificate: `security_tests`", &["ms", "https_port"]),
    ("without effect here", &["profile"]),
];

fn from_file(text: &str) -> Config {
    let raw = read_text(Path::new("x.conf"), text.as_bytes()).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    let (mut config, _) = raw.resolve().unwrap_or_else(|errors| panic!("{text}: {errors}"));
    (config.source, config.digest) = (None, None);
    config
}

fn from_flags(flags: &[&str]) -> Config {
    match cli::parse(flags) {
        Ok(cli::Command::Start(start)) => start.config,
        other => panic!("{flags:?}: {other:?}"),
    }
}

#[test]
fn cve_2021_32026_flags_and_file_build_the_same_configuration() {
    for (flags, text) in PEERS {
        let config = from_flags(flags);
        assert_ne!(config, Config::default(), "{flags:?} change something");
        assert_eq!(config, from_file(text), "{flags:?} and {text}");
    }
}

#[test]
fn every_flag_of_the_peer_is_compared() {
    for name in cli::peer_flags() {
        let has_row = PEERS.iter().any(|(flags, _)| {
            flags
                .iter()
                .any(|flag| flag.trim_start_matches('-').split('=').next() == Some(name) && flag.starts_with('-'))
        });
        let is_elsewhere = NOT_HERE.iter().any(|(_, names)| names.contains(&name));
        assert!(has_row != is_elsewhere, "-{name} has {} row", if has_row { "more than one" } else { "no" });
    }
}

/// A value other than the default: for the command line, and for a file.
fn another(own: &OwnFlag) -> (String, String) {
    match own.kind {
        Kind::Number(range, _) => {
            let value = if range.default == range.low { range.high } else { range.low }.to_string();
            (value.clone(), value)
        }
        Kind::Switch(_) => ("true".into(), "true".into()),
        Kind::Cores => ("0,2-3".into(), "\"0,2-3\"".into()),
        Kind::Accept => ("reuseport".into(), "reuseport".into()),
        Kind::Text(_) if own.key.name == "unix_socket_mode" => ("0600".into(), "\"0600\"".into()),
        Kind::Text(_) | Kind::Secret(_) => ("s3cret".into(), "\"s3cret\"".into()),
    }
}

/// What has to be there beside it.
fn beside(own: &OwnFlag) -> &'static [(&'static str, &'static str)] {
    match own.key.name {
        "monitor_user" => &[("monitor_password", "x")],
        "monitor_password" => &[("monitor_user", "x")],
        "unix_socket_mode" => &[("unix_socket", "x")],
        _ => &[],
    }
}

#[test]
fn cve_2021_32026_every_own_flag_builds_what_its_key_builds() {
    for own in OWN_FLAGS {
        let (flag_value, file_value) = another(own);
        let mut flags = vec![format!("--{}={flag_value}", own.key.name)];
        let mut text = format!("{}: {file_value}\n", own.key.name);
        for (name, value) in beside(own) {
            flags.push(format!("--{name}={value}"));
            text += &format!("{name}: {value}\n");
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let config = from_flags(&flags);
        assert_ne!(config, Config::default(), "{flags:?} change something");
        assert_eq!(config, from_file(&format!("dunlin {{\n{text}}}\n")), "{flags:?} and {text}");
    }
    assert_eq!(from_flags(&["--cores", "4"]), from_file("dunlin { cores: 4 }"));
}

/// The same complaint, with the place in front of it.
#[test]
fn every_own_number_is_checked_alike() {
    for own in OWN_FLAGS {
        let Kind::Number(range, _) = own.kind else { continue };
        let (name, bad) = (own.key.name, range.high + 1);
        let flag = cli::parse([format!("--{name}={bad}")]).expect_err("it is out of range").to_string();
        let why = range.check(bad).expect_err("it is out of range");
        assert!(flag.ends_with(&why), "{flag}");
        let text = format!("dunlin {{\n {name}: {bad} }}");
        let file = read_text(Path::new("x.conf"), text.as_bytes()).expect_err("it is out of range").to_string();
        assert_eq!(file, format!("x.conf:2:2: {name}: {why}\n"));
    }
}

#[test]
fn own_settings_of_the_wrong_type_or_name_have_their_place() {
    for (text, expected) in [
        ("dunlin { cores: 0 }", "x.conf:1:9: cores: must be from 1 to 63 cores\n"),
        ("dunlin { cores: true }", "x.conf:1:9: interface conversion: interface {} is bool, not int64 or string\n"),
        ("dunlin { accept: both }", "x.conf:1:9: accept: must be handoff or reuseport\n"),
        ("dunlin { no_pin: 5 }", "x.conf:1:9: interface conversion: interface {} is int64, not bool\n"),
        (
            "dunlin { spinn_us: 5\n bogus: 1 }",
            "x.conf:1:9: unknown field \"spinn_us\"\nx.conf:2:2: unknown field \"bogus\"\n",
        ),
        ("dunlin { monitoring { timeout_ms: 0 } }", "x.conf:1:22: timeout_ms: must be a number from 1 to 3600000\n"),
        ("dunlin: 5", "x.conf:1:0: interface conversion: interface {} is int64, not map[string]interface {}\n"),
    ] {
        let errors = read_text(Path::new("x.conf"), text.as_bytes()).expect_err("it is wrong").to_string();
        assert_eq!(errors, expected, "{text}");
    }
}

/// Each own key says where it was written, and a flag over it says so as well.
#[test]
fn own_settings_know_where_they_were_written() {
    for own in OWN_FLAGS {
        let text = format!("dunlin {{\n {}: {}\n}}", own.key.name, another(own).1);
        let mut raw = read_text(Path::new("x.conf"), text.as_bytes()).expect("it is right");
        let origin = own.origin(&mut raw).map(|origin| origin.to_string());
        assert_eq!(origin.as_deref(), Some("x.conf:2:2"), "{}", own.key.name);
        assert!(matches!(own.key.kind, super::keys::Kind::Inside(shape) if !matches!(shape, Shape::Block)));
        assert_eq!(own.origin(&mut RawConfig::default()), None::<Origin>);
    }
}
