//! Passwords and tokens as they are kept: plain, or as a bcrypt hash.
//!
//! Owns which texts are hashes, and what a hash says of a password, both as the peer has them. Must not know users.
//! Invariant: a text that has the form of a hash is never compared as a text, so that knowing a hash lets nobody in; where
//! such a text is no sound hash, nothing matches it.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// bcrypt's own alphabet; what the last character says beyond the last byte is not looked at.
const ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// bcrypt looks at so many bytes of a password, the NUL at its end included.
const KEY_BYTES_MAX: usize = 72;
/// Characters of the digest in a hash: 23 bytes.
const DIGEST_CHARACTERS: usize = 31;

/// A password or token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The text itself.
    Plain(Secret),
    /// Its hash.
    Bcrypt(BcryptHash),
    /// A text in the form of a hash that is none: nothing matches it.
    Nothing,
}

impl Kept {
    /// What `text` stands for.
    pub(super) fn new(text: &Secret) -> Self {
        if !has_bcrypt_form(text.expose()) {
            return Self::Plain(text.clone());
        }
        BcryptHash::parse(text.expose()).map_or(Self::Nothing, Self::Bcrypt)
    }

    /// The cost of a check, where it has one.
    pub(super) fn cost(&self) -> Option<u8> {
        match self {
            Self::Bcrypt(hash) => Some(hash.cost),
            Self::Plain(_) | Self::Nothing => None,
        }
    }
}

/// `$2a$`, `$2b$`, `$2x$` or `$2y$`, and two digits before another `$`. All else is a plain text, as with the peer.
fn has_bcrypt_form(text: &str) -> bool {
    matches!(text.as_bytes(), [b'$', b'2', b'a' | b'b' | b'x' | b'y', b'$', b'0'..=b'9', b'0'..=b'9', b'$', ..])
}

/// A bcrypt hash, in its parts.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BcryptHash {
    /// Rounds, as a power of two.
    pub(super) cost: u8,
    salt: [u8; 16],
    digest: [u8; DIGEST_CHARACTERS],
}

impl BcryptHash {
    /// `$2a$CC$` with 22 characters of salt and 31 of digest. The peer makes no difference between the four letters, and does
    /// not look at what follows.
    fn parse(text: &str) -> Option<Self> {
        let cost: u8 = text.get(4..6)?.parse().ok()?;
        let mut salt = [0; 24];
        let written = ALPHABET.decode_slice(text.get(7..29)?, &mut salt).ok()?;
        let salt = *salt.get(..written)?.first_chunk()?;
        let digest = *text.as_bytes().get(29..)?.first_chunk()?;
        (4..=31).contains(&cost).then_some(Self { cost, salt, digest })
    }

    /// Whether it is the hash of `password`. Takes long: milliseconds to minutes, by the cost.
    pub(super) fn matches(&self, password: &Secret) -> bool {
        let mut text = [0; DIGEST_CHARACTERS];
        let digest = digest(self.cost, self.salt, password);
        let bytes = digest.get(..23).unwrap_or_default();
        ALPHABET.encode_slice(bytes, &mut text).is_ok() && bool::from(text.ct_eq(&self.digest))
    }
}

impl std::fmt::Debug for BcryptHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[REDACTED]")
    }
}

/// Does what checking a password against a hash of this cost takes, for nothing.
pub(super) fn spend(cost: u8, password: &Secret) {
    std::hint::black_box(digest(cost, [0; 16], password));
}

fn digest(cost: u8, salt: [u8; 16], password: &Secret) -> [u8; 24] {
    let mut key = Zeroizing::new([0; KEY_BYTES_MAX]);
    let length = password.expose().len().min(KEY_BYTES_MAX);
    for (into, from) in key.iter_mut().zip(password.expose().bytes()) {
        *into = from;
    }
    // With the NUL at the end, where there is room for it.
    let key = key.get(..(length + 1).min(KEY_BYTES_MAX)).unwrap_or(&[0]);
    bcrypt::bcrypt(u32::from(cost.min(31)), salt, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESAME: &str = "$2a$04$1LLomvjc4JAAGdywxsPxLuNUIXq2ZRuC7NNBJSjK9rtCrEDfXQO7S";

    fn matches(kept: &str, password: &str) -> bool {
        match Kept::new(&Secret::new(kept)) {
            Kept::Plain(text) => text.matches(&Secret::new(password)),
            Kept::Bcrypt(hash) => hash.matches(&Secret::new(password)),
            Kept::Nothing => false,
        }
    }

    #[test]
    fn hashes_as_the_peer_reads_them() {
        let as_letter = |letter: &str| SESAME.replacen("$2a$", letter, 1);
        let rows = [
            (SESAME.to_owned(), "sesame", true),
            (SESAME.to_owned(), "Sesame", false),
            (SESAME.to_owned(), "", false),
            (SESAME.to_owned(), "sesame ", false),
            (SESAME.to_owned(), "sesame\0", false),
            (SESAME.to_owned(), SESAME, false),
            (as_letter("$2b$"), "sesame", true),
            (as_letter("$2x$"), "sesame", true),
            (as_letter("$2y$"), "sesame", true),
            (format!("{SESAME}Z"), "sesame", true),
            (SESAME[..59].to_owned(), "sesame", false),
            (SESAME[..50].to_owned(), "sesame", false),
            (SESAME.replacen("$04$", "$03$", 1), "sesame", false),
            (SESAME.replacen("$04$", "$32$", 1), "sesame", false),
            (SESAME.replacen("$04$1", "$04$!", 1), "sesame", false),
            ("$2a$04$".to_owned(), "$2a$04$", false),
        ];
        for (kept, password, expected) in rows {
            assert_eq!(matches(&kept, password), expected, "{kept} with {password:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_hash_is_a_text_as_with_the_peer() {
        for text in
            ["$2z$04$1LLomvjc4JAAGdywxsPxLuNUIXq2ZRuC7NNBJSjK9rtCrEDfXQO7S", "$2a$", "$2a$4$x", "$2a$+4$x", "$2$04$x"]
        {
            assert!(matches(text, text), "{text}");
            assert!(!matches(text, "sesame"), "{text}");
        }
    }

    #[test]
    fn seventy_two_bytes_of_a_password_count() {
        let salt = [7; 16];
        let long = |length: usize| digest(4, salt, &Secret::new("x".repeat(length)));
        assert_eq!(long(72), long(80));
        assert_ne!(long(71), long(72));
        assert_ne!(long(0), long(1));
    }

    #[test]
    fn other_peoples_vectors() {
        // Of jBCrypt: passwords with their hashes.
        let rows = [
            ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
            ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
            ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        ];
        for (password, hash) in rows {
            assert!(matches(hash, password), "{password:?}");
            assert!(!matches(hash, "b"), "{password:?}");
        }
    }

    #[test]
    fn cve_2026_33216_a_kept_password_is_not_printed() {
        for text in [SESAME, "plain"] {
            let shown = format!("{:?}", Kept::new(&Secret::new(text)));
            assert!(shown.contains("[REDACTED]") && !shown.contains("plain") && !shown.contains("1LLom"), "{shown}");
        }
    }
}
