//! Random runs of the table beside a model that is a list and a scan.

use super::super::{Choice, Publisher, Rng, Routes, Table, TableConfig};
use super::{THIS, core};
use crate::ids::{CoreId, SubId};
use std::collections::{BTreeMap, BTreeSet};

const CORES: usize = 4;

struct Sub {
    id: SubId,
    pattern: String,
    queue: Option<String>,
    conn: u32,
    sid: String,
    retired: bool,
}

type Column = (String, Option<String>, CoreId);

/// design.md 4 with lists: `view` of the other cores, falls that wait, and what this look has brought.
#[derive(Default)]
struct Model {
    subs: Vec<Sub>,
    view: BTreeMap<Column, u32>,
    falls: BTreeMap<Column, u32>,
    fresh: BTreeMap<Column, u32>,
}

fn naive_match(pattern: &[&str], subject: &[&str]) -> bool {
    match (pattern, subject) {
        ([">"], [_, ..]) | ([], []) => true,
        ([p, pattern @ ..], [s, subject @ ..]) => (*p == "*" || p == s) && naive_match(pattern, subject),
        _ => false,
    }
}

fn matches(pattern: &str, subject: &str) -> bool {
    let subject: Vec<&str> = subject.split('.').collect();
    !subject.contains(&"") && naive_match(&pattern.split('.').collect::<Vec<_>>(), &subject)
}

impl Model {
    fn alike(&self, pattern: &str, queue: Option<&str>) -> u32 {
        let alike = |s: &&Sub| !s.retired && s.pattern == pattern && s.queue.as_deref() == queue;
        self.subs.iter().filter(alike).count() as u32
    }

    fn apply(&mut self, from: CoreId, pattern: &str, queue: Option<&str>, members: u32) {
        let column = (pattern.to_owned(), queue.map(str::to_owned), from);
        self.fresh.insert(column.clone(), members);
        let known = self.view.entry(column).or_default();
        *known = members.max(*known);
    }

    fn end_look(&mut self) {
        for (column, members) in std::mem::take(&mut self.falls) {
            if !self.fresh.contains_key(&column) {
                self.view.insert(column, members);
            }
        }
        self.falls = std::mem::take(&mut self.fresh);
    }

    fn plain(&self, subject: &str, with_retired: bool) -> BTreeSet<u32> {
        let got = self.subs.iter().filter(|s| s.queue.is_none() && matches(&s.pattern, subject));
        got.filter(|s| with_retired || !s.retired).map(|s| s.id.0).collect()
    }

    fn remote_plain(&self, subject: &str) -> u64 {
        let columns = self.view.iter().filter(|((p, q, _), n)| **n > 0 && q.is_none() && matches(p, subject));
        columns.fold(0, |mask, ((_, _, core), _)| mask | core.bit())
    }

    fn members(&self, subject: &str, group: &str, retired: bool, without: Option<u32>) -> BTreeSet<u32> {
        let members = self.subs.iter().filter(|s| s.queue.as_deref() == Some(group) && s.retired == retired);
        members.filter(|s| matches(&s.pattern, subject) && Some(s.conn) != without).map(|s| s.id.0).collect()
    }

    fn cores(&self, subject: &str, group: &str) -> BTreeSet<CoreId> {
        let of_group = |(p, q, _): &Column| q.as_deref() == Some(group) && matches(p, subject);
        self.view.iter().filter(|(column, n)| **n > 0 && of_group(column)).map(|((_, _, core), _)| *core).collect()
    }
}

struct Run {
    rng: Rng,
    /// Its own, so that a choice of the table does not change the run.
    choices: Rng,
    table: Table,
    model: Model,
    wildcards: bool,
    routes: Routes,
}

const TOKENS: [&str; 7] =
    ["a", "b", "c", "dd", "", "a-token-of-more-than-22-bytes", "another-one-that-is-so-long-that-no-cache-keeps-it"];
