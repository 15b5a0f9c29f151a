//! Monitoring pages of a real server: what they say, how they take abuse, who may see them, and the same beside nats-server.

mod abuse;
mod browser;
mod logins;
mod own;
mod pages;
mod peer;
mod prometheus;
mod secure;

use kit::{Program, Server, Setup};

/// The server under test.
fn program() -> Program {
    Program::under_test(env!("CARGO_BIN_EXE_dunlin"))
}

/// A server with pages on any free port.
fn setup(cores: usize) -> Setup {
    Setup::new(&program(), cores).flag("-m").flag("-1")
}

fn start(cores: usize) -> Server {
    setup(cores).start()
}
