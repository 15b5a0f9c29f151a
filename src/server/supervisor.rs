//! What the service manager that started this process is told, and when it is true.
//!
//! - *ready*: every listener listens and every core has turned;
//! - *reloading*, and *ready* again, whether the new configuration was taken or not;
//! - *stopping*: at a stop and at the begin of lame duck mode, with the time that it may take;
//! - *alive*: at half of the manager's interval or more often, as long as **every** core answers. A core is asked as it is asked for its
//!   counters: by an order, which it carries out in its next turn. So one that sleeps is woken, one that turns answers, one that
//!   is stuck or has panicked does not, and nothing of this is on the way of a message.
//!
//! Owns the thread that asks. It holds nothing up: a manager that cannot be told is a line in the log, once.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{STOP_WITHIN, Server};
use crate::log::Logger;
use crate::os::notify::Notifier;
use crate::reactor::shared::Order;
use crate::reactor::stats::Stats;

/// The line of status is at most so old; where the watchdog's half is longer, cores are asked so often all the same.
const BEAT_MAX: Duration = Duration::from_secs(10);
/// An interval that nobody means does not make this thread spin.
const BEAT_MIN: Duration = Duration::from_millis(5);
/// What an end takes beside sending clients away and delivering what is on its way.
const END_MARGIN: Duration = Duration::from_secs(10);

/// The one who tells the service manager. Without such a manager it does nothing.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    told: Option<Arc<Told>>,
    /// Dropped with this value, which ends the thread.
    _until: Option<Sender<()>>,
}

/// What was told, and to whom.
#[derive(Debug)]
struct Told {
    notifier: Notifier,
    log: Logger,
    has_failed: AtomicBool,
    stopping: AtomicBool,
    /// What the last reload was refused for.
    refused: Mutex<Option<String>>,
}

impl Supervisor {
    /// Tells whoever the environment names that this server is ready, as soon as it is.
    pub(super) fn start(server: &Arc<Server>) -> Self {
        let log = server.log();
        match Notifier::from_environment() {
            Ok(Some(notifier)) => Self::tell(server, notifier),
            Ok(None) => Self::default(),
            Err(error) => {
                log.warn(format_args!("The service manager cannot be told how this server is: {error}"));
                Self::default()
            }
        }
    }

    fn tell(server: &Arc<Server>, notifier: Notifier) -> Self {
        let told = Arc::new(Told {
            notifier,
            log: server.log().clone(),
            has_failed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            refused: Mutex::default(),
        });
        let (until, end) = channel();
        let (work_told, work_server) = (Arc::clone(&told), Arc::clone(server));
        let work = move || {
            let ask = || answers(&work_server);
            let status = || work_told.line(&work_server);
            Watch { told: &work_told, ask, status, end }.run();
        };
        if let Err(error) = std::thread::Builder::new().name("supervisor".into()).spawn(work) {
            told.log.warn(format_args!("The service manager cannot be told how this server is: {error}"));
            return Self::default();
        }
        Self { told: Some(told), _until: Some(until) }
    }

    /// Another configuration is about to be taken.
    pub(super) fn reloading(&self) {
        if let Some(told) = self.live() {
            told.check(told.notifier.reloading());
        }
    }

    /// It was taken, or refused for this reason.
    pub(super) fn reloaded(&self, server: &Server, refused: Option<String>) {
        if let Some(told) = self.live() {
            *told.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
            told.check(told.notifier.ready(&told.line(server)));
        }
    }

    /// Clients are being sent away, over the time that the configuration says.
    pub(super) fn lame_duck(&self, server: &Server) {
        let timing = server.config().timing;
        self.stopping(timing.lame_duck_grace + timing.lame_duck_duration + STOP_WITHIN + END_MARGIN, server);
    }

    /// Everything ends.
    pub(super) fn stop(&self, server: &Server) {
        self.stopping(STOP_WITHIN + END_MARGIN, server);
    }

    fn stopping(&self, within: Duration, server: &Server) {
        if let Some(told) = &self.told {
            told.stopping.store(true, Ordering::Release);
            told.check(told.notifier.stopping(within, &told.line(server)));
        }
    }

