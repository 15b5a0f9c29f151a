//! The text of a file with hashes in the place of secrets, and the proof that nothing else has changed.
//!
//! Owns the making of hashes, with all cores. Reads and writes no files. Invariant: a text that comes out of here reads,
//! value by value, like the one before, except for the secrets that were replaced.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use dunlin::config::walk::{Scalar, walk};
use zeroize::Zeroizing;

use super::plan::{Fate, Source};
use crate::mkpasswd::hash::hash;

/// Hashes by where in the file their secrets begin.
type Hashes = BTreeMap<usize, String>;

/// The new text of a file.
///
/// # Errors
/// The system has no randomness, or the new text does not read as it should.
pub(super) fn rewrite(source: &Source, cost: u32) -> Result<Zeroizing<Vec<u8>>, String> {
    let hashes = hashes(source, cost)?;
    let text = with(source, &hashes);
    if !reads_alike(source, &hashes, &text) {
        return Err(format!(
            "{}: the new text does not read like the old one, so nothing is written; this is a fault of this tool",
            source.path.display()
        ));
    }
    Ok(text)
}

/// A hash for each secret that is replaced; each takes long by design, so all cores make them.
fn hashes(source: &Source, cost: u32) -> Result<Hashes, String> {
    let plain = source.secrets.values().filter_map(|secret| match &secret.fate {
        Fate::Replaced(plain) => Some((secret.bytes.start, plain)),
        Fate::Stays(_) | Fate::IsHash => None,
    });
    let waiting = Mutex::new(plain);
    let made: Mutex<Result<Hashes, String>> = Mutex::new(Ok(Hashes::new()));
    let work = || {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((start, plain)) = next else { return };
            let hash = hash(plain, cost);
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            match (hash, made.as_mut()) {
                (Ok(hash), Ok(hashes)) => _ = hashes.insert(start, hash),
                (Err(error), Ok(_)) => *made = Err(error),
                (_, Err(_)) => return,
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(source.secrets.len());
    thread::scope(|scope| (0..workers).for_each(|_| _ = scope.spawn(work)));
    made.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The text with each hash, in quotes, in the place of its secret. The characters of hashes need no escapes.
fn with(source: &Source, hashes: &Hashes) -> Zeroizing<Vec<u8>> {
    let room = source.text.len() + hashes.values().map(|hash| hash.len() + 2).sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let mut copied = 0;
    for (start, hash) in hashes {
        let Some(secret) = source.secrets.get(start) else { continue };
        text.extend_from_slice(source.text.get(copied..secret.bytes.start).unwrap_or_default());
        text.push(b'"');
        text.extend_from_slice(hash.as_bytes());
        text.push(b'"');
        copied = secret.bytes.end;
    }
    text.extend_from_slice(source.text.get(copied..).unwrap_or_default());
    text
}

fn reads_alike(source: &Source, hashes: &Hashes, text: &[u8]) -> bool {
    let expected = fingerprints(&source.path, &source.text, |start| hashes.get(&start));
    let got = fingerprints(&source.path, text, |_| None);
    expected.is_some() && expected == got
}

/// A number for each value with its keys, in order; some values stand for others.
fn fingerprints<'a>(path: &Path, text: &[u8], replaced: impl Fn(usize) -> Option<&'a String>) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    walk(path, text, &mut |entry| {
        let value = match replaced(entry.bytes.start) {
            Some(hash) => Scalar::Text(hash.clone().into_bytes()),
            None => entry.value,
        };
        let mut hasher = DefaultHasher::new();
        (entry.keys, &value).hash(&mut hasher);
        numbers.push(hasher.finish());
        if let Scalar::Text(text) = value {
            drop(Zeroizing::new(text));
        }
    })
    .ok()?;
    Some(numbers)
}
