//! A broker and its clients in one thread: who goes on, step by step, is drawn from the seed.
//!
//! Owns the cores (coroutines), the clients and the ledger. A step is a core that runs to its next point where another could have
//! run, some bytes on a wire, or a client that reads. Time moves a little with each step, and jumps when nothing else can happen.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use corosensei::{Coroutine, CoroutineResult};
use dunlin::config::AcceptMode;
use dunlin::fabric::mail::Mail;
use dunlin::fabric::message::MAIN_BIT;
use dunlin::fabric::{Fabric, Rule};
use dunlin::ids::CoreId;
use dunlin::log::Logger;
use dunlin::reactor::Reactor;
use dunlin::reactor::access::AccountEntry;
use dunlin::reactor::password_checks::PasswordCheck;
use dunlin::reactor::remains::Remains;
use dunlin::reactor::shared::{Order, Shared};
use dunlin::reactor::stats::Stats;

use crate::checks::{Failure, Ledger, Name, Outcome, ensure, fail, payload};
use crate::client::{Client, Manners, Said};
use crate::os::{Hub, SimOs};
use crate::proxied::HEADERS;
use crate::random::Random;
use crate::shape::Shape;
use crate::socket::{Line, SimSocket, lock};
use crate::terms::{Terms, Who};

type Task = Coroutine<(), (), (Remains, Stats)>;

/// Steps after which something that is waited for is not coming.
pub const STEPS_MAX: u64 = 3_000_000;

pub struct World {
    pub hub: Rc<Hub>,
    pub shape: Shape,
    pub shared: Arc<Shared>,
    pub clients: Vec<Client>,
    pub ledger: Ledger,
    /// What the server goes by, and what it has started with.
    pub terms: Terms,
    pub usual: Terms,
    pub accounts: Vec<AccountEntry>,
    /// Passwords that a thread is to check.
    pub checks: VecDeque<PasswordCheck>,
    /// It does not for now.
    pub checks_wait: bool,
    pub mails: Arc<[Mail]>,
    tasks: Vec<Task>,
    ends: Vec<Option<(Remains, Stats)>>,
    /// A core that stands still, and for how many steps.
    halted: (usize, u64),
    /// Steps since something moved.
    pub idle: u64,
    pub steps: u64,
    /// By how much time has jumped, since nothing else could happen.
    pub jumped: Duration,
}

impl World {
    /// A server of some shape whose clients have connected.
    pub fn new(seed: u64, cores: usize, broken: Option<Rule>, adapt: impl FnOnce(&mut Shape)) -> Result<Self, Failure> {
        let random = Random::new(seed);
        let mut shape = Shape::of(&random, cores);
        adapt(&mut shape);
        let hub = Hub::new(random, cores, broken);
        let shared = Arc::new(Shared::new(cores, std::sync::mpsc::sync_channel(1).0));
        let terms = Terms::new(shape.neighbours, shape.secure > 0);
        let (settings, accounts) = shape.settings(&terms, &[]);
        let fabrics = Fabric::mesh(cores, shape.sizes);
        let mails = Arc::clone(&fabrics[0].mails);
        let tasks = fabrics.into_iter().enumerate().map(|(core, fabric)| {
            let (hub, settings, shared) = (Rc::clone(&hub), Arc::clone(&settings), Arc::clone(&shared));
            let seed = hub.random.next();
            Coroutine::new(move |yielder, ()| {
                let os = SimOs { hub: Rc::clone(&hub), core, yielder };
                let mut reactor = Reactor::new(os, settings, shared, fabric, Logger::discard(), seed);
                while reactor.turn() && !hub.quit.get() {}
                (reactor.remains(), reactor.stats())
            })
        });
        let tasks: Vec<Task> = tasks.collect();
        let ends = vec![None; cores];
        let (clients, ledger) = (Vec::new(), Ledger::default());
        let mut world = Self {
            hub,
            shape,
            shared,
            clients,
            ledger,
            usual: terms.clone(),
            terms,
            accounts,
            checks: VecDeque::new(),
            checks_wait: false,
            mails,
            tasks,
            ends,
            halted: (0, 0),
            idle: 0,
            steps: 0,
            jumped: Duration::ZERO,
        };
        for _ in 0..world.shape.clients {
            world.connect();
        }
        for _ in 0..world.shape.neighbours {
            world.neighbour();
        }
        for client in 0..world.clients.len() {
            world.until_pong(client)?;
        }
        Ok(world)
    }

    pub fn random(&self) -> &Random {
        &self.hub.random
    }

