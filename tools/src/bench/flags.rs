//! The command line of `dunlinctl bench`: the flags that people know from `nats bench`, and those that it does not have.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::target::ConnectionFlags;
use super::values::{count, duration, size};

/// Load and measurements for any NATS server
#[derive(Debug, Parser)]
#[command(name = "dunlinctl bench", disable_version_flag = true)]
pub(crate) struct Flags {
    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How a run is done and shown.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunFlags {
    /// Threads for senders, and as many for receivers (default: half of the CPUs each)
    #[arg(long, global = true)]
    pub(crate) threads: Option<usize>,
    /// A first run of this share of the load that does not count
    #[arg(long, global = true, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) warmup: f64,
    /// Runs; the median is shown with the spread
    #[arg(long, global = true, default_value_t = 1)]
    pub(crate) repeat: usize,
    /// How long to wait for messages that are missing
    #[arg(long, global = true, default_value = "2s", value_parser = duration)]
    pub(crate) quiet_time: Duration,
    /// Process of the server, on this host (default: found from the listening socket)
    #[arg(long, global = true, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,
    /// Monitoring URL of the server: what /varz and /corez count is shown
    #[arg(long, global = true, value_name = "http://HOST:PORT")]
    pub(crate) monitor: Option<String>,
    /// Do not look at the process of the server
    #[arg(long, global = true)]
    pub(crate) no_server_stats: bool,
    /// Do not show progress
    #[arg(long, global = true, alias = "no-bar")]
    pub(crate) no_progress: bool,
    /// Print JSON
    #[arg(long, global = true, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print a Markdown table
    #[arg(long, global = true)]
    pub(crate) markdown: bool,
    /// Write a line a client to this file, in the columns of `nats bench`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write the corrected latencies to this file, for HdrHistogram's plotter
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) hgrm: Option<PathBuf>,
    /// Let so many agents do the work together ('bench agent' on other hosts)
    #[arg(long, global = true, default_value_t = 0)]
    pub(crate) agents: usize,
    /// With --agents: who sends on the one half of them, who receives on the other (default: each does both)
    #[arg(long, global = true, requires = "agents")]
    pub(crate) across: bool,
    /// What the subjects begin with over which agents are told
    #[arg(long, global = true, default_value = "bench.control")]
    pub(crate) control: String,
    /// Write one self-contained page to this file
    #[arg(long, global = true, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

/// How much, how fast, what.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub(crate) struct LoadFlags {
    /// Messages over all senders (default: 100000, or what --duration has time for)
    #[arg(long, value_parser = count)]
    pub(crate) msgs: Option<u64>,
    /// Payload: 128B, 16KiB, 1MiB
    #[arg(long, default_value = "128B", value_parser = size)]
    pub(crate) size: usize,
    /// Send for so long
    #[arg(long, value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Open loop: messages a second over all senders, at the time they are due
    #[arg(long, visible_alias = "throughput", value_parser = count)]
    pub(crate) rate: Option<u64>,
    /// Open loop: the time between two messages of a sender
    #[arg(long, value_parser = duration, conflicts_with = "rate")]
    pub(crate) sleep: Option<Duration>,
    /// File with the payload, instead of --size
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<PathBuf>,
    /// Text of the payload, instead of --size
    #[arg(long, value_name = "TEXT", conflicts_with = "payload")]
    pub(crate) body: Option<String>,
    /// Header, as 'Name: value'; several times
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE")]
    pub(crate) headers: Vec<String>,
    /// Messages are only counted: no stamps, no latency
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// Publishers and subscribers.
#[derive(Args, Clone, Debug)]
pub(crate) struct FlowFlags {
    /// Subject, or what all subjects begin with
    #[arg(default_value = "bench")]
    pub(crate) subject: String,
    #[command(flatten)]
    pub(crate) load: LoadFlags,
    /// Connections of the one kind there is (pub, sub), or of the many (fanin, fanout, queue)
    #[arg(long)]
    pub(crate) clients: Option<u64>,
    /// Publishers
    #[arg(long = "pub", value_name = "N")]
    pub(crate) publishers: Option<u64>,
    /// Subscribers
    #[arg(long = "sub", value_name = "N")]
    pub(crate) subscribers: Option<u64>,
    /// Use subjects SUBJECT.0, SUBJECT.1, …; subscribers listen to SUBJECT.*
    #[arg(long)]
    pub(crate) multisubject: bool,
    /// How many
    #[arg(long, default_value = "100000", value_parser = subjects)]
    pub(crate) multisubjectmax: u32,
    /// In random order
    #[arg(long)]
    pub(crate) multisubjectrandomize: bool,
    /// Few of them often and many rarely, by Zipf's law with this exponent (1 is usual)
    #[arg(long, value_name = "EXPONENT", conflicts_with = "multisubjectrandomize", requires = "multisubject")]
    pub(crate) multisubjectzipf: Option<f64>,
    /// Each publisher has a subject of its own, with its own subscriber
    #[arg(long, conflicts_with = "multisubject")]
    pub(crate) own_subjects: bool,
    /// Subscribers form this queue group
    #[arg(long)]
    pub(crate) queue: Option<String>,
    /// Further subscribers that never read
    #[arg(long, default_value_t = 0)]
    pub(crate) frozen: u64,
}

/// Requesters and responders.
#[derive(Args, Clone, Debug)]
pub(crate) struct RequestFlags {
    /// Subject of the service
    #[arg(default_value = "bench.service")]
    pub(crate) subject: String,
    #[command(flatten)]
    pub(crate) load: LoadFlags,
    /// Connections that ask (request) or answer (serve)
    #[arg(long, default_value_t = 1)]
    pub(crate) clients: u64,
    /// Requests in flight, each client
    #[arg(long, default_value_t = 1)]
    pub(crate) window: usize,
    /// Responders of this run; 0: somebody else serves
    #[arg(long, default_value_t = 0)]
    pub(crate) responders: u64,
    /// Queue group of the responders
    #[arg(long, default_value = "bench")]
    pub(crate) queue: String,
    /// Answer with this many bytes instead of what was asked
    #[arg(long, value_parser = size)]
    pub(crate) reply_size: Option<usize>,
    /// What inboxes begin with
    #[arg(long, default_value = "_INBOX")]
    pub(crate) inbox_prefix: String,
}

/// Workloads that are no messages.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectionLoadFlags {
    /// Connections (conns, churn, storm) or subscriptions (subs)
    #[arg(long, default_value = "1000", value_parser = count)]
    pub(crate) count: u64,
    /// Connections in the making at once (churn, storm), or that share the subscriptions (subs)
    #[arg(long)]
    pub(crate) clients: Option<u64>,
    /// Hold what is there for so long
    #[arg(long, default_value = "0s", value_parser = duration)]
    pub(crate) hold: Duration,
    /// How often the storm comes
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: u64,
    /// Then publish so many messages to nobody, and with subs as many to random subjects among them
    #[arg(long, default_value = "0", value_parser = count)]
    pub(crate) msgs: u64,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish
    Pub(FlowFlags),
    /// Subscribe, and measure what others publish: latency if they share the clock of this host
    Sub(FlowFlags),
    /// Publish and subscribe in one run, with all checks
    Pubsub(FlowFlags),
    /// Many publishers, one subscriber
    Fanin(FlowFlags),
    /// One publisher, many subscribers
    Fanout(FlowFlags),
    /// Publishers and a queue group: is it fair?
    Queue(FlowFlags),
    /// Subscribers with patterns
    Wildcard(FlowFlags),
    /// Ask, with a window of requests in flight
    Request(RequestFlags),
    /// Answer
    Serve(RequestFlags),
    /// Many subscriptions: time, CPU and memory of each
    Subs(ConnectionLoadFlags),
    /// Many idle connections: time, CPU and memory of each
    Conns(ConnectionLoadFlags),
    /// Connect, subscribe, ping, close, again and again
    Churn(ConnectionLoadFlags),
    /// Everybody is thrown out and comes back at once
    Storm(ConnectionLoadFlags),
    /// The same work on two or more servers in turn, and a verdict
    Compare(CompareFlags),
    /// Search the highest rate that keeps a latency and loses nothing
    Knee(KneeFlags),
    /// A figure over a growing number, and how it grows
    Scale(ScaleFlags),
    /// Workloads side by side, from a TOML file
    Scenario(ScenarioFlags),
    /// The scenarios of the performance budgets, on Dunlin and a peer
    Suite(SuiteFlags),
    /// Wait for work from 'bench … --agents N' on another host
    Agent(AgentFlags),
    /// The flags of the old nats-bench: -np 1 -ns 1 -n 100000 -ms 128 -csv FILE SUBJECT
    Compat(CompatFlags),
}

