//! `dunlinctl nk` beside the `nkeys` crate: what one makes, the other takes.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use nkeys::{KeyPair, KeyPairType, XKey};

use crate::invocation::{Folder, Ran, run};

fn nk(words: &str) -> Ran {
    run(std::iter::once("nk").chain(words.split_whitespace()))
}

fn lines(ran: &Ran) -> Vec<&str> {
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    ran.out.lines().collect()
}

const SIGNING: [(&str, KeyPairType); 5] = [
    ("user", KeyPairType::User),
    ("account", KeyPairType::Account),
    ("server", KeyPairType::Server),
    ("cluster", KeyPairType::Cluster),
    ("operator", KeyPairType::Operator),
];

#[test]
fn made_keys_are_keys_of_their_kind() {
    for (name, kind) in SIGNING {
        let (first, second) = (nk(&format!("-gen {name} -pubout")), nk(&format!("--gen={name}")));
        let [seed, public] = lines(&first)[..] else { panic!("a seed and a public key: {first:?}") };
        let pair = KeyPair::from_seed(seed).expect("a seed");
        assert_eq!((pair.key_pair_type(), pair.public_key()), (kind, public.to_owned()), "{name}");
        let [other] = lines(&second)[..] else { panic!("a seed alone: {second:?}") };
        assert_ne!(seed, other);
    }
    for name in ["curve", "x25519", "X25519"] {
        let ran = nk(&format!("-gen {name} -pubout"));
        let [seed, public] = lines(&ran)[..] else { panic!("a seed and a public key: {ran:?}") };
        assert_eq!(XKey::from_seed(seed).expect("a seed").public_key(), public);
    }
}

#[test]
fn public_keys_come_out_of_seeds_wherever_these_stand() {
    let folder = Folder::new();
    for (name, kind) in SIGNING {
        let pair = KeyPair::new(kind);
        let seed = pair.seed().expect("a seed");
        let jwt = "-----BEGIN NATS USER JWT-----\neyJ0eXAi.eyJqdGki.c2ln\n------END NATS USER JWT------\n";
        let credentials = format!("{jwt}\n-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n");
        for content in [seed.clone(), format!("\r\n  {seed} \r\n"), credentials] {
            let file = folder.file(name, content);
            assert_eq!(lines(&nk(&format!("-inkey {file} -pubout"))), [pair.public_key()]);
        }
    }
    let curve = XKey::new();
    let file = folder.file("curve", curve.seed().expect("a seed"));
    assert_eq!(lines(&nk(&format!("-inkey {file} -pubout"))), [curve.public_key()]);
}

#[test]
fn signatures_are_good_both_ways() {
    let folder = Folder::new();
    for (name, kind) in SIGNING {
        let pair = KeyPair::new(kind);
        let content = format!("{name}: \0 and the rest\n").into_bytes();
        let (seed, public) = (folder.file("seed", pair.seed().expect("a seed")), folder.file("pub", pair.public_key()));
        let text = folder.file("text", &content);

        let ran = nk(&format!("-sign {text} -inkey {seed}"));
        let [signature] = lines(&ran)[..] else { panic!("a signature: {ran:?}") };
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64 for URLs");
        pair.verify(&content, &signature).expect("a good signature");

        let theirs = pair.sign(&content).expect("signs");
        for encoded in
            [BASE64URL_NOPAD.encode(&theirs), format!("{}\n", BASE64URL_NOPAD.encode(&theirs)), BASE64.encode(&theirs)]
        {
            let file = folder.file("signature", encoded);
            for key in [format!("-inkey {seed}"), format!("-pubin {public}")] {
                assert_eq!(lines(&nk(&format!("-verify {text} {key} -sigfile {file}"))), ["Verified OK"]);
            }
        }

        let file = folder.file("signature", BASE64URL_NOPAD.encode(&theirs));
        let other_text = folder.file("other", "other");
        let other_key = folder.file("other_key", KeyPair::new_user().public_key());
        for words in [
            format!("-verify {other_text} -pubin {public} -sigfile {file}"),
            format!("-verify {text} -pubin {other_key} -sigfile {file}"),
        ] {
            let ran = nk(&words);
            assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("is not of this file and key"), "{ran:?}");
        }
    }
}

#[test]
fn a_file_of_entropy_is_the_key() {
    let folder = Folder::new();
    let raw: Vec<u8> = (100..132).collect();
    let exact = folder.file("exact", &raw);
    let longer = folder.file("longer", [&raw[..], b"and more"].concat());
    for kind in ["user", "curve"] {
        let made: Vec<Ran> = [&exact, &exact, &longer].map(|file| nk(&format!("-gen {kind} -pubout -e {file}"))).into();
        let [seed, _] = lines(&made[0])[..] else { panic!("a seed and a public key") };
        assert_eq!(nkeys::decode_seed(seed).expect("a seed").1[..], raw[..]);
        assert!(made.iter().all(|ran| ran.out == made[0].out), "{made:?}");
    }
    let short = folder.file("short", &raw[..31]);
    let ran = nk(&format!("-gen user -e {short}"));
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("32 bytes"), "{ran:?}");
    assert_eq!(lines(&nk("-gen user -e /dev/urandom")).len(), 1);
}

