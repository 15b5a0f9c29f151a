//! `dunlinctl config hash`: what is replaced, what stays, and that nothing else changes.

use std::os::unix::fs::MetadataExt;

use crate::invocation::{Folder, Ran, run};

/// A text in which `‹secret›` stands for a plain one, and the secrets.
fn text_and_secrets(template: &str) -> (String, Vec<&str>) {
    let secrets = template.split('‹').skip(1).map(|rest| rest.split('›').next().expect("a secret ends")).collect();
    (template.replace(['‹', '›'], ""), secrets)
}

/// Asserts that `text` is the template with a hash, in quotes, for each secret (in the form in which it is written).
fn assert_hashed(template: &str, text: &str) {
    let mut rest = text;
    for (number, part) in template.split(['‹', '›']).enumerate() {
        if number % 2 == 0 {
            rest = rest.strip_prefix(part).unwrap_or_else(|| panic!("{part:?} comes next in {rest:?}"));
            continue;
        }
        let hash = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let Some((hash, after)) = hash else { panic!("a hash in quotes comes next in {rest:?}") };
        assert!(bcrypt::verify(meaning(part), hash).expect("a hash"), "{part}: {hash}");
        assert!(hash.starts_with("$2a$04$"), "{hash}");
        rest = after;
    }
    assert_eq!(rest, "");
}

/// The password of a value as it is written in the tests' files.
fn meaning(written: &str) -> String {
    written.trim_matches(['"', '\'']).replace("\\\"", "\"").replace("\\x41", "A")
}

fn hash(file: &str, more: &[&str]) -> Ran {
    let ran = run(["config", "hash", file, "--cost", "4"].iter().chain(more));
    assert!(ran.out.is_empty(), "{ran:?}");
    ran
}

const FULL: &str = r#"# The server of the shop: its passwords are p-one and p-two (no, they are not)
port: 4222  # clients
Authorization: {
	timeout: 2; users = [
		# people
		{user: ann, password: ‹p-one›} // the first
		{ user: "bob", PASS: ‹"p \"two\" \x41"› , permissions: { publish: "password" } }
		{user: cid, password ‹'p#three'›}
		{user: dan
		 password: ‹4four›}

		{nkey: UB6RVQ5KR5U7W3XQHEJDVDLQJUWOCV2WBZZCBGXTKPPA5RYBWHXJAMT7}
		{user: eve, password: "$2a$04$4YMkbcI8GUYBBD5xQbbwSOTk24PJxzWYpsfJTM.zCklrtJKEbyqSW"}
		{user: fay, password: $2b$04$4YMkbcI8GUYBBD5xQbbwSOTk24PJxzWYpsfJTM.zCklrtJKEbyqSW}
	]
}
accounts {
  A: { users: [ {user: gus, password: ‹p-five›}, {user: hal, password: ‹p-six›} ] }
  "B b" { users [ {user: ida, pass: ‹p-seven›} ], password: not-a-user }
}
leafnodes { authorization { user: l, password: ‹p-eight› } }
websocket { no_tls: true, authorization { token: ‹p-nine›, user: password } }
mqtt { authentication { pass=‹p-ten› } }
jetstream { key: stays, store_dir: "/password: x" }
# the end, without a new line"#;

