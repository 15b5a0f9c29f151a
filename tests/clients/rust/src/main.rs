//! What the Rust client does with a server: `cargo run -- SERVER [FLAG ...]`.
//!
//! Starts the server program with the flags, plays the scenarios one after the other and ends with
//! `N passed, M failed`. Nothing sleeps: every wait is for an event and has a deadline.

mod scenarios;
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
    match play(Server::new(program, arguments.collect())).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays everything; gives how many scenarios failed.
async fn play(mut server: Server) -> Result<usize, Failure> {
    server.start().await?;
    let mut failed = 0;
    for (name, outcome) in scenarios::play_all(&mut server).await {
        match outcome {
            Ok(()) => println!("ok   {name}"),
            Err(error) => {
                failed += 1;
                println!("FAIL {name}: {error}");
            }
        }
    }
    server.kill().await?;
    println!("{} passed, {failed} failed", scenarios::COUNT - failed);
    Ok(failed)
}
