//! A server under a service manager: what it is told, in which order, against a socket of the test's own.
//!
//! A core is made to be stuck from outside, by stopping its thread alone as a debugger does; where the kernel does not let
//! tests do that, the test says so and only the other half (`server::supervisor`'s own tests) holds it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram};
use std::sync::atomic::{AtomicU32, Ordering};

use kit::{Client, DEADLINE, Program, Server, Setup};
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use rustix::process::Signal;

/// The manager's side of the socket.
struct Manager {
    socket: UnixDatagram,
    /// As the environment names it.
    name: String,
}

impl Manager {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("dunlin-manager-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let address = UnixAddress::from_abstract_name(&name).expect("a short name");
        let socket = UnixDatagram::bind_addr(&address).expect("nobody else has it");
        socket.set_read_timeout(Some(DEADLINE)).expect("it can be set");
        Self { socket, name: format!("@{name}") }
    }

    fn setup(&self) -> Setup {
        Setup::new(&program(), 2).variable("NOTIFY_SOCKET", &self.name)
    }

    fn next(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("the server says something more");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next message that begins so; others than those of `between` may not come before it.
    fn expect(&self, begin: &str, between: &[&str]) -> String {
        loop {
            let text = self.next();
            if text.starts_with(begin) {
                return text;
            }
            assert!(between.iter().any(|allowed| text.starts_with(allowed)), "{text:?} before {begin:?}");
        }
    }

    /// How many messages that begin so have come by now; all that have come are taken.
    fn count(&self, begin: &str) -> usize {
        self.socket.set_nonblocking(true).expect("it can be");
        let mut buffer = [0; 4096];
        let mut count = 0;
        let end = loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => count += usize::from(buffer[..length].starts_with(begin.as_bytes())),
                Err(error) => break error,
            }
        };
        assert_eq!(end.kind(), ErrorKind::WouldBlock);
        self.socket.set_nonblocking(false).expect("it can be");
        count
    }
}

fn program() -> Program {
    Program::Dunlin(env!("CARGO_BIN_EXE_dunlin").into())
}

/// `Clients connect to 127.0.0.1:PORT, …`, out of a message.
fn address_in(message: &str) -> SocketAddr {
    let (_, rest) = message.split_once("STATUS=Clients connect to ").expect("a status");
    rest.split(',').next().and_then(|address| address.parse().ok()).expect("an address")
}

#[test]
fn it_is_ready_when_clients_can_connect() {
    let manager = Manager::new();
    // Started by a thread, since that waits for more than readiness.
    let setup = manager.setup().flag("-m").flag("-1");
    std::thread::scope(|scope| {
        let starting = scope.spawn(move || setup.start());
        let ready = manager.next();
        assert!(ready.starts_with("READY=1\nSTATUS=Clients connect to 127.0.0.1:"), "{ready:?}");
        assert!(ready.contains(", pages at http://127.0.0.1:"), "{ready:?}");
        // At once and on the first try: on each core, as connections are spread.
        let address = address_in(&ready);
        for _ in 0..4 {
            let mut client = Client::open(address).expect("it listens");
            client.hello("");
            client.ping();
        }
        let pages = ready.split("http://").nth(1).and_then(|rest| rest.split(',').next()).expect("an address");
        drop(TcpStream::connect(pages).expect("pages are served"));
        drop(starting.join().expect("it starts"));
    });
}

#[test]
fn a_reload_is_said_before_and_after_also_where_it_is_refused() {
    let manager = Manager::new();
    let file = std::env::temp_dir().join(format!("dunlin-notify-{}.conf", std::process::id()));
    let write = |text: &str| std::fs::write(&file, text).expect("the temporary folder can be written");
    write("ping_interval: 2m\n");
    let server = manager.setup().flag("-c").flag(file.to_str().expect("text")).start();
    manager.expect("READY=1\n", &[]);
    server.signal(Signal::HUP);
    let reloading = manager.expect("RELOADING=1\nMONOTONIC_USEC=", &["STATUS="]);
    let micros: u64 = reloading.rsplit('=').next().and_then(|text| text.parse().ok()).expect("a number");
    assert!(micros > 0);
    let ready = manager.expect("READY=1\n", &["STATUS="]);
    assert!(!ready.contains("refused"), "{ready:?}");
    // With a mistake.
    let mark = server.log().mark();
    write("ping_interval: [\n");
    server.signal(Signal::HUP);
    manager.expect("RELOADING=1\n", &["STATUS="]);
    let ready = manager.expect("READY=1\nSTATUS=", &["STATUS="]);
    assert!(ready.contains("; the last reload was refused: "), "{ready:?}");
    assert_eq!(ready.lines().count(), 2, "{ready:?}");
    let failed = |line: &str| line.contains("Failed to reload server configuration");
    assert!(server.log().find_after(mark, DEADLINE, failed).is_some());
    // Mended: the complaint goes.
    write("ping_interval: 3m\n");
    server.signal(Signal::HUP);
    manager.expect("RELOADING=1\n", &["STATUS="]);
    let ready = manager.expect("READY=1\nSTATUS=", &["STATUS="]);
    assert!(!ready.contains("refused"), "{ready:?}");
    std::fs::remove_file(&file).expect("it is ours");
}

