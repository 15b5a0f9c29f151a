//! What a server writes to its standard error, line by line, as it comes.
//!
//! Invariant: at most `LINES_MAX` lines are kept; the oldest go first.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Lines kept. What is older is forgotten: no test waits that long for one.
const LINES_MAX: usize = 100_000;

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    forgotten: usize,
    ended: bool,
}

/// The output of one server, filled by a thread of its own.
#[derive(Clone, Debug)]
pub struct Log {
    kept: Arc<(Mutex<Kept>, Condvar)>,
}

impl Log {
    /// Reads `source` to its end in the background.
    pub fn follow(source: impl Read + Send + 'static) -> Self {
        let log = Self { kept: Arc::default() };
        let kept = Arc::clone(&log.kept);
        std::thread::spawn(move || {
            for line in BufReader::new(source).split(b'\n') {
                let Ok(line) = line else { break };
                push(&kept, String::from_utf8_lossy(&line).into_owned());
            }
            kept.0.lock().expect("no reader panics").ended = true;
            kept.1.notify_all();
        });
        log
    }

    /// How many lines there have been so far, for [`Log::find_after`].
    pub fn mark(&self) -> usize {
        let kept = self.kept.0.lock().expect("no reader panics");
        kept.forgotten + kept.lines.len()
    }

    /// The first line that `wanted` accepts; waits for it, and gives up when the output ends or time is up.
    pub fn find(&self, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.find_after(0, limit, wanted)
    }

    /// The same, among the lines after `mark`.
    pub fn find_after(&self, mark: usize, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let end = Instant::now() + limit;
        let mut seen = mark;
        let mut kept = self.kept.0.lock().expect("no reader panics");
        loop {
            let start = seen.max(kept.forgotten);
            if let Some(line) = kept.lines.range(start - kept.forgotten..).find(|line| wanted(line)) {
                return Some(line.clone());
            }
            seen = kept.forgotten + kept.lines.len();
            let left = end.saturating_duration_since(Instant::now());
            if kept.ended || left.is_zero() {
                return None;
            }
            kept = self.kept.1.wait_timeout(kept, left).expect("no reader panics").0;
        }
    }

    /// The first of the lines so far, after `mark`, that `wanted` accepts, and a mark behind it. Waits for nothing.
    pub fn look_after(&self, mark: usize, wanted: impl Fn(&str) -> bool) -> Option<(String, usize)> {
        let kept = self.kept.0.lock().expect("no reader panics");
        let start = mark.max(kept.forgotten);
        let at = kept.lines.iter().skip(start - kept.forgotten).position(|line| wanted(line))?;
        let line = kept.lines.get(start - kept.forgotten + at)?.clone();
        Some((line, start + at + 1))
    }

    /// How many of the lines so far contain `text`.
    pub fn count(&self, text: &str) -> usize {
        let kept = self.kept.0.lock().expect("no reader panics");
        kept.lines.iter().filter(|line| line.contains(text)).count()
    }

    /// The last lines, for the message of a failed test.
    pub fn tail(&self) -> String {
        let kept = self.kept.0.lock().expect("no reader panics");
        let skip = kept.lines.len().saturating_sub(20);
        kept.lines.iter().skip(skip).cloned().collect::<Vec<_>>().join("\n")
    }
}

fn push(kept: &(Mutex<Kept>, Condvar), line: String) {
    let mut inner = kept.0.lock().expect("no reader panics");
    if inner.lines.len() == LINES_MAX {
        inner.lines.pop_front();
        inner.forgotten += 1;
    }
    inner.lines.push_back(line);
    kept.1.notify_all();
}
