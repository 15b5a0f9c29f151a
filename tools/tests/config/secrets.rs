//! No secret leaves the tools, wherever in a file it stands and whatever is wrong around it.

use crate::invocation::{Folder, command, run};

const SECRET: &str = "hunter2Swordfish";
const SEED: &str = "SUAGMJH5XLGZKKQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM";

/// Files in which `§` is the secret, right ones and wrong ones.
const FILES: &[&str] = &[
    "authorization { user: a, password: § }\n",
    "authorization { user: a, password: \"§\", bogus: 1 }\n",
    "authorization { user: a, bogus: 1, pass: '§' }\n",
    "authorization { token: § bogus }\n",
    "authorization { token: \"§ }\nport: 1\n",
    "authorization { token: (\n§\n }\n",
    "authorization { token: §\n",
    "authorization { bogus: 1, users: [ {user: a, password: §} {user: b, password: §, x: 1} ] }\n",
    "authorization { users: [ {user: a, password: §} \nport: 1\n",
    "password: §\n",
    "bogus: 1 # the password is §\n",
    "pw = §\nauthorization { user: a, password: $pw, bogus: 1 }\n",
    "pw = §\nauthorization { user: a, password: $pw }\n",
    "authorization { user: a, password: $§ }\n",
    "dunlin { monitoring { user: a, password: §, bogus: 1 } }\n",
    "dunlin { monitoring { token: § } }\n",
    "cluster { routes: [\"nats://u:§@h:1\"], bogus: 1 }\n",
    "a 1 2 password: §\n",
    "accounts { A { users: [ {user: a, password: §, permissions: 5} ] } }\n",
    "accounts: { A: { users: [ {user: a, password: §} ] } }\nauthorization: { user: b, password: § }\n",
    "authorization { user: a\n password: § \nport: 1",
    "{\"authorization\": {\"user\": \"a\", \"password\": \"§\", \"bogus\": 1}}\n",
];

#[test]
fn no_tool_shows_a_secret() {
    for template in FILES {
        let folder = Folder::new();
        let file = folder.file("a.conf", template.replace('§', SECRET));
        let other = folder.file("b.conf", template.replace('§', "another1Swordfish"));
        let empty = folder.file("c.conf", "port: 5\n");
        for words in [
            &["config", "check", &file][..],
            &["config", "check", "--json", &file],
            &["config", "explain", "--all", &file],
            &["config", "explain", "--json", &file],
            &["config", "diff", &file, &other],
            &["config", "diff", "--json", &file, &empty],
            &["config", "diff", &empty, &file],
        ] {
            let ran = run(words);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(!said.contains("Swordfish"), "{template:?} {words:?}: {said}");
            assert!(ran.code == 0 || ran.code == 1, "{template:?} {words:?}: {ran:?}");
        }
    }
}

#[test]
fn numbers_seeds_and_the_environment_are_hidden_too() {
    let folder = Folder::new();
    for (text, secret) in [
        ("authorization { user: a, password: 99999999999999999999 }\n".to_owned(), "99999999999999999999"),
        ("authorization { user: a, password: 12345 }\n".to_owned(), "12345"),
        (format!("authorization {{ users: [ {{nkey: {SEED}}} ], bogus: 1 }}\n"), SEED),
        (format!("bogus: {SEED}\n"), SEED),
    ] {
        let ran = run(["config", "check", &folder.file("a.conf", &text)]);
        assert!(ran.code == 1 && !ran.out.contains(secret), "{}", ran.out);
    }
    let file = folder.file("b.conf", "authorization { user: a, password: $SECRET_FOR_TEST }\n");
    for value in [SECRET, "99999999999999999999", "hunter2Swordfish x", "\"hunter2Swordfish"] {
        for words in [["config", "check", &file], ["config", "explain", &file]] {
            let output = command(words).env("SECRET_FOR_TEST", value).output().expect("the binary runs");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!said.contains("Swordfish") && !said.contains("99999"), "{value}: {said}");
        }
    }
    // Flags: what they say themselves, and where they say that it stands.
    let secret = folder.file("secret", SECRET);
    let file = folder.file("c.conf", "port: 1\n");
    let named = format!("@{secret}");
    for words in [["--pass", SECRET], ["--pass", &named], ["--auth", SECRET], ["--monitor_token", SECRET]] {
        let ran = run(["config", "explain", &file, "--user", "ann"].iter().chain(&words));
        assert!(ran.code == 0 && !ran.out.contains("Swordfish") && ran.out.contains("*****"), "{words:?}: {ran:?}");
    }
}
