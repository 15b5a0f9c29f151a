//! `dunlinctl nk`: keys and signatures, with the flags and outputs of the NATS project's `nk`.
//!
//! ```text
//! flags.rs      the command line, as Go programs read one
//! entropy.rs    32 bytes a key, from the system or from a file
//! key.rs        kinds of keys; a pair that signs, or a curve pair that does not
//! key_file.rs   a seed or a public key out of a file
//! signature.rs  signing and verifying files
//! vanity.rs     a public key with a wished beginning, searched with all cores
//! ```
//!
//! Owns which of the flags decides, and what is printed. Seeds go to standard output where they are asked for, and
//! nowhere else. Invariant: every buffer of ours that holds a seed is wiped.

mod entropy;
mod flags;
mod key;
mod key_file;
mod signature;
mod vanity;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::USAGE_ERROR;
use entropy::Entropy;
use flags::{Asked, Flags};
use key::{Kind, Pair};

const HELP: &str = "\
Makes keys, signs and verifies; the flags are those of the NATS project's nk.

Usage: dunlinctl nk [options]

    -gen <type>       Make a key: user, account, server, cluster, operator, curve or x25519
    -pubout           Print the public key, with -gen or with -inkey
    -sign <file>      Sign <file> with -inkey <keyfile>
    -verify <file>    Verify <file> with -inkey <keyfile> or -pubin <public>, and -sigfile <file>
    -inkey <file>     The file of a seed (also of credentials)
    -pubin <file>     The file of a public key
    -sigfile <file>   The file of a signature
    -e <file>         The first 32 bytes of <file> are the key that -gen makes: same file, same key
    -pre <vanity>     With -gen: a public key that goes on so after its first letter, found with all cores
    -maxpre <N>       Give up after so many keys (default 10000000)
    -v                Show version
    -h                Show this message

Options may begin with one dash or with two.
";

/// Why a run failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The command line does not say what to do.
    Usage(String),
    /// It could not be done.
    Failed(String),
}

/// Runs the tool.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let result = match flags::parse(arguments) {
        Ok(Asked::Help) => say(HELP),
        Ok(Asked::Version) => say(&format!("nk version {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Asked::Run(flags)) => work(&flags),
        Err(error) => Err(Failure::Usage(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(error)) => {
            eprintln!("dunlinctl nk: {error}");
            ExitCode::FAILURE
        }
        Err(Failure::Usage(error)) => {
            eprintln!("dunlinctl nk: {error}");
            eprintln!("Try 'dunlinctl nk --help'.");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// The first of these that is asked for is done: make, sign, verify, show.
fn work(flags: &Flags) -> Result<(), Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.into()));
    if let Some(name) = &flags.generate {
        return generate(flags, name);
    }
    if flags.entropy.is_some() {
        return usage("-e is of use when a key is made: add -gen");
    }
    if flags.prefix.is_some() {
        return usage("-pre is of use when a key is made: add -gen");
    }
    if let Some(file) = &flags.sign {
        let Some(key) = &flags.input_key else { return usage("-sign needs a seed: add -inkey <file>") };
        return say(&format!("{}\n", signature::sign(file, &key_file::seed(key)?)?));
    }
    if let Some(file) = &flags.verify {
        let pair = match (&flags.input_key, &flags.public_key) {
            (Some(key), _) => key_file::seed(key)?,
            (None, Some(key)) => key_file::public(key)?,
            (None, None) => return usage("-verify needs a key: add -inkey <file> or -pubin <file>"),
        };
        let Some(signature) = &flags.signature else {
            return usage("-verify needs a signature: add -sigfile <file>");
        };
        signature::verify(file, &pair, signature)?;
        return say("Verified OK\n");
    }
    match &flags.input_key {
        Some(key) if flags.public_out => say(&format!("{}\n", key_file::seed(key)?.public_key())),
        Some(_) => usage("-inkey alone asks for nothing: add -pubout, -sign or -verify"),
        None => usage("nothing is asked for: add -gen, -sign, -verify, or -inkey with -pubout"),
    }
}

fn generate(flags: &Flags, name: &str) -> Result<(), Failure> {
    let kind = Kind::named(name).map_err(Failure::Usage)?;
    let mut entropy = Entropy::open(flags.entropy.as_deref())?;
    let pair = match &flags.prefix {
        Some(wish) => vanity::search(kind, wish, flags.prefix_attempts, entropy)?,
        None => Pair::new(kind, &entropy.take()?)?,
    };
    say(&Zeroizing::new(format!("{}\n", *pair.seed()?)))?;
    if flags.public_out || flags.prefix.is_some() {
        say(&format!("{}\n", pair.public_key()))?;
    }
    Ok(())
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::Failed(format!("standard output: {error}")))
}

/// A failure that has to do with a file.
fn at(file: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("{}: {error}", file.display()))
}
