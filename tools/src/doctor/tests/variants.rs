//! A good host of which something is different: one file, nonsense in all of them, its card, a server that runs there.

use super::super::finding::Verdict;
use super::super::finding::Verdict::{Good, Unknown, WillBite, WorthALook};
use super::{NAMES, card, good_host, said};

#[test]
fn files_that_say_nonsense_are_unknown() {
    let fake = good_host();
    for text in
        ["", "nonsense\n", "\u{1b}[2J\n", "-1\n", "99999999999999999999999\n", "TcpExt:\nTCP: tw\nMax open files x\n"]
    {
        for path in [
            "proc/self/status",
            "proc/self/cgroup",
            "proc/self/limits",
            "proc/meminfo",
            "proc/interrupts",
            "proc/net/netstat",
            "proc/net/sockstat",
            "proc/net/softnet_stat",
            "proc/sys/fs/file-nr",
            "proc/sys/kernel/osrelease",
            "proc/sys/net/core/somaxconn",
            "proc/sys/net/ipv4/ip_local_port_range",
            "proc/sys/net/ipv4/tcp_mem",
            "proc/sys/net/ipv4/tcp_rmem",
            "sys/devices/system/cpu/online",
            "sys/devices/system/node/node0/cpulist",
            "sys/fs/cgroup/cpu.max",
            "sys/kernel/mm/transparent_hugepage/enabled",
        ] {
            fake.write(path, text);
        }
        let found = said(&fake, &["--connections", "10"]);
        assert_eq!(found.findings.len(), NAMES.len(), "{text:?}");
        for name in ["cpus_allowed", "nofile", "file_max", "kernel", "somaxconn", "tcp_mem", "huge_pages", "time_wait"]
        {
            assert_eq!(found.findings[name].verdict, Unknown, "{text:?}: {:#?}", found.findings[name]);
        }
    }
}

/// A file with this text, flags; then a name, its verdict, and a part of its value.
type Row = (&'static str, &'static str, &'static [&'static str], &'static str, Verdict, &'static str);

const ROWS: &[Row] = &[
    ("proc/self/status", "Cpus_allowed_list:\t1-2\n", &[], "cpus_allowed", Good, "1-2 of 0-3"),
    ("sys/devices/system/cpu/online", "0-2\n", &[], "cpus_allowed", Good, "0-2, all there are"),
    (
        "proc/self/status",
        "Cpus_allowed_list:\t1-2\n",
        &["--cores", "0-1"],
        "cores",
        WillBite,
        "CPU 0 is not in the affinity mask (1-2)",
    ),
    (
        "proc/x",
        "",
        &["--cores", "6"],
        "cores",
        WorthALook,
        "6 (as many as asked for), not pinned (more cores than CPUs)",
    ),
    (
        "sys/devices/system/cpu/isolated",
        "2-3\n",
        &["--cores", "2"],
        "isolated_cpus",
        WorthALook,
        "2-3 not used by a core",
    ),
    ("sys/devices/system/cpu/isolated", "2-3\n", &["--cores", "2-3"], "isolated_cpus", Good, "2-3, used by cores"),
    (
        "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor",
        "ondemand\n",
        &[],
        "governor",
        WorthALook,
        "ondemand (CPUs 3), performance (CPUs 0-2)",
    ),
    (
        "sys/devices/system/clocksource/clocksource0/current_clocksource",
        "xen\n",
        &[],
        "clock_source",
        WorthALook,
        "xen",
    ),
    ("sys/devices/system/cpu/vulnerabilities/spectre_v2", "Not affected\n", &[], "mitigations", Good, "none needed"),
    ("proc/self/limits", "Max open files  unlimited  unlimited  files\n", &[], "nofile", Good, "unlimited hard"),
    ("proc/sys/fs/nr_open", "1024\n", &["--connections", "1"], "nr_open", WillBite, "1,024"),
    ("proc/sys/net/core/somaxconn", "128\n", &["--connections", "100"], "somaxconn", Good, "128, cuts our backlog"),
    ("proc/sys/net/core/somaxconn", "1024\n", &["--connections", "2000"], "somaxconn", WorthALook, "1,024"),
    ("proc/x", "", &["--backlog", "100"], "somaxconn", WillBite, "4,096, our backlog is 100"),
    ("proc/sys/net/ipv4/tcp_syncookies", "2\n", &[], "tcp_max_syn_backlog", WorthALook, "tcp_syncookies 2"),
    ("proc/sys/net/ipv4/tcp_max_syn_backlog", "128\n", &[], "tcp_max_syn_backlog", Good, "128, tcp_syncookies 1"),
    ("proc/sys/net/ipv4/ip_local_port_range", "4000 5000\n", &["-p", "3999"], "ephemeral_ports", Good, "1,001 ports"),
    ("proc/sys/net/ipv4/ip_local_port_range", "4000 5000\n", &["-p", "-1"], "ephemeral_ports", Good, "4000-5000"),
    (
        "proc/sys/net/ipv4/tcp_mem",
        "1 2 3\n",
        &["--connections", "10"],
        "tcp_mem",
        WorthALook,
        "12 KiB: 1.2 KiB a connection",
    ),
    ("proc/x", "", &["--sndbuf", "8000000"], "wmem_max", WillBite, "4 MiB, --sndbuf asks for 7.6 MiB"),
    ("proc/meminfo", "MemTotal: 33554432 kB\n", &[], "swap", Unknown, "/proc/meminfo has an unexpected form"),
    ("sys/fs/cgroup/system.slice/memory.max", "50000000\n", &[], "memory", WillBite, "47.7 MiB (limit of the cgroup)"),
    ("sys/class/net/eth0/queues/rx-0/rps_cpus", "f\n", &[], "nic_queues", Good, "RPS on"),
    ("proc/irq/40/effective_affinity_list", "\n", &[], "nic_irqs", Good, "4 on CPUs 0-3"),
    ("proc/x", "", &["--cores", "2-3", "--spin_us", "10"], "spinning", WillBite, "CPUs 2-3 take interrupts"),
    ("proc/x", "", &["--cores", "1", "--accept", "reuseport"], "kernel", Good, "6.8.0"),
];

