//! What a core tells of itself when it is asked: plain copies, made between two turns.
//!
//! Owns the questions, their answers and the way to ask ([`Cores`]). A core answers in slices (`answers`), a bounded piece a turn,
//! so that a long answer does not make a turn long, and nothing of it is on the way of a message. Who asks waits up to a deadline;
//! where it has gone, the core stops answering. `closed` keeps the connections that have ended.

mod answers;
mod closed;
mod figures;

pub use super::sketch::SketchEntry;
use answers::Answering;
use closed::Closed;
pub use figures::{CoreFigures, LinkFigures};

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::meters::Meters;
use super::shared::{Order, Shared};
use super::sketch::Sketch;
use crate::connection::Counts;
use crate::fabric::mail::{MAIN_BIT, Mail};
use crate::ids::{AccountId, ClientAddress, ConnId, CoreId};
use crate::routing::{GroupFigures, TableCounts};
use crate::tls::Info;

/// What a core keeps of itself to be told.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) meters: Meters,
    pub(super) sketch: Sketch,
    closed: Closed,
    pub(super) answering: Answering,
}

impl Observed {
    pub(super) fn new(now: Instant, subject_sample: u64, seed: u64) -> Self {
        Self {
            meters: Meters::new(now),
            sketch: Sketch::new(subject_sample, seed),
            closed: Closed::default(),
            answering: Answering::default(),
        }
    }
}

/// How long one waits for an answer before looking whether somebody is there to give it.
const LOOK_UP_AFTER: Duration = Duration::from_millis(50);

/// What a core is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// Its counters.
    Figures,
    /// What each account has here.
    Accounts,
    /// Connections that are open, or have ended.
    Connections(ConnectionFilter),
    /// The subscriptions of these connections; those of other cores are passed over.
    SubscriptionsOf(Arc<[ConnId]>),
    /// Subscriptions of all connections.
    Subscriptions(SubscriptionFilter),
    /// Queue groups that have members here.
    Groups,
    /// The busiest subjects.
    Subjects,
    /// How many subscriptions here get messages of these subjects.
    Receivers(Arc<[(AccountId, Box<[u8]>)]>),
}

/// Which connections.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    /// Those that are open.
    pub open: bool,
    /// Those that have ended.
    pub closed: bool,
    /// The one with this number.
    pub cid: Option<u64>,
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those who logged in by this name.
    pub user: Option<String>,
    /// Only those with bytes waiting, that hold others back or are held back, or that were closed as slow.
    pub only_slow: bool,
    /// With the subscriptions that ended ones had.
    pub with_kept: bool,
}

/// Which subscriptions.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionFilter {
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those that get messages of this subject.
    pub subject: Option<Arc<[u8]>>,
    /// So many are told in full by each core; the others are counted.
    pub keep_max: usize,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// Where it is, or was.
    pub id: ConnId,
    /// Its number.
    pub cid: u64,
    /// Its account.
    pub account: AccountId,
    /// Where it comes from.
    pub address: ClientAddress,
    /// When it was accepted.
    pub start: Instant,
    /// When it last sent or got something other than PING and PONG.
    pub last_activity: Instant,
    /// When and why it ended.
    pub ended: Option<(Instant, &'static str)>,
    /// Its last round trip.
    pub rtt: Duration,
    /// Bytes that wait for it.
    pub pending_bytes: u64,
    /// For how long it has taken none of them.
    pub behind: Duration,
    /// Messages that were written off with it, roughly: its pending bytes by the size of its usual message.
    pub lost_msgs: u64,
    /// Messages and bytes.
    pub counts: Counts,
    /// How many subscriptions it has.
    pub subscriptions: u64,
    /// How often a publisher was held back for it.
    pub stalls_caused: u64,
    /// For whom it was last held back, the latest first; 0: nobody.
    pub held_back_by: [u64; HELD_BACK_BY_MAX],
    /// What it calls itself.
    pub name: String,
    /// The language of its client library.
    pub lang: String,
    /// The version of that.
    pub version: String,
    /// Who it logged in as.
    pub user: String,
    /// Its TLS.
    pub tls: Option<Box<TlsOfConnection>>,
    /// The subscriptions that it had when it ended, up to a bound.
    pub kept: Vec<SubscriptionInfo>,
}

/// The TLS of a connection.
#[derive(Clone, Debug)]
pub struct TlsOfConnection {
    /// What was agreed on, and what the client has shown.
    pub info: Info,
    /// TLS came before INFO.
    pub first: bool,
}

/// Receivers that a held-back publisher remembers.
pub const HELD_BACK_BY_MAX: usize = 4;

