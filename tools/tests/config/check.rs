//! `config check`: every error with its line and what was meant, as `-t` judges.

use serde_json::Value;

use crate::invocation::{Folder, Ran, peer, run};
use crate::programs::{dunlin, test_of};

fn check(file: &str, more: &[&str]) -> Ran {
    let words: Vec<&str> = ["config", "check", file].into_iter().chain(more.iter().copied()).collect();
    let ran = run(words);
    assert!(ran.err.is_empty() || ran.code == 2, "{ran:?}");
    ran
}

/// The lines of a finding, from its message to the next empty line.
fn block<'r>(ran: &'r Ran, message: &str) -> &'r str {
    let found = ran.out.split("\n\n").find(|block| block.contains(message));
    found.unwrap_or_else(|| panic!("{message:?} is not said:\n{}", ran.out))
}

/// The part of the line above the mark.
fn marked(block: &str) -> &str {
    let lines: Vec<&str> = block.lines().collect();
    let at = lines.iter().position(|line| line.contains('^')).unwrap_or_else(|| panic!("no mark in {block}"));
    let start = lines[at].find('^').expect("found");
    let length = lines[at].matches('^').count();
    &lines[at - 1][start..start + length]
}

#[test]
fn every_error_has_its_line_a_mark_and_what_was_meant() {
    let folder = Folder::new();
    let text = "port: 4222\nmax_payloud: 1MB\ndebug: \"yes\"\nauthorization {\n  users = [ {user: ann, password: a_secret, permissons: {} } ]\n}\nuser: bob\ntls {\n  cert_fil: x\n}\ndunlin { spin_uss: 5 }\nframbozzle: 3\nmax_connections: 1O\n";
    let ran = check(&folder.file("a.conf", text), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for (message, place, mark, said) in [
        ("unknown field \"max_payloud\"", ":2:1\n", "max_payloud", "did you mean \"max_payload\"?"),
        ("is string, not bool", ":3:1\n", "debug", "true or false"),
        ("unknown field \"permissons\"", ":5:45\n", "permissons", "did you mean \"permissions\"?"),
        ("unknown field \"user\"", ":7:1\n", "user", "it is a key of the block authorization"),
        ("unknown field \"cert_fil\"", ":9:3\n", "cert_fil", "did you mean \"cert_file\"?"),
        ("unknown field \"spin_uss\"", ":11:10\n", "spin_uss", "did you mean \"spin_us\"?"),
        ("unknown field \"frambozzle\"", ":12:1\n", "frambozzle", "lists the keys"),
        ("is string, not int64", ":13:1\n", "max_connections", "whole number"),
    ] {
        let block = block(&ran, message);
        assert!(block.contains(place) && block.contains(said), "{message}:\n{block}");
        assert_eq!(marked(block), mark, "{block}");
    }
    assert!(ran.out.contains("8 errors") && !ran.out.contains("a_secret"), "{}", ran.out);
}

#[test]
fn errors_in_included_files_show_their_lines_there() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("sub")).expect("a folder");
    folder.file("sub/users.conf", "users: [ {user: a, pasword: a_secret} ]\n");
    let file = folder.file("main.conf", "port: 1\nauthorization {\n  include sub/users.conf\n}\n");
    let ran = check(&file, &[]);
    let block = block(&ran, "unknown field \"pasword\"");
    assert!(block.contains("sub/users.conf:1:19") && block.contains("main.conf:3"), "{block}");
    assert!(block.contains("did you mean \"password\"?"), "{block}");
    assert_eq!(marked(block), "pasword");

    folder.file("sub/users.conf", "users: [ {user: a }\n");
    let ran = check(&file, &[]);
    assert!(ran.code == 1 && ran.out.contains("sub/users.conf:1:7") && ran.out.contains("never closed"), "{ran:?}");
    let ran = check(&folder.file("other.conf", "include no/such.conf\n"), &[]);
    assert_eq!(marked(&ran.out), "no/such.conf");
    assert!(ran.code == 1 && ran.out.contains("beside the file that names it"), "{ran:?}");
}

#[test]
fn mistakes_of_the_grammar_name_what_is_to_blame() {
    for (text, place, mark, said) in [
        ("a {\n  b {\n    c: 1\n  d: 2\n}\nport: 1\n", ":2:5", "{", "this brace is never closed"),
        ("authorization {\n  user: a\n  password: b\nport: 1\n", ":1:14", "{", "this brace is never closed"),
        ("authorization {\n  users: [\n    {user: a}\nport: 4222\n", ":2:10", "[", "this bracket is never closed"),
        ("port: 1\nhost: \"a\ndebug: true\n", ":2:7", "\"", "this text is never closed"),
        ("port: 1\n}\nhost: a\n", ":2:1", "}", "this closes nothing"),
        ("x: [1, 2]\nport: 1\n", ":1:3", "[", "put a blank before the ']'"),
        ("server_name: a b\n", ":1:15", "b", "put quotes around a text with blanks"),
        ("port:\n", ":1:5", "", "on the line of its key"),
        ("port: 4222\nmax_payload\n", ":2:1", "max_payload", "this key has no value"),
        ("port: 99999999999999999999\n", ":1:6", "99999999999999999999", "put quotes around it if it is a text"),
        ("port: 5kx\n", ":1:0", "port", "whole number"),
        ("port: $NO_SUCH_VARIABLE\n", ":1:6", "$NO_SUCH_VARIABLE", "of the environment"),
    ] {
        let folder = Folder::new();
        let ran = check(&folder.file("a.conf", text), &[]);
        assert!(ran.code == 1 && ran.out.contains(said), "{text:?}: {}", ran.out);
        assert!(ran.out.contains(&format!("a.conf{place}\n")), "{text:?}: {}", ran.out);
        if !mark.is_empty() {
            assert_eq!(marked(&ran.out), mark, "{text:?}: {}", ran.out);
        }
    }
}

