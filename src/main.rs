//! The `dunlin` binary: flags and file to a configuration, a server, an exit code.

use dunlin::cli::{self, Command};
use dunlin::config::Warning;
use dunlin::server::process;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A closed output is no reason to fail, hence no `println!`.
    match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Ok(Command::Checked(text)) => {
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::SUCCESS
        }
        Ok(Command::Signal(argument)) => match dunlin::os::process::signal(&argument) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "nats-server: {}", error.to_string().trim_end());
                ExitCode::FAILURE
            }
        },
        Ok(Command::Start(start)) => {
            // The log is not open yet; notices are for it.
            for warning in start.warnings.iter().filter(|warning| matches!(warning, Warning::Usage(_))) {
                let _ = writeln!(std::io::stderr(), "{warning}");
            }
            process::run(*start)
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            if error.wants_usage() {
                let _ = writeln!(std::io::stdout(), "{}", cli::usage());
            }
            ExitCode::FAILURE
        }
    }
}
