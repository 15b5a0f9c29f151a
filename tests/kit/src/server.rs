//! A server program under test: started on a free port, ended when the value goes.
//!
//! Owns the process, its directory and its log. Ends only the process that it has started itself.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Client, DEADLINE, Log, until};

/// Which program is started.
#[derive(Clone, Debug)]
pub enum Program {
    /// Dunlin: understands `--cores`.
    Dunlin(PathBuf),
    /// nats-server, to learn whether an expectation is right.
    Peer(PathBuf),
}

impl Program {
    /// The binary that cargo has built, or what `SERVER_UNDER_TEST` names instead (a name with `nats-server` in it is the peer).
    pub fn under_test(built: &str) -> Self {
        let Some(path) = std::env::var_os("SERVER_UNDER_TEST").map(PathBuf::from) else {
            return Self::Dunlin(PathBuf::from(built));
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.contains("nats-server") { Self::Peer(path) } else { Self::Dunlin(path) }
    }

    /// The executable file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Dunlin(path) | Self::Peer(path) => path,
        }
    }

    /// Flags of this program alone are left out for the peer.
    pub fn is_dunlin(&self) -> bool {
        matches!(self, Self::Dunlin(_))
    }
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Setup {
    program: Program,
    flags: Vec<OsString>,
    config: Option<String>,
    open_files_max: Option<u32>,
    log_file: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
}

impl Setup {
    /// Loopback, any free port, so many cores (which the peer is not told).
    pub fn new(program: &Program, cores: usize) -> Self {
        let mut setup = Self {
            program: program.clone(),
            flags: Vec::new(),
            config: None,
            open_files_max: None,
            log_file: None,
            variables: Vec::new(),
        };
        if program.is_dunlin() {
            setup.flags = vec!["--cores".into(), cores.to_string().into()];
        }
        setup
    }

    /// One more flag, or a flag's value.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// The text of the configuration file.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.config = Some(text.into());
        self
    }

    /// The server may have so many files open (soft and hard).
    #[must_use]
    pub fn open_files_max(mut self, count: u32) -> Self {
        self.open_files_max = Some(count);
        self
    }

    /// The log goes to this file and not to standard error.
    #[must_use]
    pub fn log_file(mut self, path: &Path) -> Self {
        self.log_file = Some(path.into());
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Starts the server and waits until it accepts connections.
    pub fn start(&self) -> Server {
        let directory = fresh_directory();
        let mut command = self.command();
        command.args(["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir"]).arg(&directory).args(&self.flags);
        if let Some(text) = &self.config {
            let file = directory.join("server.conf");
            std::fs::write(&file, text).expect("the directory is ours");
            command.arg("-c").arg(file);
        }
        if let Some(file) = &self.log_file {
            command.arg("-l").arg(file);
        }
        let mut child = command
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.program.path().display()));
        let log = Log::follow(child.stderr.take().expect("standard error is a pipe"));
        let mut server = Server { child, log, directory, address: ([127, 0, 0, 1], 0).into(), stopped: None };
        server.address = server.wait_for_address();
        server
    }

    fn command(&self) -> Command {
        let Some(count) = self.open_files_max else {
            return Command::new(self.program.path());
        };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -n {count} && exec \"$0\" \"$@\"")).arg(self.program.path());
        shell
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: Log,
    directory: PathBuf,
    address: SocketAddr,
    stopped: Option<ExitStatus>,
}

impl Server {
    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where monitoring pages are served, where `-m` or the file asks for them.
    pub fn page_address(&self) -> SocketAddr {
        let of = |scheme| self.url_in_ports_file("monitoring", scheme);
        let address = of("http://").or_else(|| of("https://"));
        address.unwrap_or_else(|| panic!("the ports file names no pages:\n{}", self.log.tail()))
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard error.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// A connection that has read INFO and has not yet said CONNECT.
    pub fn open(&self) -> Client {
        Client::open(self.address).unwrap_or_else(|error| panic!("no INFO: {error}\n{}", self.log.tail()))
    }

    /// A quiet client: headers and no_responders on, verbose and pedantic off.
    pub fn client(&self) -> Client {
        let mut client = self.open();
        client.hello("");
        client
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.raw_pid(), signal).expect("the server is our child");
    }

    /// Writes the configuration file anew, for the next reload.
    pub fn write_config(&self, text: &str) {
        std::fs::write(self.directory.join("server.conf"), text).expect("the directory is ours");
    }

    /// Still there?
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end of the process.
    pub fn wait_for_exit(&mut self) -> Option<ExitStatus> {
        let child = &mut self.child;
        let mut status = None;
        until(DEADLINE, || {
            status = child.try_wait().ok().flatten();
            status.is_some()
        });
        self.stopped = status;
        status
    }

    fn raw_pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn wait_for_address(&mut self) -> SocketAddr {
        let mut found = None;
        until(DEADLINE, || {
            found = self.address_in_ports_file();
            found.is_some() || !self.is_running()
        });
        found.unwrap_or_else(|| panic!("the server did not start:\n{}", self.log.tail()))
    }

    fn address_in_ports_file(&self) -> Option<SocketAddr> {
        self.url_in_ports_file("nats", "nats://")
    }

    fn url_in_ports_file(&self, kind: &str, scheme: &str) -> Option<SocketAddr> {
        let entries = std::fs::read_dir(&self.directory).ok()?;
        let file =
            entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "ports"))?;
        let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        let url = ports.get(kind)?.get(0)?.as_str()?;
        url.strip_prefix(scheme)?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.stopped.is_none() {
            // An error means that it has ended already, which is what we want.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn fresh_directory() -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("dunlin-test-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).expect("the temporary directory can be written");
    path
}