const GROUPS: [&str; 4] = ["g", "h", "a-group-with-a-name-of-many-bytes", "i"];

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let cache = [0, 4, 16, 1 << 12][rng.below(4) as usize];
        let table = Table::new(TableConfig { this: THIS, cores: CORES, match_cache_entries: cache, seed });
        let wildcards = rng.below(4) > 0;
        Self { choices: Rng::new(!seed), rng, table, model: Model::default(), wildcards, routes: Routes::default() }
    }

    fn subject(&mut self, pattern: bool) -> String {
        let count = 1 + self.rng.below(4);
        let tokens = (0..count).map(|i| match self.rng.below(10) {
            0 | 1 if pattern && self.wildcards => "*",
            2 if pattern && self.wildcards && i + 1 == count => ">",
            n if pattern || n > 0 => match TOKENS[self.rng.below(7) as usize] {
                "" => "b*",
                token => token,
            },
            _ => TOKENS[self.rng.below(7) as usize],
        });
        tokens.collect::<Vec<_>>().join(".")
    }

    fn queue(&mut self) -> Option<&'static str> {
        (self.rng.below(2) == 0).then(|| GROUPS[self.rng.below(4) as usize])
    }

    fn subscribe(&mut self) {
        let (pattern, queue, conn) = (self.subject(true), self.queue(), self.rng.below(6) as u32);
        let sid = "7".repeat(1 + self.rng.below(30) as usize);
        let (id, told) = self.table.subscribe(pattern.as_bytes(), queue.map(str::as_bytes), conn, sid.as_bytes());
        let before = self.model.alike(&pattern, queue);
        let expected = if queue.is_some() { Some(before + 1) } else { (before == 0).then_some(1) };
        assert_eq!(told, expected, "what others are told of a join");
        self.model.subs.push(Sub { id, pattern, queue: queue.map(str::to_owned), conn, sid, retired: false });
    }

    fn end(&mut self, at: usize, retire: bool) {
        let sub = &self.model.subs[at];
        let (id, was_retired, pattern, queue) = (sub.id, sub.retired, sub.pattern.clone(), sub.queue.clone());
        let told = if retire { self.table.retire(id) } else { self.table.remove(id) };
        if retire {
            self.model.subs[at].retired = true;
        } else {
            self.model.subs.swap_remove(at);
        }
        let left = self.model.alike(&pattern, queue.as_deref());
        let news = !was_retired && (queue.is_some() || left == 0);
        assert_eq!(told, news.then_some(left), "what others are told of a leave");
    }

    /// What another core may have news of: often something that it has had before.
    fn column(&mut self) -> Column {
        let known = self.rng.below(2 * self.model.view.len() as u64 + 1) as usize;
        if let Some(column) = self.model.view.keys().nth(known) {
            return column.clone();
        }
        let (pattern, queue) = (self.subject(true), self.queue());
        let from = core(1 + self.rng.below(3) as usize);
        (pattern, queue.map(str::to_owned), from)
    }

    fn step(&mut self) {
        let at = self.rng.below(self.model.subs.len().max(1) as u64) as usize;
        match self.rng.below(20) {
            0..5 => self.subscribe(),
            5..8 if !self.model.subs.is_empty() => self.end(at, true),
            8..11 if !self.model.subs.is_empty() => self.end(at, false),
            11..14 => {
                let (pattern, queue, from) = self.column();
                let queue = queue.as_deref();
                let members = self.rng.below(if queue.is_some() { 4 } else { 2 }) as u32;
                self.table.apply(from, pattern.as_bytes(), queue.map(str::as_bytes), members);
                self.model.apply(from, &pattern, queue, members);
            }
            14 | 15 => {
                self.table.end_look();
                self.model.end_look();
            }
            16 | 17 => self.publish(),
            18 => self.receive(),
            _ => self.choose_again(),
        }
    }

    fn publish(&mut self) {
        let (subject, publisher) =
            (self.subject(false), Publisher { conn_slot: self.rng.below(6) as u32, no_echo: self.rng.below(2) == 0 });
        self.table.route(subject.as_bytes(), publisher, &mut self.choices, &mut self.routes);
        assert_eq!(self.routes.remote_plain, self.model.remote_plain(&subject), "other cores for {subject}");
        let mut local: BTreeSet<u32> = self.routes.local.iter().map(|id| id.0).collect();
        assert_eq!(local.len(), self.routes.local.len(), "nobody gets {subject} twice");
        for id in self.model.plain(&subject, false) {
            assert!(local.remove(&id), "{id} gets {subject}");
        }
        let without = publisher.no_echo.then_some(publisher.conn_slot);
        let mut groups = self.routes.remote_groups.clone();
        for name in GROUPS {
            let (members, cores) =
                (self.model.members(&subject, name, false, without), self.model.cores(&subject, name));
            let here = local.extract_if(.., |id| members.contains(id)).count();
            let there = groups.extract_if(.., |(core, group)| {
                cores.contains(core) && self.table.group_name(*group) == name.as_bytes()
            });
            let anybody = usize::from(!members.is_empty() || !cores.is_empty());
            assert_eq!(here + there.count(), anybody, "one member of {name} gets {subject}");
        }
        assert!(local.is_empty() && groups.is_empty(), "{local:?} {groups:?} get {subject} without interest");
    }

    fn receive(&mut self) {
        let (subject, plain) = (self.subject(false), self.rng.below(2) == 0);
        let names: Vec<&str> = GROUPS.into_iter().chain(["unknown"]).filter(|_| self.rng.below(2) == 0).collect();
        let without = (self.rng.below(2) == 0).then(|| self.rng.below(6) as u32);
        let groups = names.iter().map(|name| name.as_bytes());
        self.table.route_remote(subject.as_bytes(), plain, groups, without, &mut self.choices, &mut self.routes);
        let mut local: BTreeSet<u32> = self.routes.local.iter().map(|id| id.0).collect();
        assert_eq!(local.len(), self.routes.local.len(), "nobody gets {subject} twice");
        for id in if plain { self.model.plain(&subject, true) } else { BTreeSet::new() } {
            assert!(local.remove(&id), "{id} gets {subject}");
        }
        for (place, name) in names.iter().enumerate() {
            let live = self.model.members(&subject, name, false, without);
            let members = if live.is_empty() { self.model.members(&subject, name, true, without) } else { live };
            let here = local.extract_if(.., |id| members.contains(id)).count();
            assert_eq!(here, usize::from(!members.is_empty()), "one member of {name} gets {subject}");
            assert_eq!(self.routes.gone.contains(&place), members.is_empty(), "{name} has gone");
        }
        assert!(local.is_empty() && self.routes.remote_plain == 0 && self.routes.remote_groups.is_empty());
    }

    fn choose_again(&mut self) {
        let (subject, name) = (self.subject(false), GROUPS[self.rng.below(4) as usize]);
        let without = (self.rng.below(2) == 0).then(|| self.rng.below(6) as u32);
        let (members, cores) = (self.model.members(&subject, name, false, without), self.model.cores(&subject, name));
        match self.table.choose_again(subject.as_bytes(), name.as_bytes(), without, &mut self.choices) {
            Some(Choice::Here(id)) => assert!(members.contains(&id.0)),
            Some(Choice::There(core)) => assert!(cores.contains(&core)),
            None => assert!(members.is_empty() && cores.is_empty()),
        }
    }

    fn compare(&self) {
        self.table.check_invariants();
        let counts = self.table.counts();
        assert_eq!(counts.retired, self.model.subs.iter().filter(|s| s.retired).count());
        assert_eq!(counts.subscriptions + counts.retired, self.model.subs.len());
        for sub in &self.model.subs {
            let subscription = self.table.subscription(sub.id);
            assert_eq!((subscription.conn_slot(), subscription.sid()), (sub.conn, sub.sid.as_bytes()));
            assert_eq!(self.table.pattern_text(sub.id), sub.pattern.as_bytes());
            assert_eq!(self.table.queue_name(sub.id), sub.queue.as_ref().map(|q| q.as_bytes()));
        }
    }

    /// When everyone has left and two looks have passed, nothing is kept.
    fn wind_down(&mut self) {
        while let Some(at) = self.model.subs.len().checked_sub(1) {
            self.end(at, false);
        }
        let columns: Vec<Column> = self.model.view.keys().cloned().collect();
        for (pattern, queue, from) in columns {
            self.table.apply(from, pattern.as_bytes(), queue.as_deref().map(str::as_bytes), 0);
        }
        self.table.end_look();
        self.table.end_look();
        self.table.check_invariants();
        let counts = self.table.counts();
        assert_eq!((counts.patterns, counts.groups, counts.cache_length), (0, 0, 0));
        assert!(!self.table.removals_pending());
    }
}

#[test]
fn random_runs_agree_with_a_scan() {
    for seed in 0..300 {
        let run = std::panic::catch_unwind(|| {
            let mut run = Run::new(seed);
            for step in 0..600 {
                run.step();
                if step % 50 == 0 {
                    run.compare();
                }
            }
            run.compare();
            run.wind_down();
        });
        assert!(run.is_ok(), "seed {seed}");
    }
}
