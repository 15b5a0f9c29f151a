//! The table of workloads: what each row does and what it may cost.
//!
//! A budget is a ratio to the floor (to the peer where the floor cannot do the work), so that it holds on any machine. The
//! ratios are budget ÷ reference of one measurement on one machine, which stand beside them.

use std::time::Duration;

use crate::connections;
use crate::flow::{self, Flow, Routing};
use crate::frozen;
use crate::metric::{Metric, Sample};
use crate::paced;
use crate::requests::{self, Inbox, Requests};
use crate::secure;
use crate::server::{Kind, Running};
use crate::subscriptions;
use crate::trouble::Outcome;

/// What a budget is a multiple of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Against {
    Floor,
    Peer,
    /// The limit is the figure itself.
    Absolute,
    /// The same server's figure in another row.
    Row(&'static str),
}

/// One limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) metric: Metric,
    pub(crate) against: Against,
    /// Upper bound; lower bound of a rate.
    pub(crate) limit: f64,
}

const fn floor(metric: Metric, limit: f64) -> Budget {
    Budget { metric, against: Against::Floor, limit }
}

const fn peer(metric: Metric, limit: f64) -> Budget {
    Budget { metric, against: Against::Peer, limit }
}

const fn absolute(metric: Metric, limit: f64) -> Budget {
    Budget { metric, against: Against::Absolute, limit }
}

/// What is done.
#[derive(Clone, Copy, Debug)]
enum Work {
    Flow(Flow),
    Requests(Requests),
    Paced { per_second: u64 },
    Idle { connections: u64 },
    Burst { connections: u64 },
    Churn { connections: u64 },
    Subscriptions { count: u64, messages: u64 },
    Frozen { pairs: u64 },
    Secure { payload_bytes: usize, messages: u64 },
    Handshakes { count: u64 },
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    work: Work,
    one_core: &'static [Budget],
    more_cores: &'static [Budget],
}

impl Row {
    const fn new(name: &'static str, title: &'static str, work: Work, one_core: &'static [Budget]) -> Self {
        Self { name, title, work, one_core, more_cores: &[] }
    }

    const fn on_more_cores(self, more_cores: &'static [Budget]) -> Self {
        Self { more_cores, ..self }
    }

    const fn flow(name: &'static str, title: &'static str, flow: Flow, one_core: &'static [Budget]) -> Self {
        Self::new(name, title, Work::Flow(flow), one_core)
    }

    /// The floor knows neither queue groups nor wildcards nor limits nor TLS. The peer holds its publisher for a frozen subscriber, which
    /// makes minutes of sixty pairs, and nothing is compared with it there.
    pub(crate) fn can_run_on(&self, kind: Kind) -> bool {
        if matches!(self.work, Work::Frozen { .. }) {
            return matches!(kind, Kind::Dunlin { .. });
        }
        let is_beyond_floor = match self.work {
            Work::Flow(flow) => matches!(flow.routing, Routing::Queue | Routing::Wildcard),
            Work::Requests(workload) => workload.inbox == Inbox::Wildcard,
            Work::Secure { .. } | Work::Handshakes { .. } => true,
            _ => false,
        };
        !(is_beyond_floor && kind == Kind::Floor)
    }

    /// The text of a configuration file that the server is started with.
    pub(crate) fn config(&self) -> Option<String> {
        match self.work {
            Work::Frozen { .. } => Some(frozen::CONFIG.to_owned()),
            Work::Secure { .. } | Work::Handshakes { .. } => Some(secure::config()),
            _ => None,
        }
    }

    /// The row's own budgets, and those of every row where it has none of its own.
    pub(crate) fn budgets(&self, cores: u8) -> Vec<Budget> {
        let (own, of_every_row) =
            if cores == 1 { (self.one_core, EVERY_ROW_ONE_CORE) } else { (self.more_cores, EVERY_ROW_MORE_CORES) };
        let mut budgets = own.to_vec();
        // The rate of a paced row is the generator's.
        let says = |metric| !(matches!(self.work, Work::Paced { .. }) && metric == Metric::Rate);
        let is_new = |budget: &&Budget| {
            says(budget.metric) && !own.iter().any(|o| (o.metric, o.against) == (budget.metric, budget.against))
        };
        budgets.extend(of_every_row.iter().filter(is_new));
        budgets
    }

