//! One thread of a run: its connections, its epoll loop, its gauges.
//!
//! A turn: let senders produce what is due and write it, read what is there, wait. Nothing is shared but the board; results go
//! to whoever joins the thread. A thread never waits while there is something to do, and spins only the last microseconds
//! before a message is due.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::sync::Barrier;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::Duration;

use mio::{Events, Poll};
use rustix::time::{ClockId, clock_gettime};

use super::board::Board;
use super::clock::{nanos, now_ns};
use super::dial::{WAVE, Wish, dial};
use super::link::{Incoming, Link, READ_BYTES, Reading};
use super::publisher::{Produced, Publisher};
use super::requester::{Requester, Responder};
use super::subscriber::{Gauge, Subscriber};
use super::target::Target;
use super::trouble::{Outcome, Trouble};

/// How long a thread waits for events before it looks at the board.
const LOOK_EVERY_NS: u64 = 20_000_000;
/// Shorter waits are spun: the kernel needs that long to wake a thread.
const SPIN_NS: u64 = 60_000;
/// Below this a thread that also reads polls its sockets instead of sleeping: epoll counts in milliseconds.
const POLL_NS: u64 = 1_000_000;
const EVENTS_MAX: usize = 256;
/// The time between two looks at all members, so that looking costs a few percent at most.
const LOOK_NS_PER_MEMBER: u64 = 100;

/// What a connection is for.
#[derive(Debug)]
pub(crate) enum Role {
    Publisher(Box<Publisher>),
    Subscriber(Box<Subscriber>),
    Requester(Box<Requester>),
    Responder {
        responder: Responder,
        /// Ends after so many requests; with the others where it is `None` and somebody asks in this run.
        limit: Option<u64>,
        is_alone: bool,
    },
    /// Subscribed, and never reads.
    Frozen {
        was_closed: bool,
    },
}

/// One connection of a run.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) role: Role,
    pub(crate) wish: Wish,
    pub(crate) is_done: bool,
}

impl Member {
    pub(crate) fn new(group: usize, role: Role, wish: Wish) -> Self {
        Self { group, role, wish, is_done: false }
    }

    /// Has an end of its own.
    pub(crate) fn is_foreground(&self) -> bool {
        match &self.role {
            Role::Publisher(_) | Role::Subscriber(_) | Role::Requester(_) => true,
            Role::Responder { limit, is_alone, .. } => *is_alone || limit.is_some(),
            Role::Frozen { .. } => false,
        }
    }

    /// Others of its group wait for its end.
    pub(crate) fn is_sender(&self) -> bool {
        matches!(self.role, Role::Publisher(_) | Role::Requester(_))
    }
}

/// What a thread hands over at its end.
#[derive(Debug)]
pub(crate) struct ThreadResult {
    pub(crate) members: Vec<Member>,
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) cpu_ns: u64,
    pub(crate) wall_ns: u64,
    /// Of `wall_ns`, how long it waited for sockets or for the time of a message.
    pub(crate) waited_ns: u64,
    pub(crate) info: super::target::Info,
    pub(crate) trouble: Option<Trouble>,
}

struct Worker<'a> {
    target: &'a Target,
    board: &'a Board,
    poll: Poll,
    members: Vec<Member>,
    links: Vec<Link>,
    is_writable: Vec<bool>,
    is_queued: Vec<bool>,
    ready: VecDeque<usize>,
    gauges: Vec<Gauge>,
    scratch: Vec<u8>,
    reads: bool,
    /// When the ends of members are looked at next: not at every turn of a thread with thousands.
    next_look_ns: u64,
    /// A sender got something it may have waited for.
    has_room: bool,
    /// When something last came.
    progress_ns: u64,
    /// When the run began for this thread, and its CPU time then.
    begun: (u64, u64),
    waited_ns: u64,
}

