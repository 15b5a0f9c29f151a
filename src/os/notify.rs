//! What a service manager is told: ready, reloading, stopping, alive (`NOTIFY_SOCKET` of systemd; containers have the same).
//!
//! Owns the words of the protocol and the socket: a datagram for each message. It decides nothing: `server::supervisor` knows when
//! something is so. Must not wait: a manager that takes nothing for `SEND_WITHIN` misses a message.
//! The variables stay in the environment, since taking them out is unsound beside other threads; no other program is ever
//! started from here that could use them.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long a full socket of the manager is waited for.
const SEND_WITHIN: Duration = Duration::from_secs(1);
/// Characters of a status line; what is beyond is cut off.
const STATUS_CHARS_MAX: usize = 400;

/// A service manager that wants to be told.
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    to: SocketAddr,
    watchdog: Option<Duration>,
}

/// Why a service manager cannot be told.
#[derive(Debug)]
pub enum NotifyError {
    /// `NOTIFY_SOCKET` is neither a path nor a name that begins with `@`.
    Address(OsString),
    /// `WATCHDOG_USEC` or `WATCHDOG_PID` is no number above 0.
    Number(&'static str, OsString),
    /// The kernel gives no socket, or the path is too long.
    Kernel(io::Error),
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) => write!(f, "NOTIFY_SOCKET is {text:?}, which is neither a path nor begins with @"),
            Self::Number(name, text) => write!(f, "{name} is {text:?}, which is no number above 0"),
            Self::Kernel(error) => write!(f, "no socket for NOTIFY_SOCKET: {error}"),
        }
    }
}

impl std::error::Error for NotifyError {}

/// What the environment says.
#[derive(Debug, Default)]
struct Variables {
    socket: Option<OsString>,
    watchdog_usec: Option<OsString>,
    watchdog_pid: Option<OsString>,
}

impl Notifier {
    /// Whoever the environment names; nobody where it does not.
    ///
    /// # Errors
    /// Where it names somebody who cannot be told.
    pub fn from_environment() -> Result<Option<Self>, NotifyError> {
        let variables = Variables {
            socket: std::env::var_os("NOTIFY_SOCKET"),
            watchdog_usec: std::env::var_os("WATCHDOG_USEC"),
            watchdog_pid: std::env::var_os("WATCHDOG_PID"),
        };
        Self::from_variables(variables, std::process::id())
    }

    fn from_variables(variables: Variables, own_pid: u32) -> Result<Option<Self>, NotifyError> {
        let Some(name) = variables.socket.filter(|name| !name.is_empty()) else { return Ok(None) };
        let to = match name.as_bytes() {
            [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
            [b'/', ..] => SocketAddr::from_pathname(&name),
            _ => return Err(NotifyError::Address(name)),
        };
        let to = to.map_err(NotifyError::Kernel)?;
        let watchdog = number("WATCHDOG_USEC", variables.watchdog_usec.as_deref())?.map(Duration::from_micros);
        let meant = number("WATCHDOG_PID", variables.watchdog_pid.as_deref())?;
        let is_for_us = meant.is_none_or(|pid| pid == u64::from(own_pid));
        Self::new(to, watchdog.filter(|_| is_for_us)).map(Some).map_err(NotifyError::Kernel)
    }

    /// Whoever listens there; `watchdog`: within which time [`Self::alive`] must be said again and again.
    ///
    /// # Errors
    /// Where the kernel has no socket for it.
    pub fn new(to: SocketAddr, watchdog: Option<Duration>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(SEND_WITHIN))?;
        Ok(Self { socket, to, watchdog })
    }

    /// Within which time [`Self::alive`] must be said again and again, if it must.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// It serves: after the start, and after each [`Self::reloading`].
    pub fn ready(&self, status: &str) -> io::Result<()> {
        self.send(&format!("READY=1\n{}", status_line(status)))
    }

    /// It takes another configuration; [`Self::ready`] follows, whether it could or not.
    pub fn reloading(&self) -> io::Result<()> {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"))
    }

