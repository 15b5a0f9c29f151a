//! Randomness of the system, for keys, passwords and names of files.
//!
//! Owns the one call to it. Invariant: a buffer is filled whole or not at all.

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// Fills the buffer.
///
/// # Errors
/// The system gives none.
pub(crate) fn fill(buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match getrandom(rest, GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_long_buffer_is_filled_to_its_end() {
        let (mut first, mut second) = ([0; 1024], [0; 1024]);
        fill(&mut first).expect("the system has some");
        fill(&mut second).expect("the system has some");
        assert_ne!(first, second);
        assert_ne!(first[992..], [0; 32]);
    }
}