/// Two or more servers.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompareFlags {
    /// URLs of servers, or command lines that are started on a free port ({port}, or -a and -p are added)
    #[arg(required = true, num_args = 2.., value_name = "SERVER")]
    pub(crate) servers: Vec<String>,
    /// Rounds at least
    #[arg(long, default_value_t = 4)]
    pub(crate) rounds: usize,
    /// Rounds at most, while the ratio of the cost is not known well
    #[arg(long, default_value_t = 12)]
    pub(crate) rounds_max: usize,
    /// Known well: its interval is narrower than this share
    #[arg(long, default_value_t = 0.05)]
    pub(crate) width: f64,
    /// Keep the servers from round to round instead of starting them afresh
    #[arg(long)]
    pub(crate) keep: bool,
    /// Exit code 1 where a ratio to the first server is beyond: 'cost > 1.05'; several times
    #[arg(long, value_parser = super::compare::Threshold::parse)]
    pub(crate) fail_if: Vec<super::compare::Threshold>,
    /// The work: a command of bench with its flags
    #[arg(last = true, required = true)]
    pub(crate) work: Vec<String>,
}

/// The highest rate.
#[derive(Args, Clone, Debug)]
pub(crate) struct KneeFlags {
    /// Which percentile of the corrected latency
    #[arg(long, default_value = "p99", value_parser = percentile)]
    pub(crate) percentile: f64,
    /// It must stay under this
    #[arg(long, default_value = "5ms", value_parser = duration)]
    pub(crate) under: Duration,
    /// Begin with this rate
    #[arg(long, default_value = "1000", value_parser = count)]
    pub(crate) from: u64,
    /// And go no higher
    #[arg(long, default_value = "20M", value_parser = count)]
    pub(crate) to: u64,
    /// How long each rate is held
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub(crate) step: Duration,
    /// Stop when the highest good and the lowest bad rate are this close
    #[arg(long, default_value_t = 0.1)]
    pub(crate) precision: f64,
    /// Start this server on a free port
    #[arg(long, value_name = "COMMAND")]
    pub(crate) launch: Option<String>,
    /// The work: a command of bench with its flags, without --rate
    #[arg(last = true, required = true)]
    pub(crate) work: Vec<String>,
}

