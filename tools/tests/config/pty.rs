//! Standard output on a terminal: colours come, and go where they are not wanted.

use std::fs::OpenOptions;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::invocation::{Folder, command, run};

/// What the binary prints where its standard output is a terminal.
fn on_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&user).expect("ours");
    unlockpt(&user).expect("ours");
    let name = ptsname(&user, Vec::new()).expect("a name").into_string().expect("text");
    let program = OpenOptions::new().read(true).write(true).open(name).expect("ours");
    let mut command = command(arguments);
    command.env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(program).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary runs");
    // Our copy of the program's side goes, so that the end of the program ends the terminal.
    drop(command);
    let mut shown = Vec::new();
    // The end of a terminal is an error of its own.
    let _ended = std::fs::File::from(user).read_to_end(&mut shown);
    child.wait().expect("it ends");
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn colours_are_for_terminals_and_for_who_wants_them() {
    let folder = Folder::new();
    let wrong = folder.file("wrong.conf", "prot: 1\n");
    let right = folder.file("right.conf", "port: 1\n");
    let other = folder.file("other.conf", "port: 2\n");
    for words in [
        &["config", "check", &wrong][..],
        &["config", "check", &right],
        &["config", "explain", &right],
        &["config", "diff", &right, &other],
    ] {
        assert!(on_terminal(words, &[]).contains("\x1b["), "{words:?}");
        for quiet in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = on_terminal(words, &[quiet]);
            assert!(!shown.contains('\x1b') && !shown.is_empty(), "{words:?} {quiet:?}: {shown:?}");
        }
        // NO_COLOR counts where it says something.
        assert!(on_terminal(words, &[("NO_COLOR", "")]).contains("\x1b["), "{words:?}");
        let piped = run(words);
        assert!(!piped.out.contains('\x1b') && !piped.err.contains('\x1b'), "{piped:?}");
    }
}
