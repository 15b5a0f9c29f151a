//! The messages of a turn for one core: one contiguous buffer, pushed as one ring entry.
//!
//! Large payloads travel by reference. A batch also remembers which connections fed it (their reading stops while it waits for
//! credit) and what credit of other links it holds (messages that were sent on).

use crate::buffer::Shared;
use crate::fabric::message::Origin;
use crate::ids::{AccountId, ConnId, CoreId};

/// Bytes of a batch from which on it is closed and another begun, so that one entry stays small beside a link's budget.
pub const BATCH_BYTES: usize = 64 * 1024;

/// Bytes of memory that an empty batch keeps: what a full one has grown to.
const KEPT_BYTES_MAX: usize = 2 * BATCH_BYTES;

/// Messages on their way to one core.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    shared: Vec<Shared>,
    shared_bytes: usize,
    /// The connections whose messages are in here, each once a run.
    pub feeders: Vec<ConnId>,
    /// Credit of incoming links that is given back when this batch has been pushed.
    pub forwarded: Vec<(CoreId, u64)>,
}

/// One message, as it travels.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The account it was published in.
    pub account: AccountId,
    /// Where it came from.
    pub origin: Origin,
    /// The publisher does not want its own messages.
    pub no_echo: bool,
    /// Tell the origin when nobody gets it.
    pub report: bool,
    /// Plain subscribers get it.
    pub plain: bool,
    /// How often it was sent on for a group.
    pub hops: u8,
    /// The queue groups for which this core was chosen: names, each behind its length.
    pub groups: Groups<'a>,
    /// Where to.
    pub subject: &'a [u8],
    /// Where an answer goes; empty: nowhere.
    pub reply: &'a [u8],
    /// Bytes of `content` that are headers.
    pub header_len: u32,
    /// Headers and payload.
    pub content: Content<'a>,
}

/// Headers, payload and line end, in place or by reference.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Small: lies in the batch.
    Inline {
        /// Begins with the line of a MSG behind its sid, if that stands ready; the content follows, and then whatever.
        whole: &'a [u8],
        /// Bytes of that line; 0: it is to be made.
        line: usize,
        /// Where the content ends.
        end: usize,
    },
    /// Large: lies in the buffer that it was read into.
    Shared(&'a Shared),
}

impl<'a> Content<'a> {
    /// The bytes, wherever they are.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Inline { whole, line, end } => &whole[*line..*end],
            Self::Shared(shared) => shared.bytes(),
        }
    }
}

/// Names of queue groups, encoded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Groups<'a>(&'a [u8]);

impl<'a> Groups<'a> {
    /// Names as [`Self::push`] wrote them.
    pub fn new(encoded: &'a [u8]) -> Self {
        Self(encoded)
    }

    /// Adds a name to an encoded list.
    pub fn push(list: &mut Vec<u8>, name: &[u8]) {
        list.extend_from_slice(&(name.len() as u32).to_le_bytes());
        list.extend_from_slice(name);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (len, tail) = rest.split_first_chunk::<4>()?;
            let (name, tail) = tail.split_at(u32::from_le_bytes(*len) as usize);
            rest = tail;
            Some(name)
        })
    }
}

const HEAD: usize = 52;
const PLAIN: u8 = 1;
const REPORT: u8 = 2;
const NO_ECHO: u8 = 4;
const SHARED: u8 = 8;

impl Batch {
    /// Whether no message is in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What it costs of a link's budget, in bytes; never 0 for one that is not empty.
    pub fn cost(&self) -> u64 {
        (self.bytes.len() + self.shared_bytes) as u64
    }

    /// Bytes of memory that it keeps.
    pub(super) fn room(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets everything but the memory; what has grown far beyond the usual is given back.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.shared.clear();
        self.shared_bytes = 0;
        self.feeders.clear();
        self.forwarded.clear();
        if self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
    }

