//! Bytes waiting to be written to one client.
//!
//! Owns the queue, its byte count and the place up to which it may be written. Does no I/O: `reactor::io` writes what
//! [`Outbound::slices`] offers. Chunks come from a core's [`ChunkPool`] and go back to it; an idle connection holds none.
//! Invariant: `pending_bytes` is the sum of the segments' lengths.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::buffer::Shared;

/// Sizes of chunks: a connection that has little to send holds little.
const CHUNK_BYTES: [usize; 3] = [2 * 1024, 16 * 1024, CHUNK_BYTES_MAX];
const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// Bytes of empty chunks that a core keeps.
const POOL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes behind what was asked for that a [`Writer`] may scribble on: short pieces are copied in blocks of this size, since a
/// block of known size takes a few instructions and a piece of unknown size a call.
pub const SLACK_BYTES: usize = 64;

/// Memory that bytes are appended to. All of it is initialised, so that it can be written in blocks.
#[derive(Debug, Default)]
struct Chunk {
    memory: Box<[u8]>,
    len: usize,
}

impl Chunk {
    fn new(size: usize) -> Self {
        Self { memory: vec![0; size].into_boxed_slice(), len: 0 }
    }

    fn bytes(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }

    fn room(&self) -> usize {
        self.memory.len() - self.len
    }

    fn drop_front(&mut self, count: usize) {
        self.memory.copy_within(count..self.len, 0);
        self.len -= count;
    }
}

/// Empty chunks of one core.
#[derive(Debug, Default)]
pub struct ChunkPool {
    free: [Vec<Box<[u8]>>; CHUNK_BYTES.len()],
    free_bytes: usize,
    filled_bytes: usize,
}

impl ChunkPool {
    /// An empty chunk with room for `bytes`, larger than one that has become full with `filled` (0: the first of a run).
    fn take(&mut self, filled: usize, bytes: usize) -> Chunk {
        self.filled_bytes += filled;
        let wanted = bytes.max(filled.saturating_mul(4).min(CHUNK_BYTES_MAX));
        let class = CHUNK_BYTES.iter().position(|&size| size >= wanted);
        let Some((size, free)) = class.and_then(|c| CHUNK_BYTES.get(c).zip(self.free.get_mut(c))) else {
            return Chunk::new(bytes); // larger than any class: its own, not pooled
        };
        match free.pop() {
            Some(memory) => {
                self.free_bytes -= size;
                Chunk { memory, len: 0 }
            }
            None => Chunk::new(*size),
        }
    }

    fn give(&mut self, chunk: Chunk) {
        let size = chunk.memory.len();
        let class = CHUNK_BYTES.iter().position(|&s| s == size);
        if let Some(free) = class.and_then(|c| self.free.get_mut(c))
            && self.free_bytes + size <= POOL_BYTES_MAX
        {
            free.push(chunk.memory);
            self.free_bytes += size;
        }
    }

    /// Frees them all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bytes of the chunks that have become full since this was last forgotten.
    #[inline]
    pub fn filled_bytes(&self) -> usize {
        self.filled_bytes
    }

    /// Begins to count them anew.
    pub fn forget_filled(&mut self) {
        self.filled_bytes = 0;
    }

    /// Bytes of empty chunks.
    pub fn free_bytes(&self) -> usize {
        self.free_bytes
    }
}

#[derive(Debug)]
enum Segment {
    Chunk(Chunk),
    Shared(Shared),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Chunk(chunk) => chunk.bytes(),
            Self::Shared(shared) => shared.bytes(),
        }
    }
}

/// A place for one message: pieces are put one behind the other.
#[derive(Debug)]
pub struct Writer<'a> {
    rest: &'a mut [u8],
}

impl<'a> Writer<'a> {
    /// Writes to the front of `rest`.
    #[inline]
    pub fn new(rest: &'a mut [u8]) -> Self {
        Self { rest }
    }

    /// A piece.
    #[inline]
    pub fn put(&mut self, piece: &[u8]) {
        let (to, rest) = std::mem::take(&mut self.rest).split_at_mut(piece.len());
        to.copy_from_slice(piece);
        self.rest = rest;
    }