    /// Whoever is to be told of what a server does that does not end.
    fn live(&self) -> Option<&Told> {
        self.told.as_deref().filter(|told| !told.stopping.load(Ordering::Acquire))
    }
}

impl Told {
    /// How the server is, in a line for people.
    fn line(&self, server: &Server) -> String {
        let connections = server.shared.connections();
        if self.stopping.load(Ordering::Acquire) {
            return format!("Ending, {connections} connections left");
        }
        let mut line = format!("Clients connect to {}", server.address());
        if let Some((scheme, pages)) = server.page_address() {
            line += &format!(", pages at {scheme}://{pages}");
        }
        line += &format!(", {connections} connections");
        if let Some(why) = &*self.refused.lock().unwrap_or_else(PoisonError::into_inner) {
            line += &format!("; the last reload was refused: {why}");
        }
        line
    }

    fn check(&self, result: io::Result<()>) {
        if let Err(error) = result
            && !self.has_failed.swap(true, Ordering::Relaxed)
        {
            self.log.warn(format_args!("The service manager was not told how this server is: {error}"));
        }
    }
}

/// Where each core's answer arrives.
fn answers(server: &Server) -> Vec<Receiver<Stats>> {
    let mut answers = Vec::new();
    server.order_all(|| {
        let (to, from) = channel();
        answers.push(from);
        Order::Report(to)
    });
    answers
}

/// The work of the thread: asks the cores, and says what follows from their answers.
struct Watch<'a, A, S> {
    told: &'a Told,
    ask: A,
    status: S,
    end: Receiver<()>,
}

impl<A: FnMut() -> Vec<Receiver<Stats>>, S: Fn() -> String> Watch<'_, A, S> {
    fn run(mut self) {
        let watchdog = self.told.notifier.watchdog();
        let beat = watchdog.map_or(BEAT_MAX, |interval| (interval / 2).clamp(BEAT_MIN, BEAT_MAX));
        if !self.all_turn(beat) {
            return;
        }
        let mut shown = (self.status)();
        if !self.told.stopping.load(Ordering::Acquire) {
            self.told.check(self.told.notifier.ready(&shown));
        }
        loop {
            if watchdog.is_some() {
                self.told.check(self.told.notifier.alive());
            }
            match self.end.recv_timeout(beat) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            if watchdog.is_some() && !self.all_turn(beat) {
                return;
            }
            let now = (self.status)();
            if now != shown {
                self.told.check(self.told.notifier.status(&now));
                shown = now;
            }
        }
    }

    /// Waits until every core has answered, however long that is; false where this thread is to end. Who is late is said.
    fn all_turn(&mut self, beat: Duration) -> bool {
        let asked = Instant::now();
        let mut late = None;
        for (core, answer) in (self.ask)().iter().enumerate() {
            loop {
                match answer.recv_timeout(beat) {
                    Ok(_) => break,
                    Err(_) if self.has_ended() => return false,
                    Err(RecvTimeoutError::Timeout) => {
                        if late != Some(core) {
                            self.told.log.error(format_args!("{}", Late { core, since: asked.elapsed() }));
                            late = Some(core);
                        }
                    }
                    // The server has gone, and this thread with it.
                    Err(RecvTimeoutError::Disconnected) => return false,
                }
            }
        }
        if late.is_some() {
            self.told.log.warn(format_args!("All cores turn again, after {:.1?}", asked.elapsed()));
        }
        true
    }

    fn has_ended(&self) -> bool {
        self.end.try_recv() == Err(TryRecvError::Disconnected)
    }
}

/// A core that does not answer.
struct Late {
    core: usize,
    since: Duration,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Core {} has not turned for {:.1?}: the service manager is not told that we are alive",
            self.core, self.since
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::sync::atomic::AtomicUsize;
    use std::thread::JoinHandle;

    /// So many cores are played by the test.
    const CORES: usize = 3;

