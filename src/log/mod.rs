//! Log lines in the peer's words and form, written by a thread of their own.
//!
//! Owns the queue between whoever logs and the log thread, and its bounds. Callers never wait: a line for which there is
//! no room is dropped and counted, and the count is said once there is room again. Must not hold global state: several
//! servers in one process each have their own [`Logger`].
//!
//! Invariants: `bytes_queued` is the sum of the texts in the queue. Lines of one caller are written in the order of the calls.
//!
//! - `line`: levels, and the form of one line;
//! - `writer`: the log thread;
//! - `sink`: where lines go: standard error, a writer, a file or syslog;
//! - `file`: a file that grows, rotates and reopens; `syslog`: datagrams to the local or a remote collector;
//! - `quote`: client data in quotes, escaped as the peer does;
//! - `label`: how a line names a connection; `trace`: what was read and written;
//! - `redact`: what of it is secret.

mod file;
pub mod label;
mod line;
pub mod quote;
pub mod redact;
mod sink;
mod syslog;
pub mod trace;
mod writer;

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, Release},
};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use crate::config::Logging;

pub use line::Level;
use sink::Output;

/// Lines that wait for the log thread; further ones are dropped and counted.
pub const QUEUED_LINES_MAX: usize = 8192;

/// Bytes of text that wait for the log thread; further lines are dropped and counted. An empty queue admits a line of any size.
pub const QUEUED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long [`Logger::close`] waits for a sink that does not take lines (a full pipe that nobody reads) before it gives up.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(2);

/// Writes log lines. Cheap to clone; all clones write to the same place.
#[derive(Clone)]
pub struct Logger {
    shared: Arc<Shared>,
}

/// What clones of a logger share; the log thread has only [`Counters`], so that the last clone's end ends the thread.
struct Shared {
    debug: AtomicBool,
    trace: AtomicBool,
    sender: Option<SyncSender<Message>>,
    counters: Arc<Counters>,
    thread: Mutex<Option<Running>>,
}

/// What callers and the log thread both count.
#[derive(Default)]
struct Counters {
    bytes_queued: AtomicUsize,
    lines_dropped: AtomicU64,
    closing: AtomicBool,
    /// Orders for which the queue had no room; they must not be lost. Rare: only reload and reopen make them.
    orders: Mutex<Vec<Order>>,
}

struct Running {
    handle: JoinHandle<()>,
    finished: Receiver<()>,
}

/// One entry of the queue.
enum Message {
    Line {
        level: Level,
        at: SystemTime,
        text: Box<str>,
    },
    Order(Order),
    /// Nothing to write, but something to look at: `closing` or `orders`.
    Wake,
}

/// What the log thread is asked to do besides writing.
enum Order {
    Reopen,
    Replace(Box<Output>),
}

/// Why lines cannot go where the configuration wants them; the text is the peer's.
#[derive(Debug)]
pub enum LogError {
    /// The log file cannot be opened.
    File {
        /// Its path, as configured.
        path: std::path::PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The system's log service cannot be reached; holds the whole line.
    Syslog(String),
    /// The log thread cannot be started.
    Thread(io::Error),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => {
                write!(f, "error opening file: open {}: {}", path.display(), crate::os::errno::text(source))
            }
            Self::Syslog(line) => f.write_str(line),
            Self::Thread(source) => write!(f, "error starting the log thread: {}", crate::os::errno::text(source)),
        }
    }
}

impl std::error::Error for LogError {}

impl Logger {
    /// Opens what `settings` names and starts the log thread.
    pub fn start(settings: &Logging) -> Result<Self, LogError> {
        Self::with_output(Output::open(settings)?, settings)
    }

    /// Writes lines to `writer` instead of what `settings` names: for programs that embed a server.
    pub fn to_writer(writer: impl Write + Send + 'static, settings: &Logging) -> Result<Self, LogError> {
        Self::with_output(Output::to_writer(Box::new(writer), settings), settings)
    }

    /// Writes nothing and has no thread: for embedding and tests.
    pub fn discard() -> Self {
        let counters = Arc::new(Counters::default());
        Self {
            shared: Arc::new(Shared {
                debug: AtomicBool::new(false),
                trace: AtomicBool::new(false),
                sender: None,
                counters,
                thread: Mutex::new(None),
            }),
        }
    }

