//! Bytes to typed operations and back.
//!
//! `parser` (with `parser_fast` and `control_line`) reads what clients say, `handshake` the bodies of INFO and CONNECT,
//! `headers` the block before a payload, `proxy_header` what a proxy says before its client does; `encoder` writes what the
//! server says, `error` and `violation` hold the words for refusals.
//! Pure: no socket, clock, thread or atomic; nothing that a peer sends can make it panic.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

mod connect_body;
pub mod control_line;
pub mod encoder;
pub mod error;
pub mod handshake;
pub mod headers;
pub mod op;
pub mod parser;
#[cfg(test)]
mod parser_cut_tests;
mod parser_fast;
#[cfg(test)]
mod parser_tests;
pub mod proxy_header;
#[cfg(test)]
mod proxy_header_tests;
pub mod violation;

pub use error::ProtocolError;
pub use op::{ClientOp, Publish};
pub use parser::{Parsed, Parser, ParserLimits};
pub use violation::Violation;
