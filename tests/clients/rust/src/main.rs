//! What the Rust client does with a server: `cargo run -- SERVER [FLAG ...]`.
//!
//! Starts the server program with the flags, plays the scenarios one after the other and ends with
//! `N passed, M failed`. Nothing sleeps: every wait is for an event and has a deadline.

mod scenarios;
mod security;
mod server;

use std::process::ExitCode;

use server::Server;

/// What a scenario fails with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: dunlin-client-scenarios SERVER [FLAG ...]");
        return ExitCode::FAILURE;
    };
    match play(program, arguments.collect()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays everything; gives how many scenarios failed.
async fn play(program: String, flags: Vec<String>) -> Result<usize, Failure> {
    let mut server = Server::new(program.clone(), flags.clone());
    server.start().await?;
    let mut failed = report(scenarios::play_all(&mut server).await);
    server.kill().await?;
    failed += report(security::play_all(&program, &flags).await?);
    println!("{} passed, {failed} failed", scenarios::COUNT + security::COUNT - failed);
    Ok(failed)
}

/// Says how each went; gives how many failed.
fn report<const COUNT: usize>(outcomes: [(&'static str, scenarios::Outcome); COUNT]) -> usize {
    let mut failed = 0;
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) => println!("ok   {name}"),
            Err(error) => {
                failed += 1;
                println!("FAIL {name}: {error}");
            }
        }
    }
    failed
}
