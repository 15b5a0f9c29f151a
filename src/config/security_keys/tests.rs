//! Tests of the security blocks: what is wrong in them, as the peer tells it, with places; and what of them stops the start.

use super::super::{FileErrors, RawConfig, Warning, read_text};
use std::path::Path;

const USER_KEY: &str = "UAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCLL5";
const ACCOUNT_KEY: &str = "AAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQDPYC";

fn read(text: &str) -> Result<RawConfig, FileErrors> {
    let text = text.replace("USER_KEY", USER_KEY).replace("ACCOUNT_KEY", ACCOUNT_KEY);
    read_text(Path::new("x"), text.as_bytes())
}

/// Each text has these lines to be told, or none.
fn check(rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        let lines = match read(text) {
            Ok(_) => Vec::new(),
            Err(FileErrors::Keys(lines)) => lines,
            Err(error) => panic!("{text}: {error}"),
        };
        assert_eq!(lines, *expected, "{text}");
    }
}

#[test]
fn authorization_has_the_peers_messages() {
    const NIL: &str = "x:1:0: runtime error: invalid memory address or nil pointer dereference";
    let not_text = |column: u32| format!("x:1:{column}: interface conversion: interface {{}} is int64, not string");
    check(&[
        ("authorization {}", &[]),
        ("authorization { user: a, password: b, timeout: 0.5 }", &[]),
        ("authorization: 5", &["x:1:0: interface conversion: interface {} is int64, not map[string]interface {}", NIL]),
        ("authorization { user: a, password: 1234 }", &[&not_text(25), NIL]),
        ("authorization { token: 1234 }", &[&not_text(16), NIL]),
        ("authorization { bogus: 1 }", &["x:1:16: unknown field \"bogus\""]),
        ("authorization { token: t, user: u }", &["x:1:0: Cannot have a user/pass and token"]),
        ("authorization { user: u, users: [] }", &["x:1:0: Can not have a single user/pass and a users array"]),
        ("authorization { token: u, users: [] }", &["x:1:0: Can not have a token and a users array"]),
        ("authorization { timeout: yes }", &["x:1:16: error parsing authorization config, 'timeout' wrong type"]),
        (
            "authorization { timeout: abc, bogus: 5 }",
            &["x:1:16: error parsing authorization config, 'timeout' time: invalid duration \"abc\""],
        ),
        (
            "authorization { users: 5, bogus: 5 }",
            &["x:1:16: Expected users field to be an array, got 5", "x:1:26: unknown field \"bogus\""],
        ),
        ("X: a\nauthorization { Y: b, users: [{user: $X, password: $Y}] }", &[]),
    ]);
}

#[test]
fn users_have_the_peers_messages() {
    check(&[
        ("authorization { users: [{nkey: USER_KEY}, {user: a}, {username: b, pass: c}] }", &[]),
        ("authorization { users: [{}] }", &["x:1:26: User entry requires a user"]),
        ("authorization {\n users: [\n {password: b\n }\n]}", &["x:3:3: User entry requires a user"]),
        ("authorization { users: [{nkey: UNOTVALID}] }", &["x:1:25: Not a valid public nkey for a user"]),
        ("authorization { users: [{nkey: ACCOUNT_KEY}] }", &["x:1:25: Not a valid public nkey for a user"]),
        (
            "authorization { users: [{nkey: USER_KEY, user: a}] }",
            &["x:1:89: Nkey users do not take usernames or passwords"],
        ),
        ("authorization { users: [{user: a, bogus: 5}] }", &["x:1:34: unknown field \"bogus\""]),
        (
            "authorization { users: [5 , {user: a, bogus: 5}] }",
            &["x:1:24: Expected user entry to be a map/struct, got 5", "x:1:38: unknown field \"bogus\""],
        ),
        ("authorization { users: [{user: a}, {user: a}, {user: a}] }", &["x:1:0: Duplicate user \"a\" detected"]),
        (
            "authorization { users: [{user: a, clients: 5}] }",
            &["x:1:34: error parsing allowed connection types: unsupported type int64"],
        ),
        (
            "authorization { users: [{user: a, clients: [standard, bogus]}] }",
            &["x:1:34: invalid connection types [\"BOGUS\"]"],
        ),
        (
            "authorization { users: [{user: a, permissions: 5}, {user: 5}, {bogus: 5}] }",
            &[
                "x:1:34: Expected permissions to be a map/struct, got 5",
                "x:1:52: interface conversion: interface {} is int64, not string",
            ],
        ),
    ]);
}

