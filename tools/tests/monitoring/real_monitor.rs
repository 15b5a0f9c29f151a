//! Real servers with a monitoring port, as far as there are any.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use kit::{DEADLINE, Log, Program, Server, Setup};

/// A server and its monitoring port.
pub(crate) struct Monitored {
    pub(crate) name: &'static str,
    pub(crate) server: Server,
    pub(crate) monitor: SocketAddr,
    pub(crate) is_dunlin: bool,
}

/// The peer where `$NATS_SERVER` or the search path names one, and Dunlin where it has monitoring.
pub(crate) fn servers() -> Vec<Monitored> {
    let mut servers = Vec::new();
    match peer() {
        Some(program) => servers.push(start("nats-server", &program)),
        None => eprintln!("there is no nats-server: it is not looked at"),
    }
    match dunlin_with_monitoring() {
        Some(program) => servers.push(start("dunlin", &program)),
        None => eprintln!("there is no dunlin with monitoring: it is not looked at"),
    }
    servers
}

fn start(name: &'static str, program: &Program) -> Monitored {
    let server = Setup::new(program, 2).flag("-m").flag("-1").start();
    let line = server.log().find(DEADLINE, |line| line.contains("Starting http monitor on "));
    let line = line.unwrap_or_else(|| panic!("{name}: no monitoring port:\n{}", server.log().tail()));
    let monitor = line.rsplit(' ').next().and_then(|address| address.trim().parse().ok());
    Monitored { name, server, monitor: monitor.expect("an address"), is_dunlin: program.is_dunlin() }
}

/// `nats-server` where `$NATS_SERVER` or the search path says.
pub(crate) fn peer() -> Option<Program> {
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let on_path = || {
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).map(|folder| folder.join("nats-server")).find(|path| path.is_file())
    };
    named.or_else(on_path).map(Program::Peer)
}

/// The server of this repository, built beside the tool, or else here.
pub(crate) fn dunlin() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let tool = Path::new(env!("CARGO_BIN_EXE_dunlinctl"));
        let path = tool.with_file_name("dunlin");
        if !path.exists() {
            let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
            let is_release = tool.parent().is_some_and(|folder| folder.ends_with("release"));
            let profile = if is_release { "release" } else { "dev" };
            let words = ["build", "--bin", "dunlin", "--profile", profile, "--manifest-path", manifest];
            let built = Command::new(env!("CARGO")).args(words).status();
            assert!(built.is_ok_and(|status| status.success()), "dunlin does not build");
        }
        path
    });
    path.clone()
}

/// Dunlin, where it does not refuse to be watched.
fn dunlin_with_monitoring() -> Option<Program> {
    let path = dunlin();
    let mut command = Command::new(&path);
    command.args(["-a", "127.0.0.1", "-p", "-1", "-m", "-1"]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it is built");
    let log = Log::follow(child.stderr.take().expect("standard error is a pipe"));
    let line = log.find(DEADLINE, |line| line.contains("Starting http monitor on "));
    // An error means that it has ended already.
    let _ended = child.kill();
    let _status = child.wait();
    line.is_some().then_some(Program::Dunlin(path))
}
