//! The command line, as nats-server spells it.
//!
//! Owns flags, words, help and version texts, and what a command line asks for ([`Command`]). Starts nothing, sends no
//! signal, prints nothing: `main` does. Files are read here only to check or to resolve a configuration.
//!
//! - `flags`: the one table of flags
//! - `args`: how flags and values are written (one dash or two, `=` or blank)
//! - `named`: values of flags that stand in a file or the environment; `again`: read once more for a reload
//! - `hidden`: which bytes of a command line are secrets
//! - `help`: the texts of `-h`, `-v` and `--help_tls`

mod again;
mod args;
mod flags;
mod help;
mod hidden;
mod named;

pub use again::named_again;
pub use help::{usage, version};
pub use hidden::{Place, secrets};

use crate::config::{self, Config, ConfigError, ConfigErrors, FileErrors, Origin, RawConfig, Warning};
use crate::tls::TlsSettings;
use args::{Asked, BadFlag};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The name under which messages are told: tools look for the peer's.
const PROGRAM: &str = "nats-server";

/// What a command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Start a server.
    Start(Box<Start>),
    /// Print this to standard output and end well: help, version.
    Print(String),
    /// Print this to standard error and end well: the file is valid.
    Checked(String),
    /// Send a signal to a running server: `signal` or `signal=target`, as `os::process::signal` takes it.
    Signal(String),
}

/// What to start.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// What to tell the user.
    pub warnings: Vec<Warning>,
    /// The flags alone: a reload puts them over the file again.
    pub flags: RawConfig,
}

/// Why a command line asks for nothing that can be done. The exit code is 1.
#[derive(Debug)]
pub enum CliError {
    /// A flag or its value is wrong; the usage follows on standard output.
    Flag(String),
    /// Something else is wrong: a line for standard error.
    Refused(String),
    /// The configuration file is wrong.
    File(FileErrors),
    /// The settings are wrong; those of a file that are only complained about come first.
    Settings {
        /// Printed before.
        warnings: Vec<Warning>,
        /// What is wrong.
        errors: ConfigErrors,
    },
}

