//! The way of who comes new: look at the host, check a file with a mistake, mend it, start, change it, reload.

use kit::{DEADLINE, until};
use rustix::process::Signal;

use crate::invocation::{Folder, run};
use crate::programs::{dunlin, start};
use crate::tmux::Tmux;

const MISTAKE: &str = "max_payloud: 2MB\nmax_connections: 100\n";

#[test]
fn check_mend_start_and_reload() {
    let folder = Folder::new();
    let file = folder.file("server.conf", MISTAKE);
    let ran = run(["config", "check", &file]);
    assert!(ran.code == 1 && ran.out.contains("did you mean \"max_payload\"?"), "{ran:?}");

    let mended = MISTAKE.replace("max_payloud", "max_payload");
    folder.file("server.conf", &mended);
    assert_eq!(run(["config", "check", &file]).code, 0);
    let server = start(&file);
    assert!(server.open().info()["max_payload"] == 2097152);

    // A mistake in the file of a server that runs: check says it, and the server stays as it is.
    folder.file("server.conf", mended.replace("100", "1O0"));
    assert_eq!(run(["config", "check", &file]).code, 1);
    let mark = server.log().mark();
    server.signal(Signal::HUP);
    let line = server.log().find_after(mark, DEADLINE, |line| line.contains("[ERR]"));
    assert!(line.is_some_and(|line| line.contains("int64")), "{}", server.log().tail());

    let old = folder.file("old.conf", &mended);
    folder.file("server.conf", mended.replace("2MB", "3MB"));
    let said = run(["config", "diff", &old, &file]);
    assert!(said.code == 0 && said.out.contains("max_payload: 2097152 -> 3145728"), "{said:?}");
    let mark = server.log().mark();
    server.signal(Signal::HUP);
    let line = server.log().find_after(mark, DEADLINE, |line| line.contains("max_payload = 3145728"));
    assert!(line.is_some(), "{}", server.log().tail());
    assert!(server.log().find_after(mark, DEADLINE, |line| line.contains("Reloaded server configuration")).is_some());
    let is_told = || server.open().info()["max_payload"] == 3145728;
    assert!(until(DEADLINE, is_told), "{}", server.log().tail());
}

/// The same in a terminal, all with the programs that people type.
#[test]
fn the_whole_way_in_one_terminal() {
    let folder = Folder::new();
    folder.file("server.conf", format!("listen: \"127.0.0.1:-1\"\npid_file: \"server.pid\"\n{MISTAKE}"));
    let tool = env!("CARGO_BIN_EXE_dunlinctl");
    let (server, place) = (dunlin(), folder.path("."));
    // A shell whose prompt is known, in the folder of the file. Where the test ends early, the server goes with it.
    let script = format!(
        "cd {}; ctl() {{ '{tool}' \"$@\"; }}; serve() {{ '{}' \"$@\"; }}; \
         trap 'kill $(cat server.pid) 2>/dev/null; exit' HUP EXIT; \
         while printf 'ready> ' && read -r line; do case \"$line\" in \
         clear) clear;; *) eval \"$line\"; echo \"code $?\";; esac; done",
        place.display(),
        server.display()
    );
    let Some(tmux) = Tmux::start(150, 60, &script) else { return };
    let type_line = |line: &str| {
        tmux.wait_for("the prompt", |screen| screen.trim_end().ends_with("ready>"));
        tmux.type_text("clear");
        tmux.keys(&["Enter"]);
        tmux.wait_for("an empty screen", |screen| screen.trim() == "ready>");
        tmux.type_text(line);
        tmux.keys(&["Enter"]);
    };
    // What it says of this host depends on the host; that it ends well or with 1 does not.
    type_line("ctl doctor | tail -n 3");
    tmux.wait_for("the end of doctor", |screen| screen.contains("code "));
    type_line("ctl config check server.conf");
    let screen = tmux.wait_for_text("code 1");
    assert!(screen.contains("did you mean \"max_payload\"?") && screen.contains("^^^^^^^^^^^"), "{screen}");
    type_line("sed -i s/payloud/payload/ server.conf");
    tmux.wait_for_text("code 0");
    type_line("ctl config check server.conf");
    tmux.wait_for_text("valid (sha256:");
    type_line("serve -c server.conf -l server.log & until test -s server.pid; do :; done; cp server.conf old.conf");
    tmux.wait_for_text("code 0");
    type_line("sed -i s/2MB/3MB/ server.conf; ctl config diff old.conf server.conf");
    let screen = tmux.wait_for_text("code 0");
    assert!(screen.contains("max_payload: 2097152 -> 3145728 (applied)"), "{screen}");
    type_line("serve -sl reload=server.pid; until grep 'max_payload = 3145728' server.log; do :; done");
    tmux.wait_for_text("Reloaded: max_payload = 3145728");
    type_line("serve -sl quit=server.pid; wait; tail -n 1 server.log");
    let screen = tmux.wait_for("the end of the server", |screen| screen.contains("Server Exiting"));
    assert!(screen.contains("Server Exiting"), "{screen}");
}
