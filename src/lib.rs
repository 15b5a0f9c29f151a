//! Dunlin: a NATS server, synchronous, one thread a core.
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod connection;
pub mod fabric;
pub mod ids;
pub mod limits;
pub mod log;
pub mod os;
pub mod protocol;
pub mod reactor;
pub mod routing;
pub mod server;
pub mod subject;

pub use config::Config;
pub use server::Server;
