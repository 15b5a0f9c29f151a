//! The sending ends of a core's links.
//!
//! Owns what this core owes others: changes of interest, control, batches, and batches that wait for credit (the spill), and the
//! empty batches that have come back.
//! Never waits: what does not fit stays here, and the caller is told. Interest goes first; while some of it is stuck, nothing
//! else may leave this core. Invariant: batches to one core leave in the order in which they were filled.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use super::batch::{BATCH_BYTES, Batch, Entry};
use super::mail::Mail;
use super::message::{CoreMessage, InterestBatch, InterestChange};
use super::ring::{Consumer, Full, Producer};
use super::{LinkSizes, Rule, Schedule};
use crate::ids::{ConnId, CoreId};

/// Interest that a sleeping core may leave unread, in bytes: it is woken when there is more.
const UNSEEN_BYTES_MAX: usize = 64 * 1024;

/// A list of spare batches that has become short keeps room for so many.
const SPARE_ENTRIES_KEPT: usize = 16;

/// How much of a link's budget has come back; shared by its two ends.
#[derive(Debug, Default)]
pub struct Credit {
    /// Bytes that the receiver has dealt with, since the start. Written by the receiver.
    consumed: AtomicU64,
    /// The sender waits for credit and wants to be told. Written by both.
    starved: AtomicBool,
}

impl Credit {
    /// The receiver has dealt with so many bytes. Whether the sender waits for that.
    pub(super) fn give_back(&self, bytes: u64) -> bool {
        let consumed = self.consumed.load(Ordering::Relaxed); // only this end writes it
        self.consumed.store(consumed + bytes, Ordering::Release);
        // Against the fence in `Link::offer`: either the sender sees the credit or we see that it waits.
        fence(Ordering::SeqCst);
        self.starved.load(Ordering::Relaxed) && self.starved.swap(false, Ordering::Relaxed)
    }
}

/// The sending end of one link.
#[derive(Debug)]
pub struct Link<S> {
    interest: Producer<CoreMessage<S>>,
    batches: Producer<Box<Batch>>,
    empties: Consumer<Box<Batch>>,
    /// Batches that came back. The one that came last is used first: so no more are in use than are under way at once, and the others
    /// can be told from them.
    #[expect(
        clippy::vec_box,
        reason = "they travel boxed: taking one out of its box and putting it back would move it twice"
    )]
    spare: Vec<Box<Batch>>,
    /// How many of them were not used for a while, from the first.
    unused: usize,
    credit: Arc<Credit>,
    /// Bytes pushed since the start.
    sent: u64,
    /// The most bytes that were in flight.
    high_water: u64,
    /// Bytes of interest pushed since the receiver was last woken.
    unseen_bytes: usize,
    /// Interest and control that did not go yet.
    owed: VecDeque<CoreMessage<S>>,
    /// The batch of this turn.
    open: Option<Box<Batch>>,
    /// Full batches and, in front of them, the spill.
    closed: VecDeque<Box<Batch>>,
    /// How many of `closed` are spill: their feeders have been told to stop.
    spilled: usize,
    /// Messages of other cores that were sent on: they do not wait for credit, see [`Outbox::deliver`].
    sent_on: Option<Box<Batch>>,
}

impl<S: Send> Link<S> {
    pub(super) fn new(
        interest: Producer<CoreMessage<S>>,
        batches: Producer<Box<Batch>>,
        empties: Consumer<Box<Batch>>,
        credit: Arc<Credit>,
    ) -> Self {
        let (owed, closed) = (VecDeque::new(), VecDeque::new());
        Self {
            interest,
            batches,
            empties,
            spare: Vec::new(),
            unused: 0,
            credit,
            sent: 0,
            high_water: 0,
            unseen_bytes: 0,
            owed,
            open: None,
            closed,
            spilled: 0,
            sent_on: None,
        }
    }

    /// Takes what has come back.
    fn take_back(&mut self) {
        while let Some(batch) = self.empties.pop() {
            self.spare.push(batch);
        }
    }

    /// A batch to be filled; `made`: whether it is a new one.
    fn empty_batch(&mut self, made: &mut bool) -> Box<Batch> {
        self.take_back();
        let batch = self.spare.pop();
        self.unused = self.unused.min(self.spare.len());
        *made |= batch.is_none();
        batch.unwrap_or_default()
    }

    /// Puts a batch into the ring where the link's budget and the ring have room; an empty link admits anything.
    ///
    /// Where there is none, the receiver has been asked to wake this core when there is.
    fn offer(&mut self, mut batch: Box<Batch>, bytes_max: u64) -> Result<(), Box<Batch>> {
        let cost = batch.cost();
        for asked in [false, true] {
            let consumed = self.credit.consumed.load(Ordering::Acquire);
            if self.sent == consumed || self.sent - consumed + cost <= bytes_max {
                match self.batches.try_push(batch) {
                    Ok(()) => {
                        self.sent += cost;
                        self.high_water = self.high_water.max(self.sent - consumed);
                        return Ok(());
                    }
                    Err(Full(back)) => batch = back,
                }
            }
            if !asked {
                self.credit.starved.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst); // see `Credit::give_back`
            }
        }
        Err(batch)
    }
}

