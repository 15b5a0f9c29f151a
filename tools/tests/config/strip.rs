//! `config strip`: what is left is the file, and nats-server takes it.

use crate::invocation::{Folder, Ran, peer, run};
use crate::programs::{dunlin, test_of};

const FULL: &str = "# The server of the shop { \n\nport: 4222  // dunlin { }\n\n# Tuned on a Monday.\ndunlin {\n  spin_us: 5 # }\n  monitoring { user: ann, password: \"}\" }\n}\n\nauthorization {\n\ttoken: $TOKEN_FOR_STRIP   # with a tab\n}\r\nmax_payload = 2MB;\n";
const LEFT: &str = "# The server of the shop { \n\nport: 4222  // dunlin { }\n\n# Tuned on a Monday.\n\nauthorization {\n\ttoken: $TOKEN_FOR_STRIP   # with a tab\n}\r\nmax_payload = 2MB;\n";

fn strip(file: &str, more: &[&str]) -> Ran {
    run(["config", "strip", file].iter().chain(more))
}

/// nats-server takes it; says so where there is none.
fn assert_peer_takes(file: &str) {
    if let Some(peer) = peer() {
        let ran = test_of(peer.path(), file);
        assert!(ran.code == 0, "{file}: {ran:?}");
    }
}

#[test]
fn everything_else_stays_byte_for_byte() {
    let folder = Folder::new();
    // A variable of the environment that nobody has set: the texts cannot be compared, and are written all the same.
    let file = folder.file("a.conf", FULL);
    let ran = strip(&file, &[]);
    assert!(ran.code == 0 && ran.err.contains("lines 6 to 9") && ran.err.contains("config check"), "{ran:?}");
    assert_eq!(ran.out, LEFT);
    let ran = strip(&folder.file("b.conf", "port: 1\n"), &[]);
    assert!(ran.code == 0 && ran.out == "port: 1\n" && ran.err.contains("nothing to leave out"), "{ran:?}");
}

#[test]
fn the_peer_takes_what_is_left_and_not_what_was() {
    for text in [
        "port: 4222\ndunlin { spin_us: 5 }\nmax_payload: 1MB\n",
        "{\"port\": 4222, \"dunlin\": {\"spin_us\": 5}, \"debug\": true}\n",
        "{\"port\": 4222, \"dunlin\": {\"spin_us\": 5}}\n",
        "spin = 5\ndunlin { spin_us: $spin }\nport: 4222\n",
        "port: 4222; dunlin { spin_us: 5 }; debug: true\n",
        "dunlin {\n spin_us: 5\n}\n# nothing but this\nport: 4222",
    ] {
        let folder = Folder::new();
        let file = folder.file("a.conf", text);
        assert_eq!(test_of(&dunlin(), &file).code, 0, "{text:?}");
        if let Some(peer) = peer() {
            assert_ne!(test_of(peer.path(), &file).code, 0, "{text:?}");
        }
        let out = folder.path("out.conf");
        let ran = strip(&file, &["-o", out.to_str().expect("text")]);
        assert!(ran.code == 0 && ran.out.is_empty(), "{ran:?}");
        assert_eq!((folder.mode("out.conf"), folder.read("a.conf")), (0o600, text.to_owned()));
        assert_peer_takes(out.to_str().expect("text"));
        // Once more: there is nothing left to leave out.
        let again = strip(out.to_str().expect("text"), &[]);
        assert_eq!((again.code, again.out), (0, folder.read("out.conf")));
    }
}

#[test]
fn included_files_are_named_or_put_in_place() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("sub")).expect("a folder");
    folder.file("sub/own.conf", "dunlin { spin_us: 5 }\ninclude deep.conf\n");
    folder.file("sub/deep.conf", "dunlin { turn_events: 5 }\ndebug: true");
    folder.file("sub/users.conf", "users: [ {user: a, password: b} ] # people\n");
    let text = "port: 4222\ninclude sub/own.conf\nauthorization {\n  include 'sub/users.conf'\n}\n";
    let file = folder.file("a.conf", text);
    let ran = strip(&file, &[]);
    assert!(ran.code == 0 && ran.out == text, "{ran:?}");
    for said in ["sub/own.conf: it is included at", "sub/deep.conf: it is included at", "or use --inline"] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    let out = folder.path("out.conf");
    let ran = strip(&file, &["--inline", "-o", out.to_str().expect("text")]);
    assert!(ran.code == 0 && ran.err.contains("in the place of"), "{ran:?}");
    let left = folder.read("out.conf");
    assert!(!left.contains("dunlin") && !left.contains("include") && left.contains("# people"), "{left}");
    for setting in ["debug: true", "user: a", "port: 4222"] {
        assert!(left.contains(setting), "{left}");
    }
    assert_peer_takes(out.to_str().expect("text"));
}

#[test]
fn what_cannot_be_stripped_is_not_written() {
    let folder = Folder::new();
    let out = folder.path("out.conf");
    let out = out.to_str().expect("text");
    folder.file("circle.conf", "include circle.conf\n");
    for (text, words, said) in [
        ("authorization { token: a_secret x }\n", &[][..], "config check"),
        // The block is a variable's value: nothing gives it that any more.
        ("dunlin = 5\nmax_connections: $dunlin\n", &[], "mean something else"),
        ("include circle.conf\n", &["--inline"], "deeper than 32"),
        ("include no/such.conf\n", &["--inline"], "no/such.conf"),
    ] {
        let file = folder.file("a.conf", text);
        let ran = strip(&file, &[words, &["-o", out]].concat());
        assert!(ran.code == 1 && ran.err.contains(said) && !ran.err.contains("a_secret"), "{text:?}: {ran:?}");
        assert!(!std::path::Path::new(out).exists(), "{text:?}");
    }
    assert_eq!(strip("/no/such.conf", &[]).code, 1);
}