    /// A piece that is mostly short: without a call where it has 8 to 16 bytes.
    #[inline]
    pub fn put_short(&mut self, piece: &[u8]) {
        let len = piece.len();
        if let (8..=16, Some(first), Some(last)) = (len, piece.first_chunk::<8>(), piece.last_chunk::<8>()) {
            let (to, rest) = std::mem::take(&mut self.rest).split_at_mut(len);
            if let Some(to) = to.first_chunk_mut() {
                *to = *first;
            }
            if let Some(to) = to.last_chunk_mut() {
                *to = *last;
            }
            self.rest = rest;
            return;
        }
        self.put(piece);
    }

    /// The first `len` bytes of a block.
    #[inline]
    pub fn put_front<const N: usize>(&mut self, block: &[u8; N], len: usize) {
        const { assert!(N <= SLACK_BYTES, "a block fits into the slack") };
        if let Some(to) = self.rest.first_chunk_mut() {
            *to = *block;
        }
        self.rest = std::mem::take(&mut self.rest).split_at_mut(len).1;
    }

    /// A piece that lies in a larger one from `start` to `end`: where it is short and what follows it may be read, as a block.
    #[inline]
    pub fn put_part(&mut self, whole: &[u8], start: usize, end: usize) {
        match whole.get(start..).and_then(<[u8]>::first_chunk::<SLACK_BYTES>) {
            Some(block) if end - start <= SLACK_BYTES => self.put_front(block, end - start),
            _ => self.put(whole.get(start..end).unwrap_or_default()),
        }
    }
}

/// The queue of one connection.
#[derive(Debug, Default)]
pub struct Outbound {
    /// In front of `tail`.
    sealed: VecDeque<Segment>,
    /// Where bytes are added.
    tail: Chunk,
    /// Bytes of the first segment that have been written.
    written: usize,
    /// Bytes not written yet.
    pending_bytes: u64,
    /// Bytes ever added.
    added: u64,
    /// The first PONG or +OK that is not written yet, as a position in all that was ever added.
    answer: Option<u64>,
    /// There may be shared segments.
    has_shared: bool,
}

impl Outbound {
    /// Bytes not written yet.
    pub fn pending_bytes(&self) -> u64 {
        self.pending_bytes
    }

    /// Into how many pieces of memory they are divided.
    pub fn chunks(&self) -> usize {
        self.sealed.len() + usize::from(self.tail.len > 0)
    }