impl CliError {
    /// Whether the usage is to be printed to standard output.
    pub fn wants_usage(&self) -> bool {
        matches!(self, Self::Flag(_))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(text) => f.write_str(text),
            Self::Refused(text) => write!(f, "{PROGRAM}: {text}"),
            Self::File(errors) => write!(f, "{PROGRAM}: {errors}"),
            Self::Settings { warnings, errors } => {
                for warning in warnings.iter().filter(|warning| matches!(warning, Warning::Usage(_))) {
                    writeln!(f, "{warning}")?;
                }
                for (at, error) in errors.0.iter().enumerate() {
                    let line_end = if at == 0 { "" } else { "\n" };
                    match error {
                        ConfigError::Fatal(text) => write!(f, "{line_end}[{}] [FTL] {text}", std::process::id())?,
                        _ => write!(f, "{line_end}{PROGRAM}: {error}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for CliError {}

impl From<BadFlag> for CliError {
    fn from(bad: BadFlag) -> Self {
        Self::Flag(bad.0)
    }
}

/// What the arguments (without the program's name) ask for.
///
/// ```
/// use dunlin::cli::{Command, parse};
///
/// let Ok(Command::Start(start)) = parse(["-p", "-1", "--name=here"]) else { panic!("these flags are right") };
/// assert_eq!(start.config.server_name, "here");
/// ```
///
/// # Errors
/// Flags, values, files and settings that are wrong.
pub fn parse<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Result<Command, CliError> {
    let asked = args::read(arguments.into_iter().map(Into::into))?;
    if asked.version {
        return Ok(Command::Print(version()));
    }
    if asked.help {
        return Ok(Command::Print(usage()));
    }
    if asked.help_tls {
        return Ok(Command::Print(help::tls()));
    }
    if let Some(word) = asked.words.first() {
        return match word.to_ascii_lowercase().as_str() {
            "version" => Ok(Command::Print(version())),
            "help" => Ok(Command::Print(usage())),
            _ => Err(CliError::Refused(format!("unrecognized command: \"{word}\""))),
        };
    }
    if asked.test {
        return check(asked.config_file.as_deref());
    }
    if let Some(text) = asked.signal.as_deref().filter(|text| !text.is_empty()) {
        return Ok(Command::Signal(text.to_owned()));
    }
    let Asked { flags, config_file, .. } = asked;
    let (config, warnings) = configuration(config_file.as_deref(), &flags)?;
    Ok(Command::Start(Box::new(Start { config, warnings, flags })))
}

/// The settings of a server's flags, and the file that they name: for tools that take the same flags.
///
/// # Errors
/// Flags or values that are wrong, words that are no flags, and flags that ask for something else than a server.
pub fn flags<A: Into<OsString>>(
    arguments: impl IntoIterator<Item = A>,
) -> Result<(RawConfig, Option<PathBuf>), CliError> {
    let asked = args::read(arguments.into_iter().map(Into::into))?;
    if let Some(word) = asked.words.first() {
        return Err(CliError::Flag(format!("unexpected word {word:?}")));
    }
    if asked.version || asked.help || asked.help_tls || asked.test || asked.signal.is_some() {
        return Err(CliError::Flag("-h, -v, -t, -sl and --help_tls are for the server alone".into()));
    }
    Ok((asked.flags, asked.config_file))
}

/// The configuration of a file under these flags: at start, and again at each reload.
///
/// # Errors
/// All that is wrong with the file or the settings.
pub fn configuration(file: Option<&Path>, flags: &RawConfig) -> Result<(Config, Vec<Warning>), CliError> {
    let from_file = match file {
        Some(path) => config::read_file(path).map_err(CliError::File)?,
        None => RawConfig::default(),
    };
    let raw = flags.clone().over(from_file);
    let warnings = raw.warnings.clone();
    let place = tls_place(&raw);
    let resolved = raw.resolve().map_err(|errors| CliError::Settings { warnings, errors })?;
    check_tls(&resolved.0, &place)?;
    Ok(resolved)
}

/// Where TLS was configured, as it begins a complaint.
fn tls_place(raw: &RawConfig) -> String {
    match raw.tls.as_ref().map(|tls| &tls.origin) {
        Some(origin @ Origin::File(_)) => format!("{origin}: "),
        _ => String::new(),
    }
}

/// Whether the files that TLS needs can be used: said before anything starts.
fn check_tls(config: &Config, place: &str) -> Result<(), CliError> {
    let Some(tls) = &config.tls else { return Ok(()) };
    TlsSettings::load(tls).map(drop).map_err(|error| CliError::Refused(format!("{place}{error}")))
}

/// The names of nats-server's flags whose features are there.
#[cfg(test)]
pub(crate) fn peer_flags() -> impl Iterator<Item = &'static str> {
    flags::FLAGS.iter().filter(|flag| !flag.is_later()).flat_map(|flag| flag.names.iter().copied())
}

/// `-t`: whether the file is valid. What is only complained about at start counts here.
fn check(file: Option<&Path>) -> Result<Command, CliError> {
    let Some(path) = file else {
        return Err(CliError::Refused("must specify [-c, --config] option to check configuration file syntax".into()));
    };
    let raw = config::read_file(path).map_err(CliError::File)?;
    let complaints: Vec<String> = raw
        .warnings
        .iter()
        .filter_map(|warning| match warning {
            Warning::Usage(text) => Some(text.clone()),
            Warning::Notice(_) => None,
        })
        .collect();
    if !complaints.is_empty() {
        return Err(CliError::File(FileErrors::Keys(complaints)));
    }
    let (place, digest) = (tls_place(&raw), raw.digest.clone().unwrap_or_default());
    // What else is wrong shows at the start, as on the peer.
    if let Ok((config, _)) = raw.resolve() {
        check_tls(&config, &place)?;
    }
    Ok(Command::Checked(format!("{PROGRAM}: configuration file {} is valid ({digest})", PathBuf::from(path).display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(arguments: &[&str]) -> String {
        match parse(arguments) {
            Err(error) => error.to_string(),
            Ok(command) => panic!("{arguments:?} gave {command:?}"),
        }
    }

    #[test]
    fn words_and_flags_ask_for_texts() {
        for arguments in
            [&["-v"][..], &["--version"], &["version"], &["VERSION", "-zz"], &["-v", "-h"], &["--", "version"]]
        {
            assert!(matches!(parse(arguments), Ok(Command::Print(text)) if text == version()), "{arguments:?}");
        }
        for arguments in [&["-h"][..], &["-help"], &["--help"], &["help"], &["-h", "frob"]] {
            assert!(matches!(parse(arguments), Ok(Command::Print(text)) if text == usage()), "{arguments:?}");
        }
    }

    #[test]
    fn refusals_have_their_words() {
        for (arguments, expected) in [
            (&["frobnicate"][..], "nats-server: unrecognized command: \"frobnicate\""),
            (&["-T", "false"], "nats-server: unrecognized command: \"false\""),
            (&["-t"], "nats-server: must specify [-c, --config] option to check configuration file syntax"),
            (&["-t", "-c", "no/such"], "nats-server: open no/such: no such file or directory"),
            (&["-c", "no/such"], "nats-server: open no/such: no such file or directory"),
            (&["-n", "a b"], "nats-server: server name cannot contain spaces"),
            (&["--zz"], "flag provided but not defined: -zz"),
        ] {
            assert_eq!(refusal(arguments), expected);
        }
    }

    /// What a flag of a feature to come was given may be a secret: only its name is told.
    #[test]
    fn features_to_come_are_refused_by_name() {
        for arguments in [&["--cluster=nats://u:hunter2@a:1"][..], &["--routes", "nats://u:hunter2@a:1"], &["-js"]] {
            let name = arguments[0].split('=').next().unwrap_or_default();
            assert_eq!(refusal(arguments), format!("nats-server: \"{name}\" is not supported yet"));
        }
        for arguments in [&["-m", "0"][..], &["--tls=false"], &["--pass", ""], &["-js=0"]] {
            assert!(matches!(parse(arguments), Ok(Command::Start(_))), "{arguments:?} ask for nothing");
        }
    }

    #[test]
    fn own_flags_reach_the_configuration() {
        let flags = ["--cores", "0-1", "-no_pin", "--accept=reuseport", "--spin_us", "5", "--match_cache", "0"];
        let Ok(Command::Start(start)) = parse(flags) else { panic!("these flags are right") };
        let cores = &start.config.cores;
        assert_eq!(cores.choice, config::CoreChoice::Cpus(vec![0, 1]));
        assert_eq!((cores.pin, cores.accept), (false, config::AcceptMode::ReusePort));
        assert_eq!((cores.spin.as_micros(), cores.match_cache_entries), (5, 0));
    }
}