#[test]
fn one_file_at_a_time() {
    for (path, text, words, name, verdict, value) in ROWS {
        let fake = good_host();
        fake.write(path, text);
        said(&fake, words).expect(name, *verdict, value, "");
    }
}

#[test]
fn a_card_with_one_interrupt_takes_a_core_from_its_clients() {
    let fake = good_host();
    // A card of a virtual machine: its interrupts are those of the device around it.
    std::fs::remove_dir_all(fake.path().join("sys/class/net/eth0")).expect("ours");
    fake.write("sys/devices/pci0/00:03.0/msi_irqs/39", "").write("sys/devices/pci0/00:03.0/virtio2/vendor", "");
    fake.link("sys/class/net/ens3/device", "sys/devices/pci0/00:03.0/virtio2");
    card(&fake, "virtio2", &[2]);
    std::fs::remove_dir_all(fake.path().join("sys/class/net/virtio2")).expect("ours");
    fake.write("sys/class/net/ens3/queues/rx-0/rps_cpus", "0\n")
        .write("sys/class/net/ens3/queues/tx-0/xps_cpus", "0\n");

    let all = said(&fake, &[]);
    all.expect("nic_irqs", WorthALook, "ens3: 1 on CPUs 2; cores there: 1 of 4", "dunlin --cores 0-1,3");
    all.expect(
        "nic_queues",
        WorthALook,
        "ens3: 1 for receiving, RPS off",
        "echo f > /sys/class/net/ens3/queues/rx-0/rps_cpus",
    );
    assert!(!all.findings["nic_irqs"].mend.join("\n").contains("smp_affinity_list"), "it would only hit another core");
    let some = said(&fake, &["--cores", "1-2"]);
    some.expect("nic_irqs", WorthALook, "cores there: 1 of 2", "echo 0 > /proc/irq/40/smp_affinity_list");
    said(&fake, &["--cores", "0-1"]).expect("nic_irqs", Good, "no core is there", "");
    let spinning = said(&fake, &["--spin_us", "5"]);
    spinning.expect("spinning", WillBite, "5 us, CPUs 2 take interrupts of a card", "dunlin --cores 0-1,3");
}

#[test]
fn a_running_server_is_looked_at_where_it_is() {
    let fake = good_host();
    for (path, text) in [
        ("proc/77/status", "Cpus_allowed_list:\t0-3\nVmSwap:\t   300 kB\n"),
        ("proc/77/cgroup", "0::/x\n"),
        ("proc/77/limits", "Max open files            2000                 1048576              files\n"),
        ("proc/77/fd/0", ""),
        ("proc/77/task/77/comm", "dunlin\n"),
        ("proc/77/task/77/status", "Cpus_allowed_list:\t0-3\n"),
        ("proc/77/task/78/comm", "core-0\n"),
        ("proc/77/task/78/status", "Cpus_allowed_list:\t1\n"),
        ("proc/77/task/79/comm", "core-1\n"),
        ("proc/77/task/79/status", "Cpus_allowed_list:\t3\n"),
        ("sys/fs/cgroup/x/cpu.max", "200000 100000\n"),
        ("sys/fs/cgroup/x/cpu.stat", "nr_periods 100\nnr_throttled 2\n"),
    ] {
        fake.write(path, text);
    }
    let words = ["--pid", "77", "--connections", "5000"];
    let found = said(&fake, &words);
    assert_eq!((found.server.cores, found.server.pinned.as_slice()), (2, &[1, 3][..]));
    found.expect("cores_running", Good, "2 cores, pinned to CPUs 1,3", "");
    found.expect(
        "nofile",
        WillBite,
        "2,000 soft, 1,048,576 hard (process 77), 1 open",
        "prlimit --pid 77 --nofile=6024:6024",
    );
    found.expect("swap", WillBite, "300 KiB of process 77", "MemorySwapMax=0");
    found.expect("cpu_quota", WillBite, "2 CPUs, stopped in 2.0% of 100 periods", "");
    found.expect("nic_irqs", Good, "each core has its share", "");
    fake.write("proc/77/task/79/status", "Cpus_allowed_list:\t1\n");
    said(&fake, &words).expect("cores_running", WillBite, "several on one", "start the server again");
    fake.write("proc/77/task/79/status", "Cpus_allowed_list:\t0-3\n");
    said(&fake, &words).expect("cores_running", Good, "2 cores, 1 of them not pinned", "");
    fake.write("proc/77/task/78/comm", "other\n").write("proc/77/task/79/comm", "other\n");
    said(&fake, &words).expect("cores_running", Unknown, "process 77 has no thread core-0", "");
}
