//! The `dunlin` binary: hides the secrets of its command line, and then: flags and file to a configuration, a server, an exit code.

use dunlin::cli::{self, Command};
use dunlin::config::Warning;
use dunlin::os::argv;
use dunlin::server::process;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // First of all: every other process can read them.
    let secrets = cli::secrets(arguments.get(1..).unwrap_or_default());
    let places: Vec<_> = secrets.into_iter().map(|(number, bytes)| (number + 1, bytes)).collect();
    let hidden = argv::hide(&arguments, &places);
    // A closed output is no reason to fail, hence no `println!`.
    match cli::parse(arguments.into_iter().skip(1)) {
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
            process::run(*start, hidden)
        }
        Err(error) => {
            // In one piece: a large file may have very many faults.
            let _ = std::io::stderr().write_all(format!("{error}\n").as_bytes());
            if error.wants_usage() {
                let _ = writeln!(std::io::stdout(), "{}", cli::usage());
            }
            ExitCode::FAILURE
        }
    }
}
