//! Configuration files: any bytes give a tree or an error, soon; what parses resolves or is refused, and never panics.
//!
//! A byte 0xff ends a part: the file, two more that it may include (each may include the others), and two variables.
#![no_main]

use dunlin::config::file::InMemory;
use dunlin::config::{keys, read_sources};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|&byte| byte == 0xff);
    let mut part = || parts.next().unwrap_or_default();
    let name = Path::new("fuzz.conf");
    let files = [(name, part()), (Path::new("a.conf"), part()), (Path::new("b/c.conf"), part())];
    let variables = [(&b"A"[..], part()), (&b"B"[..], part())];
    let Ok(raw) = read_sources(name, &InMemory { files: &files, variables: &variables }) else { return };
    if let Ok((config, _)) = raw.resolve() {
        for (_, key) in keys::all() {
            if let Some(shown) = key.shown {
                let _ = (shown.value)(&config);
            }
        }
    }
});
