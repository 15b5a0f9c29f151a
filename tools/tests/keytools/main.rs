//! `mkpasswd`, `nk` and `config hash` as people run them: the binary, beside the crates that clients use, and the peer.

mod config_hash;
mod invocation;
mod logins;
mod mkpasswd;
mod nk;
mod terminal;
