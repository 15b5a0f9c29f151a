//! Hosts made of files: what is said of them.
//!
//! `hosts`: whole ones; `variants`: a good one of which something is different. Here: how they are made, and what all have.

mod hosts;
mod variants;

use std::collections::BTreeMap;

use super::fake::Fake;
use super::finding::{Finding, Verdict};
use super::{Server, examine, flags, json};

/// Every name that there is; programs read them.
const NAMES: &[&str] = &[
    "cpus_allowed",
    "cpu_quota",
    "cores",
    "isolated_cpus",
    "smt_siblings",
    "numa_nodes",
    "governor",
    "clock_source",
    "mitigations",
    "kernel",
    "wakeup_granularity",
    "nofile",
    "nr_open",
    "file_max",
    "somaxconn",
    "tcp_max_syn_backlog",
    "listen_overflows",
    "ephemeral_ports",
    "time_wait",
    "conntrack",
    "softnet_drops",
    "rmem_max",
    "wmem_max",
    "tcp_rmem",
    "tcp_wmem",
    "tcp_mem",
    "memory",
    "swap",
    "huge_pages",
    "nic_irqs",
    "nic_queues",
    "nic_numa",
    "spinning",
];

const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units\n\
    Max open files            1024                 1048576              files\n";
const NETSTAT: &str =
    "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 5 0 0\nIpExt: ListenOverflows\nIpExt: 7\n";

