//! CPUs: which the server may use, how much of them, and where its cores would be.
//!
//! What the server pins is decided by its own `dunlin::os::affinity`; this file only judges it.

use dunlin::os::affinity::{Seen, parse_list, ranges};

use super::cgroup;
use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root, Unseen, field, odd};
use super::server::{Server, cores_shown, grouped};
use super::thresholds::THROTTLED_PERCENT_MAX;

/// A thread of a running server that is a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoreThread {
    pub(crate) core: usize,
    /// CPUs that it may run on.
    pub(crate) cpus: Vec<usize>,
}

impl CoreThread {
    /// Its CPU, where it is kept on one.
    pub(crate) fn pinned(&self) -> Option<usize> {
        match self.cpus[..] {
            [cpu] => Some(cpu),
            _ => None,
        }
    }
}

/// What the host says of its CPUs.
#[derive(Debug)]
pub(crate) struct Cpus {
    /// What the server's own code sees; empty masks where `allowed` is unknown.
    pub(crate) seen: Seen,
    pub(crate) allowed: Known<Vec<usize>>,
    online: Known<Vec<usize>>,
    /// Whether the kernel shows which CPUs share a physical core.
    topology: Known<()>,
    /// Periods of the cgroup's quota, and those in which its processes were stopped.
    throttled: Known<(u64, u64)>,
    groups: Known<()>,
    /// CPUs of each NUMA node.
    nodes: Known<Vec<(u64, Vec<usize>)>>,
    /// The cores of a running server, by number.
    pub(crate) threads: Known<Vec<CoreThread>>,
}

impl Cpus {
    pub(crate) fn read(root: &Root) -> Self {
        let online = root.text("sys/devices/system/cpu/online").map(|text| parse_list(&text));
        let allowed = cpus_allowed(root, &root.of_process("status")).map(|mut cpus| {
            // Linux leaves CPUs that are off in this list.
            if let Ok(online) = &online {
                cpus.retain(|cpu| online.contains(cpu));
            }
            cpus
        });
        let mask = allowed.clone().unwrap_or_default();
        let first = mask.first().copied().unwrap_or(0);
        Self {
            seen: Seen::look_under(root.folder(), root.process(), mask),
            allowed,
            online,
            topology: root.text(&format!("sys/devices/system/cpu/cpu{first}/topology/thread_siblings_list")).map(drop),
            throttled: throttled(root),
            groups: cgroup::folders(root, "cpu").map(drop),
            nodes: nodes(root),
            threads: threads(root),
        }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        let mut findings = vec![self.allowed(), self.quota(server), self.cores(server)];
        findings.extend(server.pid.map(|pid| self.running(server, pid)));
        findings.extend([self.isolated(server), self.smt(server), self.numa(server)]);
        findings
    }

    fn allowed(&self) -> Finding {
        let why = "Cores run on these and on no others (taskset, cpusets and containers choose them).";
        let finding = |verdict, value: &str| Finding::new(Theme::Cpus, "cpus_allowed", verdict, value, why);
        match (&self.allowed, &self.online) {
            (Err(reason), _) => finding(Verdict::Unknown, &reason.to_string()),
            (Ok(allowed), _) if allowed.is_empty() => finding(Verdict::Unknown, "none is listed"),
            (Ok(allowed), Ok(online)) if allowed != online => {
                finding(Verdict::Good, &format!("{} of {}", ranges(allowed), ranges(online)))
            }
            (Ok(allowed), _) => finding(Verdict::Good, &format!("{}, all there are", ranges(allowed))),
        }
    }

    fn quota(&self, server: &Server) -> Finding {
        let why = "A quota is time per 100 ms: used up early, every core stands still for the rest. Cores are not pinned under one.";
        let finding = |verdict, value: &str| {
            Finding::new(Theme::Cpus, "cpu_quota", verdict, value, why)
                .mend(
                    "# give whole CPUs in place of time: docker run --cpuset-cpus 0-1, or AllowedCPUs=0-1 in the unit;",
                )
                .mend("# Kubernetes: static CPU manager, whole CPUs, requests equal to limits")
        };
        let Some(quota) = self.seen.quota else {
            return match &self.groups {
                Ok(()) => finding(Verdict::Good, "none"),
                Err(reason) => finding(Verdict::Unknown, &reason.to_string()),
            };
        };
        let value = format!("{quota} CPUs");
        if server.cores as f64 > quota.ceil() {
            let finding = finding(Verdict::WillBite, &format!("{value} for {}", cores_shown(server.cores)));
            return finding.mend(format!("dunlin --cores {}", quota.ceil().max(1.0)));
        }
        match &self.throttled {
            Ok((periods, stopped)) if *stopped > 0 => {
                let percent = 100.0 * *stopped as f64 / (*periods).max(1) as f64;
                let value = format!("{value}, stopped in {percent:.1}% of {} periods", grouped(*periods));
                // Of the server itself only where we look at it.
                let bites = server.pid.is_some() && percent > THROTTLED_PERCENT_MAX;
                finding(if bites { Verdict::WillBite } else { Verdict::WorthALook }, &value)
            }
            _ => finding(Verdict::WorthALook, &value),
        }
    }

