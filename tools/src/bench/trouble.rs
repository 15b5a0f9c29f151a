//! What can go wrong in a benchmark, in the words that the user reads, and the exit code that follows.

use std::fmt;
use std::io;

/// Nothing was wrong.
pub(crate) const EXIT_OK: u8 = 0;
/// The measured server did not hold a threshold of `--fail-if`.
pub(crate) const EXIT_THRESHOLD: u8 = 1;
/// The command line, the login or the connection is at fault.
pub(crate) const EXIT_TROUBLE: u8 = 2;
/// Messages were lost, doubled, mixed up, damaged or shared unfairly.
pub(crate) const EXIT_LOST: u8 = 3;
/// Ended by Ctrl-C.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Flags or a file that make no sense; the text names the flag and the way out.
    Usage(String),
    /// No connection.
    Unreachable { address: String, source: io::Error },
    /// The server said `-ERR`.
    Refused(String),
    /// The server closed a connection.
    Closed,
    /// Bytes that are no NATS protocol.
    BadFrame(String),
    /// The server did not answer in time.
    Silent(&'static str),
    /// Nobody serves the subject of a request.
    NoResponders(String),
    /// The operating system failed.
    Io { what: &'static str, source: io::Error },
    /// TLS failed.
    Tls(String),
    /// A thread of this program panicked.
    Thread,
    /// Ctrl-C, at a place that has nothing to show.
    Interrupted,
}

/// The result of everything here.
pub(crate) type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    /// The exit code that says so.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted => EXIT_INTERRUPTED,
            _ => EXIT_TROUBLE,
        }
    }

    /// Wraps an error of the operating system.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Unreachable { address, source } => write!(f, "no connection to {address}: {source}"),
            Self::Refused(text) => write!(f, "the server refused: {text}"),
            Self::Closed => f.write_str("the server closed a connection"),
            Self::BadFrame(text) => write!(f, "the server sent what is no NATS protocol: {text:?}"),
            Self::Silent(what) => write!(f, "the server did not answer in time: {what}"),
            Self::NoResponders(subject) => {
                write!(f, "nobody serves '{subject}': start 'dunlinctl bench serve {subject}' or use --responders")
            }
            Self::Io { what, source } => write!(f, "{what}: {source}"),
            Self::Tls(text) => write!(f, "TLS: {text}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Thread => f.write_str("a thread of this program panicked"),
        }
    }
}

impl std::error::Error for Trouble {}