    /// Bytes ever added: the position behind the last.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Room for a message of exactly `bytes`, which counts as queued from now on.
    #[inline]
    pub fn writer(&mut self, bytes: usize, pool: &mut ChunkPool) -> Writer<'_> {
        if self.tail.room() < bytes + SLACK_BYTES {
            self.grow(bytes + SLACK_BYTES, pool);
        }
        self.pending_bytes += bytes as u64;
        self.added += bytes as u64;
        let start = self.tail.len;
        self.tail.len += bytes;
        Writer { rest: self.tail.memory.get_mut(start..).unwrap_or_default() }
    }

    #[cold]
    fn grow(&mut self, bytes: usize, pool: &mut ChunkPool) {
        let next = pool.take(self.tail.len, bytes);
        let full = std::mem::replace(&mut self.tail, next);
        if full.len == 0 {
            pool.give(full);
        } else {
            self.sealed.push_back(Segment::Chunk(full));
        }
    }

    /// Queues bytes.
    pub fn push(&mut self, bytes: &[u8], pool: &mut ChunkPool) {
        self.writer(bytes.len(), pool).put(bytes);
    }

    /// Queues very many bytes, divided where a chunk of the pool is full.
    pub fn push_long(&mut self, mut bytes: &[u8], pool: &mut ChunkPool) {
        while !bytes.is_empty() {
            let room = match self.tail.room().saturating_sub(SLACK_BYTES) {
                0 => CHUNK_BYTES_MAX - SLACK_BYTES,
                room => room,
            };
            let (piece, rest) = bytes.split_at(bytes.len().min(room));
            self.push(piece, pool);
            bytes = rest;
        }
    }

    /// Queues an answer (PONG, +OK) that must not overtake what its client published before.
    pub fn push_answer(&mut self, bytes: &[u8], pool: &mut ChunkPool) {
        self.answer.get_or_insert(self.added);
        self.push(bytes, pool);
    }

    /// Queues a payload by reference.
    pub fn push_shared(&mut self, shared: &Shared) {
        if self.tail.len > 0 {
            // What is left of the chunk stays unused: a chunk of the pool is a few KiB, a shared payload at least as much.
            self.sealed.push_back(Segment::Chunk(std::mem::take(&mut self.tail)));
        }
        self.pending_bytes += shared.len() as u64;
        self.added += shared.len() as u64;
        self.has_shared = true;
        self.sealed.push_back(Segment::Shared(shared.clone()));
    }

    /// Fills `slices` with what is to be written next and says how many bytes that is.
    ///
    /// `answers_wait`: nothing from the first PONG or +OK on may leave yet.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>], answers_wait: bool) -> (usize, u64) {
        let done = self.added - self.pending_bytes;
        let mut allowed = match self.answer {
            Some(at) if answers_wait => at.saturating_sub(done),
            _ => self.pending_bytes,
        };
        let (mut count, mut total, mut skip) = (0, 0, self.written);
        let segments = self.sealed.iter().map(Segment::bytes).chain(std::iter::once(self.tail.bytes()));
        for (slice, segment) in slices.iter_mut().zip(segments) {
            let rest = segment.get(skip..).unwrap_or_default();
            skip = 0;
            let take = rest.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
            if take == 0 {
                break;
            }
            *slice = IoSlice::new(rest.get(..take).unwrap_or_default());
            allowed -= take as u64;
            total += take as u64;
            count += 1;
        }
        (count, total)
    }

    /// The kernel has taken the next `bytes`.
    pub fn advance(&mut self, bytes: usize, pool: &mut ChunkPool) {
        debug_assert!(bytes as u64 <= self.pending_bytes, "the kernel cannot take more than we offered");
        self.pending_bytes -= bytes as u64;
        self.written += bytes;
        if self.answer.is_some_and(|at| at < self.added - self.pending_bytes) {
            self.answer = None;
        }
        while let Some(first) = self.sealed.front() {
            let len = first.bytes().len();
            if self.written < len {
                return;
            }
            self.written -= len;
            if let Some(Segment::Chunk(chunk)) = self.sealed.pop_front() {
                pool.give(chunk);
            }
        }
        if self.written == self.tail.len {
            pool.give(std::mem::take(&mut self.tail));
            self.written = 0;
            self.has_shared = false;
            if self.sealed.capacity() > 64 {
                self.sealed = VecDeque::new();
            }
        }
    }

    /// What could not be written now and is held by reference becomes this queue's own: a turn ends, and a slow receiver of a
    /// small part must not keep a whole buffer. What is most of its buffer stays: a copy would hold as much.
    pub fn keep(&mut self) {
        if !self.has_shared {
            return;
        }
        self.has_shared = false;
        let mut skip = std::mem::take(&mut self.written);
        for segment in &mut self.sealed {
            match segment {
                Segment::Shared(shared) => {
                    shared.advance(skip);
                    if shared.is_most_of_its_buffer() {
                        self.has_shared = true;
                    } else {
                        *segment = Segment::Chunk(Chunk { memory: shared.bytes().into(), len: shared.len() });
                    }
                }
                Segment::Chunk(chunk) if skip > 0 => chunk.drop_front(skip.min(chunk.len)),
                Segment::Chunk(_) => {}
            }
            skip = 0;
        }
        if skip > 0 {
            self.tail.drop_front(skip.min(self.tail.len));
        }
    }

    /// Writes everything off; the bytes that were lost.
    pub fn discard(&mut self, pool: &mut ChunkPool) -> u64 {
        let lost = self.pending_bytes;
        for segment in std::mem::take(&mut self.sealed) {
            if let Segment::Chunk(chunk) = segment {
                pool.give(chunk);
            }
        }
        pool.give(std::mem::take(&mut self.tail));
        (self.written, self.pending_bytes, self.answer, self.has_shared) = (0, 0, None, false);
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;
    use std::sync::Arc;

    fn offered(out: &Outbound, wait: bool) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 8];
        let (count, total) = out.slices(&mut slices, wait);
        let bytes: Vec<u8> = slices[..count].iter().flat_map(|s| s.to_vec()).collect();
        assert_eq!(bytes.len() as u64, total);
        bytes
    }

    #[test]
    fn bytes_leave_in_order_however_much_the_kernel_takes() {
        let mut pool = ChunkPool::default();
        let buffer = Arc::new(Buffer::new(5000));
        for step in [1, 7, 1999, 2048, 100_000] {
            let (mut out, mut want) = (Outbound::default(), Vec::new());
            for i in 0..50_usize {
                let part = vec![i as u8; i * 37];
                out.push(&part, &mut pool);
                want.extend_from_slice(&part);
                if i % 10 == 3 {
                    out.push_shared(&Shared::of(&buffer, &buffer.bytes()[i..4000 + i]));
                    want.resize(want.len() + 4000, 0);
                }
            }
            let (mut got, mut turn) = (Vec::new(), 0);
            while out.pending_bytes() > 0 {
                let bytes = offered(&out, false);
                let take = step.min(bytes.len());
                got.extend_from_slice(&bytes[..take]);
                out.advance(take, &mut pool);
                turn += 1;
                if turn % 3 == 0 {
                    out.keep();
                }
            }
            assert!(got == want, "step {step}");
            assert_eq!(out.added(), want.len() as u64);
        }
        assert_eq!(Arc::strong_count(&buffer), 1);
    }

    #[test]
    fn what_is_long_is_divided_over_chunks_of_the_pool() {
        let mut pool = ChunkPool::default();
        let mut out = Outbound::default();
        let mut want = vec![b'x'; 100];
        out.push(&want, &mut pool);
        let long: Vec<u8> = (0..300_000_u32).map(|byte| (byte % 251) as u8).collect();
        out.push_long(&long, &mut pool);
        out.push_long(b"", &mut pool);
        want.extend_from_slice(&long);
        assert!(offered(&out, false) == want);
        let full = out.sealed.iter().map(|segment| segment.bytes().len()).sum::<usize>();
        assert_eq!(pool.filled_bytes(), full);
        out.discard(&mut pool);
        assert!(pool.free_bytes() >= want.len(), "no chunk is of a size that the pool does not keep");
    }

    #[test]
    fn most_of_a_buffer_stays_and_a_small_part_is_copied() {
        let mut pool = ChunkPool::default();
        let buffer = Arc::new(Buffer::new(100_000));
        let mut out = Outbound::default();
        out.push_shared(&Shared::of(&buffer, &buffer.bytes()[..90_000]));
        out.advance(30_000, &mut pool);
        out.keep();
        assert_eq!((Arc::strong_count(&buffer), out.pending_bytes()), (2, 60_000));
        out.advance(30_000, &mut pool);
        out.keep();
        assert_eq!((Arc::strong_count(&buffer), out.pending_bytes()), (1, 30_000));
        assert_eq!(offered(&out, false).len(), 30_000);
    }

    #[test]
    fn nothing_from_an_answer_on_leaves_while_it_must_wait() {
        let mut pool = ChunkPool::default();
        let mut out = Outbound::default();
        out.push(b"MSG 1", &mut pool);
        out.push_answer(b"PONG", &mut pool);
        out.push(b"MSG 2", &mut pool);
        assert_eq!(offered(&out, true), b"MSG 1");
        out.advance(5, &mut pool);
        assert_eq!(offered(&out, true), b"");
        assert_eq!(offered(&out, false), b"PONGMSG 2");
        out.advance(4, &mut pool);
        assert_eq!(offered(&out, true), b"MSG 2");
    }

    #[test]
    fn chunks_go_back_and_the_pool_is_bounded() {
        let mut pool = ChunkPool::default();
        let mut out = Outbound::default();
        for _ in 0..30_000 {
            out.push(&[0; 1000], &mut pool);
        }
        out.discard(&mut pool);
        assert!(pool.free_bytes() > 0 && pool.free_bytes() <= POOL_BYTES_MAX);
        assert_eq!(out.pending_bytes(), 0);
    }
}
