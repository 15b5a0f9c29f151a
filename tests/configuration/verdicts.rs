//! What Dunlin, and the peer where there is one, say of the files of the corpus.
//!
//! `NATS_SERVER` names the peer. The exit code of `-t` is compared and every line, in any order: the peer walks its blocks at random.

use super::authority::Authority;
use super::corpus::{self, Sample};
use super::meant::{Meant, VERDICTS, WORDS};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: usize = 4;

/// A folder of files that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dunlin-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("writable");
        let authority = Authority::new("server");
        let (certificate, key) = authority.server(&path, "frame", &["localhost"]);
        fs::rename(certificate, path.join("server.pem")).expect("writable");
        fs::rename(key, path.join("server.key")).expect("writable");
        fs::copy(authority.file(&path), path.join("ca.pem")).expect("writable");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether `-t` takes a file, and what it says, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    is_taken: bool,
    lines: Vec<String>,
}

fn ask(program: &Path, folder: &Path, file: &str) -> Verdict {
    let output = Command::new(program).args(["-t", "-c", file]).current_dir(folder).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    // The first line is whichever came first.
    for line in &mut lines {
        *line = line.trim_start_matches("nats-server: ").to_owned();
    }
    lines.sort();
    Verdict { is_taken: output.status.success(), lines }
}

/// Does `look` with every sample and the name of its file, on several threads; what it finds, by name.
fn each<T: Send>(
    folder: &Path,
    samples: &[Sample],
    look: impl Fn(&Sample, &str) -> Option<T> + Sync,
) -> BTreeMap<String, T> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (next, found, look) = (&next, &found, &look);
            scope.spawn(move || {
                let file = format!("{thread}.conf");
                while let Some(sample) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    fs::write(folder.join(&file), &sample.text).expect("writable");
                    if let Some(told) = look(sample, &file) {
                        found.lock().expect("no thread fell").insert(sample.name.clone(), told);
                    }
                }
            });
        }
    });
    found.into_inner().expect("no thread fell")
}

/// How often the peer may say something else before it differs.
const PEER_ASKED_MAX: usize = 40;

/// What the page calls right is right.
#[test]
fn every_example_and_every_default_is_taken() {
    let folder = Folder::new("examples");
    let good: Vec<Sample> = corpus::all().into_iter().filter(|sample| sample.is_good).collect();
    let dunlin = Path::new(env!("CARGO_BIN_EXE_dunlin"));
    let refused = each(&folder.0, &good, |sample, file| {
        let verdict = ask(dunlin, &folder.0, file);
        (!verdict.is_taken).then(|| format!("{}{}", sample.text, verdict.lines.join("\n")))
    });
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn the_peer_has_the_same_verdict_of_every_file() {
    let Some(peer) = std::env::var_os("NATS_SERVER").map(PathBuf::from) else {
        println!("NATS_SERVER is not set: the verdicts were not compared with the peer's");
        return;
    };
    let folder = Folder::new("verdicts");
    let samples: Vec<Sample> = corpus::all().into_iter().filter(|sample| !sample.is_own).collect();
    let dunlin = Path::new(env!("CARGO_BIN_EXE_dunlin"));
    let differ = each(&folder.0, &samples, |sample, file| {
        let ours = ask(dunlin, &folder.0, file);
        // The peer walks a block in another order each time, and the place of what is missing is where it looked last.
        let mut theirs = ask(&peer, &folder.0, file);
        for _ in 1..PEER_ASKED_MAX {
            if ours == theirs {
                return None;
            }
            theirs = ask(&peer, &folder.0, file);
        }
        (ours != theirs).then_some((sample.text.clone(), ours, theirs))
    });
    println!("{} files were compared", samples.len());
    let rows = || WORDS.iter().map(|row| (row, true)).chain(VERDICTS.iter().map(|row| (row, false)));
    let mut used = vec![false; rows().count()];
    let mut wrong = String::new();
    for (name, (text, ours, theirs)) in &differ {
        let line = theirs.lines.join("\n");
        let is_it = |(row, only_words): (&Meant, bool)| {
            (ours.is_taken == theirs.is_taken) == only_words && (row.is_it)(name, &line)
        };
        match rows().position(is_it) {
            Some(row) => used[row] = true,
            None => {
                let text = text.replace('\n', "\n  ");
                wrong += &format!("{name}\n  {text}  Dunlin: {ours:?}\n  peer:   {theirs:?}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} files differ:\n{wrong}", differ.len(), samples.len());
    for ((row, only_words), _) in rows().zip(used).filter(|(_, used)| !used) {
        // Whether the peer falls, and so its verdict, can be chance.
        assert!(!only_words, "nothing differs like this any more: {}", row.why);
        println!("the peer did not do this today: {}", row.why);
    }
}
