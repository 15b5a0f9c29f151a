//! Readiness, sockets and time, as a core needs them; the kernel behind them, or the simulator.

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client_listener::ClientListener;
use super::local_listener::LocalListener;
use crate::fabric::Schedule;
use crate::ids::{ClientAddress, CoreId};

/// What a core needs from the operating system. All else of a core is the same in the simulator.
pub trait Os: Schedule {
    /// A connected socket that never blocks.
    type Socket: Socket;

    /// The time.
    fn now(&self) -> Instant;

    /// Waits for readiness, a wake-up or the end of `timeout` (`None`: no end), and puts what is ready into `events`.
    ///
    /// # Errors
    /// What the kernel says; an interruption is none.
    fn poll(&mut self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()>;

    /// Does nothing for at least so long, whatever becomes ready meanwhile. (Where time stands still, that is no time.)
    fn rest(&mut self, time: Duration) {
        let _ = time;
    }

    /// Readiness of `socket` to be read from is reported by edges under `key` from now on, until it is dropped.
    ///
    /// # Errors
    /// What the kernel says.
    fn register(&mut self, socket: &mut Self::Socket, key: u64) -> io::Result<()>;

    /// Readiness to be written to is reported too, by edges, and at once where it is there. Few connections ever wait for it, and all
    /// have it when they begin, which would be one more thing to wake up for.
    ///
    /// # Errors
    /// What the kernel says.
    fn watch_writing(&mut self, socket: &mut Self::Socket, key: u64) -> io::Result<()>;

    /// The next connection that waits at this core's listener; `WouldBlock` where there is none, or no listener.
    ///
    /// # Errors
    /// What the kernel says.
    fn accept(&mut self) -> io::Result<(Self::Socket, ClientAddress)>;

    /// No more connections are accepted here.
    fn close_listener(&mut self);

    /// CPU time that this thread has used; nothing where there is no thread of its own.
    fn thread_cpu(&self) -> Duration {
        Duration::ZERO
    }
}

/// A connected socket that never blocks.
pub trait Socket: Send {
    /// Reads what is there.
    ///
    /// # Errors
    /// `WouldBlock`, or what the kernel says.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Writes what fits.
    ///
    /// # Errors
    /// `WouldBlock`, or what the kernel says.
    fn write(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Nothing more will be written: the other side is told.
    fn shutdown(&mut self);
}

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the socket was registered under; [`LISTENER`] for the listener.
    pub key: u64,
    /// Reading may bring something: bytes, the end, or an error.
    pub readable: bool,
    /// Writing may go on.
    pub writable: bool,
    /// The other side writes no more, or there is an error: read to the end.
    pub ended: bool,
    /// The other side has gone: nothing that is written arrives.
    pub gone: bool,
}

/// The key of the listener, and of the one for this host where there is one.
pub const LISTENER: u64 = u64::MAX;
const WAKER: mio::Token = mio::Token(u64::MAX as usize - 1);

/// The kernel.
#[derive(Debug)]
pub struct Kernel {
    poll: mio::Poll,
    ready: mio::Events,
    /// How many polls there were.
    polls: u64,
    listener: Option<ClientListener>,
    local: Option<LocalListener>,
    /// The local one is asked first.
    local_first: bool,
    wakers: Arc<[mio::Waker]>,
    /// This thread has rested, so that its timers are exact.
    has_rested: bool,
}

/// What must exist before the cores start: their polls, so that each can wake all others.
#[derive(Debug)]
pub struct Kernels {
    polls: Vec<mio::Poll>,
    wakers: Arc<[mio::Waker]>,
}

impl Kernels {
    /// Polls for so many cores.
    ///
    /// # Errors
    /// What the kernel says, for instance that there are no more file descriptors.
    pub fn new(cores: usize) -> io::Result<Self> {
        let polls = (0..cores).map(|_| mio::Poll::new()).collect::<io::Result<Vec<_>>>()?;
        let wakers = polls.iter().map(|p| mio::Waker::new(p.registry(), WAKER)).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { polls, wakers: wakers.into() })
    }