/// CVE-2023-46129: curve keys of the Go library were all made of the same bytes.
#[test]
fn cve_2023_46129_known_answers() {
    let folder = Folder::new();
    for (kind, secret, public) in [
        // RFC 7748, 6.1, and RFC 8032, 7.1, test 1.
        (
            "x25519",
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        ),
        (
            "user",
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        ),
    ] {
        let file = folder.file("entropy", HEXLOWER.decode(secret.as_bytes()).expect("hex"));
        let ran = nk(&format!("-gen {kind} -pubout -e {file}"));
        let [_, encoded] = lines(&ran)[..] else { panic!("a seed and a public key: {ran:?}") };
        assert_eq!(HEXLOWER.encode(&nkeys::from_public_key(encoded).expect("a public key").1), public, "{kind}");
    }
}

#[test]
fn a_wished_beginning_is_found() {
    let ran = nk("-gen account -pre Ab");
    let [seed, public] = lines(&ran)[..] else { panic!("a seed and a public key: {ran:?}") };
    assert!(public.starts_with("AAB"), "{public}");
    assert_eq!(KeyPair::from_seed(seed).expect("a seed").public_key(), public);
    for (words, code, expected) in [
        ("-gen user -pre AAAAAAAAAA -maxpre 50", 1, "among 50"),
        ("-gen user -pre xyz", 2, "A, B, C or D"),
        ("-gen user -pre a1", 2, "A to Z"),
    ] {
        let ran = nk(words);
        assert!(ran.code == code && ran.out.is_empty() && ran.err.contains(expected), "{ran:?}");
    }
}

#[test]
fn one_file_of_entropy_gives_one_wished_key() {
    let folder = Folder::new();
    // Many keys of which several fit; the first one is taken, whoever finds it.
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    let raw: Vec<u8> = (0..32 * 200).map(|_| next()).collect();
    let pair_of =
        |raw: &[u8]| KeyPair::new_from_raw(KeyPairType::User, raw.try_into().expect("32 bytes")).expect("a key");
    let first = raw.chunks(32).map(pair_of).find(|pair| pair.public_key().starts_with("UB")).expect("one in four");
    let file = folder.file("entropy", raw);
    for _ in 0..3 {
        let ran = nk(&format!("-gen user -pre b -e {file}"));
        assert_eq!(lines(&ran), [first.seed().expect("a seed"), first.public_key()]);
    }
    let ran = nk(&format!("-gen user -pre ddddddddd -e {file}"));
    assert!(ran.code == 1 && ran.err.contains("the file ends"), "{ran:?}");
}

#[test]
fn what_cannot_be_done_is_said_without_a_secret() {
    let folder = Folder::new();
    let pair = KeyPair::new_user();
    let seed_text = pair.seed().expect("a seed");
    let curve_text = XKey::new().seed().expect("a seed");
    let seed = folder.file("seed", &seed_text);
    let public = folder.file("pub", pair.public_key());
    let broken = folder.file("broken", &seed_text[..57]);
    let curve = folder.file("curve", &curve_text);
    for (words, code, expected) in [
        ("".to_owned(), 2, "nothing is asked for"),
        ("-gen".into(), 2, "-gen needs a value"),
        ("-gen module".into(), 2, "one of user, account"),
        (format!("-inkey {seed}"), 2, "add -pubout"),
        (format!("-sign {seed}"), 2, "add -inkey"),
        (format!("-verify {seed}"), 2, "add -inkey <file> or -pubin"),
        (format!("-verify {seed} -inkey {seed}"), 2, "add -sigfile"),
        ("-e /dev/urandom".into(), 2, "add -gen"),
        ("-pre a".into(), 2, "add -gen"),
        (seed_text.clone(), 2, "read from files"),
        (format!("-inkey {broken} -pubout"), 1, "no line of it is a valid seed"),
        (format!("-inkey {public} -pubout"), 1, "it holds a public key"),
        (format!("-verify {seed} -pubin {seed} -sigfile {seed}"), 1, "it holds a seed"),
        (format!("-verify {seed} -pubin {public} -sigfile {seed}"), 1, "it is no signature"),
        (format!("-sign {seed} -inkey {curve}"), 1, "cannot sign"),
        ("-inkey /no/such -pubout".into(), 1, "/no/such: No such file"),
        (format!("-sign /no/such -inkey {seed}"), 1, "/no/such: No such file"),
        ("-gen user -e /no/such".into(), 1, "/no/such: No such file"),
    ] {
        let ran = nk(&words);
        assert!(ran.code == code && ran.out.is_empty() && ran.err.contains(expected), "{words}: {ran:?}");
        for secret in [&seed_text, &curve_text] {
            assert!(!ran.err.contains(&secret[..20]), "{ran:?}");
        }
    }
}

#[test]
fn version_and_help() {
    assert!(nk("-v").out.starts_with("nk version "));
    for words in ["-h", "--help"] {
        assert!(lines(&nk(words)).iter().any(|line| line.contains("-maxpre")));
    }
}
