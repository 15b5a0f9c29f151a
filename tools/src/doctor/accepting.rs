//! What stands between a client's SYN and the server: queues, tables, ports.

use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root, Unseen, odd};
use super::server::{Server, grouped};
use super::thresholds::{ACCEPT_QUEUE_LEAST, SYN_QUEUE_LEAST, TABLE_FULL_PERCENT};

/// What the host says of connections that come.
#[derive(Debug)]
pub(crate) struct Accepting {
    somaxconn: Known<u64>,
    syn_backlog: Known<u64>,
    syncookies: Known<u64>,
    /// First and last port, and the text of those that are kept free.
    ports: Known<(u64, u64)>,
    reserved: String,
    /// Connections that the accept queue had no room for, since the host was started.
    overflows: Known<u64>,
    /// Packets that a CPU had no room for.
    dropped: Known<u64>,
    /// In use, and the most.
    time_wait: Known<(u64, u64)>,
    /// Tracked connections and the most; `None`: nothing is tracked.
    tracked: Known<Option<(u64, u64)>>,
}

impl Accepting {
    pub(crate) fn read(root: &Root) -> Self {
        let ports = root.numbers("proc/sys/net/ipv4/ip_local_port_range", 2);
        Self {
            somaxconn: root.number("proc/sys/net/core/somaxconn"),
            syn_backlog: root.number("proc/sys/net/ipv4/tcp_max_syn_backlog"),
            syncookies: root.number("proc/sys/net/ipv4/tcp_syncookies"),
            ports: ports.map(|ports| (ports[0], ports[1])),
            reserved: root.text("proc/sys/net/ipv4/ip_local_reserved_ports").unwrap_or_default(),
            overflows: overflows(root),
            dropped: dropped(root),
            time_wait: time_wait(root),
            tracked: tracked(root),
        }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        vec![
            self.somaxconn(server),
            self.syn_backlog(server),
            self.overflows(),
            self.ports(server),
            self.time_wait(),
            self.tracked(server),
            self.dropped(),
        ]
    }

