//! `dunlinctl`: tools around a NATS server, each a subcommand with a folder of its own.
//!
//! Owns the first word of the command line and the exit code. What a tool does, and its own flags, are its own.

mod bench;
mod command_line;
mod config;
mod doctor;
mod mkpasswd;
mod monitoring;
mod nk;
mod probe;
mod random;
mod rtt;
mod server_check;
mod tool;
mod top;

use std::process::ExitCode;

use command_line::Action;

/// The exit code of a command line that cannot be understood.
const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    match command_line::parse(std::env::args_os(), tool::TOOLS) {
        Ok(Action::Help) => {
            print!("{}", command_line::help(tool::TOOLS));
            ExitCode::SUCCESS
        }
        Ok(Action::Version) => {
            println!("dunlinctl: v{}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Action::Run(tool, arguments)) => (tool.run)(arguments),
        Err(error) => {
            eprintln!("dunlinctl: {error}");
            eprintln!("Try 'dunlinctl --help'.");
            ExitCode::from(USAGE_ERROR)
        }
    }
}
