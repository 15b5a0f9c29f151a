//! What is to be done with a configuration: its files, and in each the secrets with what becomes of them.
//!
//! Owns reading. Changes nothing and prints nothing. Invariants: work is bounded by the bytes read and the depth of
//! includes, as in the server; the bytes of files and the secrets in them are wiped.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dunlin::config::Place;
use dunlin::config::walk::{Entry, Scalar, walk};
use zeroize::Zeroizing;

use super::keys::{Role, role};
use crate::mkpasswd::hash::{PASSWORD_BYTES_MAX, is_hash};

/// Bytes read for one configuration, and files inside files: the server's own bounds.
const BYTES_MAX: usize = 64 << 20;
const DEPTH_MAX: usize = 32;

/// What becomes of a secret. No `Debug`, here and around it: a secret does not print.
#[derive(PartialEq, Eq)]
pub(super) enum Fate {
    /// A hash takes its place.
    Replaced(Zeroizing<Vec<u8>>),
    /// It stays; why, and what to do about it.
    Stays(String),
    /// It is a hash already.
    IsHash,
}

/// A secret.
pub(super) struct Secret {
    /// Where it is.
    pub(super) place: Place,
    /// Its keys, with dots between them.
    pub(super) name: String,
    /// Its bytes in the file, quotes included.
    pub(super) bytes: Range<usize>,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// One file.
pub(super) struct Source {
    /// As it is named in messages.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) text: Zeroizing<Vec<u8>>,
    /// Its secrets by where they begin.
    pub(super) secrets: BTreeMap<usize, Secret>,
    /// It includes others.
    pub(super) includes: bool,
    /// The variables that it uses.
    variables: HashSet<Vec<u8>>,
}

/// A file to be read, and the keys of the blocks in which it stands.
struct Visit {
    path: PathBuf,
    prefix: Vec<Vec<u8>>,
    depth: usize,
}

/// Reads a file and all that it includes; the file itself comes first.
///
/// # Errors
/// A file cannot be read or is not in the grammar, or there is too much of them.
pub(super) fn read(path: &Path) -> Result<Vec<Source>, String> {
    let mut sources: Vec<Source> = Vec::new();
    let mut positions: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut seen: HashSet<(usize, Vec<Vec<u8>>)> = HashSet::new();
    let mut bytes_left = BYTES_MAX;
    let mut visits = vec![Visit { path: path.to_owned(), prefix: Vec::new(), depth: 0 }];
    while let Some(visit) = visits.pop() {
        let name = visit.path.display();
        if visit.depth > DEPTH_MAX {
            return Err(format!("{name}: files inside files, deeper than {DEPTH_MAX}"));
        }
        let real = fs::canonicalize(&visit.path).map_err(|error| format!("{name}: {error}"))?;
        let position = match positions.get(&real) {
            Some(&position) => position,
            None => {
                sources.push(open(&visit.path, bytes_left)?);
                positions.insert(real, sources.len() - 1);
                sources.len() - 1
            }
        };
        if !seen.insert((position, visit.prefix.clone())) {
            continue;
        }
        let Some(source) = sources.get_mut(position) else { continue };
        let too_much = || format!("{name}: the configuration has more than {BYTES_MAX} bytes");
        bytes_left = bytes_left.checked_sub(source.text.len()).ok_or_else(too_much)?;
        visits.extend(look(source, &visit)?);
    }
    sources.iter_mut().for_each(keep_shared);
    Ok(sources)
}

/// What a variable takes may be needed plain where it is taken to. Variables see the keys of their own file.
fn keep_shared(source: &mut Source) {
    let Source { secrets, variables, .. } = source;
    for secret in secrets.values_mut().filter(|secret| matches!(secret.fate, Fate::Replaced(_))) {
        let key = secret.name.rsplit('.').next().unwrap_or_default();
        if variables.contains(key.as_bytes()) {
            let why = format!("${key} takes this value to another place; write it out there, and run this again");
            secret.fate = Fate::Stays(why);
        }
    }
}

fn open(path: &Path, bytes_max: usize) -> Result<Source, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let length = file.metadata().map_err(failed)?.len();
    let length = usize::try_from(length).ok().filter(|&length| length <= bytes_max);
    let Some(length) = length else { return Err(format!("{}: the file is too large", path.display())) };
    let mut text = Zeroizing::new(Vec::with_capacity(length + 1));
    let limit = u64::try_from(length).unwrap_or(u64::MAX).saturating_add(1);
    file.by_ref().take(limit).read_to_end(&mut text).map_err(failed)?;
    if text.len() != length {
        return Err(format!("{}: it is no plain file, or it changes while it is read", path.display()));
    }
    Ok(Source { path: path.to_owned(), text, secrets: BTreeMap::new(), includes: false, variables: HashSet::new() })
}

