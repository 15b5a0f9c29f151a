//! Tests of settings: keys with the peer's messages, flags against files, defaults and relations.

use super::raw::RawConfig;
use super::{Config, FileErrors, Origin, Warning, Written, read_text};
use std::path::Path;
use std::time::Duration;

fn file(text: &str) -> Result<RawConfig, String> {
    read_text(Path::new("x.conf"), text.as_bytes()).map_err(|errors| errors.to_string())
}

fn resolved(text: &str) -> Result<Config, String> {
    file(text)?.resolve().map(|(config, _)| config).map_err(|errors| errors.to_string())
}

#[test]
fn nothing_resolves_to_the_default() {
    let (config, warnings) = RawConfig::default().resolve().expect("defaults agree");
    assert_eq!(config, Config::default());
    assert!(warnings.is_empty());
    assert_eq!((config.host.as_str(), config.port), ("0.0.0.0", 4222));
    assert_eq!(config.limits.payload_bytes_max, 1 << 20);
    assert_eq!(config.limits.pending_bytes_max, 64 << 20);
    assert_eq!(config.timing.ping_interval, Duration::from_secs(120));
    assert!(config.logging.time && config.headers && config.match_cache);
}

#[test]
fn wrong_keys_have_the_peers_messages() {
    for (text, expected) in [
        ("max_payload: 1\n\n  bogus_key: 1", "x.conf:3:3: unknown field \"bogus_key\"\n"),
        ("max_payload: many", "x.conf:1:0: interface conversion: interface {} is string, not int64\n"),
        ("debug: 5", "x.conf:1:0: interface conversion: interface {} is int64, not bool\n"),
        ("server_name: 5", "x.conf:1:0: interface conversion: interface {} is int64, not string\n"),
        ("server_name: \"a b\"", "x.conf:1:0: server name cannot contain spaces\n"),
        ("max_payload: 3000000000", "x.conf:1:0: max_payload value is too big\n"),
        ("MAX_SUB_TOKENS: 256", "x.conf:1:0: MAX_SUB_TOKENS value is too big\n"),
        ("max_sub_tokens: 0", "x.conf:1:0: max_sub_tokens value can not be negative\n"),
        (
            "ping_interval: \"2 parsecs\"",
            "x.conf:1:0: error parsing ping_interval: time: unknown unit \" parsecs\" in duration \"2 parsecs\"\n",
        ),
        ("lame_duck_duration: 40", "x.conf:1:0: interface conversion: interface {} is int64, not string\n"),
        ("lame_duck_duration: \"29s\"", "x.conf:1:0: invalid lame_duck_duration of 29s, minimum is 30 seconds\n"),
        ("lame_duck_grace_period: \"-1s\"", "x.conf:1:0: invalid lame_duck_grace_period, needs to be positive\n"),
        ("listen: bad", "x.conf:1:0: could not parse address string \"bad\"\n"),
        ("listen: \"a:b\"", "x.conf:1:0: could not parse port \"b\"\n"),
        ("listen: true", "x.conf:1:0: expected port or host:port, got bool\n"),
        ("write_timeout: never", "x.conf:1:0: write_timeout must be 'default', 'close' or 'retry'\n"),
        ("server_tags: 5", "x.conf:1:0: error parsing tags: unsupported type int64\n"),
        ("server_metadata: {a: 5 }", "x.conf:1:18: interface conversion: interface {} is int64, not string\n"),
        ("feature_flags: {a: 5 }", "x.conf:1:16: error parsing feature flag \"a\": expected bool, got int64\n"),
        ("cluster: 5", "x.conf:1:0: Expected map to define cluster, got int64\n"),
        ("cluster { bogus: 1 }", "x.conf:1:10: unknown field \"bogus\"\n"),
        ("tls { bogus: 1 }", "x.conf:1:6: error parsing tls config, unknown field \"bogus\"\n"),
        ("jetstream: maybe", "x.conf:1:0: Expected 'enabled' or 'disabled' for string value, got 'maybe'\n"),
        ("X: 5\nY: $X", "x.conf:2:1: unknown field \"Y\"\n"),
        (
            "foo: 1\nping_interval: 5\n debug: 5",
            "x.conf:2:1: invalid use of field \"ping_interval\": ping_interval should be converted to a duration\n\
             x.conf:1:0: unknown field \"foo\"\nx.conf:3:2: interface conversion: interface {} is int64, not bool\n",
        ),
    ] {
        assert_eq!(file(text).map(|_| ()), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn relations_have_the_peers_messages() {
    for (text, expected) in [
        ("max_payload: 100\nmax_pending: 50", "max_payload (100) cannot be higher than max_pending (50)"),
        ("max_pending: -5", "max_payload (1048576) cannot be higher than max_pending (-5)"),
        (
            "lame_duck_grace_period: \"1h\"",
            "lame duck grace period (1h0m0s) should be strictly lower than lame duck duration (2m0s)",
        ),
        ("host: ::1\nport: 70000", "Error listening on port: [::1]:70000, \"listen tcp: address 70000: invalid port\""),
        ("max_control_line: -5", "x.conf:1:0: max_control_line (-5) is not between 1 and 2147483647"),
        ("write_deadline: \"-5s\"", "x.conf:1:0: write_deadline (-5s) needs to be positive"),
        (
            "max_pending: 5\nlame_duck_duration: \"30s\"; lame_duck_grace_period: \"30s\"",
            "max_payload (1048576) cannot be higher than max_pending (5)\n\
             lame duck grace period (30s) should be strictly lower than lame duck duration (30s)",
        ),
    ] {
        assert_eq!(resolved(text).map(|_| ()), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn features_to_come_are_refused_with_their_place() {
    for (text, expected) in [
        ("max_payload: 1\n\n cluster { port: 1 }", "x.conf:3:2: \"cluster\" is not supported yet"),
        (
            "Leaf {}\noperator: []",
            "x.conf:1:0: \"Leaf\" is not supported yet\nx.conf:2:1: \"operator\" is not supported yet",
        ),
        ("jetstream: enabled", "x.conf:1:0: \"jetstream\" is not supported yet"),
    ] {
        assert_eq!(resolved(text).map(|_| ()), Err(expected.to_owned()), "{text}");
    }
    for text in ["http_port: 0", "jetstream: false", "proxy_protocol: off", "allow_non_tls: no", "http: 0"] {
        assert!(resolved(text).is_ok(), "{text} asks for nothing");
    }
}

#[test]
fn what_is_taken_without_effect_is_said() {
    let raw =
        file("prof_port: 5\nconnect_error_reports: 9\nfeature_flags {a: true}\nmax_payload: 9MB").expect("valid keys");
    let (_, warnings) = raw.resolve().expect("settings that agree");
    let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 4, "{texts:?}");
    for part in [
        "x.conf:1:0: \"prof_port\"",
        "x.conf:2:1: \"connect_error_reports\"",
        "x.conf:3:1: \"feature_flags\"",
        "Maximum payloads over 8.00 MB",
    ] {
        assert!(texts.iter().any(|text| text.starts_with(part)), "{part} in {texts:?}");
    }
    assert!(warnings.iter().all(|warning| matches!(warning, Warning::Notice(_))));
}

#[test]
fn zeros_are_defaults_and_negatives_are_none() {
    let config = resolved("max_control_line: 0; ping_max: 0; max_pending: 0; ping_interval: \"0\"; max_subs: -1; log_size_limit: -1; port: 0").expect("valid");
    assert_eq!(config.limits, Config::default().limits);
    assert_eq!(config.timing, Config::default().timing);
    assert_eq!((config.port, config.logging.file_bytes_max), (4222, 0));
    assert_eq!(resolved("port: -1").map(|config| config.port), Ok(0));
    // As observed, and not as documented: nobody may connect.
    assert_eq!(resolved("max_connections: 0").map(|config| config.limits.connections_max), Ok(Some(0)));
    assert_eq!(resolved("max_payload: -1; max_pending: 5000").map(|config| config.limits.payload_bytes_max), Ok(5000));
}

#[test]
fn flags_win_over_the_file() {
    let flags = RawConfig {
        port: Some(Written { value: 7, origin: Origin::Flag("-p".into()) }),
        debug: Some(false.into()),
        ..RawConfig::default()
    };
    let under = file("port: 1; host: \"127.0.0.9\"; debug: true").expect("a valid file");
    let (config, _) = flags.over(under).resolve().expect("settings that agree");
    assert_eq!((config.host.as_str(), config.port, config.logging.debug), ("127.0.0.9", 7, false));
}

#[test]
fn an_unreadable_file_is_told_as_the_peer_tells_it() {
    let error = super::read_file(Path::new("no/such.conf")).expect_err("there is none");
    assert!(matches!(error, FileErrors::Unparsable(_)));
    assert_eq!(error.to_string(), "open no/such.conf: no such file or directory");
    let error = super::read_file(Path::new(".")).expect_err("a folder");
    assert_eq!(error.to_string(), "read .: is a directory");
}