/// Upstream's fix 91045691a: permissions of blanks alone ended the server.
#[test]
fn commit_91045691a_permissions_of_blanks_are_refused() {
    for blanks in ["", " ", "  ", " a", "a ", "a b c"] {
        for kind in ["publish", "subscribe"] {
            let complaint = format!("subject \"{blanks}\" is not a valid subject");
            check(&[(&format!("authorization {{ permissions: {{ {kind}: \"{blanks}\"}} }}"), &[&complaint])]);
        }
    }
    check(&[("authorization { permissions: { subscribe: \" a  b \"} }", &[])]);
}

#[test]
fn permissions_have_the_peers_messages() {
    let rows: &[(&str, &[&str])] = &[
        ("publish: a, subscribe: [\"a q\", b]", &[]),
        ("publish: {allow: [], deny: \"a.>\"}, subscribe: {deny: \"a b.*\"}", &[]),
        ("publish: \"{{name()}}.a\", allow_responses: {max: -1, ttl: \"-1s\"}", &[]),
        ("bogus: 5", &["x:1:31: Unknown field \"bogus\" parsing permissions"]),
        ("publish: 5", &["Expected subject permissions to be a subject, or array of subjects, got int64"]),
        ("publish: \"a..b\"", &["subject \"a..b\" is not a valid subject"]),
        ("publish: \"a b\"", &["subject \"a b\" is not a valid subject"]),
        ("subscribe: \"a b c\"", &["subject \"a b c\" is not a valid subject"]),
        ("subscribe: \"a.>.b q\"", &["subject \"a.>.b\" is not a valid subject"]),
        ("subscribe: \"a b..c\"", &["queue \"b..c\" is not a valid queue"]),
        ("subscribe: [\"a..b\", \"c..d\"]", &["subject \"a..b\" is not a valid subject"]),
        ("subscribe: [a, [b]]", &["x:1:49: Subject in permissions array cannot be cast to string"]),
        (
            "publish: {deny: \"a..b\", bogus: 5}",
            &[
                "x:1:41: subject \"a..b\" is not a valid subject",
                "x:1:55: Unknown field name \"bogus\" parsing subject permissions, only 'allow' or 'deny' are permitted",
            ],
        ),
        ("allow_responses: 5", &["x:1:31: error parsing response permissions, expected a boolean or a map"]),
        ("allow_responses: {ttl: 5}", &["x:1:49: error parsing expires, not a duration string"]),
        ("allow_responses: {ttl: x}", &["x:1:49: error parsing expires: time: invalid duration \"x\""]),
        (
            "allow_responses: {max: a}, bogus: 5",
            &[
                "x:1:49: interface conversion: interface {} is string, not int64",
                "x:1:58: Unknown field \"bogus\" parsing permissions",
            ],
        ),
    ];
    for (permissions, expected) in rows {
        check(&[(&format!("authorization {{ permissions: {{ {permissions}}} }}"), expected)]);
    }
}

#[test]
fn accounts_have_the_peers_messages() {
    check(&[
        ("accounts: [A, B]", &[]),
        ("accounts { A { nkey: ACCOUNT_KEY, limits: {max_conn: -1, max_subs: 5, max_pay: 6} } }", &[]),
        ("accounts: [A, A]", &["x:1:14: Duplicate Account Entry: A"]),
        ("accounts: [A, \"$G\"]", &["x:1:15: \"$G\" is a Reserved Account"]),
        (
            "accounts { A: 5, $G { bogus: 5 } }",
            &["x:1:11: Expected map entries for accounts", "x:1:17: \"$G\" is a Reserved Account"],
        ),
        (
            "accounts { A { bogus: 5, nkey: x, users: 5 } }",
            &[
                "x:1:15: unknown field \"bogus\"",
                "x:1:25: Not a valid public nkey for an account: \"x\"",
                "Expected users field to be an array, got 5",
            ],
        ),
        ("accounts { A { nkey: 5 } }", &["x:1:15: Not a valid public nkey for an account: '\\x05'"]),
        ("accounts { A { limits: 5 } }", &["x:1:15: Expected account limits to be a map/struct, got 5"]),
        ("accounts { A { limits: {bogus: 5} } }", &["x:1:24: Unknown field \"bogus\" parsing account limits"]),
        (
            "accounts { A { limits: {max_conn: a} } }",
            &["x:1:24: interface conversion: interface {} is string, not int64"],
        ),
        ("accounts { A { users: [{user: a}] }, B { users: [{user: a}] } }", &["x:1:41: Duplicate user \"a\" detected"]),
        (
            "accounts { A { users: [{user: a}] } }\nauthorization { users: [{user: a}] }",
            &["x:2:1: Duplicate user \"a\" detected"],
        ),
        (
            "authorization { user: a, password: b }\naccounts { A { users: [{user: c}] } }",
            &["x:2:16: Can not have a single user/pass and accounts"],
        ),
        (
            "authorization { token: b }\naccounts { A { users: [{user: c}] } }",
            &["x:2:16: Can not have a token and accounts"],
        ),
        ("authorization { token: b }\naccounts { A { users: [] } }", &[]),
    ]);
}