    fn cores(&self, server: &Server) -> Finding {
        let why = "What the server does at its start: a thread a core, and its CPU.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cpus, "cores", verdict, value, why);
        match &server.plan {
            Err(error) => finding(Verdict::WillBite, &error.to_string()).mend("# the server would not start"),
            Ok(_) if self.allowed.as_ref().map_or(true, Vec::is_empty) => {
                finding(Verdict::Unknown, "which CPUs there are cannot be seen")
            }
            Ok(plan) => {
                let count = self.seen.mask.len();
                let line = plan.reasons.first().map(String::as_str).unwrap_or_default();
                let line = line.trim_start().trim_start_matches("Cores:").trim_start();
                let crowded = plan.cpus.len() > count;
                let verdict = if crowded { Verdict::WorthALook } else { Verdict::Good };
                finding(verdict, line)
                    .mend(format!("dunlin --cores {count}"))
                    .mend("# more cores than CPUs do the same work with more switches")
            }
        }
    }

    fn running(&self, server: &Server, pid: u32) -> Finding {
        let why = "Where the threads of the running server really are.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cpus, "cores_running", verdict, value, why);
        let threads = match &self.threads {
            Ok(threads) if threads.is_empty() => {
                return finding(Verdict::Unknown, &format!("process {pid} has no thread core-0: is it Dunlin?"));
            }
            Ok(threads) => threads,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let places = threads.iter().map(CoreThread::pinned);
        let pinned: Option<Vec<usize>> = places.collect();
        let Some(pinned) = pinned else {
            let free = threads.iter().filter(|thread| thread.pinned().is_none()).count();
            return finding(Verdict::Good, &format!("{}, {free} of them not pinned", cores_shown(threads.len())));
        };
        let value = format!("{}, pinned to CPUs {}", cores_shown(threads.len()), ranges(&server.pinned));
        if server.pinned.len() < pinned.len() {
            return finding(Verdict::WillBite, &format!("{value}: several on one"))
                .mend("# another program has moved them, or the affinity was made smaller: start the server again");
        }
        finding(Verdict::Good, &value)
    }

    fn isolated(&self, server: &Server) -> Finding {
        let why = "The kernel keeps isolated CPUs (isolcpus) free of other work: they are the best ones for cores.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cpus, "isolated_cpus", verdict, value, why);
        if let Err(reason) = &self.online {
            return finding(Verdict::Unknown, &reason.to_string());
        }
        let isolated = &self.seen.isolated;
        let unused: Vec<usize> = isolated.iter().copied().filter(|cpu| !server.pinned.contains(cpu)).collect();
        if isolated.is_empty() {
            finding(Verdict::Good, "none")
        } else if unused.is_empty() {
            finding(Verdict::Good, &format!("{}, used by cores", ranges(isolated)))
        } else {
            let unused = ranges(&unused);
            finding(Verdict::WorthALook, &format!("{unused} not used by a core"))
                .mend(format!("taskset -c {unused} dunlin"))
                .mend("# if they are meant for this server")
        }
    }

    fn smt(&self, server: &Server) -> Finding {
        let why = "SMT siblings are one physical core: each is slower while the other works, so latency is uneven.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cpus, "smt_siblings", verdict, value, why);
        if let Err(reason) = &self.topology {
            return finding(Verdict::Unknown, &reason.to_string());
        }
        let siblings = &self.seen.siblings;
        if siblings.is_empty() {
            return finding(Verdict::Good, "none");
        }
        let shared: Vec<String> = siblings
            .iter()
            .filter(|group| group.iter().filter(|cpu| server.pinned.contains(cpu)).count() > 1)
            .map(|group| ranges(group))
            .collect();
        if shared.is_empty() {
            let cores = if server.pinned.is_empty() { "cores are not pinned" } else { "no two cores on one" };
            return finding(Verdict::Good, &format!("{} physical cores of several CPUs, {cores}", siblings.len()));
        }
        let first = |cpu: &&usize| siblings.iter().all(|group| !group.contains(cpu) || group.first() == Some(*cpu));
        let one_each: Vec<usize> = server.pinned.iter().filter(first).copied().collect();
        finding(Verdict::WorthALook, &format!("cores share {}", shared.join(" ")))
            .mend(format!("dunlin --cores {}", cores_flag(&one_each)))
            .mend("# for even latency: one core on each physical core. All siblings give the most throughput")
    }

    fn numa(&self, server: &Server) -> Finding {
        let why =
            "What a core sends to one on another node goes over the link between them, and so does foreign memory.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cpus, "numa_nodes", verdict, value, why);
        let nodes = match &self.nodes {
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
            Ok(nodes) if nodes.len() < 2 => return finding(Verdict::Good, "1"),
            Ok(nodes) => nodes,
        };
        let here = |cpus: &[usize]| cpus.iter().filter(|cpu| server.pinned.contains(cpu)).count();
        let used: Vec<&(u64, Vec<usize>)> = nodes.iter().filter(|(_, cpus)| here(cpus) > 0).collect();
        let Some((node, cpus)) = used.iter().max_by_key(|(_, cpus)| here(cpus)) else {
            return finding(Verdict::WorthALook, &format!("{}, cores are not pinned to any", nodes.len()))
                .mend("numactl --cpunodebind=0 --membind=0 dunlin");
        };
        if used.len() == 1 {
            return finding(Verdict::Good, &format!("{}, all cores on node {node}", nodes.len()));
        }
        let list: Vec<usize> = cpus.iter().copied().filter(|cpu| self.seen.mask.contains(cpu)).collect();
        finding(Verdict::WorthALook, &format!("{}, cores on {} of them", nodes.len(), used.len()))
            .mend(format!("numactl --cpunodebind={node} --membind={node} dunlin --cores {}", cores_flag(&list)))
            .mend("# or a server for each node; choose the node of the network card")
    }
}

/// CPUs as `--cores` takes them: a single one needs its comma, for a bare number is a count.
pub(crate) fn cores_flag(cpus: &[usize]) -> String {
    let list = ranges(cpus);
    if cpus.len() == 1 { format!("{list},") } else { list }
}

fn cpus_allowed(root: &Root, path: &str) -> Known<Vec<usize>> {
    let status = root.text(path)?;
    field(&status, "Cpus_allowed_list").map(parse_list).ok_or_else(|| odd(path))
}

/// `nr_periods` and `nr_throttled` of the nearest cgroup that has them.
fn throttled(root: &Root) -> Known<(u64, u64)> {
    let number = |text: &str, name: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    let found = cgroup::folders(root, "cpu")?.iter().find_map(|folder| {
        let text = root.text(&format!("{folder}/cpu.stat")).ok()?;
        Some((number(&text, "nr_periods ")?, number(&text, "nr_throttled ")?))
    });
    found.ok_or_else(|| Unseen("no cpu.stat of the cgroup counts periods".into()))
}

fn nodes(root: &Root) -> Known<Vec<(u64, Vec<usize>)>> {
    let folder = "sys/devices/system/node";
    let names = root.names(folder)?;
    let numbers = names.iter().filter_map(|name| name.strip_prefix("node")?.parse::<u64>().ok());
    let mut nodes: Vec<(u64, Vec<usize>)> = numbers
        .map(|node| (node, parse_list(&root.text(&format!("{folder}/node{node}/cpulist")).unwrap_or_default())))
        .filter(|(_, cpus)| !cpus.is_empty()) // a node of memory alone
        .collect();
    nodes.sort_unstable();
    Ok(nodes)
}

/// The threads `core-0`, `core-1`, … of the process.
fn threads(root: &Root) -> Known<Vec<CoreThread>> {
    let tasks = root.of_process("task");
    let mut threads = Vec::new();
    for task in root.names(&tasks)? {
        // One that has just ended is no longer of interest.
        let Ok(name) = root.text(&format!("{tasks}/{task}/comm")) else { continue };
        let Some(core) = name.strip_prefix("core-").and_then(|number| number.parse().ok()) else { continue };
        let Ok(cpus) = cpus_allowed(root, &format!("{tasks}/{task}/status")) else { continue };
        threads.push(CoreThread { core, cpus });
    }
    threads.sort_by_key(|thread| thread.core);
    Ok(threads)
}
