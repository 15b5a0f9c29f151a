//! `dunlinctl mkpasswd`: made, piped and typed passwords.

use crate::invocation::{Ran, run, run_with_input};
use crate::terminal::Terminal;

const PASSWORD: &str = "correct horse battery staple";

/// The value of `name: value` lines.
pub(crate) fn line<'a>(ran: &'a Ran, name: &str) -> Option<&'a str> {
    ran.out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn is_hash_of(ran: &Ran, password: &str, cost: &str) -> bool {
    let hash = line(ran, "bcrypt hash").unwrap_or_default();
    hash.starts_with(&format!("$2a${cost}$")) && bcrypt::verify(password, hash).is_ok_and(|fits| fits)
}

#[test]
fn a_password_is_made_with_its_hash() {
    let runs = [run(["mkpasswd", "-c", "4"]), run(["mkpasswd", "--cost=4"])];
    for ran in &runs {
        let password = line(ran, "pass").expect("a password");
        assert_eq!((password.len(), ran.out.lines().count(), ran.code), (22, 2, 0), "{ran:?}");
        assert!(is_hash_of(ran, password, "04") && ran.err.is_empty(), "{ran:?}");
    }
    assert_ne!(line(&runs[0], "pass"), line(&runs[1], "pass"));
}

#[test]
fn eleven_is_the_cost_where_none_is_given() {
    let ran = run(["mkpasswd"]);
    assert!(line(&ran, "bcrypt hash").is_some_and(|hash| hash.starts_with("$2a$11$")), "{ran:?}");
}

#[test]
fn a_password_comes_through_a_pipe() {
    for input in [format!("{PASSWORD}\n"), format!("{PASSWORD}\r\nmore\n"), PASSWORD.into()] {
        let ran = run_with_input(&["mkpasswd", "-p", "-c", "4"], input.as_bytes());
        assert!(is_hash_of(&ran, PASSWORD, "04"), "{ran:?}");
        assert!(!ran.out.contains("pass:") && !ran.out.contains(PASSWORD) && ran.err.is_empty(), "{ran:?}");
    }
}

#[test]
fn what_is_no_password_is_refused_without_repeating_it() {
    for (input, expected) in [
        (b"".to_vec(), "empty"),
        (b"\n".to_vec(), "empty"),
        (b"short!\n".to_vec(), "at least 22"),
        (vec![b'x'; 73], "72 bytes"),
        (vec![b'x'; 5000], "1024 bytes"),
    ] {
        let ran = run_with_input(&["mkpasswd", "--pass", "-c", "4"], &input);
        assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains(expected), "{ran:?}");
        assert!(!ran.err.contains("short!") && !ran.err.contains("xx"), "{ran:?}");
    }
    let ran = run_with_input(&["mkpasswd", "-p", "-c", "4", "--min-length", "6"], b"short!\n");
    assert!(is_hash_of(&ran, "short!", "04"), "{ran:?}");
}

#[test]
fn flags_that_are_wrong_are_said() {
    for (words, expected) in [
        (&["mkpasswd", "-c", "3"][..], "4 to 31"),
        (&["mkpasswd", "-c", "32"], "4 to 31"),
        (&["mkpasswd", "-x"], "-x"),
        (&["mkpasswd", "hunter2"], "-p asks"),
    ] {
        let ran = run(words);
        assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains(expected), "{ran:?}");
        assert!(!ran.err.contains("hunter2"), "{ran:?}");
    }
    let ran = run(["mkpasswd", "--help"]);
    assert!(ran.code == 0 && ran.out.contains("--cost"), "{ran:?}");
}

#[test]
fn a_typed_password_is_asked_for_twice_and_never_shown() {
    let mut terminal = Terminal::start(&["mkpasswd", "-p", "-c", "4"]);
    terminal.wait_for("Enter Password: ");
    terminal.keys(PASSWORD.as_bytes());
    terminal.keys(b"!\x7f\r");
    terminal.wait_for("Reenter Password: ");
    terminal.keys(PASSWORD.as_bytes());
    terminal.keys(b"\r");
    let (ran, shown) = terminal.end();
    assert!(is_hash_of(&ran, PASSWORD, "04") && ran.code == 0, "{ran:?}");
    assert_eq!(shown, 0, "bytes that the terminal has shown");
}

#[test]
fn passwords_that_differ_are_refused() {
    let mut terminal = Terminal::start(&["mkpasswd", "-p", "-c", "4"]);
    // Typed ahead, as when both are pasted.
    terminal.wait_for("Enter Password: ");
    terminal.keys(format!("{PASSWORD}\r{PASSWORD}?\r").as_bytes());
    let (ran, shown) = terminal.end();
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("do not match"), "{ran:?}");
    assert!(!ran.err.contains(PASSWORD) && shown == 0, "{ran:?}");
}

#[test]
fn control_c_ends_it_and_the_terminal_is_as_before() {
    let mut terminal = Terminal::start(&["mkpasswd", "-p"]);
    terminal.wait_for("Enter Password: ");
    assert!(!terminal.echoes());
    terminal.keys(b"abc\x03");
    terminal.wait_for("cancelled");
    terminal.wait();
    assert!(terminal.echoes());
    assert_eq!(terminal.end().0.code, 1);
}