    /// One more client connects, to any core.
    pub fn connect(&mut self) -> usize {
        let random = &self.hub.random;
        let core = random.below(self.shape.cores as u64) as usize;
        let odd = |otherwise: bool| if random.chance(self.shape.odd) { !otherwise } else { otherwise };
        let manners = Manners { verbose: odd(false), echo: odd(true), headers: odd(true) };
        self.connect_with(core, manners)
    }

    /// One more in another account, who listens to everything and must hear of nothing.
    fn neighbour(&mut self) {
        let core = self.hub.random.below(self.shape.cores as u64) as usize;
        let neighbour = self.connect_as(core, Manners { verbose: false, echo: true, headers: true }, Who::Neighbour);
        let client = &mut self.clients[neighbour];
        if self.shape.literal {
            for number in 0..5 {
                client.subscribe(&format!("s{number}"), Some("q"), &format!("s{number}"));
                client.subscribe(&format!("n{number}"), None, &format!("n{number}"));
            }
        } else {
            client.subscribe(">", None, "all");
            client.subscribe("*.>", Some("q"), "q");
        }
    }

    pub fn connect_with(&mut self, core: usize, manners: Manners) -> usize {
        self.connect_as(core, manners, Who::Anybody)
    }

    pub fn connect_as(&mut self, core: usize, manners: Manners, who: Who) -> usize {
        let random = &self.hub.random;
        let (low, high) = self.shape.buffer_bytes;
        let (up_max, down_max) = (random.range(low, high) as usize, random.range(low, high) as usize);
        let line = Arc::new(Mutex::new(Line { up_max, down_max, ..Line::default() }));
        let core = if self.shape.accept == AcceptMode::Handoff { 0 } else { core };
        self.hub.connect(core, SimSocket(Arc::clone(&line)));
        let mut client = Client::new(line, manners, who, self.terms.denied(who));
        if self.hub.random.chance(self.shape.secure) {
            client.secure = Some(Box::default());
        }
        if self.shape.proxied {
            client.introduce(self.hub.random.of(&HEADERS));
        }
        client.ping();
        self.clients.push(client);
        self.clients.len() - 1
    }

    /// The core that serves a client.
    pub fn core_of(&self, client: usize) -> Option<usize> {
        lock(&self.clients[client].line).place.map(|(core, _)| core)
    }

    // --- what applications do ---

    /// Publishes; the cores do nothing meanwhile.
    pub fn publish(&mut self, client: usize, subject: &str, reply: &str) -> Name {
        let random = &self.hub.random;
        let bytes = if random.chance(self.shape.large) {
            random.of(self.shape.large_bytes)
        } else {
            random.of(&[0, 0, 0, 30, 200, 800])
        };
        self.publish_sized(client, subject, reply, bytes)
    }

    pub fn publish_sized(&mut self, client: usize, subject: &str, reply: &str, bytes: usize) -> Name {
        let with_headers = self.hub.random.chance(15);
        let from = &mut self.clients[client];
        let name = (client, from.published);
        from.published += 1;
        let headers: &[u8] = if with_headers && from.manners.headers { b"NATS/1.0\r\nA: b\r\n\r\n" } else { b"" };
        let payload = payload(name, bytes);
        from.publish(subject, reply, headers, &payload);
        self.ledger.note(name, from.who.is_elsewhere(), subject, reply, headers, &payload);
        name
    }

    /// Publishes a request; its answers come on a subscription of the client's own. Its name and where the answer goes.
    pub fn request(&mut self, client: usize, subject: &str) -> (Name, String) {
        let number = self.clients[client].published;
        let reply;
        if self.shape.literal {
            reply = format!("r{client}x{number}");
            self.clients[client].subscribe(&reply, None, &reply.clone());
        } else {
            reply = format!("r.{client}.{number}");
            if !self.clients[client].subscriptions.contains_key("inbox") {
                self.clients[client].subscribe(&format!("r.{client}.*"), None, "inbox");
            }
        }
        (self.publish(client, subject, &reply), reply)
    }

    /// The sid on which the answer to a request comes.
    pub fn inbox(&self, reply: &str) -> String {
        if self.shape.literal { reply.to_owned() } else { "inbox".to_owned() }
    }

    /// PING, and everything else meanwhile, until all PONGs are there.
    pub fn until_pong(&mut self, client: usize) -> Outcome {
        if self.clients[client].pings == 0 {
            self.clients[client].ping();
        }
        self.until(|| format!("client {client} waits for a PONG"), |w| w.clients[client].pings == 0)
    }

