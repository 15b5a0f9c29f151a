//! Whether the files of a `tls` block can be read and look like what they are to be.
//!
//! Looks at the outer form only, so that `-t` finds a wrong path or two files in the wrong order; `tls` reads them for good.
//! Keeps nothing of a file.

use super::super::file::read_whole;
use std::path::Path;
use zeroize::Zeroizing;

/// The most that is read of one file: chains and bundles of roots are far smaller.
const FILE_BYTES_MAX: usize = 16 << 20;

/// Whether there are a certificate and a private key where they are to be; what is wrong, in the peer's words.
pub(super) fn check_pair(cert_file: &Path, key_file: &Path) -> Result<(), String> {
    let certificate = read_whole(cert_file, FILE_BYTES_MAX)?;
    let key = Zeroizing::new(read_whole(key_file, FILE_BYTES_MAX)?);
    let kinds = kinds(&certificate);
    let is_key = |kind: &String| *kind == "PRIVATE KEY" || kind.ends_with(" PRIVATE KEY");
    if !kinds.iter().any(|kind| kind == "CERTIFICATE") {
        return Err(match kinds.as_slice() {
            [] => "tls: failed to find any PEM data in certificate input".into(),
            [only] if is_key(only) => "tls: failed to find certificate PEM data in certificate input, but did find a \
                                       private key; PEM inputs may have been switched"
                .into(),
            kinds => format!(
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the \
                 following types: [{}]",
                kinds.join(" ")
            ),
        });
    }
    let kinds = self::kinds(&key);
    if kinds.iter().any(is_key) {
        return Ok(());
    }
    Err(match kinds.as_slice() {
        [] => "tls: failed to find any PEM data in key input".into(),
        [only] if only == "CERTIFICATE" => {
            "tls: found a certificate rather than a key in the PEM for the private key".into()
        }
        kinds => format!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of \
             the following types: [{}]",
            kinds.join(" ")
        ),
    })
}

/// Whether there are certificates in the file of roots, where there is one.
pub(super) fn check_roots(ca_file: Option<&Path>) -> Result<(), String> {
    let Some(path) = ca_file else {
        return Ok(());
    };
    let roots = read_whole(path, FILE_BYTES_MAX)?;
    if kinds(&roots).iter().any(|kind| kind == "CERTIFICATE") {
        return Ok(());
    }
    Err("failed to parse root ca certificate".into())
}

/// The kinds of the blocks in a PEM file, in order.
fn kinds(bytes: &[u8]) -> Vec<String> {
    let kind = |line: &[u8]| {
        let kind = line.trim_ascii_end().strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
        Some(String::from_utf8_lossy(kind).into_owned())
    };
    bytes.split(|&byte| byte == b'\n').filter_map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::kinds;

    #[test]
    fn blocks_are_found_by_their_first_lines() {
        let text = b"words\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\r\n-----BEGIN EC PRIVATE KEY-----\r\n";
        assert_eq!(kinds(text), ["CERTIFICATE", "EC PRIVATE KEY"]);
        assert!(kinds(b"\xff\n-----BEGIN\n").is_empty());
    }
}
