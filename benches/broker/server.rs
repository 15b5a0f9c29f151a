//! A server process under test: start it, ask what it cost, stop it.
//!
//! Owns the child process and ends it by its handle: when dropped (a panic included) and on SIGINT or SIGTERM. Knows nothing of
//! workloads. Costs are read from `/proc`, so this is Linux only.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::client;
use crate::trouble::{Outcome, Trouble};

const START_TIME_MAX: Duration = Duration::from_secs(10);
const RETRY_EVERY: Duration = Duration::from_millis(5);
/// Ports are free when they are looked for and may be taken when they are used.
const START_ATTEMPTS_MAX: usize = 3;
/// Until the threads of a server that has answered everything have left their CPUs, where their time is booked.
const SETTLE_TIME: Duration = Duration::from_millis(15);

/// Which server, in which set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Dunlin { cores: u8 },
    Peer,
    Floor,
}

impl Kind {
    /// From the word of the command line: `dunlin` is one core, `dunlin2` two, and so on.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "peer" => Some(Self::Peer),
            "floor" => Some(Self::Floor),
            "dunlin" => Some(Self::Dunlin { cores: 1 }),
            _ => {
                name.strip_prefix("dunlin")?.parse().ok().filter(|cores| *cores > 0).map(|cores| Self::Dunlin { cores })
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dunlin { cores: 1 } => f.write_str("dunlin"),
            Self::Dunlin { cores } => write!(f, "dunlin{cores}"),
            Self::Peer => f.write_str("peer"),
            Self::Floor => f.write_str("floor"),
        }
    }
}

/// Where the servers are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) dunlin: PathBuf,
    pub(crate) dunlin_args: Vec<String>,
    pub(crate) peer: Option<PathBuf>,
    /// This program: it holds the floor.
    pub(crate) floor: PathBuf,
}

impl Programs {
    fn command(&self, kind: Kind, port: u16) -> Outcome<Command> {
        let port = port.to_string();
        let mut command = match kind {
            Kind::Dunlin { cores } => {
                let mut command = Command::new(&self.dunlin);
                command.args(["-a", "127.0.0.1", "-p", &port]);
                if !self.dunlin_args.iter().any(|arg| arg.trim_start_matches('-').starts_with("cores")) {
                    command.args(["--cores", &cores.to_string()]);
                }
                command.args(&self.dunlin_args);
                command
            }
            Kind::Peer => {
                let mut command = Command::new(self.peer.as_deref().ok_or(Trouble::Absent("peer"))?);
                command.args(["-a", "127.0.0.1", "-p", &port]);
                command
            }
            Kind::Floor => {
                let mut command = Command::new(&self.floor);
                command.args(["floor", "--port", &port]);
                command
            }
        };
        // The floor ends with its standard input; the others do not read it.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }
}

/// A configuration file for one start; its reader has read it when the server answers.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn write(text: &str) -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("dunlin-bench-{}.conf", std::process::id()));
        fs::write(&path, text).map_err(Trouble::io("writing a configuration file"))?;
        Ok(Self(path))
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _gone_before = fs::remove_file(&self.0);
    }
}

/// The one child that may be alive. Shared with the thread that waits for signals.
#[derive(Clone, Default)]
pub(crate) struct Nursery(Arc<Mutex<Option<Child>>>);

impl Nursery {
    /// Ends the child and this process when someone interrupts it.
    pub(crate) fn end_with_signals(&self) -> Outcome<()> {
        let nursery = self.clone();
        let mut signals =
            signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).map_err(Trouble::io("waiting for signals"))?;
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                nursery.end();
                std::process::exit(128 + signal);
            }
        });
        Ok(())
    }

    fn hold(&self, child: Child) {
        self.end();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    fn end(&self) {
        if let Some(mut child) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ended_before = child.kill();
            let _status = child.wait();
        }
    }

    fn has_ended(&self) -> bool {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => true,
        }
    }
}

/// A server that answers.
pub(crate) struct Running {
    nursery: Nursery,
    pid: u32,
    pub(crate) address: SocketAddr,
}

impl Running {
    /// With the text of a configuration file, where there is one.
    pub(crate) fn start(programs: &Programs, kind: Kind, config: Option<&str>, nursery: &Nursery) -> Outcome<Self> {
        let config = config.map(ConfigFile::write).transpose()?;
        let mut last = Trouble::Absent("server");
        for _ in 0..START_ATTEMPTS_MAX {
            let address = free_address()?;
            let mut command = programs.command(kind, address.port())?;
            if let Some(ConfigFile(path)) = &config {
                command.arg("-c").arg(path);
            }
            let child = command.spawn().map_err(Trouble::io("starting a server"))?;
            let pid = child.id();
            nursery.hold(child);
            let running = Self { nursery: nursery.clone(), pid, address };
            match running.wait_until_it_answers() {
                Ok(()) => return Ok(running),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    fn wait_until_it_answers(&self) -> Outcome<()> {
        let deadline = Instant::now() + START_TIME_MAX;
        loop {
            match client::connect(self.address) {
                Ok(_) => return Ok(()),
                Err(_) if self.nursery.has_ended() => return Err(Trouble::Ended),
                Err(trouble) if Instant::now() > deadline => return Err(trouble),
                Err(_) => std::thread::sleep(RETRY_EVERY),
            }
        }
    }

    /// User and system time of all threads, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Outcome<u64> {
        let tasks = format!("/proc/{}/task", self.pid);
        let mut total = 0;
        for task in fs::read_dir(&tasks).map_err(Trouble::io("reading the threads of a server"))?.flatten() {
            // A thread may have ended since it was listed.
            let Ok(line) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            total += line.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(total)
    }

    /// Resident bytes, exactly (the counter in `statm` lags behind by a batch a CPU).
    pub(crate) fn resident_bytes(&self) -> Outcome<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.pid);
        let text = fs::read_to_string(&path).map_err(Trouble::io("reading the memory of a server"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap_or_default();
        let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or(Trouble::Unreadable("smaps_rollup"))
    }

    /// What `work` took, of this server and of the clock.
    pub(crate) fn measure(&self, work: impl FnOnce() -> Outcome<()>) -> Outcome<Cost> {
        let own_cpu = own_cpu_ns();
        let cpu = self.cpu_ns()?;
        let start = Instant::now();
        let outcome = work();
        if self.nursery.has_ended() {
            return Err(Trouble::Ended);
        }
        outcome?;
        let wall = start.elapsed();
        std::thread::sleep(SETTLE_TIME);
        Ok(Cost { cpu_ns: self.cpu_ns()? - cpu, wall, generator_ns: own_cpu_ns().saturating_sub(own_cpu) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.nursery.end();
    }
}

/// The cost of a piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu_ns: u64,
    pub(crate) wall: Duration,
    /// The same of this process, in steps of 10 ms.
    pub(crate) generator_ns: u64,
}

/// `nats-server` where the variable or the search path says.
pub(crate) fn find_peer() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("NATS_SERVER") {
        return Some(path.into());
    }
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join("nats-server")).find(|path| Path::is_file(path))
}

fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Trouble::io("looking for a free port"))?;
    listener.local_addr().map_err(Trouble::io("looking for a free port"))
}

/// User and system time of this process, threads that have ended included.
fn own_cpu_ns() -> u64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks * 10_000_000 // Linux shows 100 ticks a second, whatever it runs with
}
