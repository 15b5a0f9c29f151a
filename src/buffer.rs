//! Bytes that came from a socket, shared by reference while a turn lasts.
//!
//! A core reads into a [`Buffer`] that it owns through an `Arc`. A large payload is not copied to its receivers: each holds a
//! [`Shared`], a range of the buffer. What could not be written at the end of a turn is copied out (`connection::outbound`)
//! where it is the smaller part of its buffer, so that a slow receiver of four kilobytes does not keep a buffer of a hundred.
//!
//! Blocks are used again ([`BufferPool`], [`LargeBlocks`]): memory that is new costs a page fault every four kilobytes, more than
//! reading into it. What a block holds from before is never looked at: a reader goes as far as it has written.

use std::sync::Arc;

use crate::limits::LARGE_BLOCKS_BYTES_MAX;

/// A block of bytes to read into. Its length never changes.
#[derive(Debug)]
pub struct Buffer {
    bytes: Box<[u8]>,
}

impl Buffer {
    /// `len` zero bytes; the kernel gives the pages when they are first written.
    pub fn new(len: usize) -> Self {
        Self { bytes: vec![0; len].into_boxed_slice() }
    }

    /// The whole block.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole block, to read into.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// A range of a buffer, held by reference.
#[derive(Clone, Debug)]
pub struct Shared {
    buffer: Arc<Buffer>,
    start: usize,
    end: usize,
}

impl Shared {
    /// The range of `part`, which must be a part of `buffer`.
    ///
    /// # Panics
    /// Where it is not: a range of foreign bytes would be sent to somebody.
    pub fn of(buffer: &Arc<Buffer>, part: &[u8]) -> Self {
        let start = (part.as_ptr().addr()).wrapping_sub(buffer.bytes.as_ptr().addr());
        let end = start.wrapping_add(part.len());
        assert!(start <= end && end <= buffer.bytes.len(), "a shared range lies within its buffer");
        Self { buffer: Arc::clone(buffer), start, end }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer.bytes[self.start..self.end]
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether it is at least half of its buffer, so that holding it costs at most twice what a copy would.
    pub fn is_most_of_its_buffer(&self) -> bool {
        self.len() >= self.buffer.bytes.len().div_ceil(2)
    }

    /// The first `count` bytes have been dealt with.
    pub fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.len(), "only what is there can be dealt with");
        self.start += count;
    }
}

/// Blocks of one size, used again as soon as nobody holds a range of them, and the large ones beside them.
#[derive(Debug)]
pub struct BufferPool {
    /// For what does not fit into the others.
    pub large: LargeBlocks,
    current: Arc<Buffer>,
    spare: Vec<Arc<Buffer>>,
    block_bytes: usize,
    spare_max: usize,
}

impl BufferPool {
    /// Blocks of `block_bytes`; at most `spare_max` are kept beside the current one.
    pub fn new(block_bytes: usize, spare_max: usize) -> Self {
        let current = Arc::new(Buffer::new(block_bytes));
        Self { large: LargeBlocks::default(), current, spare: Vec::new(), block_bytes, spare_max }
    }

    /// A block that nobody holds a range of, ready to be read into.
    pub fn writable(&mut self) -> &mut Buffer {
        if Arc::get_mut(&mut self.current).is_none() {
            self.replace();
        }
        Arc::get_mut(&mut self.current).expect("just replaced by one that nobody else holds")
    }

    /// The block that [`Self::writable`] gave last.
    pub fn current(&self) -> &Arc<Buffer> {
        &self.current
    }

    /// Bytes of all blocks that are kept.
    pub fn bytes(&self) -> usize {
        (1 + self.spare.len()) * self.block_bytes + self.large.bytes()
    }

    /// Frees those that are not in use.
    pub fn clear(&mut self) {
        self.spare = Vec::new();
        self.large.clear();
    }

    #[cold]
    fn replace(&mut self) {
        let free = self.spare.iter_mut().position(|b| Arc::get_mut(b).is_some());
        let next = match free {
            Some(i) => self.spare.swap_remove(i),
            None => Arc::new(Buffer::new(self.block_bytes)),
        };
        let old = std::mem::replace(&mut self.current, next);
        if self.spare.len() < self.spare_max {
            self.spare.push(old);
        }
    }
}

/// Bytes of a large block beyond a power of two: payloads are mostly as large as one, and have a control line before them.
const LINE_BYTES: usize = 4096;

/// Blocks of several sizes, for what does not fit into those of a [`BufferPool`]. Keeps those that were used last.
#[derive(Debug, Default)]
pub struct LargeBlocks {
    /// The one that was used last at the end. Some are held by others too.
    kept: Vec<Arc<Buffer>>,
    bytes: usize,
}

impl LargeBlocks {
    /// A block of at least `bytes`, and less than twice as many where they are many, that nobody else holds a range of.
    pub fn take(&mut self, bytes: usize) -> Buffer {
        let size = Self::size_for(bytes);
        let free = self.kept.iter_mut().rposition(|b| b.bytes.len() == size && Arc::get_mut(b).is_some());
        match free.and_then(|at| Arc::into_inner(self.kept.remove(at))) {
            Some(buffer) => {
                self.bytes -= size;
                buffer
            }
            None => Buffer::new(size),
        }
    }

