//! The server of this repository, and servers on a file of a test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use kit::{Program, Server, Setup};

use crate::invocation::Ran;

/// The server beside the tool; cargo has built it for the tests of the whole workspace, not for those of this package alone.
pub(crate) fn dunlin() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let tool = Path::new(env!("CARGO_BIN_EXE_dunlinctl"));
        let path = tool.with_file_name("dunlin");
        if !path.exists() {
            let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
            let is_release = tool.parent().is_some_and(|folder| folder.ends_with("release"));
            let profile = if is_release { "release" } else { "dev" };
            let words = ["build", "--bin", "dunlin", "--profile", profile, "--manifest-path", manifest];
            let built = Command::new(env!("CARGO")).args(words).status();
            assert!(built.is_ok_and(|status| status.success()), "dunlin does not build");
        }
        path
    });
    path.clone()
}

/// `-t` of a server.
pub(crate) fn test_of(program: &Path, file: &str) -> Ran {
    let mut command = Command::new(program);
    command.args(["-t", "-c", file]).stdin(Stdio::null());
    command.output().expect("the binary runs").into()
}

/// Dunlin on a file that stays where it is.
pub(crate) fn start(file: &str) -> Server {
    Setup::new(&Program::Dunlin(dunlin()), 1).flag("-c").flag(file).start()
}