    /// The client goes politely: what it has sent is read.
    pub fn close(&mut self, client: usize) {
        let client = &mut self.clients[client];
        client.closes = true;
        client.frozen = false;
        client.may_fail = true;
    }

    /// The client goes without a word.
    pub fn reset(&mut self, client: usize) {
        let client = &mut self.clients[client];
        (client.gone, client.may_fail) = (true, true);
        client.out.clear();
        let mut line = lock(&client.line);
        line.reset = true;
        line.up.clear();
        line.down.clear();
        self.hub.edge(&line);
    }

    /// The main thread orders something of every core.
    pub fn order(&mut self, mut order: impl FnMut() -> Order) {
        for core in 0..self.shape.cores {
            self.shared.order(CoreId::new(core), order());
            self.mails[core].post(MAIN_BIT);
            self.hub.wake(core);
        }
    }

    // --- what goes on meanwhile ---

    /// The cores run for a while.
    pub fn go(&mut self) -> Outcome {
        for _ in 0..self.hub.random.of(&[0, 2, 15, 60, 250]) {
            self.step()?;
        }
        Ok(())
    }

    /// Runs until something holds; fails where it never will.
    pub fn until(&mut self, what: impl Fn() -> String, done: impl Fn(&Self) -> bool) -> Outcome {
        let horizon = self.hub.now.get() + Duration::from_secs(1);
        let end = self.steps + STEPS_MAX;
        while !done(self) {
            self.step()?;
            if self.rests() && !self.advance(horizon) {
                return fail(format!("nothing moves any more, and {}", what()));
            }
            ensure(self.steps < end, || format!("no end, and {}", what()))?;
        }
        Ok(())
    }

    /// Runs until nothing moves any more.
    pub fn settle(&mut self) -> Outcome {
        let end = self.steps + STEPS_MAX;
        loop {
            self.step()?;
            if self.rests() && !self.advance(self.hub.now.get() + Duration::from_millis(50)) {
                return Ok(());
            }
            ensure(self.steps < end, || self.restless())?;
        }
    }

    /// Who does not come to rest.
    fn restless(&self) -> String {
        let cores: Vec<usize> =
            (0..self.shape.cores).filter(|&core| self.ends[core].is_none() && self.hub.may_run(core)).collect();
        let clients: Vec<usize> = (0..self.clients.len()).filter(|&client| self.clients[client].has_out()).collect();
        format!("it does not come to rest: cores {cores:?}, clients {clients:?}")
    }

    /// Runs for so long of the virtual time.
    pub fn pass(&mut self, time: Duration) -> Outcome {
        let horizon = self.hub.now.get() + time;
        loop {
            self.settle()?;
            if !self.advance(horizon) {
                break;
            }
        }
        self.hub.now.set(horizon.max(self.hub.now.get()));
        for core in 0..self.shape.cores {
            self.hub.wake(core);
        }
        self.settle()
    }

    /// Whether nothing can happen but that time passes.
    fn rests(&self) -> bool {
        let wires = |c: &Client| {
            let line = lock(&c.line);
            let sends = c.has_out() && line.up.len() < line.up_max && !line.reset && !line.server_ended;
            let reads = !c.frozen && !line.reset && (!line.down.is_empty() || (line.server_ended && !c.gone));
            sends
                || reads
                || (c.closes && c.out.is_empty() && !c.has_out() && !line.ended && !line.reset && !line.server_ended)
        };
        self.idle > 8
            && (self.checks.is_empty() || self.checks_wait)
            && !(0..self.shape.cores).any(|core| self.ends[core].is_none() && self.hub.may_run(core))
            && !self.clients.iter().any(wires)
    }

    /// Time jumps to the next deadline, if that is not beyond the horizon.
    fn advance(&mut self, horizon: Duration) -> bool {
        match self.hub.next_deadline().filter(|&at| at <= horizon) {
            Some(at) => {
                self.jumped += at.saturating_sub(self.hub.now.get());
                self.hub.now.set(at.max(self.hub.now.get()));
                true
            }
            None => false,
        }
    }

