//! `dunlinctl`: tools around a NATS server.
fn main() {}
