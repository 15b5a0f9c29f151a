//! TLS, by a server of the library and clients of rustls: who speaks first, what is agreed on, who is let in, and bytes both ways.
//!
//! Certificates are made anew by each test. Nothing here waits for time to pass, except where a deadline of the server is what is
//! tested.

mod authority;
mod client;
mod data;
mod first;
mod garbage;
mod reload;
mod resume;
mod verify;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use authority::Authority;
use dunlin::Server;
use dunlin::cli::{Command, parse};
use dunlin::config::Config;
use dunlin::config::security::Tls;
use dunlin::reactor::stats::Stats;

/// A folder that goes with its value: certificates and the log of a server.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunlin-tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// What the server has said; all of it once the server is gone.
    fn log(&self) -> String {
        fs::read_to_string(self.0.join("log")).unwrap_or_default()
    }

    /// Loopback, any port, so many cores, all lines, and this block.
    fn config(&self, cores: &str, tls: Tls) -> Config {
        let log = self.0.join("log");
        let log = log.to_str().expect("a path of ours");
        match parse(["-a", "127.0.0.1", "-p", "-1", "--cores", cores, "-D", "-l", log]) {
            Ok(Command::Start(start)) => Config { tls: Some(tls), ..start.config },
            other => panic!("these flags are right: {other:?}"),
        }
    }

    fn start(&self, tls: Tls) -> Server {
        Server::start(self.config("2", tls)).expect("it starts")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An authority, a server's certificate of it, and a block that names both.
struct Setting {
    folder: Folder,
    authority: Authority,
    tls: Tls,
}

impl Setting {
    fn new() -> Self {
        let folder = Folder::new();
        let authority = Authority::new("test");
        let pair = authority.server(folder.path(), "server", &["localhost"]);
        let tls = Tls { certificates: vec![pair], ca_file: Some(authority.file(folder.path())), ..Tls::default() };
        Self { folder, authority, tls }
    }

    fn start(&self) -> Server {
        self.folder.start(self.tls.clone())
    }

    /// Ends the server; its log.
    fn end(&self, server: Server) -> String {
        drop(server);
        self.folder.log()
    }
}

/// The sum of one counter over the cores.
fn counted(server: &Server, counter: fn(&Stats) -> u64) -> u64 {
    server.stats().iter().map(counter).sum()
}
