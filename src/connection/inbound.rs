//! What was read from one client and not acted on yet.
//!
//! A core reads into its own buffer; only what is not a whole operation, or had to wait, is kept here. An operation too large to
//! be moved about is read straight into a buffer of its size.

use crate::buffer::Buffer;

/// An operation from this size on gets a buffer of its own when it does not arrive whole.
pub const LARGE_OP_BYTES_MIN: usize = 32 * 1024;

/// The rest of what a client sent.
#[derive(Debug, Default)]
pub enum Inbound {
    /// Nothing: an idle connection holds no buffer.
    #[default]
    Empty,
    /// The beginning of an operation, or operations that wait; goes in front of what is read next.
    Rest(Vec<u8>),
    /// An operation that is being read into its final place.
    Large {
        /// Exactly as long as the operation.
        buffer: Buffer,
        /// How much of it is there.
        filled: usize,
    },
}

impl Inbound {
    /// Keeps `rest`, the beginning of an operation of `op_bytes` in all (0: not known yet).
    pub fn keep(rest: &[u8], op_bytes: usize) -> Self {
        if rest.is_empty() {
            return Self::Empty;
        }
        if op_bytes >= LARGE_OP_BYTES_MIN && op_bytes > rest.len() {
            let mut buffer = Buffer::new(op_bytes);
            if let Some(to) = buffer.bytes_mut().get_mut(..rest.len()) {
                to.copy_from_slice(rest);
            }
            return Self::Large { buffer, filled: rest.len() };
        }
        Self::Rest(rest.to_vec())
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
