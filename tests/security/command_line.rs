//! What others see of the command line: `/proc/PID/cmdline` of the real program.

use kit::Server;

use crate::{Folder, setup};

/// The arguments as everyone can read them.
fn shown(server: &Server) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{}/cmdline", server.pid())).expect("it runs");
    let text = String::from_utf8(bytes).expect("these arguments are text");
    text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
}

/// 26-14: a password of the command line was on a page. Here it is not even in the list of processes.
#[test]
fn cve_2026_33247_26_14_a_password_is_gone_from_the_command_line_and_works() {
    for (given, expected) in [
        (&["--user", "bob", "--pass", "s3cret-of-bob"][..], &["--user", "bob", "--pass", "xxxxxxxxxxxxx"][..]),
        (&["-user=bob", "-pass=s3cret-of-bob"], &["-user=bob", "-pass=xxxxxxxxxxxxx"]),
        (&["--user", "bob", "--pass=s3cret-of-bob", "-DV"], &["--user", "bob", "--pass=xxxxxxxxxxxxx", "-DV"]),
    ] {
        let server = given.iter().fold(setup(1), |setup, flag| setup.flag(flag)).start();
        let shown = shown(&server);
        assert_eq!(shown[shown.len() - expected.len()..], *expected);
        assert!(server.log().find(std::time::Duration::ZERO, |line| line.contains("can see the secrets")).is_none());
        let mut client = server.open();
        client.hello(r#","user":"bob","pass":"s3cret-of-bob""#);
        let mut other = server.open();
        assert!(
            other.try_hello(r#","user":"bob","pass":"xxxxxxxxxxxxx""#).is_err(),
            "what covers it is not the password"
        );
    }
}

#[test]
fn cve_2026_33247_26_14_a_token_is_gone_from_the_command_line_and_works() {
    let server = setup(2).flag("--auth").flag("t0ken").flag("-n").flag("nats://u:pw@name").start();
    let shown = shown(&server);
    assert_eq!(shown[shown.len() - 4..], ["--auth", "xxxxx", "-n", "nats://u:xx@name"]);
    server.open().hello(r#","auth_token":"t0ken""#);
}

/// The way to keep it off the command line altogether: only the name of its place is seen.
#[test]
fn cve_2026_33247_26_14_the_place_of_a_secret_stays_to_be_seen() {
    let folder = Folder::new();
    let file = format!("@{}", folder.write("password", "s3cret-of-bob\n"));
    let server = setup(1).flag("--user").flag("bob").flag("--pass").flag(&file).start();
    assert_eq!(shown(&server).last(), Some(&file));
    server.open().hello(r#","user":"bob","pass":"s3cret-of-bob""#);
}