    /// Adds a message; one that was not sent on (no hops) was fed by its publisher, a connection of this core.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let shared = matches!(entry.content, Content::Shared(_));
        let flags =
            flag(entry.plain, PLAIN) | flag(entry.report, REPORT) | flag(entry.no_echo, NO_ECHO) | flag(shared, SHARED);
        let (content_word, line_word) = match entry.content {
            Content::Inline { line, end, .. } => (end as u32, line as u32),
            Content::Shared(_) => (self.shared.len() as u32, 0),
        };
        let mut head = [0; HEAD];
        head[0] = flags;
        head[1] = entry.hops;
        head[2] = entry.origin.conn.core.index() as u8;
        let words = [
            entry.account.0,
            entry.origin.conn.slot,
            entry.origin.conn.generation,
            entry.subject.len() as u32,
            entry.reply.len() as u32,
            entry.groups.0.len() as u32,
            entry.header_len,
            content_word,
            entry.origin.share,
            line_word,
        ];
        for (place, word) in head[4..44].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        head[44..52].copy_from_slice(&entry.origin.number.to_le_bytes());
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(entry.subject);
        self.bytes.extend_from_slice(entry.reply);
        self.bytes.extend_from_slice(entry.groups.0);
        match entry.content {
            Content::Inline { whole, end, .. } => self.bytes.extend_from_slice(&whole[..end]),
            Content::Shared(shared) => {
                self.shared_bytes += shared.len();
                self.shared.push(shared.clone());
            }
        }
        if entry.hops == 0 && self.feeders.last() != Some(&entry.origin.conn) {
            self.feeders.push(entry.origin.conn);
        }
    }

    /// The message that starts at `at`, and where the next one does; `None` at the end.
    pub fn entry(&self, at: usize) -> Option<(Entry<'_>, usize)> {
        let (head, rest) = self.bytes.get(at..)?.split_first_chunk::<HEAD>()?;
        let word = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
        let (flags, content_word) = (head[0], word(32) as usize);
        let (subject, rest) = rest.split_at(word(16) as usize);
        let (reply, rest) = rest.split_at(word(20) as usize);
        let (groups, rest) = rest.split_at(word(24) as usize);
        let (content, rest) = if flags & SHARED == 0 {
            let inline = Content::Inline { whole: rest, line: word(40) as usize, end: content_word };
            (inline, &rest[content_word..])
        } else {
            (Content::Shared(&self.shared[content_word]), rest)
        };
        let number = u64::from(word(44)) | u64::from(word(48)) << 32;
        let conn = ConnId { core: CoreId::new(head[2] as usize), slot: word(8), generation: word(12) };
        let entry = Entry {
            account: AccountId(word(4)),
            origin: Origin { conn, number, share: word(36) },
            no_echo: flags & NO_ECHO != 0,
            report: flags & REPORT != 0,
            plain: flags & PLAIN != 0,
            hops: head[1],
            groups: Groups(groups),
            subject,
            reply,
            header_len: word(28),
            content,
        };
        Some((entry, self.bytes.len() - rest.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;
    use std::sync::Arc;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let origin =
            Origin { conn: ConnId { core: CoreId::new(3), slot: 9, generation: 77 }, number: 1 << 40, share: 5 << 20 };
        let buffer = Arc::new(Buffer::new(10));
        let shared = Shared::of(&buffer, &buffer.bytes()[2..9]);
        let mut names = Vec::new();
        Groups::push(&mut names, b"q");
        Groups::push(&mut names, b"workers");
        let small = Entry {
            account: AccountId(5),
            origin,
            no_echo: true,
            report: true,
            plain: false,
            hops: 0,
            groups: Groups::new(&names),
            subject: b"a.b",
            reply: b"_INBOX.1",
            header_len: 4,
            content: Content::Inline { whole: b" 8\r\nheadbody\r\n", line: 4, end: 14 },
        };
        let large =
            Entry { groups: Groups::default(), reply: b"", plain: true, content: Content::Shared(&shared), ..small };
        let mut batch = Batch::default();
        batch.push(&small);
        batch.push(&large);
        batch.push(&Entry { hops: 3, ..small });
        assert_eq!(batch.feeders, [origin.conn]);
        let (got, next) = batch.entry(0).unwrap();
        assert_eq!(got.content.bytes(), b"headbody\r\n");
        assert_eq!(
            (got.origin, got.subject, got.reply, got.hops),
            (origin, b"a.b".as_slice(), b"_INBOX.1".as_slice(), 0)
        );
        assert!(got.no_echo && got.report && !got.plain && got.header_len == 4);
        assert_eq!(got.groups.iter().collect::<Vec<_>>(), [b"q".as_slice(), b"workers"]);
        let (got, next) = batch.entry(next).unwrap();
        assert_eq!(got.content.bytes().len(), 7);
        assert!(got.plain && got.groups.is_empty());
        let (_, end) = batch.entry(next).unwrap();
        assert!(batch.entry(end).is_none());
        assert!(batch.cost() > 7);
        // What one large message took is not kept for small ones.
        let long = vec![b'x'; KEPT_BYTES_MAX];
        batch.push(&Entry { content: Content::Inline { whole: &long, line: 0, end: long.len() }, ..small });
        batch.clear();
        assert_eq!(batch.room(), 0);
        batch.push(&small);
        batch.clear();
        assert!(batch.is_empty() && batch.room() > 0);
    }
}
