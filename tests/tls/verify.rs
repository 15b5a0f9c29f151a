//! Certificates of clients: who is let in, and what is known of them.

use dunlin::Server;
use dunlin::config::security::{Credential, Tls, User};
use dunlin::secret::Secret;

use crate::Setting;
use crate::authority::Authority;
use crate::client::{ONLY_1_2, ONLY_1_3, Wants};

fn is_let_in(wants: Wants, to: std::net::SocketAddr) -> bool {
    wants.connect(to).and_then(|mut client| client.hello()).is_ok()
}

#[test]
fn only_certificates_of_the_authority_are_let_in() {
    let setting = Setting::new();
    let server = setting.folder.start(Tls { verify: true, ..setting.tls.clone() });
    let (ours, rogue) = (&setting.authority, Authority::new("rogue"));
    for versions in [ONLY_1_3, ONLY_1_2] {
        let with = |identity| Wants { versions, identity, ..Wants::of(ours) };
        assert!(is_let_in(with(Some(ours.client("ann", true))), server.address()));
        assert!(!is_let_in(with(None), server.address()));
        assert!(!is_let_in(with(Some(rogue.client("ann", true))), server.address()));
        assert!(!is_let_in(with(Some(ours.client("old", false))), server.address()));
    }
    let mut client = Wants::with(ours, ours.client("ann", true)).connect(server.address()).expect("in");
    assert_eq!((&client.info["tls_required"], &client.info["tls_verify"]), (&true.into(), &true.into()));
    client.hello().expect("served");
    let log = setting.end(server);
    for line in [
        "TLS handshake error: tls: client didn't provide a certificate",
        "TLS handshake error: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "TLS handshake error: tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
    ] {
        assert_eq!(log.matches(line).count(), 2, "{line}\n{log}");
    }
}

/// Without `verify` nobody is asked for a certificate.
#[test]
fn a_certificate_that_nobody_wants_is_not_shown() {
    let setting = Setting::new();
    let server = setting.start();
    let rogue = Authority::new("rogue");
    assert!(is_let_in(Wants::with(&setting.authority, rogue.client("ann", true)), server.address()));
}

/// The whole way: a certificate's e-mail address is a user's name, and nobody else's.
#[test]
fn a_certificate_names_the_user() {
    let setting = Setting::new();
    let mut config = setting.folder.config("2", Tls { verify_and_map: true, ..setting.tls.clone() });
    config.security.users.push(User {
        credential: Credential::Password { name: "ann@test".into(), password: Secret::default() },
        account: 0,
        permissions: None,
        connection_types: Vec::new(),
        proxy_required: false,
    });
    let server = Server::start(config).expect("it starts");
    let ours = &setting.authority;
    assert!(is_let_in(Wants::with(ours, ours.client("ann", true)), server.address()));
    let mut bob = Wants::with(ours, ours.client("bob", true)).connect(server.address()).expect("TLS is well");
    assert_eq!(bob.info["tls_verify"], true);
    assert_eq!(bob.hello().expect_err("nobody").to_string(), "-ERR 'Authorization Violation'");
    assert_eq!(bob.until_goodbye(), b"");
    // Who says that name without its certificate is nobody either.
    let mut liar = Wants::with(ours, ours.client("liar", true)).connect(server.address()).expect("TLS is well");
    liar.send("CONNECT {\"verbose\":false,\"user\":\"ann@test\",\"pass\":\"\"}\r\nPING\r\n");
    assert_eq!(liar.line(), "-ERR 'Authorization Violation'");
}

fn pin(identity: &crate::authority::Identity) -> String {
    dunlin::tls::certificate::show(&identity.chain[0]).spki_sha256
}

#[test]
fn only_pinned_keys_are_let_in() {
    let setting = Setting::new();
    let ours = &setting.authority;
    let (ann, bob) = (ours.client("ann", true), ours.client("bob", true));
    let (pinned, other) = (pin(&ann).to_ascii_uppercase(), pin(&bob));
    let tls = Tls { verify: true, pinned_certs: vec![pinned], ..setting.tls.clone() };
    let server = setting.folder.start(tls.clone());
    assert!(is_let_in(Wants::with(ours, ann), server.address()));
    assert!(!is_let_in(Wants::with(ours, bob), server.address()));
    let log = setting.end(server);
    assert!(log.contains(&format!("Failed pinned cert test for key id: {other}")), "{log}");
    assert!(log.contains("TLS handshake error: certificate not pinned"), "{log}");

    // Pins without `verify`: nobody shows a certificate, and so nobody is let in.
    let server = setting.folder.start(Tls { verify: false, ..tls });
    assert!(!is_let_in(Wants::of(ours), server.address()));
    let log = setting.end(server);
    assert!(log.contains("Failed pinned cert test as client did not provide a certificate"), "{log}");
}
