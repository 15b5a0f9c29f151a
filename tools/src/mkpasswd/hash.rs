//! bcrypt in the form that servers read.
//!
//! Owns the prefix, the range of costs and the longest password. Asks nobody and prints nothing.

use bcrypt::{Version, hash_with_salt};

/// The cost where none is given, as the original's.
pub(crate) const COST_DEFAULT: u32 = 11;

const COST_MIN: u32 = 4;
const COST_MAX: u32 = 31;

/// Bytes that bcrypt looks at. A longer password is refused, as two that differ later would be the same.
pub(crate) const PASSWORD_BYTES_MAX: usize = 72;

/// A cost as it is written on the command line.
pub(crate) fn cost(text: &str) -> Result<u32, String> {
    let cost = text.parse().ok().filter(|cost| (COST_MIN..=COST_MAX).contains(cost));
    cost.ok_or_else(|| format!("'{text}' is no cost: write a number from {COST_MIN} to {COST_MAX}"))
}

/// The hash, with a new salt.
///
/// # Errors
/// The password is too long, or the system has no randomness.
pub(crate) fn hash(password: &[u8], cost: u32) -> Result<String, String> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(format!("the password has more than {PASSWORD_BYTES_MAX} bytes, and bcrypt looks at no more"));
    }
    let mut salt = [0; 16];
    crate::random::fill(&mut salt).map_err(|error| format!("no randomness: {error}"))?;
    let parts = hash_with_salt(password, cost, salt).map_err(|error| format!("no hash: {error}"))?;
    // The prefix of the original; nats-server takes 2a, 2b, 2x and 2y.
    Ok(parts.format_for_version(Version::TwoA))
}

/// Whether a server takes this text for a hash, and not for a password.
pub(crate) fn is_hash(text: &[u8]) -> bool {
    matches!(text, [b'$', b'2', b'a' | b'b' | b'x' | b'y' | b',', b'$', tens, ones, b'$', ..]
        if tens.is_ascii_digit() && ones.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // From the test vectors of OpenBSD's and Openwall's bcrypt.
        for (password, expected) in [
            ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ] {
            let parts: bcrypt::HashParts = expected.parse().expect("a hash");
            let made = hash_with_salt(password, 5, parts.get_salt_raw()).expect("a cost");
            assert_eq!(made.format_for_version(Version::TwoA), expected, "{password:?}");
        }
    }

    #[test]
    fn a_hash_has_the_prefix_the_cost_and_a_salt_of_its_own() {
        let hashes: Vec<String> = (0..2).map(|_| hash(b"s3cr3t", 4).expect("short enough")).collect();
        for hash in &hashes {
            assert!(hash.starts_with("$2a$04$") && hash.len() == 60, "{hash}");
            assert!(is_hash(hash.as_bytes()));
            assert_eq!(bcrypt::verify("s3cr3t", hash).ok(), Some(true));
            assert_eq!(bcrypt::verify("s3cr3T", hash).ok(), Some(false));
        }
        assert_ne!(hashes.first(), hashes.last());
    }

    #[test]
    fn what_bcrypt_would_cut_off_is_refused() {
        assert!(hash(&[b'a'; 72], 4).is_ok());
        assert!(hash(&[b'a'; 73], 4).unwrap_err().contains("72 bytes"));
    }

    #[test]
    fn what_servers_take_for_a_hash() {
        for text in ["$2a$11$x", "$2b$04$", "$2y$10$abc", "$2x$10$abc"] {
            assert!(is_hash(text.as_bytes()), "{text}");
        }
        for text in ["", "$2a$", "$2a$1$", "$2a$xx$", "$2z$10$abc", "2a$10$abc", "$SYS"] {
            assert!(!is_hash(text.as_bytes()), "{text}");
        }
    }
}
