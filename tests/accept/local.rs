//! Clients of this host, through a Unix socket.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;

use dunlin::Server;
use kit::{Client, DEADLINE, until};

use crate::proxy::{connz, page};
use crate::{Folder, config, setup};

fn local(path: &str) -> Client {
    let mut client = Client::open_local(Path::new(path)).expect("it listens");
    client.hello("");
    client
}

/// A server in this program, that listens there too; its log is in the folder.
fn start(folder: &Folder, flags: &[&str]) -> Result<Server, String> {
    let (log, socket) = (folder.file("log"), folder.file("socket"));
    let own = ["-a", "127.0.0.1", "-p", "-1", "--cores", "2", "-D", "-l", &log, "--unix_socket", &socket];
    Server::start(config(&[&own, flags].concat())).map_err(|error| error.to_string())
}

#[test]
fn messages_go_between_both_kinds_of_clients() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    for accept in ["handoff", "reuseport"] {
        for cores in [1, 2, 4] {
            let flags = format!("dunlin {{ unix_socket: {socket:?}, unix_socket_mode: \"0600\" }}\n");
            let server = setup(cores).flag("--accept").flag(accept).config(&flags).start();
            let (mut near, mut far) = (local(&socket), server.client());
            assert!(near.info().get("client_ip").is_none(), "it has none");
            for (client, sid) in [(&mut near, "1"), (&mut far, "2")] {
                client.send(format!("SUB a.* {sid}\r\n"));
                client.ping();
            }
            let large = "x".repeat(300_000);
            far.send(format!("PUB a.b {}\r\n{large}\r\nPUB a.c 1\r\nz\r\n", large.len()));
            for (client, sid) in [(&mut near, "1"), (&mut far, "2")] {
                client.expect(format!("MSG a.b {sid} {}\r\n{large}\r\nMSG a.c {sid} 1\r\nz\r\n", large.len()));
            }
            near.send("PUB a.d 1\r\ny\r\n");
            for (client, sid) in [(&mut near, "1"), (&mut far, "2")] {
                client.expect(format!("MSG a.d {sid} 1\r\ny\r\n"));
            }
            // Many at once are spread over the cores, as over IP.
            let mut many: Vec<Client> = (0..50).map(|_| local(&socket)).collect();
            many.iter_mut().for_each(Client::ping);
        }
    }
}

#[test]
fn who_they_are_is_seen() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let server = setup(2).flag("-m").flag("-1").config(&format!("dunlin {{ unix_socket: {socket:?} }}\n")).start();
    let client = local(&socket);
    let (pid, cid) = (std::process::id(), &client.info()["client_id"]);
    let says = |text: &str| {
        let found = server.log().find(DEADLINE, |line| line.ends_with(text));
        assert!(found.is_some(), "no {text:?} in\n{}", server.log().tail());
    };
    says(&format!("unix:{pid} - cid:{cid} - Client connection created"));
    says(&format!("Listening for client connections on unix:{socket}"));
    let shown = connz(&server, "");
    let shows = |one: &serde_json::Value| one["ip"] == "unix" && one["port"] == pid && one["cid"] == *cid;
    assert!(shown["connections"].as_array().is_some_and(|all| all.iter().any(shows)), "{shown}");
    assert_eq!(page(&server, "/varz")["unix_socket"], *socket);
    let metadata = std::fs::symlink_metadata(&socket).expect("it is there");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
}

#[test]
fn logins_and_their_limits_hold_for_them_too() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let config = format!(
        "authorization {{ user: u, password: p }}\ndunlin {{ unix_socket: {socket:?}, failed_logins_per_minute: 2 }}\n"
    );
    let server = setup(2).config(&config).start();
    let hello = |fields: &str| Client::open_local(Path::new(&socket)).and_then(|mut client| client.try_hello(fields));
    hello(r#","user":"u","pass":"p""#).expect("it may");
    hello("").expect_err("no login");
    hello(r#","user":"u","pass":"x""#).expect_err("a wrong one");
    hello(r#","user":"u","pass":"p""#).expect_err("refused unheard");
    server.open().hello(r#","user":"u","pass":"p""#); // others are not held back for that
}

#[test]
fn its_file_goes_with_the_server() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let server = start(&folder, &[]).expect("it starts");
    assert_eq!(server.unix_socket().as_deref(), Some(Path::new(&socket)));
    let mut client = local(&socket);
    server.stop();
    server.join();
    assert_eq!(client.check_closed(), Ok(()));
    assert!(!Path::new(&socket).exists());
    // A lame duck takes nobody in any more.
    let server = start(&folder, &[]).expect("it starts again");
    let mut client = local(&socket);
    server.lame_duck();
    assert!(until(DEADLINE, || !Path::new(&socket).exists()));
    Client::open_local(Path::new(&socket)).expect_err("nobody listens");
    client.ping();
}

#[test]
fn what_is_in_its_place_is_kept_or_replaced_with_care() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    // Left behind by a server that was killed.
    drop(UnixListener::bind(&socket).expect("the folder is ours"));
    let old = std::fs::symlink_metadata(&socket).expect("it is there").ino();
    let first = start(&folder, &[]).expect("nobody listens there");
    local(&socket);
    assert!(std::fs::symlink_metadata(&socket).is_ok_and(|now| now.ino() != old || now.mode() & 0o777 == 0o660));
    // In use.
    let error = start(&folder, &[]).expect_err("somebody listens there");
    assert!(error.contains("another server listens there: stop it, or choose another path"), "{error}");
    assert!(error.contains(&socket), "{error}");
    local(&socket).ping();
    drop(first);
    // Something else.
    for make in [|path: &str| std::fs::write(path, "data"), |path: &str| std::fs::create_dir(path)] {
        make(&socket).expect("the folder is ours");
        let error = start(&folder, &[]).expect_err("that is no socket");
        assert!(error.contains("a file that is no socket is there: remove it, or choose another path"), "{error}");
        let _ = std::fs::remove_file(&socket).or_else(|_| std::fs::remove_dir(&socket));
    }
    std::os::unix::fs::symlink(folder.file("elsewhere"), &socket).expect("the folder is ours");
    start(&folder, &[]).expect_err("a link is no socket");
    std::fs::remove_file(&socket).expect("it is still there");
    // Somebody has put another one there meanwhile: it is not ours to remove.
    let server = start(&folder, &[]).expect("it starts");
    std::fs::remove_file(&socket).expect("it is there");
    let other = UnixListener::bind(&socket).expect("the folder is ours");
    drop(server);
    assert!(Path::new(&socket).exists());
    drop(other);
    // Nowhere.
    let nowhere = folder.file("no/such/folder");
    let error = start(&folder, &["--unix_socket", &nowhere]).expect_err("there is no such folder");
    assert!(error.contains("bind: no such file or directory"), "{error}");
}

#[test]
fn a_proxy_may_come_that_way() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let config = format!("proxy_protocol: true\ndunlin {{ unix_socket: {socket:?} }}\n");
    let server = setup(2).config(&config).start();
    let mut client = Client::open_local(Path::new(&socket)).expect("it listens");
    client.send("PROXY TCP4 192.0.2.7 192.0.2.1 51284 4222\r\n");
    client.hello(",\"protocol\":1");
    let info = client.line().expect("what became of CONNECT");
    assert!(info.contains("\"client_ip\":\"192.0.2.7\""), "{info}");
    drop(server);
}
