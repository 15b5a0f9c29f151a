//! What only a terminal sees: progress that moves, and red where something is wrong.

use std::fs::File;
use std::io::Read;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::faulty::{Fault, start};
use crate::invocation::{command, start_dunlin};

/// Everything that a run writes to a terminal, and its exit code.
fn on_a_terminal(mut command: std::process::Command) -> (String, i32) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("ours");
    unlockpt(&master).expect("ours");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("text");
    let end = || File::options().read(true).write(true).open(&name).expect("the other end");
    let mut child = command.env("TERM", "xterm").stdout(end()).stderr(end()).spawn().expect("runs");
    drop(command); // it holds the other end open
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    let mut terminal = File::from(master);
    // The kernel answers with an error when nobody holds the other end any more.
    while let Ok(read) = terminal.read(&mut buffer) {
        if read == 0 {
            break;
        }
        seen.extend_from_slice(&buffer[..read]);
    }
    (String::from_utf8_lossy(&seen).into_owned(), child.wait().expect("ends").code().unwrap_or(-1))
}

#[test]
fn progress_moves_and_leaves_no_trace() {
    let server = start_dunlin(1);
    let words = "pubsub --rate 2000 --duration 1500ms";
    let (seen, code) = on_a_terminal(command(server.address(), words));
    assert!(seen.contains("sent ") && seen.contains("received ") && seen.contains('%') && code == 0, "{seen:?}");
    let is_drawn = |seen: &str| seen.contains('\u{2588}') || seen.contains("\u{1b}[2K") || seen.contains('\r');
    assert!(is_drawn(&seen) && seen.contains("k/s  received"), "rates while it runs: {seen:?}");
    let (seen, _) = on_a_terminal(command(server.address(), &format!("{words} --no-progress")));
    assert!(!seen.contains("k/s  received"), "{seen:?}");
}

#[test]
fn what_is_wrong_is_red() {
    let (seen, code) = on_a_terminal(command(start(Fault::Drop(5)), "pubsub --msgs 100 --quiet-time 200ms"));
    assert!(seen.contains("\u{1b}[31;1m  LOST OR WRONG: 1 lost\u{1b}[0m") && code == 3, "{seen:?}");
    let (seen, code) = on_a_terminal(command(start(Fault::None), "pubsub --msgs 100"));
    assert!(!seen.contains("\u{1b}[31;1m") && code == 0, "{seen:?}");
}
