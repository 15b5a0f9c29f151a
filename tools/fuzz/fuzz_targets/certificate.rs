//! Certificates of clients: any bytes give names or none, soon; what has names shows them.
#![no_main]

use dunlin::tls::certificate::{read, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let shown = show(input);
    assert_eq!(shown.cert_sha256.len(), 64);
    assert_eq!(read(input).is_some(), shown.spki_sha256.len() == 64);
});
