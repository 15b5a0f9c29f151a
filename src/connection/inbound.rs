//! What was read from one client and not acted on yet.
//!
//! A core reads into its own blocks; only what is not a whole operation, or had to wait, is kept here. An operation too large to
//! be moved about is read straight into a block that it ends in.

use std::ops::Range;
use std::sync::Arc;

use crate::buffer::{Buffer, LargeBlocks};
use crate::limits::{BULK_MESSAGE_BYTES_MIN, BULK_READ_BYTES, READ_BUFFER_BYTES};

/// An operation from this size on gets a block of its own when it does not arrive whole. Where much follows at once, from the size of
/// the usual block on: the rest of it is read together with what comes behind it.
pub const LARGE_OP_BYTES_MIN: usize = 32 * 1024;

/// The rest of what a client sent.
#[derive(Debug, Default)]
pub enum Inbound {
    /// Nothing: an idle connection holds no buffer.
    #[default]
    Empty,
    /// The beginning of an operation, or operations that wait; goes in front of what is read next.
    Rest(Vec<u8>),
    /// An operation that is being read into its final place, the front of the buffer.
    Large {
        /// At least as long as the operation; what lies behind that is older.
        buffer: Buffer,
        /// How much of it is there.
        filled: usize,
        /// How long it is.
        op_bytes: usize,
    },
}

/// What was read: a block and the part of it that holds operations.
#[derive(Debug)]
pub struct Input {
    /// Where it was read into.
    pub block: Arc<Buffer>,
    /// What of that is from this client, and to be acted on.
    pub part: Range<usize>,
    /// The read took all that there was room for: more is there, probably.
    pub full: bool,
}

impl Inbound {
    /// Keeps what of `input` begins at `from`: the beginning of an operation of `op_bytes` in all (0: not known yet). The block goes
    /// back to `blocks`, or is kept where the operation already lies at its front.
    pub fn keep(input: Input, from: usize, op_bytes: usize, blocks: &mut LargeBlocks) -> Self {
        let Input { block, part, full } = input;
        let moves = if full { READ_BUFFER_BYTES } else { LARGE_OP_BYTES_MIN };
        let filled = part.end.saturating_sub(from);
        let is_large = op_bytes >= moves && op_bytes > filled;
        let whole =
            if is_large && from == 0 && block.bytes().len() >= op_bytes { Arc::try_unwrap(block) } else { Err(block) };
        let block = match whole {
            Ok(buffer) => return Self::Large { buffer, filled, op_bytes },
            Err(block) => block,
        };
        let rest = block.bytes().get(from..part.end).unwrap_or_default();
        let inbound = if is_large {
            let mut buffer = blocks.take(op_bytes);
            if let Some(to) = buffer.bytes_mut().get_mut(..filled) {
                to.copy_from_slice(rest);
            }
            Self::Large { buffer, filled, op_bytes }
        } else if rest.is_empty() {
            Self::Empty
        } else {
            Self::Rest(rest.to_vec())
        };
        blocks.keep(block);
        inbound
    }

