//! What this process takes: CPU time of its threads, memory, CPUs of the host.
//!
//! Reads `/proc` and the clocks of the kernel; a figure that cannot be had is 0.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// CPU time of the calling thread.
pub fn thread_cpu() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

/// CPU time of the process, all threads and both modes.
pub fn process_cpu() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// Bytes of memory that are resident.
pub fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// CPUs that are online.
pub fn cpus() -> usize {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let count = text.trim().split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(last.parse::<usize>().ok()?.saturating_sub(first.parse().ok()?) + 1)
    });
    match count.sum() {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => count,
    }
}

/// One thread of this process.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The kernel's number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it does: `running`, `sleeping`, or the kernel's letter.
    pub state: String,
    /// CPU time that it has used.
    pub cpu: Duration,
}

/// The threads of this process, by number.
pub fn threads() -> Vec<Thread> {
    let Ok(entries) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let mut threads: Vec<Thread> = entries.flatten().filter_map(|entry| thread(&entry.path())).collect();
    threads.sort_by_key(|thread| thread.id);
    threads
}

fn thread(folder: &std::path::Path) -> Option<Thread> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // The name is in parentheses and may hold any character.
    let (before, after) = stat.rsplit_once(')')?;
    let (id, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let cpu = Duration::from_millis((ticks(11) + ticks(12)) * 1000 / per_second);
    let state = match fields.first().copied().unwrap_or_default() {
        "R" => "running",
        "S" => "sleeping",
        other => other,
    };
    Some(Thread { id: id.parse().ok()?, name: name.to_owned(), state: state.to_owned(), cpu })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_that_runs_takes_something() {
        let sum: u64 = std::hint::black_box((0..2_000_000_u64).map(std::hint::black_box).sum());
        assert!(super::threads().iter().any(|thread| thread.id == u64::from(std::process::id())));
        assert!(sum > 0 && super::process_cpu() >= super::thread_cpu());
        assert!(!super::thread_cpu().is_zero() && super::resident_bytes() > 100_000 && super::cpus() >= 1);
    }
}