    /// Wakes cores from outside.
    pub fn wakers(&self) -> Arc<[mio::Waker]> {
        Arc::clone(&self.wakers)
    }

    /// One for each core, with its listener where it has one; the first core has the one for this host.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn into_each(
        self,
        events_max: usize,
        mut listeners: Vec<Option<std::net::TcpListener>>,
        mut local: Option<LocalListener>,
    ) -> io::Result<Vec<Kernel>> {
        listeners.resize_with(self.polls.len(), || None);
        let wakers = self.wakers;
        let each = self.polls.into_iter().zip(listeners).map(|(poll, listener)| {
            let listener = listener.map(|listener| ClientListener::new(listener, poll.registry())).transpose()?;
            let mut local = local.take();
            if let Some(local) = &mut local {
                local.register(poll.registry(), mio::Token(LISTENER as usize))?;
            }
            let ready = mio::Events::with_capacity(events_max);
            Ok(Kernel {
                poll,
                ready,
                polls: 0,
                listener,
                local,
                local_first: false,
                wakers: Arc::clone(&wakers),
                has_rested: false,
            })
        });
        each.collect()
    }
}

impl Schedule for Kernel {
    fn wake(&self, core: CoreId) {
        // An error means that the other core's poll is gone: it has stopped, and needs no waking.
        drop(self.wakers[core.index()].wake());
    }
}

impl Os for Kernel {
    type Socket = mio::net::TcpStream;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll(&mut self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        self.polls += 1;
        match self.poll.poll(&mut self.ready, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.ready {
            if event.token() != WAKER {
                let ended = event.is_read_closed() || event.is_error();
                let readable = event.is_readable() || ended;
                let key = event.token().0 as u64;
                let gone = event.is_error() || event.is_write_closed();
                events.push(Event { key, readable, writable: event.is_writable(), ended, gone });
            }
        }
        Ok(())
    }

    fn rest(&mut self, time: Duration) {
        if !self.has_rested {
            self.has_rested = true;
            // The kernel may add 50 µs to each wait unless it is told not to. Where it must not be told, rests are that much longer.
            let _slack = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        }
        std::thread::sleep(time);
    }

    fn register(&mut self, socket: &mut Self::Socket, key: u64) -> io::Result<()> {
        self.poll.registry().register(socket, mio::Token(key as usize), mio::Interest::READABLE)
    }

    fn watch_writing(&mut self, socket: &mut Self::Socket, key: u64) -> io::Result<()> {
        let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
        self.poll.registry().reregister(socket, mio::Token(key as usize), both)
    }

    fn accept(&mut self) -> io::Result<(Self::Socket, ClientAddress)> {
        let mut over_ip = || {
            let listener = self.listener.as_mut().ok_or(io::ErrorKind::WouldBlock)?;
            listener.accept(self.poll.registry(), self.polls)
        };
        let Some(local) = &self.local else { return over_ip() };
        // In turn, so that neither keeps the other waiting.
        self.local_first = !self.local_first;
        if self.local_first {
            or_where_none_waits(local.accept(), over_ip)
        } else {
            or_where_none_waits(over_ip(), || local.accept())
        }
    }

    fn close_listener(&mut self) {
        self.local = None;
        if let Some(mut listener) = self.listener.take() {
            listener.stop(self.poll.registry());
        }
    }

    fn thread_cpu(&self) -> Duration {
        super::usage::thread_cpu()
    }
}

fn or_where_none_waits<T>(first: io::Result<T>, second: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match first {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => second(),
        other => other,
    }
}

impl Socket for mio::net::TcpStream {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Read::read(self, into)
    }

    #[inline]
    fn write(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        match from {
            [one] => Write::write(self, one),
            many => Write::write_vectored(self, many),
        }
    }

    fn shutdown(&mut self) {
        // An error means that there is no connection any more.
        drop(mio::net::TcpStream::shutdown(self, std::net::Shutdown::Write));
    }
}
