//! `config diff`: what a reload would do, and that a server does it.

use kit::DEADLINE;
use rustix::process::Signal;
use serde_json::Value;

use crate::invocation::{Folder, Ran, run};
use crate::programs::start;

fn diff(old: &str, new: &str, more: &[&str]) -> Ran {
    let folder = Folder::new();
    let (old, new) = (folder.file("old.conf", old), folder.file("new.conf", new));
    let words: Vec<&str> = ["config", "diff", &old, &new].into_iter().chain(more.iter().copied()).collect();
    run(words)
}

#[test]
fn each_change_is_told_with_the_verdict() {
    for (old, new, code, said) in [
        ("port: 1", "port: 1 # the same", 0, &["nothing differs"][..]),
        (
            "debug: false",
            "debug: true",
            0,
            &["debug: false -> true (applied)", "No connection is closed", "carries this out"],
        ),
        (
            "port: 1\ndebug: true",
            "port: 2",
            1,
            &["port: 1 -> 2 (REFUSED: the listener is open)", "debug: true -> false", "refused: one setting"],
        ),
        ("dunlin { cores: 1 }", "dunlin { cores: 2 }", 1, &["dunlin.cores: 1 -> 2 (REFUSED"]),
        (
            "max_connections: 9",
            "max_connections: 5",
            0,
            &["max_connections: 9 -> 5", "connections over 5", "maximum connections exceeded"],
        ),
        (
            "authorization { users: [ {user: a, password: x}, {user: b, password: x} ] }",
            "authorization { users: [ {user: a, password: y}, {user: c, password: x} ] }",
            0,
            &["added: c", "removed: b", "another login: a", "clients of removed users: b", "Authorization Violation"],
        ),
        (
            "max_payload: 2MB",
            "max_payload: 1MB",
            0,
            &["2097152 -> 1048576", "send more than max_payload", "No connection is closed"],
        ),
    ] {
        let ran = diff(old, new, &[]);
        assert_eq!(ran.code, code, "{old} to {new}: {ran:?}");
        for said in said {
            assert!(ran.out.contains(said), "{said:?} in {old} to {new}: {}", ran.out);
        }
    }
}

#[test]
fn flags_hide_what_the_files_say() {
    assert_eq!(diff("port: 1", "port: 2", &[]).code, 1);
    let ran = diff("port: 1", "port: 2", &["-p", "5"]);
    assert!(ran.code == 0 && ran.out.contains("nothing differs"), "{ran:?}");
}

#[test]
fn the_json_page_has_everything() {
    let ran = diff("port: 1\nmax_connections: 9", "port: 2\nmax_connections: 5", &["--json"]);
    let page: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((ran.code, &page["verdict"]), (1, &"refused".into()));
    let first = &page["changes"][0];
    assert_eq!((&first["key"], &first["old"], &first["new"]), (&"port".into(), &"1".into(), &"2".into()));
    assert_eq!((&first["outcome"], &first["why"]), (&"refused".into(), &"the listener is open".into()));
    assert_eq!(page["connections"], Value::Array(Vec::new()), "a reload that is refused closes nobody");
    let ran = diff("max_connections: 9", "max_connections: 5", &["--json"]);
    let page: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&page["verdict"], &page["connections"][0]["closed"]), (&"applied".into(), &true.into()));
}

#[test]
fn a_wrong_file_has_no_difference() {
    let ran = diff("port: 1", "prot: 1", &[]);
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("did you mean \"port\"?"), "{ran:?}");
}

/// A server reloads from each file to the next one: it does what was said.
#[test]
fn a_server_does_what_diff_says() {
    let users = |list: &str| format!("authorization {{ users: [{list}] }}\n");
    let files = [
        "debug: false\n".to_owned(),
        "debug: true\nmax_payload: 2MB\n".to_owned(),
        "debug: true\nmax_pending: 1MB\n".to_owned(),
        users("{user: a, password: x}"),
        users("{user: a, password: y}"),
        format!("{}dunlin {{ link_bytes: 65536 }}\n", users("{user: a, password: y}")),
        format!("{}write_deadline: \"3s\"\nping_max: 5\n", users("{user: b, password: y}")),
    ];
    let folder = Folder::new();
    let file = folder.file("server.conf", &files[0]);
    let server = start(&file);
    let mut current = files[0].clone();
    for next in &files[1..] {
        let (old, new) = (folder.file("old.conf", &current), folder.file("new.conf", next));
        let said = run(["config", "diff", &old, &new]);
        let mark = server.log().mark();
        folder.file("server.conf", next);
        server.signal(Signal::HUP);
        let is_done = |line: &str| line.contains("Reloaded server configuration") || line.contains("not supported for");
        let line = server.log().find_after(mark, DEADLINE, is_done).expect("the server says what it did");
        let is_refused = line.contains("not supported for");
        assert_eq!(said.code, i32::from(is_refused), "{current:?} to {next:?}: {line}\n{said:?}");
        if !is_refused {
            current.clone_from(next);
        }
    }
    assert_eq!(&current, files.last().expect("there is one"), "the last one is carried out");
}
