//! The `NATS/1.0` header block before a payload.
//!
//! Owns how lines of a block are told apart and how names compare. Blocks of clients are passed on as they came, valid or
//! not, as the peer does; these helpers serve the server's own reading and writing. Nothing here allocates but [`no_responders`].

/// How every block begins.
pub const VERSION: &[u8] = b"NATS/1.0";

/// The block that tells a requester that nobody listens, as nats-server writes it.
pub fn no_responders(subject: &[u8]) -> Vec<u8> {
    [b"NATS/1.0 503\r\nNats-Subject: ", subject, b"\r\n\r\n"].concat()
}

/// Whether `block` begins with the version line and ends with an empty line.
pub fn is_framed(block: &[u8]) -> bool {
    block.starts_with(VERSION) && block.ends_with(b"\r\n\r\n")
}

/// Names and values in order, without the blanks around values. Lines without a colon are left out.
pub fn fields(block: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines(block).filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()))
    })
}

/// The first value under `name`. Names compare with regard to case, as NATS has it.
pub fn value<'a>(block: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    fields(block).find(|(field, _)| *field == name).map(|(_, value)| value)
}

/// `block` without the fields for which `unwanted` is true; all else stays byte for byte.
pub fn without(block: &[u8], mut unwanted: impl FnMut(&[u8]) -> bool) -> impl Iterator<Item = &[u8]> {
    let mut first = true;
    block.split_inclusive(|&byte| byte == b'\n').filter(move |line| {
        let is_version_line = std::mem::take(&mut first);
        let name = line.iter().position(|&byte| byte == b':').and_then(|colon| line.get(..colon));
        is_version_line || !name.is_some_and(&mut unwanted)
    })
}

/// The lines behind the version line, without their ends; stops at the empty line.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block
        .split(|&byte| byte == b'\n')
        .skip(1)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"NATS/1.0 100 Idle\r\nA: 1\r\nA:2\r\na:  3  \r\nEmpty:\r\nno colon\r\nX: v:w\r\n\r\n";

    #[test]
    fn the_503_block_is_the_peers() {
        assert_eq!(no_responders(b"foo"), b"NATS/1.0 503\r\nNats-Subject: foo\r\n\r\n");
        assert_eq!(no_responders(b"foo").len(), 35);
    }

    #[test]
    fn values_are_found_by_exact_name() {
        let cases: [(&str, Option<&str>); 6] = [
            ("A", Some("1")),
            ("a", Some("3")),
            ("Empty", Some("")),
            ("X", Some("v:w")),
            ("no colon", None),
            ("B", None),
        ];
        for (name, expected) in cases {
            assert_eq!(value(BLOCK, name.as_bytes()), expected.map(str::as_bytes), "{name}");
        }
        assert_eq!(fields(BLOCK).count(), 5);
    }

    #[test]
    fn cve_2026_33223_stripping_takes_every_duplicate_in_any_case() {
        let rest: Vec<u8> = without(BLOCK, |name| name.eq_ignore_ascii_case(b"a")).flatten().copied().collect();
        assert_eq!(rest, b"NATS/1.0 100 Idle\r\nEmpty:\r\nno colon\r\nX: v:w\r\n\r\n");
        let all: Vec<u8> = without(BLOCK, |_| false).flatten().copied().collect();
        assert_eq!(all, BLOCK);
    }

    #[test]
    fn framing() {
        assert!(is_framed(BLOCK) && is_framed(b"NATS/1.0\r\n\r\n"));
        for block in [&b""[..], b"NATS/1.0", b"NATS/1.0\r\n", b"HTTP/1.1\r\n\r\n", b"NATS/1.0\n\n"] {
            assert!(!is_framed(block), "{}", block.escape_ascii());
            assert_eq!(fields(block).count(), 0);
        }
    }
}
