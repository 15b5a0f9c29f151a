//! Bytes to typed operations and back. Pure: no socket, clock, thread or atomic.

pub mod op;
