//! Who gets a message: matching, and choosing one member of each queue group.
//!
//! Owns no state; fills [`Routes`]. A queue group is known by its name over all patterns that match.
//! A message published here sees live subscriptions only; a message of another core sees retired ones too, since it may
//! have been matched there before they ended.

use super::entry::{NOBODY, PatternEntry, PatternId};
use super::match_cache::MatchCache;
use super::queue_group::{Choice, Draw, GroupRef};
use super::rng::Rng;
use super::slab::Slab;
use super::table::Table;
use crate::ids::{CoreId, SubId};

/// Who publishes.
#[derive(Clone, Copy, Debug)]
pub struct Publisher {
    /// The place of its connection on this core.
    pub conn_slot: u32,
    /// It does not want its own messages. Here this counts for queue groups only: whoever delivers to plain subscriptions
    /// compares their `conn_slot`.
    pub no_echo: bool,
}

impl Publisher {
    pub(super) fn excluded(self) -> Option<u32> {
        self.no_echo.then_some(self.conn_slot)
    }
}

/// Where a message goes. Kept and filled again for each message.
#[derive(Debug, Default)]
pub struct Routes {
    /// Subscriptions here: plain ones, then the members that were chosen.
    pub local: Vec<SubId>,
    /// Other cores with plain subscribers, a bit each.
    pub remote_plain: u64,
    /// Groups for which some member of another core was chosen.
    pub remote_groups: Vec<(CoreId, GroupRef)>,
    /// Some queue group was asked: the next message may go elsewhere.
    pub grouped: bool,
    /// How many of `local` are plain ones.
    plain: usize,
    /// The one pattern that has groups, where there is one.
    grouped_pattern: Option<PatternId>,
    /// Of the groups that another core chose this core for, the places in its list of those that have nobody here.
    pub gone: Vec<usize>,
    /// The same for those that have nobody here who may have the message.
    pub denied: Vec<usize>,
}

impl Routes {
    /// Forgets the message before.
    #[inline]
    pub fn clear(&mut self) {
        self.local.clear();
        self.remote_plain = 0;
        self.remote_groups.clear();
        self.grouped = false;
        self.grouped_pattern = None;
    }

    /// Whether nobody gets the message.
    pub fn is_empty(&self) -> bool {
        self.local.is_empty() && self.remote_plain == 0 && self.remote_groups.is_empty()
    }

    /// The pattern whose groups are the only receivers, where there is one.
    #[inline]
    pub(super) fn only_grouped_pattern(&self) -> Option<PatternId> {
        self.grouped_pattern.filter(|_| self.plain == 0 && self.remote_plain == 0)
    }

    fn push(&mut self, name: GroupRef, choice: Choice) {
        match choice {
            Choice::Here(id) => self.local.push(id),
            Choice::There(core) => self.remote_groups.push((core, name)),
        }
    }
}

/// Where the patterns that match are listed.
pub(super) enum Matched {
    One([PatternId; 1]),
    Cached(usize),
    Found,
    Nothing,
}

impl Table {
    /// For a message that is published on this core.
    #[inline]
    pub fn route(&mut self, subject: &[u8], publisher: Publisher, rng: &mut Rng, routes: &mut Routes) {
        routes.clear();
        self.totals.matches += 1;
        let hash = self.hasher.hash(subject);
        let without = publisher.excluded();
        if !self.sublist.is_empty() {
            self.route_with_wildcards(hash, subject, without, rng, routes);
        } else if let Some(id) = self.find_literal(hash, subject)
            && gather(&self.patterns, &[id], routes)
        {
            self.route_rare(&Matched::One([id]), without, rng, routes);
        }
    }

