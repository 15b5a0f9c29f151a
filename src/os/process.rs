//! Other processes of this program: which run, and signals to them (`-sl`).
//!
//! Owns the meaning of `-sl command[=target]`. Texts are the peer's, with this program's name.
//! Must not signal itself, a group, or whoever has a similar name.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::errno;

/// Bytes of a pid file that are looked at.
const PID_FILE_BYTES_MAX: u64 = 64;

/// What `-sl` asks another server to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `stop`: ends it at once.
    Stop,
    /// `quit`: an orderly end.
    Quit,
    /// `term`: an orderly end.
    Term,
    /// `reopen`: opens its log file anew.
    Reopen,
    /// `reload`: reads its configuration again.
    Reload,
    /// `ldm`: lame duck mode.
    LameDuck,
}

impl Command {
    const ALL: [(&'static str, Self, Signal); 6] = [
        ("stop", Self::Stop, Signal::KILL),
        ("quit", Self::Quit, Signal::INT),
        ("term", Self::Term, Signal::TERM),
        ("reopen", Self::Reopen, Signal::USR1),
        ("reload", Self::Reload, Signal::HUP),
        ("ldm", Self::LameDuck, Signal::USR2),
    ];

    fn entry(self) -> (&'static str, Signal) {
        let found = Self::ALL.iter().find(|(_, command, _)| *command == self);
        found.map_or(("quit", Signal::INT), |&(name, _, signal)| (name, signal))
    }
}

impl FromStr for Command {
    type Err = SignalError;

    fn from_str(name: &str) -> Result<Self, SignalError> {
        let found = Self::ALL.iter().find(|(known, ..)| *known == name);
        found.map(|&(_, command, _)| command).ok_or_else(|| SignalError::UnknownCommand(name.to_string()))
    }
}

/// Why no signal was sent, or not all. The text is the peer's; the caller puts the program's name before it.
#[derive(Debug, PartialEq, Eq)]
pub enum SignalError {
    /// No such command.
    UnknownCommand(String),
    /// More than one `=`; holds what follows the second.
    Parameters(String),
    /// Neither a process id nor a file that holds one.
    InvalidPid(String),
    /// None is running; holds the program's name.
    NotRunning(String),
    /// Several are running.
    Several {
        /// The program's name.
        program: String,
        /// Their process ids, ascending.
        pids: Vec<u32>,
    },
    /// The kernel refused; holds a line for each process.
    Refused(Vec<String>),
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand(name) => write!(f, "unknown signal {name:?}"),
            Self::Parameters(rest) => write!(f, "invalid signal parameters: [{rest}]"),
            Self::InvalidPid(text) => write!(f, "invalid pid: {text}"),
            Self::NotRunning(program) => write!(f, "no {program} processes running"),
            Self::Several { program, pids } => {
                writeln!(f, "multiple {program} processes running:")?;
                pids.iter().try_for_each(|pid| writeln!(f, "{pid}"))
            }
            Self::Refused(lines) => lines.iter().try_for_each(|line| write!(f, "\n{line}")),
        }
    }
}

impl std::error::Error for SignalError {}

/// Does what `-sl ARGUMENT` says: `command`, `command=PID`, `command=FILE` or `command=PREFIX*`.
pub fn signal(argument: &str) -> Result<(), SignalError> {
    let mut parts = argument.split('=');
    let command: Command = parts.next().unwrap_or_default().parse()?;
    let target = parts.next().unwrap_or_default();
    let rest: Vec<_> = parts.collect();
    if !rest.is_empty() {
        return Err(SignalError::Parameters(rest.join(" ")));
    }
    let (name, signal) = command.entry();
    let program = executable_name();
    let pids = targets(target, &program, || running(Path::new("/proc"), std::process::id(), &program))?;
    let refused: Vec<_> = pids.into_iter().filter_map(|pid| send(pid, name, signal).err()).collect();
    if refused.is_empty() { Ok(()) } else { Err(SignalError::Refused(refused)) }
}

