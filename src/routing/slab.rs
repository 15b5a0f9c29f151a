//! Values in chunks, known by a number.
//!
//! Owns the values. Growing never moves one (a turn of the core must stay short), and a chunk that has become empty is
//! given back, but for one that is kept for the next value.
//! Invariant: `open` names every chunk that has room; a number is taken in `used` exactly while its value is alive.

const CHUNK: usize = 256;
const WORDS: usize = CHUNK / 64;

#[derive(Debug)]
struct Chunk<T> {
    slots: [T; CHUNK],
    used: [u64; WORDS],
    length: u16,
    /// Named in `open`.
    open: bool,
}

impl<T: Default> Chunk<T> {
    fn new() -> Box<Self> {
        let slots = std::array::from_fn(|_| T::default());
        Box::new(Self { slots, used: [0; WORDS], length: 0, open: true })
    }
}

/// A slab whose vacant places hold `T::default()`.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// `None`: given back; its numbers may be used again.
    chunks: Vec<Option<Box<Chunk<T>>>>,
    /// Chunks with room, the next to be filled last. May name some that are full or gone: they are dropped when met.
    open: Vec<u32>,
    /// Numbers of chunks that were given back.
    vacant: Vec<u32>,
    /// An empty chunk that is kept.
    spare: Option<u32>,
    length: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), open: Vec::new(), vacant: Vec::new(), spare: None, length: 0 }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "numbers are handed out by this slab and never come from a peer; a wrong one is our own fault"
)]
impl<T: Default> Slab<T> {
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// The value of a number that `insert` gave; a vacant number gives the default, one that never was panics.
    #[inline]
    pub(super) fn at(&self, number: u32) -> &T {
        match &self.chunks[number as usize / CHUNK] {
            Some(chunk) => &chunk.slots[number as usize % CHUNK],
            None => gone(number),
        }
    }

    #[inline]
    pub(super) fn at_mut(&mut self, number: u32) -> &mut T {
        match &mut self.chunks[number as usize / CHUNK] {
            Some(chunk) => &mut chunk.slots[number as usize % CHUNK],
            None => gone(number),
        }
    }

    /// Whether a value is alive under that number.
    pub(super) fn contains(&self, number: u32) -> bool {
        let place = number as usize % CHUNK;
        let chunk = self.chunks.get(number as usize / CHUNK).and_then(Option::as_deref);
        chunk.is_some_and(|chunk| chunk.used[place / 64] >> (place % 64) & 1 == 1)
    }

    /// # Panics
    /// At 2^32 - 1 values: memory ends before.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        let at = self.with_room();
        let Some(chunk) = self.chunks[at].as_mut() else { gone(at as u32) };
        let word = chunk.used.iter().position(|w| *w != u64::MAX).unwrap_or(0);
        let place = word * 64 + chunk.used[word].trailing_ones() as usize;
        chunk.used[word] |= 1 << (place % 64);
        chunk.slots[place] = value;
        chunk.length += 1;
        if self.spare == Some(at as u32) {
            self.spare = None;
        }
        self.length += 1;
        (at * CHUNK + place) as u32
    }

    /// A chunk that has room.
    fn with_room(&mut self) -> usize {
        while let Some(number) = self.open.last() {
            let at = *number as usize;
            match &mut self.chunks[at] {
                Some(chunk) if usize::from(chunk.length) < CHUNK => return at,
                Some(chunk) => chunk.open = false,
                None => {}
            }
            self.open.pop();
        }
        let at = match self.vacant.pop() {
            Some(number) => number as usize,
            None => {
                assert!(self.chunks.len() < u32::MAX as usize / CHUNK, "numbers have run out");
                self.chunks.push(None);
                self.chunks.len() - 1
            }
        };
        self.chunks[at] = Some(Chunk::new());
        self.open.push(at as u32);
        at
    }

    pub(super) fn remove(&mut self, number: u32) -> T {
        debug_assert!(self.contains(number), "{number} is not alive");
        let (at, place) = (number as usize / CHUNK, number as usize % CHUNK);
        let Some(chunk) = self.chunks[at].as_mut() else { gone(number) };
        let value = std::mem::take(&mut chunk.slots[place]);
        chunk.used[place / 64] &= !(1 << (place % 64));
        chunk.length -= 1;
        self.length -= 1;
        if !chunk.open {
            chunk.open = true;
            self.open.push(at as u32);
        }
        if chunk.length == 0 {
            match self.spare {
                None => self.spare = Some(at as u32),
                Some(spare) if spare as usize == at => {}
                Some(_) => {
                    self.chunks[at] = None;
                    self.vacant.push(at as u32);
                }
            }
        }
        value
    }

    /// The number behind the last one that may be alive.
    pub(super) const fn numbers_end(&self) -> u32 {
        (self.chunks.len() * CHUNK) as u32
    }

    /// Bytes that the slab has from the allocator, without what its values own.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let chunks = self.chunks.iter().flatten().count() * size_of::<Chunk<T>>();
        let lists = self.open.capacity() + self.vacant.capacity();
        chunks + self.chunks.capacity() * size_of::<usize>() + lists * size_of::<u32>()
    }

    /// Every value that is alive, with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.chunks.iter().enumerate().flat_map(|(at, chunk)| {
            let slots = chunk.iter().flat_map(move |c| c.slots.iter().zip(0..CHUNK).map(move |(v, i)| (c, i, v)));
            let alive = slots.filter(|(c, i, _)| c.used[i / 64] >> (i % 64) & 1 == 1);
            alive.map(move |(_, i, value)| ((at * CHUNK + i) as u32, value))
        })
    }
}

#[cold]
#[inline(never)]
fn gone(number: u32) -> ! {
    unreachable!("{number} was given back")
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, Slab};

    #[test]
    fn numbers_are_stable_and_chunks_return() {
        let mut slab = Slab::default();
        let mut rng = super::super::Rng::new(3);
        let mut alive: Vec<(u32, u64)> = Vec::new();
        for round in 0..40_000_u64 {
            let growing = round / 10_000 % 2 == 0;
            if rng.below(10) < if growing { 8 } else { 1 } || alive.is_empty() {
                alive.push((slab.insert(round), round));
            } else {
                let (number, value) = alive.swap_remove(rng.below(alive.len() as u64) as usize);
                assert_eq!(slab.remove(number), value);
                assert!(!slab.contains(number));
            }
            assert_eq!(slab.len(), alive.len());
        }
        for (number, value) in &alive {
            assert_eq!(slab.at(*number), value);
        }
        let mut all: Vec<(u32, u64)> = slab.iter().map(|(n, v)| (n, *v)).collect();
        all.sort_unstable();
        alive.sort_unstable();
        assert_eq!(all, alive);
        for (number, _) in alive {
            slab.remove(number);
        }
        assert_eq!(slab.chunks.iter().flatten().count(), 1, "one empty chunk is kept");
        assert!(slab.open.len() <= slab.chunks.len());
        assert_eq!(slab.insert(1) as usize / CHUNK, slab.chunks.iter().position(Option::is_some).unwrap());
    }
}
