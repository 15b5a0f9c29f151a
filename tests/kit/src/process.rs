//! Facts about processes, read from the kernel, and programs that are run to their end.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The resident size of a process.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel tells the resident size");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number of kB");
    kib * 1024
}

/// Raises this process's own limit of open files as far as it goes, and tells how far that is.
pub fn open_files_max() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if setrlimit(Resource::Nofile, wanted).is_err() {
        return limit.current.unwrap_or(u64::MAX);
    }
    limit.maximum.unwrap_or(u64::MAX)
}

/// Runs a program without input and waits for its end.
pub fn run_to_end(program: &Path, args: &[&str]) -> io::Result<Output> {
    Command::new(program).args(args).stdin(Stdio::null()).output()
}
