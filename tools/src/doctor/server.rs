//! The server that the host is looked at for: where its cores run, how many clients come, what it asks of sockets.
//!
//! Pure. The CPUs come from the server's own rules (`dunlin::os::affinity`), so that they are those that it would pin.

use dunlin::Config;
use dunlin::os::affinity::{self, Plan, PlanError, Seen};

use super::cpus::CoreThread;

/// What nats-server's `max_connections` is when nobody sets it.
const CONNECTIONS_DEFAULT: u64 = 65_536;

/// Who says how many clients will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `--connections`.
    Flag,
    /// `max_connections` of the file.
    File,
    /// Nobody.
    Default,
}

impl Source {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flag => "--connections",
            Self::File => "max_connections",
            Self::Default => "default",
        }
    }
}

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    /// The number of a running one.
    pub(crate) pid: Option<u32>,
    pub(crate) config: Config,
    /// Where it would run its cores.
    pub(crate) plan: Result<Plan, PlanError>,
    /// CPUs that cores are pinned to (of a running server: are really), ascending.
    pub(crate) pinned: Vec<usize>,
    pub(crate) cores: usize,
    pub(crate) connections: u64,
    pub(crate) source: Source,
}

impl Server {
    /// `expected`: what `--connections` says. `is_limited`: the file sets `max_connections`.
    pub(crate) fn new(
        config: Config,
        expected: Option<u64>,
        is_limited: bool,
        seen: &Seen,
        running: Option<(u32, &[CoreThread])>,
    ) -> Self {
        let plan = affinity::plan(&config.cores.choice, config.cores.pin, seen);
        let planned: Vec<Option<usize>> = plan.as_ref().map(|plan| plan.cpus.clone()).unwrap_or_default();
        // A thread that may run on one CPU alone is pinned.
        let threads = running.map(|(_, threads)| threads).filter(|threads| !threads.is_empty());
        let places = threads.map_or(planned, |threads| threads.iter().map(CoreThread::pinned).collect());
        let mut pinned: Vec<usize> = places.iter().copied().flatten().collect();
        pinned.sort_unstable();
        pinned.dedup();
        let limit = config.limits.connections_max.filter(|&limit| is_limited && limit > 0);
        let (connections, source) = match (expected, limit) {
            (Some(count), _) => (count, Source::Flag),
            (None, Some(limit)) => (limit, Source::File),
            (None, None) => (CONNECTIONS_DEFAULT, Source::Default),
        };
        let pid = running.map(|(pid, _)| pid);
        Self { pid, config, plan, pinned, cores: places.len(), connections, source }
    }

    /// Somebody has said how many clients come: what is too small for them bites.
    pub(crate) fn is_count_known(&self) -> bool {
        self.source != Source::Default
    }

    /// What begins a sentence about the number of clients.
    pub(crate) fn clients(&self) -> String {
        let count = grouped(self.connections);
        match self.source {
            Source::Flag => format!("{count} connections are expected"),
            Source::File => format!("max_connections is {count}"),
            Source::Default => {
                format!("up to {count} connections are let in (--connections N says how many you expect)")
            }
        }
    }
}

/// `65,536`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 core`, `2 cores`.
pub(crate) fn cores_shown(count: usize) -> String {
    if count == 1 { "1 core".into() } else { format!("{count} cores") }
}

/// `1.5 GiB`.
pub(crate) fn sized(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_048_576, "1,048,576")] {
            assert_eq!(grouped(number), shown);
        }
        for (bytes, shown) in
            [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (4 << 20, "4 MiB"), (3 << 40, "3 TiB")]
        {
            assert_eq!(sized(bytes), shown);
        }
    }
}
