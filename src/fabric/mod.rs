//! The only traffic between cores: rings, mail words, wakers, credit.
//!
//! Between each ordered pair of cores run two rings (`ring`): one for interest and control (`message`), one for batches of
//! messages (`batch`). `outbox` is the sending end of a core's links, `inbox` the receiving end, `mail` tells a core that
//! something came and whether it sleeps, `grace` says when an ended subscription is gone for good. Knows ids, limits and the
//! plain data it carries; what a message means is the reactor's business.

pub mod batch;
pub mod grace;
pub mod inbox;
pub mod mail;
pub mod message;
pub mod outbox;
pub mod ring;
mod sync;

use std::sync::Arc;

use crate::ids::CoreId;
use batch::BATCH_BYTES;
use inbox::Inbox;
use mail::Mail;
use outbox::Outbox;

/// What the links need from the world around them.
pub trait Schedule {
    /// Wakes a core that sleeps in its poll.
    fn wake(&self, core: CoreId);

    /// A point where another core may run; the simulator lets one. Nothing in a server: there they run all the time.
    #[inline(always)]
    fn preempt(&self) {}

    /// Whether a rule is to be broken on purpose: the simulator does, to show that it would notice.
    #[inline(always)]
    fn breaks(&self, _rule: Rule) -> bool {
        false
    }
}

/// The rules that make the broker causal and lossless (`reactor`), each of which the simulator breaks in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Interest and batches of a turn are pushed before a socket is written.
    PushBeforeWrite,
    /// What was read is acted on only after a look at the mail.
    LookBeforeActing,
    /// The look comes after the read, not before it.
    LookAfterRead,
    /// Interest is applied before batches are handled.
    InterestBeforeBatches,
    /// A fall of a weight takes effect in the look after the one that found it.
    RemovalsLag,
    /// Interest is pushed before the batches of the same turn.
    InterestPushedFirst,
    /// A look after a read handles the batches too, not only interest.
    BatchesBeforeActing,
    /// A PONG waits while messages of its connection wait for credit.
    PongBehindSpill,
    /// A queue message whose member has gone is given to another.
    ChooseAgain,
    /// A message that was sent on for a group does not reach plain subscribers again.
    ForwardGroupOnly,
    /// The origin is told that nobody was left.
    ReportUndelivered,
    /// The PONG after an UNSUB waits until the other cores have ended the turn they were in.
    Grace,
    /// When they have, one more look comes first.
    GraceLooks,
    /// A core looks at its mail once more before it sleeps.
    LookBeforeSleep,
    /// Credit comes back however slow a receiver is.
    CreditDespiteSlowReceiver,
    /// A queue message is never chosen back to a publisher that wants no echo.
    NoEchoInChoice,
    /// A message stays in the account of its publisher.
    WallsBetweenAccounts,
    /// What a client may not have is not delivered to it.
    CheckAtDelivery,
    /// A delivery counts once towards the end of a subscription.
    CountDeliveryOnce,
    /// Who logs in to another account leaves its subscriptions behind.
    NothingTakenAlong,
    /// Subscriptions that a client keeps are held against the rights of who it becomes.
    CheckWhatIsKept,
    /// A publisher of another core is held back for a receiver that is far behind.
    HoldOverCores,
    /// One that is held goes on as soon as its receiver has caught up.
    Release,
    /// A hold ends by itself.
    HoldsEnd,
    /// A login whose password was checked while the server was reloaded goes by what is configured now.
    CheckedUnderTheRulesOfNow,
}

/// Sizes of the links.
#[derive(Clone, Copy, Debug)]
pub struct LinkSizes {
    /// Entries of a batch ring; a power of two.
    pub batch_ring_entries: usize,
    /// Entries of an interest ring; a power of two.
    pub interest_ring_entries: usize,
    /// Bytes in flight on a link before its sender holds back.
    pub link_bytes_max: u64,
}

impl LinkSizes {
    /// What may be under way to a core over all its links, as a part of what may be pending for one of its clients: when publishers are
    /// held back for a receiver at three quarters, what is on its way still finds room.
    const UNDER_WAY: u64 = 8;

    /// The links' share of what `pending_bytes_max` leaves, where `link_bytes_max` is more than that.
    #[must_use]
    pub fn within(self, pending_bytes_max: u64, cores: usize) -> Self {
        let share = pending_bytes_max / Self::UNDER_WAY / (cores as u64).saturating_sub(1).max(1);
        Self { link_bytes_max: self.link_bytes_max.min(share.max(BATCH_BYTES as u64)), ..self }
    }
}

/// One core's ends of all links.
#[derive(Debug)]
pub struct Fabric<S> {
    /// This core.
    pub this: CoreId,
    /// The mail words of all cores, this one's among them.
    pub mails: Arc<[Mail]>,
    /// Sending ends.
    pub outbox: Outbox<S>,
    /// Receiving ends.
    pub inbox: Inbox<S>,
}

