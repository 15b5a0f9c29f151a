//! Signals as an enum, waited for by one thread.
//!
//! Owns the handlers, which only write to a pipe. Decides nothing: the server maps signals to what it does. A program that
//! embeds a server installs none: its signals are its own.
//! Invariant: after [`Closer::close`], [`Signals::wait`] returns `None`, now and in future.

use std::fmt;
use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::{Handle, Signals as Waiting};

/// A signal that the server acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: shut down, exit code 0; ignored while lame duck mode runs.
    Terminate,
    /// SIGINT: shut down, exit code 0.
    Interrupt,
    /// SIGQUIT: the peer's runtime ends the process at once with exit code 2.
    Quit,
    /// SIGHUP: reload the configuration.
    Hangup,
    /// SIGUSR1: open the log file anew.
    User1,
    /// SIGUSR2: lame duck mode.
    User2,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Terminate, Self::Interrupt, Self::Quit, Self::Hangup, Self::User1, Self::User2];

    const fn number(self) -> i32 {
        match self {
            Self::Terminate => SIGTERM,
            Self::Interrupt => SIGINT,
            Self::Quit => SIGQUIT,
            Self::Hangup => SIGHUP,
            Self::User1 => SIGUSR1,
            Self::User2 => SIGUSR2,
        }
    }
}

/// The name as in the peer's line `Trapped "terminated" signal`.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "terminated",
            Self::Interrupt => "interrupt",
            Self::Quit => "quit",
            Self::Hangup => "hangup",
            Self::User1 => "user defined signal 1",
            Self::User2 => "user defined signal 2",
        })
    }
}

/// Catches signals from when it is made; without it each has the kernel's default effect.
#[derive(Debug)]
pub struct Signals {
    waiting: Waiting,
}

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Closer {
    handle: Handle,
}

impl Signals {
    /// Installs handlers for [`Signal::ALL`].
    pub fn install() -> io::Result<Self> {
        let waiting = Waiting::new(Signal::ALL.map(Signal::number))?;
        Ok(Self { waiting })
    }

    /// What ends [`Self::wait`].
    pub fn closer(&self) -> Closer {
        Closer { handle: self.waiting.handle() }
    }

    /// Blocks until a signal arrives; `None` once closed. Signals of one kind that arrive together may be one.
    pub fn wait(&mut self) -> Option<Signal> {
        let number = self.waiting.forever().next()?;
        Signal::ALL.into_iter().find(|signal| signal.number() == number)
    }
}

impl Closer {
    /// Ends the wait, now or the next one.
    pub fn close(&self) {
        self.handle.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal as Raw, getpid, kill_process};

    // One test: signals reach the whole process, so two tests would take each other's.
    #[test]
    fn signals_arrive_one_by_one_until_closed_from_another_thread() {
        let mut signals = Signals::install().expect("handlers can be installed");
        let rows = [
            (Raw::TERM, Signal::Terminate, "terminated"),
            (Raw::INT, Signal::Interrupt, "interrupt"),
            (Raw::QUIT, Signal::Quit, "quit"),
            (Raw::HUP, Signal::Hangup, "hangup"),
            (Raw::USR1, Signal::User1, "user defined signal 1"),
            (Raw::USR2, Signal::User2, "user defined signal 2"),
        ];
        for (raw, expected, name) in rows {
            kill_process(getpid(), raw).expect("a process may signal itself");
            let signal = signals.wait();
            assert_eq!(signal, Some(expected));
            assert_eq!(expected.to_string(), name);
        }
        let closer = signals.closer();
        let waiter = std::thread::spawn(move || (signals.wait(), signals.wait()));
        closer.close();
        assert_eq!(waiter.join().expect("no panic"), (None, None));
    }
}
