//! The operating system of the simulation: one for each core, all on one [`Hub`].
//!
//! Time is virtual and moves only when `world` says so. Wherever a core could be overtaken by another it hands over to `world`, which
//! decides who runs next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use corosensei::Yielder;
use dunlin::fabric::{Rule, Schedule};
use dunlin::ids::{ClientAddress, CoreId};
use dunlin::os::poll::{Event, LISTENER, Os};

use crate::random::Random;
use crate::socket::{Line, SimSocket, lock};

/// What the cores have in common.
#[derive(Debug)]
pub struct Hub {
    pub random: Random,
    start: Instant,
    /// Since the start.
    pub now: Cell<Duration>,
    pub cores: Vec<Station>,
    /// The rule that is broken.
    pub broken: Option<Rule>,
    /// Of 256: how often a core is interrupted where it may be.
    pub preempts: u64,
    /// What it takes to accept a connection, and to begin with one.
    pub accept_takes: Cell<Duration>,
    pub register_takes: Cell<Duration>,
    /// Cores end after their turn.
    pub quit: Cell<bool>,
}

/// What the hub knows of one core.
#[derive(Debug, Default)]
pub struct Station {
    events: RefCell<Vec<Event>>,
    listener: RefCell<VecDeque<SimSocket>>,
    pub listens: Cell<bool>,
    woken: Cell<bool>,
    /// What its turn has taken so far, without the time of others, and its longest.
    spent: Cell<Duration>,
    pub turn_max: Cell<Duration>,
    /// It is in its poll, until then.
    asleep: Cell<Option<Duration>>,
    /// Nothing wakes it before.
    resting: Cell<bool>,
}

impl Hub {
    pub fn new(random: Random, cores: usize, broken: Option<Rule>) -> Rc<Self> {
        let stations: Vec<Station> = (0..cores).map(|_| Station::default()).collect();
        for station in &stations {
            station.listens.set(true);
        }
        let preempts = random.of(&[20, 80, 200, 256]);
        let free = || Cell::new(Duration::ZERO);
        let (start, quit) = (Instant::now(), Cell::new(false));
        let (now, accept_takes, register_takes) = (free(), free(), free());
        Rc::new(Self { random, start, now, cores: stations, broken, preempts, accept_takes, register_takes, quit })
    }

    /// Whether a core may run.
    pub fn may_run(&self, core: usize) -> bool {
        let station = &self.cores[core];
        let called = || !station.resting.get() && (station.woken.get() || !station.events.borrow().is_empty());
        station.asleep.get().is_none_or(|until| called() || until <= self.now.get())
    }

    /// When the next core that sleeps wants to be woken.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.cores.iter().filter_map(|s| s.asleep.get()).filter(|&at| at < Duration::MAX).min()
    }

    /// Something happened to a socket.
    pub fn edge(&self, line: &Line) {
        if let Some((core, key)) = line.place {
            self.report(core, line.event(key));
        }
    }

    fn report(&self, core: usize, event: Event) {
        let mut events = self.cores[core].events.borrow_mut();
        match events.iter_mut().find(|e| e.key == event.key) {
            Some(known) => {
                known.readable |= event.readable;
                known.writable |= event.writable;
                known.ended |= event.ended;
            }
            None => events.push(event),
        }
    }

    /// A client connects to the listener of a core.
    pub fn connect(&self, core: usize, socket: SimSocket) {
        self.cores[core].listener.borrow_mut().push_back(socket);
        self.report(core, Event { key: LISTENER, readable: true, writable: false, ended: false, gone: false });
    }

    /// A core does something that takes time.
    fn take(&self, core: usize, time: Duration) {
        self.now.set(self.now.get() + time);
        let spent = &self.cores[core].spent;
        spent.set(spent.get() + time);
    }

    pub fn wake(&self, core: usize) {
        self.cores[core].woken.set(true);
    }
}

/// One core's operating system.
pub struct SimOs<'y> {
    pub hub: Rc<Hub>,
    pub core: usize,
    pub yielder: &'y Yielder<(), ()>,
}

impl Schedule for SimOs<'_> {
    fn wake(&self, core: CoreId) {
        self.hub.wake(core.index());
    }

    fn preempt(&self) {
        if self.hub.random.below(256) < self.hub.preempts {
            self.yielder.suspend(());
        }
    }

    fn breaks(&self, rule: Rule) -> bool {
        self.hub.broken == Some(rule)
    }
}

impl Os for SimOs<'_> {
    type Socket = SimSocket;

    fn now(&self) -> Instant {
        self.hub.start + self.hub.now.get()
    }

    fn poll(&mut self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let station = &self.hub.cores[self.core];
        station.turn_max.set(station.turn_max.get().max(station.spent.take()));
        let until = timeout.map_or(Duration::MAX, |t| self.hub.now.get() + t);
        station.asleep.set(Some(until));
        self.yielder.suspend(());
        while !self.hub.may_run(self.core) {
            self.yielder.suspend(());
        }
        station.asleep.set(None);
        station.woken.set(false);
        let mut waiting = station.events.borrow_mut();
        // Some of them, in any order: the rest stays ready.
        let count = if waiting.is_empty() { 0 } else { 1 + self.hub.random.below(waiting.len() as u64) };
        for _ in 0..count {
            let at = self.hub.random.below(waiting.len() as u64) as usize;
            events.push(waiting.swap_remove(at));
        }
        Ok(())
    }

    fn rest(&mut self, time: Duration) {
        let station = &self.hub.cores[self.core];
        station.turn_max.set(station.turn_max.get().max(station.spent.take()));
        station.resting.set(true);
        station.asleep.set(Some(self.hub.now.get() + time));
        while station.resting.get() {
            self.yielder.suspend(());
            station.resting.set(!self.hub.may_run(self.core));
        }
        station.asleep.set(None);
    }

    fn register(&mut self, socket: &mut SimSocket, key: u64) -> io::Result<()> {
        self.hub.take(self.core, self.hub.register_takes.get());
        let mut line = lock(&socket.0);
        line.place = Some((self.core, key));
        self.hub.edge(&line);
        Ok(())
    }

    fn watch_writing(&mut self, socket: &mut SimSocket, _key: u64) -> io::Result<()> {
        let mut line = lock(&socket.0);
        line.writing_watched = true;
        self.hub.edge(&line);
        Ok(())
    }

    fn accept(&mut self) -> io::Result<(SimSocket, ClientAddress)> {
        let station = &self.hub.cores[self.core];
        let socket = station.listener.borrow_mut().pop_front().filter(|_| station.listens.get());
        if socket.is_some() {
            self.hub.take(self.core, self.hub.accept_takes.get());
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 5000));
        socket.map(|socket| (socket, address.into())).ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn close_listener(&mut self) {
        self.hub.cores[self.core].listens.set(false);
        self.hub.cores[self.core].listener.borrow_mut().clear();
    }
}