#[test]
fn exports_imports_and_mappings_have_the_peers_messages() {
    let account = |inside: &str| format!("accounts {{ A {{ {inside} }} }}");
    for (inside, expected) in [
        ("exports: 5", "x:1:15: Exports should be an array, got int64"),
        ("exports: [{stream: 5}]", "x:1:26: Expected stream name to be string, got int64"),
        ("exports: [{stream: a, service: b}]", "x:1:37: Detected service \"b\" but already saw a stream"),
        ("exports: [{service: b, accounts: [B]}]", "x:1:0: \"B\" account not defined for service export"),
        ("exports: [{service: b, response: bogus}]", "x:1:38: Unknown response type: \"bogus\""),
        ("imports: [{stream: 5}]", "x:1:26: Stream entry should be an account map, got int64"),
        ("imports: [{stream: {account: B}}]", "x:1:26: Expect an account name and a subject"),
        ("imports: [{service: {account: B, subject: a}}]", "x:1:0: \"B\" account not defined for service import"),
        (
            "imports: [{stream: {account: A, subject: a}}]",
            "x:1:0: Error adding stream import \"a\": stream import not authorized",
        ),
        ("mappings: {\"a..b\": c}", "x:1:15: Subject \"a..b\" is not a valid subject"),
        ("mappings: {a: [{dest: b, weight: 150%}]}", "x:1:40: Invalid weight 150 for mapping destination"),
        ("mappings: {a: [{dest: b, weight: x}]}", "x:1:40: Invalid weight \"x\" for mapping destination"),
        ("mappings: {a: {dest: b}}", "x:1:26: Missing weight for mapping destination \"b\""),
        (
            "mappings: {\"a.*\": \"b.$2\"}",
            "x:1:27: Error adding mapping for \"a.*\" to \"b.$2\" : invalid mapping destination: wildcard index out of \
             range in $2: [2]",
        ),
        ("msg_trace: \"a.*\"", "x:1:15: Trace destination \"a.*\" is not valid"),
        ("jetstream: maybe", "Expected 'enabled' or 'disabled' for string value, got 'maybe'"),
    ] {
        check(&[(&account(inside), &[expected])]);
    }
}

/// CVE-2020-28466: accounts that import from each other in a circle.
#[test]
fn cve_2020_28466_imports_that_form_a_cycle_are_found() {
    let account = |name: &str, from: &str| {
        format!("{name} {{ imports: [{{service: {{account: {from}, subject: a}}}}], exports: [{{service: a}}] }}")
    };
    let text = "x:1:0: Error adding service import \"a\": import forms a cycle";
    for (names, expected) in [(&["A", "B"][..], vec![text; 2]), (&["A", "B", "C"], vec![text; 3])] {
        let next = names.iter().cycle().skip(1);
        let accounts: Vec<String> = names.iter().zip(next).map(|(name, from)| account(name, from)).collect();
        check(&[(&format!("accounts {{ {} }}", accounts.join(", ")), &expected)]);
    }
    check(&[(&format!("accounts {{ {} }}", account("A", "A")), &[])]);
}

/// Every import is held against every export: a large file must not take for ever.
#[test]
fn comparing_accounts_is_bounded() {
    let list = |kind: &dyn Fn(usize) -> String| (0..6000).map(kind).collect::<Vec<_>>().join(", ");
    let exports = list(&|n| format!("{{service: \"s{n}\"}}"));
    let imports = list(&|n| format!("{{service: {{account: A, subject: \"s{n}\"}}, to: \"t{n}\"}}"));
    let text = format!("accounts {{ A {{ exports: [{exports}] }}, B {{ imports: [{imports}] }} }}");
    check(&[(&text, &["x:1:0: there are too many exports and imports to compare them"])]);

    let users = list(&|n| format!("{{user: u{n}}}"));
    let subjects = list(&|n| format!("s{n}"));
    let text = format!("authorization {{ users: [{users}], permissions: {{publish: [{subjects}]}} }}");
    check(&[(&text, &["x:1:0: the default permissions are too long for so many users"])]);
}

