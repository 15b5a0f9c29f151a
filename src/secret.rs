//! A secret text: a password, a token, a signature, a JWT.
//!
//! Owns the rule that a secret is not printed, is compared in a time that does not tell where it differs, and is wiped
//! when it is dropped. There is no way to serialise it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A text that is never printed.
#[derive(Clone, Default)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text over.
    pub fn new(value: impl Into<Box<str>>) -> Self {
        Self(value.into())
    }

    /// The text itself, to verify it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same; takes the same time wherever they differ (how long they are may show).
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        // Most are empty, and lie nowhere: writing no bytes there is slow where the CPU does it with a mask (AVX-512).
        if !self.0.is_empty() {
            self.0.zeroize();
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_empty() { "[none]" } else { "[REDACTED]" })
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn is_compared_and_not_printed() {
        let secret = Secret::new("s3cr3t");
        assert_eq!(secret, Secret::new("s3cr3t"));
        for other in ["", "s3cr3", "s3cr3t ", "S3cr3t"] {
            assert!(!secret.matches(&Secret::new(other)));
        }
        assert_eq!(format!("{secret:?}"), "[REDACTED]");
        assert_eq!(format!("{:?}", Secret::default()), "[none]");
    }
}
