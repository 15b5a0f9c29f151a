//! Passwords as they are configured: any text is a hash, a plain password or nothing, and a hash lets nobody in who presents it.
//!
//! The input is the configured text and a password, with a NUL between them. Checks of more than 2^5 rounds are left out.
#![no_main]

use dunlin::auth::{Claims, ConnectionType, Directory, Verdict};
use dunlin::config::security::{Credential, Security, User};
use dunlin::ids::AccountId;
use dunlin::protocol::handshake::ConnectOptions;
use dunlin::secret::Secret;
use libfuzzer_sys::fuzz_target;

fn comes_in(directory: &Directory, password: &str) -> bool {
    let options = ConnectOptions { user: "u".into(), pass: Secret::new(password), ..ConnectOptions::default() };
    let verdict = directory.decide(&Claims {
        options: &options,
        nonce: b"",
        certificate: None,
        map_certificate: false,
        connection_type: ConnectionType::Standard,
    });
    match verdict {
        Verdict::Admit(_) => true,
        Verdict::Refuse(_) => false,
        Verdict::Verify(check) => check.run().is_ok(),
    }
}

/// `$2`, a letter, and two digits between `$`: the form, by hand.
fn has_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7
        && bytes.starts_with(b"$2")
        && b"abxy".contains(&bytes[2])
        && bytes[3] == b'$'
        && bytes[4].is_ascii_digit()
        && bytes[5].is_ascii_digit()
        && bytes[6] == b'$'
}

fuzz_target!(|input: &str| {
    let (text, password) = input.split_once('\0').unwrap_or((input, ""));
    let credential = Credential::Password { name: "u".into(), password: Secret::new(text) };
    let user = User { credential, account: 0, permissions: None, connection_types: Vec::new(), proxy_required: false };
    let security = Security { users: vec![user], ..Security::default() };
    let directory = Directory::new(&security, &[AccountId(0), AccountId(1)]).expect("any password is sound");
    let is_hash = has_form(text);
    if is_hash && text[4..6].parse::<u8>().is_ok_and(|cost| cost > 5) {
        return;
    }
    if is_hash {
        assert!(!comes_in(&directory, text), "a hash is no password");
        comes_in(&directory, password);
    } else {
        assert!(comes_in(&directory, text));
        assert_eq!(comes_in(&directory, password), password == text);
    }
});
