//! Bytes that are kept: inline where they are short, boxed where they are not.
//!
//! Owns a copy. 24 bytes in all, so that a pattern of usual length costs no allocation and no second cache line.

const SHORT: usize = 22;

/// A pattern, a token or a group name.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl Text {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text);
                Self::Short { length: text.len() as u8, bytes }
            }
            None => Self::Long(text.into()),
        }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

/// Whether two strings are equal: without a call where they have up to 16 bytes.
#[inline]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() > 16 {
        return a == b;
    }
    if let (Some(first), Some(last)) = (a.first_chunk::<8>(), a.last_chunk::<8>()) {
        return b.first_chunk() == Some(first) && b.last_chunk() == Some(last);
    }
    if let (Some(first), Some(last)) = (a.first_chunk::<4>(), a.last_chunk::<4>()) {
        return b.first_chunk() == Some(first) && b.last_chunk() == Some(last);
    }
    a.iter().zip(b).all(|(x, y)| x == y)
}

impl Default for Text {
    fn default() -> Self {
        Self::Short { length: 0, bytes: [0; SHORT] }
    }
}

const _: () = assert!(size_of::<Text>() == 24);

#[cfg(test)]
mod tests {
    use super::{Text, same};

    #[test]
    fn every_length_comes_back() {
        for length in 0..100 {
            let bytes: Vec<u8> = (0..length).collect();
            assert_eq!(Text::new(&bytes).as_bytes(), bytes);
        }
    }

    #[test]
    fn same_sees_every_byte() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).collect();
            assert!(same(&bytes, &bytes.clone()));
            assert!(!same(&bytes, &[&bytes[..], b"x"].concat()));
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 128;
                assert!(!same(&bytes, &other), "byte {at} of {length}");
            }
        }
    }
}