    fn with_output(output: Output, settings: &Logging) -> Result<Self, LogError> {
        let (sender, receiver) = sync_channel(QUEUED_LINES_MAX);
        let (finish, finished) = sync_channel(1);
        let counters = Arc::new(Counters::default());
        let seen = Arc::clone(&counters);
        let handle = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || {
                writer::run(&receiver, &seen, output);
                // Nobody may be waiting any more.
                let _ = finish.try_send(());
            })
            .map_err(LogError::Thread)?;
        Ok(Self {
            shared: Arc::new(Shared {
                debug: AtomicBool::new(settings.debug),
                trace: AtomicBool::new(settings.trace),
                sender: Some(sender),
                counters,
                thread: Mutex::new(Some(Running { handle, finished })),
            }),
        })
    }

    /// Debug lines are wanted: look here before building one that costs something.
    #[inline]
    pub fn debug_enabled(&self) -> bool {
        self.shared.debug.load(Relaxed)
    }

    /// Trace lines are wanted: look here before building one.
    #[inline]
    pub fn trace_enabled(&self) -> bool {
        self.shared.trace.load(Relaxed)
    }

    /// What an operator should know.
    pub fn info(&self, text: fmt::Arguments<'_>) {
        self.push(Level::Info, text);
    }

    /// What may become a fault.
    pub fn warn(&self, text: fmt::Arguments<'_>) {
        self.push(Level::Warn, text);
    }

    /// What went wrong.
    pub fn error(&self, text: fmt::Arguments<'_>) {
        self.push(Level::Error, text);
    }

    /// Why the process ends now. Only says it: the caller closes the logger and ends.
    pub fn fatal(&self, text: fmt::Arguments<'_>) {
        self.push(Level::Fatal, text);
    }

    /// What helps to find a fault; written where `debug` is on.
    pub fn debug(&self, text: fmt::Arguments<'_>) {
        if self.debug_enabled() {
            self.push(Level::Debug, text);
        }
    }

    /// What was read and written; written where `trace` is on.
    pub fn trace(&self, text: fmt::Arguments<'_>) {
        if self.trace_enabled() {
            self.push(Level::Trace, text);
        }
    }

    /// Lines dropped for lack of room and not yet said.
    pub fn lines_dropped(&self) -> u64 {
        self.shared.counters.lines_dropped.load(Relaxed)
    }

    /// Takes over changed settings. Opens the new place first: on an error everything stays as it was.
    pub fn reconfigure(&self, settings: &Logging) -> Result<(), LogError> {
        if self.shared.sender.is_some() {
            let output = Output::open(settings)?;
            self.order(Order::Replace(Box::new(output)));
        }
        self.set_levels(settings.debug, settings.trace);
        Ok(())
    }

    /// Turns debug and trace lines on and off while the server runs.
    pub fn set_levels(&self, debug: bool, trace: bool) {
        self.shared.debug.store(debug, Relaxed);
        self.shared.trace.store(trace, Relaxed);
    }

    /// Opens the log file anew (SIGUSR1, after somebody renamed it); the log says what became of it.
    pub fn reopen(&self) {
        self.order(Order::Reopen);
    }

    /// Writes what was logged so far and ends the log thread; later lines go nowhere. Waits two seconds at most.
    pub fn close(&self) {
        self.shared.close();
    }

    fn push(&self, level: Level, text: fmt::Arguments<'_>) {
        let Some(sender) = &self.shared.sender else {
            return;
        };
        let counters = &self.shared.counters;
        if counters.closing.load(Relaxed) {
            return;
        }
        let at = SystemTime::now();
        let text = text.to_string().into_boxed_str();
        let bytes = text.len();
        let before = counters.bytes_queued.fetch_add(bytes, Relaxed);
        let fits = before == 0 || before.saturating_add(bytes) <= QUEUED_BYTES_MAX;
        if !fits || sender.try_send(Message::Line { level, at, text }).is_err() {
            counters.bytes_queued.fetch_sub(bytes, Relaxed);
            counters.lines_dropped.fetch_add(1, Relaxed);
        }
    }

    fn order(&self, order: Order) {
        let Some(sender) = &self.shared.sender else {
            return;
        };
        if let Err(TrySendError::Full(Message::Order(order))) = sender.try_send(Message::Order(order)) {
            lock(&self.shared.counters.orders).push(order);
            // A full queue is no sleeping thread; if it has emptied meanwhile, this wakes it.
            let _ = sender.try_send(Message::Wake);
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("debug", &self.debug_enabled())
            .field("trace", &self.trace_enabled())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn close(&self) {
        let Some(running) = lock(&self.thread).take() else {
            return;
        };
        self.counters.closing.store(true, Release);
        if let Some(sender) = &self.sender {
            // Full: then the thread is awake and sees `closing` when it has written what is there.
            let _ = sender.try_send(Message::Wake);
        }
        match running.finished.recv_timeout(CLOSE_WAIT_MAX) {
            Err(RecvTimeoutError::Timeout) => {} // Stuck in a write; the process's end frees it.
            // A panic there has said what it had to say.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => drop(running.handle.join()),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

/// A panic elsewhere leaves this data whole: each holder changes it in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
