//! What only a terminal sees: colours, and its whole width.

use std::fs::File;
use std::io::Read;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// What a run writes to a terminal of so many columns.
fn on_a_terminal(columns: u16, variable: (&str, &str)) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("ours");
    unlockpt(&master).expect("ours");
    tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("text");
    let end = File::options().read(true).write(true).open(&name).expect("the other end");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dunlinctl"));
    command.args(["doctor", "--connections", "100"]).env("TERM", "xterm").env_remove("NO_COLOR");
    let mut child = command.env(variable.0, variable.1).stdout(end).spawn().expect("runs");
    drop(command); // it holds the other end open
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    let mut terminal = File::from(master);
    // The kernel answers with an error when nobody holds the other end any more.
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
    }
    child.wait().expect("it ends");
    String::from_utf8(seen).expect("text")
}

/// The columns of a line, without what only paints.
fn columns(line: &str) -> usize {
    let mut parts = line.trim_end_matches('\r').split("\u{1b}[");
    let first = parts.next().map_or(0, |part| part.chars().count());
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, text)| text.chars().count())).sum::<usize>()
}

#[test]
fn verdicts_are_coloured_unless_somebody_objects() {
    assert!(on_a_terminal(80, ("LC_ALL", "C")).contains("  \u{1b}[32mgood\u{1b}[0m "));
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let seen = on_a_terminal(80, variable);
        assert!(seen.contains("  good ") && !seen.contains('\u{1b}'), "{seen:?}");
    }
}

#[test]
fn the_whole_width_is_used_and_no_more() {
    for width in [80, 120] {
        let seen = on_a_terminal(width, ("LC_ALL", "C"));
        let longest = seen.lines().map(columns).max().expect("lines");
        assert!((usize::from(width) - 12..=usize::from(width)).contains(&longest), "{longest} of {width}:\n{seen}");
    }
}
