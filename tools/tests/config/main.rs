//! `dunlinctl config check`, `explain`, `diff` and `strip` as people run them: the binary, beside the server, the peer and a terminal.

mod check;
mod diff;
mod explain;
#[expect(dead_code, reason = "shared with the tests of keys, which use all of it")]
#[path = "../keytools/invocation.rs"]
mod invocation;
mod newcomer;
mod programs;
mod pty;
mod secrets;
mod strip;
#[expect(dead_code, reason = "shared with the tests of top, which use all of it")]
#[path = "../monitoring/tmux.rs"]
mod tmux;
