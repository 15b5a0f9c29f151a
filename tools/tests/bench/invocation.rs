//! Runs the binary and reads what it prints; finds the servers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use kit::{Program, Server, Setup};
use serde_json::Value;

/// A command that ignores the environment of whoever runs the tests.
pub(crate) fn command(address: SocketAddr, words: &str) -> Command {
    let mut command = without_server(&format!("--server nats://{address}"));
    command.args(words.split_whitespace());
    command
}

/// The same without a server.
pub(crate) fn without_server(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dunlinctl"));
    for name in [
        "NATS_URL",
        "NATS_CONTEXT",
        "NATS_USER",
        "NATS_PASSWORD",
        "NATS_TOKEN",
        "NATS_NKEY",
        "NATS_CREDS",
        "NATS_CERT",
        "NATS_KEY",
        "NATS_CA",
        "NATS_TLS_FIRST",
        "NATS_TIMEOUT",
    ] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", "no-such-folder");
    command.arg("bench").args(words.split_whitespace());
    command
}

/// An address for commands that start their own servers.
pub(crate) fn nowhere() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}

/// What a run has printed as JSON, and its exit code.
pub(crate) fn run(address: SocketAddr, words: &str) -> (Value, i32) {
    let output = command(address, words).arg("--json").output().expect("the binary runs");
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{words}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    (value, output.status.code().unwrap_or(-1))
}

/// What a run has printed for people: standard output, standard error, exit code.
pub(crate) fn text(output: &Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

/// The first workload of the first run.
pub(crate) fn workload(value: &Value) -> &Value {
    &value["runs"][0]["workloads"][0]
}

/// The server of this repository, built beside the tool.
pub(crate) fn dunlin() -> Program {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let tool = Path::new(env!("CARGO_BIN_EXE_dunlinctl"));
        let path = tool.with_file_name("dunlin");
        // Built before by the test command of the workspace, or else here.
        if !path.exists() {
            let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
            let is_release = tool.parent().is_some_and(|folder| folder.ends_with("release"));
            let profile = if is_release { "release" } else { "dev" };
            let built = Command::new(env!("CARGO"))
                .args(["build", "--bin", "dunlin", "--profile", profile, "--manifest-path", manifest])
                .status();
            assert!(built.is_ok_and(|status| status.success()), "dunlin does not build");
        }
        path
    });
    Program::Dunlin(path.clone())
}

/// Dunlin on a free port.
pub(crate) fn start_dunlin(cores: usize) -> Server {
    Setup::new(&dunlin(), cores).start()
}

/// `nats-server` where `$NATS_SERVER` or the search path says.
pub(crate) fn peer() -> Option<Program> {
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let on_path = || {
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).map(|folder| folder.join("nats-server")).find(|path| path.is_file())
    };
    named.or_else(on_path).map(Program::Peer)
}

/// Dunlin with one and with two cores, and the peer where there is one.
pub(crate) fn servers() -> Vec<(&'static str, Server)> {
    let mut servers = vec![("dunlin", start_dunlin(1)), ("dunlin on two cores", start_dunlin(2))];
    match peer() {
        Some(program) => servers.push(("nats-server", Setup::new(&program, 1).start())),
        None => eprintln!("there is no nats-server: only Dunlin is tested"),
    }
    servers
}
