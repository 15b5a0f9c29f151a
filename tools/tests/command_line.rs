//! The program as a user meets it: what it prints where, and its exit code.

use std::process::{Command, Output};

fn dunlinctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dunlinctl")).args(arguments).output().expect("the program runs")
}

#[test]
fn help_goes_to_standard_output() {
    let output = dunlinctl(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"Usage: dunlinctl <tool>"));
    assert!(output.stderr.is_empty());
}

#[test]
fn version_is_one_line() {
    let output = dunlinctl(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("dunlinctl: v{}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_tool_is_an_error() {
    let output = dunlinctl(&["no-such-tool"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no tool 'no-such-tool'"));
}