#[test]
fn every_secret_is_replaced_and_nothing_else() {
    let (text, secrets) = text_and_secrets(FULL);
    assert_eq!(secrets.len(), 10);
    let folder = Folder::new();
    let file = folder.file("server.conf", &text);
    let ran = hash(&file, &["-o", folder.path("out.conf").to_str().expect("text")]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_hashed(FULL, &folder.read("out.conf"));
    assert_eq!(folder.read("server.conf"), text);
    assert_eq!((folder.mode("out.conf"), folder.names()), (0o600, vec!["out.conf".into(), "server.conf".into()]));
    assert!(ran.err.contains("server.conf:6:25: Authorization.users.password: replaced"), "{ran:?}");
    assert!(ran.err.ends_with("10 replaced, 0 stay, 2 are hashes already\n"), "{ran:?}");
    assert!(!ran.err.contains("p-") && !ran.err.contains("4four"), "no secret is printed: {ran:?}");
    // Once more: there is nothing left to do.
    let before = folder.read("out.conf");
    let ran = hash(folder.path("out.conf").to_str().expect("text"), &["--in-place"]);
    assert!(ran.err.ends_with("0 replaced, 0 stay, 12 are hashes already\n"), "{ran:?}");
    assert_eq!(folder.read("out.conf"), before);
}

#[test]
fn a_file_in_json_stays_one() {
    let template = r#"{
  "authorization": {
    "users": [
      {"user": "ann", "password": ‹"p-one"›},
      {"user": "bob", "password": ‹"p-two"›}
    ]
  },
  "port": -1
}
"#;
    let folder = Folder::new();
    let file = folder.file("server.json", text_and_secrets(template).0);
    let ran = hash(&file, &["--in-place"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = folder.read("server.json");
    assert_hashed(template, &text);
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
}

#[test]
fn tokens_blocks_and_numbers_like_words() {
    for template in [
        "authorization { token: ‹abc› }",
        "authorization { token = ‹'a b'› }\n",
        "authorization: {user: a, password: ‹5b›}",
        "authorization {\n  user: a\n  password:‹x›\n}",
        "authorization {\r\n  user: a\r\n  password: ‹x›\r\n}\r\n",
        "authorization { token: ‹tokén› }",
    ] {
        let folder = Folder::new();
        let file = folder.file("a.conf", text_and_secrets(template).0);
        let ran = hash(&file, &["--in-place"]);
        assert!(ran.code == 0 && ran.err.contains("1 replaced, 0 stay"), "{template}: {ran:?}");
        assert_hashed(template, &folder.read("a.conf"));
    }
}

#[test]
fn what_stays_is_named_with_the_reason() {
    let long = "x".repeat(73);
    for (text, place, reason) in [
        ("authorization { token: $TOKEN }", "1:23: authorization.token", "it is a variable"),
        ("authorization { token: $ecret-xxx }", "1:23: authorization.token", "put quotes around it"),
        ("authorization { user: a, password: 5 }", "1:35: authorization.password", "put quotes around it"),
        ("authorization { user: a, password: true }", "1:35: authorization.password", "put quotes around it"),
        ("authorization { user: a, password: '' }", "1:36: authorization.password", "it is empty"),
        (&format!("authorization {{ token: {long} }}"), "1:23: authorization.token", "more than 72 bytes"),
        ("cluster { authorization { user: r, password: route } }", "cluster.authorization.password", "other servers"),
        ("\ngateway { authorization { user: r, pass: route } }", "gateway.authorization.pass", "other servers"),
        (
            "authorization { password: abc, users: [ {user: a, password: $password} ] }",
            "1:26: authorization.password",
            "$password takes this value",
        ),
    ] {
        let folder = Folder::new();
        let file = folder.file("a.conf", text);
        let ran = hash(&file, &["--in-place"]);
        assert!(ran.code == 0 && ran.err.contains(place) && ran.err.contains(reason), "{text}: {ran:?}");
        assert!(ran.err.contains("0 replaced,") && !ran.err.contains("xxx"), "{text}: {ran:?}");
        assert_eq!(folder.read("a.conf"), text);
    }
}

#[test]
fn included_files_are_replaced_in_place_or_named() {
    let folder = Folder::new();
    let users = "users: [ {user: ann, password: ‹p-one›} ] # people\n";
    let main =
        "include top.conf\nauthorization {\n  include 'sub/users.conf'\n}\naccounts { A { include sub/users.conf } }\n";
    std::fs::create_dir(folder.path("sub")).expect("a folder");
    let file = folder.file("main.conf", main);
    folder.file("top.conf", "port: -1\n");
    folder.file("sub/users.conf", text_and_secrets(users).0);
    folder.set_mode("sub/users.conf", 0o640);
    let inode = |name: &str| std::fs::metadata(folder.path(name)).expect("there").ino();
    let before = (inode("main.conf"), inode("top.conf"));

    let out = folder.path("sub/out.conf");
    let ran = hash(&file, &["-o", out.to_str().expect("text")]);
    assert!(ran.code == 0 && ran.err.contains("it is in an included file"), "{ran:?}");
    assert!(ran.err.contains("users.conf:1:31: authorization.users.password: stays"), "{ran:?}");
    assert!(ran.err.contains("its includes are looked up beside it"), "{ran:?}");
    assert_eq!(folder.read("sub/out.conf"), main);

    let ran = hash(&file, &["--in-place"]);
    assert!(ran.code == 0 && ran.err.contains("1 replaced, 0 stay"), "{ran:?}");
    assert_hashed(users, &folder.read("sub/users.conf"));
    assert_eq!(folder.mode("sub/users.conf"), 0o640);
    assert_eq!((inode("main.conf"), inode("top.conf")), before, "files without secrets are not touched");
}

#[test]
fn a_file_whose_secret_has_to_be_plain_in_one_place_stays() {
    let folder = Folder::new();
    let file =
        folder.file("a.conf", "authorization { include p.conf }\ncluster { authorization { include p.conf } }\n");
    folder.file("p.conf", "user: r\npassword: shared\n");
    let ran = hash(&file, &["--in-place"]);
    assert!(ran.code == 0 && ran.err.contains("other servers") && ran.err.contains("0 replaced, 1 stay"), "{ran:?}");
    assert_eq!(folder.read("p.conf"), "user: r\npassword: shared\n");
}

#[test]
fn includes_that_lead_back_end() {
    let folder = Folder::new();
    let file = folder.file("a.conf", "include b.conf\nauthorization { token: abc }\n");
    folder.file("b.conf", "include a.conf\n");
    let ran = hash(&file, &[]);
    assert!(ran.code == 0 && ran.err.contains("1 would be replaced"), "{ran:?}");
    let file = folder.file("c.conf", "a { include c.conf }\nb { include c.conf }\n");
    let ran = hash(&file, &[]);
    assert!(ran.code == 1 && ran.err.contains("deeper than 32"), "{ran:?}");
}

#[test]
fn without_an_output_nothing_is_written() {
    let (text, _) = text_and_secrets(FULL);
    let folder = Folder::new();
    let file = folder.file("server.conf", &text);
    let ran = hash(&file, &[]);
    assert!(ran.code == 0 && ran.err.contains("10 would be replaced") && ran.err.contains("--in-place"), "{ran:?}");
    assert!(!ran.err.contains("p-"), "{ran:?}");
    assert_eq!((folder.read("server.conf"), folder.names()), (text, vec!["server.conf".into()]));
}

#[test]
fn a_file_keeps_its_mode_and_a_link_its_file() {
    let folder = Folder::new();
    folder.file("real.conf", "authorization { token: abc }");
    folder.set_mode("real.conf", 0o444);
    std::os::unix::fs::symlink("real.conf", folder.path("link.conf")).expect("a link");
    let ran = hash(folder.path("link.conf").to_str().expect("text"), &["--in-place"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(std::fs::symlink_metadata(folder.path("link.conf")).expect("there").is_symlink());
    assert_eq!(folder.mode("real.conf"), 0o444);
    assert_hashed("authorization { token: ‹abc› }", &folder.read("real.conf"));
    // The file that -o replaces keeps its mode too.
    let source = folder.file("source.conf", "authorization { token: def }");
    hash(&source, &["-o", folder.path("real.conf").to_str().expect("text")]);
    assert_eq!(folder.mode("real.conf"), 0o444);
    assert_hashed("authorization { token: ‹def› }", &folder.read("real.conf"));
}

#[test]
fn what_is_wrong_is_said_without_a_secret() {
    let folder = Folder::new();
    let broken = folder.file("broken.conf", "port: 1\nauthorization { token: hunter2 secret }\n");
    let missing = folder.file("missing.conf", "include no.conf\n");
    let good = folder.file("good.conf", "authorization { token: hunter2 }\n");
    let no_folder = folder.path("no/out.conf");
    let no_folder = no_folder.to_str().expect("text");
    for (words, code, expected) in [
        (&["config"][..], 0, ""),
        (&["config", "hahs"], 2, "no command 'hahs'"),
        (&["config", "hash"], 2, "file is missing"),
        (&["config", "hash", &good, "-o", "x", "--in-place"], 2, "one of them"),
        (&["config", "hash", &good, "--cost", "50"], 2, "4 to 31"),
        (&["config", "hash", "/no/such.conf"], 1, "/no/such.conf: No such file"),
        (&["config", "hash", &broken], 1, "Parse error on line 2"),
        (&["config", "hash", &missing], 1, "no.conf: No such file"),
        (&["config", "hash", &good, "-o", no_folder, "-c", "4"], 1, "no/out.conf: No such file"),
        (&["config", "hash", &good, "-o", "/dev/null", "-c", "4"], 1, "/dev/null: it is there and no file"),
        (&["config", "hash", "/dev/null"], 0, "0 would be replaced"),
    ] {
        let ran = run(words);
        assert!(ran.code == code && ran.err.contains(expected), "{words:?}: {ran:?}");
        assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{words:?}: {ran:?}");
    }
    assert_eq!(folder.names(), ["broken.conf", "good.conf", "missing.conf"]);
}
