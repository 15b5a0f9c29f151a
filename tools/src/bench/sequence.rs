//! Whether the messages of each publisher on each subject came once and in order.
//!
//! Bounded: a stream remembers `GAPS_MAX` gaps and a bitmap of `BITMAP_BITS_MAX`; what comes later than that is counted and not judged.

use std::collections::HashMap;

/// Gaps of one stream that a late message can still fill.
const GAPS_MAX: usize = 256;
/// Messages of one stream that a member of a queue group keeps apart.
const BITMAP_BITS_MAX: u64 = 1 << 28;
/// Streams that have a place of their own in a table; more are looked up.
const DENSE_STREAMS_MAX: u64 = 1 << 14;
/// Streams of one subscriber in all.
const STREAMS_MAX: usize = 1 << 20;

/// What one message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Next,
    /// Some before it are missing so far.
    Gap,
    /// It came before, or another member has it.
    Duplicate,
    /// It was missing and comes after later ones.
    OutOfOrder,
    /// There are more streams than can be followed.
    Unjudged,
}

/// What a subscriber gets of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Every message from the first on.
    All,
    /// Every message from some moment on: publishers ran before.
    Tail,
    /// Some messages; a queue group has the others.
    Some,
}

/// One publisher on one subject.
#[derive(Clone, Debug, Default)]
struct Stream {
    is_known: bool,
    next: u64,
    gaps: Vec<(u64, u64)>,
    seen: Bitmap,
}

impl Stream {
    fn observe(&mut self, sequence: u64, share: Share) -> Verdict {
        if !self.is_known {
            self.is_known = true;
            if share == Share::Tail {
                self.next = sequence;
            }
        }
        if share == Share::Some {
            return self.observe_some(sequence);
        }
        if sequence == self.next {
            self.next += 1;
            return Verdict::Next;
        }
        if sequence > self.next {
            if self.gaps.len() == GAPS_MAX {
                self.gaps.remove(0);
            }
            self.gaps.push((self.next, sequence));
            self.next = sequence + 1;
            return Verdict::Gap;
        }
        let Some(at) = self.gaps.iter().position(|(from, to)| (*from..*to).contains(&sequence)) else {
            return Verdict::Duplicate;
        };
        let (from, to) = self.gaps.swap_remove(at);
        self.gaps.extend([(from, sequence), (sequence + 1, to)].into_iter().filter(|(from, to)| from < to));
        Verdict::OutOfOrder
    }

    fn observe_some(&mut self, sequence: u64) -> Verdict {
        if sequence >= BITMAP_BITS_MAX {
            return Verdict::Unjudged;
        }
        if !self.seen.insert(sequence) {
            return Verdict::Duplicate;
        }
        if sequence < self.next {
            return Verdict::OutOfOrder;
        }
        self.next = sequence + 1;
        Verdict::Next
    }
}

/// The streams of one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Sequences {
    share: Share,
    subjects: u64,
    dense: Vec<Stream>,
    sparse: HashMap<u64, Stream>,
}

impl Sequences {
    /// For publishers that use so many subjects each.
    pub(crate) fn new(share: Share, subjects: u64) -> Self {
        Self { share, subjects: subjects.max(1), dense: Vec::new(), sparse: HashMap::new() }
    }

    /// Judges one message.
    pub(crate) fn observe(&mut self, publisher: u16, subject: u32, sequence: u64) -> Verdict {
        let key = u64::from(publisher) * self.subjects + u64::from(subject) % self.subjects;
        if key < DENSE_STREAMS_MAX {
            let place = key as usize;
            if place >= self.dense.len() {
                self.dense.resize_with(place + 1, Stream::default);
            }
            return self.dense[place].observe(sequence, self.share);
        }
        if self.sparse.len() >= STREAMS_MAX && !self.sparse.contains_key(&key) {
            return Verdict::Unjudged;
        }
        self.sparse.entry(key).or_default().observe(sequence, self.share)
    }

    /// Messages that another member of the queue group has too; takes them over.
    pub(crate) fn merge_group(&mut self, other: Self) -> u64 {
        let mut doubled = 0;
        if self.dense.len() < other.dense.len() {
            self.dense.resize_with(other.dense.len(), Stream::default);
        }
        for (mine, theirs) in self.dense.iter_mut().zip(&other.dense) {
            doubled += mine.seen.merge(&theirs.seen);
        }
        for (key, theirs) in other.sparse {
            doubled += self.sparse.entry(key).or_default().seen.merge(&theirs.seen);
        }
        doubled
    }
}

#[derive(Clone, Debug, Default)]
struct Bitmap(Vec<u64>);

impl Bitmap {
    /// False where it was there.
    fn insert(&mut self, bit: u64) -> bool {
        let (word, mask) = ((bit / 64) as usize, 1_u64 << (bit % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & mask == 0;
        self.0[word] |= mask;
        is_new
    }

    /// Unites; returns how many were in both.
    fn merge(&mut self, other: &Self) -> u64 {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut both = 0;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            both += u64::from((*mine & theirs).count_ones());
            *mine |= theirs;
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::{Sequences, Share, Verdict};

    fn verdicts(share: Share, sequences: &[u64]) -> Vec<Verdict> {
        let mut streams = Sequences::new(share, 1);
        sequences.iter().map(|sequence| streams.observe(2, 0, *sequence)).collect()
    }

    #[test]
    fn faults_are_told_apart() {
        use Verdict::{Duplicate, Gap, Next, OutOfOrder};
        assert_eq!(verdicts(Share::All, &[0, 1, 2]), [Next, Next, Next]);
        assert_eq!(verdicts(Share::All, &[0, 2, 1, 3]), [Next, Gap, OutOfOrder, Next]);
        assert_eq!(verdicts(Share::All, &[0, 1, 1, 2]), [Next, Next, Duplicate, Next]);
        assert_eq!(verdicts(Share::All, &[1]), [Gap]);
        assert_eq!(verdicts(Share::All, &[0, 5, 3, 3, 1, 4, 2, 4]).last(), Some(&Duplicate));
        assert_eq!(verdicts(Share::Tail, &[7, 8, 10]), [Next, Next, Gap]);
        assert_eq!(verdicts(Share::Some, &[0, 3, 9, 4, 9]), [Next, Next, Next, OutOfOrder, Duplicate]);
    }

    #[test]
    fn streams_are_apart() {
        for subjects in [3, 1 << 20] {
            let mut streams = Sequences::new(Share::All, subjects);
            for publisher in 0..3 {
                for subject in 0..3 {
                    assert_eq!(streams.observe(publisher, subject, 0), Verdict::Next);
                }
            }
            assert_eq!(streams.observe(1, 1, 1), Verdict::Next);
        }
    }

    #[test]
    fn a_message_that_two_members_got_is_doubled() {
        let mut first = Sequences::new(Share::Some, 1);
        let mut second = Sequences::new(Share::Some, 1);
        for sequence in 0..100 {
            let member = if sequence % 2 == 0 { &mut first } else { &mut second };
            member.observe(0, 0, sequence);
        }
        second.observe(0, 0, 100);
        first.observe(0, 0, 100);
        assert_eq!(first.merge_group(second), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut streams = Sequences::new(Share::Some, 1);
        assert_eq!(streams.observe(0, 0, u64::MAX), Verdict::Unjudged);
        let mut streams = Sequences::new(Share::All, 1);
        assert!((0..10_000).all(|n| streams.observe(0, 0, n * 2 + 1) == Verdict::Gap));
        assert_eq!(streams.dense[0].gaps.len(), super::GAPS_MAX);
    }
}
