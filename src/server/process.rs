//! A server that is a process of its own: signals, pid file, ports file, exit code.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::supervisor::Supervisor;
use super::{Role, Server};
use crate::cli::{self, Start};
use crate::config::{Config, RawConfig, Warning};
use crate::log::Logger;
use crate::os::argv::HideError;
use crate::os::core_dumps;
use crate::os::memory;
use crate::os::open_files;
use crate::os::run_files::{self, FileError, PortsFile};
use crate::os::signal::{Signal, Signals};

/// The peer's runtime ends a process that gets SIGQUIT at once with this code.
const QUIT_CODE: u8 = 2;

/// Runs a server until a signal or lame duck mode ends it. `hidden`: whether the secrets of the command line could be hidden.
pub fn run(start: Start, hidden: Result<(), HideError>) -> ExitCode {
    memory::bound_what_is_kept();
    // Handlers first: a signal that comes while we start must not be lost.
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("nats-server: signal handlers cannot be installed: {error}");
            return ExitCode::FAILURE;
        }
    };
    let raised = open_files::raise_limit();
    let forbidden = forbid_core_dumps(&start.config);
    let server = match Server::start_as(Role::Process, start.config) {
        Ok(server) => Arc::new(server),
        Err(super::StartError::Log(error)) => {
            eprintln!("nats-server: {error}");
            return ExitCode::FAILURE;
        }
        Err(_) => return ExitCode::FAILURE, // said in the log
    };
    let log = server.log().clone();
    for warning in &start.warnings {
        if let Warning::Notice(text) = warning {
            log.warn(format_args!("{text}"));
        }
    }
    if let Err(error) = hidden {
        log.warn(format_args!(
            "Everyone on this machine can see the secrets of the command line ({error}): give their place as @FILE or $VARIABLE"
        ));
    }
    warn_of_core_dumps(&log, forbidden);
    if let Err(error) = raised {
        log.warn(format_args!("The limit of open files could not be raised: {error}"));
    }
    let mut ports = write_ports_file(&server);
    let supervisor = Supervisor::start(&server);

    // Lame duck mode ends the cores without a signal.
    let closer = signals.closer();
    let waiting = Arc::clone(&server);
    let ended = std::thread::Builder::new().name("end".into()).spawn(move || {
        waiting.join();
        closer.close();
    });
    let code = obey(&server, &start.flags, &mut signals, &mut ports, &supervisor);
    if code == ExitCode::SUCCESS {
        log.info(format_args!("Initiating Shutdown..."));
        supervisor.stop(&server);
        server.stop();
        match ended {
            Ok(thread) => drop(thread.join()),
            Err(_) => server.join(),
        }
        remove_ports_file(ports, &log);
        log.info(format_args!("Server Exiting.."));
    }
    log.close();
    code
}

/// No memory image, where the configuration says so.
fn forbid_core_dumps(config: &Config) -> io::Result<()> {
    if config.core_dump { Ok(()) } else { core_dumps::forbid() }
}

fn warn_of_core_dumps(log: &Logger, forbidden: io::Result<()>) {
    if let Err(error) = forbidden {
        log.warn(format_args!("A crash would leave secrets in a core dump, which could not be switched off: {error}"));
    }
}

fn write_ports_file(server: &Server) -> Option<PortsFile> {
    let folder = server.config().ports_file_dir?;
    let written = PortsFile::write(&folder, server.address(), server.page_address(), server.unix_socket().as_deref());
    // The server is as good without this file, and the peer starts too.
    let say = |error: &FileError| {
        server.log().error(format_args!("Error writing ports file ({}): {error}", error.path().display()));
    };
    written.inspect_err(say).ok()
}

fn remove_ports_file(ports: Option<PortsFile>, log: &Logger) {
    let Some(ports) = ports else { return };
    let path = ports.path().display().to_string();
    if let Err(error) = ports.remove() {
        log.error(format_args!("Error cleaning up ports file {path}: {error}"));
    }
}

/// Does what signals say until one of them, or the end of the cores, ends the process.
fn obey(
    server: &Server,
    flags: &RawConfig,
    signals: &mut Signals,
    ports: &mut Option<PortsFile>,
    supervisor: &Supervisor,
) -> ExitCode {
    let log = server.log();
    let lame_duck = AtomicBool::new(false);
    while let Some(signal) = signals.wait() {
        if signal == Signal::Quit {
            return ExitCode::from(QUIT_CODE);
        }
        log.info(format_args!("Trapped \"{signal}\" signal"));
        match signal {
            Signal::Interrupt | Signal::Quit => return ExitCode::SUCCESS,
            Signal::Terminate if lame_duck.load(Ordering::Relaxed) => {}
            Signal::Terminate => return ExitCode::SUCCESS,
            Signal::Hangup => {
                supervisor.reloading();
                let refused = reload(server, flags, ports).err().map(|lines| {
                    lines.iter().for_each(|line| log.error(format_args!("{line}")));
                    lines.join(" ")
                });
                supervisor.reloaded(server, refused);
            }
            Signal::User1 => log.reopen(),
            Signal::User2 => {
                if !lame_duck.swap(true, Ordering::Relaxed) {
                    supervisor.lame_duck(server);
                    server.lame_duck();
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// Reads the file again, under the same flags, which win again. Where that fails nothing has changed: what the log is to say.
fn reload(server: &Server, flags: &RawConfig, ports: &mut Option<PortsFile>) -> Result<(), Vec<String>> {
    let failed = |text: &str| format!("Failed to reload server configuration: {text}");
    let before = server.config();
    let Some(source) = &before.source else {
        return Err(vec![failed("can only reload config when a file is provided using -c or --config")]);
    };
    let flags = cli::named_again(flags).map_err(|text| vec![failed(&text)])?;
    let (config, warnings) = cli::configuration(Some(source), &flags).map_err(|error| {
        let text = error.to_string();
        let text = text.strip_prefix("nats-server: ").unwrap_or(&text).trim_end();
        // All that is wrong with the file, a line each.
        failed(text).lines().map(str::to_owned).collect::<Vec<_>>()
    })?;
    server
        .reload(config)
        .map_err(|error| std::iter::once(failed(&error.to_string())).chain(error.reasons()).collect::<Vec<_>>())?;
    let (log, now) = (server.log(), server.config());
    // Once off they stay off: what was secret is still in memory.
    warn_of_core_dumps(log, forbid_core_dumps(&now));
    if now.core_dump && !before.core_dump {
        log.info(format_args!("Core dumps stay off until the server is started again"));
    }
    for warning in &warnings {
        log.warn(format_args!("{warning}"));
    }
    if let Some(path) = now.pid_file.as_ref().filter(|_| now.pid_file != before.pid_file)
        && let Err(error) = run_files::write_pid_file(path)
    {
        log.error(format_args!("Could not write pidfile: {error}"));
    }
    if now.ports_file_dir != before.ports_file_dir {
        remove_ports_file(ports.take(), log);
        *ports = write_ports_file(server);
    }
    log.info(format_args!("Reloaded server configuration ({})", now.digest.as_deref().unwrap_or_default()));
    Ok(())
}