    struct Lines(Sender<String>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A manager, cores that answer when the test wants, and the watch between them.
    struct Scene {
        manager: UnixDatagram,
        asked: Receiver<Vec<Sender<Stats>>>,
        lines: Receiver<String>,
        /// What the status tells: how many cores have answered so far.
        answered: Arc<AtomicUsize>,
        until: Option<Sender<()>>,
        thread: Option<JoinHandle<()>>,
    }

    impl Scene {
        fn new(watchdog: Option<Duration>) -> Self {
            static NUMBER: AtomicUsize = AtomicUsize::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("dunlin-supervisor-{}-{number}", std::process::id());
            let address = SocketAddr::from_abstract_name(name).expect("a short name");
            let manager = UnixDatagram::bind_addr(&address).expect("nobody else has it");
            let notifier = Notifier::new(address, watchdog).expect("a socket");
            let (to_lines, lines) = channel();
            let crate::config::Config { logging, .. } =
                crate::config::RawConfig::default().resolve().expect("nothing is wrong with it").0;
            let log = Logger::to_writer(Lines(to_lines), &logging).expect("a thread");
            let told = Told {
                notifier,
                log,
                has_failed: AtomicBool::new(false),
                stopping: AtomicBool::new(false),
                refused: Mutex::default(),
            };
            let (to_asked, asked) = channel();
            let (until, end) = channel();
            let answered = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&answered);
            let thread = std::thread::spawn(move || {
                let ask = || {
                    let (cores, answers) = (0..CORES).map(|_| channel()).unzip();
                    let _ = to_asked.send(cores);
                    answers
                };
                let status = || seen.load(Ordering::SeqCst).to_string();
                Watch { told: &told, ask, status, end }.run();
            });
            Self { manager, asked, lines, answered, until: Some(until), thread: Some(thread) }
        }

        fn question(&self) -> Vec<Sender<Stats>> {
            self.asked.recv().expect("it asks")
        }

        fn answer(&self, core: &Sender<Stats>) {
            self.answered.fetch_add(1, Ordering::SeqCst);
            core.send(Stats::default()).expect("it waits for this");
        }

        fn told(&self) -> String {
            let mut buffer = [0; 4096];
            let length = self.manager.recv(&mut buffer).expect("a datagram");
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        }

        fn line(&self, wanted: &str) -> String {
            self.lines.iter().find(|line| line.contains(wanted)).expect("it is said")
        }

        /// What has been told so far.
        fn told_by_now(&self) -> Vec<String> {
            self.manager.set_nonblocking(true).expect("it can be");
            let mut buffer = [0; 4096];
            let mut all = Vec::new();
            while let Ok(length) = self.manager.recv(&mut buffer) {
                all.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            }
            self.manager.set_nonblocking(false).expect("it can be");
            all
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            drop(self.until.take());
            if let Some(thread) = self.thread.take() {
                assert!(thread.join().is_ok() || std::thread::panicking(), "the watch has panicked");
            }
        }
    }

    #[test]
    fn it_is_ready_when_the_last_core_has_turned() {
        let scene = Scene::new(None);
        let cores = scene.question();
        for core in cores.iter().rev() {
            assert_eq!(scene.told_by_now(), [""; 0]);
            scene.answer(core);
        }
        assert_eq!(scene.told(), "READY=1\nSTATUS=3");
    }

    #[test]
    fn it_is_alive_as_long_as_every_core_answers() {
        let scene = Scene::new(Some(Duration::from_millis(40)));
        for round in 0..5 {
            let cores = scene.question();
            if round > 0 {
                assert_eq!(
                    scene.told_by_now().iter().filter(|text| *text == "WATCHDOG=1").count(),
                    0,
                    "not before all"
                );
            }
            cores.iter().for_each(|core| scene.answer(core));
            // Of the first round: ready comes before.
            while scene.told() != "WATCHDOG=1" {}
        }
        // Core 1 is stuck: the other two are not enough.
        let cores = scene.question();
        let stuck = [&cores[0], &cores[2]];
        stuck.iter().for_each(|core| scene.answer(core));
        scene.told_by_now();
        scene.line("[ERR] Core 1 has not turned for ");
        assert_eq!(scene.told_by_now(), [""; 0]);
        // It goes on.
        scene.answer(&cores[1]);
        while scene.told() != "WATCHDOG=1" {}
        scene.line("[WRN] All cores turn again, after ");
    }

    #[test]
    fn a_core_that_never_answers_does_not_keep_the_thread() {
        let scene = Scene::new(Some(Duration::from_millis(20)));
        let cores = scene.question();
        scene.line("Core 0 has not turned");
        drop(scene); // joins
        drop(cores);
    }
}
