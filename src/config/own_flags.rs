//! The one table of Dunlin's own settings: cores, rings, budgets, sockets, logins.
//!
//! From it come their flags, the keys of the block `dunlin` of a file (`own_block` reads it), defaults, ranges, lines of help
//! and what a reload does. The peer refuses a file with that block.

use super::keys::{BROKER, Block, CONFIGURATION, Key, MONITORING, Range, SECURITY, Shape, show};
use super::monitoring::SUBJECT_SAMPLE_DEFAULT;
use super::own_block::{MONITORING_BLOCK, MONITORING_KEYS};
use super::raw::{Origin, RawConfig, Written};
use super::{AcceptMode, Config, CoreChoice};
use crate::limits::CORES_MAX;
use crate::secret::Secret;

/// The greatest number of a CPU that may be named.
const CPU_NUMBER_MAX: usize = 4095;

/// How a value is read and where it goes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `--cores`.
    Cores,
    /// `--accept`.
    Accept,
    /// A flag without a value.
    Switch(fn(&mut RawConfig) -> &mut Option<Written<bool>>),
    /// Text.
    Text(fn(&mut RawConfig) -> &mut Option<Written<String>>),
    /// Text that is not shown.
    Secret(fn(&mut RawConfig) -> &mut Option<Written<Secret>>),
    /// A number.
    Number(Range, fn(&mut RawConfig) -> &mut Option<Written<i64>>),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct OwnFlag {
    /// The flag without dashes, and the key in a file.
    pub key: Key,
    /// What stands for its value in the help, or empty.
    pub value: &'static str,
    /// How it is read.
    pub kind: Kind,
}

const fn number(
    name: &'static str,
    value: &'static str,
    (default, low, high): (i64, i64, i64),
    slot: fn(&mut RawConfig) -> &mut Option<Written<i64>>,
    help: &'static str,
) -> OwnFlag {
    let range = Range { default, low, high, or_zero: false };
    let key = Key { range: Some(range), ..Key::inside(name, Shape::Int, help) };
    OwnFlag { key, value, kind: Kind::Number(range, slot) }
}

/// A size of a socket buffer: smaller ones than this starve a connection.
const fn buffer(
    name: &'static str,
    slot: fn(&mut RawConfig) -> &mut Option<Written<i64>>,
    help: &'static str,
) -> OwnFlag {
    let range = Range { default: 0, low: 64 << 10, high: 1 << 30, or_zero: true };
    let key = Key { range: Some(range), ..Key::inside(name, Shape::Int, help) };
    OwnFlag { key, value: "<bytes>", kind: Kind::Number(range, slot) }
}

impl OwnFlag {
    const fn new(name: &'static str, value: &'static str, shape: Shape, kind: Kind, help: &'static str) -> Self {
        Self { key: Key::inside(name, shape, help), value, kind }
    }

