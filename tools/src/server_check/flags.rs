//! The command line of `server check`: the checks and flags of the field's tool where it has them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::render::Format;
use crate::bench::target::ConnectionFlags;
use crate::bench::values::{duration, size};

/// Checks servers
#[derive(Debug, Parser)]
#[command(name = "dunlinctl server", disable_version_flag = true)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One check of one server, for alerting. Exit code: 0 OK, 1 warning, 2 critical, 3 unknown
    Check(CheckFlags),
}

#[derive(Debug, Args)]
pub(crate) struct CheckFlags {
    #[command(subcommand)]
    pub(crate) check: Check,
    /// How the result is written; with prometheus the exit code is always 0
    #[arg(long, global = true, value_enum, default_value_t = Format::Nagios)]
    pub(crate) format: Format,
    /// What the names of metrics begin with
    #[arg(long, global = true, default_value = "nats_server_check")]
    pub(crate) namespace: String,
    /// Writes the result to a file and not to standard output; it appears whole or not at all
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) outfile: Option<PathBuf>,
    /// Monitoring URL of the server; user:password@ before the host logs in
    #[arg(
        short,
        long,
        global = true,
        value_name = "URL",
        env = "NATS_MONITOR",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8222"
    )]
    pub(crate) monitor: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// Connects as a client does: time to connect, round trip of PING, round trip of a message
    #[command(alias = "conn")]
    Connection(ConnectionLimits),
    /// Sends messages to a subject and gets them back
    #[command(alias = "msg")]
    Message(MessageFlags),
    /// All figures of /varz at once, each with limits of its own
    Server(ServerFlags),
    /// Number of connections
    #[command(alias = "connz")]
    Connections(CountLimits),
    /// CPU in percent of one CPU: several busy CPUs are more than 100
    Cpu(CpuLimits),
    /// Resident memory of the server
    #[command(alias = "memory")]
    Mem(MemLimits),
    /// Slow consumers since the server started, or --over a time
    #[command(alias = "slow")]
    SlowConsumers(SlowLimits),
    /// Number of subscriptions
    #[command(alias = "subscriptions")]
    Subs(SubsLimits),
    /// Time since the server started: an unwanted restart is seen
    Uptime(UptimeLimits),
    /// What the server says of itself at /healthz
    #[command(alias = "healthz")]
    Health,
}

#[derive(Args, Debug)]
pub(crate) struct ConnectionLimits {
    /// Warning: time to connect
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub(crate) connect_warn: Duration,
    /// Critical: time to connect
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub(crate) connect_critical: Duration,
    /// Warning: PING to PONG
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub(crate) rtt_warn: Duration,
    /// Critical: PING to PONG
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub(crate) rtt_critical: Duration,
    #[command(flatten)]
    pub(crate) request: RequestLimits,
}

#[derive(Args, Debug)]
pub(crate) struct RequestLimits {
    /// Warning: round trip of a message
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub(crate) req_warn: Duration,
    /// Critical: round trip of a message
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub(crate) req_critical: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct MessageFlags {
    #[command(flatten)]
    pub(crate) request: RequestLimits,
    /// Subject to send to and to listen on; without it one that nobody else uses
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Size of the message
    #[arg(long, default_value = "100B", value_parser = size)]
    pub(crate) size: usize,
    /// How many messages, one after the other; the slowest is judged
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
}

/// A limit of connections: a number, or a part of what the server allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Share {
    Count(f64),
    Percent(f64),
}

fn share(text: &str) -> Result<Share, String> {
    let wrong = || format!("'{text}' is no limit: write 800 or 80%");
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| *number >= 0.0 && number.is_finite());
    match text.strip_suffix('%') {
        Some(percent) => number(percent).map(Share::Percent).ok_or_else(wrong),
        None => crate::bench::values::count(text).map(|count| Share::Count(count as f64)).map_err(|_| wrong()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok().filter(|number| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| format!("'{text}' is no limit: write 80 or 80%"))
}

fn count(text: &str) -> Result<f64, String> {
    crate::bench::values::count(text).map(|count| count as f64)
}

/// `512MiB`, `2G`; a bare number is bytes.
fn bytes(text: &str) -> Result<f64, String> {
    let wrong = || format!("'{text}' is no size: write 512MiB, 2GiB or a number of bytes");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 1_u64,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return Err(wrong()),
    };
    number.parse::<f64>().map(|number| number * factor as f64).map_err(|_| wrong())
}