/// The sending ends of one core.
#[derive(Debug)]
pub struct Outbox<S> {
    this: CoreId,
    mails: Arc<[Mail]>,
    sizes: LinkSizes,
    links: Vec<Option<Link<S>>>,
    changes: InterestBatch,
    /// Some link owes interest or control, or has a batch.
    busy: bool,
    /// A batch was made since the caller last looked.
    grown: bool,
    /// The caller calls [`Self::free_unused`] some time.
    watched: bool,
    /// Connections whose messages have gone into the spill since the caller last looked: stop reading them.
    pub held: Vec<ConnId>,
    /// Connections whose messages have left it, once for each time in `held`.
    pub released: Vec<ConnId>,
    /// Credit of incoming links to be given back, since what was sent on has left.
    pub repaid: Vec<(CoreId, u64)>,
    /// Batches that had to wait for credit, since the start.
    pub stalls: u64,
    /// Sleeping cores that were woken.
    wakes: Cell<u64>,
}

impl<S: Send> Outbox<S> {
    pub(super) fn new(this: CoreId, mails: Arc<[Mail]>, sizes: LinkSizes) -> Self {
        let (changes, links) = (InterestBatch::default(), Vec::new());
        let (held, released, repaid) = (Vec::new(), Vec::new(), Vec::new());
        let (busy, grown, watched, stalls, wakes) = (false, false, false, 0, Cell::new(0));
        Self { this, mails, sizes, links, changes, busy, grown, watched, held, released, repaid, stalls, wakes }
    }

    pub(super) fn add_link(&mut self, link: Option<Link<S>>) {
        self.links.push(link);
    }

    pub(super) fn this(&self) -> CoreId {
        self.this
    }

    /// Whether something waits for credit.
    pub fn has_spill(&self) -> bool {
        self.busy && self.links.iter().flatten().any(|l| !l.closed.is_empty())
    }

    /// Whether this core may sleep: what waits here, if anything, waits for credit, and whoever gives it wakes us.
    pub fn may_sleep(&self) -> bool {
        self.changes.is_empty()
            && (!self.busy || self.links.iter().flatten().all(|l| l.owed.is_empty() && l.open.is_none()))
    }

    /// Whether nothing at all waits here.
    pub fn is_empty(&self) -> bool {
        !self.busy && self.changes.is_empty()
    }

    /// Other cores must learn of this change before anything else leaves.
    pub fn announce(&mut self, change: &InterestChange<'_>) {
        if self.links.len() > 1 {
            self.changes.push(change);
        }
    }

    /// A message of control for one core.
    pub fn send(&mut self, to: CoreId, message: CoreMessage<S>) {
        if let Some(link) = &mut self.links[to.index()] {
            link.owed.push_back(message);
            self.busy = true;
        }
    }

    /// Puts a socket straight into the ring of another core; gives it back where there is no room.
    pub fn hand_over(&mut self, to: CoreId, message: CoreMessage<S>, os: &impl Schedule) -> Result<(), CoreMessage<S>> {
        let Some(link) = &mut self.links[to.index()] else { return Err(message) };
        if !link.owed.is_empty() || !self.changes.is_empty() {
            return Err(message); // order: what is owed goes first
        }
        link.interest.try_push(message).map_err(|Full(message)| message)?;
        self.notify(to, true, os);
        Ok(())
    }

    /// A client's message for one core.
    ///
    /// One that was sent on does not wait for credit: it keeps that of the link that it came by (`forwarded_for`), and two that wait
    /// for each other's links would wait for ever. What is under way without credit is bounded by what came with it.
    #[inline]
    pub fn deliver(&mut self, to: CoreId, entry: &Entry<'_>, forwarded_for: Option<(CoreId, u64)>) {
        let Some(link) = &mut self.links[to.index()] else { return };
        self.busy = true;
        if entry.hops > 0 {
            let mut sent_on = link.sent_on.take().unwrap_or_else(|| link.empty_batch(&mut self.grown));
            sent_on.push(entry);
            sent_on.forwarded.extend(forwarded_for);
            link.sent_on = Some(sent_on);
            return;
        }
        if link.open.is_none() {
            link.open = Some(link.empty_batch(&mut self.grown));
        }
        let Some(open) = &mut link.open else { return };
        open.push(entry);
        if open.cost() >= BATCH_BYTES as u64 {
            link.closed.extend(link.open.take());
        }
    }

    /// Everything that may go now, interest first. Whether all interest and control went: if not, no socket may be written.
    pub fn push(&mut self, os: &impl Schedule) -> bool {
        if os.breaks(Rule::InterestPushedFirst) {
            self.push_batches(os);
        }
        let all = self.push_interest(os);
        if all {
            self.push_batches(os);
        }
        all
    }

