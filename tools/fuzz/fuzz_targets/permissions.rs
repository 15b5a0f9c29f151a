//! Permissions and their cache decide as lists that are walked do, and what is denied reaches nobody it is denied to.
//!
//! The input chooses lists, subscriptions and subjects; the oracle is the one of the library's own tests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| dunlin::auth::oracle::check(data.iter().copied()));
