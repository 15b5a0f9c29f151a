//! The `dunlin` binary: flags and file to a configuration, a server, an exit code.
fn main() {}
