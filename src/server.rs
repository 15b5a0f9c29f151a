//! The process: starts, watches and stops the cores.

/// A running server.
#[derive(Debug)]
pub struct Server;
