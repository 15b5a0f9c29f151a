//! Versions, suites, groups and names that both sides agree on, or do not.

use dunlin::config::security::Tls;
use rcgen::{KeyPair, PKCS_ED25519};
use rustls::crypto::ring;

use crate::client::{ONLY_1_2, ONLY_1_3, Wants};
use crate::{Setting, counted};

#[test]
fn every_suite_of_both_versions_works() {
    let setting = Setting::new();
    let server = setting.start();
    for suite in ring::ALL_CIPHER_SUITES {
        let mut wants = Wants::of(&setting.authority);
        wants.provider.cipher_suites = vec![*suite];
        wants.versions = if suite.tls13().is_some() { ONLY_1_3 } else { ONLY_1_2 };
        let name = format!("{:?}", suite.suite());
        if name.contains("_RSA_") {
            // The key is one of ECDSA.
            assert!(wants.connect(server.address()).is_err(), "{name}");
            continue;
        }
        let mut client = wants.connect(server.address()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(client.suite(), suite.suite());
        client.hello().expect("served");
    }
    assert_eq!(counted(&server, |stats| stats.handshakes), 6);
    let log = setting.end(server);
    for line in [
        "TLS version 1.3, cipher suite TLS_AES_128_GCM_SHA256",
        "TLS version 1.3, cipher suite TLS_CHACHA20_POLY1305_SHA256",
        "TLS version 1.2, cipher suite TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS handshake complete",
        "TLS handshake error: tls: no cipher suite supported by both client and server",
        "Client connection closed: TLS Handshake Failure",
        "TLS required for client connections",
    ] {
        assert!(log.contains(line), "{line}\n{log}");
    }
}

#[test]
fn the_server_prefers_as_the_peer_does() {
    let setting = Setting::new();
    let server = setting.start();
    for (versions, want) in
        [(ONLY_1_3, "TLS13_AES_128_GCM_SHA256"), (ONLY_1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    {
        let client = Wants { versions, ..Wants::of(&setting.authority) }.connect(server.address()).expect("agreed");
        assert_eq!(format!("{:?}", client.suite()), want);
    }
}

#[test]
fn what_is_configured_is_all_there_is() {
    let setting = Setting::new();
    let only_1_3 = Tls { min_version: Some("1.3".into()), ..setting.tls.clone() };
    let server = setting.folder.start(only_1_3);
    assert!(Wants { versions: ONLY_1_2, ..Wants::of(&setting.authority) }.connect(server.address()).is_err());
    Wants::of(&setting.authority).connect(server.address()).expect("TLS 1.3").hello().expect("served");
    let log = setting.end(server);
    assert!(log.contains("TLS handshake error: tls: client offered only unsupported versions"), "{log}");

    let narrow = Tls {
        cipher_suites: vec!["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".into()],
        curve_preferences: vec!["CurveP384".into()],
        ..setting.tls.clone()
    };
    let server = setting.folder.start(narrow);
    let mut wants = Wants { versions: ONLY_1_2, ..Wants::of(&setting.authority) };
    wants.provider.kx_groups = vec![ring::kx_group::X25519];
    assert!(wants.connect(server.address()).is_err(), "no group in common");
    let client =
        Wants { versions: ONLY_1_2, ..Wants::of(&setting.authority) }.connect(server.address()).expect("P-384");
    assert_eq!(format!("{:?}", client.suite()), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
}

#[test]
fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let setting = Setting::new();
    let (folder, authority) = (setting.folder.path(), &setting.authority);
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("randomness");
    let certificates = vec![
        authority.server(folder, "one", &["one.test"]),
        authority.server(folder, "two", &["two.test", "*.wild.test"]),
        authority.server_with(folder, "three", &["two.test", "three.test"], &key),
    ];
    let server = setting.folder.start(Tls { certificates, ..setting.tls.clone() });
    let shown = |name: &'static str| {
        let client = Wants { name, ..Wants::of(authority) }.connect(server.address());
        client.map(|client| dunlin::tls::certificate::show(&client.certificate()).subject)
    };
    assert_eq!(shown("one.test").expect("its own"), "CN=one");
    assert_eq!(shown("two.test").expect("the first of two"), "CN=two");
    assert_eq!(shown("a.wild.test").expect("a wildcard"), "CN=two");
    assert_eq!(shown("three.test").expect("another kind of key"), "CN=three");
    // Nobody's: the first, which the client does not take for that name.
    assert!(shown("other.test").is_err());
}

#[test]
fn what_cannot_be_gone_by_stops_the_start() {
    let setting = Setting::new();
    let (good, folder) = (setting.tls.clone(), setting.folder.path());
    let other = setting.authority.server(folder, "other", &["other.test"]);
    let junk = folder.join("junk.pem");
    std::fs::write(&junk, "nothing\n").expect("writable");
    let (cert, key) = good.certificates[0].clone();
    let pair = |cert: &std::path::PathBuf, key: &std::path::PathBuf| Tls {
        certificates: vec![(cert.clone(), key.clone())],
        ..good.clone()
    };
    let gone = folder.join("gone.pem");
    let gone_text = format!("open {}: no such file or directory", gone.display());
    let cases = [
        (pair(&gone, &key), &*format!("error parsing X509 certificate/key pair: {gone_text}")),
        (pair(&cert, &gone), &*gone_text),
        (pair(&cert, &other.1), "error parsing X509 certificate/key pair: tls: private key does not match public key"),
        (pair(&junk, &key), "tls: failed to find any PEM data in certificate input"),
        (pair(&cert, &junk), "tls: failed to find any PEM data in key input"),
        (
            Tls { certificates: vec![good.certificates[0].clone(), (gone.clone(), gone.clone())], ..good.clone() },
            "pair 2/2",
        ),
        (Tls { certificates: Vec::new(), ..good.clone() }, "TLS Server certificate must be present and valid"),
        (Tls { ca_file: Some(gone.clone()), verify: true, ..good.clone() }, &*gone_text),
        (Tls { ca_file: Some(junk.clone()), verify: true, ..good.clone() }, "failed to parse root ca certificate"),
        (Tls { cipher_suites: vec!["NOPE".into()], ..good.clone() }, "unrecognized cipher NOPE"),
        (Tls { cipher_suites: vec!["TLS_RSA_WITH_AES_128_CBC_SHA".into()], ..good.clone() }, "CBC"),
        (
            Tls { curve_preferences: vec!["X25519MLKEM768".into()], ..good.clone() },
            "use X25519, CurveP256 or CurveP384",
        ),
        (Tls { min_version: Some("1.1".into()), ..good.clone() }, "unsupported TLS version: TLS 1.1"),
        (Tls { pinned_certs: vec!["xx".into()], ..good.clone() }, "'pinned_certs' key xx does not look like"),
    ];
    for (tls, text) in cases {
        let error = dunlin::Server::start(setting.folder.config("1", tls)).expect_err(text).to_string();
        assert!(error.contains(text), "{text}: {error}");
    }
}