    /// Remembers a block of [`Self::take`], to give it again when nobody holds a range of it any more. Where that makes too many
    /// bytes, those that were used longest ago are forgotten: whoever still holds them frees them. Blocks of other pools are left to
    /// those.
    pub fn keep(&mut self, block: Arc<Buffer>) {
        let size = block.bytes.len();
        if size != Self::size_for(size) || size > LARGE_BLOCKS_BYTES_MAX {
            return;
        }
        self.bytes += size;
        self.kept.push(block);
        let mut old = 0;
        while self.bytes > LARGE_BLOCKS_BYTES_MAX {
            self.bytes -= self.kept[old].bytes.len();
            old += 1;
        }
        self.kept.drain(..old);
    }

    /// Bytes of all blocks that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees them, or leaves that to those who hold them.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn size_for(bytes: usize) -> usize {
        bytes.saturating_sub(LINE_BYTES).next_power_of_two() + LINE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::READ_BUFFER_BYTES;

    #[test]
    fn a_block_that_is_held_is_not_written_again() {
        let mut pool = BufferPool::new(8, 2);
        pool.writable().bytes_mut()[..4].copy_from_slice(b"abcd");
        let held = Shared::of(pool.current(), &pool.current().bytes()[1..3]);
        pool.writable().bytes_mut().fill(b'x');
        assert_eq!(held.bytes(), b"bc");
    }

    #[test]
    fn a_block_comes_back_when_nobody_holds_it() {
        let mut pool = BufferPool::new(8, 1);
        let first = pool.current().bytes().as_ptr();
        let held = Shared::of(pool.current(), &pool.current().bytes()[..2]);
        pool.writable();
        drop(held);
        let held = Shared::of(pool.current(), &pool.current().bytes()[..2]);
        pool.writable();
        assert_eq!(pool.current().bytes().as_ptr(), first);
        drop(held);
    }

    fn filled(pool: &mut LargeBlocks, bytes: usize, with: u8) -> Arc<Buffer> {
        let mut block = pool.take(bytes);
        block.bytes_mut().fill(with);
        Arc::new(block)
    }

    #[test]
    fn a_large_block_comes_back_when_its_last_holder_lets_go() {
        let mut pool = LargeBlocks::default();
        let block = filled(&mut pool, 200_000, b'a');
        let (place, held) = (block.bytes().as_ptr(), Shared::of(&block, &block.bytes()[7..150_000]));
        pool.keep(block);
        let other = pool.take(200_000);
        assert_ne!(other.bytes().as_ptr(), place, "somebody still reads the first");
        assert!(held.bytes().iter().all(|byte| *byte == b'a'));
        drop(held);
        assert_ne!(pool.take(100_000).bytes().as_ptr(), place, "it is of another size");
        assert_eq!(pool.take(250_000).bytes().as_ptr(), place);
        assert_eq!(pool.bytes(), 0, "what is taken is not the pool's");
    }

    #[test]
    fn a_payload_of_a_power_of_two_fills_its_large_block() {
        let mut pool = LargeBlocks::default();
        for payload in [128 << 10, 1 << 20, 8 << 20] {
            let block = Arc::new(pool.take("PUB a.subject 8388608\r\n\r\n".len() + payload));
            assert!(block.bytes().len() <= payload + LINE_BYTES);
            assert!(Shared::of(&block, &block.bytes()[..payload]).is_most_of_its_buffer());
        }
    }

    #[test]
    fn large_blocks_are_bounded_and_the_last_used_stay() {
        let mut pool = LargeBlocks::default();
        let mut held = Vec::new();
        for n in 0..200_u8 {
            let block = filled(&mut pool, 1 << 20, n);
            held.push(Shared::of(&block, &block.bytes()[..1 << 20]));
            pool.keep(block);
            assert!(pool.bytes() <= LARGE_BLOCKS_BYTES_MAX);
        }
        assert!(pool.bytes() > LARGE_BLOCKS_BYTES_MAX - (2 << 20), "it is used to the full");
        assert!(held.iter().zip(0..).all(|(shared, n)| shared.bytes().iter().all(|byte| *byte == n)));
        let last = held.last().unwrap().bytes().as_ptr();
        held.clear();
        assert_eq!(pool.take(1 << 20).bytes().as_ptr(), last, "what was used last is still in a cache");
        let bytes = pool.bytes();
        let huge = Arc::new(pool.take(2 * LARGE_BLOCKS_BYTES_MAX));
        pool.keep(huge);
        pool.keep(Arc::new(Buffer::new(READ_BUFFER_BYTES)));
        assert_eq!(pool.bytes(), bytes, "neither one that is larger than all may be nor one of another pool is kept");
        pool.clear();
        assert_eq!(pool.bytes(), 0);
    }
}
