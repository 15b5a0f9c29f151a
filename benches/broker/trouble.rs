//! What can go wrong in a run: the exit code is not 0 and the report says which row it was.

use std::fmt;
use std::io;

/// Shorthand of this program.
pub(crate) type Outcome<T> = Result<T, Trouble>;

/// Why a row has no figure.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io {
        what: &'static str,
        source: io::Error,
    },
    /// Messages were lost, doubled or not meant for who got them.
    Miscount {
        expected: u64,
        received: u64,
    },
    /// Not the bytes that were expected.
    BadFrame(String),
    /// The server's `-ERR`.
    Refused(String),
    TimedOut {
        expected: u64,
        received: u64,
    },
    /// A subscriber that does not read is still there.
    NotClosed,
    /// The server is not alive any more.
    Ended,
    /// The program of this server was not found.
    Absent(&'static str),
    /// A file of `/proc` is not as this program knows it.
    Unreadable(&'static str),
}

impl Trouble {
    /// For `map_err`.
    pub(crate) fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, source } => write!(f, "{what}: {source}"),
            Self::Miscount { expected, received } => {
                write!(f, "WRONG COUNT: {received} messages instead of {expected}")
            }
            Self::BadFrame(bytes) => write!(f, "WRONG BYTES: {bytes}"),
            Self::Refused(line) => write!(f, "the server answered {line}"),
            Self::TimedOut { expected, received } => {
                write!(f, "timed out with {received} of {expected} messages")
            }
            Self::NotClosed => f.write_str("a subscriber that does not read was not closed"),
            Self::Ended => f.write_str("the server has ended by itself"),
            Self::Absent(name) => write!(f, "no {name} to run"),
            Self::Unreadable(file) => write!(f, "cannot make sense of /proc/PID/{file}"),
        }
    }
}
