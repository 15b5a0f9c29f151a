//! What the tools make lets clients log in at the peer.

use std::process::{Command, Stdio};

use kit::{Client, Server, Setup};
use nkeys::KeyPair;

use crate::invocation::{Folder, Ran, peer, python_beside, run};
use crate::mkpasswd::line;

fn login(server: &Server, fields: &str) -> bool {
    let mut client = Client::open(server.address()).expect("INFO comes");
    client.try_hello(fields).is_ok()
}

fn user(name: &str, password: &str) -> String {
    format!(r#","user":"{name}","pass":"{password}""#)
}

#[test]
fn a_made_password_lets_clients_in() {
    let Some(program) = peer() else { return };
    let ran = run(["mkpasswd", "-c", "4"]);
    let (password, hash) = (line(&ran, "pass").expect("one"), line(&ran, "bcrypt hash").expect("one"));
    let server =
        Setup::new(&program, 1).config(&format!("authorization {{ user: ann, password: \"{hash}\" }}")).start();
    assert!(login(&server, &user("ann", password)));
    assert!(!login(&server, &user("ann", "other")) && !login(&server, &user("ann", hash)));

    let Some(python) = python_beside(&program) else { return };
    let script = "import asyncio, sys, nats\n\
        async def main():\n    \
            client = await nats.connect(sys.argv[1], user='ann', password=sys.argv[2], allow_reconnect=False)\n    \
            await client.flush()\n    \
            await client.close()\n\
        asyncio.run(main())\n";
    let enters = |password: &str| {
        let mut command = Command::new(&python);
        command.args(["-c", script, &format!("nats://{}", server.address()), password]);
        let output = command.stdin(Stdio::null()).output().expect("Python runs");
        Ran::from(output)
    };
    let ran = enters(password);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = enters("other");
    assert!(ran.code != 0 && ran.err.contains("Authorization Violation"), "{ran:?}");
}

#[test]
fn a_hashed_file_lets_the_same_clients_in() {
    let Some(program) = peer() else { return };
    let folder = Folder::new();
    let text = "authorization { users: [ {user: ann, password: p-one} ] }\n\
                accounts { A { users: [ {user: bob, password: \"p two\"} ] } }\n";
    let file = folder.file("a.conf", text);
    assert_eq!(run(["config", "hash", &file, "--in-place", "-c", "4"]).code, 0);
    let server = Setup::new(&program, 1).config(&folder.read("a.conf")).start();
    assert!(login(&server, &user("ann", "p-one")) && login(&server, &user("bob", "p two")));
    assert!(!login(&server, &user("ann", "p two")) && !login(&server, &user("bob", "p-one")));
    assert_eq!(server.log().count("Plaintext passwords detected"), 0);

    let file = folder.file("b.conf", "authorization { token: 't0k en' }\n");
    assert_eq!(run(["config", "hash", &file, "--in-place", "-c", "4"]).code, 0);
    let server = Setup::new(&program, 1).config(&folder.read("b.conf")).start();
    assert!(login(&server, r#","auth_token":"t0k en""#) && !login(&server, r#","auth_token":"token""#));
}

#[test]
fn a_made_key_lets_clients_in() {
    let Some(program) = peer() else { return };
    let ran = run(["nk", "-gen", "user", "-pubout"]);
    let (seed, public) = ran.out.trim_end().split_once('\n').expect("a seed and a public key");
    let server = Setup::new(&program, 1).config(&format!("authorization {{ users: [ {{nkey: {public}}} ] }}")).start();
    let folder = Folder::new();
    // What `nk -sign` prints is what a client sends.
    let enters = |seed: &str| {
        let mut client = Client::open(server.address()).expect("INFO comes");
        let nonce = folder.file("nonce", client.info()["nonce"].as_str().expect("a nonce"));
        let ran = run(["nk", "-sign", &nonce, "-inkey", &folder.file("seed", seed)]);
        client.try_hello(&format!(r#","nkey":"{public}","sig":"{}""#, ran.out.trim_end())).is_ok()
    };
    assert!(enters(seed));
    assert!(!enters(&KeyPair::new_user().seed().expect("a seed")));
}
