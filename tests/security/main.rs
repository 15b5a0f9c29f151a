//! Each row of what went wrong in other servers, as a test of the real program: see README.md beside this file.
//!
//! A test's name carries the identifier of its row. Tests that flood a server are small unless `DUNLIN_STRESS=full` asks for all of it.

mod before_login;
mod command_line;
mod core_dumps;
mod deny;
mod flood;
mod reload;
mod rows;
mod secrets;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use kit::{Program, Setup};

/// The program under test.
fn program() -> Program {
    Program::Dunlin(env!("CARGO_BIN_EXE_dunlin").into())
}

/// A server with so many cores, not yet started.
fn setup(cores: usize) -> Setup {
    Setup::new(&program(), cores)
}

/// A folder that goes with its value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunlin-security-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// The name of a file in it.
    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path of ours").to_owned()
    }

    /// A file in it with this content; its name.
    fn write(&self, name: &str, content: &str) -> String {
        let file = self.file(name);
        std::fs::write(&file, content).expect("the folder is ours");
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
