//! Public keys of users and proxies, and signatures over the nonce of INFO.
//!
//! Owns how both are written: keys in base32 with a checksum, signatures in base64. Must not know who a key belongs to.
//! Invariant: keys and signatures have their one length before any arithmetic is done with them (26-23).

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use nkeys::{KeyPair, KeyPairType};

/// Characters of a public key as it is written.
const KEY_CHARACTERS: usize = 56;
/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;
/// Characters of a signature, padded or not, and some: what is longer is none.
const SIGNATURE_CHARACTERS_MAX: usize = 128;

/// What the last character says beyond the last byte is not looked at, as with the peer.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const URL: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT.with_decode_padding_mode(DecodePaddingMode::RequireNone));
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    LENIENT.with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A public key that signatures are checked with.
#[derive(Clone)]
pub(super) struct PublicKey(KeyPair);

impl PublicKey {
    /// A user's key, `U…`.
    pub(super) fn of_user(text: &str) -> Option<Self> {
        Self::of_any(text).filter(|key| key.0.key_pair_type() == KeyPairType::User)
    }

    /// A key of any kind.
    pub(super) fn of_any(text: &str) -> Option<Self> {
        // The length first: the decoder counts on it.
        let key = (text.len() == KEY_CHARACTERS).then(|| KeyPair::from_public_key(text).ok())??;
        Some(Self(key))
    }

    /// Whether `signature` is this key's under `nonce`.
    pub(super) fn signed(&self, nonce: &[u8], signature: &Signature) -> bool {
        self.0.verify(nonce, &signature.0).is_ok()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.public_key())
    }
}

/// A signature.
pub(super) struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    /// Reads what a user sent: the URL alphabet without padding, or the standard one with it.
    pub(super) fn of_user(text: &str) -> Option<Self> {
        Self::decode(&URL, text).or_else(|| Self::decode(&STANDARD, text))
    }

    /// Reads what a proxy sent: the URL alphabet without padding.
    pub(super) fn of_proxy(text: &str) -> Option<Self> {
        Self::decode(&URL, text)
    }

    fn decode(engine: &GeneralPurpose, text: &str) -> Option<Self> {
        // Line ends are skipped, as the peer's decoder does.
        let mut characters = [0; SIGNATURE_CHARACTERS_MAX];
        let mut length = 0;
        for character in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
            *characters.get_mut(length)? = character;
            length += 1;
        }
        let mut bytes = [0; SIGNATURE_CHARACTERS_MAX];
        let written = engine.decode_slice(characters.get(..length)?, &mut bytes).ok()?;
        (written == SIGNATURE_BYTES).then(|| bytes.first_chunk().copied().map(Self))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD as PADDED, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    const NONCE: &[u8] = b"bWhvvcPHFa0";

    fn encoded(engine: &GeneralPurpose, bytes: &[u8]) -> String {
        let mut text = [0; 256];
        let length = engine.encode_slice(bytes, &mut text).expect("it fits");
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    /// A key whose signature of the nonce needs both special characters of an alphabet.
    fn pair() -> (KeyPair, Vec<u8>) {
        let pairs = (0..).map(|n| KeyPair::new_from_raw(KeyPairType::User, [n; 32]).expect("32 bytes"));
        let signed = pairs.map(|pair| (pair.sign(NONCE).expect("it has a seed"), pair));
        let special = |signature: &[u8]| ["+", "/"].iter().all(|c| encoded(&PADDED, signature).contains(c));
        let (signature, pair) = signed.into_iter().find(|(signature, _)| special(signature)).expect("many have");
        (pair, signature)
    }

    fn is_signed(key: &PublicKey, text: &str) -> bool {
        Signature::of_user(text).is_some_and(|signature| key.signed(NONCE, &signature))
    }

    #[test]
    fn signatures_in_the_forms_that_the_peer_takes() {
        let (pair, signature) = pair();
        let key = PublicKey::of_user(&pair.public_key()).expect("a user's key");
        let (url, standard) = (encoded(&URL_SAFE_NO_PAD, &signature), encoded(&PADDED, &signature));
        let mut other_trailing_bits = url.clone().into_bytes();
        // The last of 86 characters holds two bits: four of its six are not looked at.
        *other_trailing_bits.last_mut().expect("not empty") += 1;
        let other_trailing_bits = String::from_utf8_lossy(&other_trailing_bits).into_owned();
        let rows = [
            (url.clone(), true),
            (standard.clone(), true),
            (other_trailing_bits, true),
            (format!("{}\r\n{}\n", &url[..10], &url[10..]), true),
            (format!("{}\n{}", &standard[..40], &standard[40..]), true),
            (encoded(&URL_SAFE, &signature), false),
            (encoded(&STANDARD_NO_PAD, &signature), false),
            (String::new(), false),
            ("x".into(), false),
            (url[..40].into(), false),
            (encoded(&URL_SAFE_NO_PAD, &[&signature[..], b"x"].concat()), false),
            (encoded(&URL_SAFE_NO_PAD, &[0; 64]), false),
            ("A".repeat(100_000), false),
        ];
        for (text, expected) in rows {
            assert_eq!(is_signed(&key, &text), expected, "{text}");
        }
        assert!(Signature::of_proxy(&url).is_some_and(|signature| key.signed(NONCE, &signature)));
        assert!(Signature::of_proxy(&standard).is_none(), "the peer takes one form from proxies");
    }

    #[test]
    fn ghsa_g33f_26_23_keys_of_another_length_are_none() {
        let (pair, _) = pair();
        let text = pair.public_key();
        for end in 0..text.len() {
            assert!(PublicKey::of_any(&text[..end]).is_none());
        }
        let bad = [format!("{text}A"), text.to_lowercase(), "U".repeat(56), "=".repeat(56), "\u{fc}".repeat(28)];
        for text in bad {
            assert!(PublicKey::of_any(&text).is_none(), "{text}");
        }
        // A key that is too short, with a sound checksum, and padded with text to the length that is asked for.
        assert!(PublicKey::of_any(&format!("{}{}", &text[..48], " ".repeat(8))).is_none());
        let account = KeyPair::new_account().public_key();
        assert!(PublicKey::of_any(&account).is_some() && PublicKey::of_user(&account).is_none());
    }
}
