//! The one table of Dunlin's own settings: cores, rings, budgets, sockets, logins.
//!
//! From it come their flags, defaults, ranges and lines of help. Those that a file may hold stand there in a block `dunlin`;
//! the peer refuses a file with that block.

use super::apply::Applied;
use super::complaints::{GaveUp, string};
use super::monitoring::{self, SUBJECT_SAMPLE_DEFAULT};
use super::raw::{Origin, RawConfig, Written};
use super::value::{Node, quoted};
use super::{AcceptMode, CoreChoice};
use crate::limits::CORES_MAX;
use crate::secret::Secret;

/// The greatest number of a CPU that may be named.
const CPU_NUMBER_MAX: usize = 4095;

/// The values that a number may have.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// What it is when nothing is written.
    pub default: i64,
    /// The least.
    pub low: i64,
    /// The greatest.
    pub high: i64,
    /// 0 is allowed too: the system decides.
    pub or_zero: bool,
}

impl Range {
    /// Whether `value` is allowed; if not, why.
    ///
    /// # Errors
    /// The reason.
    pub fn check(self, value: i64) -> Result<(), String> {
        if (self.low..=self.high).contains(&value) || self.or_zero && value == 0 {
            return Ok(());
        }
        let zero = if self.or_zero { "0, or " } else { "" };
        Err(format!("must be {zero}a number from {} to {}", self.low, self.high))
    }
}

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
    /// Its name, without dashes.
    pub name: &'static str,
    /// What stands for its value in the help, or empty.
    pub value: &'static str,
    /// What it trades for what, in one line.
    pub help: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// The block `dunlin` of a file may hold it too.
    pub is_in_files: bool,
}

const fn number(default: i64, low: i64, high: i64, slot: fn(&mut RawConfig) -> &mut Option<Written<i64>>) -> Kind {
    Kind::Number(Range { default, low, high, or_zero: false }, slot)
}

/// A size of a socket buffer: smaller ones than this starve a connection.
const fn buffer(slot: fn(&mut RawConfig) -> &mut Option<Written<i64>>) -> Kind {
    Kind::Number(Range { default: 0, low: 64 << 10, high: 1 << 30, or_zero: true }, slot)
}

/// The table.
pub const OWN_FLAGS: &[OwnFlag] = &[
    OwnFlag {
        name: "cores",
        value: "<n|list>",
        help: "Cores: a count (4), or CPUs (0-3 or 0,2 or 2,): more throughput, more CPUs held (default: the CPUs given to us)",
        kind: Kind::Cores,
        is_in_files: false,
    },
    OwnFlag {
        name: "no_pin",
        value: "",
        help: "Let the kernel move cores between CPUs: kinder to neighbours, less even latency (default: false)",
        kind: Kind::Switch(|raw| &mut raw.no_pin),
        is_in_files: false,
    },
    OwnFlag {
        name: "accept",
        value: "<mode>",
        help: "handoff: even load over cores; reuseport: faster accepting, load as the kernel hashes it (default: handoff)",
        kind: Kind::Accept,
        is_in_files: false,
    },
    OwnFlag {
        name: "spin_us",
        value: "<us>",
        help: "Microseconds that an idle core looks for mail before it sleeps: lower latency for idle CPU (default: 0)",
        kind: number(0, 0, 100_000, |raw| &mut raw.spin_us),
        is_in_files: false,
    },
    OwnFlag {
        name: "link_bytes",
        value: "<bytes>",
        help: "Bytes in flight between two cores before their publishers are held: throughput for memory (default: 4194304)",
        kind: number(4 << 20, 64 << 10, 1 << 30, |raw| &mut raw.link_bytes),
        is_in_files: false,
    },
    OwnFlag {
        name: "turn_events",
        value: "<n>",
        help: "Sockets served in one turn of a core: more is cheaper a message, less is fairer to mail (default: 256)",
        kind: number(256, 1, 65_536, |raw| &mut raw.turn_events),
        is_in_files: false,
    },
    OwnFlag {
        name: "match_cache",
        value: "<subjects>",
        help: "Subjects whose receivers a core remembers: cheaper routing for memory, 0 is off (default: 8192)",
        kind: number(8192, 0, 1 << 24, |raw| &mut raw.match_cache),
        is_in_files: false,
    },
    OwnFlag {
        name: "backlog",
        value: "<n>",
        help: "Connections the kernel holds for us, within its own bound: larger bursts for kernel memory (default: 4096)",
        kind: number(4096, 1, 65_535, |raw| &mut raw.backlog),
        is_in_files: false,
    },
    OwnFlag {
        name: "sndbuf",
        value: "<bytes>",
        help: "Send buffer of each client's socket: throughput on long links for kernel memory, 0 lets it decide (default: 0)",
        kind: buffer(|raw| &mut raw.sndbuf),
        is_in_files: false,
    },
    OwnFlag {
        name: "rcvbuf",
        value: "<bytes>",
        help: "Receive buffer of each client's socket: throughput on long links for kernel memory, 0 lets it decide (default: 0)",
        kind: buffer(|raw| &mut raw.rcvbuf),
        is_in_files: false,
    },
    OwnFlag {
        name: "failed_logins_per_minute",
        value: "<n>",
        help: "Failed logins a minute and source address before further ones are refused unheard, 0 is any number (default: 0)",
        kind: number(0, 0, 1_000_000, |raw| &mut raw.failed_logins_per_minute),
        is_in_files: true,
    },
    OwnFlag {
        name: "no_coredump",
        value: "",
        help: "Leave no memory image in a crash; only root looks into the process (default: true with logins or TLS, else false)",
        kind: Kind::Switch(|raw| &mut raw.no_coredump),
        is_in_files: true,
    },
    OwnFlag {
        name: "subject_sample",
        value: "<n>",
        help: "One message in n is looked at for /subjectz: finer figures for CPU, 0 is off (default: 512)",
        kind: number(SUBJECT_SAMPLE_DEFAULT, 0, 1 << 30, |raw| &mut raw.subject_sample),
        is_in_files: true,
    },
    OwnFlag {
        name: "monitor_user",
        value: "<user>",
        help: "User who may see the monitoring pages: secrecy for one more login (default: everyone may)",
        kind: Kind::Text(|raw| &mut raw.monitor_user),
        is_in_files: false,
    },
    OwnFlag {
        name: "monitor_password",
        value: "<pass>",
        help: "Password of that user: @FILE or $VARIABLE keep it from others on this host",
        kind: Kind::Secret(|raw| &mut raw.monitor_password),
        is_in_files: false,
    },
    OwnFlag {
        name: "monitor_token",
        value: "<token>",
        help: "Bearer token that opens the monitoring pages: @FILE or $VARIABLE keep it from others on this host",
        kind: Kind::Secret(|raw| &mut raw.monitor_token),
        is_in_files: false,
    },
    OwnFlag {
        name: "monitor_timeout_ms",
        value: "<ms>",
        help: "How long a page's request and its answer may take: patience with slow readers for open sockets (default: 10000)",
        kind: number(10_000, 1, 3_600_000, |raw| &mut raw.monitor_timeout_ms),
        is_in_files: false,
    },
];

