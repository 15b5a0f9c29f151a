//! Signatures of files, in the encoding of the original: base64 for URLs, without padding.
//!
//! Owns the encoding and how much is read. The mathematics is the `nkeys` crate's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};

use super::key::Pair;
use super::{Failure, at};

/// Bytes of a file that is signed; ed25519 needs all of it in memory.
const SIGNED_BYTES_MAX: u64 = 1 << 30;
/// Bytes of a file with a signature.
const SIGNATURE_BYTES_MAX: u64 = 4096;

/// The signature of a file.
pub(super) fn sign(file: &Path, pair: &Pair) -> Result<String, Failure> {
    let pair = pair.signing()?;
    let content = read(file, SIGNED_BYTES_MAX)?;
    let signature = pair.sign(&content).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&signature))
}

/// Whether the signature in a file belongs to a file and a key.
pub(super) fn verify(file: &Path, pair: &Pair, signature_file: &Path) -> Result<(), Failure> {
    let pair = pair.signing()?;
    let content = read(file, SIGNED_BYTES_MAX)?;
    let signature = decode(&read(signature_file, SIGNATURE_BYTES_MAX)?)
        .ok_or_else(|| at(signature_file, "it is no signature: 64 bytes in base64"))?;
    let verdict = pair.verify(&content, &signature);
    verdict.map_err(|_| at(file, format!("the signature in {} is not of this file and key", signature_file.display())))
}

/// A signature as `nk` has written it, now and in the days when it was padded.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let decoded = [BASE64URL_NOPAD, BASE64_NOPAD, BASE64URL, BASE64].iter().find_map(|base| base.decode(text).ok());
    decoded.filter(|signature| signature.len() == 64)
}

fn read(file: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let open = File::open(file).map_err(|error| at(file, error))?;
    open.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| at(file, error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(at(file, format!("it has more than {bytes_max} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_base64_is_decoded_and_the_length_is_checked() {
        // Bytes that differ in all four encodings.
        let signature = [0xfb; 64];
        for text in [
            data_encoding::BASE64URL_NOPAD.encode(&signature),
            data_encoding::BASE64_NOPAD.encode(&signature),
            data_encoding::BASE64URL.encode(&signature),
            data_encoding::BASE64.encode(&signature),
        ] {
            assert_eq!(decode(format!(" {text}\r\n").as_bytes()).as_deref(), Some(&signature[..]), "{text}");
        }
        for text in ["", "!", "AAAA", &data_encoding::BASE64.encode(&[1; 63]), &data_encoding::BASE64.encode(&[1; 65])]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