/// A growing number.
#[derive(Args, Clone, Debug)]
pub(crate) struct ScaleFlags {
    /// What {n} becomes, in the work and in --launch
    #[arg(long, value_delimiter = ',', value_parser = count, required = true)]
    pub(crate) points: Vec<u64>,
    /// The figures that are shown (default: cost, rate and p99; what one costs where it is connections or subscriptions)
    #[arg(long, value_delimiter = ',')]
    pub(crate) figures: Vec<String>,
    /// Start this server on a free port for each point
    #[arg(long, value_name = "COMMAND")]
    pub(crate) launch: Option<String>,
    /// The work: a command of bench with its flags, with {n} in it
    #[arg(last = true, required = true)]
    pub(crate) work: Vec<String>,
}

/// A file.
#[derive(Args, Clone, Debug)]
pub(crate) struct ScenarioFlags {
    /// TOML, an array of tables named workload: kind, name and the flags of that kind as keys
    pub(crate) file: PathBuf,
}

/// All scenarios.
#[derive(Args, Clone, Debug)]
pub(crate) struct SuiteFlags {
    /// The peer: a command line or URL; 'nats-server' is looked for in $NATS_SERVER and on the search path
    #[arg(long, default_value = "nats-server")]
    pub(crate) against: String,
    /// Dunlin: a command line (default: beside this program, or on the search path)
    #[arg(long)]
    pub(crate) dunlin: Option<String>,
    /// With so many cores, in turn
    #[arg(long, value_delimiter = ',', default_value = "1")]
    pub(crate) cores: Vec<usize>,
    /// Rounds
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// A share of the messages and times, and of the largest numbers of --growth
    #[arg(long, default_value_t = 1.0)]
    pub(crate) scale: f64,
    /// How costs grow with subscriptions, connections, fan-out and payload, instead of the scenarios
    #[arg(long)]
    pub(crate) growth: bool,
    /// Only these
    #[arg(long, value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// Show what there is
    #[arg(long)]
    pub(crate) list: bool,
}

/// One of several hosts.
#[derive(Args, Clone, Debug)]
pub(crate) struct AgentFlags {
    /// End after so many runs (default: Ctrl-C)
    #[arg(long)]
    pub(crate) runs: Option<usize>,
}

/// The old nats-bench.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompatFlags {
    /// Its flags and a subject
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    pub(crate) words: Vec<String>,
}

fn subjects(text: &str) -> Result<u32, String> {
    u32::try_from(count(text)?).map_err(|_| format!("'{text}': at most 4294967295 subjects"))
}

fn percentile(text: &str) -> Result<f64, String> {
    super::latency::percentile(text).ok_or_else(|| format!("'{text}' is no percentile: write p50, p99.9 or max"))
}

#[cfg(test)]
mod tests {
    use super::{Command, Flags};
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_table_is_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn flags_of_nats_bench_are_understood() {
        let line = "bench pub foo --msgs 1000 --size 16KB --clients 4 --multisubject --multisubjectmax 10 \
--multisubjectrandomize --throughput 5000 --duration 5s --payload x -H A:b --csv f.csv --no-progress --server nats://h:1 --user u";
        let flags = Flags::try_parse_from(line.split_whitespace()).expect("understood");
        let Command::Pub(flow) = &flags.command else { panic!("pub") };
        assert_eq!((flow.load.rate, flow.clients, flow.load.size), (Some(5000), Some(4), 16384));
        assert_eq!(
            (flags.connection.server.as_deref(), flags.connection.user.as_deref()),
            (Some("nats://h:1"), Some("u"))
        );
    }

    #[test]
    fn nonsense_names_the_flag() {
        for (line, word) in [
            ("bench pub --msgs many", "--msgs"),
            ("bench pub --size 12X", "--size"),
            ("bench pub --rate 1 --sleep 1s", "--rate"),
            ("bench sing", "sing"),
        ] {
            let text = Flags::try_parse_from(line.split_whitespace()).expect_err(line).to_string();
            assert!(text.contains(word), "{text}");
        }
    }
}