/// The range of a numeric setting.
pub fn range(name: &str) -> Option<Range> {
    OWN_FLAGS.iter().find(|flag| flag.name == name).and_then(|flag| match flag.kind {
        Kind::Number(range, _) => Some(range),
        _ => None,
    })
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

/// Takes the block `dunlin` of a file over.
pub(super) fn block(applied: &mut Applied, _name: &[u8], node: &Node) {
    let Ok(map) = applied.errors.map(node) else {
        return;
    };
    for (name, node) in map.iter() {
        if name.eq_ignore_ascii_case(b"monitoring") {
            monitoring::block(applied, node);
            continue;
        }
        let own = OWN_FLAGS.iter().find(|own| own.is_in_files && own.name.as_bytes().eq_ignore_ascii_case(name));
        let Some(own) = own else {
            if !node.is_variable {
                applied.errors.at(&node.place, format!("unknown field {}", quoted(name)));
            }
            continue;
        };
        let origin = Origin::File(node.place.clone());
        let written = match own.kind {
            Kind::Number(..) => {
                applied.errors.int(node).map(|number| write(own, &number.to_string(), origin, &mut applied.raw))
            }
            Kind::Switch(slot) => applied.errors.bool(node).map(|value| {
                *slot(&mut applied.raw) = Some(Written { value, origin });
                Ok(())
            }),
            Kind::Cores | Kind::Accept | Kind::Text(_) | Kind::Secret(_) => continue, // flags alone
        };
        match written {
            Ok(Ok(())) | Err(GaveUp) => {}
            Ok(Err(why)) => applied.errors.at(&node.place, format!("{}: {why}", string(name))),
        }
    }
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
            let flag = OWN_FLAGS.iter().find(|flag| flag.name == name).expect("a flag of the table");
            let mut raw = RawConfig::default();
            assert_eq!(write(flag, good, Origin::Code, &mut raw), Ok(()), "{name} {good}");
            assert!(write(flag, bad, Origin::Code, &mut raw).is_err(), "{name} {bad}");
        }
    }

    #[test]
    fn every_default_is_in_its_range_and_in_its_help() {
        for flag in OWN_FLAGS {
            if let Kind::Number(range, _) = flag.kind {
                assert_eq!(range.check(range.default), Ok(()), "{}", flag.name);
                assert!(flag.help.ends_with(&format!("(default: {})", range.default)), "{}", flag.name);
            }
        }
    }
}