/// Finds the secrets of a file that stands in certain blocks; the files that it includes.
fn look(source: &mut Source, visit: &Visit) -> Result<Vec<Visit>, String> {
    let Source { path, text, secrets, includes, variables } = source;
    let mut inner = Vec::new();
    let walked = walk(path, text, &mut |entry| {
        if let Scalar::Variable(name) = &entry.value {
            variables.insert(name.clone());
        }
        let keys: Vec<&[u8]> = visit.prefix.iter().chain(entry.keys).map(Vec::as_slice).collect();
        if let Scalar::Include(file) = entry.value {
            *includes = true;
            let prefix = keys.iter().map(|key| key.to_vec()).collect();
            inner.push(Visit { path: file, prefix, depth: visit.depth + 1 });
        } else if let Some(role) = role(&keys) {
            let name = keys.iter().map(|key| String::from_utf8_lossy(key)).collect::<Vec<_>>().join(".");
            note(secrets, secret(role, name, entry));
        }
    });
    walked.map_err(|error| {
        let name = path.display();
        format!("{name}: {error}; 'dunlin -t -c {name}' says what is wrong there")
    })?;
    // The first include is read first.
    inner.reverse();
    Ok(inner)
}

/// A file that is included twice may stand where its secret has to be plain: that decides.
fn note(secrets: &mut BTreeMap<usize, Secret>, secret: Secret) {
    let is_plain = |secret: &Secret| matches!(secret.fate, Fate::Replaced(_));
    let is_new = secrets.get(&secret.bytes.start).is_none_or(|known| is_plain(known) && !is_plain(&secret));
    if is_new {
        secrets.insert(secret.bytes.start, secret);
    }
}

fn secret(role: Role, name: String, entry: Entry<'_>) -> Secret {
    let fate = match (entry.value, role) {
        // The name stays untold: in `password: $ecret` it is a part of the password.
        (Scalar::Variable(_), _) => Fate::Stays(
            "it is a variable; put a hash, in quotes, where it gets its value (if the '$' is a part of a password, \
             put quotes around it)"
                .into(),
        ),
        (Scalar::Text(text), _) if is_hash(&text) => {
            drop(Zeroizing::new(text));
            Fate::IsHash
        }
        (Scalar::Text(text), role) => of_text(Zeroizing::new(text), role),
        (Scalar::Include(_) | Scalar::Other(_), _) => {
            Fate::Stays("it is no text, which servers refuse; put quotes around it".into())
        }
    };
    Secret { place: entry.place, name, bytes: entry.bytes, fate }
}

fn of_text(text: Zeroizing<Vec<u8>>, role: Role) -> Fate {
    if role == Role::Sent {
        let why = "the server also sends it to other servers (to those that it learns of, or whose URL names no user), \
                   so it has to be plain; TLS with verify protects these connections without a password";
        return Fate::Stays(why.into());
    }
    if text.is_empty() {
        return Fate::Stays("it is empty, and nobody could log in with an empty password against a hash".into());
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return Fate::Stays(format!(
            "it has more than {PASSWORD_BYTES_MAX} bytes, and bcrypt looks at no more; choose a shorter one"
        ));
    }
    Fate::Replaced(text)
}
