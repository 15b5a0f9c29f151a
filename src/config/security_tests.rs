//! Tests of the resolved security settings: what files and flags come to, and what does not go together.

use super::security::{
    Account, AccountLimits, Credential, HandshakeFirst, Permissions, ResponsePermission, Security, SingleLogin,
    SubjectLists, Tls, User,
};
use super::{Config, RawConfig, Warning, read_text};
use crate::cli;
use crate::secret::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn resolved(text: &str) -> Result<(Config, Vec<String>), String> {
    let raw = read_text(Path::new("x"), text.as_bytes()).map_err(|errors| errors.to_string())?;
    let (config, warnings) = raw.resolve().map_err(|errors| errors.to_string())?;
    Ok((config, warnings.iter().map(ToString::to_string).collect()))
}

fn security(text: &str) -> Security {
    resolved(text).unwrap_or_else(|error| panic!("{text}: {error}")).0.security
}

fn password(name: &str, password: &str) -> Credential {
    Credential::Password { name: name.into(), password: Secret::new(password) }
}

/// A certificate and a key as far as their outer form goes, in a folder that is removed.
struct PemFiles(PathBuf);

impl PemFiles {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dunlin-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for files of the test");
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("randomness");
        for (file, text) in [("cert.pem", made.cert.pem()), ("key.pem", made.signing_key.serialize_pem())] {
            std::fs::write(folder.join(file), text).expect("a file of the test");
        }
        Self(folder)
    }

    fn pair(&self) -> (PathBuf, PathBuf) {
        (self.0.join("cert.pem"), self.0.join("key.pem"))
    }

    fn keys(&self) -> String {
        let (cert, key) = self.pair();
        format!("cert_file: {:?}, key_file: {:?}", cert, key)
    }
}

