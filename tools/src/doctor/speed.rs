//! How fast the CPUs run, what system calls cost, and what reads the clock.

use std::collections::BTreeMap;

use dunlin::config::AcceptMode;
use dunlin::os::affinity::ranges;

use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root};
use super::server::Server;
use super::thresholds::{KERNEL_LEAST, KERNEL_REUSEPORT, WAKEUP_GRANULARITY_NS_MAX};

/// Clocks that are read without a system call.
const FAST_CLOCKS: &[&str] =
    &["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "riscv_clocksource", "timebase", "tod"];
/// Clocks that are read from a slow device.
const SLOW_CLOCKS: &[&str] = &["hpet", "acpi_pm", "pit", "jiffies", "refined-jiffies"];

/// What the host says of its speed.
#[derive(Debug)]
pub(crate) struct Speed {
    /// CPUs by their governor.
    governors: Known<BTreeMap<String, Vec<usize>>>,
    driver: String,
    /// The clock in use, and those that there are.
    clock: Known<(String, Vec<String>)>,
    /// Weaknesses of the CPU and what is done about them.
    weaknesses: Known<Vec<(String, String)>>,
    release: Known<String>,
    granularity: Known<u64>,
}

impl Speed {
    pub(crate) fn read(root: &Root, cpus: &[usize]) -> Self {
        let clocks = "sys/devices/system/clocksource/clocksource0";
        let available = root.text(&format!("{clocks}/available_clocksource")).unwrap_or_default();
        let available = available.split_whitespace().map(String::from).collect();
        Self {
            governors: governors(root, cpus),
            driver: root.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver").unwrap_or_default(),
            clock: root.text(&format!("{clocks}/current_clocksource")).map(|current| (current, available)),
            weaknesses: weaknesses(root),
            release: root.text("proc/sys/kernel/osrelease"),
            granularity: root.number("proc/sys/kernel/sched_wakeup_granularity_ns"),
        }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        vec![self.governor(), self.clock(), self.mitigations(), self.kernel(server), self.scheduler(server)]
    }

    fn governor(&self) -> Finding {
        let why =
            "A governor that waits for load before it raises the clock makes the first messages after a lull slow.";
        let finding = |verdict, value: &str| {
            Finding::new(Theme::Speed, "governor", verdict, value, why)
                .mend("cpupower frequency-set -g performance")
                .mend("# or the profile: tuned-adm profile latency-performance")
        };
        let governors = match &self.governors {
            Ok(governors) => governors,
            Err(reason) => {
                let value = format!("{reason} (where there is none, the hypervisor or the firmware decides)");
                return finding(Verdict::Unknown, &value);
            }
        };
        let shown: Vec<String> = match governors.keys().next() {
            Some(name) if governors.len() == 1 => vec![name.clone()],
            _ => governors.iter().map(|(name, cpus)| format!("{name} (CPUs {})", ranges(cpus))).collect(),
        };
        let driver = if self.driver.is_empty() { String::new() } else { format!(", driver {}", self.driver) };
        let value = format!("{}{driver}", shown.join(", "));
        let all_fast = governors.keys().all(|name| name == "performance");
        finding(if all_fast { Verdict::Good } else { Verdict::WorthALook }, &value)
    }

    fn clock(&self) -> Finding {
        let why = "Every turn of a core reads the clock; one that is no TSC costs a system call or a read from a device each time.";
        let finding = |verdict, value: &str| Finding::new(Theme::Speed, "clock_source", verdict, value, why);
        let (current, available) = match &self.clock {
            Ok(clock) => clock,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let verdict = if FAST_CLOCKS.contains(&current.as_str()) {
            Verdict::Good
        } else if SLOW_CLOCKS.contains(&current.as_str()) {
            Verdict::WillBite
        } else {
            Verdict::WorthALook
        };
        let better = FAST_CLOCKS.iter().find(|clock| available.iter().any(|name| name == *clock));
        let finding = finding(verdict, current);
        match better {
            Some(clock) => finding
                .mend(format!("echo {clock} > /sys/devices/system/clocksource/clocksource0/current_clocksource"))
                .mend("# dmesg says why the kernel did not choose it"),
            None => finding.mend("# dmesg | grep -i -e tsc -e clocksource says why there is no better one"),
        }
    }

    fn mitigations(&self) -> Finding {
        let why =
            "Some mitigations make each system call slower; without them others on this machine may read our memory.";
        let finding = |verdict, value: &str| Finding::new(Theme::Speed, "mitigations", verdict, value, why);
        let weaknesses = match &self.weaknesses {
            Ok(weaknesses) => weaknesses,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let names = |is_it: &dyn Fn(&str) -> bool| -> Vec<&str> {
            weaknesses.iter().filter(|(_, state)| is_it(state)).map(|(name, _)| name.as_str()).collect()
        };
        let open = names(&|state| state.starts_with("Vulnerable"));
        let slow = names(&|state| is_slow(state));
        let mended = names(&|state| state.starts_with("Mitigation")).len();
        if !open.is_empty() {
            finding(Verdict::WorthALook, &format!("open: {}", open.join(", ")))
                .mend("# where strangers' code runs on this machine: newer firmware, microcode and kernel, and not mitigations=off")
        } else if !slow.is_empty() {
            finding(Verdict::WorthALook, &format!("slow system calls: {}", slow.join(", ")))
                .mend("# newer CPUs need none of it. mitigations=off on the kernel's command line is only for machines on which nothing but trusted code runs, guests and scripts of browsers included")
        } else if mended == 0 {
            finding(Verdict::Good, "none needed")
        } else {
            finding(Verdict::Good, &format!("{mended} active, none that costs much"))
        }
    }

    fn kernel(&self, server: &Server) -> Finding {
        let why =
            "Old kernels lack what the server uses, and defaults for many connections (somaxconn was 128 before 5.4).";
        let finding = |verdict, value: &str| Finding::new(Theme::Speed, "kernel", verdict, value, why);
        let release = match &self.release {
            Ok(release) => release,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let Some(version) = version(release) else { return finding(Verdict::Unknown, release) };
        if version < KERNEL_REUSEPORT && server.config.cores.accept == AcceptMode::ReusePort {
            finding(Verdict::WillBite, &format!("{release}: no --accept reuseport")).mend("dunlin --accept handoff")
        } else if version < KERNEL_LEAST {
            let (major, minor) = KERNEL_LEAST;
            finding(Verdict::WorthALook, release).mend(format!("# a kernel from {major}.{minor} on"))
        } else {
            finding(Verdict::Good, release)
        }
    }

    fn scheduler(&self, server: &Server) -> Finding {
        let why =
            "With a long wake-up granularity a core that spins (--spin_us) starves the kernel's threads of its CPU.";
        let finding = |verdict, value: &str| Finding::new(Theme::Speed, "wakeup_granularity", verdict, value, why);
        match &self.granularity {
            Ok(nanos) => {
                let verdict = match (*nanos > WAKEUP_GRANULARITY_NS_MAX, server.config.cores.spin.is_zero()) {
                    (false, _) => Verdict::Good,
                    (true, true) => Verdict::WorthALook,
                    (true, false) => Verdict::WillBite,
                };
                finding(verdict, &format!("{:.1} ms", *nanos as f64 / 1e6))
                    .mend("sysctl -w kernel.sched_wakeup_granularity_ns=3000000")
                    .mend("# or start without --spin_us; a profile of tuned may set it again")
            }
            // Kernels from 5.13 on have moved it, and from 6.6 on do without.
            Err(_) => finding(Verdict::Good, "no such setting (kernels from 5.13 on)"),
        }
    }
}

/// Whether this mitigation does something at each entry to the kernel.
fn is_slow(state: &str) -> bool {
    let Some(how) = state.strip_prefix("Mitigation:").map(str::trim_start) else { return false };
    let parts = how.split([';', ',']).map(str::trim);
    parts.into_iter().any(|part| part == "PTI" || part == "IBRS" || part.starts_with("untrained return thunk"))
}

/// The first two numbers of a release.
fn version(release: &str) -> Option<(u64, u64)> {
    let mut parts = release.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn governors(root: &Root, cpus: &[usize]) -> Known<BTreeMap<String, Vec<usize>>> {
    let mut governors: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut reason = None;
    for cpu in cpus {
        match root.text(&format!("sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor")) {
            Ok(name) => governors.entry(name).or_default().push(*cpu),
            Err(unseen) => reason = reason.or(Some(unseen)),
        }
    }
    match reason {
        Some(reason) if governors.is_empty() => Err(reason),
        None if governors.is_empty() => Err(super::look::Unseen("which CPUs there are cannot be seen".into())),
        _ => Ok(governors),
    }
}

fn weaknesses(root: &Root) -> Known<Vec<(String, String)>> {
    let folder = "sys/devices/system/cpu/vulnerabilities";
    let read = |name: String| Some((root.text(&format!("{folder}/{name}")).ok()?, name));
    Ok(root.names(folder)?.into_iter().filter_map(read).map(|(state, name)| (name, state)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_two_numbers() {
        for (release, expected) in [
            ("6.18.44-fc", Some((6, 18))),
            ("4.18.0-553.el8_10.x86_64", Some((4, 18))),
            ("5.15", Some((5, 15))),
            ("3.10-rc1", None.or(Some((3, 10)))),
            ("odd", None),
            ("", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
    }

    #[test]
    fn mitigations_at_every_system_call_are_slow() {
        for (state, expected) in [
            ("Mitigation: PTI", true),
            ("Mitigation: IBRS; IBPB: conditional; STIBP: disabled", true),
            ("Mitigation: untrained return thunk; SMT enabled with STIBP protection", true),
            ("Mitigation: Enhanced / Automatic IBRS; IBPB: conditional", false),
            ("Mitigation: Retpolines; IBPB: conditional; RSB filling", false),
            ("Not affected", false),
            ("Vulnerable: PTI", false),
        ] {
            assert_eq!(is_slow(state), expected, "{state}");
        }
    }
}
