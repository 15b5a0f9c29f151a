//! Other certificates for a server that runs.

use std::fs;
use std::time::Duration;

use dunlin::config::security::{HandshakeFirst, Tls};
use kit::{DEADLINE, until};

use crate::Setting;
use crate::client::Wants;

#[test]
fn new_certificates_are_shown_to_new_clients_and_nobody_is_dropped() {
    let setting = Setting::new();
    let server = setting.start();
    let mut before = Wants::of(&setting.authority).connect(server.address()).expect("in");
    before.hello().expect("served");
    let old = before.certificate();
    // The same names, other contents.
    setting.authority.server(setting.folder.path(), "server", &["localhost"]);
    server.reload(setting.folder.config("2", setting.tls.clone())).expect("it can change");
    assert!(until(DEADLINE, || {
        let mut client = Wants::of(&setting.authority).connect(server.address()).expect("in");
        client.hello().expect("served");
        client.certificate() != old
    }));
    before.send("SUB a 1\r\nPUB a 1\r\nx\r\n");
    before.expect("MSG a 1 1\r\nx\r\n");
    let log = setting.end(server);
    assert!(log.contains("Reloaded: tls = enabled"), "{log}");
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let setting = Setting::new();
    let server = setting.start();
    fs::write(&setting.tls.certificates[0].1, "no key\n").expect("writable");
    let error = server.reload(setting.folder.config("2", setting.tls.clone())).expect_err("no key").to_string();
    assert!(error.contains("failed to find any PEM data in key input"), "{error}");
    Wants::of(&setting.authority).connect(server.address()).expect("in").hello().expect("served");

    let limited = Tls { handshakes_per_second_max: 5, ..setting.tls.clone() };
    let error = server.reload(setting.folder.config("2", limited)).expect_err("fixed").to_string();
    assert_eq!(error, "config reload not supported for TLSRateLimit: old=0, new=5");
    let both = Tls { allow_plain: true, ..setting.tls.clone() };
    let error = server.reload(setting.folder.config("2", both)).expect_err("fixed").to_string();
    assert_eq!(error, "config reload not supported for AllowNonTLS: old=false, new=true");
}

#[test]
fn clients_whose_keys_are_not_pinned_any_more_go() {
    let setting = Setting::new();
    let tls = Tls { verify: true, ..setting.tls.clone() };
    let server = setting.folder.start(tls.clone());
    let (ann, bob) = (setting.authority.client("ann", true), setting.authority.client("bob", true));
    let pinned = dunlin::tls::certificate::show(&ann.chain[0]).spki_sha256;
    let mut stays = Wants::with(&setting.authority, ann).connect(server.address()).expect("in");
    let mut goes = Wants::with(&setting.authority, bob).connect(server.address()).expect("in");
    stays.hello().expect("served");
    goes.hello().expect("served");
    let now = Tls { pinned_certs: vec![pinned], ..tls };
    server.reload(setting.folder.config("2", now)).expect("it can change");
    assert_eq!(goes.until_goodbye(), b"");
    stays.send("PING\r\n");
    stays.expect("PONG\r\n");
    let log = setting.end(server);
    for line in
        ["Reloaded: 1 pinned_certs", "Disconnect 1 clients due to pinned certs reload", "Failed pinned cert test"]
    {
        assert!(log.contains(line), "{line}\n{log}");
    }
}

#[test]
fn what_changes_of_the_order_is_told() {
    let setting = Setting::new();
    let server = setting.start();
    let reload = |handshake_first| {
        let tls = Tls { handshake_first, timeout: Some(Duration::from_millis(1500)), ..setting.tls.clone() };
        server.reload(setting.folder.config("2", tls)).expect("it can change");
    };
    reload(HandshakeFirst::Yes);
    reload(HandshakeFirst::Within(Duration::from_millis(50)));
    let log = setting.end(server);
    for line in [
        "Reloaded: tls timeout = 1.5",
        "Reloaded: Client TLS handshake first: true",
        "Reloaded: Client TLS handshake first fallback delay: 50ms",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{line}\n{log}");
    }
}

/// TLS can be switched on and off; who is here stays as it is.
#[test]
fn tls_comes_and_goes() {
    let setting = Setting::new();
    let server = setting.start();
    let mut secure = Wants::of(&setting.authority).connect(server.address()).expect("in");
    secure.hello().expect("served");
    let off = dunlin::Config { tls: None, ..setting.folder.config("2", setting.tls.clone()) };
    server.reload(off).expect("it can change");
    let mut plain = None;
    assert!(until(DEADLINE, || {
        plain = kit::Client::open(server.address()).ok().filter(|client| client.info().get("tls_required").is_none());
        plain.is_some()
    }));
    let mut plain = plain.expect("just seen");
    plain.hello("");
    secure.send("SUB a 1\r\nPING\r\n");
    secure.expect("PONG\r\n");
    plain.send("PUB a 1\r\nx\r\n");
    secure.expect("MSG a 1 1\r\nx\r\n");
    server.reload(setting.folder.config("2", setting.tls.clone())).expect("it can change");
    plain.ping();
}
