//! `/subjectz`: the busiest subjects, or with `depth` the busiest beginnings of subjects.
//!
//! Each core keeps a bounded sketch over a sample of its messages; here they are merged. `error_bound_msgs` says how many messages a
//! subject may have had that were not counted, all cores together. What a subject does a second is reckoned from the last time that
//! somebody looked, at least a second before.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::Time;
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::ids::AccountId;
use crate::reactor::snapshot::{Part, Question, SketchEntry, SubjectFigures};

/// Lines where no number is asked for.
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1000;
/// Rates are over at least so long.
const SPAN: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
struct Subjectz {
    server_id: String,
    now: Time,
    sample_every: u64,
    error_bound_msgs: u64,
    subjects: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    subject: String,
    account: String,
    in_msgs: u64,
    in_bytes: u64,
    out_msgs: u64,
    out_bytes: u64,
    in_msgs_rate: f64,
    in_bytes_rate: f64,
    last_seen: Time,
    subscribers: u64,
}

/// What subjects had when somebody last looked.
#[derive(Debug, Default)]
pub(in crate::monitor) struct Before {
    at: Option<Instant>,
    counts: HashMap<Key, (u64, u64)>,
}

type Key = (u32, Box<[u8]>);

#[derive(Clone, Copy, Debug)]
struct Sum {
    in_msgs: u64,
    in_bytes: u64,
    out_msgs: u64,
    out_bytes: u64,
    last_seen: Instant,
}

impl Sum {
    fn of(entry: &SketchEntry) -> Self {
        let SketchEntry { in_msgs, in_bytes, out_msgs, out_bytes, last_seen, .. } = *entry;
        Self { in_msgs, in_bytes, out_msgs, out_bytes, last_seen }
    }

    fn add(&mut self, other: &Self) {
        self.in_msgs += other.in_msgs;
        self.in_bytes += other.in_bytes;
        self.out_msgs += other.out_msgs;
        self.out_bytes += other.out_bytes;
        self.last_seen = self.last_seen.max(other.last_seen);
    }

    fn weight(&self) -> u64 {
        self.in_msgs.max(self.out_msgs)
    }
}

pub(super) fn page(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let depth = query.count("depth", 0)?;
    let limit = query.count("limit", LIMIT_DEFAULT)?.min(LIMIT_MAX);
    let (sample_every, error_bound_msgs, whole) = collect(site)?;
    let rates = site.subjects.rates(&whole, site.view.started.0);
    // A beginning, its sum, its rates, and its busiest subject.
    let mut lines: HashMap<Key, (Sum, (f64, f64), Key)> = HashMap::new();
    for (key, sum) in &whole {
        let (msgs, bytes) = rates.get(key).copied().unwrap_or_default();
        let begin = (key.0, prefix(&key.1, depth));
        let line = lines.entry(begin).or_insert_with(|| (*sum, (0.0, 0.0), key.clone()));
        if line.2 != *key {
            if whole.get(&line.2).is_some_and(|busiest| busiest.weight() < sum.weight()) {
                line.2 = key.clone();
            }
            line.0.add(sum);
        }
        line.1 = (line.1.0 + msgs, line.1.1 + bytes);
    }
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by(|(a, (x, ..)), (b, (y, ..))| y.weight().cmp(&x.weight()).then_with(|| a.cmp(b)));
    lines.truncate(limit);
    let busiest = lines.iter().map(|(_, (.., key))| (AccountId(key.0), key.1.clone())).collect();
    let receivers = receivers(site, busiest)?;
    let shown =
        lines.into_iter().zip(receivers).map(|(((account, subject), (sum, (msgs, bytes), _)), subscribers)| Line {
            subject: String::from_utf8_lossy(&subject).into_owned(),
            account: site.view.account_name(AccountId(account)),
            in_msgs: sum.in_msgs,
            in_bytes: sum.in_bytes,
            out_msgs: sum.out_msgs,
            out_bytes: sum.out_bytes,
            in_msgs_rate: tenth(msgs),
            in_bytes_rate: tenth(bytes),
            last_seen: site.view.time(sum.last_seen),
            subscribers,
        });
    let subjects = shown.collect();
    Site::page(&Subjectz {
        server_id: site.view.server_id.clone(),
        now: Time::now(),
        sample_every,
        error_bound_msgs,
        subjects,
    })
}

/// The sketches of all cores, merged.
fn collect(site: &Site) -> Result<(u64, u64, HashMap<Key, Sum>), PageError> {
    let (mut every, mut error) = (0, 0);
    let mut whole: HashMap<Key, Sum> = HashMap::new();
    site.ask(&Question::Subjects, |part| {
        let Part::Subjects(figures) = part else { return };
        let SubjectFigures { sample_every, error_msgs, entries } = *figures;
        every = sample_every;
        error += error_msgs;
        for entry in entries {
            let sum = Sum::of(&entry);
            whole.entry((entry.account.0, entry.subject)).and_modify(|all| all.add(&sum)).or_insert(sum);
        }
    })?;
    Ok((every, error, whole))
}

/// How many subscriptions get each of these subjects.
fn receivers(site: &Site, subjects: Vec<(AccountId, Box<[u8]>)>) -> Result<Vec<u64>, PageError> {
    let mut sums = vec![0; subjects.len()];
    site.ask(&Question::Receivers(subjects.into()), |part| {
        if let Part::Receivers(first, counts) = part {
            for (sum, count) in sums.iter_mut().skip(first).zip(counts) {
                *sum += count;
            }
        }
    })?;
    Ok(sums)
}

/// The first `depth` tokens, and `>` for the others; 0: the whole subject.
fn prefix(subject: &[u8], depth: usize) -> Box<[u8]> {
    let end = match depth {
        0 => None,
        depth => subject.iter().enumerate().filter(|(_, byte)| **byte == b'.').nth(depth - 1),
    };
    match end.and_then(|(at, _)| subject.get(..=at)) {
        Some(begin) => [begin, b">"].concat().into(),
        None => subject.into(),
    }
}

fn tenth(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}

impl Before {
    /// Messages and bytes a second of each subject.
    fn rates(&mut self, now: &HashMap<Key, Sum>, started: Instant) -> HashMap<Key, (f64, f64)> {
        let span = self.at.unwrap_or(started).elapsed();
        let seconds = span.as_secs_f64().max(0.001);
        let rate = |new: u64, old: u64| new.saturating_sub(if old > new { 0 } else { old }) as f64 / seconds;
        let rates = now.iter().map(|(key, sum)| {
            let (msgs, bytes) = self.counts.get(key).copied().unwrap_or_default();
            (key.clone(), (rate(sum.in_msgs, msgs), rate(sum.in_bytes, bytes)))
        });
        let rates = rates.collect();
        if self.at.is_none() || span >= SPAN {
            self.at = Some(Instant::now());
            self.counts = now.iter().map(|(key, sum)| (key.clone(), (sum.in_msgs, sum.in_bytes))).collect();
        }
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn beginnings_have_as_many_tokens_as_asked_for() {
        for (depth, expected) in [(0, "a.b.c"), (1, "a.>"), (2, "a.b.>"), (3, "a.b.c"), (9, "a.b.c")] {
            assert_eq!(&*prefix(b"a.b.c", depth), expected.as_bytes(), "{depth}");
        }
    }
}