    /// Chooses once more for the next message of the same subject, where nothing has changed since `routes` was filled but that
    /// another member may be chosen. Whether that was possible; if not, `route` it.
    #[inline]
    pub fn route_again(&self, publisher: Publisher, rng: &mut Rng, routes: &mut Routes) -> bool {
        let Some(id) = routes.grouped_pattern else { return false };
        routes.local.truncate(routes.plain);
        routes.remote_groups.clear();
        for group in self.patterns.at(id.0).groups() {
            if let Some(choice) = group.choose(&self.subscriptions, publisher.excluded(), rng) {
                routes.push(group.name, choice);
            }
        }
        true
    }

    /// The same where some pattern has a wildcard.
    #[inline(always)]
    fn route_with_wildcards(
        &mut self,
        hash: u64,
        subject: &[u8],
        without: Option<u32>,
        rng: &mut Rng,
        routes: &mut Routes,
    ) {
        if let Some((at, patterns)) = self.cache.find(hash, subject) {
            if gather(&self.patterns, patterns, routes) {
                self.route_rare(&Matched::Cached(at), without, rng, routes);
            }
        } else {
            self.match_anew(hash, subject);
            if gather(&self.patterns, &self.found, routes) {
                self.route_rare(&Matched::Found, without, rng, routes);
            }
        }
        if routes.local.len() > self.totals.fanout_max {
            self.totals.fanout_max = routes.local.len();
        }
    }

    /// Patterns with several plain subscribers, and queue groups; apart, so that the common case stays small.
    #[inline(never)]
    fn route_rare(&mut self, matched: &Matched, without: Option<u32>, rng: &mut Rng, routes: &mut Routes) {
        let patterns = matched.list(&self.cache, &self.found);
        let (mut first, mut several) = (None, false);
        for id in patterns {
            let entry = self.patterns.at(id.0);
            if let Some(rare) = &entry.rare {
                routes.local.extend_from_slice(&rare.many);
                if !rare.groups.is_empty() {
                    several |= first.is_some();
                    first = Some(entry);
                    routes.grouped_pattern = Some(*id);
                }
            }
        }
        routes.grouped = first.is_some();
        routes.plain = routes.local.len();
        if several {
            routes.grouped_pattern = None;
            self.choose_merged(matched, without, rng, routes);
        } else if let Some(entry) = first {
            for group in entry.groups() {
                if let Some(choice) = group.choose(&self.subscriptions, without, rng) {
                    routes.push(group.name, choice);
                }
            }
        }
        self.totals.fanout_max = self.totals.fanout_max.max(routes.local.len());
    }

    /// One member of each group, where several patterns have groups.
    fn choose_merged(&mut self, matched: &Matched, without: Option<u32>, rng: &mut Rng, routes: &mut Routes) {
        self.merge.clear();
        for id in matched.list(&self.cache, &self.found) {
            for group in self.patterns.at(id.0).groups() {
                let weight = group.eligible(&self.subscriptions, without);
                self.merge.add(&mut self.names, group.name, weight, *id, rng);
            }
        }
        for (name, id) in self.merge.chosen() {
            let group = self.patterns.at(id.0).group(name);
            if let Some(choice) = group.and_then(|g| g.choose(&self.subscriptions, without, rng)) {
                routes.push(name, choice);
            }
        }
    }

