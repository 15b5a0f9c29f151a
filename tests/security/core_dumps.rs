//! A crash leaves no secrets behind: no core dump where there are logins.

use std::os::unix::process::ExitStatusExt as _;

use kit::Server;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::{Folder, setup};

/// The soft limit of core dumps that a server runs with.
fn limit(server: &Server) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("it runs");
    let row = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    row.and_then(|row| row.split_whitespace().next()).expect("the kernel tells").to_owned()
}

/// What servers that are started from now on have, unless they do something about it.
fn allow_core_dumps() -> String {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).expect("up to the hard limit is allowed");
    maximum.map_or("unlimited".to_owned(), |bytes| bytes.to_string())
}

#[test]
fn logins_switch_core_dumps_off_unless_somebody_wants_them() {
    let allowed = allow_core_dumps();
    for (flags, expected) in [
        (&[][..], allowed.as_str()),
        (&["--no_coredump"], "0"),
        (&["--user", "bob", "--pass", "secret"], "0"),
        (&["--auth", "secret", "--no_coredump=false"], &allowed),
    ] {
        let server = flags.iter().fold(setup(1), |setup, flag| setup.flag(flag)).start();
        assert_eq!(limit(&server), expected, "{flags:?}");
    }
}

#[test]
fn a_crash_of_a_server_with_logins_leaves_no_core_dump() {
    allow_core_dumps();
    let mut server = setup(1).flag("--auth").flag("secret").start();
    server.signal(Signal::ABORT);
    let status = server.wait_for_exit().expect("it ends");
    assert_eq!((status.signal(), status.core_dumped()), (Some(Signal::ABORT.as_raw()), false));
}

#[test]
fn logins_that_come_with_a_reload_switch_core_dumps_off() {
    let allowed = allow_core_dumps();
    let folder = Folder::new();
    let file = folder.write("server.conf", "debug: false\n");
    let server = setup(1).flag("-c").flag(&file).start();
    assert_eq!(limit(&server), allowed);
    for (content, line) in [
        ("authorization { token: secret }\n", "Reloaded server configuration"),
        ("debug: true\n", "Core dumps stay off until the server is started again"),
    ] {
        folder.write("server.conf", content);
        let mark = server.log().mark();
        server.signal(Signal::HUP);
        let said = server.log().find_after(mark, kit::DEADLINE, |text| text.contains(line));
        assert!(said.is_some(), "{}", server.log().tail());
        assert_eq!(limit(&server), "0");
    }
}
