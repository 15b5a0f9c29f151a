//! Who is no longer let in is sent away, and what is no longer allowed ends, while connections live.

use kit::{Client, DEADLINE, Server};
use rustix::process::Signal;

use crate::{Folder, setup};

fn client(server: &Server, user: &str) -> Client {
    let mut client = server.open();
    client.hello(&format!(r#","user":"{user}","pass":"p""#));
    client
}

/// CVE-2020-26892: a login that was over stayed good.
#[test]
fn cve_2020_26892_a_login_that_a_reload_takes_away_ends_at_once_and_for_good() {
    for cores in [1, 2, 4] {
        let folder = Folder::new();
        let users = |users: &str| folder.write("server.conf", &format!("authorization {{ users: [{users}] }}\n"));
        let file = users("{user: stays, password: p}, {user: goes, password: p}, {user: changes, password: p}");
        let server = setup(cores).flag("-c").flag(&file).start();
        let mut others: Vec<Client> = (0..cores).map(|_| client(&server, "stays")).collect();
        let mut gone: Vec<Client> =
            ["goes", "changes"].into_iter().cycle().take(2 * cores).map(|user| client(&server, user)).collect();
        users("{user: stays, password: p}, {user: changes, password: another}");
        server.signal(Signal::HUP);
        assert!(server.log().find(DEADLINE, |line| line.contains("Reloaded server configuration")).is_some());
        for client in &mut gone {
            let ended = client.check(b"-ERR 'Authorization Violation'\r\n").and_then(|()| client.check_closed());
            assert_eq!(ended, Ok(()));
        }
        for user in ["goes", "changes"] {
            assert!(server.open().try_hello(&format!(r#","user":"{user}","pass":"p""#)).is_err(), "{user}");
        }
        others.iter_mut().for_each(Client::ping);
    }
}

fn reload(server: &Server, wanted: &str) {
    let mark = server.log().mark();
    server.signal(Signal::HUP);
    let said = server.log().find_after(mark, DEADLINE, |line| line.contains("eload") && line.contains(wanted));
    assert!(said.is_some(), "no line with {wanted:?}:\n{}", server.log().tail());
}

#[test]
fn a_secret_that_is_exchanged_in_the_file_that_a_flag_names_holds_from_the_next_reload_on() {
    let folder = Folder::new();
    let place = format!("@{}", folder.write("secret", "first\n"));
    let server = setup(2).config("debug: false\n").flag("--user").flag("ann").flag("--pass").flag(&place).start();
    let login = |pass: &str| format!(r#","user":"ann","pass":"{pass}""#);
    let mut inside = server.open();
    inside.hello(&login("first"));
    folder.write("secret", "second\n");
    reload(&server, "Reloaded server configuration");
    assert_eq!(inside.check(b"-ERR 'Authorization Violation'\r\n").and_then(|()| inside.check_closed()), Ok(()));
    assert!(server.open().try_hello(&login("first")).is_err());
    server.open().hello(&login("second"));
    std::fs::remove_file(&place[1..]).expect("it is ours");
    reload(&server, "Failed to reload server configuration: invalid value for flag --pass");
    server.open().hello(&login("second"));
}

#[test]
fn flags_beat_the_file_after_a_reload_too() {
    let flags = ["-n", "flagged", "-D", "--client_advertise", "flag:1"];
    let file = |number: u32| {
        format!("server_name: f{number}\ndebug: false\nclient_advertise: \"file:{number}\"\nmax_payload: {number}000\n")
    };
    let server = flags.iter().fold(setup(2), |setup, flag| setup.flag(flag)).config(&file(1)).start();
    for number in [1, 2, 3] {
        server.write_config(&file(number));
        reload(&server, "Reloaded server configuration");
        let mark = server.log().mark();
        let info = server.open().info().clone();
        let is_debug = |line: &str| line.contains("Client connection created");
        assert!(server.log().find_after(mark, DEADLINE, is_debug).is_some(), "debug lines stay");
        assert_eq!((&info["server_name"], &info["host"]), (&"flagged".into(), &"flag".into()));
        assert_eq!(info["max_payload"], number * 1000);
    }
}

#[test]
fn all_that_cannot_change_is_named_with_why_and_nothing_changes() {
    let server = setup(2).config("max_payload: 1000\n").start();
    let mark = server.log().mark();
    server.write_config("max_payload: 2000\nmax_pending: 1MB\nlame_duck_duration: \"40s\"\nserver_name: other\n");
    reload(&server, "config reload not supported for ServerName: old=, new=other");
    for (key, why) in [
        ("server_name cannot change from \"\" to \"other\" while the server runs: ", "know the server by it"),
        ("max_pending cannot change from \"67108864\" to \"1048576\" while the server runs: ", "from when they came"),
        ("lame_duck_duration cannot change from \"2m0s\" to \"40s\" while the server runs: ", "under way"),
    ] {
        let line = server.log().find_after(mark, DEADLINE, |line| line.contains(key));
        assert!(line.as_ref().is_some_and(|line| line.contains(why)), "{line:?}");
    }
    assert_eq!(server.open().info()["max_payload"], 1000);
    server.write_config("max_payload: 2000\nwrong: 1\nalso_wrong: 2\n");
    reload(&server, "unknown field \"wrong\"");
    assert!(server.log().find_after(mark, DEADLINE, |line| line.contains("unknown field \"also_wrong\"")).is_some());
    assert_eq!(server.open().info()["max_payload"], 1000);
}

#[test]
fn limits_that_shrink_close_those_over_them_and_nobody_else() {
    let file =
        |account: &str| format!("accounts {{ A {{ users: [{{user: ann, password: p}}], limits: {{{account}}} }} }}\n");
    for cores in [1, 2, 4] {
        let server = setup(cores).config(&file("max_connections: 20, max_subscriptions: 10")).start();
        let mut all: Vec<Client> = (0..6).map(|_| client(&server, "ann")).collect();
        for (number, client) in all.iter_mut().enumerate() {
            (0..=number).for_each(|sid| client.send(format!("SUB a.{number}.{sid} {sid}\r\n")));
            client.ping();
        }
        // The fourth and later ones have more than three.
        server.write_config(&file("max_connections: 20, max_subscriptions: 3"));
        reload(&server, "Reloaded server configuration");
        for mut over in all.drain(3..) {
            let ended = over.check(b"-ERR 'maximum subscriptions exceeded'\r\n").and_then(|()| over.check_closed());
            assert_eq!(ended, Ok(()));
        }
        all.iter_mut().for_each(Client::ping);
        all.extend((0..5).map(|_| client(&server, "ann")));
        server.write_config(&file("max_connections: 4, max_subscriptions: 3"));
        reload(&server, "Reloaded server configuration");
        assert_eq!(left(all, "maximum account active connections exceeded"), 4);

        let server = setup(cores).config("max_connections: 10\n").start();
        let all: Vec<Client> = (0..5).map(|_| server.client()).collect();
        server.write_config("max_connections: 3\n");
        reload(&server, "Reloaded server configuration");
        assert_eq!(left(all, "maximum connections exceeded"), 3);
        assert_eq!(server.log().count("Closed 2 connections to fall within max_connections"), 1);
    }
}

/// How many of them are still served; the others were told why not.
fn left(clients: Vec<Client>, why: &str) -> usize {
    let told = format!("-ERR '{why}'\r\n");
    let is_left = |mut client: Client| {
        client.send("PING\r\n");
        match client.check_one_of(&["PONG\r\n", &told]) {
            Ok("PONG\r\n") => true,
            Ok(_) => false,
            Err(text) => panic!("{text}"),
        }
    };
    clients.into_iter().map(is_left).filter(|left| *left).count()
}
