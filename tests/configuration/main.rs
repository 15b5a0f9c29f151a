//! The declared tables of keys as a whole: the reference page that is made of them, and a corpus of files, compared with nats-server.
//!
//! - `frames`: how a file is written that has one key in its block
//! - `corpus`: the files
//! - `verdicts`: what Dunlin, and the peer where there is one, say of them
//! - `meant`: where they differ on purpose
//! - `page`: `tools/deploy/configuration.md`

#[path = "../tls/authority.rs"]
#[expect(dead_code, reason = "only the certificates of servers are needed here")]
mod authority;
mod corpus;
mod frames;
mod meant;
mod page;
mod verdicts;
