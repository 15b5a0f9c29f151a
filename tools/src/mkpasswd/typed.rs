//! What the keys of a terminal mean while a password is typed.
//!
//! Owns the password so far. Does no I/O: `prompt` feeds it byte by byte. Invariants: at most [`TYPED_BYTES_MAX`] bytes,
//! in a buffer that never moves (so no copy stays behind) and is wiped at the end.

use zeroize::Zeroizing;

/// Bytes of a line that are taken; more is an error and not a shorter password.
pub(super) const TYPED_BYTES_MAX: usize = 1024;

/// What a key has led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More keys.
    More,
    /// The line is there.
    Done,
    /// The user does not want to.
    Cancelled,
    /// The line is too long.
    TooLong,
}

/// A line that is being typed.
pub(super) struct Typed {
    bytes: Zeroizing<Vec<u8>>,
}

impl Typed {
    pub(super) fn new() -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(TYPED_BYTES_MAX)) }
    }

    /// Takes one byte of the terminal.
    pub(super) fn take(&mut self, byte: u8) -> Next {
        match byte {
            b'\n' | b'\r' => return Next::Done,
            // Ctrl-C, Ctrl-\
            0x03 | 0x1c => return Next::Cancelled,
            // Ctrl-D: the end of the line, or of the wish to type one.
            0x04 if self.bytes.is_empty() => return Next::Cancelled,
            0x04 => return Next::Done,
            // Backspace
            0x08 | 0x7f => self.remove_last(),
            // Ctrl-U
            0x15 => self.bytes.clear(),
            _ if self.bytes.len() == TYPED_BYTES_MAX => return Next::TooLong,
            byte => self.bytes.push(byte),
        }
        Next::More
    }

    /// The line.
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    /// Takes back the last character, all its bytes.
    fn remove_last(&mut self) {
        while let Some(byte) = self.bytes.pop() {
            let is_continuation = byte & 0b1100_0000 == 0b1000_0000;
            if !is_continuation {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (Next, Vec<u8>) {
        let mut line = Typed::new();
        let mut next = Next::More;
        for &key in keys {
            next = line.take(key);
            if next != Next::More {
                break;
            }
        }
        (next, line.into_bytes().to_vec())
    }

    #[test]
    fn keys_mean_what_they_mean_on_a_terminal() {
        for (keys, expected) in [
            (&b"abc\n"[..], (Next::Done, &b"abc"[..])),
            (b"abc\r", (Next::Done, b"abc")),
            (b"abd\x7fc\n", (Next::Done, b"abc")),
            (b"\x08a\n", (Next::Done, b"a")),
            ("aä\x7fb\n".as_bytes(), (Next::Done, b"ab")),
            (b"wrong\x15right\n", (Next::Done, b"right")),
            (b"ab\x04", (Next::Done, b"ab")),
            (b"\x04", (Next::Cancelled, b"")),
            (b"ab\x03", (Next::Cancelled, b"ab")),
            (b"\n", (Next::Done, b"")),
            (b"ab", (Next::More, b"ab")),
        ] {
            let (next, bytes) = typed(keys);
            assert_eq!((next, &bytes[..]), expected, "{keys:?}");
        }
    }

    #[test]
    fn a_line_has_a_bound_and_its_buffer_does_not_move() {
        let mut line = Typed::new();
        let capacity = line.bytes.capacity();
        for _ in 0..TYPED_BYTES_MAX {
            assert_eq!(line.take(b'a'), Next::More);
        }
        assert_eq!(line.take(b'a'), Next::TooLong);
        assert_eq!(line.bytes.capacity(), capacity);
    }
}
