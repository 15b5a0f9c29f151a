//! `config explain`: each setting with its value, where it comes from and what a reload does with it.

use serde_json::Value;

use crate::invocation::{Folder, Ran, command, run};

fn explain(file: &str, more: &[&str]) -> Ran {
    let words: Vec<&str> = ["config", "explain", file].into_iter().chain(more.iter().copied()).collect();
    run(words)
}

/// The line of a key, its columns with one blank between them.
fn line(ran: &Ran, key: &str) -> String {
    let is_of = |line: &&str| line.split_whitespace().next() == Some(key);
    let found = ran.out.lines().find(is_of).unwrap_or_else(|| panic!("{key} is not there:\n{}{}", ran.out, ran.err));
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_origin_is_told() {
    let folder = Folder::new();
    folder.file("limits.conf", "max_payload: 2MB\n");
    let password = folder.file("password", "a_secret\n");
    let text = "include limits.conf\nports = 5\nmax_connections: $ports\nmax_pending: $PENDING_FOR_TEST\nauthorization { timeout: 3 }\n";
    let file = folder.file("a.conf", text);
    let words =
        ["config", "explain", &file, "-p", "5000", "--user", "$USER_FOR_TEST", "--pass", &format!("@{password}")];
    let output = command(words).env("PENDING_FOR_TEST", "32MB").env("USER_FOR_TEST", "ann").output();
    let ran: Ran = output.expect("the binary runs").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let limits = folder.path("limits.conf");
    for (key, expected) in [
        ("max_payload", format!("max_payload 2097152 {}:1:0 reloads", limits.display())),
        ("max_connections", format!("max_connections 5 {file}:3:1 ($ports) reloads")),
        ("port", "port 5000 flag -p needs a restart: the listener is open".into()),
        ("authorization.timeout", format!("authorization.timeout 3 {file}:5:17 reloads")),
        ("authorization.user", "authorization.user ann flag --user ($USER_FOR_TEST) reloads".into()),
        ("authorization.password", format!("authorization.password ***** flag --pass (@{password}) reloads")),
        ("host", "host 0.0.0.0 default needs a restart: the listener is open".into()),
    ] {
        assert_eq!(line(&ran, key), expected);
    }
    let pending = line(&ran, "max_pending");
    assert!(
        pending.starts_with(&format!(
            "max_pending 32000000 {file}:4:1 (environment: $PENDING_FOR_TEST) needs a restart: "
        )) || pending.starts_with(&format!(
            "max_pending 33554432 {file}:4:1 (environment: $PENDING_FOR_TEST) needs a restart: "
        )),
        "{pending}"
    );
    assert!(!ran.out.contains("a_secret") && ran.out.contains("--all shows them"), "{}", ran.out);
}

/// The columns of the JSON page, by key.
fn page(ran: &Ran) -> Vec<(String, Value)> {
    let page: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let settings = page["settings"].as_array().expect("a list").clone();
    settings.into_iter().map(|row| (row["key"].as_str().expect("text").to_owned(), row)).collect()
}

#[test]
fn all_of_the_table_is_there() {
    let folder = Folder::new();
    let file = folder.file("a.conf", "debug: true\nprof_port: 1\n");
    let rows = page(&explain(&file, &["--all", "--json"]));
    let has = |key: &str| rows.iter().any(|(name, _)| name == key);
    for key in dunlin::config::keys::top_level() {
        let is_told_elsewhere = ["listen", "http", "https", "dunlin"].contains(&key.name);
        let is_later = matches!(key.status, dunlin::config::keys::Status::NotYet(_));
        assert!(has(key.name) || is_told_elsewhere || is_later, "{}", key.name);
    }
    for own in dunlin::config::own_flags::OWN_FLAGS {
        assert!(has(&format!("dunlin.{}", own.key.name)), "{}", own.key.name);
    }
    let row = |key: &str| rows.iter().find(|(name, _)| name == key).map(|(_, row)| row.clone()).expect("it is there");
    let debug = row("debug");
    assert_eq!(
        (&debug["value"], &debug["origin"]["kind"], &debug["reload"]),
        (&"true".into(), &"file".into(), &"applied".into())
    );
    assert_eq!(row("prof_port")["reload"], "no effect");
    let port = row("port");
    assert_eq!(
        (&port["origin"]["kind"], &port["reload"], &port["why"]),
        (&"default".into(), &"fixed".into(), &"the listener is open".into())
    );
}

#[test]
fn what_is_asked_for_is_explained() {
    let folder = Folder::new();
    let file =
        folder.file("a.conf", "accounts { A { users: [ {user: ann, password: x}, {user: bob, password: y} ] } }\n");
    let ran = explain(&file, &["max_payload"]);
    assert!(ran.code == 0 && ran.out.lines().count() == 3, "{ran:?}");
    for said in ["max_payload", "1048576", "default", "int", "from "] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(explain(&file, &["net"]).out.starts_with("host "), "another name of a key finds it");
    let ran = explain(&file, &["accounts"]);
    assert!(line(&ran, "accounts.A.users[1].user").starts_with("accounts.A.users[1].user bob "), "{ran:?}");
    let ran = explain(&file, &["max_payloud"]);
    assert!(ran.code == 1 && ran.err.contains("no key max_payloud") && ran.out.is_empty(), "{ran:?}");
    let rows = page(&explain(&file, &["port", "host", "--json"]));
    assert_eq!(rows.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["host", "port"]);
}

#[test]
fn a_wrong_file_is_told_as_check_tells_it() {
    let folder = Folder::new();
    let file = folder.file("a.conf", "prot: 1\n");
    let ran = explain(&file, &[]);
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("did you mean \"port\"?"), "{ran:?}");
}