    const fn since(self, since: &'static str) -> Self {
        Self { key: self.key.since(since), ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { key: self.key.default(default), ..self }
    }

    const fn example(self, example: &'static str) -> Self {
        Self { key: self.key.example(example), ..self }
    }

    const fn fixed(self, why: &'static str) -> Self {
        Self { key: self.key.fixed(why), ..self }
    }

    const fn shown(self, value: fn(&Config) -> String) -> Self {
        Self { key: self.key.shown(value), ..self }
    }

    /// Where the value was written.
    pub fn origin(&self, raw: &mut RawConfig) -> Option<Origin> {
        fn of<T>(setting: &Option<Written<T>>) -> Option<Origin> {
            setting.as_ref().map(|setting| setting.origin.clone())
        }
        match self.kind {
            Kind::Cores => of(&raw.cores),
            Kind::Accept => of(&raw.accept),
            Kind::Switch(slot) => of(slot(raw)),
            Kind::Text(slot) => of(slot(raw)),
            Kind::Secret(slot) => of(slot(raw)),
            Kind::Number(_, slot) => of(slot(raw)),
        }
    }
}

const THREADS: &str = "cores are threads that start with the server";
const RINGS: &str = "cores and the links between them are laid out at the start";
const LISTENING: &str = "the listener is open";
const SOCKETS: &str = "clients that are connected have their sockets already";

/// The table.
pub const OWN_FLAGS: &[OwnFlag] = &[
    OwnFlag::new(
        "cores",
        "<n|list>",
        Shape::Other("count or list of CPUs"),
        Kind::Cores,
        "Cores: a count (4), or CPUs (0-3 or 0,2 or 2,): more throughput, more CPUs held (default: the CPUs given to us)",
    )
    .example("2")
    .fixed(THREADS)
    .since(BROKER)
    .shown(|c| show::cores(&c.cores.choice)),
    OwnFlag::new(
        "no_pin",
        "",
        Shape::Bool,
        Kind::Switch(|raw| &mut raw.no_pin),
        "Let the kernel move cores between CPUs: kinder to neighbours, less even latency (default: false)",
    )
    .default("false")
    .fixed(THREADS)
    .since(BROKER)
    .shown(|c| (!c.cores.pin).to_string()),
    OwnFlag::new(
        "accept",
        "<mode>",
        Shape::Other("`handoff` or `reuseport`"),
        Kind::Accept,
        "handoff: even load over cores; reuseport: faster accepting, load as the kernel hashes it (default: handoff)",
    )
    .default("handoff")
    .fixed(LISTENING)
    .since(BROKER)
    .shown(|c| match c.cores.accept {
        AcceptMode::Handoff => "handoff".to_owned(),
        AcceptMode::ReusePort => "reuseport".to_owned(),
    }),
    number(
        "spin_us",
        "<us>",
        (0, 0, 100_000),
        |raw| &mut raw.spin_us,
        "Microseconds that an idle core looks for mail before it sleeps: lower latency for idle CPU (default: 0)",
    )
    .since(BROKER)
    .shown(|c| c.cores.spin.as_micros().to_string()),
    number(
        "rest_us",
        "<us>",
        (0, 0, 10_000),
        |raw| &mut raw.rest_us,
        "Microseconds that a core rests after a turn with work, so that the next has more to do: less CPU for later messages (default: 0)",
    )
    .since(BROKER)
    .shown(|c| c.cores.rest.as_micros().to_string()),
    number(
        "link_bytes",
        "<bytes>",
        (4 << 20, 64 << 10, 1 << 30),
        |raw| &mut raw.link_bytes,
        "Bytes in flight between two cores before their publishers are held, over all links to a core at most an eighth of max_pending: throughput for memory (default: 4194304)",
    )
    .fixed(RINGS)
    .since(BROKER)
    .shown(|c| c.cores.link_bytes_max.to_string()),
    number(
        "turn_events",
        "<n>",
        (256, 1, 65_536),
        |raw| &mut raw.turn_events,
        "Sockets served in one turn of a core: more is cheaper a message, less is fairer to mail (default: 256)",
    )
    .since(BROKER)
    .shown(|c| c.cores.turn_events_max.to_string()),
    number(
        "match_cache",
        "<subjects>",
        (8192, 0, 1 << 24),
        |raw| &mut raw.match_cache,
        "Subjects whose receivers a core remembers: cheaper routing for memory, 0 is off (default: 8192)",
    )
    .fixed(RINGS)
    .since(BROKER)
    .shown(|c| c.cores.match_cache_entries.to_string()),
    number(
        "backlog",
        "<n>",
        (4096, 1, 65_535),
        |raw| &mut raw.backlog,
        "Connections the kernel holds for us, within its own bound: larger bursts for kernel memory (default: 4096)",
    )
    .fixed(LISTENING)
    .since(BROKER)
    .shown(|c| c.cores.backlog.to_string()),
    OwnFlag::new(
        "unix_socket",
        "<path>",
        Shape::Text,
        Kind::Text(|raw| &mut raw.unix_socket),
        "Listen at a Unix socket too: less work a message for clients of this host (default: none)",
    )
    .example("\"/run/dunlin.sock\"")
    .fixed(LISTENING)
    .since(CONFIGURATION)
    .shown(|c| c.unix_socket.as_ref().map_or_else(String::new, |socket| socket.path.display().to_string())),
    OwnFlag::new(
        "unix_socket_mode",
        "<octal>",
        Shape::Text,
        Kind::Text(|raw| &mut raw.unix_socket_mode),
        "Mode of that socket's file: who may write to it may connect (default: 0660)",
    )
    .example("\"0660\"")
    .fixed(LISTENING)
    .since(CONFIGURATION)
    .shown(|c| c.unix_socket.as_ref().map_or_else(String::new, |socket| format!("{:04o}", socket.mode))),
    buffer(
        "sndbuf",
        |raw| &mut raw.sndbuf,
        "Send buffer of each client's socket: throughput on long links for kernel memory, 0 lets it decide (default: 0)",
    )
    .fixed(SOCKETS)
    .since(BROKER)
    .shown(|c| c.cores.send_buffer_bytes.to_string()),
    buffer(
        "rcvbuf",
        |raw| &mut raw.rcvbuf,
        "Receive buffer of each client's socket: throughput on long links for kernel memory, 0 lets it decide (default: 0)",
    )
    .fixed(SOCKETS)
    .since(BROKER)
    .shown(|c| c.cores.receive_buffer_bytes.to_string()),
    number(
        "failed_logins_per_minute",
        "<n>",
        (0, 0, 1_000_000),
        |raw| &mut raw.failed_logins_per_minute,
        "Failed logins a minute and source address before further ones are refused unheard, 0 is any number (default: 0)",
    )
    .since(SECURITY)
    .shown(|c| c.security.failed_logins_per_minute_max.unwrap_or(0).to_string()),
    OwnFlag::new(
        "no_coredump",
        "",
        Shape::Bool,
        Kind::Switch(|raw| &mut raw.no_coredump),
        "Leave no memory image in a crash; only root looks into the process (default: true with logins or TLS, else false)",
    )
    .example("true")
    .since(SECURITY)
    .shown(|c| (!c.core_dump).to_string()),
    number(
        "subject_sample",
        "<n>",
        (SUBJECT_SAMPLE_DEFAULT, 0, 1 << 30),
        |raw| &mut raw.subject_sample,
        "One message in n is looked at for /subjectz: finer figures for CPU, 0 is off (default: 512)",
    )
    .fixed("cores count from the start")
    .since(MONITORING)
    .shown(|c| c.monitoring.subject_sample.to_string()),
    OwnFlag::new(
        "monitor_user",
        "<user>",
        Shape::Text,
        Kind::Text(|raw| &mut raw.monitor_user),
        "User who may see the monitoring pages: secrecy for one more login (default: everyone may)",
    )
    .example("\"ann\"")
    .since(MONITORING)
    .shown(|c| {
        let user = c.monitoring.login.as_ref().and_then(|login| login.user.as_ref());
        user.map(|(name, _)| name.clone()).unwrap_or_default()
    }),
    OwnFlag::new(
        "monitor_password",
        "<pass>",
        Shape::Secret,
        Kind::Secret(|raw| &mut raw.monitor_password),
        "Password of that user: @FILE or $VARIABLE keep it from others on this host",
    )
    .example("\"s3cret\"")
    .since(MONITORING),
    OwnFlag::new(
        "monitor_token",
        "<token>",
        Shape::Secret,
        Kind::Secret(|raw| &mut raw.monitor_token),
        "Bearer token that opens the monitoring pages: @FILE or $VARIABLE keep it from others on this host",
    )
    .example("\"s3cret\"")
    .since(MONITORING),
    number(
        "monitor_timeout_ms",
        "<ms>",
        (10_000, 1, 3_600_000),
        |raw| &mut raw.monitor_timeout_ms,
        "How long a page's request and its answer may take: patience with slow readers for open sockets (default: 10000)",
    )
    .fixed("the listener of pages is open")
    .since(MONITORING)
    .shown(|c| c.monitoring.timeout.as_millis().to_string()),
];

/// The block of a file that holds them, and the one in it for pages.
pub(super) fn blocks() -> Vec<Block> {
    let mut keys: Vec<&'static Key> = OWN_FLAGS.iter().map(|own| &own.key).collect();
    keys.push(&MONITORING_BLOCK);
    vec![
        Block { path: "dunlin", keys },
        Block { path: "dunlin.monitoring", keys: MONITORING_KEYS.iter().map(|(key, _)| key).collect() },
    ]
}

/// The setting of a name, which a file may write in any case.
pub fn find(name: &[u8]) -> Option<&'static OwnFlag> {
    OWN_FLAGS.iter().find(|own| own.key.is_named(name))
}

