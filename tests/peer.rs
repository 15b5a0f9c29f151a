//! The same tables against nats-server, so that a row is known to be right before Dunlin is measured by it.
//!
//! `NATS_SERVER` names the program. Where it is not set there is nothing to compare with, and the test says so.

#[path = "transcripts/case.rs"]
mod case;
#[path = "transcripts/play.rs"]
mod play;
#[path = "transcripts/tables/mod.rs"]
mod tables;

use kit::Program;

#[test]
fn the_peer_agrees_with_every_row() {
    let Some(path) = std::env::var_os("NATS_SERVER") else {
        println!("NATS_SERVER is not set: the rows were not compared with the peer");
        return;
    };
    play::play_all(&Program::Peer(path.into()), 1, tables::ALL);
}