#[test]
fn classic_mistakes_have_a_way_out() {
    for (text, said) in [
        ("lame_duck_duration: 20s", "write \"30s\" or more"),
        ("ping_interval: \"30\"", "write the unit"),
        ("ping_interval: 30", "taken for seconds"),
        ("authorization { user: a, password: 123 }", "needs quotes around it"),
        ("tls {\n cert_file: no-such.pem\n key_file: no-such.key\n}", "not beside the configuration file"),
        ("max_payload: 100MB", "max_pending"),
        ("cluster { port: 6222 }", "not supported yet"),
        ("listen: \"4222x\"", "127.0.0.1:4222"),
        ("authorization { user: a, password: b, token: c }", "one of the two"),
        ("port: 99999", "-1 is any free one"),
        (
            "authorization {\n}\naccounts {\n  A { users: [ {user: a, password: b} ], exprts: [] }\n}",
            "did you mean \"exports\"?",
        ),
        ("", "is it the right file?"),
    ] {
        let folder = Folder::new();
        let ran = check(&folder.file("a.conf", text), &[]);
        assert!(ran.code == 1 && ran.out.contains(said), "{text:?}: {}", ran.out);
    }
}

#[test]
fn warnings_are_listed_and_stop_nothing() {
    let folder = Folder::new();
    let text = "authorization { user: a, password: plain }\nprof_port: 5\nmax_payload: 9MB\n";
    let ran = check(&folder.file("a.conf", text), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in ["Plaintext passwords", "config hash", "prof_port", "over 8.00 MB", "valid (sha256:", "3 warnings"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
}

#[test]
fn flags_of_the_server_count() {
    let folder = Folder::new();
    let file = folder.file("a.conf", "accounts { A { users: [ {user: a, password: b} ] } }\n");
    assert_eq!(check(&file, &[]).code, 0);
    let ran = check(&file, &["--user", "x", "--pass", "y"]);
    assert!(ran.code == 1 && ran.out.contains("single user/pass and accounts"), "{ran:?}");
    let named = folder.file("b.conf", "port: 1\n");
    assert_eq!(run(["config", "check", "-c", &named]).code, 0);
}

#[test]
fn the_json_page_has_everything() {
    let folder = Folder::new();
    let file = folder.file("a.conf", "port: 1\nauthorization { token: a_secret, tokn: 1 }\n");
    let ran = check(&file, &["--json"]);
    let page: Value = serde_json::from_str(&ran.out).expect("JSON");
    let finding = &page["findings"][0];
    assert_eq!((ran.code, &page["valid"], &finding["severity"]), (1, &Value::Bool(false), &Value::from("error")));
    assert_eq!((&finding["line"], &finding["column"]), (&Value::from(2), &Value::from(34)));
    assert_eq!((&finding["suggestion"], &finding["file"]), (&Value::from("token"), &Value::from(file.as_str())));
    assert_eq!(finding["excerpt"], "authorization { token: *****, tokn: 1 }");
    let ran = check(&folder.file("b.conf", "port: 1\n"), &["--json"]);
    let page: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert!(
        ran.code == 0 && page["valid"] == true && page["digest"].as_str().is_some_and(|d| d.starts_with("sha256:"))
    );
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    let folder = Folder::new();
    let file = folder.file("a.conf", "port: 1\n");
    for (words, said) in [
        (&["config", "check"][..], "file is missing"),
        (&["config", "check", &file, "--frob"], "not defined: -frob"),
        (&["config", "check", &file, "b"], "unexpected argument"),
        (&["config", "explain"], "file is missing"),
        (&["config", "diff", &file], "file is missing"),
        (&["config", "strip"], "file is missing"),
        (&["config", "strip", &file, "-o", &file], "names the file itself"),
    ] {
        let ran = run(words);
        assert!(ran.code == 2 && ran.err.contains(said) && ran.out.is_empty(), "{words:?}: {ran:?}");
    }
    for command in ["check", "explain", "diff", "strip"] {
        let ran = run(["config", command, "--help"]);
        assert!(ran.code == 0 && ran.out.contains("Usage: dunlinctl config"), "{command}");
    }
    assert!(run(["config", "check", "/no/such.conf"]).code == 1);
}

/// The verdict is that of `-t`, and where there is a peer, that of its `-t`.
#[test]
fn the_verdict_is_that_of_the_servers_test() {
    let peer = peer();
    for text in [
        "port: 4222\n",
        "prot: 4222\n",
        "ping_interval: 30\n",
        "",
        "a {",
        "debug: 1\n",
        "authorization { user: a, password: b }\n",
        "authorization { user: a, password: 5 }\n",
        "x = 5\nport: $x\n",
        "tls { cert_file: no, key_file: no }\n",
        "server_name: \"a b\"\n",
        "listen: [1]\n",
    ] {
        let folder = Folder::new();
        let file = folder.file("a.conf", text);
        let verdict = check(&file, &[]).code;
        assert_eq!(verdict, test_of(&dunlin(), &file).code, "{text:?}");
        if let Some(peer) = &peer {
            assert_eq!(verdict, test_of(peer.path(), &file).code, "{text:?} at the peer");
        }
    }
}
