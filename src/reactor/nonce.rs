//! What a client is to sign: so random that nobody has signed it before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// As long as the peer's.
const RANDOM_BYTES: usize = 11;

/// A new one, in URL base64.
pub(super) fn fresh_nonce() -> Box<str> {
    let mut bytes = [0; RANDOM_BYTES];
    // Linux has had random numbers since its first second; without any, a nonce that is known lets nobody in by itself.
    let _ = getrandom::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes).into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn has_the_length_of_the_peers_and_is_new_each_time() {
        let (first, second) = (super::fresh_nonce(), super::fresh_nonce());
        assert_eq!((first.len(), second.len()), (15, 15));
        assert_ne!(first, second);
    }
}