    pub fn step(&mut self) -> Outcome {
        self.steps += 1;
        self.idle += 1;
        let (often, long) = self.shape.pace;
        let random = &self.hub.random;
        if self.halted.1 > 0 {
            self.halted.1 -= 1;
        } else if random.below(1000) < often {
            let core = self.shape.victim.unwrap_or_else(|| random.below(self.shape.cores as u64) as usize);
            self.halted = (core, random.of(long));
        }
        let now = self.hub.now.get();
        self.hub.now.set(now + Duration::from_nanos(random.below(500)));
        let pick = random.below(100);
        self.collect_checks();
        if pick < 5 && self.check_a_password() {
            return Ok(());
        }
        let random = &self.hub.random;
        let client = random.below(self.clients.len() as u64) as usize;
        match pick {
            0..50 => {
                let core = random.below(self.shape.cores as u64) as usize;
                let halted = self.halted.1 > 0 && self.halted.0 == core;
                if halted || self.ends[core].is_some() || !self.hub.may_run(core) { Ok(()) } else { self.resume(core) }
            }
            50..75 => {
                self.send(client);
                Ok(())
            }
            _ => self.read(client),
        }
    }

    pub fn resume(&mut self, core: usize) -> Outcome {
        self.idle = 0;
        let task = &mut self.tasks[core];
        match catch_unwind(AssertUnwindSafe(|| task.resume(()))) {
            Ok(CoroutineResult::Yield(())) => {}
            Ok(CoroutineResult::Return(end)) => self.ends[core] = Some(end),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                return fail(format!("core {core} panicked: {}", text.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Bytes of a client reach the server's kernel.
    pub fn send(&mut self, client: usize) {
        let client = &mut self.clients[client];
        let shared = Arc::clone(&client.line);
        let mut line = lock(&shared);
        if line.reset || line.ended || line.server_ended {
            return;
        }
        let room = line.up_max - line.up.len();
        let most = client.wire().len().min(room) as u64;
        if most > 0 {
            let count = if self.hub.random.chance(50) { most } else { 1 + self.hub.random.below(most) };
            line.up.extend(client.wire().drain(..count as usize));
        } else if client.closes && client.out.is_empty() && !client.has_out() {
            line.ended = true;
        } else {
            return;
        }
        self.idle = 0;
        self.hub.edge(&line);
    }

    /// A client reads, and everything that is whole is checked.
    pub fn read(&mut self, index: usize) -> Outcome {
        let client = &mut self.clients[index];
        if client.frozen || client.gone {
            return Ok(());
        }
        let line = Arc::clone(&client.line);
        let mut line = lock(&line);
        let most = line.down.len() as u64;
        if most == 0 {
            if line.server_ended {
                self.idle = 0;
                client.gone = true;
                ensure(client.may_fail, || format!("client {index} was closed and did nothing wrong"))?;
            }
            return Ok(());
        }
        self.idle = 0;
        let count = if self.hub.random.chance(60) { most } else { 1 + self.hub.random.below(most) };
        let received = client.receive(line.down.drain(..count as usize));
        if line.blocked && line.has_room() {
            line.blocked = false;
            self.hub.edge(&line);
        }
        drop(line);
        if let Err(text) = received {
            return fail(format!("client {index}: {text}"));
        }
        loop {
            match client.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Said::Message(message))) => self.ledger.receive(index, client, &message)?,
                Ok(Some(_)) => {}
                Err(text) => return fail(format!("client {index}: {text}")),
            }
        }
    }

    // --- the end ---

    /// Everybody goes, and nothing is left. What the cores have counted.
    pub fn finish(&mut self) -> Result<Vec<Stats>, Failure> {
        self.settle()?;
        let mut left: Vec<usize> = (0..self.clients.len()).filter(|&c| !self.clients[c].gone).collect();
        while !left.is_empty() {
            let client = self.hub.random.take(&mut left);
            if self.hub.random.chance(60) {
                self.close(client)
            } else {
                self.reset(client)
            }
            self.go()?;
        }
        // Last words, and requests that not every core has given up, are remembered for some seconds.
        self.pass(Duration::from_secs(13))?;
        self.hub.quit.set(true);
        for core in 0..self.shape.cores {
            self.hub.wake(core);
        }
        self.until(|| "a core does not end".into(), |w| w.ends.iter().all(Option::is_some))?;
        ensure(self.shared.connections() == 0, || "connections are still counted".into())?;
        for (core, end) in self.ends.iter().enumerate() {
            let remains = end.as_ref().map(|e| e.0).unwrap_or_default();
            ensure(remains == Remains::default(), || format!("core {core} still holds {remains:?}"))?;
        }
        Ok(self.ends.iter().flatten().map(|e| e.1).collect())
    }

    /// Whether every core has ended.
    pub fn has_ended(&self) -> bool {
        self.ends.iter().all(Option::is_some)
    }
}
