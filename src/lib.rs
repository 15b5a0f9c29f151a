//! Dunlin: a NATS server, synchronous, one thread a core.
#![deny(unsafe_code)]

pub mod buffer;
pub mod cli;
pub mod config;
pub mod fabric;
pub mod identity;
pub mod ids;
pub mod limits;
pub mod log;
pub mod os;
pub mod protocol;
pub mod routing;
pub mod subject;
