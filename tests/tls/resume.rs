//! Sessions that are taken up again.

use std::fs;
use std::sync::Arc;

use dunlin::config::security::Tls;
use rustls::ClientConfig;

use crate::Setting;
use crate::authority::Authority;
use crate::client::{ONLY_1_2, ONLY_1_3, Plain, TlsClient, Wants};

fn connect(config: &Arc<ClientConfig>, to: std::net::SocketAddr) -> std::io::Result<TlsClient> {
    let mut client = Plain::open(to).upgrade(Arc::clone(config), "localhost")?;
    client.hello()?; // the ticket comes with or before the answer
    Ok(client)
}

#[test]
fn a_session_is_taken_up_again_on_any_core() {
    let setting = Setting::new();
    let server = setting.start();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let config = Wants { versions, ..Wants::of(&setting.authority) }.config();
        assert!(!connect(&config, server.address()).expect("in").is_resumed());
        let mut held = Vec::new();
        for _ in 0..4 {
            let client = connect(&config, server.address()).expect("in");
            assert!(client.is_resumed());
            held.push(client); // so that the next one goes to the other core
        }
    }
}

#[test]
fn a_session_with_a_certificate_keeps_it() {
    let setting = Setting::new();
    let server = setting.folder.start(Tls { verify: true, ..setting.tls.clone() });
    let config = Wants::with(&setting.authority, setting.authority.client("ann", true)).config();
    assert!(!connect(&config, server.address()).expect("in").is_resumed());
    assert!(connect(&config, server.address()).expect("in").is_resumed());
}

/// CVE-2025-68121: a session that began under one authority was taken up again under another.
#[test]
fn ghsa_26_01_a_session_does_not_outlive_its_authority() {
    let setting = Setting::new();
    let tls = Tls { verify: true, ..setting.tls.clone() };
    let server = setting.folder.start(tls.clone());
    let config = Wants::with(&setting.authority, setting.authority.client("ann", true)).config();
    connect(&config, server.address()).expect("in");
    assert!(connect(&config, server.address()).expect("in").is_resumed());

    // The same file names another authority now.
    let other = Authority::new("other");
    fs::copy(other.file(setting.folder.path()), tls.ca_file.as_ref().expect("set")).expect("writable");
    server.reload(setting.folder.config("2", tls)).expect("it can change");
    let mut refused = 0;
    // Each core goes by it from its next turn on.
    assert!(kit::until(kit::DEADLINE, || {
        refused += usize::from(connect(&config, server.address()).is_err());
        refused > 0
    }));
    for _ in 0..4 {
        assert!(connect(&config, server.address()).is_err(), "a ticket of before is worth nothing");
    }
    let theirs = Wants::with(&setting.authority, other.client("ann", true)).config();
    assert!(!connect(&theirs, server.address()).expect("the new authority's").is_resumed());
}

/// Two listeners that show the same certificate have nothing else in common.
#[test]
fn ghsa_26_01_a_session_of_one_server_is_nothing_to_another() {
    let setting = Setting::new();
    let server = setting.start();
    let other = setting.folder.start(setting.tls.clone());
    let config = Wants::of(&setting.authority).config();
    connect(&config, server.address()).expect("in");
    assert!(!connect(&config, other.address()).expect("in").is_resumed());
}