/// The name this program was started by: `dunlin`, or what a link to it is called.
pub fn program_name() -> String {
    let first = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&first).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| env!("CARGO_PKG_NAME").to_string())
}

/// The executable's own name, whatever link it was started by: what all of its processes have in common.
fn executable_name() -> String {
    let executable = std::env::current_exe().unwrap_or_default();
    match executable.file_name() {
        Some(name) => without_mark(&name.to_string_lossy()).to_string(),
        None => program_name(),
    }
}

/// So Linux marks an executable that was replaced while it runs: an upgrade.
fn without_mark(name: &str) -> &str {
    name.strip_suffix(" (deleted)").unwrap_or(name)
}

fn send(pid: u32, name: &str, signal: Signal) -> Result<(), String> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let sent = raw.ok_or(Errno::SRCH).and_then(|pid| kill_process(pid, signal));
    sent.map_err(|error| format!("signal {name:?} {pid}: {}", errno::text(&error.into())))
}

/// Which processes a target means. `running` is asked only where the target does not name a process itself.
fn targets(target: &str, program: &str, running: impl FnOnce() -> Vec<u32>) -> Result<Vec<u32>, SignalError> {
    let target = match parse_pid(target) {
        Some(pid) => return Ok(vec![pid]),
        None if target.is_empty() || target.ends_with('*') => target.to_string(),
        None => {
            let text = read_start(Path::new(target)).map_err(|_| SignalError::InvalidPid(target.to_string()))?;
            match parse_pid(text.trim()) {
                Some(pid) => return Ok(vec![pid]),
                None if text.trim().is_empty() => String::new(),
                None => return Err(SignalError::InvalidPid(text.trim().to_string())),
            }
        }
    };
    let mut pids = running();
    if let Some(prefix) = target.strip_suffix('*') {
        if !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SignalError::InvalidPid(target));
        }
        pids.retain(|pid| pid.to_string().starts_with(prefix));
    } else if pids.len() > 1 {
        return Err(SignalError::Several { program: program.to_string(), pids });
    }
    if pids.is_empty() { Err(SignalError::NotRunning(program.to_string())) } else { Ok(pids) }
}

/// Zero and negative numbers mean groups to the kernel: never valid here (they are on the peer).
fn parse_pid(text: &str) -> Option<u32> {
    text.parse().ok().filter(|&pid: &u32| pid > 0 && pid <= i32::MAX as u32)
}

fn read_start(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(fs::File::open(path)?, PID_FILE_BYTES_MAX), &mut text)?;
    Ok(text)
}

/// Process ids of those that run `program`, without `own`, ascending. A process counts by its executable's name, and
/// where that is hidden (another user's process) by its command name. What has ended and was not yet waited for does not count.
fn running(proc: &Path, own: u32, program: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(proc) else {
        return Vec::new();
    };
    let numbers = entries.flatten().filter_map(|entry| parse_pid(entry.file_name().to_str()?));
    let mut pids: Vec<_> = numbers.filter(|&pid| pid != own && runs(&proc.join(pid.to_string()), program)).collect();
    pids.sort_unstable();
    pids
}

