//! Tests of the blocks of later features: what is wrong in them, as the peer tells it, with places; what stops the start; and
//! that no secret is in a message. The texts were recorded from nats-server 2.15.1.

use super::super::{FileErrors, RawConfig, read_text};
use std::path::Path;

fn read(text: &str) -> Result<RawConfig, FileErrors> {
    read_text(Path::new("x"), text.as_bytes())
}

/// The lines of `-t`: errors, and warnings before them.
fn lines(text: &str) -> Vec<String> {
    match read(text) {
        Ok(raw) => raw
            .warnings
            .iter()
            .filter(|warning| matches!(warning, super::super::Warning::Usage(_)))
            .map(ToString::to_string)
            .collect(),
        Err(FileErrors::Keys(lines)) => lines,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Each text has these lines to be told, or none.
fn check(rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        assert_eq!(lines(text), *expected, "{text}");
    }
}

const NIL: &str = "runtime error: invalid memory address or nil pointer dereference";
const OPERATOR_JWT: &str = include_str!("operator.jwt");

#[test]
fn what_is_no_block_has_the_peers_messages() {
    check(&[
        ("cluster: 5", &["x:1:0: Expected map to define cluster, got int64"]),
        ("gateway: [a]", &["x:1:0: Expected gateway to be a map, got []interface {}"]),
        ("leaf: 5", &["x:1:0: Expected map to define a leafnode, got int64"]),
        ("ws: 5", &["x:1:0: Expected websocket to be a map, got int64"]),
        ("mqtt: yes", &["x:1:0: Expected mqtt to be a map, got bool"]),
        ("jetstream: 5", &["x:1:0: Expected map, bool or string to define JetStream, got int64"]),
        ("jetstream: maybe", &["x:1:0: Expected 'enabled' or 'disabled' for string value, got 'maybe'"]),
        ("store_dir: 5", &["x:1:0: interface conversion: interface {} is int64, not string"]),
        ("default_js_domain: 5", &["x:1:0: error default_js_domain config: unsupported type int64"]),
    ]);
}

#[test]
fn all_faults_of_a_block_are_told_up_to_a_wrong_type() {
    check(&[
        (
            "cluster {\n  name: \"a b\"\n  listen: x\n  bogus: 1\n  write_timeout: never\n}",
            &[
                "x:2:3: cluster name cannot contain spaces",
                "x:3:3: could not parse address string \"x\"",
                "x:4:3: unknown field \"bogus\"",
                "x:5:3: write_timeout must be 'default', 'close' or 'retry'",
            ],
        ),
        (
            "cluster {\n  bogus: 1\n  port: yes\n  other: 1\n}\ngateway { bogus: 1 }",
            &[
                "x:2:3: unknown field \"bogus\"",
                "x:3:3: interface conversion: interface {} is bool, not int64",
                "x:6:11: unknown field \"bogus\"",
            ],
        ),
    ]);
}

#[test]
fn clusters_have_the_peers_messages() {
    let nil = format!("x:1:10: {NIL}");
    check(&[
        (
            "cluster { name: c, listen: \"127.0.0.1:-1\", routes: [\"nats://u:p@h:1\"], compression: {mode: s2_fast} }",
            &[],
        ),
        (
            "cluster { authorization { user: a, password: b, timeout: \"5s\" }, permissions { import: a, export: {deny: b} } }",
            &[],
        ),
        ("cluster { authorization { users: [] } }", &["x:1:10: Cluster authorization does not allow multiple users"]),
        ("cluster { authorization { token: t } }", &["x:1:10: Cluster authorization does not support tokens"]),
        (
            "cluster { authorization { user: 5 }, bogus: 1 }",
            &["x:1:26: interface conversion: interface {} is int64, not string", &nil],
        ),
        (
            "cluster { authorization { permissions: {import: a} } }",
            &[
                "x:1:10: invalid use of field \"authorization\": setting \"permissions\" within cluster authorization block is deprecated",
            ],
        ),
        ("cluster { permissions: 5 }", &["Expected permissions to be a map/struct, got 5"]),
        (
            "cluster { permissions: {export: {allow: \"a q\"}} }",
            &["x:1:10: cluster export allow: subject \"a q\" is not a valid subject"],
        ),
        (
            "cluster { permissions: {allow_responses: true} }",
            &["x:1:10: Cluster permissions do not support dynamic responses"],
        ),
        (
            "cluster { accounts: [a, [b]] }",
            &["x:1:27: error parsing accounts: unsupported type in array []interface {}"],
        ),
        (
            "cluster { compression: 5 }",
            &["x:1:10: field \"compression\" should be a boolean or a structure, got int64"],
        ),
        ("cluster { compression: {rtts: [\"5ms\", x]} }", &["x:1:24: time: invalid duration \"x\""]),
        (
            "cluster { ping_interval: \"1m\" }",
            &["x:1:10: Cluster 'ping_interval' will reset to 30s which is the max for routes"],
        ),
        ("cluster { tls: {bogus: 1} }", &["x:1:16: error parsing tls config, unknown field \"bogus\""]),
        ("cluster { tls: {cert_file: a} }", &["x:1:10: missing 'key_file' in TLS configuration"]),
        ("cluster { tls: {verify_cert_and_check_known_urls: true} }", &[]),
        ("X: 5\ncluster { Y: a, name: $Y, port: $X }", &[]),
    ]);
}

#[test]
fn urls_have_the_peers_messages() {
    check(&[
        ("cluster { routes: [a, \"nats://h:99999\", \"\", \"tls://[::1]:5\"] }", &[]),
        ("cluster { routes: 5 }", &["x:1:10: interface conversion: interface {} is int64, not []interface {}"]),
        (
            "cluster { routes: [\"nats://a:x\", \"nats://a:1\", \"nats://a:1\", \":x\"] }",
            &[
                "x:1:48: invalid use of field \"nats://a:1\": Duplicate route entry detected",
                "x:1:20: error parsing route url [\"nats://a:x\"]",
                "x:1:62: error parsing route url [\":x\"]",
            ],
        ),
        ("gateway { gateways: [{url: \"%zz\"}] }", &["x:1:22: error parsing gateway url [\"%zz\"]"]),
        (
            "leafnodes { remotes: [{url: 5}] }",
            &["x:1:23: Expected remote leafnode url to be an array or string, got 5"],
        ),
    ]);
}

#[test]
fn gateways_have_the_peers_messages() {
    check(&[
        ("gateway { name: a, gateways: [{name: b, urls: [\"nats://x:1\"]}] }", &[]),
        ("gateway { name: \"a b\" }", &["x:1:10: gateway name cannot contain spaces"]),
        ("gateway { gateways: 5, bogus: 1 }", &["Expected gateways field to be an array, got int64"]),
        (
            "gateway { gateways: [5 , {bogus: 1}, {name: 5}, {bogus: 2}], other: 3 }",
            &[
                "x:1:21: Expected gateway entry to be a map/struct, got 5",
                "x:1:26: unknown field \"bogus\"",
                "x:1:38: interface conversion: interface {} is int64, not string",
                "x:1:61: unknown field \"other\"",
            ],
        ),
        ("gateway { authorization { token: t } }", &["x:1:10: Gateway authorization does not support tokens"]),
    ]);
}

#[test]
fn leaf_nodes_have_the_peers_messages() {
    check(&[
        ("leafnodes { min_version: \"2.8.0-a.1+b\" }", &[]),
        ("leafnodes { min_version: \"2.7.9\" }", &["x:1:12: the minimum version should be at least 2.8.0"]),
        ("leafnodes { min_version: \"2.8.0-\" }", &["x:1:12: invalid leafnode's minimum version: invalid semver"]),
        ("leafnodes { min_version: \"2.08.0\" }", &["x:1:12: invalid leafnode's minimum version: invalid semver"]),
        (
            "leafnodes { authorization { user: a, users: [{user: b}] } }",
            &["x:1:12: can not have a single user/pass and a users array"],
        ),
        (
            "leafnodes { authorization { users: [{user: b}, {username: b}] } }",
            &["x:1:12: duplicate user \"b\" detected in leafnode authorization"],
        ),
        (
            "leafnodes { authorization { nkey: x, timeout: y, bogus: 1 } }",
            &[
                "x:1:28: Not a valid public nkey for leafnode authorization",
                "x:1:37: error parsing leafnode authorization config, 'timeout' time: invalid duration \"y\"",
            ],
        ),
        ("leafnodes { remotes: 5 }", &["x:1:12: Expected remotes field to be an array, got int64"]),
        (
            "leafnodes { remotes: [{deny_imports: \"a b\"}, {hub: 5}, {bogus: 1}], bogus: 1 }",
            &[
                "x:1:23: subject \"a b\" is not a valid subject",
                "x:1:46: interface conversion: interface {} is int64, not bool",
                "x:1:68: unknown field \"bogus\"",
            ],
        ),
        (
            "leafnodes { remotes: [{url: \"nats://u:p@a\"}, {url: \"nats://u:p@a\", account: \"$G\"}] }",
            &["x:1:67: duplicate remote urls=[\"nats://u:xxxxx@a\"], account=\"$G\""],
        ),
        (
            "leafnodes { remotes: [{jetstream_cluster_migrate: {leader_migrate_delay: yes}}] }",
            &[
                "x:1:51: invalid use of field \"leader_migrate_delay\": leader_migrate_delay should be converted to a duration",
                "x:1:23: interface conversion: interface {} is bool, not int64",
            ],
        ),
        (
            "leafnodes { remotes: [{jetstream_cluster_migrate: 5}] }",
            &["Expected boolean or map for jetstream_cluster_migrate, got int64"],
        ),
    ]);
}

#[test]
fn proxies_of_remotes_have_the_peers_messages() {
    for (keys, expected) in [
        ("url: \"http://h:1\"", None),
        ("url: \"x:y\"", Some("proxy URL scheme must be http or https, got: x")),
        ("url: \"http://\"", Some("proxy URL must specify a host")),
        ("url: \"http://[::1\"", Some("invalid proxy URL: parse \"http://[::1\": missing ']' in host")),
        ("url: \"http://h\", username: a", Some("proxy username and password must both be specified or both be empty")),
        ("url: \"http://h\", timeout: \"-1s\"", Some("proxy timeout must be >= 0")),
        ("url: \"https://h\", tls: {insecure: true}", None),
        ("url: \"http://h\", tls: {}", Some("proxy TLS configuration requires an https proxy URL, got: http")),
        ("tls: {}", Some("proxy URL must be specified when other proxy options are set")),
        ("username: a", Some("proxy URL must be specified when other proxy options are set")),
    ] {
        let expected: Vec<String> = expected.iter().map(|text| format!("x:1:23: {text}")).collect();
        let text = format!("leafnodes {{ remotes: [{{proxy: {{{keys}}}}}] }}");
        assert_eq!(lines(&text), expected, "{text}");
    }
    let text = "leafnodes { remotes: [{proxy: {url: \"https://h\", tls: {verify: true}}}] }";
    assert_eq!(lines(text), ["x:1:55: \"verify\" is not supported for proxy TLS"]);
}

#[test]
fn websocket_and_mqtt_have_the_peers_messages() {
    let nil = format!("x:1:12: {NIL}");
    check(&[
        ("websocket { port: 80, no_tls: true, authorization { user: a, timeout: yes }, headers { A: b } }", &[]),
        ("websocket { headers: { A: 5 } }", &["x:1:23: error parsing header key A: unsupported type int64"]),
        (
            "websocket { handshake_timeout: 1.5 }",
            &["x:1:12: error parsing handshake timeout: unsupported type float64"],
        ),
        (
            "websocket { authorization { user: 5 }, bogus: 1 }",
            &["x:1:28: interface conversion: interface {} is int64, not string", &nil],
        ),
        (
            "websocket { tls: {verify_cert_and_check_known_urls: true} }",
            &["x:1:18: verify_cert_and_check_known_urls not supported in this context"],
        ),
        ("mqtt { port: 1883, max_inflight: 65535 }", &[]),
        ("mqtt { max_inflight: 65536 }", &["x:1:7: invalid value 65536, should in [0..65535] range"]),
        (
            "mqtt { ackwait: 5 }",
            &["x:1:7: invalid use of field \"ack_wait\": ack_wait should be converted to a duration"],
        ),
        (
            "mqtt { consumer_replicas: 3 }",
            &[
                "x:1:7: invalid use of field \"consumer_replicas\": consumer replicas setting ignored in this server version",
            ],
        ),
    ]);
}

#[test]
fn jetstream_has_the_peers_messages() {
    let not_text = "x:1:0: interface conversion: interface {} is int64, not string";
    check(&[
        ("jetstream { max_mem: \"10M\", max_file: 1GB, sync: always, limits { batch { timeout: \"5s\" } } }", &[]),
        // A wrong type is told at the block at the top, and ends all.
        ("jetstream { limits { batch { timeout: 5, bogus: 1 } }, other: 1 }", &[not_text]),
        ("jetstream { bogus: 1, domain: 5 }", &["x:1:12: unknown field \"bogus\"", not_text]),
        ("jetstream { limits: 5, bogus: 1 }", &["x:1:12: Expected a map to define JetStreamLimits, got int64"]),
        (
            "jetstream { limits { duplicate_window: x, bogus: 1 } }",
            &["time: invalid duration \"x\"", "x:1:42: unknown field \"bogus\""],
        ),
        ("jetstream { strict: 5 }", &["x:1:12: Expected 'true' or 'false' for bool value, got '%!s(int64=5)'"]),
        (
            "jetstream { max_mem: \"10MB\", bogus: 1 }",
            &["x:1:12: max_mem_store strconv.ParseInt: parsing \"10M\": invalid syntax"],
        ),
        (
            "jetstream { MAX_buffered_size: \"5X\" }",
            &["x:1:12: max_buffered_size sizes defined as strings must end in K, M, G, T"],
        ),
        ("jetstream { meta_compact: -1 }", &["x:1:12: Expected an absolute size for \"meta_compact\", got -1"]),
        (
            "jetstream { max_concurrent_io: 3 }",
            &["x:1:12: Expected an absolute size for \"max_concurrent_io\" between 4 and 8192, got 3"],
        ),
        (
            "jetstream { request_queue_limit: x }",
            &["x:1:12: Expected a parseable size for \"request_queue_limit\", got x"],
        ),
        ("jetstream { tpm { cipher: x } }", &["x:1:18: Unknown cipher type: \"x\""]),
        ("store_dir: a\njetstream { store: b }", &["x:2:13: Duplicate 'store_dir' configuration"]),
        ("default_js_domain { A: b, C: 5 }", &[not_text]),
    ]);
}

#[test]
fn operator_mode_has_the_peers_messages() {
    check(&[
        ("operator: []", &[]),
        ("operator: 5", &["x:1:0: error parsing operators: unsupported type int64"]),
        (
            "operator: [no-such-file, eyJ]",
            &[
                "x:1:0: error parsing operator JWT: open no-such-file: no such file or directory",
                "x:1:0: error parsing operator JWT: expected 3 chunks",
            ],
        ),
        (
            "trusted: [a, 5 ]",
            &[
                "x:1:13: error parsing trusted: unsupported type in array int64",
                "x:1:13: trust key \"a\" required to be a valid public operator nkey",
            ],
        ),
        ("resolver: memory", &[]),
        ("resolver: \"URL(http://h/a)\"", &[]),
        ("resolver: \"URL(http://h:x)\"", &["x:1:0: error parsing account resolver url [\"http://h:x\"]"]),
        ("resolver: other", &[&format!("x:1:0: {}", super::operator::NO_RESOLVER)]),
        (
            "resolver { type: cache }",
            &["x:1:0: dir has no value and needs to point to a directory", "x:1:0: mkdir : no such file or directory"],
        ),
        (
            "resolver { type: cache, dir: \".\", interval: \"5s\", allow_delete: true, hard_delete: false }",
            &[
                "x:1:0: CACHE does not accept sync",
                "x:1:0: CACHE does not accept allow_delete",
                "x:1:0: CACHE does not accept hard_delete",
            ],
        ),
        (
            "resolver { type: full, dir: \".\", ttl: \"5s\", hard_delete: true }",
            &["x:1:0: FULL does not accept ttl", "x:1:0: hard_delete has no effect without delete"],
        ),
        (
            "resolver_preload { a: x, b: 5 }",
            &["x:1:19: invalid account JWT", "x:1:25: preload map value should be a string JWT"],
        ),
        (
            "resolver_pinned_accounts: {}",
            &["x:1:0: error parsing resolver_pinned_accounts: unsupported type map[string]interface {}"],
        ),
    ]);
}

#[test]
fn jwts_of_operators_are_verified() {
    let jwt = OPERATOR_JWT.trim();
    check(&[(&format!("operator: \"{jwt}\""), &[])]);
    let (signed, signature) = jwt.rsplit_once('.').expect("three chunks");
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("operator: \"{signed}.{other}{}\"", &signature[1..]);
    check(&[(&forged, &["x:1:0: error parsing operator JWT: claim failed V2 signature verification"])]);
    check(&[(&format!("resolver_preload {{ A: \"{jwt}\" }}"), &["x:1:19: invalid account JWT"])]);
}

#[test]
fn secrets_are_in_no_message() {
    for text in [
        "cluster { routes: [\"nats://u:s3cret@a:1\", \"nats://u:s3cret@a:1\", \"nats://u:s3cret@[::1\"] }",
        "cluster { routes: [\"nats://u:s3cret%zz@a\", \"u:s3cret@h:1\", \"nats://a:s3/cret@h:x\"] }",
        "cluster { authorization { password: [s3cret], user: a } }",
        "gateway { gateways: [{url: \"nats://u:s3cret@a:x\"}] }",
        "leafnodes { remotes: [{nkey: s3cret}, {seed: [s3cret]}] }",
        "leafnodes { remotes: [{url: \"nats://u:s3cret@a\"}, {url: \"nats://u:s3cret@a\"}] }",
        "leafnodes { remotes: [{url: \"wss://u:s3cret@a\", proxy: {url: \"http://u:s3cret@p\"}}, {proxy: {url: \"http://u:s3cret@[\"}}] }",
        "leafnodes { remotes: [{proxy: {url: \"http://u:s3cret%zz@p\"}}, {proxy: {password: s3cret}}] }",
        "jetstream { key: s3cret, limits: 5 }",
        "resolver: \"URL(http://u:s3cret@h:x)\"",
        "websocket { authorization { password: s3cret, token: [s3cret] } }",
    ] {
        let lines = lines(text);
        assert!(!lines.is_empty(), "nothing is told of {text}");
        let whole = lines.join("\n");
        assert!(!whole.contains("s3cret") && !whole.contains("s3"), "{whole}");
        assert!(!format!("{:?}", read(text)).contains("s3cret"), "{text}");
    }
}

#[test]
fn a_seed_among_trusted_keys_is_not_shown() {
    let seed = nkeys::KeyPair::new_operator().seed().expect("a pair that was made has a seed");
    let lines = lines(&format!("trusted: {seed}"));
    assert_eq!(lines, ["x:1:0: trust key \"[REDACTED]\" required to be a valid public operator nkey"]);
}

#[test]
fn what_asks_for_a_later_feature_stops_the_start() {
    for (text, expected) in [
        ("cluster { port: 0 }", "x:1:0: \"cluster\" is not supported yet"),
        ("\nLeaf { }", "x:2:1: \"Leaf\" is not supported yet"),
        ("jetstream { max_mem: 5 }", "x:1:0: \"jetstream\" is not supported yet"),
        ("jetstream: enabled", "x:1:0: \"jetstream\" is not supported yet"),
        ("store_dir: a", "x:1:0: \"store_dir\" is not supported yet"),
        ("resolver: MEM", "x:1:0: \"resolver\" is not supported yet"),
        ("mqtt { port: 1883 }", "x:1:0: \"mqtt\" is not supported yet"),
    ] {
        let error = read(text).expect("valid").resolve().expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    for text in ["jetstream: false", "jetstream: disabled", "jetstream { enabled: false }", "default_js_domain {}"] {
        read(text).expect(text).resolve().expect(text);
    }
}

/// A file with this key of this block.
fn nested(path: &str, key: &str, value: &str) -> String {
    let mut text = format!("{key}: {value}\n");
    for part in path.rsplit('.') {
        text = match part {
            "gateways" | "remotes" | "users" => format!("{part}: [{{ {text} }} ]\n"),
            "resolver" => format!("{part}: {{ type: mem\n {text} }}\n"),
            _ => format!("{part}: {{ {text} }}\n"),
        };
    }
    text
}

#[test]
fn the_example_of_every_key_is_right_under_every_name() {
    for block in super::blocks() {
        for key in block.keys {
            for name in std::iter::once(&key.name).chain(key.aliases) {
                let url =
                    if block.path.ends_with("proxy") { "url: \"https://h\", username: a, password: b\n" } else { "" };
                if url.contains(name) || *name == "type" || *name == "consumer_replicas" {
                    continue;
                }
                let text = nested(block.path, &format!("{url}{}", name.to_uppercase()), key.example);
                // The names in a resolver are not taken in capitals, and those that it does not know are passed over.
                assert_eq!(lines(&text), [""; 0], "{text}");
            }
        }
    }
}

#[test]
fn no_key_takes_a_date() {
    for block in super::blocks().iter().filter(|block| block.path != "resolver") {
        for key in &block.keys {
            // The peer takes any value for the timeout of a login of a listener.
            let takes_all =
                key.name == "timeout" && matches!(block.path, "websocket.authorization" | "mqtt.authorization");
            let text = nested(block.path, key.name, "2024-01-02T03:04:05Z");
            assert_eq!(lines(&text).is_empty(), takes_all, "{text}");
        }
    }
}
