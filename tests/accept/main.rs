//! How clients come in: over IPv4 and IPv6, by name, through a proxy, through a Unix socket; and where they are told to come.
//!
//! `NATS_SERVER` names the peer, against which rows of the proxy's header are compared; where it is not set they are not.

mod addresses;
mod local;
mod proxy;
mod proxy_rows;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use dunlin::cli::{Command, parse};
use dunlin::config::Config;
use kit::{Program, Setup};

/// A server with so many cores, not yet started; the log has everything.
fn setup(cores: usize) -> Setup {
    Setup::new(&Program::Dunlin(env!("CARGO_BIN_EXE_dunlin").into()), cores).flag("-D")
}

/// The configuration that these flags mean.
fn config(flags: &[&str]) -> Config {
    match parse(flags.iter()) {
        Ok(Command::Start(start)) => start.config,
        other => panic!("these flags are right: {other:?}"),
    }
}

/// A folder that goes with its value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunlin-accept-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    /// The name of a file in it.
    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path of ours").to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