#[test]
fn tls_has_the_peers_messages() {
    for (inside, expected) in [
        ("bogus: 5, cert_file: 5", "x:1:6: error parsing tls config, unknown field \"bogus\""),
        ("cert_file: 5", "x:1:6: error parsing tls config, expected 'cert_file' to be filename"),
        ("cert_file: a", "x:1:0: missing 'key_file' in TLS configuration"),
        ("key_file: a", "x:1:0: missing 'cert_file' in TLS configuration"),
        (
            "cert_file: no/such, key_file: a",
            "x:1:0: error parsing X509 certificate/key pair: open no/such: no such file or directory",
        ),
        (
            "certs: [{cert_file: no/such, key_file: a}]",
            "x:1:0: error parsing X509 certificate/key pair 1/1: open no/such: no such file or directory",
        ),
        (
            "certs: [{cert_file: a}]",
            "x:1:15: error parsing certificates config: both 'cert_file' and 'cert_key' options are required",
        ),
        ("ca_file: no/such", "x:1:0: open no/such: no such file or directory"),
        ("verify: 5", "x:1:6: error parsing tls config, expected 'verify' to be a boolean"),
        (
            "verify_cert_and_check_known_urls: yes",
            "x:1:6: verify_cert_and_check_known_urls not supported in this context",
        ),
        ("timeout: yes", "x:1:6: error parsing tls config, 'timeout' wrong type"),
        ("cipher_suites: []", "x:1:6: error parsing tls config, 'cipher_suites' cannot be empty"),
        ("cipher_suites: [X]", "x:1:22: unrecognized cipher X"),
        (
            "cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
            "x:1:0: insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: \
             TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
        ("curve_preferences: [X]", "x:1:26: unrecognized curve preference X"),
        ("min_version: \"1.1\"", "x:1:6: error parsing tls config: unsupported TLS version: TLS 1.1"),
        ("min_version: 1.2", "x:1:6: error parsing tls config: 'min_version' wrong type: 1.2"),
        (
            "pinned_certs: [ABC]",
            "x:1:21: error parsing tls config, 'pinned_certs' key abc does not look like hex-encoded sha256 of DER \
             encoded SubjectPublicKeyInfo",
        ),
        ("handshake_first: 5", "x:1:6: field \"handshake_first\" should be a boolean or a string, got int64"),
        ("immediate: x", "x:1:6: field \"immediate\"'s value \"x\" is invalid"),
        ("cert_store: WindowsCurrentUser", "x:1:6: cert_store not compatible with current operating system"),
        ("ocsp_peer: {bogus: 5}", "x:1:6: x:1:18: error parsing tls peer config, unknown field [\"bogus\"]"),
    ] {
        check(&[(&format!("tls {{ {inside} }}"), &[expected])]);
    }
}

#[test]
fn what_is_not_there_yet_stops_the_start_with_its_place() {
    for (text, expected) in [
        (
            "authorization { auth_callout { issuer: ACCOUNT_KEY, users: [a] } }",
            "x:1:16: \"auth_callout\" is not supported yet",
        ),
        ("accounts { A { exports: [{stream: a}] } }", "x:1:15: \"exports\" is not supported yet"),
        (
            "accounts { A { imports: [{stream: {account: B, subject: a}}] }, B { exports: [{stream: a}] } }",
            "x:1:15: \"imports\" is not supported yet\nx:1:68: \"exports\" is not supported yet",
        ),
        ("accounts { A { maps {a: b} } }", "x:1:15: \"maps\" is not supported yet"),
        ("accounts { A { jetstream: on } }", "x:1:15: \"jetstream\" is not supported yet"),
        ("accounts { A { msg_trace: a } }", "x:1:15: \"msg_trace\" is not supported yet"),
        ("accounts { A { limits { max_leafs: 5 } } }", "x:1:24: \"max_leafs\" is not supported yet"),
        ("mappings { a: b }", "x:1:0: \"mappings\" is not supported yet"),
        ("ocsp { mode: always }", "x:1:0: \"ocsp\" is not supported yet"),
    ] {
        let errors = read(text).expect("the form is right").resolve().expect_err("it is not there");
        assert_eq!(errors.to_string(), expected, "{text}");
    }
    for text in [
        "accounts { A { exports: [], imports: [], mappings {}, jetstream: off, limits { max_leafs: -1 } } }",
        "mappings {}",
        "ocsp: off",
        "ocsp { mode: never }",
        "ocsp_cache: on",
    ] {
        assert!(read(text).expect("the form is right").resolve().is_ok(), "{text} asks for nothing");
    }
}

#[test]
fn long_timeouts_and_empty_words_are_complained_of() {
    let warnings = |text: &str| {
        let raw = read(text).expect("the form is right");
        raw.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        warnings("authorization { timeout: \"2m\" }"),
        ["x:1:16: invalid use of field \"timeout\": timeout of 2m (120.000000 seconds) is high, consider keeping it \
         under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example"]
    );
    assert!(warnings("authorization { timeout: 60 }").is_empty());
    let raw = read("authorization { timeout: 61 }").expect("the form is right");
    assert!(matches!(raw.warnings.as_slice(), [Warning::Usage(_)]), "`-t` counts it as an error");
    assert_eq!(warnings("accounts: 5"), ["x:1:0: \"accounts\" is neither a block nor a list: ignored"]);
    assert_eq!(
        warnings("tls { insecure: true }"),
        ["x:1:6: \"insecure\" is for connections that the server opens: ignored"]
    );
}
