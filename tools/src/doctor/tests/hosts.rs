//! Whole hosts: bare metal, a container, an ancient one, one that shows nothing.

use super::super::fake::Fake;
use super::super::finding::Verdict::{Good, Unknown, WillBite, WorthALook};
use super::{LIMITS, NAMES, NETSTAT, cpu_of, good_host, said};

#[test]
fn bare_metal_with_smt_and_two_nodes() {
    let fake = good_host();
    fake.write("proc/self/status", "Cpus_allowed_list:\t0-15\n").write("sys/devices/system/cpu/online", "0-15\n");
    for cpu in 0..16 {
        cpu_of(&fake, cpu, &format!("{},{}", cpu % 8, cpu % 8 + 8), "powersave");
    }
    fake.write("sys/devices/system/node/node0/cpulist", "0-3,8-11\n");
    fake.write("sys/devices/system/node/node1/cpulist", "4-7,12-15\n");
    fake.write("sys/devices/system/node/node2/cpulist", "\n"); // memory alone
    fake.write("sys/devices/pci0/0000:3b:00.0/numa_node", "1\n");
    fake.write("sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n");
    fake.write("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    fake.write("proc/meminfo", "MemTotal: 268435456 kB\nSwapTotal: 8388604 kB\n");
    fake.write("proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
    fake.write("proc/sys/net/netfilter/nf_conntrack_count", "900\n");

    let all = said(&fake, &["--connections", "100000"]);
    all.expect("cores", Good, "16 (one for each CPU of the affinity mask), pinned, one each, to CPUs 0-15", "");
    all.expect("smt_siblings", WorthALook, "cores share 0,8 1,9", "dunlin --cores 0-7");
    all.expect(
        "numa_nodes",
        WorthALook,
        "2, cores on 2 of them",
        "numactl --cpunodebind=1 --membind=1 dunlin --cores 4-7,12-15",
    );
    all.expect("governor", WorthALook, "powersave, driver acpi-cpufreq", "cpupower frequency-set -g performance");
    all.expect("mitigations", WorthALook, "slow system calls: meltdown", "trusted code");
    all.expect("huge_pages", WorthALook, "always", "echo madvise");
    all.expect("swap", WorthALook, "8 GiB, swappiness 60", "vm.swappiness=1");
    all.expect("conntrack", WillBite, "900 of 65,536", "nf_conntrack_max=200900");
    all.expect(
        "nic_irqs",
        WorthALook,
        "eth0: 4 on CPUs 0-3; cores there: 4 of 16",
        "or leave that CPU to the card: dunlin --cores 4-15",
    );
    all.expect("nic_numa", Good, "eth0: node 1", "");
    all.expect("ephemeral_ports", WorthALook, "28,232 ports", "ip_local_port_range");

    // Four cores on the first node: each on a physical core, all on one node, and that is not the card's.
    let few = said(&fake, &["--cores", "0-3", "--connections", "1000"]);
    assert_eq!(few.server.pinned, [0, 1, 2, 3]);
    few.expect("smt_siblings", Good, "8 physical cores of several CPUs, no two cores on one", "");
    few.expect("numa_nodes", Good, "2, all cores on node 0", "");
    few.expect("nic_numa", WorthALook, "no core on the node of eth0", "dunlin --cores 4-7,12-15");
    few.expect("nic_irqs", Good, "each core has its share", "");
    few.expect("conntrack", Good, "900 of 65,536", "");

    let free = said(&fake, &["--no_pin"]);
    assert!(free.server.pinned.is_empty());
    free.expect("nic_irqs", Good, "cores are not pinned", "");
    free.expect("numa_nodes", WorthALook, "not pinned to any", "numactl");
    free.expect("conntrack", WorthALook, "900 of 65,536", "");
}

#[test]
fn a_container_with_one_and_a_half_cpus() {
    let fake = Fake::new();
    for (path, text) in [
        ("proc/self/status", "Cpus_allowed_list:\t0-7\nVmSwap:\t0 kB\n"),
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/limits", LIMITS),
        ("proc/meminfo", "MemTotal: 33554432 kB\nSwapTotal: 4194304 kB\n"),
        ("proc/interrupts", "  CPU0\n"),
        ("proc/sys/net/core/somaxconn", "4096\n"),
        ("proc/sys/kernel/osrelease", "5.15.0-1051-aws\n"),
        ("sys/devices/system/cpu/online", "0-7\n"),
        ("sys/class/net/eth0/queues/rx-0/rps_cpus", "00\n"), // a veth: no device
        ("sys/fs/cgroup/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/cpu.stat", "usage_usec 9\nnr_periods 2000\nnr_throttled 100\nthrottled_usec 5\n"),
        ("sys/fs/cgroup/memory.max", "134217728\n"),
        ("sys/fs/cgroup/memory.swap.max", "0\n"),
    ] {
        fake.write(path, text);
    }
    let found = said(&fake, &["--connections", "50000"]);
    found.expect("cpu_quota", WorthALook, "1.5 CPUs, stopped in 5.0% of 2,000 periods", "--cpuset-cpus");
    found.expect("cores", Good, "2 (the cgroup's quota of 1.5 CPUs, rounded up), not pinned (a CPU quota is set)", "");
    found.expect("memory", WillBite, "128 MiB (limit of the cgroup), the host has 32 GiB", "docker run --memory");
    found.expect("swap", Good, "4 GiB, not for this cgroup", "");
    found.expect("nofile", Good, "1,024 soft, 1,048,576 hard (this shell)", "");
    found.expect("governor", Unknown, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor is not here", "");
    found.expect("nic_irqs", Unknown, "no card with hardware is visible", "");
    found.expect("conntrack", Good, "not loaded", "");
    found.expect("smt_siblings", Unknown, "thread_siblings_list is not here", "");
    assert_eq!((found.server.cores, found.server.pinned.len()), (2, 0));
    // More cores than the quota has CPUs are throttled; and a server that runs there is.
    said(&fake, &["--cores", "4"]).expect("cpu_quota", WillBite, "1.5 CPUs for 4 cores", "dunlin --cores 2");
    said(&fake, &["--spin_us", "50"]).expect("spinning", WillBite, "50 us, and cores are not pinned", "whole CPUs");
    // Few clients fit.
    said(&fake, &["--connections", "1000"]).expect("memory", WorthALook, "128 MiB", "max_pending");
}

#[test]
fn an_ancient_host_with_cgroups_of_version_1() {
    let fake = good_host();
    for (path, text) in [
        ("proc/self/cgroup", "5:memory:/lxc/a\n4:cpuset:/\n3:cpu,cpuacct:/lxc/a\n1:name=systemd:/\n"),
        ("proc/self/limits", "Max open files            1024                 4096                 files\n"),
        ("proc/sys/kernel/osrelease", "3.10.0-1160.el7.x86_64\n"),
        ("proc/sys/kernel/sched_wakeup_granularity_ns", "15000000\n"),
        ("proc/sys/net/core/somaxconn", "128\n"),
        ("proc/sys/net/ipv4/tcp_syncookies", "0\n"),
        ("proc/sys/net/ipv4/tcp_max_syn_backlog", "512\n"),
        ("proc/sys/net/ipv4/tcp_rmem", "4096 87380 1048576\n"),
        ("proc/sys/net/core/rmem_max", "212992\n"),
        ("proc/sys/net/ipv4/ip_local_port_range", "1024 65535\n"),
        ("proc/sys/net/ipv4/ip_local_reserved_ports", "8000-8100\n"),
        ("proc/sys/fs/file-max", "20000\n"),
        ("proc/sys/fs/file-nr", "16000 0 20000\n"),
        ("proc/net/netstat", &NETSTAT.replace("5 0 0", "5 12345 12345")),
        ("proc/net/sockstat", "TCP: inuse 1 orphan 0 tw 250000 alloc 1 mem 1\n"),
        ("proc/net/softnet_stat", "066ec636 0000000a 0000000e\n057c3c38 00000001 00000022\n"),
        ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"),
        ("sys/devices/system/cpu/vulnerabilities/mds", "Vulnerable: Clear CPU buffers attempted, no microcode\n"),
        ("sys/fs/cgroup/cpu,cpuacct/lxc/a/cpu.cfs_quota_us", "200000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/lxc/a/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/lxc/a/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/lxc/memory.limit_in_bytes", "1073741824\n"),
    ] {
        fake.write(path, text);
    }
    let words = ["--connections", "10000", "--rcvbuf", "1000000", "--accept", "reuseport", "--spin_us", "20"];
    let found = said(&fake, &words);
    found.expect("cpu_quota", WorthALook, "2 CPUs", "AllowedCPUs");
    found.expect("nofile", WillBite, "1,024 soft, 4,096 hard", "LimitNOFILE=11024");
    found.expect("file_max", WillBite, "20,000, 16,000 open", "fs.file-max=38048");
    found.expect("kernel", WorthALook, "3.10.0-1160.el7.x86_64", "from 4.18 on");
    found.expect("wakeup_granularity", WillBite, "15.0 ms", "sched_wakeup_granularity_ns=3000000");
    found.expect("somaxconn", WillBite, "128, cuts our backlog of 4,096", "sysctl -w net.core.somaxconn=4096");
    found.expect("tcp_max_syn_backlog", WillBite, "512, tcp_syncookies 0", "tcp_syncookies=1");
    found.expect("rmem_max", WillBite, "208 KiB, --rcvbuf asks for 976.6 KiB", "net.core.rmem_max=1000000");
    found.expect("tcp_rmem", Good, "our fixed 976.6 KiB instead", "");
    found.expect(
        "ephemeral_ports",
        WorthALook,
        "a client may take 4222 before us",
        "ip_local_reserved_ports=8000-8100,4222",
    );
    found.expect("listen_overflows", WorthALook, "12,345", "nstat");
    found.expect("softnet_drops", WorthALook, "11", "netdev_max_backlog");
    found.expect("time_wait", WorthALook, "250,000 of 262,144", "tcp_max_tw_buckets=524288");
    found.expect("clock_source", WillBite, "hpet", "echo tsc > ");
    found.expect("mitigations", WorthALook, "open: mds", "microcode");
    found.expect("memory", Good, "1 GiB (limit of the cgroup), the host has 32 GiB", "");
    let rest = said(&fake, &["--connections", "100"]);
    rest.expect("tcp_rmem", WorthALook, "1,048,576", "tcp_rmem='4096 87380 4194304'");
    rest.expect("wakeup_granularity", WorthALook, "15.0 ms", "");
    rest.expect("tcp_max_syn_backlog", WorthALook, "512", "");
    rest.expect("nofile", Good, "4,096 hard", "");
    // Nobody says how many come: a shell's small limit is worth a look; without --connections 4,096 are not certain to be too few.
    said(&fake, &[]).expect("nofile", WorthALook, "4,096 hard", "LimitNOFILE=66560");
    fake.write("proc/self/limits", "Max open files            1024                 1024                 files\n");
    said(&fake, &[]).expect("nofile", WillBite, "1,024 hard", "");
    fake.write("proc/sys/kernel/osrelease", "2.6.32\n");
    said(&fake, &words).expect("kernel", WillBite, "no --accept reuseport", "dunlin --accept handoff");
}

#[test]
fn a_host_that_shows_nothing_is_unknown_and_bites_nobody() {
    let nothing = said(&Fake::new(), &["--connections", "1000000", "--spin_us", "0"]);
    assert_eq!(nothing.findings.len(), NAMES.len());
    assert_eq!(nothing.count(WillBite) + nothing.count(WorthALook), 0, "{:#?}", nothing.findings);
    // What is not there may be good: no spinning, no such setting.
    assert_eq!(nothing.count(Good), 2, "{:#?}", nothing.findings);
    for finding in nothing.findings.values().filter(|finding| finding.verdict == Unknown) {
        assert!(finding.value.contains("is not here") || finding.value.contains("cannot be seen"), "{finding:#?}");
    }
}
