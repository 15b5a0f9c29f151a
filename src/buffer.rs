//! Bytes that came from a socket, shared by reference while a turn lasts.
//!
//! A core reads into a [`Buffer`] that it owns through an `Arc`. A large payload is not copied to its receivers: each holds a
//! [`Shared`], a range of the buffer. What could not be written at the end of a turn is copied out (`connection::outbound`)
//! where it is the smaller part of its buffer, so that a slow receiver of four kilobytes does not keep a buffer of a hundred.

use std::sync::Arc;

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

/// Blocks of one size, used again as soon as nobody holds a range of them.
#[derive(Debug)]
pub struct BufferPool {
    current: Arc<Buffer>,
    spare: Vec<Arc<Buffer>>,
    block_bytes: usize,
    spare_max: usize,
}

impl BufferPool {
    /// Blocks of `block_bytes`; at most `spare_max` are kept beside the current one.
    pub fn new(block_bytes: usize, spare_max: usize) -> Self {
        Self { current: Arc::new(Buffer::new(block_bytes)), spare: Vec::new(), block_bytes, spare_max }
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
        (1 + self.spare.len()) * self.block_bytes
    }

    /// Frees those that are not in use.
    pub fn clear(&mut self) {
        self.spare = Vec::new();
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