    /// Bytes held here.
    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Rest(rest) => rest.len(),
            Self::Large { filled, .. } => *filled,
        }
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl Input {
    /// Room that the next read should have (0: the usual), when `acted` bytes of this one were so many messages, and then came the
    /// beginning of an operation of `op_bytes`: who sends large messages as fast as they are taken is read in fewer and larger pieces.
    pub fn room_for_next(&self, acted: usize, messages: u64, op_bytes: usize) -> usize {
        if op_bytes >= READ_BUFFER_BYTES {
            op_bytes
        } else if !self.full || messages == 0 || (acted as u64) < BULK_MESSAGE_BYTES_MIN as u64 * messages {
            0
        } else if messages == 1 {
            acted.max(BULK_READ_BYTES)
        } else {
            BULK_READ_BYTES
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LARGE_BLOCKS_BYTES_MAX;

    fn input(block: Buffer, part: Range<usize>, full: bool) -> Input {
        Input { block: Arc::new(block), part, full }
    }

    fn written(bytes: usize) -> Buffer {
        let mut block = Buffer::new(bytes);
        block.bytes_mut().iter_mut().zip(0..).for_each(|(byte, n)| *byte = (n % 251) as u8);
        block
    }

    #[test]
    fn what_is_cut_is_kept_where_it_fits() {
        let mut blocks = LargeBlocks::default();
        let whole = written(READ_BUFFER_BYTES);
        let bytes = whole.bytes().to_vec();
        // Small, or soon followed by more: a copy of the rest.
        for (op_bytes, full) in [(0, false), (LARGE_OP_BYTES_MIN - 1, false), (READ_BUFFER_BYTES - 1, true)] {
            let kept = Inbound::keep(input(written(READ_BUFFER_BYTES), 0..9_000, full), 1_000, op_bytes, &mut blocks);
            assert!(matches!(&kept, Inbound::Rest(rest) if *rest == bytes[1_000..9_000]), "{op_bytes} {full}");
        }
        // Large: in the front of a block that it fits into.
        for (op_bytes, full) in [(LARGE_OP_BYTES_MIN, false), (1 << 20, false), (1 << 20, true)] {
            let kept = Inbound::keep(input(written(READ_BUFFER_BYTES), 0..9_000, full), 1_000, op_bytes, &mut blocks);
            let Inbound::Large { buffer, filled, op_bytes: of } = kept else { panic!("{op_bytes} {full}") };
            assert_eq!((filled, of), (8_000, op_bytes));
            assert!(buffer.bytes().len() >= op_bytes && buffer.bytes()[..filled] == bytes[1_000..9_000]);
        }
        let nothing = Inbound::keep(input(written(READ_BUFFER_BYTES), 0..9_000, true), 9_000, 0, &mut blocks);
        assert!(nothing.is_empty());
        assert_eq!(blocks.bytes(), 0, "these blocks are another pool's");
    }

    #[test]
    fn an_operation_at_the_front_of_a_block_that_it_fits_into_stays_there() {
        let mut blocks = LargeBlocks::default();
        let block = blocks.take(1 << 20);
        let place = block.bytes().as_ptr();
        let kept = Inbound::keep(input(block, 0..500_000, false), 0, 1 << 20, &mut blocks);
        let Inbound::Large { buffer, filled, .. } = kept else { panic!("it is large") };
        assert_eq!((buffer.bytes().as_ptr(), filled, blocks.bytes()), (place, 500_000, 0));
        // Behind another one it has to move, and the block is there for the next read.
        let kept = Inbound::keep(input(buffer, 0..500_000, false), 100_000, 1 << 20, &mut blocks);
        assert!(matches!(&kept, Inbound::Large { filled: 400_000, buffer, .. } if buffer.bytes().as_ptr() != place));
        assert_eq!(blocks.take(1 << 20).bytes().as_ptr(), place);
    }

    #[test]
    fn only_who_fills_reads_with_large_messages_is_read_in_bulk() {
        let of = |full: bool, acted: usize, messages: u64, op_bytes: usize| {
            input(Buffer::new(1), 0..acted + 10, full).room_for_next(acted, messages, op_bytes)
        };
        assert_eq!(of(true, 100_000, 25, 4_000), BULK_READ_BYTES);
        assert_eq!(of(true, 100_000, 1, 0), BULK_READ_BYTES);
        assert_eq!(of(true, 2_000_000, 1, 0), 2_000_000, "the next will be as large");
        assert_eq!(of(false, 10, 0, 300_000), 300_000);
        assert_eq!((of(true, 100_000, 800, 128), of(true, 100_000, 0, 0), of(false, 100_000, 25, 0)), (0, 0, 0));
        assert!(of(true, 0, 0, 8 << 20) < LARGE_BLOCKS_BYTES_MAX);
    }
}
