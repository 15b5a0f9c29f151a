//! The flags of `dunlinctl doctor`. Those of the server are read by the server's own table.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dunlin::Config;
use dunlin::config::own_flags::{self, Kind, OWN_FLAGS};
use dunlin::config::{self, Origin, RawConfig};
use lexopt::prelude::{Long, Short, ValueExt};

/// Flags of the server that say what it asks of the host.
const SERVER_FLAGS: &[&str] = &["cores", "no_pin", "accept", "spin_us", "link_bytes", "backlog", "sndbuf", "rcvbuf"];

pub(crate) const HELP: &str = "\
Looks at this host as a server would use it. Needs no root; what cannot be seen is 'unknown', with the reason.

Usage: dunlinctl doctor [flags]

    -c, --config FILE       The server's configuration file: max_connections, port, max_pending count
        --connections N     How many clients you expect (default: max_connections of the file)
        --pid PID           A server that runs: its limits, cgroup and threads in place of this shell's
    -q, --quiet             Show only what is not good
        --json              For programs; names and verdicts stay
        --root DIR          Look at the /proc and /sys under DIR: those of a host in a container, or a copy
    -h, --help              Show this message

Flags that the server would be started with: --cores N|LIST, --no_pin, --accept MODE, --spin_us N, --link_bytes N,
--backlog N, --sndbuf N, --rcvbuf N, -p PORT ('dunlin --help').

Exit code: 0, 1 where something will bite, 2 for flags or a file that cannot be understood.
";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) config: Config,
    /// The file sets `max_connections`.
    pub(crate) is_limited: bool,
    pub(crate) connections: Option<u64>,
    pub(crate) pid: Option<u32>,
    pub(crate) root: PathBuf,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

/// `None`: help is asked for.
///
/// # Errors
/// What is wrong with the flags or the file.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Option<Options>, String> {
    let (mut flags, mut file) = (RawConfig::default(), None);
    let (mut connections, mut pid, mut root) = (None, None, PathBuf::from("/"));
    let (mut json, mut quiet) = (false, false);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('c') | Long("config") => file = Some(PathBuf::from(value(&mut parser)?)),
            Short('p') | Long("port") => {
                let text = string(&mut parser)?;
                let port: i64 = text.parse().map_err(|_| format!("--port {text}: a number"))?;
                flags.port = Some(config::Written { value: port, origin: Origin::Flag("--port".into()) });
            }
            Long("connections") => connections = Some(number(&mut parser, "--connections")?),
            Long("pid") => {
                let number = number(&mut parser, "--pid")?;
                pid = Some(u32::try_from(number).map_err(|_| format!("--pid {number}: there is no such process"))?);
            }
            Long("root") => root = PathBuf::from(value(&mut parser)?),
            Long("json") => json = true,
            Short('q') | Long("quiet") => quiet = true,
            Long(name) if SERVER_FLAGS.contains(&name) => {
                let name = name.to_owned();
                server_flag(&name, &mut parser, &mut flags)?;
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    let (config, is_limited) = configuration(file.as_deref(), flags)?;
    if !root.is_dir() {
        return Err(format!("--root {}: there is no such folder", root.display()));
    }
    if let Some(pid) = pid
        && !root.join(format!("proc/{pid}")).is_dir()
    {
        return Err(format!("--pid {pid}: there is no such process"));
    }
    Ok(Some(Options { config, is_limited, connections, pid, root, json, quiet }))
}

fn server_flag(name: &str, parser: &mut lexopt::Parser, flags: &mut RawConfig) -> Result<(), String> {
    let Some(flag) = OWN_FLAGS.iter().find(|flag| flag.key.name == name) else {
        return Err(format!("--{name} is no flag of the server"));
    };
    let text = match flag.kind {
        Kind::Switch(_) => String::new(),
        _ => string(parser)?,
    };
    own_flags::write(flag, &text, Origin::Flag(format!("--{name}")), flags)
        .map_err(|why| format!("--{name} {text}: {why}"))
}

/// The settings, and whether the file bounds the number of clients. Certificates are not read: they may be the server's alone.
fn configuration(file: Option<&Path>, flags: RawConfig) -> Result<(Config, bool), String> {
    let from_file = match file {
        Some(path) => config::read_file(path).map_err(|errors| errors.to_string().trim_end().to_owned())?,
        None => RawConfig::default(),
    };
    let raw = flags.over(from_file);
    let is_limited = raw.max_connections.is_some();
    let (config, _) = raw.resolve().map_err(|errors| errors.to_string())?;
    Ok((config, is_limited))
}

fn value(parser: &mut lexopt::Parser) -> Result<OsString, String> {
    parser.value().map_err(|error| error.to_string())
}

fn string(parser: &mut lexopt::Parser) -> Result<String, String> {
    value(parser)?.string().map_err(|error| error.to_string())
}

fn number(parser: &mut lexopt::Parser, flag: &str) -> Result<u64, String> {
    let text = string(parser)?;
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| format!("{flag} {text}: a number from 1 on"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fake::Fake;
    use dunlin::config::CoreChoice;

    fn parsed(words: &[&str]) -> Result<Option<Options>, String> {
        parse(words.iter().map(Into::into).collect())
    }

    #[test]
    fn flags_of_the_server_mean_what_they_mean_to_it() {
        let words =
            ["--cores", "0-2", "--no_pin", "--backlog=100", "--spin_us", "50", "-p", "4333", "--connections", "9"];
        let options = parsed(&words).expect("they are right").expect("no help");
        let cores = &options.config.cores;
        assert_eq!((&cores.choice, cores.pin, cores.backlog), (&CoreChoice::Cpus(vec![0, 1, 2]), false, 100));
        assert_eq!((cores.spin.as_micros(), options.config.port), (50, 4333));
        assert_eq!((options.connections, options.is_limited), (Some(9), false));
        for name in SERVER_FLAGS {
            assert!(OWN_FLAGS.iter().any(|flag| flag.key.name == *name) && HELP.contains(name), "{name}");
        }
    }

    #[test]
    fn a_file_counts_and_flags_win() {
        let fake = Fake::new();
        fake.write("server.conf", "max_connections: 77\nport: 4111\n").write("wrong.conf", "\nmax_connections: x\n");
        let file = fake.path().join("server.conf");
        let options = parsed(&["-c", file.to_str().expect("text"), "-p", "4112"]).expect("right").expect("no help");
        assert!(options.is_limited);
        assert_eq!((options.config.limits.connections_max, options.config.port), (Some(77), 4112));
        let wrong = fake.path().join("wrong.conf");
        let error = parsed(&["-c", wrong.to_str().expect("text")]).unwrap_err();
        assert!(error.contains("wrong.conf:2:"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, text) in [
            (&["--cores", "x"][..], "--cores x: must be a count (4) or a list"),
            (&["--connections", "0"], "--connections 0: a number from 1 on"),
            (&["--connections"], "--connections"),
            (&["--pid", "99999999999"], "there is no such process"),
            (&["--pid", "4294967295"], "there is no such process"),
            (&["--root", "/no/such/folder"], "there is no such folder"),
            (&["--monitor_user", "ann"], "monitor_user"),
            (&["word"], "word"),
            (&["-c", "/no/such/file"], "/no/such/file"),
        ] {
            let error = parsed(words).unwrap_err();
            assert!(error.contains(text), "{words:?}: {error}");
        }
        assert!(matches!(parsed(&["--cores", "2", "-h"]), Ok(None)));
    }
}
