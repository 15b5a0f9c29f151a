//! Configuration files: any bytes give a tree or an error, soon; what parses resolves or is refused, and never panics.
#![no_main]

use dunlin::config::read_text;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|input: &[u8]| {
    if let Ok(raw) = read_text(Path::new("fuzz.conf"), input) {
        let _ = raw.resolve();
    }
});
