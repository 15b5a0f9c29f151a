//! Whether two texts of a file mean the same.
//!
//! For tools that change a file: what they have written is read again as the server reads it, includes and variables too.

use super::digest::digest;
use super::file::load_as;
use super::parser::ParseError;
use super::value::Map;
use std::path::Path;

/// The digest of what `text` means where the file at `path` is, without these keys at its top.
///
/// # Errors
/// The first thing that is wrong.
pub fn digest_without(path: &Path, text: &[u8], left_out: &[Vec<u8>]) -> Result<String, ParseError> {
    let map = load_as(path, text)?;
    let mut rest = Map::default();
    let is_left_out = |key: &[u8]| left_out.iter().any(|known| known.eq_ignore_ascii_case(key));
    map.iter().filter(|(key, _)| !is_left_out(key)).for_each(|(key, node)| rest.insert(key, node.clone()));
    Ok(digest(&rest))
}

#[cfg(test)]
mod tests {
    use super::digest_without;
    use std::path::Path;

    #[test]
    fn what_is_left_out_does_not_count() {
        let digest = |text: &str| digest_without(Path::new("no/such/x.conf"), text.as_bytes(), &[b"dunlin".to_vec()]);
        assert_eq!(digest("a: 1\nDunlin { b: 2 }\n"), digest("a: 1 # one"));
        assert_ne!(digest("a: 1"), digest("a: 2"));
        assert!(digest("include y.conf").is_err());
    }
}