/// The range of a numeric setting.
pub fn range(name: &str) -> Option<Range> {
    find(name.as_bytes()).and_then(|own| own.key.range)
}

/// Writes the value of a flag that has one; switches are the command line's.
///
/// # Errors
/// Why the text is no value of this flag.
pub fn write(flag: &OwnFlag, text: &str, origin: Origin, raw: &mut RawConfig) -> Result<(), String> {
    match flag.kind {
        Kind::Cores => raw.cores = Some(Written { value: core_choice(text)?, origin }),
        Kind::Accept => {
            let value = match text {
                "handoff" => AcceptMode::Handoff,
                "reuseport" => AcceptMode::ReusePort,
                _ => return Err("must be handoff or reuseport".into()),
            };
            raw.accept = Some(Written { value, origin });
        }
        Kind::Switch(slot) => *slot(raw) = Some(Written { value: true, origin }),
        Kind::Text(slot) => *slot(raw) = Some(Written { value: text.to_owned(), origin }),
        Kind::Secret(slot) => *slot(raw) = Some(Written { value: Secret::new(text), origin }),
        Kind::Number(range, slot) => {
            let value = text.parse().map_err(|_| "parse error".to_owned())?;
            range.check(value)?;
            *slot(raw) = Some(Written { value, origin });
        }
    }
    Ok(())
}

