//! A file under the flags of a server, resolved; or what `config check` says of it.
//!
//! Owns the refusal that the subcommands have in common, which need a configuration that is right.

use std::path::Path;

use dunlin::cli;
use dunlin::config::{Config, RawConfig, read_file};

use super::check;
use super::colour::Paint;

/// What was written, and what it comes to.
pub(super) struct Resolved {
    /// Flags over the file.
    pub(super) raw: RawConfig,
    /// The configuration.
    pub(super) config: Config,
}

/// Resolves a file.
///
/// # Errors
/// The report of `config check`, for people.
pub(super) fn resolve(file: &Path, flags: &RawConfig) -> Result<Resolved, String> {
    match (cli::configuration(Some(file), flags), read_file(file)) {
        (Ok((config, _)), Ok(raw)) => Ok(Resolved { raw: flags.clone().over(raw), config }),
        _ => Err(check::report(file, flags, Paint::of_stderr())),
    }
}