    /// For a message that another core sent: to plain subscribers if `plain`, and to one member of each named group. Where a
    /// group has nobody here, its place in the list goes to `routes.gone`. `no_echo_conn` is the publisher's connection
    /// where it is on this core and wants no echo.
    pub fn route_remote<'a>(
        &mut self,
        subject: &[u8],
        plain: bool,
        groups: impl IntoIterator<Item = &'a [u8]>,
        no_echo_conn: Option<u32>,
        rng: &mut Rng,
        routes: &mut Routes,
    ) {
        routes.clear();
        routes.gone.clear();
        routes.denied.clear();
        self.totals.matches += 1;
        let matched = self.matched(subject);
        let patterns = matched.list(&self.cache, &self.found);
        if plain {
            for id in patterns {
                let entry = self.patterns.at(id.0);
                routes.local.extend_from_slice(entry.plain());
                routes.local.extend_from_slice(entry.retired());
            }
        }
        for (place, name) in groups.into_iter().enumerate() {
            let (mut live, mut retired) = (Draw::default(), Draw::default());
            if let Some(name) = self.names.find(&self.hasher, name) {
                for group in patterns.iter().filter_map(|id| self.patterns.at(id.0).group(name)) {
                    live.add(&group.members, &self.subscriptions, no_echo_conn, rng);
                    retired.add(&group.retired, &self.subscriptions, no_echo_conn, rng);
                }
            }
            match live.chosen().or(retired.chosen()) {
                Some(id) => routes.local.push(id),
                None => routes.gone.push(place),
            }
        }
        self.totals.fanout_max = self.totals.fanout_max.max(routes.local.len());
    }

    /// Chooses once more for one group, over what is known now; nobody that has retired. `no_echo_conn` as above.
    pub fn choose_again(
        &mut self,
        subject: &[u8],
        group: &[u8],
        no_echo_conn: Option<u32>,
        rng: &mut Rng,
    ) -> Option<Choice> {
        let name = self.names.find(&self.hasher, group)?;
        let matched = self.matched(subject);
        self.merge.clear();
        for id in matched.list(&self.cache, &self.found) {
            if let Some(group) = self.patterns.at(id.0).group(name) {
                let weight = group.eligible(&self.subscriptions, no_echo_conn);
                self.merge.add(&mut self.names, name, weight, *id, rng);
            }
        }
        let (_, id) = self.merge.chosen().next()?;
        self.patterns.at(id.0).group(name)?.choose(&self.subscriptions, no_echo_conn, rng)
    }

    /// A plain subscription of one connection of this core that `subject` matches, if it has one.
    pub fn find_of(&mut self, subject: &[u8], conn_slot: u32) -> Option<SubId> {
        let matched = self.matched(subject);
        let entries = matched.list(&self.cache, &self.found).iter().map(|id| self.patterns.at(id.0));
        let mut ids = entries.flat_map(|entry| entry.plain().iter());
        ids.find(|&&id| self.subscription(id).conn_slot() == conn_slot).copied()
    }

    /// Finds the patterns that match, and remembers them where there are wildcards.
    pub(super) fn matched(&mut self, subject: &[u8]) -> Matched {
        let hash = self.hasher.hash(subject);
        if self.sublist.is_empty() {
            let literal = self.find_literal(hash, subject);
            return literal.map_or(Matched::Nothing, |id| Matched::One([id]));
        }
        match self.cache.find(hash, subject) {
            Some((at, _)) => Matched::Cached(at),
            None => {
                self.match_anew(hash, subject);
                Matched::Found
            }
        }
    }

    /// Fills `found`.
    #[inline(never)]
    fn match_anew(&mut self, hash: u64, subject: &[u8]) {
        self.found.clear();
        let literal = self.find_literal(hash, subject);
        self.found.extend(literal);
        if self.sublist.collect(&self.hasher, subject, &mut self.found) {
            self.cache.insert(hash, subject, &self.found);
        }
    }
}

/// Other cores with plain subscribers, and the only ones here; whether some pattern has more than that.
#[inline(always)]
fn gather(entries: &Slab<PatternEntry>, patterns: &[PatternId], routes: &mut Routes) -> bool {
    let mut rare = false;
    for id in patterns {
        let entry = entries.at(id.0);
        routes.remote_plain |= entry.remote;
        if entry.one != NOBODY {
            routes.local.push(entry.one);
        }
        rare |= entry.rare.is_some();
    }
    rare
}

impl Matched {
    pub(super) fn list<'a>(&'a self, cache: &'a MatchCache, found: &'a [PatternId]) -> &'a [PatternId] {
        match self {
            Self::One(id) => id,
            Self::Cached(at) => cache.patterns(*at),
            Self::Found => found,
            Self::Nothing => &[],
        }
    }
}
