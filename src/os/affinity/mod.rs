//! Which CPUs there are, and which cores run on them.
//!
//! Owns the rules of placement and the lines that say why. [`plan`] is pure; `seen` reads what Linux shows.
//! Invariants: a plan has one entry for each core and at least one; no CPU outside the affinity mask is in it, and none twice.

mod seen;

use std::fmt;

use crate::config::CoreChoice;
use crate::limits::CORES_MAX;

use seen::sorted;
pub use seen::{Seen, parse_list};

/// Where cores run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// For each core its CPU; `None`: wherever the kernel likes.
    pub cpus: Vec<Option<usize>>,
    /// Lines for the start log: which cores run where, and why.
    pub reasons: Vec<String>,
}

/// A choice that cannot be met; the text names the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// A chosen CPU is not in the mask.
    NotInMask {
        /// The CPU.
        cpu: usize,
        /// The mask.
        mask: Vec<usize>,
    },
    /// A CPU was chosen twice.
    Twice {
        /// The CPU.
        cpu: usize,
    },
    /// No core, or more than a server can have.
    Count {
        /// How many were chosen.
        cores: usize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInMask { cpu, mask } => {
                let wider: Vec<_> = sorted(mask.iter().copied().chain([*cpu]));
                write!(f, "CPU {cpu} is not in the affinity mask ({}): ", ranges(mask))?;
                write!(f, "leave it out of --cores, or start with `taskset -c {}`", ranges(&wider))
            }
            Self::Twice { cpu } => {
                write!(f, "CPU {cpu} is twice in --cores: name it once, or give a count to have more cores than CPUs")
            }
            Self::Count { cores } => write!(f, "{cores} cores are not possible: --cores takes 1 to {CORES_MAX}"),
        }
    }
}

impl std::error::Error for PlanError {}

/// Decides where cores run. `pin`: pinning is wanted and the process holds one server. CPUs that the user listed are
/// pinned to, whatever the quota; otherwise a quota means that the kernel moves us anyway, so nothing is pinned.
pub fn plan(choice: &CoreChoice, pin: bool, seen: &Seen) -> Result<Plan, PlanError> {
    let (cores, cpus, why) = match choice {
        CoreChoice::Cpus(list) => {
            check_list(list, seen)?;
            (list.len(), list.clone(), "as listed".to_string())
        }
        CoreChoice::Count(count) => (*count, preferred(*count, seen), "as many as asked for".to_string()),
        CoreChoice::Automatic => automatic(seen),
    };
    if cores == 0 || cores > CORES_MAX {
        return Err(PlanError::Count { cores });
    }
    let listed = matches!(choice, CoreChoice::Cpus(_));
    let unpinned = if !pin {
        Some("pinning is off")
    } else if cores > cpus.len() {
        Some("more cores than CPUs")
    } else if seen.quota.is_some() && !listed {
        Some("a CPU quota is set")
    } else {
        None
    };
    let placed = match unpinned {
        None => format!("pinned, one each, to CPUs {}", ranges(&cpus)),
        Some(reason) => format!("not pinned ({reason})"),
    };
    let mut reasons = vec![format!("  Cores:    {cores} ({why}), {placed}"), describe(seen)];
    reasons.extend(warnings(cores, listed, &cpus, seen));
    let cpus = if unpinned.is_some() { vec![None; cores] } else { cpus.into_iter().map(Some).collect() };
    Ok(Plan { cpus, reasons })
}

/// Keeps the calling thread on `cpu`; false where the kernel refuses.
pub fn pin_current_thread(cpu: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
}

fn check_list(list: &[usize], seen: &Seen) -> Result<(), PlanError> {
    for (at, &cpu) in list.iter().enumerate() {
        if !seen.mask.contains(&cpu) {
            return Err(PlanError::NotInMask { cpu, mask: seen.mask.clone() });
        }
        if list[..at].contains(&cpu) {
            return Err(PlanError::Twice { cpu });
        }
    }
    Ok(())
}

/// Every CPU of the mask, at most the quota rounded up and what a server can have.
fn automatic(seen: &Seen) -> (usize, Vec<usize>, String) {
    let all = seen.mask.len().max(1);
    let (mut cores, mut why) = (all, "one for each CPU of the affinity mask".to_string());
    if let Some(quota) = seen.quota {
        let rounded = (quota.ceil().max(1.0)) as usize;
        if rounded < cores {
            (cores, why) = (rounded, format!("the cgroup's quota of {quota} CPUs, rounded up"));
        }
    }
    if cores > CORES_MAX {
        (cores, why) = (CORES_MAX, format!("the most a server can have; there are {all} CPUs"));
    }
    (cores, preferred(cores, seen), why)
}

/// The first CPUs of the mask, at most `count`: one of each physical core before a second one of any. Ascending.
fn preferred(count: usize, seen: &Seen) -> Vec<usize> {
    let rank = |cpu: &usize| {
        let group = seen.siblings.iter().find(|group| group.contains(cpu));
        group.map_or(0, |group| group.iter().filter(|&other| other < cpu && seen.mask.contains(other)).count())
    };
    let mut cpus = seen.mask.clone();
    cpus.sort_by_key(|cpu| (rank(cpu), *cpu));
    cpus.truncate(count);
    cpus.sort_unstable();
    cpus
}

fn describe(seen: &Seen) -> String {
    let quota = seen.quota.map_or("none".to_string(), |quota| format!("{quota} CPUs"));
    let groups = |groups: &[Vec<usize>]| groups.iter().map(|group| ranges(group)).collect::<Vec<_>>().join(" ");
    let siblings = if seen.siblings.is_empty() { "none".to_string() } else { groups(&seen.siblings) };
    let isolated = if seen.isolated.is_empty() { "none".to_string() } else { ranges(&seen.isolated) };
    format!(
        "  CPUs:     affinity mask {}, quota {quota}, SMT siblings {siblings}, isolated {isolated}",
        ranges(&seen.mask)
    )
}

/// What an operator may not have meant.
fn warnings(cores: usize, listed: bool, cpus: &[usize], seen: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    let count = seen.mask.len();
    if cores > count {
        lines.push(format!("  {cores} cores share {count} CPUs: fewer would do the same work with fewer switches"));
    }
    if let Some(quota) = seen.quota.filter(|quota| cores as f64 > quota.ceil()) {
        lines.push(format!("  {cores} cores share a quota of {quota} CPUs: they will be throttled"));
    }
    let shared: Vec<_> =
        seen.siblings.iter().filter(|group| group.iter().filter(|cpu| cpus.contains(cpu)).count() > 1).collect();
    if listed && !shared.is_empty() {
        let groups: Vec<_> = shared.iter().map(|group| ranges(group)).collect();
        lines.push(format!("  Cores share physical cores: SMT siblings {}", groups.join(" ")));
    }
    let unused: Vec<_> = seen.isolated.iter().copied().filter(|cpu| !cpus.contains(cpu)).collect();
    if !listed && !unused.is_empty() {
        let unused = ranges(&unused);
        lines.push(format!("  Isolated CPUs {unused} are not used: if they are meant for this server, start it with `taskset -c {unused}`"));
    }
    lines
}

/// `0-3,6` for 0, 1, 2, 3, 6.
pub fn ranges(cpus: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &cpu in cpus {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => parts.push((cpu, cpu)),
        }
    }
    let show = |(first, last): (usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    parts.into_iter().map(show).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
