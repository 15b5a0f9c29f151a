//! What a server process costs, from `/proc`: CPU, memory, context switches, page faults. And which process it is.
//!
//! Linux only; elsewhere there is nothing to read and the figures stay away.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde::Serialize;

/// The counters of a process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) cpu_ns: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) switches: u64,
    pub(crate) involuntary_switches: u64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
}

/// The difference of two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ServerCost {
    pub(crate) pid: u32,
    pub(crate) cpu_ns: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) resident_growth_bytes: i64,
    pub(crate) switches: u64,
    pub(crate) involuntary_switches: u64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
}

impl Counters {
    /// Reads them; `None` where the process has ended or is not ours to look at.
    pub(crate) fn read(pid: u32) -> Option<Self> {
        let root = format!("/proc/{pid}");
        let mut counters = Self::default();
        for task in fs::read_dir(format!("{root}/task")).ok()?.flatten() {
            // A thread may have ended since it was listed.
            let Ok(line) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            counters.cpu_ns += line.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            counters.switches += field(&status, "voluntary_ctxt_switches:");
            counters.involuntary_switches += field(&status, "nonvoluntary_ctxt_switches:");
        }
        let exact = fs::read_to_string(format!("{root}/smaps_rollup")).map(|text| field(&text, "Rss:"));
        let lagging = || field(&fs::read_to_string(format!("{root}/status")).unwrap_or_default(), "VmRSS:");
        counters.resident_bytes = exact.unwrap_or_else(|_| lagging()) * 1024;
        let stat = fs::read_to_string(format!("{root}/stat")).ok()?;
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let number = |place: usize| after_name.split_whitespace().nth(place).and_then(|n| n.parse().ok()).unwrap_or(0);
        (counters.minor_faults, counters.major_faults) = (number(7), number(9));
        Some(counters)
    }

    /// What happened since `before`.
    pub(crate) fn since(&self, before: &Self, pid: u32) -> ServerCost {
        ServerCost {
            pid,
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            resident_bytes: self.resident_bytes,
            resident_growth_bytes: self.resident_bytes as i64 - before.resident_bytes as i64,
            switches: self.switches.saturating_sub(before.switches),
            involuntary_switches: self.involuntary_switches.saturating_sub(before.involuntary_switches),
            minor_faults: self.minor_faults.saturating_sub(before.minor_faults),
            major_faults: self.major_faults.saturating_sub(before.major_faults),
        }
    }
}

/// The number behind a name at the start of a line.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The process of this host that listens at `address`.
pub(crate) fn listener_pid(address: SocketAddr) -> Option<u32> {
    if !is_local(address.ip()) {
        return None;
    }
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| listening_inodes(&fs::read_to_string(table).unwrap_or_default(), address.port()))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid| holds_one_of(*pid, &sockets))
}

fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok()
}

fn holds_one_of(pid: u32, sockets: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files
        .flatten()
        .any(|file| fs::read_link(file.path()).is_ok_and(|link| sockets.iter().any(|socket| Path::new(socket) == link)))
}

/// The inodes of sockets that listen at `port`, in a table of the kernel.
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let local = u16::from_str_radix(words.get(1)?.rsplit(':').next()?, 16).ok()?;
        (local == port && *words.get(3)? == LISTEN).then(|| words.get(9)?.parse().ok()).flatten()
    };
    table.lines().skip(1).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::{Counters, listener_pid, listening_inodes};
    use std::net::TcpListener;

    #[test]
    fn a_listener_of_this_process_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        assert_eq!(listener_pid(address), Some(std::process::id()));
        drop(listener);
        assert_eq!(listener_pid(address), None);
        assert_eq!(listener_pid("192.0.2.1:4222".parse().expect("an address")), None, "not on this host");
    }

    #[test]
    fn the_table_of_the_kernel_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
0: 0100007F:107E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n   \
1: 0100007F:107E 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n";
        assert_eq!(listening_inodes(table, 4222), [4711]);
        assert_eq!(listening_inodes(table, 1), [0; 0]);
    }

    #[test]
    fn counters_of_this_process_grow() {
        // Threads of other tests end meanwhile and take their counts with them, so one look may miss the growth.
        let grows = |_| {
            let before = Counters::read(std::process::id()).expect("we run");
            let block = vec![1_u8; 8 << 20];
            assert!(block.iter().map(|byte| u64::from(*byte)).sum::<u64>() > 0);
            let cost = Counters::read(std::process::id()).expect("we run").since(&before, 1);
            cost.cpu_ns > 0 && cost.minor_faults > 0 && cost.resident_bytes > 0
        };
        assert!((0..100).any(grows), "no growth in a hundred looks");
        assert_eq!(Counters::read(u32::MAX), None);
    }
}
