//! The server: starts the cores, orders what concerns all of them, waits for their end.
//!
//! - `banner`: what the log says at the start
//! - `reload`: another configuration for a server that runs; `reload_lines`: what the log says of it; `tls_files`: what TLS reads
//! - `process`: a server that is a process of its own: signals, files, exit code
//! - `supervisor`: what a service manager is told of it
//!
//! Several servers can live in one process: each has its own cores, keys and log, and none installs signal handlers.

mod banner;
pub mod process;
mod reload;
mod reload_lines;
mod supervisor;
mod tls_files;
mod verifiers;

use reload::Known;
pub use reload::ReloadError;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crate::auth::directory::{Directory, DirectoryError};
use crate::config::{AcceptMode, Config, UnixSocket};
use crate::fabric::mail::MAIN_BIT;
use crate::fabric::{Fabric, LinkSizes, mail::Mail};
use crate::identity::{self, Identity};
use crate::ids::CoreId;
use crate::limits;
use crate::log::{LogError, Logger};
use crate::monitor::{self, Monitor, MonitorError};
use crate::os::affinity::{self, Plan, PlanError, Seen};
use crate::os::listener::{self, Bound, ClientSocketOptions, ListenError, ListenOptions};
use crate::os::local_listener::{LocalListenError, LocalListener};
use crate::os::memory;
use crate::os::poll::{Kernel, Kernels};
use crate::os::run_files::{self, FileError};
use crate::protocol::handshake::ServerInfo;
use crate::reactor::Reactor;
use crate::reactor::access::Access;
use crate::reactor::settings::Settings;
use crate::reactor::shared::{Order, Shared};
use crate::reactor::snapshot::Cores;
use crate::reactor::stats::Stats;
use crate::tls::{TlsError, TlsSettings};