/// `4`: so many; `0-3`, `0,2`, `2,`: these.
fn core_choice(text: &str) -> Result<CoreChoice, String> {
    let number = |text: &str| match text.parse::<usize>() {
        Ok(number) if text.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        _ => Err("must be a count (4) or a list of CPUs (0-3 or 0,2 or 2,)".to_owned()),
    };
    let choice = if text.contains([',', '-']) {
        let mut cpus = Vec::new();
        for part in text.strip_suffix(',').unwrap_or(text).split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(format!("the range {part} runs backwards"));
            }
            // Checked before the list grows.
            if last > CPU_NUMBER_MAX {
                return Err(format!("there is no CPU {last}"));
            }
            cpus.extend(first..=last);
        }
        CoreChoice::Cpus(cpus)
    } else {
        CoreChoice::Count(number(text)?)
    };
    check_cores(&choice)?;
    Ok(choice)
}

/// Whether a choice of cores is one that a server can have; if not, why.
///
/// # Errors
/// The reason.
pub fn check_cores(choice: &CoreChoice) -> Result<(), String> {
    let count = match choice {
        CoreChoice::Automatic => return Ok(()),
        CoreChoice::Count(count) => *count,
        CoreChoice::Cpus(cpus) => {
            let mut seen = std::collections::HashSet::new();
            if let Some(twice) = cpus.iter().find(|cpu| !seen.insert(**cpu)) {
                return Err(format!("CPU {twice} is named twice"));
            }
            cpus.len()
        }
    };
    if (1..=CORES_MAX).contains(&count) { Ok(()) } else { Err(format!("must be from 1 to {CORES_MAX} cores")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_a_count_or_a_list() {
        for (text, expected) in [
            ("4", CoreChoice::Count(4)),
            ("63", CoreChoice::Count(63)),
            ("2,", CoreChoice::Cpus(vec![2])),
            ("0-3", CoreChoice::Cpus(vec![0, 1, 2, 3])),
            ("0,2", CoreChoice::Cpus(vec![0, 2])),
            ("0-1,4-5", CoreChoice::Cpus(vec![0, 1, 4, 5])),
        ] {
            assert_eq!(core_choice(text), Ok(expected), "{text}");
        }
        for text in
            ["", "0", "64", "x", "-1", "1-", ",", "1,,2", "3-1", "0-63", "1,1", "+1", "0-99999999", "1 ", "5000,"]
        {
            assert!(core_choice(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn numbers_are_checked() {
        for (name, good, bad) in [
            ("spin_us", "100000", "100001"),
            ("turn_events", "1", "0"),
            ("match_cache", "0", "-1"),
            ("backlog", "65535", "65536"),
            ("link_bytes", "65536", "65535"),
            ("sndbuf", "0", "1x"),
            ("rcvbuf", "65536", "16384"),
            ("accept", "reuseport", "both"),
        ] {
            let flag = OWN_FLAGS.iter().find(|flag| flag.key.name == name).expect("a flag of the table");
            let mut raw = RawConfig::default();
            assert_eq!(write(flag, good, Origin::Code, &mut raw), Ok(()), "{name} {good}");
            assert!(write(flag, bad, Origin::Code, &mut raw).is_err(), "{name} {bad}");
        }
    }

    #[test]
    fn every_default_is_in_its_range_and_in_its_help() {
        for flag in OWN_FLAGS {
            if let Kind::Number(range, _) = flag.kind {
                assert_eq!(range.check(range.default), Ok(()), "{}", flag.key.name);
                assert!(flag.key.help.ends_with(&format!("(default: {})", range.default)), "{}", flag.key.name);
            }
        }
    }
}