/// A host as one would want it: four CPUs, one node, a card with a queue for each.
fn good_host() -> Fake {
    let fake = Fake::new();
    for (path, text) in [
        ("proc/self/status", "Name:\tdunlinctl\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\nVmSwap:\t       0 kB\n"),
        ("proc/self/cgroup", "0::/system.slice/dunlin.service\n"),
        ("proc/self/limits", LIMITS),
        ("proc/meminfo", "MemTotal:       33554432 kB\nMemFree:  1 kB\nSwapTotal:             0 kB\n"),
        ("proc/net/netstat", NETSTAT),
        ("proc/net/sockstat", "sockets: used 24\nTCP: inuse 1 orphan 0 tw 21 alloc 1 mem 1\n"),
        ("proc/net/softnet_stat", "066ec636 00000000 0000000e\n057c3c38 00000000 00000022\n"),
        ("proc/sys/fs/file-max", "9223372036854775807\n"),
        ("proc/sys/fs/file-nr", "1363\t0\t9223372036854775807\n"),
        ("proc/sys/fs/nr_open", "1073741816\n"),
        ("proc/sys/kernel/osrelease", "6.8.0-31-generic\n"),
        ("proc/sys/net/core/rmem_max", "4194304\n"),
        ("proc/sys/net/core/somaxconn", "4096\n"),
        ("proc/sys/net/core/wmem_max", "4194304\n"),
        ("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
        ("proc/sys/net/ipv4/ip_local_reserved_ports", "\n"),
        ("proc/sys/net/ipv4/tcp_max_syn_backlog", "4096\n"),
        ("proc/sys/net/ipv4/tcp_max_tw_buckets", "262144\n"),
        ("proc/sys/net/ipv4/tcp_mem", "381573\t508765\t763146\n"),
        ("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n"),
        ("proc/sys/net/ipv4/tcp_syncookies", "1\n"),
        ("proc/sys/net/ipv4/tcp_wmem", "4096\t16384\t4194304\n"),
        ("proc/sys/vm/swappiness", "60\n"),
        ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm \n"),
        ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq\n"),
        ("sys/devices/system/cpu/isolated", "\n"),
        ("sys/devices/system/cpu/online", "0-3\n"),
        ("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n"),
        (
            "sys/devices/system/cpu/vulnerabilities/spectre_v2",
            "Mitigation: Enhanced / Automatic IBRS; IBPB: conditional\n",
        ),
        ("sys/devices/system/node/node0/cpulist", "0-3\n"),
        ("sys/fs/cgroup/system.slice/dunlin.service/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/system.slice/dunlin.service/memory.max", "max\n"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
        ("sys/class/net/lo/operstate", "unknown\n"),
        ("sys/devices/pci0/0000:3b:00.0/numa_node", "-1\n"),
    ] {
        fake.write(path, text);
    }
    for cpu in 0..4 {
        cpu_of(&fake, cpu, &cpu.to_string(), "performance");
    }
    fake.link("sys/class/net/eth0/device", "sys/devices/pci0/0000:3b:00.0");
    card(&fake, "eth0", &[0, 1, 2, 3]);
    fake
}

fn cpu_of(fake: &Fake, cpu: usize, siblings: &str, governor: &str) {
    let folder = format!("sys/devices/system/cpu/cpu{cpu}");
    fake.write(&format!("{folder}/topology/thread_siblings_list"), &format!("{siblings}\n"));
    fake.write(&format!("{folder}/cpufreq/scaling_governor"), &format!("{governor}\n"));
}

/// A card with a queue and an interrupt for each of these CPUs, and one interrupt that does nothing.
fn card(fake: &Fake, name: &str, cpus: &[usize]) {
    let mut lines = String::from(
        "           CPU0       CPU1       CPU2       CPU3\n 30:  1  0  0  0  IO-APIC   5-edge      other\n",
    );
    for (at, cpu) in cpus.iter().enumerate() {
        let irq = 40 + at;
        lines.push_str(&format!(" {irq}:  9000  0  0  0  PCI-MSIX-0000:3b:00.0 {at}-edge      {name}-TxRx-{at}\n"));
        fake.write(&format!("proc/irq/{irq}/smp_affinity_list"), "0-3\n");
        fake.write(&format!("proc/irq/{irq}/effective_affinity_list"), &format!("{cpu}\n"));
        fake.write(&format!("sys/class/net/{name}/queues/rx-{at}/rps_cpus"), "0\n");
    }
    lines.push_str(&format!(
        " 90:  3  0  0  0  PCI-MSIX-0000:3b:00.0 9-edge      {name}-event\nNMI: 0 0 0 0 Non-maskable\n"
    ));
    fake.write("proc/irq/90/effective_affinity_list", "0\n");
    fake.write("proc/interrupts", &lines);
}

/// What is said of a host with these flags.
struct Said {
    server: Server,
    findings: BTreeMap<&'static str, Finding>,
}

fn said(fake: &Fake, words: &[&str]) -> Said {
    let root = fake.path().to_str().expect("text");
    let words = ["--root", root].into_iter().chain(words.iter().copied());
    let options = flags::parse(words.map(Into::into).collect()).expect("right").expect("no help");
    let (server, list) = examine(options);
    let findings: BTreeMap<_, _> = list.iter().map(|finding| (finding.name, finding.clone())).collect();
    assert_eq!(findings.len(), list.len(), "no name twice");
    Said { server, findings }
}

impl Said {
    #[track_caller]
    fn expect(&self, name: &str, verdict: Verdict, value: &str, mend: &str) {
        let finding = &self.findings[name];
        assert_eq!(finding.verdict, verdict, "{finding:#?}");
        assert!(finding.value.contains(value), "{value:?} in {finding:#?}");
        assert!(finding.mend.join("\n").contains(mend), "{mend:?} in {finding:#?}");
        let has_a_way_out = !finding.mend.is_empty();
        assert_eq!(has_a_way_out, matches!(verdict, Verdict::WorthALook | Verdict::WillBite), "{finding:#?}");
        assert!(finding.why.len() > 20, "{finding:#?}");
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.findings.values().filter(|finding| finding.verdict == verdict).count()
    }
}

#[test]
fn a_good_host_has_nothing_to_mend() {
    let said = said(&good_host(), &[]);
    assert_eq!(said.count(Verdict::Good), NAMES.len(), "{:#?}", said.findings);
    let names: Vec<_> = said.findings.keys().copied().collect();
    let mut expected = NAMES.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!((said.server.cores, said.server.pinned), (4, vec![0, 1, 2, 3]));
}

#[test]
fn the_json_is_what_programs_read() {
    let fake = good_host();
    fake.write("proc/sys/net/core/somaxconn", "128\n");
    let root = fake.path().to_str().expect("text");
    let words = ["--root", root, "--connections", "5000", "--cores", "0-1"];
    let options = flags::parse(words.map(Into::into).to_vec()).expect("right").expect("no help");
    let (server, findings) = examine(options);
    let page: serde_json::Value = serde_json::from_str(&json::render(&server, &findings)).expect("JSON");
    let expected = serde_json::json!({"pid": null, "cores": 2, "cpus": [0, 1], "connections": 5000, "connections_from": "--connections"});
    assert_eq!(page["server"], expected);
    assert_eq!(
        page["summary"],
        serde_json::json!({"good": NAMES.len() - 1, "worth_a_look": 0, "will_bite": 1, "unknown": 0})
    );
    let finding =
        page["findings"].as_array().expect("a list").iter().find(|one| one["name"] == "somaxconn").expect("there");
    assert_eq!(finding["theme"], "accepting");
    assert_eq!(finding["verdict"], "will_bite");
    assert_eq!(finding["value"], "128, cuts our backlog of 4,096");
    assert_eq!(finding["mend"], serde_json::json!(["sysctl -w net.core.somaxconn=4096"]));
    assert!(finding["why"].as_str().is_some_and(|why| !why.is_empty()));
}

#[test]
fn the_page_tells_every_name() {
    let page = include_str!("../../../deploy/doctor.md");
    for name in NAMES.iter().chain(&["cores_running"]) {
        assert!(page.contains(&format!("`{name}`")), "{name} is not in tools/deploy/doctor.md");
    }
}
