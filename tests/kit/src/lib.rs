//! What the tests of this repository share: servers that are started and ended, clients that speak raw protocol.
//!
//! Owns no expectations: a test says what must come. Every wait has a deadline, no port is fixed, and a server that a
//! test has started ends with the value that stands for it.

mod client;
mod log;
mod process;
mod server;
mod wait;

pub use client::{Client, Message};
pub use log::Log;
pub use process::{open_files_max, resident_bytes, run_to_end};
pub use server::{Program, Server, Setup};
pub use wait::{DEADLINE, until};
