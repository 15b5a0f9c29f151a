//! Every bound that a verdict rests on, with its reason. `tools/deploy/doctor.md` tells them to users.

/// Descriptors beside those of clients: three for each of up to 63 cores (epoll, waker, listener), the log, readers of pages.
pub(crate) const OWN_DESCRIPTORS: u64 = 1_024;

/// Where nobody says how many clients will come (65,536 is then only the bound that nats-server sets), fewer descriptors than these are
/// certain to be too few: 4,096 is what distributions have as hard limit of a plain shell.
pub(crate) const DESCRIPTORS_LEAST: u64 = 4_096;

/// A core takes some 6,800 connections a second (147 µs each, `benches/README.md`): a queue of so many is 0.15 s of work, well
/// below the second after which a refused client's kernel tries again.
pub(crate) const ACCEPT_QUEUE_LEAST: u64 = 1_024;

/// With SYN cookies a full queue of half-open connections costs only their options; without them three quarters of this many
/// are the end.
pub(crate) const SYN_QUEUE_LEAST: u64 = 1_024;

/// A gigabit over 33 ms of round trip keeps 4 MiB in flight; Linux's own maxima are 6 MiB (reading) and 4 MiB (writing).
pub(crate) const SOCKET_BUFFER_MAX_LEAST: u64 = 4 << 20;

/// Bytes of socket buffers for each client on average before the kernel shrinks all windows: Linux starts a sender with 16 KiB.
pub(crate) const SOCKET_BYTES_A_CONNECTION: u64 = 16 << 10;

/// Memory of an idle client: 1.0 KB in the server and 4.8 KB in the kernel (socket, inode, file, epoll item), which the cgroup pays for
/// too, measured with 8,000 clients on Linux 6.18; and a third more.
pub(crate) const IDLE_CONNECTION_BYTES: u64 = 8 << 10;

/// A server without clients: program, log, pages, rooms of a few cores.
pub(crate) const EMPTY_SERVER_BYTES: u64 = 64 << 20;

/// Slow consumers that may each hold `max_pending` bytes at once before memory is called short.
pub(crate) const SLOW_CONSUMERS: u64 = 4;

/// The kernel's `swappiness` from which on it takes pages of programs rather early: its default is 60, and 10 is what databases ask for.
pub(crate) const SWAPPINESS_MAX: u64 = 10;

/// Share of CPU-quota periods in which the running server was stopped.
pub(crate) const THROTTLED_PERCENT_MAX: f64 = 1.0;

/// A table of the kernel (connections that are tracked, or wait for stray segments) that is fuller than this fills up in a storm.
pub(crate) const TABLE_FULL_PERCENT: u64 = 80;

/// With a longer granularity (some tuning profiles set 15 ms) a core that spins keeps the kernel's own threads of its CPU waiting.
pub(crate) const WAKEUP_GRANULARITY_NS_MAX: u64 = 10_000_000;

/// The oldest kernel that a distribution for servers still keeps (RHEL 8).
pub(crate) const KERNEL_LEAST: (u64, u64) = (4, 18);

/// The oldest kernel with `SO_REUSEPORT`.
pub(crate) const KERNEL_REUSEPORT: (u64, u64) = (3, 9);

/// An interrupt that carries less than this part of a card's interrupts is for configuration or events.
pub(crate) const IDLE_IRQ_PART: u64 = 100;