    /// Does the work once on a server that has just started.
    pub(crate) fn run(&self, server: &Running, scale: f64) -> Outcome<Sample> {
        let scaled = |count: u64| ((count as f64 * scale) as u64).max(16);
        match self.work {
            Work::Flow(flow) => flow::run(server, &Flow { messages: scaled(flow.messages), ..flow }),
            Work::Requests(workload) => {
                requests::run(server, &Requests { requests: scaled(workload.requests), ..workload })
            }
            Work::Paced { per_second } => paced::run(server, per_second, PACED_TIME.mul_f64(scale)),
            Work::Idle { connections } => connections::idle(server, scaled(connections)),
            Work::Burst { connections } => connections::burst(server, scaled(connections)),
            Work::Churn { connections } => connections::churn(server, scaled(connections)),
            Work::Subscriptions { count, messages } => subscriptions::run(server, count, scaled(messages)),
            Work::Frozen { pairs } => frozen::run(server, scaled(pairs)),
            Work::Secure { payload_bytes, messages } => secure::run(server, payload_bytes, scaled(messages)),
            Work::Handshakes { count } => secure::handshakes(server, scaled(count)),
        }
    }
}

const PACED_TIME: Duration = Duration::from_millis(1500);

/// At most 0.4 of the peer's CPU.
const EVERY_ROW_ONE_CORE: &[Budget] = &[
    peer(Metric::CpuPerEvent, 0.4),
    peer(Metric::CpuPerMessage, 0.4),
    peer(Metric::CpuPerRequest, 0.4),
    peer(Metric::CpuPerConnection, 0.4),
    peer(Metric::CpuPerSubscription, 0.4),
];

/// Nowhere slower or dearer than the peer.
const EVERY_ROW_MORE_CORES: &[Budget] = &[
    peer(Metric::CpuPerEvent, 1.0),
    peer(Metric::CpuPerMessage, 1.0),
    peer(Metric::CpuPerRequest, 1.0),
    peer(Metric::CpuPerConnection, 1.0),
    peer(Metric::CpuPerSubscription, 1.0),
    peer(Metric::Rate, 1.0),
    peer(Metric::Median, 1.0),
];

/// Cost that stays flat: what shared CPUs and caches move a figure by.
const FLAT_SUBSCRIPTIONS: &[Budget] =
    &[Budget { metric: Metric::CpuPerEvent, against: Against::Row("flat_subs_1"), limit: 1.15 }];
const FLAT_FAN_OUT: &[Budget] =
    &[Budget { metric: Metric::CpuPerEvent, against: Against::Row("grow_fan_10"), limit: 1.15 }];
const FLAT_IDLE: &[Budget] =
    &[Budget { metric: Metric::CpuPerEvent, against: Against::Row("flat_idle_1"), limit: 1.15 }];

/// The same cryptography on both sides: half of the peer's CPU for messages, not more than its for handshakes.
const SECURE: &[Budget] = &[peer(Metric::CpuPerEvent, 0.5)];
const HANDSHAKES: &[Budget] = &[peer(Metric::CpuPerConnection, 1.0)];

/// The mean; the interval beside it says what that is worth.
const FROZEN: &[Budget] = &[absolute(Metric::FrozenRatio, 1.03)];

const SUBSCRIPTIONS: &[Budget] = &[
    absolute(Metric::ResidentPerSubscription, 150.0),
    floor(Metric::CpuPerSubscription, 0.6 / 0.3),
    floor(Metric::CpuPerMessage, 0.45 / 0.26),
    peer(Metric::CpuPerSubscription, 0.6 / 1.6),
    peer(Metric::CpuPerMessage, 0.45 / 2.4),
];
const MILLION_SUBSCRIPTIONS: &[Budget] =
    &[absolute(Metric::ResidentPerSubscription, 150.0), floor(Metric::CpuPerMessage, 1.8)];