    fn somaxconn(&self, server: &Server) -> Finding {
        let why =
            "Clients that reconnect all at once wait here; who finds it full tries again after 1, 3 and 7 seconds.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "somaxconn", verdict, value, why);
        let most = match &self.somaxconn {
            Ok(most) => *most,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let backlog = u64::from(server.config.cores.backlog);
        let value = if most < backlog {
            format!("{}, cuts our backlog of {}", grouped(most), grouped(backlog))
        } else {
            format!("{}, our backlog is {}", grouped(most), grouped(backlog))
        };
        let queue = most.min(backlog);
        let verdict = if queue < server.connections.min(ACCEPT_QUEUE_LEAST) {
            Verdict::WillBite
        } else if most < backlog.min(server.connections) {
            Verdict::WorthALook
        } else {
            Verdict::Good
        };
        let mended = finding(verdict, &value);
        let wanted = backlog.max(ACCEPT_QUEUE_LEAST);
        let mended = if most < wanted { mended.mend(format!("sysctl -w net.core.somaxconn={wanted}")) } else { mended };
        if backlog < ACCEPT_QUEUE_LEAST {
            mended.mend(format!("dunlin --backlog {ACCEPT_QUEUE_LEAST}"))
        } else {
            mended
        }
    }

    fn syn_backlog(&self, server: &Server) -> Finding {
        let why = "Half-open connections; with SYN cookies (1) a full queue still lets clients in, without them it is the end.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "tcp_max_syn_backlog", verdict, value, why);
        let (most, cookies) = match (&self.syn_backlog, &self.syncookies) {
            (Ok(most), Ok(cookies)) => (*most, *cookies),
            (Err(reason), _) | (_, Err(reason)) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let is_short = most < server.connections.min(SYN_QUEUE_LEAST);
        let verdict = match (cookies, is_short) {
            (0, true) => Verdict::WillBite,
            (0, false) | (2.., _) => Verdict::WorthALook,
            (1, _) => Verdict::Good,
        };
        let finding = finding(verdict, &format!("{}, tcp_syncookies {cookies}", grouped(most)));
        let finding = finding.mend("sysctl -w net.ipv4.tcp_syncookies=1");
        if is_short {
            finding.mend(format!("sysctl -w net.ipv4.tcp_max_syn_backlog={}", most.max(4096)))
        } else {
            finding
        }
    }

    fn overflows(&self) -> Finding {
        let why = "Connections that found the queue of some listener full, of any program, since the host was started.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "listen_overflows", verdict, value, why);
        match &self.overflows {
            Ok(0) => finding(Verdict::Good, "0"),
            Ok(count) => finding(Verdict::WorthALook, &grouped(*count))
                .mend("nstat -az TcpExtListenOverflows; ss -ltn")
                .mend("# if it grows while clients of this server connect: a longer queue (somaxconn, --backlog), or --accept reuseport"),
            Err(reason) => finding(Verdict::Unknown, &reason.to_string()),
        }
    }

    fn ports(&self, server: &Server) -> Finding {
        let why = "Clients and proxies on this host take a port each from here to reach one address; a server's own port must not be among them.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "ephemeral_ports", verdict, value, why);
        let (first, last) = match &self.ports {
            Ok(ports) => *ports,
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let count = (last + 1).saturating_sub(first);
        let value = format!("{first}-{last} ({} ports)", grouped(count));
        let taken: Vec<u16> = ports_of(server)
            .into_iter()
            .filter(|&port| (first..=last).contains(&u64::from(port)) && !is_listed(&self.reserved, port))
            .collect();
        if !taken.is_empty() {
            let ports: Vec<String> = taken.iter().map(u16::to_string).collect();
            let ports = ports.join(",");
            let all = if self.reserved.is_empty() { ports.clone() } else { format!("{},{ports}", self.reserved) };
            return finding(Verdict::WorthALook, &format!("{value}: a client may take {ports} before us"))
                .mend(format!("sysctl -w net.ipv4.ip_local_reserved_ports={all}"));
        }
        if server.is_count_known() && server.connections > count {
            return finding(Verdict::WorthALook, &format!("{value} for {} clients", grouped(server.connections)))
                .mend("sysctl -w net.ipv4.ip_local_port_range='10240 65535'")
                .mend("# only where they all come from one address: a proxy, a load generator, this host");
        }
        finding(Verdict::Good, &value)
    }

    fn time_wait(&self) -> Finding {
        let why = "Closed connections are remembered for a minute; in a full table new ones are not, and stray segments can hit a new client.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "time_wait", verdict, value, why);
        match &self.time_wait {
            Ok((used, most)) => {
                let verdict = if is_full(*used, *most) { Verdict::WorthALook } else { Verdict::Good };
                finding(verdict, &format!("{} of {}", grouped(*used), grouped(*most)))
                    .mend(format!("sysctl -w net.ipv4.tcp_max_tw_buckets={}", most.saturating_mul(2)))
                    .mend("# and look for clients that connect for each message: ss -tan state time-wait")
            }
            Err(reason) => finding(Verdict::Unknown, &reason.to_string()),
        }
    }

    fn tracked(&self, server: &Server) -> Finding {
        let why = "A firewall that tracks connections drops packets of new ones when its table is full.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "conntrack", verdict, value, why);
        let (used, most) = match &self.tracked {
            Ok(Some(table)) => *table,
            Ok(None) => return finding(Verdict::Good, "not loaded"),
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        // Those of a running server are in the table already.
        let coming = if server.pid.is_some() { server.connections.saturating_sub(used) } else { server.connections };
        let verdict = if used.saturating_add(coming) > most && server.is_count_known() {
            Verdict::WillBite
        } else if is_full(used, most) || used.saturating_add(coming) > most {
            Verdict::WorthALook
        } else {
            Verdict::Good
        };
        let wanted = used.saturating_add(server.connections.saturating_mul(2)).max(most);
        finding(verdict, &format!("{} of {} tracked", grouped(used), grouped(most)))
            .mend(format!("sysctl -w net.netfilter.nf_conntrack_max={wanted}"))
            .mend("# or do not track clients: a notrack rule for the server's port")
    }

    fn dropped(&self) -> Finding {
        let why = "Packets that came faster than a CPU took them, since the host was started.";
        let finding = |verdict, value: &str| Finding::new(Theme::Accepting, "softnet_drops", verdict, value, why);
        match &self.dropped {
            Ok(0) => finding(Verdict::Good, "0"),
            Ok(count) => finding(Verdict::WorthALook, &grouped(*count))
                .mend("sysctl -w net.core.netdev_max_backlog=10000")
                .mend("# and spread the card's interrupts (below)"),
            Err(reason) => finding(Verdict::Unknown, &reason.to_string()),
        }
    }
}

/// The ports that the server listens on.
fn ports_of(server: &Server) -> Vec<u16> {
    let pages = server.config.monitoring.listener.as_ref().map(|listener| listener.port);
    [Some(server.config.port), pages].into_iter().flatten().filter(|&port| port != 0).collect()
}

/// Whether a list such as `4222,8000-8100` holds the port.
fn is_listed(list: &str, port: u16) -> bool {
    list.split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        matches!((first.trim().parse::<u16>(), last.trim().parse::<u16>()), (Ok(first), Ok(last)) if (first..=last).contains(&port))
    })
}

fn is_full(used: u64, most: u64) -> bool {
    used.saturating_mul(100) >= most.saturating_mul(TABLE_FULL_PERCENT)
}

/// `ListenOverflows` of the line `TcpExt`, whose names and values are two lines of columns.
fn overflows(root: &Root) -> Known<u64> {
    let path = "proc/net/netstat";
    let text = root.text(path)?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
    let mut found = || {
        let (names, values) = (lines.next()?, lines.next()?);
        let at = names.split_whitespace().position(|name| name == "ListenOverflows")?;
        values.split_whitespace().nth(at)?.parse().ok()
    };
    found().ok_or_else(|| odd(path))
}

/// The second column of each CPU's line, which is hexadecimal.
fn dropped(root: &Root) -> Known<u64> {
    let path = "proc/net/softnet_stat";
    let text = root.text(path)?;
    let column = |line: &str| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok();
    let columns: Option<Vec<u64>> = text.lines().map(column).collect();
    columns.map(|columns| columns.iter().sum()).ok_or_else(|| odd(path))
}

fn time_wait(root: &Root) -> Known<(u64, u64)> {
    let most = root.number("proc/sys/net/ipv4/tcp_max_tw_buckets")?;
    let path = "proc/net/sockstat";
    let text = root.text(path)?;
    let used = || {
        let mut words = text.lines().find_map(|line| line.strip_prefix("TCP:"))?.split_whitespace();
        words.find(|word| *word == "tw")?;
        words.next()?.parse().ok()
    };
    Ok((used().ok_or_else(|| odd(path))?, most))
}

fn tracked(root: &Root) -> Known<Option<(u64, u64)>> {
    let folder = "proc/sys/net/netfilter";
    if !root.has(&format!("{folder}/nf_conntrack_max")) {
        return if root.has("proc/sys/net") { Ok(None) } else { Err(Unseen("/proc/sys/net is not here".into())) };
    }
    let used = root.number(&format!("{folder}/nf_conntrack_count"))?;
    Ok(Some((used, root.number(&format!("{folder}/nf_conntrack_max"))?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_are_lists_of_ranges() {
        for (list, port, expected) in [
            ("", 4222, false),
            ("4222", 4222, true),
            ("8222,4000-5000", 4222, true),
            ("8222,4223-5000", 4222, false),
            ("x-y,-", 4222, false),
        ] {
            assert_eq!(is_listed(list, port), expected, "{list:?}");
        }
    }
}