/// Runs a thread to its end.
pub(crate) fn run(target: &Target, board: &Board, members: Vec<Member>, barrier: &Barrier) -> ThreadResult {
    // Both barriers are reached whatever happens: the others wait there.
    let made = Worker::connect(target, board, members);
    if made.is_err() {
        board.abort();
    }
    barrier.wait();
    barrier.wait();
    let gauges = Vec::new();
    let mut worker = match made {
        Ok(worker) => worker,
        Err((members, trouble)) => {
            let info = super::target::Info::default();
            return ThreadResult { members, gauges, cpu_ns: 0, wall_ns: 0, waited_ns: 0, info, trouble: Some(trouble) };
        }
    };
    let trouble = worker.work().err();
    if trouble.is_some() {
        board.abort();
    }
    worker.look_at_frozen();
    let info = worker.links.first().map(|link| link.info.clone()).unwrap_or_default();
    let (cpu_ns, wall_ns) = (thread_cpu_ns() - worker.begun.1, now_ns() - worker.begun.0);
    let (members, gauges, waited_ns) = (worker.members, worker.gauges, worker.waited_ns);
    ThreadResult { members, gauges, cpu_ns, wall_ns, waited_ns, info, trouble }
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

impl<'a> Worker<'a> {
    fn connect(target: &'a Target, board: &'a Board, mut members: Vec<Member>) -> Result<Self, (Vec<Member>, Trouble)> {
        let wishes = members.iter_mut().map(|member| std::mem::take(&mut member.wish)).collect();
        let made = Poll::new().map_err(Trouble::io("making an epoll")).and_then(|mut poll| {
            let links = dial(&mut poll, target, wishes, WAVE, |_, _| Ok(()))?;
            Ok((poll, links))
        });
        let (poll, links) = match made {
            Ok(made) => made,
            Err(trouble) => return Err((members, trouble)),
        };
        let count = members.len();
        let reads = members.iter().any(|member| !matches!(member.role, Role::Publisher(_)));
        Ok(Self {
            target,
            board,
            poll,
            links,
            is_writable: vec![true; count],
            is_queued: vec![true; count],
            ready: (0..count).collect(),
            gauges: board.groups.iter().map(|_| Gauge::default()).collect(),
            scratch: vec![0; READ_BYTES],
            reads,
            next_look_ns: 0,
            has_room: false,
            progress_ns: 0,
            begun: (0, 0),
            waited_ns: 0,
            members,
        })
    }

    fn work(&mut self) -> Outcome<()> {
        // The default slack of 50 µs would be part of every latency. Not allowed everywhere; the figures show it.
        let _slack = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        let start = self.board.start_ns.load(Relaxed);
        self.progress_ns = start;
        for member in &mut self.members {
            match &mut member.role {
                Role::Publisher(publisher) => publisher.begin(start),
                Role::Requester(requester) => requester.begin(start),
                _ => {}
            }
        }
        let movers: Vec<usize> = (0..self.members.len()).filter(|place| self.members[*place].is_sender()).collect();
        let mut events = Events::with_capacity(EVENTS_MAX);
        while now_ns() < start && !self.board.is_aborted() {
            std::hint::spin_loop();
        }
        self.begun = (now_ns(), thread_cpu_ns());
        loop {
            let now = now_ns();
            let mut wake_ns = now + LOOK_EVERY_NS;
            for place in &movers {
                wake_ns = wake_ns.min(self.send(*place, now)?);
            }
            for _ in 0..self.ready.len() {
                let Some(place) = self.ready.pop_front() else { break };
                self.is_queued[place] = false;
                self.read(place)?;
            }
            if !self.ready.is_empty() {
                wake_ns = 0;
            }
            if self.board.is_aborted() || self.look_at_board(now)? {
                return Ok(());
            }
            // A reply makes room in a window: the next request does not wait.
            if std::mem::take(&mut self.has_room) {
                continue;
            }
            self.wait(&mut events, wake_ns)?;
        }
    }

    /// Lets a sender produce and writes it; returns when it wants to be called again.
    fn send(&mut self, place: usize, now: u64) -> Outcome<u64> {
        let is_stopped = self.board.is_stopped();
        let (member, link) = (&mut self.members[place], &mut self.links[place]);
        if member.is_done || !self.is_writable[place] {
            return Ok(u64::MAX);
        }
        let group = &self.board.groups[member.group];
        let (produced, sent, asked) = match &mut member.role {
            Role::Publisher(sender) if !sender.asked_pong => {
                let before = sender.sent;
                let produced = sender.produce(&mut link.out, now, is_stopped);
                (produced, sender.sent - before, &mut sender.asked_pong)
            }
            Role::Requester(sender) if !sender.asked_pong => {
                let before = sender.sent;
                let produced = sender.produce(&mut link.out, now, is_stopped);
                (produced, sender.sent - before, &mut sender.asked_pong)
            }
            _ => return Ok(u64::MAX),
        };
        if produced == Produced::Done {
            *asked = true;
            link.out.extend_from_slice(b"PING\r\n");
        }
        if sent > 0 {
            group.sent.fetch_add(sent, Relaxed);
        }
        if link.pending() > 0 {
            self.is_writable[place] = link.flush()?;
        }
        Ok(match produced {
            Produced::More if self.is_writable[place] => 0,
            Produced::Due(due) => due,
            _ => u64::MAX,
        })
    }

    fn read(&mut self, place: usize) -> Outcome<()> {
        let (member, link) = (&mut self.members[place], &mut self.links[place]);
        if member.is_done || matches!(member.role, Role::Frozen { .. }) {
            return Ok(());
        }
        let group = &self.board.groups[member.group];
        let gauge = &mut self.gauges[member.group];
        let (mut received, mut has_pong) = (0, false);
        let mut now = 0;
        let reading = link.read(self.target, &mut self.scratch, |out, incoming| {
            let Incoming::Message(message) = incoming else {
                has_pong = true;
                return Ok(());
            };
            // One look at the clock a read: what came together was there together.
            if now == 0 {
                now = now_ns();
            }
            received += 1;
            match &mut member.role {
                Role::Subscriber(subscriber) => subscriber.take(&message, now, gauge),
                Role::Requester(requester) => requester.take(&message, now, gauge)?,
                Role::Responder { responder, .. } => responder.answer(out, &message),
                Role::Publisher(_) | Role::Frozen { .. } => gauge.faults.cross_talk += 1,
            }
            Ok(())
        })?;
        if received > 0 || has_pong {
            self.progress_ns = self.progress_ns.max(now_ns());
        }
        if received > 0 {
            if !matches!(member.role, Role::Responder { .. }) || !member.is_foreground() {
                group.last_received_ns.fetch_max(now, Relaxed);
            }
            self.has_room |= member.is_sender();
            if member.is_foreground() {
                group.received.fetch_add(received, Relaxed);
            }
        }
        if link.pending() > 0 && self.is_writable[place] {
            self.is_writable[place] = link.flush()?;
        }
        if has_pong {
            self.end_if_asked(place);
        }
        if reading == Reading::MayHaveMore && !self.is_queued[place] {
            self.is_queued[place] = true;
            self.ready.push_back(place);
        }
        Ok(())
    }

    /// The PONG that a member waited for at its end.
    fn end_if_asked(&mut self, place: usize) {
        let member = &mut self.members[place];
        let group = &self.board.groups[member.group];
        let deliveries = match &member.role {
            Role::Publisher(publisher) if publisher.asked_pong => Some(publisher.deliveries()),
            Role::Requester(requester) if requester.asked_pong => Some(0),
            Role::Subscriber(subscriber) if subscriber.asked_pong => None,
            _ => return,
        };
        member.is_done = true;
        if let Some(deliveries) = deliveries {
            group.sender_done(deliveries);
        }
        self.board.foreground_left.fetch_sub(1, AcqRel);
    }

    /// Ends those who have nothing more to come. True when nobody is left.
    fn look_at_board(&mut self, now: u64) -> Outcome<bool> {
        if now < self.next_look_ns {
            return Ok(false);
        }
        self.next_look_ns = now + LOOK_NS_PER_MEMBER * self.members.len() as u64;
        let is_stopped = self.board.is_stopped();
        let is_last = self.board.foreground_left.load(Acquire) == 0;
        let (mut are_all_done, mut is_ending) = (true, is_stopped);
        for (place, member) in self.members.iter_mut().enumerate() {
            if member.is_done {
                continue;
            }
            let group_ns = self.board.groups[member.group].last_received_ns.load(Relaxed);
            self.progress_ns = self.progress_ns.max(group_ns);
            is_ending |= match &member.role {
                Role::Publisher(publisher) => publisher.asked_pong,
                Role::Subscriber(subscriber) => subscriber.asked_pong,
                Role::Requester(requester) => requester.asked_pong,
                Role::Responder { .. } | Role::Frozen { .. } => false,
            };
            let link = &mut self.links[place];
            match &mut member.role {
                Role::Subscriber(subscriber) if !subscriber.asked_pong => {
                    let group = &self.board.groups[member.group];
                    let has_no_end = group.quiet_ns == 0 && is_stopped;
                    if group.is_complete(now) || has_no_end {
                        subscriber.asked_pong = true;
                        link.out.extend_from_slice(b"PING\r\n");
                        // A broken connection is seen by the read that follows.
                        self.is_writable[place] = link.flush().unwrap_or(true);
                    }
                }
                Role::Responder { responder, limit, is_alone } => {
                    let has_own_end = *is_alone || limit.is_some();
                    let is_full = limit.is_some_and(|limit| responder.answered >= limit);
                    member.is_done = if has_own_end { is_full || is_stopped } else { is_last };
                    if member.is_done && has_own_end {
                        self.board.foreground_left.fetch_sub(1, AcqRel);
                    }
                }
                Role::Frozen { .. } => member.is_done = is_last,
                _ => {}
            }
            are_all_done &= member.is_done;
        }
        // Whoever waits for the last PONG does not wait for ever.
        let is_silent = now.saturating_sub(self.progress_ns) > nanos(self.target.timeout);
        if is_ending && !are_all_done && is_silent {
            return Err(Trouble::Silent("the last PING of a run"));
        }
        if !is_ending {
            self.progress_ns = self.progress_ns.max(now);
        }
        Ok(are_all_done)
    }

    fn wait(&mut self, events: &mut Events, wake_ns: u64) -> Outcome<()> {
        let begun = now_ns();
        let left = wake_ns.saturating_sub(begun);
        let mut is_parked = false;
        let timeout = if wake_ns == 0 || left < if self.reads { POLL_NS } else { SPIN_NS } {
            Duration::ZERO
        } else if self.reads || left >= LOOK_EVERY_NS / 2 {
            Duration::from_millis(left / 1_000_000)
        } else {
            // Publishers alone: nothing comes that could not wait as long.
            std::thread::park_timeout(Duration::from_nanos(left));
            is_parked = true;
            Duration::ZERO
        };
        let outcome = self.poll.poll(events, Some(timeout));
        if !timeout.is_zero() || is_parked {
            self.waited_ns += now_ns() - begun;
        }
        match outcome {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            outcome => outcome.map_err(Trouble::io("waiting for sockets"))?,
        }
        for event in events.iter() {
            let place = event.token().0;
            self.links[place].is_ending |= event.is_read_closed() || event.is_error();
            if event.is_writable() {
                self.is_writable[place] = true;
                if self.links[place].pending() > 0 {
                    self.is_writable[place] = self.links[place].flush()?;
                }
            }
            if (event.is_readable() || event.is_read_closed() || event.is_error()) && !self.is_queued[place] {
                self.is_queued[place] = true;
                self.ready.push_back(place);
            }
        }
        Ok(())
    }

    /// Whether the server has given up those who never read.
    fn look_at_frozen(&mut self) {
        for (member, link) in self.members.iter_mut().zip(&mut self.links) {
            if let Role::Frozen { was_closed } = &mut member.role {
                *was_closed = loop {
                    match link.read(self.target, &mut self.scratch, |_, _| Ok(())) {
                        Ok(Reading::MayHaveMore) => {}
                        Ok(Reading::Emptied) => break false,
                        Err(_) => break true,
                    }
                };
            }
        }
    }
}