    fn push_interest(&mut self, os: &impl Schedule) -> bool {
        if !self.changes.is_empty() {
            let changes = Arc::new(std::mem::take(&mut self.changes));
            for link in self.links.iter_mut().flatten() {
                link.owed.push_back(CoreMessage::Interest(Arc::clone(&changes)));
            }
            self.busy = true;
        }
        if !self.busy {
            return true;
        }
        let mut all = true;
        for to in 0..self.links.len() {
            let Some(link) = &mut self.links[to] else { continue };
            if link.owed.is_empty() {
                continue;
            }
            // A sleeping core learns of interest when it next acts; control is for it to act on.
            let mut urgent = false;
            while let Some(message) = link.owed.pop_front() {
                let (control, bytes) = match &message {
                    CoreMessage::Interest(changes) => (false, changes.len_bytes()),
                    _ => (true, 0),
                };
                if let Err(Full(message)) = link.interest.try_push(message) {
                    link.owed.push_front(message);
                    all = false;
                    break;
                }
                urgent |= control;
                link.unseen_bytes += bytes;
            }
            let urgent = urgent || !all || link.interest.is_half_full() || link.unseen_bytes >= UNSEEN_BYTES_MAX;
            if urgent {
                link.unseen_bytes = 0;
            }
            self.notify(CoreId::new(to), urgent, os);
            os.preempt();
        }
        all
    }

    fn push_batches(&mut self, os: &impl Schedule) {
        if !self.busy {
            return;
        }
        self.busy = false;
        for to in 0..self.links.len() {
            let Some(link) = &mut self.links[to] else { continue };
            link.closed.extend(link.open.take());
            let mut pushed = false;
            if let Some(batch) = link.sent_on.take() {
                let forwarded = batch.forwarded.clone();
                match link.offer(batch, u64::MAX) {
                    Ok(()) => {
                        self.repaid.extend_from_slice(&forwarded);
                        pushed = true;
                        os.preempt();
                    }
                    Err(batch) => link.sent_on = Some(batch),
                }
            }
            while let Some(batch) = link.closed.pop_front() {
                let released = self.released.len();
                if link.spilled > 0 {
                    self.released.extend_from_slice(&batch.feeders);
                }
                if let Err(batch) = link.offer(batch, self.sizes.link_bytes_max) {
                    self.released.truncate(released);
                    link.closed.push_front(batch);
                    break;
                }
                link.spilled = link.spilled.saturating_sub(1);
                pushed = true;
                os.preempt();
            }
            for batch in link.closed.iter().skip(link.spilled) {
                self.held.extend_from_slice(&batch.feeders);
                self.stalls += 1;
            }
            link.spilled = link.closed.len();
            self.busy |= !link.closed.is_empty() || !link.owed.is_empty() || link.sent_on.is_some();
            if pushed {
                self.notify(CoreId::new(to), true, os);
                os.preempt();
            }
        }
    }

    /// Whether batches were made that nobody would free: then [`Self::free_unused`] is to be called a while later, and this is
    /// `false` until that has said that it need not be called again.
    pub fn begins_to_keep(&mut self) -> bool {
        let grown = std::mem::take(&mut self.grown);
        grown && !std::mem::replace(&mut self.watched, true)
    }

    /// Frees the empty batches that were not used since the last call. How many bytes these were, and whether it is to be called
    /// again later: there are others, or some are on their way.
    pub fn free_unused(&mut self) -> (usize, bool) {
        let (mut bytes, mut more) = (0, false);
        for link in self.links.iter_mut().flatten() {
            link.take_back();
            bytes += link.spare.drain(..link.unused).map(|batch| batch.room()).sum::<usize>();
            link.spare.shrink_to(SPARE_ENTRIES_KEPT);
            link.unused = link.spare.len();
            more |= link.unused > 0 || link.sent != link.credit.consumed.load(Ordering::Acquire);
        }
        self.watched = more;
        (bytes, more)
    }

    fn notify(&self, to: CoreId, wake: bool, os: &impl Schedule) {
        let mail = &self.mails[to.index()];
        mail.post(self.this.bit());
        if wake && mail.claim_wake() {
            self.wakes.set(self.wakes.get() + 1);
            os.wake(to);
        }
    }

    /// How many sleeping cores this one has woken.
    pub fn wakes(&self) -> u64 {
        self.wakes.get()
    }

    /// Of the link to a core, for monitoring: where it goes, bytes in flight, the most there were, bytes that wait for credit.
    pub fn figures(&self, to: CoreId) -> (CoreId, u64, u64, u64) {
        let link = self.links[to.index()].as_ref();
        let spill = link.map_or(0, |l| l.closed.iter().map(|batch| batch.cost()).sum());
        (to, self.in_flight(to), link.map_or(0, |l| l.high_water), spill)
    }

    /// Bytes on their way to each core.
    pub fn in_flight(&self, to: CoreId) -> u64 {
        self.links[to.index()].as_ref().map_or(0, |l| l.sent - l.credit.consumed.load(Ordering::Acquire))
    }
}
