//! Thirty-two bytes for a key: from the system, or from a file, exactly as they stand there.
//!
//! Owns the open file. Invariant: each byte of a file is used once, in order, so the same file gives the same keys.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Failure, at};

/// Bytes of a key before it is encoded.
pub(super) const RAW_BYTES: usize = 32;

/// The bytes that a key is made of; wiped when they go.
pub(super) type Raw = Zeroizing<[u8; RAW_BYTES]>;

/// Where the bytes come from.
#[derive(Debug)]
pub(super) enum Entropy {
    /// The system.
    System,
    /// A file, read without a buffer that would keep a copy.
    File {
        /// Its name.
        path: PathBuf,
        /// Where reading goes on.
        file: File,
    },
}

impl Entropy {
    /// The file, or the system where there is none.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::System) };
        let file = File::open(path).map_err(|error| at(path, error))?;
        Ok(Self::File { path: path.to_owned(), file })
    }

    /// The next bytes.
    pub(super) fn take(&mut self) -> Result<Raw, Failure> {
        let mut raw = Raw::new([0; RAW_BYTES]);
        match self {
            Self::System => crate::random::fill(&mut *raw)
                .map_err(|error| Failure::Failed(format!("the system gives no randomness: {error}")))?,
            Self::File { path, file } => file.read_exact(&mut *raw).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => at(path, format!("the file ends; each key needs {RAW_BYTES} bytes")),
                _ => at(path, error),
            })?,
        }
        Ok(raw)
    }
}
