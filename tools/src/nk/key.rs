//! Kinds of keys, and pairs of them.
//!
//! Owns the choice between the two sorts of key in the `nkeys` crate: those that sign (ed25519) and those that encrypt
//! (curve, x25519). All encoding and all mathematics is that crate's.

use nkeys::{KeyPair, KeyPairType, XKey};
use zeroize::Zeroizing;

use super::Failure;
use super::entropy::Raw;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Account,
    Server,
    Cluster,
    Operator,
    Curve,
}

impl Kind {
    /// Every kind.
    const ALL: [Self; 6] = [Self::User, Self::Account, Self::Server, Self::Cluster, Self::Operator, Self::Curve];

    /// By the name that `-gen` takes, in any case.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "user" => Ok(Self::User),
            "account" => Ok(Self::Account),
            "server" => Ok(Self::Server),
            "cluster" => Ok(Self::Cluster),
            "operator" => Ok(Self::Operator),
            "curve" | "x25519" => Ok(Self::Curve),
            _ => Err(format!("-gen {name}: one of user, account, server, cluster, operator, curve, x25519")),
        }
    }

    /// The byte that a public key of this kind begins with.
    fn prefix(self) -> u8 {
        let letter = match self {
            Self::User => 20,
            Self::Account => 0,
            Self::Server => 13,
            Self::Cluster => 2,
            Self::Operator => 14,
            Self::Curve => 23,
        };
        letter << 3
    }

    /// `None`: a curve key, which is another type.
    fn signing(self) -> Option<KeyPairType> {
        match self {
            Self::User => Some(KeyPairType::User),
            Self::Account => Some(KeyPairType::Account),
            Self::Server => Some(KeyPairType::Server),
            Self::Cluster => Some(KeyPairType::Cluster),
            Self::Operator => Some(KeyPairType::Operator),
            Self::Curve => None,
        }
    }
}

/// A key with its seed, or a public key alone.
pub(super) enum Pair {
    /// Signs and verifies.
    Signing(Box<KeyPair>),
    /// Encrypts.
    Curve(XKey),
}

impl Pair {
    /// The key that is made of these bytes.
    pub(super) fn new(kind: Kind, raw: &Raw) -> Result<Self, Failure> {
        match kind.signing() {
            Some(kind) => {
                let pair = KeyPair::new_from_raw(kind, **raw).map_err(|error| failed(&error))?;
                Ok(Self::Signing(Box::new(pair)))
            }
            None => Ok(Self::Curve(XKey::new_from_raw(**raw))),
        }
    }

    /// The key of an encoded seed; `None`: it is none.
    pub(super) fn from_seed(text: &str) -> Option<Self> {
        let (prefix, raw) = nkeys::decode_seed(text).ok()?;
        let raw = Raw::new(raw);
        // The crate takes unknown prefixes for operators.
        let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
        Self::new(kind, &raw).ok()
    }

    /// An encoded public key; `None`: it is none.
    pub(super) fn from_public(text: &str) -> Option<Self> {
        let (prefix, _) = nkeys::from_public_key(text).ok()?;
        match Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)? {
            Kind::Curve => XKey::from_public_key(text).map(Self::Curve).ok(),
            _ => KeyPair::from_public_key(text).map(|pair| Self::Signing(Box::new(pair))).ok(),
        }
    }

    /// The encoded seed.
    pub(super) fn seed(&self) -> Result<Zeroizing<String>, Failure> {
        let seed = match self {
            Self::Signing(pair) => pair.seed(),
            Self::Curve(pair) => pair.seed(),
        };
        seed.map(Zeroizing::new).map_err(|error| failed(&error))
    }

    /// The encoded public key.
    pub(super) fn public_key(&self) -> String {
        match self {
            Self::Signing(pair) => pair.public_key(),
            Self::Curve(pair) => pair.public_key(),
        }
    }

    /// The pair, where it can sign and verify.
    pub(super) fn signing(&self) -> Result<&KeyPair, Failure> {
        match self {
            Self::Signing(pair) => Ok(pair),
            Self::Curve(_) => Err(Failure::Failed("a curve key encrypts; it cannot sign or verify".into())),
        }
    }
}

