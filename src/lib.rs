//! Dunlin: a NATS server, synchronous, one thread a core.
#![deny(unsafe_code)]

pub mod buffer;
pub mod cli;
pub mod config;
pub mod fabric;
pub mod ids;
pub mod limits;
pub mod protocol;
pub mod routing;
pub mod subject;