#[test]
fn a_stop_is_said() {
    for signal in [Signal::TERM, Signal::INT] {
        let manager = Manager::new();
        let mut server = manager.setup().start();
        manager.expect("READY=1\n", &[]);
        server.signal(signal);
        let text = manager.expect("STOPPING=1\nEXTEND_TIMEOUT_USEC=", &["STATUS="]);
        assert!(text.contains("EXTEND_TIMEOUT_USEC=12000000\n"), "{text:?}");
        assert_eq!(server.wait_for_exit().and_then(|status| status.code()), Some(0));
        assert_eq!(manager.count("READY="), 0);
    }
}

#[test]
fn lame_duck_mode_asks_for_the_time_that_it_takes_and_stays_alive() {
    let manager = Manager::new();
    let config = "lame_duck_duration: \"30m\"\nlame_duck_grace_period: \"1m\"\n";
    let mut server = manager.setup().config(config).variable("WATCHDOG_USEC", "200000").start();
    manager.expect("READY=1\n", &[]);
    let client = server.client();
    server.signal(Signal::USR2);
    let text = manager.expect("STOPPING=1\n", &["STATUS=", "WATCHDOG=1"]);
    let seconds = 31 * 60 + 12;
    assert!(text.contains(&format!("EXTEND_TIMEOUT_USEC={}000000\n", seconds)), "{text:?}");
    assert!(text.ends_with("1 connections left"), "{text:?}");
    // A manager that waits for half an hour must see that there is something to wait for.
    manager.expect("WATCHDOG=1", &["STATUS="]);
    manager.expect("WATCHDOG=1", &["STATUS="]);
    // The last client has gone, so the server goes.
    drop(client);
    assert_eq!(server.wait_for_exit().and_then(|status| status.code()), Some(0));
}

#[test]
fn the_watchdog_is_for_the_process_that_is_meant() {
    let manager = Manager::new();
    let mut server = manager.setup().variable("WATCHDOG_USEC", "10000").variable("WATCHDOG_PID", "1").start();
    manager.expect("READY=1\n", &[]);
    server.signal(Signal::TERM);
    manager.expect("STOPPING=1\n", &["STATUS="]);
    assert!(server.wait_for_exit().is_some());
    assert_eq!(manager.count("WATCHDOG="), 0);
}

#[test]
fn a_manager_that_cannot_be_told_is_a_line_in_the_log() {
    let nowhere = std::env::temp_dir().join(format!("dunlin-nobody-{}", std::process::id()));
    let rows = [
        ("NOTIFY_SOCKET", nowhere.to_str().expect("text"), "The service manager was not told how this server is: "),
        ("NOTIFY_SOCKET", "vsock:2:3", "cannot be told how this server is: NOTIFY_SOCKET is \"vsock:2:3\""),
    ];
    for (name, value, wanted) in rows {
        let server = Setup::new(&program(), 1).variable(name, value).start();
        assert!(server.log().find(DEADLINE, |line| line.contains(wanted)).is_some(), "{}", server.log().tail());
        server.client().ping();
    }
}

/// One thread of another process, stopped as long as this value lives. Only the thread that has stopped it may let it go on.
struct Stopped(Pid);

impl Stopped {
    /// `None` where the kernel forbids it.
    fn thread(server: &Server, name: &str) -> Option<Self> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).expect("the server runs");
        let is_it = |entry: &std::fs::DirEntry| {
            std::fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        let task = tasks.flatten().find(is_it).expect("each core has a thread");
        let thread = Pid::from_raw(task.file_name().to_string_lossy().parse().expect("a number"));
        if let Err(error) = ptrace::seize(thread, ptrace::Options::empty()) {
            eprintln!("SKIPPED: no thread can be stopped here: {error}");
            return None;
        }
        ptrace::interrupt(thread).expect("it is ours");
        waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it stops");
        Some(Self(thread))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        ptrace::detach(self.0, None).expect("it goes on");
    }
}

#[test]
fn a_core_that_is_stuck_is_not_alive() {
    let manager = Manager::new();
    let server = manager.setup().variable("WATCHDOG_USEC", "100000").start();
    manager.expect("READY=1\n", &[]);
    for core in ["core-0", "core-1"] {
        manager.expect("WATCHDOG=1", &["STATUS="]);
        manager.expect("WATCHDOG=1", &["STATUS="]);
        let mark = server.log().mark();
        let Some(stopped) = Stopped::thread(&server, core) else { return };
        manager.count("");
        let wanted = format!("Core {} has not turned for ", &core[core.len() - 1..]);
        assert!(
            server.log().find_after(mark, DEADLINE, |line| line.contains(&wanted)).is_some(),
            "{}",
            server.log().tail()
        );
        // One may have been on its way when the core stopped.
        assert!(manager.count("WATCHDOG=1") <= 1);
        drop(stopped);
        manager.expect("WATCHDOG=1", &["STATUS="]);
        let again = |line: &str| line.contains("All cores turn again");
        assert!(server.log().find_after(mark, DEADLINE, again).is_some());
    }
    server.client().ping();
}
