//! Memory: how much there is for the server, and what can make an access to it slow.

use super::cgroup;
use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root, field, odd};
use super::server::{Server, sized};
use super::thresholds::{EMPTY_SERVER_BYTES, IDLE_CONNECTION_BYTES, SLOW_CONSUMERS, SWAPPINESS_MAX};

/// What the host says of memory.
#[derive(Debug)]
pub(crate) struct Memory {
    total: Known<u64>,
    /// The smallest limit of the cgroup and those above it.
    limit: Known<Option<u64>>,
    swap: Known<u64>,
    swappiness: Known<u64>,
    /// The cgroup may not swap.
    swap_is_off: bool,
    /// Bytes of the process that are in swap.
    swapped: Known<u64>,
    huge_pages: Known<String>,
}

impl Memory {
    pub(crate) fn read(root: &Root) -> Self {
        let kilobytes = |path: &str, name: &str| -> Known<u64> {
            let text = root.text(path)?;
            let number = field(&text, name).and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok());
            number.map(|kilobytes| kilobytes.saturating_mul(1024)).ok_or_else(|| odd(path))
        };
        let folders = cgroup::folders(root, "memory");
        let first_zero = |folder: &String| root.number(&format!("{folder}/memory.swap.max")) == Ok(0);
        Self {
            total: kilobytes("proc/meminfo", "MemTotal"),
            limit: folders.clone().map(|folders| folders.iter().filter_map(|folder| limit(root, folder)).min()),
            swap: kilobytes("proc/meminfo", "SwapTotal"),
            swappiness: root.number("proc/sys/vm/swappiness"),
            swap_is_off: folders.is_ok_and(|folders| folders.iter().any(first_zero)),
            swapped: kilobytes(&root.of_process("status"), "VmSwap"),
            huge_pages: root.text("sys/kernel/mm/transparent_hugepage/enabled"),
        }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        vec![self.room(server), self.swap(server), self.huge_pages()]
    }

    fn room(&self, server: &Server) -> Finding {
        let (least, comfortable) = needs(server);
        let why = format!(
            "{} idle clients take some {}, a slow consumer up to max_pending ({}); beyond the limit the kernel kills the server.",
            super::server::grouped(server.connections),
            sized(least),
            sized(server.config.limits.pending_bytes_max)
        );
        let finding = |verdict, value: &str| Finding::new(Theme::Memory, "memory", verdict, value, &why);
        let (have, value) = match (&self.total, &self.limit) {
            (Ok(total), Ok(Some(limit))) if limit < total => {
                (*limit, format!("{} (limit of the cgroup), the host has {}", sized(*limit), sized(*total)))
            }
            (Ok(total), Ok(_)) => (*total, format!("{}, no limit of the cgroup", sized(*total))),
            (Err(_), Ok(Some(limit))) => (*limit, format!("{} (limit of the cgroup)", sized(*limit))),
            (Ok(total), Err(reason)) => (*total, format!("{}; limit of the cgroup: {reason}", sized(*total))),
            (Err(reason), _) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let verdict = if have < least && (server.is_count_known() || have < EMPTY_SERVER_BYTES) {
            Verdict::WillBite
        } else if have < comfortable {
            Verdict::WorthALook
        } else {
            Verdict::Good
        };
        finding(verdict, &value)
            .mend(format!("# MemoryMax={comfortable} in the unit; docker run --memory {comfortable}"))
            .mend("# or a smaller max_pending and max_connections in the file")
    }

    fn swap(&self, server: &Server) -> Finding {
        let why = "A page that comes back from the disk stops its core and all its clients for milliseconds; secrets may stay on the disk.";
        let finding = |verdict, value: &str| {
            Finding::new(Theme::Memory, "swap", verdict, value, why)
                .mend("sysctl -w vm.swappiness=1")
                .mend("# MemorySwapMax=0 in the unit; or swapoff -a")
        };
        if let (Some(pid), Ok(swapped @ 1..)) = (server.pid, &self.swapped) {
            return finding(Verdict::WillBite, &format!("{} of process {pid} are in swap", sized(*swapped)));
        }
        match (&self.swap, &self.swappiness) {
            (Ok(0), _) => finding(Verdict::Good, "none"),
            (Ok(total), _) if self.swap_is_off => {
                finding(Verdict::Good, &format!("{}, not for this cgroup", sized(*total)))
            }
            (Ok(total), Ok(swappiness)) => {
                let is_eager = *swappiness > SWAPPINESS_MAX;
                let verdict = if is_eager { Verdict::WorthALook } else { Verdict::Good };
                finding(verdict, &format!("{}, swappiness {swappiness}", sized(*total)))
            }
            (Ok(total), Err(_)) => finding(Verdict::WorthALook, &sized(*total)),
            (Err(reason), _) => finding(Verdict::Unknown, &reason.to_string()),
        }
    }

    fn huge_pages(&self) -> Finding {
        let why = "With 'always' memory grows in steps of 2 MiB, and a core may stand still while the kernel makes room for one.";
        let finding = |verdict, value: &str| Finding::new(Theme::Memory, "huge_pages", verdict, value, why);
        let text = match &self.huge_pages {
            Ok(text) => text,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let chosen = text.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
        match chosen {
            Some("always") => finding(Verdict::WorthALook, "always")
                .mend("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
            Some(other) => finding(Verdict::Good, other),
            None => finding(Verdict::Unknown, text),
        }
    }
}

/// What the clients take when they are idle, and what is comfortable: with some slow consumers, and full links between cores.
fn needs(server: &Server) -> (u64, u64) {
    let idle = server.connections.saturating_mul(IDLE_CONNECTION_BYTES).saturating_add(EMPTY_SERVER_BYTES);
    let cores = server.cores as u64;
    let links = cores.saturating_mul(cores.saturating_sub(1)).saturating_mul(server.config.cores.link_bytes_max);
    let slow = server.config.limits.pending_bytes_max.saturating_mul(SLOW_CONSUMERS);
    (idle, idle.saturating_add(slow).saturating_add(links))
}

/// The limit of one group, in either version's file; a number near the greatest means none.
fn limit(root: &Root, folder: &str) -> Option<u64> {
    let number = |name: &str| root.number(&format!("{folder}/{name}")).ok();
    number("memory.max").or_else(|| number("memory.limit_in_bytes")).filter(|&limit| limit < 1 << 60)
}
