//! Logins with a key: whatever a client sends for key and signature, only the signature itself, in one of its two forms, lets it in.
//!
//! The input is the key and the signature, with a blank between them; `K` and `S` in it stand for a good key, and for pieces of a
//! good signature. A key is also configured as it is.
#![no_main]

use dunlin::auth::{Claims, ConnectionType, Directory, Verdict};
use dunlin::config::security::{Credential, Security, User};
use dunlin::ids::AccountId;
use dunlin::protocol::handshake::ConnectOptions;
use dunlin::secret::Secret;
use libfuzzer_sys::fuzz_target;
use nkeys::{KeyPair, KeyPairType};
use std::sync::LazyLock;

const NONCE: &[u8] = b"bWhvvcPHFa0";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The key, its signature of the nonce, and that in base64.
static GOOD: LazyLock<(String, Vec<u8>, String)> = LazyLock::new(|| {
    let pair = KeyPair::new_from_raw(KeyPairType::User, [9; 32]).expect("32 bytes");
    let signature = pair.sign(NONCE).expect("it has a seed");
    let bits = signature.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).chain([0; 4]);
    let bits: Vec<u8> = bits.collect();
    let text = bits.chunks_exact(6).map(|six| char::from(URL[six.iter().fold(0, |n, bit| n << 1 | *bit as usize)]));
    (pair.public_key(), signature.clone(), text.collect())
});

fn security(key: &str) -> Security {
    let credential = Credential::Nkey(key.into());
    let user = User { credential, account: 0, permissions: None, connection_types: Vec::new(), proxy_required: false };
    Security { users: vec![user], ..Security::default() }
}

/// 64 bytes out of 86 characters of an alphabet, bit by bit.
fn decode(text: &[u8], alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let places: Option<Vec<_>> = text.iter().map(|c| alphabet.iter().position(|own| own == c)).collect();
    let places = places.filter(|places| places.len() == 86)?;
    let bits: Vec<_> = places.iter().flat_map(|place| (0..6).rev().map(move |bit| (place >> bit & 1) as u8)).collect();
    Some(bits.chunks_exact(8).map(|eight| eight.iter().fold(0, |n, bit| n << 1 | bit)).collect())
}

fuzz_target!(|input: &str| {
    let (key, signature) = input.split_once(' ').unwrap_or((input, ""));
    let (good_key, good, good_text) = &*GOOD;
    let key = key.replacen('K', good_key, 2);
    let _ = Directory::new(&security(&key), &[AccountId(0), AccountId(1)]);
    // Each `S` is a quarter, so that pieces can be left out, doubled and changed.
    let mut quarter = 0;
    let mut text = String::new();
    for character in signature.chars() {
        if character == 'S' && quarter < 8 {
            let at = quarter % 4 * 22;
            text.push_str(&good_text[at..good_text.len().min(at + 22)]);
            quarter += 1;
        } else {
            text.push(character);
        }
    }
    let directory = Directory::new(&security(good_key), &[AccountId(0), AccountId(1)]).expect("a good key");
    let options =
        ConnectOptions { nkey: key.as_str().into(), sig: Secret::new(text.as_str()), ..ConnectOptions::default() };
    let verdict = directory.decide(&Claims {
        options: &options,
        nonce: NONCE,
        certificate: None,
        map_certificate: false,
        connection_type: ConnectionType::Standard,
    });
    let line: Vec<u8> = text.bytes().filter(|byte| !b"\r\n".contains(byte)).collect();
    let padded = line.strip_suffix(b"==").and_then(|text| decode(text, STANDARD));
    let decoded = decode(&line, URL).or(padded);
    let expected = key == *good_key && decoded.as_ref() == Some(good);
    assert_eq!(matches!(verdict, Verdict::Admit(_)), expected, "{key} {text}");
});