#[derive(Args, Debug, Default)]
pub(crate) struct CountLimits {
    /// Warning: number, or percent of what the server allows; below the critical limit many are bad, above it few are
    #[arg(long, visible_alias = "warn", value_parser = share)]
    pub(crate) conn_warn: Option<Share>,
    /// Critical: number, or percent of what the server allows
    #[arg(long, visible_alias = "critical", value_parser = share)]
    pub(crate) conn_critical: Option<Share>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct CpuLimits {
    /// Warning: percent of one CPU
    #[arg(long, visible_alias = "warn", value_parser = percent)]
    pub(crate) cpu_warn: Option<f64>,
    /// Critical: percent of one CPU
    #[arg(long, visible_alias = "critical", value_parser = percent)]
    pub(crate) cpu_critical: Option<f64>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct MemLimits {
    /// Warning: bytes, as 512MiB
    #[arg(long, visible_alias = "warn", value_parser = bytes)]
    pub(crate) mem_warn: Option<f64>,
    /// Critical: bytes, as 2GiB
    #[arg(long, visible_alias = "critical", value_parser = bytes)]
    pub(crate) mem_critical: Option<f64>,
}

#[derive(Args, Debug)]
pub(crate) struct SlowLimits {
    /// Warning: number of slow consumers
    #[arg(long, visible_alias = "warn", value_parser = count, default_value = "1")]
    pub(crate) slow_warn: f64,
    /// Critical: number of slow consumers
    #[arg(long, visible_alias = "critical", value_parser = count)]
    pub(crate) slow_critical: Option<f64>,
    /// Counts those of the next so many seconds, and not all since the start
    #[arg(long, value_parser = duration)]
    pub(crate) over: Option<Duration>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct SubsLimits {
    /// Warning: number; below the critical limit many are bad, above it few are
    #[arg(long, visible_alias = "warn", value_parser = count)]
    pub(crate) subs_warn: Option<f64>,
    /// Critical: number
    #[arg(long, visible_alias = "critical", value_parser = count)]
    pub(crate) subs_critical: Option<f64>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct UptimeLimits {
    /// Warning: up for no longer than this
    #[arg(long, visible_alias = "warn", value_parser = duration)]
    pub(crate) uptime_warn: Option<Duration>,
    /// Critical: up for no longer than this
    #[arg(long, visible_alias = "critical", value_parser = duration)]
    pub(crate) uptime_critical: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct ServerFlags {
    /// The server must have this name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Warning: percent of one CPU
    #[arg(long, value_parser = percent)]
    pub(crate) cpu_warn: Option<f64>,
    /// Critical: percent of one CPU
    #[arg(long, value_parser = percent)]
    pub(crate) cpu_critical: Option<f64>,
    /// Warning: bytes, as 512MiB
    #[arg(long, value_parser = bytes)]
    pub(crate) mem_warn: Option<f64>,
    /// Critical: bytes, as 2GiB
    #[arg(long, value_parser = bytes)]
    pub(crate) mem_critical: Option<f64>,
    /// Warning: number of connections, or percent of what the server allows
    #[arg(long, value_parser = share)]
    pub(crate) conn_warn: Option<Share>,
    /// Critical: number of connections, or percent of what the server allows
    #[arg(long, value_parser = share)]
    pub(crate) conn_critical: Option<Share>,
    /// Warning: number of subscriptions
    #[arg(long, value_parser = count)]
    pub(crate) subs_warn: Option<f64>,
    /// Critical: number of subscriptions
    #[arg(long, value_parser = count)]
    pub(crate) subs_critical: Option<f64>,
    /// Warning: up for no longer than this
    #[arg(long, value_parser = duration)]
    pub(crate) uptime_warn: Option<Duration>,
    /// Critical: up for no longer than this
    #[arg(long, value_parser = duration)]
    pub(crate) uptime_critical: Option<Duration>,
    /// Clients must log in
    #[arg(long)]
    pub(crate) auth_required: bool,
    /// Clients must use TLS
    #[arg(long)]
    pub(crate) tls_required: bool,
}

#[cfg(test)]
mod tests {
    use super::{Flags, Share, bytes, percent, share};
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_command_line_is_sound() {
        Flags::command().debug_assert();
    }

    #[test]
    fn limits_are_read() {
        assert_eq!(
            [share("800"), share("80%"), share("1k")],
            [Ok(Share::Count(800.0)), Ok(Share::Percent(80.0)), Ok(Share::Count(1000.0))]
        );
        assert_eq!([percent("80"), percent("99.5%")], [Ok(80.0), Ok(99.5)]);
        assert_eq!([bytes("512MiB"), bytes("2G"), bytes("1000")], [Ok(536_870_912.0), Ok(2_147_483_648.0), Ok(1000.0)]);
        for wrong in [
            share("x").unwrap_err(),
            share("-5%").unwrap_err(),
            percent("nan").unwrap_err(),
            bytes("5 apples").unwrap_err(),
        ] {
            assert!(wrong.contains("write "), "{wrong}");
        }
    }

    #[test]
    fn names_of_the_field_are_understood() {
        for line in [
            "check connection --connect-warn 1s --rtt-critical 2s --req-warn 5ms",
            "check conn --server nats://h:1 --format prometheus --namespace x",
            "check server --name n1 --cpu-warn 80 --mem-critical 1GiB --conn-warn 10 --conn-critical 5 --subs-warn 1 --uptime-warn 1h --auth-required",
            "check slow-consumers --critical 5 --over 10s",
            "check connections --warn 80% --critical 90% -m http://h:8222",
            "check mem --mem-warn 1GiB --outfile x",
            "check message --count 3 --size 1KiB --subject a.b",
        ] {
            let words = std::iter::once("x").chain(line.split(' '));
            assert!(Flags::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
