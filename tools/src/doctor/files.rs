//! Open files: each connection needs one.

use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root, odd};
use super::server::{Server, grouped};
use super::thresholds::{DESCRIPTORS_LEAST, OWN_DESCRIPTORS};

/// What the host says of open files.
#[derive(Debug)]
pub(crate) struct Files {
    /// Soft and hard limit of the process; `u64::MAX`: none.
    limit: Known<(u64, u64)>,
    /// How many the process has open; only its owner may see.
    open: Known<u64>,
    nr_open: Known<u64>,
    /// Of the whole host: open, and the most.
    host: Known<(u64, u64)>,
}

impl Files {
    pub(crate) fn read(root: &Root) -> Self {
        Self {
            limit: limit(root),
            open: root.names(&root.of_process("fd")).map(|names| names.len() as u64),
            nr_open: root.number("proc/sys/fs/nr_open"),
            host: root
                .numbers("proc/sys/fs/file-nr", 3)
                .and_then(|numbers| Ok((numbers[0], root.number("proc/sys/fs/file-max")?))),
        }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        vec![self.nofile(server), self.nr_open(server), self.file_max(server)]
    }

    fn nofile(&self, server: &Server) -> Finding {
        let needed = needed(server);
        let why = format!(
            "Each connection is an open file; {}, and the server needs up to {} of its own. It raises the soft limit to the hard one.",
            server.clients(),
            grouped(OWN_DESCRIPTORS)
        );
        let finding = |verdict, value: &str| Finding::new(Theme::Files, "nofile", verdict, value, &why);
        let (soft, hard) = match &self.limit {
            Ok(limit) => *limit,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let whose = server.pid.map_or("this shell".to_owned(), |pid| format!("process {pid}"));
        let mut value = format!("{} soft, {} hard ({whose})", limit_shown(soft), limit_shown(hard));
        if let (Some(_), Ok(open)) = (server.pid, &self.open) {
            value.push_str(&format!(", {} open", grouped(*open)));
        }
        // A server that runs has raised what it could: its soft limit counts.
        let usable = if server.pid.is_some() { soft } else { hard };
        let finding = finding(shortage(usable, needed, server), &value);
        match server.pid {
            Some(pid) => finding.mend(format!("prlimit --pid {pid} --nofile={needed}:{needed}")),
            None => finding.mend(format!("ulimit -Hn {needed} && ulimit -Sn {needed}")),
        }
        .mend(format!("# LimitNOFILE={needed} in the unit; docker run --ulimit nofile={needed}:{needed}"))
    }

    fn nr_open(&self, server: &Server) -> Finding {
        let why = "No process may have more open files, whatever its limits say.";
        let finding = |verdict, value: &str| Finding::new(Theme::Files, "nr_open", verdict, value, why);
        let needed = needed(server);
        match &self.nr_open {
            Ok(most) => finding(shortage(*most, needed, server), &grouped(*most))
                .mend(format!("sysctl -w fs.nr_open={}", needed.next_power_of_two())),
            Err(reason) => finding(Verdict::Unknown, &reason.to_string()),
        }
    }

    fn file_max(&self, server: &Server) -> Finding {
        let why = "All processes of the host together may have so many open files.";
        let finding = |verdict, value: &str| Finding::new(Theme::Files, "file_max", verdict, value, why);
        let (open, most) = match &self.host {
            Ok(host) => *host,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let value = format!("{}, {} open", limit_shown(most), grouped(open));
        let needed = needed(server);
        // Of a server that runs the greater part is open already.
        let left = if server.pid.is_some() { most } else { most.saturating_sub(open) };
        finding(shortage(left, needed, server), &value)
            .mend(format!("sysctl -w fs.file-max={}", open.saturating_add(needed.saturating_mul(2))))
    }
}

fn needed(server: &Server) -> u64 {
    server.connections.saturating_add(OWN_DESCRIPTORS)
}

/// Too few bite where somebody has said how many are needed, and where they are too few for any server.
fn shortage(have: u64, needed: u64, server: &Server) -> Verdict {
    if have >= needed {
        Verdict::Good
    } else if server.is_count_known() || have < DESCRIPTORS_LEAST {
        Verdict::WillBite
    } else {
        Verdict::WorthALook
    }
}

fn limit_shown(limit: u64) -> String {
    // The kernel's greatest file-max, and RLIM_INFINITY.
    if limit >= i64::MAX as u64 { "unlimited".into() } else { grouped(limit) }
}

fn limit(root: &Root) -> Known<(u64, u64)> {
    let path = root.of_process("limits");
    let text = root.text(&path)?;
    let read = || {
        let rest = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        let mut words = rest.split_whitespace();
        let mut number = || {
            let word = words.next()?;
            if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() }
        };
        Some((number()?, number()?))
    };
    read().ok_or_else(|| odd(&path))
}
