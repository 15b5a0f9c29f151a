//! The real program under stress: slow readers, storms, drains, resets, and a system that runs out of things.
//!
//! Quick versions run with every `cargo test`; `DUNLIN_STRESS=full` makes the storms larger. `SERVER_UNDER_TEST` names
//! another program. Random input prints its seed.

mod bad_input;
mod descriptors;
mod drain;
mod fanout;
mod frozen;
mod gone;
mod large;
mod late;
mod log_disk;
mod memory;
mod reload;
mod request_reply;
mod resets;
mod stop;
mod storm;
mod tls_flood;

use kit::{Program, Server, Setup};

/// The program under test.
fn program() -> Program {
    Program::under_test(env!("CARGO_BIN_EXE_dunlin"))
}

/// A server with nothing configured.
fn server(cores: usize) -> Server {
    Setup::new(&program(), cores).start()
}

/// `quick`, or `full` where the caller has asked for the long way.
fn size(quick: usize, full: usize) -> usize {
    if std::env::var("DUNLIN_STRESS").is_ok_and(|value| value == "full") { full } else { quick }
}