impl Drop for PemFiles {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn users_accounts_and_limits_are_put_together() {
    let security = security(
        "authorization { users: [{user: a, password: b, clients: [standard]}] }\n\
         accounts { A { users: [{user: c, proxy_required: true}]\n limits {max_conn: 5, max_subs: -1, max_pay: -7} }, B {} }",
    );
    let account = |name: &str| Account { name: name.into(), ..Account::default() };
    let limits = AccountLimits { connections_max: Some(5), subscriptions_max: None, payload_bytes_max: Some(0) };
    assert_eq!(security.accounts, [account("$G"), Account { limits, ..account("A") }, account("B"), account("$SYS")]);
    assert_eq!(security.system_account, Some(3));
    let user = |credential, account| User {
        credential,
        account,
        permissions: None,
        connection_types: Vec::new(),
        proxy_required: false,
    };
    assert_eq!(
        security.users,
        [
            User { connection_types: vec!["STANDARD".into()], ..user(password("a", "b"), 0) },
            User { proxy_required: true, ..user(password("c", ""), 1) },
        ]
    );
    assert!(!security.anonymous_in_global);
}

#[test]
fn permissions_are_what_the_peer_makes_of_them() {
    let of = |text: &str| {
        let security = security(&format!("authorization {{ users: [{{user: a, {text}}}] }}"));
        security.users.into_iter().next().and_then(|user| user.permissions)
    };
    let list = |subjects: &[&str]| Some(subjects.iter().map(|&subject| subject.to_owned()).collect::<Vec<_>>());
    let lists = |allow, deny: &[&str]| Some(SubjectLists { allow, deny: list(deny).unwrap_or_default() });
    let responses = |messages_max, seconds: Option<u64>| {
        Some(ResponsePermission { messages_max, expires: seconds.map(Duration::from_secs) })
    };
    assert_eq!(of("password: b"), None);
    assert_eq!(of("permissions: {}"), Some(Permissions::default()));
    for (text, publish, subscribe, replies) in [
        ("pub: a", lists(list(&["a"]), &[]), None, None),
        ("pub: []", lists(None, &[]), None, None),
        ("pub: {allow: [], deny: a}", lists(None, &["a"]), None, None),
        ("sub: [\" a  q \", b]", None, lists(list(&["a q", "b"]), &[]), None),
        ("allow_responses: no", None, None, None),
        ("allow_responses: yes", lists(list(&[]), &[]), None, responses(Some(1), Some(120))),
        ("allow_responses {max: 0, ttl: \"0\"}", lists(list(&[]), &[]), None, responses(Some(1), Some(120))),
        ("allow_responses {max: -1, ttl: \"-1s\"}", lists(list(&[]), &[]), None, responses(None, None)),
        ("pub: a, allow_responses {max: 5}", lists(list(&["a"]), &[]), None, responses(Some(5), Some(120))),
        ("pub: {deny: b}, allow_responses: yes", lists(list(&[]), &["b"]), None, responses(Some(1), Some(120))),
    ] {
        let expected = Permissions { publish, subscribe, responses: replies };
        assert_eq!(of(&format!("permissions: {{{text} }}")), Some(expected), "{text}");
    }
}

#[test]
fn default_permissions_are_for_users_of_the_same_block() {
    let security = security(
        "authorization { users: [{user: a}, {user: b, permissions: {}}], default_permissions: {publish: x} }\n\
         accounts { A { default_permissions: {publish: y}, users: [{user: c}] }, B { users: [{user: d}] } }",
    );
    let allowed = |user: &User| user.permissions.clone().map(|permissions| permissions.publish.and_then(|p| p.allow));
    let allowed: Vec<_> = security.users.iter().map(allowed).collect();
    let only = |subject: &str| Some(Some(vec![subject.to_owned()]));
    assert_eq!(allowed, [only("x"), Some(None), only("y"), None]);
}

#[test]
fn no_auth_user_and_the_system_account_must_be_there() {
    for (text, expected) in [
        ("no_auth_user: x", "no_auth_user: \"x\" present, but users/nkeys are not defined"),
        (
            "no_auth_user: a\nauthorization { user: a, password: b }",
            "no_auth_user: \"a\" present, but users/nkeys are not defined",
        ),
        (
            "no_auth_user: x\naccounts { A { users: [{user: a}] } }",
            "no_auth_user: \"x\" not present as user or nkey in authorization block or account configuration",
        ),
        ("system_account: A", "error resolving system account: account missing"),
        ("system_account: \"$SYS\"", "error resolving system account: account missing"),
        ("authorization { timeout: -1 }", "x:1:16: authorization timeout (-1s) needs to be positive"),
        ("tls {}", "x:1:0: \"tls\" has no certificate: write \"cert_file\" and \"key_file\", or \"certs\""),
    ] {
        assert_eq!(resolved(text).map(|_| ()), Err(expected.to_owned()), "{text}");
    }
    for (text, system) in [
        ("system_account: \"$G\"", Some("$G")),
        ("system_account: A\naccounts: [A]", Some("A")),
        ("no_sys_acc: true, system: A\naccounts: [A]", Some("A")),
        ("no_system: true", None),
        ("no_system: true\naccounts { $SYS {} }", Some("$SYS")),
        ("accounts: [A]", Some("$SYS")),
    ] {
        let security = security(text);
        let name = security.system_account.map(|at| security.accounts[at].name.as_str());
        assert_eq!(name, system, "{text}");
    }
    assert_eq!(security("no_auth_user: a\nauthorization { users: [{user: a}] }").no_auth_user.as_deref(), Some("a"));
}

/// CVE-2023-47090: users of the system account alone opened servers that had an `authorization` block.
#[test]
fn cve_2023_47090_a_system_account_opens_nothing_beside_other_logins() {
    const SYSTEM: &str = "accounts { $SYS { users: [{user: a, password: b}] }";
    for text in [&format!("{SYSTEM} }}"), "accounts { $SYS {} }", "system_account: S\naccounts { S {} }"] {
        assert!(security(text).anonymous_in_global, "{text}: as the peer does");
    }
    for text in [
        &format!("{SYSTEM}, A {{}} }}"),
        &format!("{SYSTEM} }}\nauthorization {{}}"),
        &format!("{SYSTEM} }}\nauthorization {{ timeout: 5 }}"),
        &format!("{SYSTEM} }}\nauthorization {{ users: [{{user: c}}] }}"),
        &format!("{SYSTEM} }}\nno_auth_user: a"),
        "accounts { A {} }",
        "system_account: \"$G\"\naccounts { $SYS {} }",
        "debug: true",
    ] {
        assert!(!security(text).anonymous_in_global, "{text}");
    }
}

#[test]
fn plain_passwords_are_warned_of() {
    const WARNING: &str = "Plaintext passwords detected, use nkeys or bcrypt";
    const HASH: &str = "\"$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG\"";
    for (text, is_warned) in [
        ("authorization { user: a, password: b }".to_owned(), true),
        ("authorization { user: a }".into(), false),
        (format!("authorization {{ user: a, password: {HASH} }}"), false),
        ("authorization { token: b }".into(), false),
        ("authorization { users: [{user: a}] }".into(), true),
        ("accounts { A { users: [{user: a, password: b}] } }".into(), true),
        (format!("authorization {{ users: [{{user: a, password: {HASH}}}] }}"), false),
    ] {
        let (_, warnings) = resolved(&text).expect("settings that agree");
        assert_eq!(warnings.iter().any(|warning| warning == WARNING), is_warned, "{text}");
    }
    let files = PemFiles::new("mapped");
    let text = format!("tls {{ {}, verify_and_map: true }}\nauthorization {{ users: [{{user: a}}] }}", files.keys());
    assert_eq!(resolved(&text).map(|(_, warnings)| warnings), Ok(Vec::new()), "a certificate is its password");
    let (config, warnings) = resolved("authorization { password: b }").expect("settings that agree");
    assert_eq!(config.security.single, None);
    assert_eq!(warnings, [WARNING, "A password without a user has no effect: it asks nobody to log in"]);
}

/// CVE-2021-32026: settings of TLS were lost when they came from flags.
#[test]
fn cve_2021_32026_flags_and_file_build_the_same_security() {
    let files = PemFiles::new("flags");
    let (cert, key) = files.pair();
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let pair = files.keys();
    for (flags, text) in [
        (&["--user", "a", "--pass", "b"][..], "authorization { user: a, password: b }".to_owned()),
        (&["--user", "a"], "authorization { user: a }".into()),
        (&["--auth", "t"], "authorization { token: t }".into()),
        (&["--tls", "--tlscert", &cert, "--tlskey", &key], format!("tls {{ {pair} }}")),
        (&["--tlscert", &cert, "--tlskey", &key], format!("tls {{ {pair} }}")),
        (&["--tlsverify", "--tlscert", &cert, "--tlskey", &key], format!("tls {{ {pair}, verify: true }}")),
        (
            &["--tlsverify", "--tlscert", &cert, "--tlskey", &key, "--tlscacert", &cert],
            format!("tls {{ {pair}, verify: true, ca_file: {cert:?} }}"),
        ),
        (&["--failed_logins_per_minute", "7"], "dunlin { failed_logins_per_minute: 7 }".into()),
        (&["--no_coredump"], "dunlin { no_coredump: true }".into()),
        (&["--user", "a", "--no_coredump=false"], "authorization { user: a }\ndunlin { no_coredump: false }".into()),
    ] {
        let Ok(cli::Command::Start(start)) = cli::parse(flags) else { panic!("{flags:?} are right") };
        let (mut from_file, _) = resolved(&text).expect("a valid file");
        assert_ne!(start.config, Config::default(), "{flags:?} change something");
        (from_file.source, from_file.digest) = (None, None);
        assert_eq!(start.config, from_file, "{flags:?} and {text}");
    }
}

/// Where there are secrets there are no core dumps, unless somebody wants them.
#[test]
fn core_dumps_are_off_where_there_are_secrets() {
    const USER: &str = "authorization { users: [{user: a, password: b}] }";
    let files = PemFiles::new("cores");
    let tls = format!("tls {{ {} }}", files.keys());
    for (flags, text, expected) in [
        (&[][..], "port: 4222", true),
        (&["--no_coredump"], "port: 4222", false),
        (&[], USER, false),
        (&[], "accounts { A { users: [{user: a, password: b}] } }", false),
        (&[], "authorization { token: t }", false),
        (&["--auth", "t"], "port: 4222", false),
        (&[], &tls, false),
        (&["-m", "-1", "--monitor_token", "t"], "port: 4222", false),
        (&["--no_coredump=false"], USER, true),
        (&[], "authorization { token: t }, dunlin { no_coredump: false }", true),
        (&["--no_coredump"], "dunlin { no_coredump: false }", false),
    ] {
        assert_eq!(under_flags(flags, text).map(|config| config.core_dump), Ok(expected), "{flags:?} over {text}");
    }
    let refused = under_flags(&[], "dunlin { no_coredump: 7 }").expect_err("a number is no switch");
    assert!(refused.starts_with("x:1:9: "), "{refused}");
}

fn under_flags(flags: &[&str], text: &str) -> Result<Config, String> {
    let asked = match cli::parse(flags) {
        Ok(cli::Command::Start(start)) => start.flags,
        other => panic!("{flags:?} gave {other:?}"),
    };
    let file = read_text(Path::new("x"), text.as_bytes()).map_err(|errors| errors.to_string())?;
    asked.over(file).resolve().map(|(config, _)| config).map_err(|errors| errors.to_string())
}

#[test]
fn flags_over_a_file_are_the_peers_mixture() {
    let user = |name: &str, password: &str| SingleLogin::User { name: name.into(), password: Secret::new(password) };
    let token = |text: &str| SingleLogin::Token(Secret::new(text));
    const SINGLE: &str = "authorization { user: a, password: b }";
    const LIST: &str = "authorization { users: [{user: a, password: b}] }";
    for (flags, text, expected) in [
        (&["--user", "c", "--pass", "d"][..], SINGLE, Some(user("c", "d"))),
        (&["--user", "c"], SINGLE, Some(user("c", "b"))),
        (&["--auth", "t"], SINGLE, Some(token("t"))),
        (&["--user", "c"], "authorization { token: t }", Some(token("t"))),
        (&["--user", "c", "--pass", "d"], LIST, None),
        (&["--auth", "t"], LIST, Some(token("t"))),
    ] {
        let config = under_flags(flags, text).expect("settings that agree");
        assert_eq!(config.security.single, expected, "{flags:?} over {text}");
    }
    let accounts = "accounts { A { users: [{user: a}] } }";
    for (flags, what) in [(["--user", "c"], "single user/pass"), (["--auth", "c"], "token")] {
        let expected = format!("x:1:15: Can not have a {what} and accounts");
        assert_eq!(under_flags(&flags, accounts).map(|_| ()), Err(expected));
    }
}

/// CVE-2021-32026 again: where the peer forgets what the file says beside the certificate, it stands here.
#[test]
fn cve_2021_32026_tls_flags_replace_the_files_certificate_and_weaken_nothing() {
    let files = PemFiles::new("replace");
    let text = format!(
        "tls {{ {}, verify: true, timeout: 5, min_version: \"1.3\", cipher_suites: [TLS_AES_128_GCM_SHA256] }}",
        files.keys()
    );
    let others = PemFiles::new("others");
    let (cert, key) = others.pair();
    let [cert_flag, key_flag] = [&cert, &key].map(|path| path.to_str().expect("a path of ours"));
    let flags = ["--tlscert", cert_flag, "--tlskey", key_flag];
    let config = under_flags(&flags, &text).expect("settings that agree");
    let expected = Tls {
        certificates: vec![(cert.clone(), key.clone())],
        verify: true,
        timeout: Some(Duration::from_secs(5)),
        min_version: Some("1.3".into()),
        cipher_suites: vec!["TLS_AES_128_GCM_SHA256".into()],
        ..Tls::default()
    };
    assert_eq!(config.tls, Some(expected.clone()));
    let more = ["--tlsverify=false", "--tlscacert", cert_flag];
    let config = under_flags(&[&flags[..], &more].concat(), &text).expect("settings that agree");
    assert_eq!(config.tls, Some(Tls { verify: false, ca_file: Some(cert.clone()), ..expected }));
    assert_eq!(under_flags(&["--tls=false"], &text).map(|config| config.tls), Ok(None));
    let flags = RawConfig { tls_flag: Some(true.into()), ..RawConfig::default() };
    let error = flags.resolve().expect_err("there is no certificate").to_string();
    assert_eq!(error, "TLS Server certificate must be present and valid");
    let flags = RawConfig { tls_cert_flag: Some("c".to_owned().into()), ..RawConfig::default() };
    let error = flags.resolve().expect_err("there is no key").to_string();
    assert_eq!(error, "TLS Server private key must be present and valid");
}

#[test]
fn a_tls_block_is_read_whole() {
    let files = PemFiles::new("block");
    let (cert, key) = files.pair();
    let text = format!(
        "allow_non_tls: true\ntls {{ certs: [{{cert_file: {cert:?}, key_file: {key:?}}}], ca_file: {cert:?}, \
         verify_and_map: true, timeout: 1.5, cipher_suites: [TLS_AES_128_GCM_SHA256], curve_preferences: [X25519], \
         min_version: \"1.3\", pinned_certs: [{pin}, {lower}], connection_rate_limit: 9, handshake_first: auto }}",
        pin = "AB".repeat(32),
        lower = "ab".repeat(32),
    );
    let (config, warnings) = resolved(&text).expect("settings that agree");
    let expected = Tls {
        certificates: vec![(cert.clone(), key)],
        ca_file: Some(cert),
        verify: true,
        verify_and_map: true,
        timeout: Some(Duration::from_millis(1500)),
        min_version: Some("1.3".into()),
        cipher_suites: vec!["TLS_AES_128_GCM_SHA256".into()],
        curve_preferences: vec!["X25519".into()],
        pinned_certs: vec!["ab".repeat(32)],
        handshake_first: HandshakeFirst::Within(Duration::from_millis(50)),
        handshakes_per_second_max: 9,
        allow_plain: true,
    };
    assert_eq!(config.tls, Some(expected));
    assert!(warnings.is_empty(), "{warnings:?}");

    let (_, warnings) = resolved(&format!("tls {{ {}, first: true }}", files.keys())).expect("settings that agree");
    assert_eq!(warnings, ["Clients that are not using \"TLS Handshake First\" option will fail to connect"]);
    let text = format!("tls {{ {}, curve_preferences: [X25519MLKEM768] }}", files.keys());
    let error = resolved(&text).expect_err("a curve that is not there");
    assert!(error.ends_with(": \"X25519MLKEM768\" is not supported yet"), "{error}");
}

#[test]
fn proxies_and_own_settings_are_read() {
    const KEY: &str = "UAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCLL5";
    let read = security(&format!("proxies {{ trusted: [{{key: {KEY}}}] }}\ndunlin {{ failed_logins_per_minute: 5 }}"));
    assert_eq!(read.trusted_proxies, [KEY]);
    assert_eq!(read.failed_logins_per_minute_max, Some(5));
    assert_eq!(security("dunlin { failed_logins_per_minute: 0 }"), Security::default());
    for (text, expected) in [
        ("proxies: 5", "x:1:0: expected proxies to be a map/struct, got int64\n"),
        ("proxies {trusted: [{key: abc}]}", "x:1:20: invalid proxy key \"abc\"\n"),
        ("dunlin { bogus: 5 }", "x:1:9: unknown field \"bogus\"\n"),
        (
            "dunlin { failed_logins_per_minute: -1 }",
            "x:1:9: failed_logins_per_minute: must be a number from 0 to 1000000\n",
        ),
    ] {
        assert_eq!(resolved(text).map(|_| ()), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let text =
        "authorization { users: [{user: a, password: hunter2}, {user: b, permissions: {publish: c}, pass: hunter2}] }";
    let raw = read_text(Path::new("x"), text.as_bytes()).expect("a valid file");
    assert!(!format!("{raw:?}").contains("hunter2"));
    let (config, warnings) = raw.resolve().expect("settings that agree");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(warnings.iter().all(|warning| matches!(warning, Warning::Notice(text) if !text.contains("hunter2"))));
    for flags in [&["--user", "a", "--pass", "hunter2"][..], &["--auth=hunter2"]] {
        assert!(!format!("{:?}", cli::parse(flags)).contains("hunter2"), "{flags:?}");
    }
}
