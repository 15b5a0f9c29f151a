//! What of the machine matters for placement, as Linux shows it in `/proc` and `/sys`.
//!
//! Decides nothing. What cannot be read counts as not there: placement works on any machine, only with fewer reasons.

use std::fs;
use std::path::Path;

/// What of the machine matters for placement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// CPUs that this process may use, ascending.
    pub mask: Vec<usize>,
    /// CPUs' worth of time that the cgroup allows; `None`: all.
    pub quota: Option<f64>,
    /// CPUs that share a physical core, where more than one does: each group ascending.
    pub siblings: Vec<Vec<usize>>,
    /// CPUs that the kernel keeps free of other work (`isolcpus`).
    pub isolated: Vec<usize>,
}

impl Seen {
    /// Looks at this machine. What cannot be read counts as not there.
    pub fn look() -> Self {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        Self::look_under(Path::new("/"), "self", sorted(ids.into_iter().map(|id| id.id)))
    }

    /// What a process (its number, or `self`) with this affinity mask would see, where `proc` and `sys` are under `root`.
    pub fn look_under(root: &Path, process: &str, mask: Vec<usize>) -> Self {
        let system = root.join("sys/devices/system/cpu");
        let read = |path: &str| fs::read_to_string(system.join(path)).unwrap_or_default();
        let groups = mask.iter().map(|cpu| parse_list(&read(&format!("cpu{cpu}/topology/thread_siblings_list"))));
        let mut siblings: Vec<_> = groups.filter(|group| group.len() > 1).collect();
        siblings.sort();
        siblings.dedup();
        Self { quota: quota(root, process), siblings, isolated: parse_list(&read("isolated")), mask }
    }
}

/// A kernel's list of CPUs: `0-3,8`; what is no number is left out. Ascending.
pub fn parse_list(text: &str) -> Vec<usize> {
    /// More CPUs than Linux can have: a list cannot make us allocate without bound.
    const CPUS_MAX: usize = 8192;
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok().filter(|&last: &usize| last < CPUS_MAX)?)
    };
    sorted(text.split(',').filter_map(range).flatten())
}

/// The smallest quota of a process's cgroup and those above it, in CPUs.
pub(super) fn quota(root: &Path, process: &str) -> Option<f64> {
    let groups = fs::read_to_string(root.join("proc").join(process).join("cgroup")).unwrap_or_default();
    let mounts = root.join("sys/fs/cgroup");
    let mut smallest: Option<f64> = None;
    for line in groups.lines() {
        // `0::/path` in version 2, `3:cpu,cpuacct:/path` in version 1.
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let folders: &[&str] = if controllers.is_empty() {
            &["", "unified"]
        } else if controllers.split(',').any(|name| name == "cpu") {
            &["cpu", "cpu,cpuacct"]
        } else {
            continue;
        };
        // In a container the path may be the host's, and only its last part or nothing of it is there: look at all.
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            for folder in folders {
                let found = quota_of(&mounts.join(folder).join(group));
                smallest = smallest.into_iter().chain(found).reduce(f64::min);
            }
        }
    }
    smallest
}

fn quota_of(group: &Path) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|&number| number > 0.0);
    if let Ok(text) = fs::read_to_string(group.join("cpu.max")) {
        // `max 100000`, or `150000 100000`.
        let (quota, period) = text.trim().split_once(' ')?;
        return Some(number(quota)? / number(period)?);
    }
    let read = |name: &str| number(&fs::read_to_string(group.join(name)).ok()?);
    Some(read("cpu.cfs_quota_us")? / read("cpu.cfs_period_us")?) // a quota of -1: none
}

/// Ascending, without repeats.
pub(super) fn sorted(cpus: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut cpus: Vec<_> = cpus.into_iter().collect();
    cpus.sort_unstable();
    cpus.dedup();
    cpus
}