/// How long a stop may take: what is on its way is delivered, what a client does not take by then is lost.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// A running server.
///
/// ```
/// use dunlin::config::RawConfig;
/// use std::io::{BufRead, BufReader, Write};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let raw = RawConfig { port: Some((-1).into()), ..RawConfig::default() };
/// let (config, _warnings) = raw.resolve()?;
/// let server = dunlin::Server::start(config)?;
///
/// let mut client = std::net::TcpStream::connect(("127.0.0.1", server.address().port()))?;
/// client.write_all(b"CONNECT {\"verbose\":false}\r\nSUB greet 1\r\nPUB greet 5\r\nhello\r\n")?;
/// let lines: Vec<String> = BufReader::new(client).lines().take(3).collect::<Result<_, _>>()?;
/// assert!(lines[0].starts_with("INFO "));
/// assert_eq!(lines[1..], ["MSG greet 1 5", "hello"]);
///
/// server.stop();
/// server.join();
/// # Ok(())
/// # }
/// ```
pub struct Server {
    config: Arc<Mutex<Config>>,
    /// What the cores go by, and since when.
    settings: Arc<Mutex<(Arc<Settings>, SystemTime)>>,
    lame_duck: Arc<AtomicBool>,
    monitor: Mutex<Option<Monitor>>,
    address: SocketAddr,
    /// Where pages are served, and how.
    pages: Option<(&'static str, SocketAddr)>,
    identity: Identity,
    shared: Arc<Shared>,
    mails: Arc<[Mail]>,
    wakers: Arc<[mio::Waker]>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    verifiers: Mutex<Vec<JoinHandle<()>>>,
    known: Mutex<Known>,
    log: Logger,
}

/// What a server is to its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// One of its parts.
    Embedded,
    /// All that it is there for: it may have the CPUs, and tells scripts where it is.
    Process,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The log cannot be opened.
    Log(LogError),
    /// The pid file cannot be written.
    PidFile(FileError),
    /// TLS cannot be spoken as configured.
    Tls(TlsError),
    /// A chosen CPU is not there.
    Cores(PlanError),
    /// Pages cannot be served.
    Monitoring(MonitorError),
    /// The address cannot be listened on.
    Listen(ListenError),
    /// The Unix socket cannot be listened at.
    ListenLocally(LocalListenError),
    /// The users contradict themselves.
    Logins(DirectoryError),
    /// The kernel refuses a poll or a thread.
    Kernel(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::PidFile(error) => write!(f, "Could not write pidfile: {error}"),
            Self::Tls(error) => error.fmt(f),
            Self::Cores(error) => error.fmt(f),
            Self::Monitoring(error) => error.fmt(f),
            Self::Listen(error) => write!(f, "Error listening on port: {error}"),
            Self::ListenLocally(error) => write!(f, "Error listening on {error}"),
            Self::Logins(error) => error.fmt(f),
            Self::Kernel(error) => write!(f, "Error starting the cores: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Server {
    /// Starts the cores; when this returns, clients can connect. Its threads are not pinned to CPUs: those are the program's,
    /// which may hold other servers. It writes no pid file and no ports file.
    ///
    /// # Errors
    /// Where the log cannot be opened, a CPU is not there, the address is taken, or the kernel has no more threads.
    pub fn start(config: Config) -> Result<Self, StartError> {
        Self::start_as(Role::Embedded, config)
    }

    fn start_as(role: Role, config: Config) -> Result<Self, StartError> {
        let log = Logger::start(&config.logging).map_err(StartError::Log)?;
        match Self::start_with(role, config, log.clone()) {
            Ok(server) => Ok(server),
            Err(error) => {
                log.fatal(format_args!("{error}"));
                log.close();
                Err(error)
            }
        }
    }

    fn start_with(role: Role, config: Config, log: Logger) -> Result<Self, StartError> {
        let started = (Instant::now(), SystemTime::now());
        let identity = Identity::new();
        banner::say_who(&log, &config, &identity);
        if role == Role::Process
            && let Some(path) = &config.pid_file
        {
            run_files::write_pid_file(path).map_err(StartError::PidFile)?;
        }
        let fingerprint = tls_files::fingerprint(&config);
        let tls = load_tls(&config).map_err(StartError::Tls)?;
        let pin = config.cores.pin && role == Role::Process;
        let plan = affinity::plan(&config.cores.choice, pin, &Seen::look()).map_err(StartError::Cores)?;
        banner::say_cores(&log, &plan);
        let cores = plan.cpus.len();
        let pages =
            config.monitoring.listener.as_ref().map(monitor::bind).transpose().map_err(StartError::Monitoring)?;
        let scheme = if config.monitoring.listener.as_ref().is_some_and(|l| l.tls) { "https" } else { "http" };
        if let Some(pages) = &pages {
            banner::say_pages(&log, &config, pages.address);
        }
        let (address, listeners) = listen(&config, cores).map_err(StartError::Listen)?;
        banner::say_listening(&log, &config, address);
        let local = listen_locally(&config, &log).map_err(StartError::ListenLocally)?;

        let access = Access::new(&config.security, &[]).map_err(StartError::Logins)?;
        let introduction = introduce(&config, &identity, address, &access.directory);
        let settings = Arc::new(Settings { tls, ..Settings::new(&config, introduction, &access) });
        let shared = Arc::new(Shared::new(cores, give_memory_back().map_err(StartError::Kernel)?));
        let kernels = Kernels::new(cores).map_err(StartError::Kernel)?;
        let wakers = kernels.wakers();
        let kernels = kernels.into_each(config.cores.turn_events_max, listeners, local).map_err(StartError::Kernel)?;
        let parts = Fabric::mesh(cores, sizes(&config, cores));
        let mails = parts.first().map_or_else(|| Arc::from([]), |part| Arc::clone(&part.mails));
        shared.limit_failed_logins(config.security.failed_logins_per_minute_max);
        let server = Self {
            config: Arc::new(Mutex::new(config)),
            settings: Arc::new(Mutex::new((Arc::clone(&settings), started.1))),
            known: Mutex::new(Known { accounts: access.accounts, tls: fingerprint }),
            verifiers: Mutex::default(),
            lame_duck: Arc::default(),
            monitor: Mutex::default(),
            address,
            pages: pages.as_ref().map(|pages| (scheme, pages.address)),
            identity,
            shared,
            mails,
            wakers,
            threads: Mutex::default(),
            log,
        };
        server.start_verifiers(&server.config()).map_err(StartError::Kernel)?;
        // The kernel takes connections already; what is logged of them comes after this.
        server.log.info(format_args!("Server is ready"));
        for (part, kernel) in parts.into_iter().zip(kernels) {
            if let Err(error) = server.start_core(part, kernel, &settings, &plan) {
                server.stop();
                server.join();
                return Err(StartError::Kernel(error));
            }
        }
        if let Some(pages) = pages
            && let Err(error) = server.serve_pages(pages, &plan, started)
        {
            server.stop();
            server.join();
            return Err(StartError::Kernel(error));
        }
        Ok(server)
    }

    fn start_core(
        &self,
        part: Fabric<mio::net::TcpStream>,
        kernel: Kernel,
        settings: &Arc<Settings>,
        plan: &Plan,
    ) -> io::Result<()> {
        let (settings, shared, log) = (Arc::clone(settings), Arc::clone(&self.shared), self.log.clone());
        let core = part.this.index();
        let cpu = plan.cpus.get(core).copied().flatten();
        let seed = seed(&self.identity, core);
        let work = move || {
            if let Some(cpu) = cpu
                && !affinity::pin_current_thread(cpu)
            {
                log.warn(format_args!("Core {core} could not be pinned to CPU {cpu}"));
            }
            Reactor::<Kernel>::new(kernel, settings, shared, part, log, seed).run();
        };
        let thread = std::thread::Builder::new().name(format!("core-{core}")).spawn(work)?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    fn serve_pages(&self, pages: monitor::Bound, plan: &Plan, started: (Instant, SystemTime)) -> io::Result<()> {
        let view = monitor::View {
            server_id: self.id().to_owned(),
            client_address: self.address,
            page_address: pages.address,
            cores: Cores::new(Arc::clone(&self.shared), Arc::clone(&self.mails), Arc::clone(&self.wakers)),
            cpus: plan.cpus.clone(),
            config: Arc::clone(&self.config),
            settings: Arc::clone(&self.settings),
            started,
            lame_duck: Arc::clone(&self.lame_duck),
        };
        let monitor = Monitor::start(pages, view, self.log.clone())?;
        *self.monitor.lock().unwrap_or_else(PoisonError::into_inner) = Some(monitor);
        Ok(())
    }

    /// INFO under a configuration, without what differs by connection.
    fn introduction(&self, config: &Config, directory: &Directory) -> ServerInfo {
        introduce(config, &self.identity, self.address, directory)
    }

    /// Starts the threads that check passwords, where there are such passwords and no such threads yet.
    fn start_verifiers(&self, config: &Config) -> io::Result<()> {
        let mut verifiers = self.verifiers.lock().unwrap_or_else(PoisonError::into_inner);
        if verifiers.is_empty() && verifiers::are_needed(config) {
            *verifiers = verifiers::start(&self.shared, &self.mails, &self.wakers)?;
        }
        Ok(())
    }

    /// Where clients connect: with the port that the kernel chose where any was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where monitoring pages are served, if they are: the scheme and the address.
    pub fn page_address(&self) -> Option<(&'static str, SocketAddr)> {
        self.pages
    }

    /// The Unix socket at which clients of this host connect, if there is one.
    pub fn unix_socket(&self) -> Option<PathBuf> {
        self.config().unix_socket.map(|socket| socket.path)
    }

    /// What it goes by now.
    pub fn config(&self) -> Config {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server's public key.
    pub fn id(&self) -> &str {
        self.identity.server_id()
    }

    /// Where its lines go.
    pub fn log(&self) -> &Logger {
        &self.log
    }

    /// What its cores have counted, one after the other; empty where they have ended.
    pub fn stats(&self) -> Vec<Stats> {
        let (to, from) = std::sync::mpsc::channel();
        self.order_all(|| Order::Report(to.clone()));
        drop(to);
        from.iter().take(self.mails.len()).collect()
    }

    /// Lame duck mode: no new clients; those that are here are told, and after the grace period sent away one by one. When the
    /// last has gone the server ends ([`Self::join`] returns).
    pub fn lame_duck(&self) {
        self.lame_duck.store(true, Ordering::Release);
        self.log.info(format_args!("Entering lame duck mode, stop accepting new clients"));
        let timing = self.config().timing;
        let (grace, duration) = (timing.lame_duck_grace, timing.lame_duck_duration);
        self.order_all(|| Order::LameDuck { grace, duration });
    }

    /// Ends: what is on its way between cores and to clients is delivered, for two seconds at most.
    pub fn stop(&self) {
        self.order_all(|| Order::Stop { within: STOP_WITHIN });
    }

    /// Waits until all cores have ended.
    pub fn join(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                self.log.fatal(format_args!("A core has panicked"));
            }
        }
        self.shared.password_checks.end();
        for thread in std::mem::take(&mut *self.verifiers.lock().unwrap_or_else(PoisonError::into_inner)) {
            drop(thread.join()); // what it was checking, nobody waits for any more
        }
        drop(self.monitor.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn order_all(&self, mut order: impl FnMut() -> Order) {
        for (core, (mail, waker)) in self.mails.iter().zip(self.wakers.iter()).enumerate() {
            self.shared.order(CoreId::new(core), order());
            mail.post(MAIN_BIT);
            // An error means that the core's poll is gone: it has ended.
            drop(waker.wake());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.join();
        self.log.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Reads the files of the `tls` block, where there is one.
fn load_tls(config: &Config) -> Result<Option<Arc<TlsSettings>>, TlsError> {
    config.tls.as_ref().map(|tls| TlsSettings::load(tls).map(Arc::new)).transpose()
}

/// A thread that gives free memory back when it is told to; it ends when the last core does.
fn give_memory_back() -> io::Result<SyncSender<()>> {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let work = move || told.iter().for_each(|()| memory::return_unused());
    std::thread::Builder::new().name("memory".into()).spawn(work)?;
    Ok(tell)
}

/// Listens: on one socket of the first core, or on one of each core.
fn listen(config: &Config, cores: usize) -> Result<(SocketAddr, Vec<Option<std::net::TcpListener>>), ListenError> {
    let each = config.cores.accept == AcceptMode::ReusePort;
    let options = ListenOptions {
        backlog: config.cores.backlog,
        reuse_port: each,
        client: ClientSocketOptions {
            send_buffer_bytes: config.cores.send_buffer_bytes,
            receive_buffer_bytes: config.cores.receive_buffer_bytes,
        },
    };
    let Bound { listener, address } = listener::bind(&config.host, config.port, &options)?;
    let mut listeners = vec![Some(listener)];
    for _ in 1..if each { cores } else { 1 } {
        listeners.push(Some(listener::bind_again(address, &options)?.listener));
    }
    Ok((address, listeners))
}

/// Listens for clients of this host, where that is wanted.
fn listen_locally(config: &Config, log: &Logger) -> Result<Option<LocalListener>, LocalListenError> {
    let Some(UnixSocket { path, mode }) = &config.unix_socket else { return Ok(None) };
    let listener = LocalListener::bind(path, *mode, config.cores.backlog)?;
    banner::say_listening_locally(log, listener.path());
    Ok(Some(listener))
}

fn sizes(config: &Config, cores: usize) -> LinkSizes {
    let asked = LinkSizes {
        batch_ring_entries: limits::BATCH_RING_ENTRIES,
        interest_ring_entries: limits::INTEREST_RING_ENTRIES,
        link_bytes_max: config.cores.link_bytes_max,
    };
    asked.within(config.limits.pending_bytes_max, cores)
}

/// INFO, without what differs by connection.
fn introduce(config: &Config, identity: &Identity, address: SocketAddr, directory: &Directory) -> ServerInfo {
    let name = if config.server_name.is_empty() { identity.server_id() } else { &config.server_name };
    let (host, port) = banner::advertised(config, address);
    let tls = config.tls.as_ref();
    ServerInfo {
        server_id: identity.server_id().to_owned(),
        server_name: name.to_owned(),
        version: identity::PEER_VERSION.to_owned(),
        proto: 1,
        git_commit: identity::GIT_COMMIT.unwrap_or("dunlin").to_owned(),
        go: identity::BUILT_WITH.to_owned(),
        host,
        port,
        headers: config.headers,
        tls_required: tls.is_some_and(|tls| !tls.allow_plain),
        tls_verify: tls.is_some_and(|tls| tls.verify || tls.verify_and_map),
        tls_available: tls.is_some_and(|tls| tls.allow_plain),
        auth_required: directory.is_announced(),
        max_payload: config.limits.payload_bytes_max,
        api_lvl: 5,
        xkey: identity.xkey().to_owned(),
        ..ServerInfo::default()
    }
}

/// The seed of a core's choices and hashes: nobody outside can know it, as half of it comes from a fresh secret key.
fn seed(identity: &Identity, core: usize) -> u64 {
    let secret = identity.curve_key_pair().seed().unwrap_or_default();
    let tail = secret.as_bytes().rchunks(8).next().unwrap_or_default();
    let mixed = tail.iter().fold(core as u64, |seed, &byte| seed.rotate_left(8) ^ u64::from(byte));
    mixed ^ std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), core)
}