/// All rows, in the order of the report.
pub(crate) const ROWS: &[Row] = &[
    Row::flow(
        "publish",
        "publish only, 128 B",
        Flow::new(1, 0, Routing::Nobody, 128, 6_000_000),
        &[floor(Metric::CpuPerEvent, 45.0 / 33.0), peer(Metric::CpuPerEvent, 45.0 / 171.0)],
    ),
    Row::flow(
        "one_16",
        "1 → 1, 16 B",
        Flow::new(1, 1, Routing::All, 16, 4_000_000),
        &[floor(Metric::CpuPerEvent, 35.0 / 23.0), peer(Metric::CpuPerEvent, 35.0 / 170.0)],
    ),
    Row::flow(
        "one_128",
        "1 → 1, 128 B",
        Flow::new(1, 1, Routing::All, 128, 2_500_000),
        &[floor(Metric::CpuPerEvent, 65.0 / 52.0), peer(Metric::CpuPerEvent, 65.0 / 237.0)],
    ),
    Row::flow(
        "fan_out_10",
        "1 → 10, 128 B",
        Flow::new(1, 10, Routing::All, 128, 600_000),
        &[floor(Metric::CpuPerEvent, 43.0 / 33.0), peer(Metric::CpuPerEvent, 43.0 / 218.0)],
    ),
    Row::flow(
        "one_16k",
        "1 → 1, 16 KiB",
        Flow::new(1, 1, Routing::All, 16 * 1024, 120_000),
        &[floor(Metric::CpuPerEvent, 1.0), peer(Metric::CpuPerEvent, 2.6 / 4.5)],
    ),
    Row::flow(
        "own_8",
        "8 → 8, own subjects, 128 B",
        Flow::new(8, 8, Routing::Own, 128, 3_000_000),
        &[floor(Metric::CpuPerEvent, 62.0 / 47.0), peer(Metric::CpuPerEvent, 62.0 / 279.0)],
    )
    .on_more_cores(&[floor(Metric::CpuPerEvent, 85.0 / 47.0), peer(Metric::CpuPerEvent, 0.4)]),
    Row::flow(
        "fan_in_8",
        "8 → 1, one subject, 128 B",
        Flow::new(8, 1, Routing::All, 128, 1_600_000),
        &[peer(Metric::CpuPerEvent, 75.0 / 341.0)],
    ),
    Row::flow(
        "queue_8",
        "1 → queue group of 8, 128 B",
        Flow::new(1, 8, Routing::Queue, 128, 1_600_000),
        &[peer(Metric::CpuPerEvent, 75.0 / 428.0)],
    ),
    Row::flow(
        "wildcard",
        "1 → wildcard, 1,000 subjects, 128 B",
        Flow::new(1, 1, Routing::Wildcard, 128, 2_000_000),
        &[peer(Metric::CpuPerEvent, 65.0 / 313.0)],
    ),
    Row::new(
        "request_1",
        "request-reply, one in flight",
        Work::Requests(Requests { requesters: 1, in_flight: 1, inbox: Inbox::Exact, requests: 12_000 }),
        &[floor(Metric::Median, 32.0 / 27.0)],
    ),
    Row::new(
        "request_8x16",
        "request-reply, 8 clients × 16 in flight",
        Work::Requests(Requests { requesters: 8, in_flight: 16, inbox: Inbox::Exact, requests: 400_000 }),
        &[floor(Metric::CpuPerRequest, 1.0 / 0.7), floor(Metric::Rate, 600.0 / 700.0)],
    ),
    Row::new(
        "request_inbox",
        "the same, a new inbox subject each",
        Work::Requests(Requests { requesters: 8, in_flight: 16, inbox: Inbox::Wildcard, requests: 300_000 }),
        &[],
    ),
    Row::new(
        "paced_10k",
        "paced, 10 k msg/s, 128 B",
        Work::Paced { per_second: 10_000 },
        &[
            floor(Metric::Median, 50.0 / 46.0),
            floor(Metric::Percentile99, 0.2 / 0.09),
            peer(Metric::Median, 1.0),
            peer(Metric::Percentile99, 1.0),
        ],
    ),
    Row::new(
        "paced_500k",
        "paced, 500 k msg/s, 128 B",
        Work::Paced { per_second: 500_000 },
        &[
            floor(Metric::Median, 40.0 / 22.0),
            floor(Metric::Percentile99, 3.0 / 1.75), // the floor's was 0.5 to 3 ms
        ],
    ),
    Row::new(
        "idle",
        "5,000 idle connections",
        Work::Idle { connections: 5_000 },
        &[
            absolute(Metric::ResidentPerConnection, 1024.0),
            floor(Metric::CpuPerConnection, 60.0 / 40.0),
            peer(Metric::CpuPerConnection, 60.0 / 195.0),
        ],
    ),
    Row::new(
        "churn",
        "connect, SUB, PING, PONG, close",
        Work::Churn { connections: 5_000 },
        &[floor(Metric::CpuPerConnection, 70.0 / 56.0), peer(Metric::CpuPerConnection, 70.0 / 212.0)],
    ),
    Row::new("burst", "2,000 connections at the same moment", Work::Burst { connections: 2_000 }, &[]),
    Row::new(
        "subs_100k",
        "100 k subscriptions, random subjects",
        Work::Subscriptions { count: 100_000, messages: 500_000 },
        SUBSCRIPTIONS,
    ),
    Row::new(
        "subs_1m",
        "1 M subscriptions, random subjects",
        Work::Subscriptions { count: 1_000_000, messages: 500_000 },
        MILLION_SUBSCRIPTIONS,
    ),
    Row::new("tls_1to1_128", "1 → 1, 128 B, TLS 1.3", Work::Secure { payload_bytes: 128, messages: 2_000_000 }, SECURE),
    Row::new(
        "tls_1to1_16k",
        "1 → 1, 16 KiB, TLS 1.3",
        Work::Secure { payload_bytes: 16 * 1024, messages: 80_000 },
        SECURE,
    ),
    Row::new("tls_handshakes", "TLS 1.3 handshakes, P-256", Work::Handshakes { count: 3_000 }, HANDSHAKES),
    Row::new("frozen", "50 subscribers beside a frozen one", Work::Frozen { pairs: 60 }, FROZEN).on_more_cores(FROZEN),
    Row::flow("flat_subs_1", "publish only beside 1 subscription", Flow::beside(1, 0, 3_000_000), &[]),
    Row::flow("flat_subs_1k", "… 1 k subscriptions", Flow::beside(1_000, 0, 3_000_000), FLAT_SUBSCRIPTIONS),
    Row::flow("flat_subs_100k", "… 100 k subscriptions", Flow::beside(100_000, 0, 3_000_000), FLAT_SUBSCRIPTIONS),
    Row::flow("flat_subs_1m", "… 1 M subscriptions", Flow::beside(1_000_000, 0, 3_000_000), FLAT_SUBSCRIPTIONS),
    Row::flow("flat_idle_1", "publish only beside 1 idle connection", Flow::beside(0, 1, 3_000_000), &[]),
    Row::flow("flat_idle_100", "… 100 idle connections", Flow::beside(0, 100, 3_000_000), FLAT_IDLE),
    Row::flow("flat_idle_10k", "… 10 k idle connections", Flow::beside(0, 10_000, 3_000_000), FLAT_IDLE),
    Row::flow("grow_fan_1", "1 → 1 of 20 connections, 128 B", Flow::fan_out(1, 1_000_000), &[]),
    Row::flow("grow_fan_10", "… 10", Flow::fan_out(10, 200_000), &[]),
    Row::flow("grow_fan_100", "… 100", Flow::fan_out(100, 20_000), FLAT_FAN_OUT),
    Row::flow("grow_fan_1k", "… 1 k", Flow::fan_out(1_000, 2_000), FLAT_FAN_OUT),
    Row::flow("grow_fan_10k", "… 10 k", Flow::fan_out(10_000, 200), FLAT_FAN_OUT),
    Row::flow("grow_bytes_0", "1 → 1, no payload", Flow::new(1, 1, Routing::All, 0, 1_000_000), &[]),
    Row::flow("grow_bytes_128", "… 128 B", Flow::new(1, 1, Routing::All, 128, 1_000_000), &[]),
    Row::flow("grow_bytes_1k", "… 1 KiB", Flow::new(1, 1, Routing::All, 1 << 10, 500_000), &[]),
    Row::flow("grow_bytes_4k", "… 4 KiB", Flow::new(1, 1, Routing::All, 4 << 10, 200_000), &[]),
    Row::flow("grow_bytes_16k", "… 16 KiB", Flow::new(1, 1, Routing::All, 16 << 10, 50_000), &[]),
    Row::flow("grow_bytes_64k", "… 64 KiB", Flow::new(1, 1, Routing::All, 64 << 10, 12_000), &[]),
    Row::flow("grow_bytes_1m", "… 1 MiB", Flow::new(1, 1, Routing::All, 1 << 20, 800), &[]),
];