/// One subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionInfo {
    /// Its account.
    pub account: AccountId,
    /// Its pattern.
    pub subject: String,
    /// Its queue group, or empty.
    pub queue: String,
    /// Its client's name for it.
    pub sid: String,
    /// Messages that it got.
    pub msgs: u64,
    /// After how many it ends.
    pub max: Option<u64>,
    /// Its connection.
    pub cid: u64,
}

/// What one account has on one core.
#[derive(Clone, Debug, Default)]
pub struct AccountFigures {
    /// Open connections.
    pub connections: u64,
    /// Messages of all its connections so far, ended ones too.
    pub counts: Counts,
    /// Of those that are open.
    pub open: Counts,
    /// Bytes that wait for them.
    pub pending_bytes: u64,
    /// Connections closed as slow.
    pub slow_consumers: u64,
    /// Its table.
    pub table: TableCounts,
}

/// A piece of an answer.
#[derive(Debug)]
pub enum Part {
    /// To [`Question::Figures`].
    Figures(Box<CoreFigures>),
    /// To [`Question::Accounts`], by number.
    Accounts(Vec<AccountFigures>),
    /// To [`Question::Connections`].
    Connections(Vec<ConnectionInfo>),
    /// To [`Question::SubscriptionsOf`] and [`Question::Subscriptions`]: some of them, and how many were only counted.
    Subscriptions(Vec<SubscriptionInfo>, u64),
    /// To [`Question::Groups`]: account and figures.
    Groups(Vec<(AccountId, GroupFigures)>),
    /// To [`Question::Subjects`].
    Subjects(Box<SubjectFigures>),
    /// To [`Question::Receivers`]: the counts from a place on.
    Receivers(usize, Vec<u64>),
    /// Nothing more comes.
    End,
}

/// The busiest subjects of one core.
#[derive(Clone, Debug, Default)]
pub struct SubjectFigures {
    /// One message in so many was looked at; 0: none.
    pub sample_every: u64,
    /// A subject may be counted with so many messages too many, and one that is not there may have had so many.
    pub error_msgs: u64,
    /// What was seen.
    pub entries: Vec<SketchEntry>,
}

/// A question and where the answer goes.
#[derive(Debug)]
pub struct Ask {
    pub(super) question: Question,
    pub(super) to: Sender<(CoreId, Part)>,
}

/// A core did not answer in time, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent {
    /// How many have answered.
    pub answered: usize,
    /// How many there are.
    pub cores: usize,
}

/// All cores of a server, to be asked.
#[derive(Clone)]
pub struct Cores {
    shared: Arc<Shared>,
    mails: Arc<[Mail]>,
    wakers: Arc<[mio::Waker]>,
}

impl std::fmt::Debug for Cores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cores").field("count", &self.mails.len()).finish_non_exhaustive()
    }
}

impl Cores {
    /// The cores behind these words and wakers.
    pub fn new(shared: Arc<Shared>, mails: Arc<[Mail]>, wakers: Arc<[mio::Waker]>) -> Self {
        Self { shared, mails, wakers }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.mails.len()
    }

    /// Connections of the server.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Connections that were ever accepted.
    pub fn connections_ever(&self) -> u64 {
        self.shared.connections_ever()
    }

    /// Orders something from every core, and wakes it.
    pub fn order_all(&self, mut order: impl FnMut() -> Order) {
        for (core, (mail, waker)) in self.mails.iter().zip(self.wakers.iter()).enumerate() {
            self.shared.order(CoreId::new(core), order());
            mail.post(MAIN_BIT);
            // An error means that the core's poll is gone: it has ended.
            drop(waker.wake());
        }
    }

    /// Asks every core and hands each piece of the answers to `take`, as they come.
    ///
    /// # Errors
    /// Where some core has not answered in full `within` the time.
    pub fn ask(&self, question: &Question, within: Duration, mut take: impl FnMut(CoreId, Part)) -> Result<(), Silent> {
        let (to, from): (_, Receiver<(CoreId, Part)>) = channel();
        self.order_all(|| Order::Ask(Box::new(Ask { question: question.clone(), to: to.clone() })));
        drop(to);
        let until = Instant::now() + within;
        let mut answered = 0;
        while answered < self.count() {
            let left = until.saturating_duration_since(Instant::now());
            match from.recv_timeout(left.min(LOOK_UP_AFTER)) {
                Ok((_, Part::End)) => answered += 1,
                Ok((core, part)) => take(core, part),
                // A question that came too late for a core that ends is never answered.
                Err(RecvTimeoutError::Timeout) if left > LOOK_UP_AFTER && !self.shared.has_ended() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(Silent { answered, cores: self.count() });
                }
            }
        }
        Ok(())
    }
}
