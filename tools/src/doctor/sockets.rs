//! Buffers of sockets: how much a client's connection may have in flight.

use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root};
use super::server::{Server, grouped, sized};
use super::thresholds::{SOCKET_BUFFER_MAX_LEAST, SOCKET_BYTES_A_CONNECTION};

/// Bytes of a page, as `tcp_mem` counts.
const PAGE_BYTES: u64 = 4096;

/// What the host says of socket buffers.
#[derive(Debug)]
pub(crate) struct Sockets {
    rmem_max: Known<u64>,
    wmem_max: Known<u64>,
    /// Least, first and most bytes that the kernel chooses.
    tcp_rmem: Known<Vec<u64>>,
    tcp_wmem: Known<Vec<u64>>,
    /// Pages of all sockets together: low, pressure, most.
    tcp_mem: Known<Vec<u64>>,
}

impl Sockets {
    pub(crate) fn read(root: &Root) -> Self {
        Self {
            rmem_max: root.number("proc/sys/net/core/rmem_max"),
            wmem_max: root.number("proc/sys/net/core/wmem_max"),
            tcp_rmem: root.numbers("proc/sys/net/ipv4/tcp_rmem", 3),
            tcp_wmem: root.numbers("proc/sys/net/ipv4/tcp_wmem", 3),
            tcp_mem: root.numbers("proc/sys/net/ipv4/tcp_mem", 3),
        }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        let cores = &server.config.cores;
        vec![
            ceiling("rmem_max", &self.rmem_max, "--rcvbuf", cores.receive_buffer_bytes),
            ceiling("wmem_max", &self.wmem_max, "--sndbuf", cores.send_buffer_bytes),
            grown("tcp_rmem", &self.tcp_rmem, cores.receive_buffer_bytes),
            grown("tcp_wmem", &self.tcp_wmem, cores.send_buffer_bytes),
            self.memory(server),
        ]
    }

    fn memory(&self, server: &Server) -> Finding {
        let why = "Socket buffers of the whole host; near the end the kernel shrinks everybody's windows, beyond it it drops.";
        let finding = |verdict, value: &str| Finding::new(Theme::Sockets, "tcp_mem", verdict, value, why);
        let [_, pressure, most] = match &self.tcp_mem {
            Ok(pages) => [0, 1, 2].map(|at| pages.get(at).copied().unwrap_or(0).saturating_mul(PAGE_BYTES)),
            Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
        };
        let needed = server.connections.saturating_mul(SOCKET_BYTES_A_CONNECTION);
        let value = format!("pressure from {}, at most {}", sized(pressure), sized(most));
        if pressure >= needed || (!server.is_count_known() && most >= needed) {
            return finding(Verdict::Good, &value);
        }
        let each = most / server.connections.max(1);
        // Never less than there is.
        let pages = needed.div_ceil(PAGE_BYTES);
        let top = (pages / 2 * 3).max(most / PAGE_BYTES);
        finding(Verdict::WorthALook, &format!("{value}: {} a connection", sized(each)))
            .mend(format!("sysctl -w net.ipv4.tcp_mem='{} {pages} {top}'", pages / 4 * 3))
    }
}

/// The bound on what a program may ask for.
fn ceiling(name: &'static str, most: &Known<u64>, flag: &str, asked: u32) -> Finding {
    let why = format!(
        "The bound on {flag}; the kernel cuts what is above it without a word. Without {flag} it does not count."
    );
    let finding = |verdict, value: &str| Finding::new(Theme::Sockets, name, verdict, value, &why);
    match most {
        Err(reason) => finding(Verdict::Unknown, &reason.to_string()),
        Ok(most) if u64::from(asked) > *most => {
            finding(Verdict::WillBite, &format!("{}, {flag} asks for {}", sized(*most), sized(u64::from(asked))))
                .mend(format!("sysctl -w net.core.{name}={asked}"))
        }
        Ok(most) if asked == 0 => finding(Verdict::Good, &format!("{}, {flag} is not set", sized(*most))),
        Ok(most) => finding(Verdict::Good, &format!("{}, {flag} asks for {}", sized(*most), sized(u64::from(asked)))),
    }
}

/// What the kernel grows a buffer to.
fn grown(name: &'static str, sizes: &Known<Vec<u64>>, asked: u32) -> Finding {
    let why = "The kernel grows each buffer with need up to the last figure: too little holds back clients that are far away.";
    let finding = |verdict, value: &str| Finding::new(Theme::Sockets, name, verdict, value, why);
    let [least, first, most] = match sizes {
        Ok(sizes) => [0, 1, 2].map(|at| sizes.get(at).copied().unwrap_or(0)),
        Err(reason) => return finding(Verdict::Unknown, &reason.to_string()),
    };
    let value = format!("{} {} {}", grouped(least), grouped(first), grouped(most));
    if asked != 0 {
        return finding(Verdict::Good, &format!("{value}, our fixed {} instead", sized(u64::from(asked))));
    }
    let is_short = most < SOCKET_BUFFER_MAX_LEAST;
    finding(if is_short { Verdict::WorthALook } else { Verdict::Good }, &value)
        .mend(format!("sysctl -w net.ipv4.{name}='{least} {first} {SOCKET_BUFFER_MAX_LEAST}'"))
}