fn failed(error: &nkeys::error::Error) -> Failure {
    Failure::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(hex: &str) -> [u8; 32] {
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hex");
        bytes.try_into().expect("32 bytes")
    }

    #[test]
    fn known_answers_of_ed25519() {
        // RFC 8032, 7.1, test 3.
        let secret = raw("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let public = raw("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
        let signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
        for kind in Kind::ALL.into_iter().filter(|kind| kind.signing().is_some()) {
            let pair = Pair::new(kind, &Raw::new(secret)).expect("32 bytes");
            assert_eq!(nkeys::decode_seed(&pair.seed().expect("a seed")).expect("encoded"), (kind.prefix(), secret));
            assert_eq!(nkeys::from_public_key(&pair.public_key()).expect("encoded"), (kind.prefix(), public));
            let signed = pair.signing().expect("signs").sign(&[0xaf, 0x82]).expect("signs");
            assert_eq!(data_encoding::HEXLOWER.encode(&signed), signature);
        }
    }

    /// CVE-2023-46129: curve keys of the Go library were all made of the same bytes.
    #[test]
    fn cve_2023_46129_curve_keys_are_made_of_the_bytes_given() {
        // RFC 7748, 6.1.
        for (secret, public) in [
            (
                "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            ),
            (
                "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            ),
        ] {
            let pair = Pair::new(Kind::Curve, &Raw::new(raw(secret))).expect("32 bytes");
            let prefix = Kind::Curve.prefix();
            assert_eq!(nkeys::decode_seed(&pair.seed().expect("a seed")).expect("encoded"), (prefix, raw(secret)));
            assert_eq!(nkeys::from_public_key(&pair.public_key()).expect("encoded"), (prefix, raw(public)));
            assert!(pair.signing().is_err());
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same_pair() {
        for (kind, letter) in Kind::ALL.into_iter().zip("UANCOX".chars()) {
            let pair = Pair::new(kind, &Raw::new([7; 32])).expect("32 bytes");
            let (seed, public) = (pair.seed().expect("a seed"), pair.public_key());
            assert!(public.starts_with(letter) && seed.starts_with(&format!("S{letter}")), "{public}");
            let again = Pair::from_seed(&seed).expect("a seed");
            assert_eq!((again.seed().expect("a seed"), again.public_key()), (seed.clone(), public.clone()));
            let known = Pair::from_public(&public).expect("a public key");
            assert_eq!(known.public_key(), public);
            assert!(known.seed().is_err());
            assert!(Pair::from_seed(&public).is_none() && Pair::from_public(&seed).is_none());
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let pair = Pair::new(Kind::User, &Raw::new([7; 32])).expect("32 bytes");
        let (seed, public) = (pair.seed().expect("a seed"), pair.public_key());
        let module = KeyPair::new_module();
        for text in [
            "",
            "SU",
            "ä",
            &seed[..57],
            &seed.to_lowercase(),
            &format!("{}A", &seed[..57]),
            &format!("{}A", &public[..55]),
            &module.seed().expect("a seed"),
            &module.public_key(),
            &"A".repeat(58),
            &"ä".repeat(29),
            &"ä".repeat(28),
        ] {
            assert!(Pair::from_seed(text).is_none() && Pair::from_public(text).is_none(), "{text}");
        }
    }

    #[test]
    fn kinds_have_the_originals_names() {
        assert_eq!(Kind::named("X25519"), Ok(Kind::Curve));
        assert_eq!(Kind::named("User"), Ok(Kind::User));
        assert!(Kind::named("module").unwrap_err().contains("one of user, account"));
    }
}
