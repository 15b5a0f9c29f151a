//! A client's subscriptions by the names it gave them.
//!
//! Holds ids only; the names lie in the account's table, so looking one up takes a comparison from whoever has the table.

use hashbrown::HashTable;

use crate::ids::SubId;

/// `sid` → subscription.
#[derive(Debug, Default)]
pub struct Subscriptions {
    /// Hash and id, so that growing does not have to look at the names.
    by_sid: HashTable<(u32, SubId)>,
}

impl Subscriptions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_sid.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_sid.is_empty()
    }

    /// The one whose name has this hash and for which `same` holds.
    pub fn find(&self, hash: u64, mut same: impl FnMut(SubId) -> bool) -> Option<SubId> {
        let short = hash as u32;
        self.by_sid.find(spread(short), |&(h, id)| h == short && same(id)).map(|&(_, id)| id)
    }

    /// Adds one that is not there.
    pub fn insert(&mut self, hash: u64, id: SubId) {
        self.by_sid.insert_unique(spread(hash as u32), (hash as u32, id), |&(h, _)| spread(h));
    }

    /// Takes one out.
    pub fn remove(&mut self, hash: u64, id: SubId) {
        let short = hash as u32;
        if let Ok(entry) = self.by_sid.find_entry(spread(short), |&(_, i)| i == id) {
            entry.remove();
        }
        if self.by_sid.capacity() > 64 && self.by_sid.len() < self.by_sid.capacity() / 8 {
            self.by_sid.shrink_to_fit(|&(h, _)| spread(h));
        }
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = SubId> {
        self.by_sid.iter().map(|&(_, id)| id)
    }

    /// Those that lie in the table from a place on, up to `count` of them; and where to go on.
    pub fn slice(&self, from: usize, count: usize) -> (Vec<SubId>, Option<usize>) {
        let (mut some, mut at, end) = (Vec::new(), from, self.by_sid.num_buckets());
        while at < end && some.len() < count {
            some.extend(self.by_sid.get_bucket(at).map(|&(_, id)| id));
            at += 1;
        }
        (some, (at < end).then_some(at))
    }

    /// Up to `count` of them, in no order, taken out.
    pub fn take(&mut self, count: usize) -> Vec<SubId> {
        let some: Vec<(u32, SubId)> = self.by_sid.iter().take(count).copied().collect();
        for &(hash, id) in &some {
            if let Ok(entry) = self.by_sid.find_entry(spread(hash), |&(_, i)| i == id) {
                entry.remove();
            }
        }
        some.into_iter().map(|(_, id)| id).collect()
    }
}

/// The table takes its bucket from the low and its tag from the high bits; only 32 are stored.
fn spread(short: u32) -> u64 {
    u64::from(short) | u64::from(short.wrapping_mul(0x9E37_79B1)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_one_hash_are_told_apart_by_comparison() {
        let mut subs = Subscriptions::default();
        for i in 0..100 {
            subs.insert(7, SubId(i));
        }
        assert_eq!(subs.find(7, |id| id == SubId(42)), Some(SubId(42)));
        subs.remove(7, SubId(42));
        assert_eq!(subs.find(7, |id| id == SubId(42)), None);
        assert_eq!(subs.len(), 99);
        let (some, next) = subs.slice(0, 10);
        let (rest, end) = subs.slice(next.expect("there are more"), usize::MAX);
        assert_eq!((some.len(), rest.len(), end), (10, 89, None));
        assert_eq!(subs.take(10).len(), 10);
        assert_eq!(subs.len(), 89);
    }
}
