//! Tables of transcripts: what a client sends and what it gets, played on one core and on several.
//!
//! `SERVER_UNDER_TEST` names another program than the one that cargo has built.

mod case;
mod play;
mod tables;

use kit::Program;

fn play(cores: usize) {
    play::play_all(&Program::under_test(env!("CARGO_BIN_EXE_dunlin")), cores, tables::ALL);
}

#[test]
fn rows_hold_on_one_core() {
    play(1);
}

#[test]
fn rows_hold_on_two_cores() {
    play(2);
}

#[test]
fn rows_hold_on_four_cores() {
    play(4);
}