fn runs(process: &Path, program: &str) -> bool {
    if let Ok(executable) = fs::read_link(process.join("exe")) {
        let name = executable.file_name().unwrap_or_default().to_string_lossy();
        return without_mark(&name) == program;
    }
    // The state follows the name, which is in parentheses and may hold any character; the kernel cuts it at 15 bytes.
    let Ok(stat) = fs::read_to_string(process.join("stat")) else {
        return false;
    };
    let Some((before, after)) = stat.rsplit_once(')') else {
        return false;
    };
    let Some((_, name)) = before.split_once('(') else {
        return false;
    };
    let short = program.get(..15).unwrap_or(program);
    name == short && !after.trim_start().starts_with(['Z', 'X'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dunlin-process-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    #[test]
    fn targets_are_pids_files_or_who_is_running() {
        let folder = folder("targets");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).expect("writable");
            path.to_string_lossy().into_owned()
        };
        let ask = |target: &str, pids: &[u32]| targets(target, "dunlin", || pids.to_vec());
        assert_eq!(ask("4711", &[]), Ok(vec![4711]));
        assert_eq!(ask(&file("a.pid", "4711"), &[1]), Ok(vec![4711]));
        assert_eq!(ask(&file("b.pid", "4711\n"), &[]), Ok(vec![4711]));
        assert_eq!(ask(&file("c.pid", ""), &[5]), Ok(vec![5]));
        assert_eq!(ask("", &[5]), Ok(vec![5]));
        assert_eq!(ask("*", &[5, 61]), Ok(vec![5, 61]));
        assert_eq!(ask("6*", &[5, 61]), Ok(vec![61]));
        let rows = [
            (ask("", &[]), "no dunlin processes running"),
            (ask("7*", &[5]), "no dunlin processes running"),
            (ask("", &[5, 61]), "multiple dunlin processes running:\n5\n61\n"),
            (ask("abc", &[]), "invalid pid: abc"),
            (ask("a*", &[5]), "invalid pid: a*"),
            (ask("0", &[]), "invalid pid: 0"),
            (ask("-5", &[]), "invalid pid: -5"),
            (ask("4294967295", &[]), "invalid pid: 4294967295"),
            (ask(&file("d.pid", "xx"), &[]), "invalid pid: xx"),
            (ask(&file("e.pid", "-1"), &[]), "invalid pid: -1"),
        ];
        for (got, expected) in rows {
            assert_eq!(got.expect_err(expected).to_string(), expected);
        }
        fs::remove_dir_all(&folder).expect("ours");
    }

    #[test]
    fn arguments_that_mean_nothing_are_refused_in_the_peers_words() {
        let rows = [
            ("bogus", "unknown signal \"bogus\""),
            ("=1", "unknown signal \"\""),
            ("REOPEN=1", "unknown signal \"REOPEN\""),
            ("reopen=a=b", "invalid signal parameters: [b]"),
            ("reload=2147483647", "\nsignal \"reload\" 2147483647: no such process"),
        ];
        for (argument, expected) in rows {
            assert_eq!(signal(argument).expect_err(expected).to_string(), expected);
        }
    }

    #[test]
    fn a_process_counts_by_its_executable_and_not_once_it_has_ended() {
        let proc = folder("proc");
        let add = |pid: &str, exe: Option<&str>, stat: &str| {
            let process = proc.join(pid);
            fs::create_dir_all(&process).expect("writable");
            fs::write(process.join("stat"), stat).expect("writable");
            if let Some(exe) = exe {
                symlink(exe, process.join("exe")).expect("writable");
            }
        };
        add("30", Some("/usr/bin/dunlin"), "30 (dunlin) S 1");
        add("4", Some("/usr/bin/dunlin (deleted)"), "4 (dunlin) S 1");
        add("5", Some("/usr/bin/vim"), "5 (dunlin) S 1"); // edits a file of that name
        add("6", None, "6 (dunlin) S 1"); // another user's
        add("7", None, "7 (dunlin) Z 1"); // has ended
        add("8", Some("/usr/bin/dunlinctl"), "8 (dunlinctl) S 1");
        add("9", Some("/usr/bin/dunlin"), "9 (dunlin) S 1"); // who asks
        add("10", None, "garbage");
        add("self", Some("/usr/bin/dunlin"), "9 (dunlin) S 1");
        assert_eq!(running(&proc, 9, "dunlin"), [4, 6, 30]);
        assert!(running(&proc.join("nothing"), 9, "dunlin").is_empty());
        fs::remove_dir_all(&proc).expect("ours");
    }
}
