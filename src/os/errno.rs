//! What the kernel said, in the words that the peer's lines have: lower case, without the number.
//!
//! Must not decide anything by text: callers match on `ErrorKind`.

use std::io;

/// `no such file or directory` for what Rust prints as `No such file or directory (os error 2)`.
pub fn text(error: &io::Error) -> String {
    let full = error.to_string();
    let Some(code) = error.raw_os_error() else {
        return full;
    };
    let words = full.strip_suffix(&format!(" (os error {code})")).unwrap_or(&full);
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_peer() {
        assert_eq!(text(&io::Error::from_raw_os_error(2)), "no such file or directory");
        assert_eq!(text(&io::Error::from_raw_os_error(98)), "address already in use");
        assert_eq!(text(&io::Error::other("odd")), "odd");
    }
}