impl<S: Send> Fabric<S> {
    /// The links between `cores` cores, one part for each.
    pub fn mesh(cores: usize, sizes: LinkSizes) -> Vec<Self> {
        let mails: Arc<[Mail]> = (0..cores).map(|_| Mail::default()).collect();
        let mut outboxes: Vec<_> = (0..cores).map(|c| Outbox::new(CoreId::new(c), Arc::clone(&mails), sizes)).collect();
        let mut inboxes: Vec<_> = (0..cores).map(|c| Inbox::new(CoreId::new(c), Arc::clone(&mails))).collect();
        for (from, outbox) in outboxes.iter_mut().enumerate() {
            for (to, inbox) in inboxes.iter_mut().enumerate() {
                let (out, into) = if from == to { (None, None) } else { link(sizes) };
                outbox.add_link(out);
                // The outer loop runs over senders, so each inbox gets its links in their order.
                inbox.add_link(into);
            }
        }
        outboxes
            .into_iter()
            .zip(inboxes)
            .map(|(outbox, inbox)| Self { this: outbox.this(), mails: Arc::clone(&mails), outbox, inbox })
            .collect()
    }

    /// This core's mail.
    pub fn mail(&self) -> &Mail {
        &self.mails[self.this.index()]
    }

    /// How many cores there are.
    pub fn cores(&self) -> usize {
        self.mails.len()
    }
}

fn link<S: Send>(sizes: LinkSizes) -> (Option<outbox::Link<S>>, Option<inbox::Link<S>>) {
    let (interest_in, interest_out) = ring::ring(sizes.interest_ring_entries);
    let (batches_in, batches_out) = ring::ring(sizes.batch_ring_entries);
    let (empties_in, empties_out) = ring::ring(sizes.batch_ring_entries);
    let credit = Arc::new(outbox::Credit::default());
    let out = outbox::Link::new(interest_in, batches_in, empties_out, Arc::clone(&credit));
    (Some(out), Some(inbox::Link::new(interest_out, batches_out, empties_in, credit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::batch::{Content, Entry, Groups};
    use crate::fabric::message::Origin;
    use crate::ids::{AccountId, ConnId};

    /// Nobody sleeps here.
    struct Awake;

    impl Schedule for Awake {
        fn wake(&self, _core: CoreId) {}
    }

    /// Fills a batch for a core and sends it.
    fn send_full(from: &mut Fabric<()>, to: CoreId) {
        let conn = ConnId { core: from.this, slot: 0, generation: 0 };
        let whole = vec![b'x'; BATCH_BYTES];
        let entry = Entry {
            account: AccountId::GLOBAL,
            origin: Origin { conn, number: 0, share: 0 },
            no_echo: false,
            report: false,
            plain: true,
            hops: 0,
            groups: Groups::default(),
            subject: b"a",
            reply: b"",
            header_len: 0,
            content: Content::Inline { whole: &whole, line: 0, end: whole.len() },
        };
        from.outbox.deliver(to, &entry, None);
        assert!(from.outbox.push(&Awake), "there is no interest that could be stuck");
    }

    /// The other core handles so many batches.
    fn handle(other: &mut Fabric<()>, from: CoreId, count: usize) {
        for _ in 0..count {
            let batch = other.inbox.next_batch(from).expect("it was sent");
            let cost = batch.cost();
            other.inbox.done(from, batch, cost, &Awake);
        }
    }

    fn two_cores() -> (Fabric<()>, Fabric<()>) {
        let sizes = LinkSizes { batch_ring_entries: 256, interest_ring_entries: 2, link_bytes_max: u64::MAX };
        let mut parts = Fabric::mesh(2, sizes);
        let second = parts.pop().expect("two cores");
        (parts.pop().expect("two cores"), second)
    }

    #[test]
    fn what_is_under_way_to_a_core_is_an_eighth_of_what_may_be_pending_for_a_client() {
        const MIB: u64 = 1024 * 1024;
        let sizes = LinkSizes { batch_ring_entries: 256, interest_ring_entries: 2, link_bytes_max: 4 * MIB };
        let bytes = |pending, cores| sizes.within(pending, cores).link_bytes_max;
        assert_eq!([1, 2, 3, 5, 9].map(|cores| bytes(64 * MIB, cores)), [4 * MIB, 4 * MIB, 4 * MIB, 2 * MIB, MIB]);
        assert_eq!([bytes(16 * MIB, 2), bytes(1024, 64)], [2 * MIB, BATCH_BYTES as u64], "a batch always finds room");
    }

    #[test]
    fn what_a_burst_took_is_freed_when_it_was_not_used_for_a_while() {
        let (mut first, mut second) = two_cores();
        (0..200).for_each(|_| send_full(&mut first, second.this));
        assert_eq!([first.outbox.begins_to_keep(), first.outbox.begins_to_keep()], [true, false]);
        assert!(first.outbox.free_unused() == (0, true), "they are on their way");
        handle(&mut second, first.this, 200);
        assert!(first.outbox.free_unused() == (0, true), "they have just come back");
        // Three at once are in use, however often.
        for _ in 0..100 {
            (0..3).for_each(|_| send_full(&mut first, second.this));
            handle(&mut second, first.this, 3);
        }
        let (bytes, more) = first.outbox.free_unused();
        assert!((197 * BATCH_BYTES..=197 * 2 * BATCH_BYTES).contains(&bytes) && more, "{bytes} bytes");
        let (bytes, more) = first.outbox.free_unused();
        assert!((3 * BATCH_BYTES..=3 * 2 * BATCH_BYTES).contains(&bytes) && !more, "{bytes} bytes");
        send_full(&mut first, second.this);
        assert!(first.outbox.begins_to_keep(), "a new one was made");
    }
}