    /// It ends, and that may take so long.
    pub fn stopping(&self, within: Duration, status: &str) -> io::Result<()> {
        self.send(&format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\n{}", within.as_micros(), status_line(status)))
    }

    /// It is alive.
    pub fn alive(&self) -> io::Result<()> {
        self.send("WATCHDOG=1")
    }

    /// How it is, for people.
    pub fn status(&self, status: &str) -> io::Result<()> {
        self.send(&status_line(status))
    }

    fn send(&self, message: &str) -> io::Result<()> {
        self.socket.send_to_addr(message.as_bytes(), &self.to).map(drop)
    }
}

fn number(name: &'static str, text: Option<&OsStr>) -> Result<Option<u64>, NotifyError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = text.to_str().and_then(|text| text.parse().ok()).filter(|&number| number > 0);
    read.map(Some).ok_or_else(|| NotifyError::Number(name, text.to_owned()))
}

/// One line, whatever is in the text: a line end would begin another message.
fn status_line(status: &str) -> String {
    let mut line = String::from("STATUS=");
    line.extend(status.chars().map(|c| if c.is_control() { ' ' } else { c }).take(STATUS_CHARS_MAX));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(socket: &str, usec: Option<&str>, pid: Option<&str>) -> Variables {
        Variables {
            socket: Some(socket.into()),
            watchdog_usec: usec.map(Into::into),
            watchdog_pid: pid.map(Into::into),
        }
    }

    /// The manager's side, by a name of the kernel's choice that needs no file.
    fn manager() -> (UnixDatagram, String) {
        let name = format!("dunlin-notify-{}-{:?}", std::process::id(), std::thread::current().id());
        let address = SocketAddr::from_abstract_name(&name).expect("a short name");
        (UnixDatagram::bind_addr(&address).expect("nobody else has it"), format!("@{name}"))
    }

    fn received(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).expect("a datagram");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn nobody_is_told_where_nobody_asks() {
        assert!(Notifier::from_variables(Variables::default(), 1).expect("that is fine").is_none());
        assert!(Notifier::from_variables(variables("", Some("5"), None), 1).expect("that is fine").is_none());
    }

    #[test]
    fn the_watchdog_is_for_the_process_that_is_meant() {
        let of = |usec, pid| {
            let found = Notifier::from_variables(variables("@x", usec, pid), 7);
            found.map(|notifier| notifier.expect("a socket is named").watchdog())
        };
        let five = Some(Duration::from_micros(5));
        assert_eq!(of(None, None).ok(), Some(None));
        assert_eq!(of(Some("5"), None).ok(), Some(five));
        assert_eq!(of(Some("5"), Some("7")).ok(), Some(five));
        assert_eq!(of(Some("5"), Some("8")).ok(), Some(None));
        for (usec, pid) in [("0", "7"), ("-1", "7"), ("1s", "7"), ("5", "me")] {
            assert!(matches!(of(Some(usec), Some(pid)), Err(NotifyError::Number(..))), "{usec} {pid}");
        }
    }

    #[test]
    fn other_addresses_are_refused_by_their_name() {
        for name in ["vsock:2:1234", "relative/path"] {
            let error = Notifier::from_variables(variables(name, None, None), 1).expect_err("no such address");
            assert!(error.to_string().contains(name), "{error}");
        }
        let long = format!("/{}", "x".repeat(200));
        let error =
            Notifier::from_variables(variables(&long, None, None), 1).expect_err("longer than an address may be");
        assert!(matches!(error, NotifyError::Kernel(_)));
    }

    #[test]
    fn each_message_has_its_words() {
        let (manager, name) = manager();
        let notifier = Notifier::from_variables(variables(&name, None, None), 1).expect("a name").expect("somebody");
        notifier.ready("on 4222").expect("it is there");
        assert_eq!(received(&manager), "READY=1\nSTATUS=on 4222");
        notifier.stopping(Duration::from_millis(1500), "going").expect("it is there");
        assert_eq!(received(&manager), "STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000\nSTATUS=going");
        notifier.alive().expect("it is there");
        assert_eq!(received(&manager), "WATCHDOG=1");
        notifier.status("a\nREADY=1\r\tb").expect("it is there");
        assert_eq!(received(&manager), "STATUS=a READY=1  b");
        notifier.status(&"é".repeat(5000)).expect("it is there");
        assert_eq!(received(&manager).chars().count(), "STATUS=".len() + STATUS_CHARS_MAX);
        notifier.reloading().expect("it is there");
        let text = received(&manager);
        let micros = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("both");
        assert!(micros.parse::<u64>().is_ok_and(|micros| micros > 0), "{text}");
        drop(manager);
        assert!(notifier.alive().is_err(), "nobody listens");
    }

    #[test]
    fn a_path_is_an_address_too() {
        let path = std::env::temp_dir().join(format!("dunlin-notify-{}.sock", std::process::id()));
        let manager = UnixDatagram::bind(&path).expect("a fresh name");
        let named = variables(path.to_str().expect("text"), None, None);
        let told = Notifier::from_variables(named, 1).map(|notifier| notifier.expect("somebody").alive());
        std::fs::remove_file(&path).expect("it is ours");
        assert!(matches!(told, Ok(Ok(()))), "{told:?}");
        assert_eq!(received(&manager), "WATCHDOG=1");
    }
}
