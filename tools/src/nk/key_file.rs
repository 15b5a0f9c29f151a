//! A seed or a public key out of a file: the first line that is one. Files of credentials hold a seed too.
//!
//! Owns how much of a file is read. What is in a file is never repeated in an error. Invariant: the text is wiped.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::key::Pair;
use super::{Failure, at};

/// Bytes of a file that are looked at; the longest user of this tool is a file of credentials with its JWT.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// The pair of the seed in a file.
pub(super) fn seed(file: &Path) -> Result<Pair, Failure> {
    find(file, Pair::from_seed, "seed", |text| Pair::from_public(text).is_some().then_some("a public key"))
}

/// The public key in a file.
pub(super) fn public(file: &Path) -> Result<Pair, Failure> {
    find(file, Pair::from_public, "public key", |text| {
        Pair::from_seed(text).is_some().then_some("a seed (-inkey takes it)")
    })
}

fn find(
    file: &Path,
    decode: impl Fn(&str) -> Option<Pair>,
    wanted: &str,
    other: impl Fn(&str) -> Option<&'static str>,
) -> Result<Pair, Failure> {
    let bytes = read(file)?;
    let lines = || bytes.split(|&byte| byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()).map(str::trim);
    if let Some(pair) = lines().find_map(decode) {
        return Ok(pair);
    }
    match lines().find_map(other) {
        Some(other) => Err(at(file, format!("it holds {other}; a {wanted} is needed"))),
        None => Err(at(file, format!("no line of it is a valid {wanted}"))),
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; FILE_BYTES_MAX + 1]);
    let mut open = File::open(file).map_err(|error| at(file, error))?;
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match open.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(at(file, error)),
        }
    }
    if filled > FILE_BYTES_MAX {
        return Err(at(file, "it is too large for a key"));
    }
    bytes.truncate(filled);
    Ok(bytes)
}
