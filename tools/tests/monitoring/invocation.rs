//! Runs the binary, without the environment of whoever runs the tests.

use std::process::Command;

/// Standard output, standard error and exit code of `dunlinctl` with these words.
pub(crate) fn run(words: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dunlinctl"));
    for name in std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("NATS_")) {
        command.env_remove(name);
    }
    let output = command.args(words.split_whitespace()).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

/// One check: what it prints, and its exit code.
pub(crate) fn check(words: &str) -> (String, i32) {
    let (out, _, code) = run(&format!("server check {words}"));
    (out, code)
}
