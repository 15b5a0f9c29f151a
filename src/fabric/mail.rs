//! The mail word, the sleeping flag and the turn counter of one core: whether anything came, who wakes it, which turn it has ended.
//!
//! Owns four words, each on cache lines of its own. Must not know rings or wakers: who pushes, posts afterwards; who is told by `claim_wake` to
//! wake, does it. The words say *that* something is in a ring, never what.
//!
//! # How it is used
//! ```text
//!   pushing core P                               owner O of this Mail
//!   ring.try_push(..)                            read(socket)
//!   mail.post(P)                                 if mail.any() {             -- or take() at once, or !known.is_empty()
//!   if mail.claim_wake() { waker.wake() }            senders = mail.take()
//!   ...                                              note = len_fresh of the batch rings of `senders`
//!   push_before_write()                              senders_too = mail.take()
//!   write(socket)                                    pop the interest rings of both sets until None; batches up to the note
//!                                                }
//!                                                act on what was read; push; end_turn()
//!                                                publish_sleep(); if mail.any() { awake() } else { poll; awake() }
//! ```
//!
//! # The second `take` of a look
//! A look that visits only rings whose bit it took has to take twice: a batch that P pushed *after* the first `take` can be in the note, and
//! what caused it (interest of a third core A, pushed before) then has its bit in the word again, not in the first set. The load of the note
//! acquires P's push, A's post happened before it, so the second `take` finds A. Bits of the second set have batches that were not noted: they
//! stay for the next look, and the owner remembers them, as it does when a budget cuts it short: `take` clears a bit whatever is left in the ring.
//!
//! # Memory order
//! Names: `tail` is any ring's index (Release store, Acquire load). In the total order of `SeqCst` fences, of two fences F and G one is first; a
//! write before F is then seen by a read after G (it, or a later write). This is the only property used beyond release and acquire.
//!
//! 1. *A post is found.* `post` is a Release read-modify-write, `take` an Acquire one, and all that happens to the word is read-modify-writes, so
//!    they continue each other's release sequences: who takes a bit has acquired the pushes before it.
//! 2. *`post` may skip a bit that is set.* P: write `tail`; fence; read the word. O in `take`: clear the word; fence; read `tail`. If P's fence is
//!    first, the look after that `take` sees the push. If O's is first, P does not read a value older than the clearing, and no later one has P's bit,
//!    which P alone sets: P does not skip. So whoever skips is seen by the look whose `take` clears the bit. Without P's fence
//!    (`tests/loom` has that as a mutant) P may skip by a stale word after O has looked.
//! 3. *No wake-up is lost.* P: push, post, fence, read the flag. O: write the flag, fence, read the word. If P's fence is first, O finds the bit (set by this
//!    post, or skipped: by 2 then still set, or a look saw the push) and does not sleep. If O's is first, P reads the flag as
//!    set, or as it was left by one who cleared it later: O itself, which then looks before it sleeps again, or a waker, which wakes O.
//! 4. *Woken once.* `claim_wake` clears the flag by a swap: one pusher a sleep gets `true`. `awake` may race with it; then a core that is awake is woken
//!    and polls once for nothing.
//! 5. *A turn that was ended is over.* O: match, push, `end_turn` (Release). P reads `turns` (Acquire) and, finding it changed, has acquired those pushes. That the
//!    count P *starts* from is not stale matters as much: P pushes a removal; fence; reads `turns`. O: `end_turn`; fence (in the look of
//!    its next turn); reads the word and `tail`. If P reads the count of a turn that O has ended, O's fence is later, and O's next look finds the removal before O
//!    matches anything more. The same holds for the flag: P, if it reads `true` although O has called `awake`, is seen by O's next look.
//!    A flag does not count while its owner owes: it sleeps with matched messages that wait for credit, and will push them later.
//!    So nothing is matched between a `turns` change (or a flag) that P accepts and the look that knows of the removal.
//! 6. *Over sockets.* P pushes and posts, then writes a socket; a client reads, and writes to O; O reads, then looks. The kernel hands bytes from thread
//!    to thread under locks (socket lock, skb queue; doorbells and DMA barriers on a wire), and a process that answers has read first, so each hop is a
//!    release and an acquire in all but the letter. The letter is ours: `push_before_write` is a `SeqCst` fence between the last push and the first
//!    write, `any` and `take` begin with one after the read, so that neither compiler nor CPU can move our accesses over the system call,
//!    whatever orders the kernel uses inside. A fence before a store that is seen by a load before a fence synchronises, hence every push before the write
//!    happens before every load of the look, and coherence forbids it an older index.

use super::sync::{AtomicBool, AtomicU64, Ordering, OwnLine, fence};

/// The main thread's bit in a mail word: it sends control and is no core.
pub const MAIN_BIT: u64 = 1 << 63;

/// One core's words. Shared in an `Arc`; see the header for who calls what.
pub struct Mail {
    /// A bit a sender: it has pushed since the last `take`. Set by senders, cleared by the owner.
    word: OwnLine<AtomicU64>,
    /// The owner sleeps, or is about to, and nobody has been told to wake it. Set by the owner, cleared by it or by one waker. Not on the
    /// line of `turns`, which the owner writes every turn and pushers need not fetch.
    sleeping: OwnLine<AtomicBool>,
    /// Something that the owner has matched waits for credit: it may sleep, but its turn is not over. Written by the owner.
    owes: OwnLine<AtomicBool>,
    /// Turns ended, with all that was matched in them pushed. Written by the owner.
    turns: OwnLine<AtomicU64>,
}

impl Mail {
    /// No mail, awake, no turn ended.
    #[must_use]
    pub fn new() -> Self {
        Self {
            word: OwnLine(AtomicU64::new(0)),
            sleeping: OwnLine(AtomicBool::new(false)),
            owes: OwnLine(AtomicBool::new(false)),
            turns: OwnLine(AtomicU64::new(0)),
        }
    }

    // --- for who pushes ---

    /// Tells the owner that the sender of `bit` has pushed; after the push. Only that sender uses its bit.
    #[inline]
    pub fn post(&self, bit: u64) {
        debug_assert!(bit.is_power_of_two(), "one sender posts for itself");
        fence(Ordering::SeqCst); // between the push and the load: makes skipping right (header, 2)
        if self.word.0.load(Ordering::Relaxed) & bit == 0 {
            self.word.0.fetch_or(bit, Ordering::AcqRel);
        }
    }

    /// After a post: must the caller wake the owner? `true` for one caller a sleep. Has its own fence.
    #[inline]
    #[must_use = "a claimed wake-up that is not carried out leaves the core asleep"]
    pub fn claim_wake(&self) -> bool {
        fence(Ordering::SeqCst); // between the post and the load (header, 3)
        self.sleeping.0.load(Ordering::Relaxed) && self.sleeping.0.swap(false, Ordering::AcqRel)
    }

    // --- for who waits for a grace period ---

    /// How many turns the owner has ended; all it matched in them can be seen in the rings. After a push: a count that is not older (header, 5).
    #[inline]
    pub fn turns(&self) -> u64 {
        fence(Ordering::SeqCst);
        self.turns.0.load(Ordering::Acquire)
    }

    /// The owner sleeps, and all that it matched before can be seen in the rings; before it matches more it looks (header, 5).
    #[inline]
    pub fn is_sleeping(&self) -> bool {
        fence(Ordering::SeqCst);
        // In this order: a flag that is read brings what the owner owed when it set it, or the pushes that settled it.
        self.sleeping.0.load(Ordering::Acquire) && !self.owes.0.load(Ordering::Acquire)
    }

    // --- for the owner ---

    /// Has anybody posted? A fence and a fresh load: after a read this is the look that the causal rule asks for.
    #[inline]
    pub fn any(&self) -> bool {
        fence(Ordering::SeqCst);
        self.word.0.load(Ordering::Acquire) != 0
    }

    /// Who has posted since the last time; clears the word. What the caller does not take out of those rings it must remember itself.
    #[inline]
    #[must_use = "the bits are cleared: nobody else will look into these rings"]
    pub fn take(&self) -> u64 {
        if !self.any() {
            return 0;
        }
        let senders = self.word.0.swap(0, Ordering::AcqRel);
        fence(Ordering::SeqCst); // between the clearing and the loads of the tails (header, 2)
        senders
    }

    /// Says that the owner is about to sleep. Then `any` once more, and sleep only if there is nothing; `awake` in either case.
    #[inline]
    pub fn publish_sleep(&self) {
        self.sleeping.0.store(true, Ordering::Release);
        fence(Ordering::SeqCst); // between the flag and the second look (header, 3)
    }

    /// Whether something that was matched waits for credit; before `publish_sleep`, and after what waited has been pushed.
    #[inline]
    pub fn set_owes(&self, owes: bool) {
        if self.owes.0.load(Ordering::Relaxed) != owes {
            self.owes.0.store(owes, Ordering::Release); // the owner is the only writer
        }
    }

    /// The owner does not sleep (any more). Before it matches anything it looks.
    #[inline]
    pub fn awake(&self) {
        self.sleeping.0.store(false, Ordering::Release);
    }

    /// A turn is over, and everything that was matched in it has been pushed: nothing waits in a spill.
    #[inline]
    pub fn end_turn(&self) {
        let turns = self.turns.0.load(Ordering::Relaxed); // the owner is the only writer
        self.turns.0.store(turns.wrapping_add(1), Ordering::Release);
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

/// Between the last push of a turn and its first write to a socket: the fence that orders them for whoever reads that socket and then looks.
#[inline]
pub fn push_before_write() {
    fence(Ordering::SeqCst);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn bits_stay_until_they_are_taken() {
        let mail = Mail::new();
        assert!(!mail.any() && mail.take() == 0);
        mail.post(1);
        mail.post(1);
        mail.post(MAIN_BIT);
        assert!(mail.any());
        assert_eq!(mail.take(), 1 | MAIN_BIT);
        assert!(!mail.any() && mail.take() == 0);
    }

    #[test]
    fn one_waker_a_sleep() {
        let mail = Mail::new();
        assert!(!mail.claim_wake());
        for _ in 0..2 {
            mail.publish_sleep();
            assert!(mail.is_sleeping());
            assert_eq!([mail.claim_wake(), mail.claim_wake()], [true, false]);
            assert!(!mail.is_sleeping());
        }
        mail.publish_sleep();
        mail.awake();
        assert!(!mail.claim_wake());
    }

    #[test]
    fn who_owes_sleeps_for_wakers_but_not_for_who_waits_for_its_turn() {
        let mail = Mail::new();
        mail.set_owes(true);
        mail.publish_sleep();
        assert!(!mail.is_sleeping() && mail.claim_wake());
        mail.publish_sleep();
        mail.set_owes(false);
        assert!(mail.is_sleeping());
    }

    #[test]
    fn turns_count() {
        let mail = Mail::new();
        assert_eq!(mail.turns(), 0);
        mail.end_turn();
        assert_eq!(mail.turns(), 1);
    }

    #[test]
    fn words_of_different_writers_are_on_different_lines() {
        assert_eq!((size_of::<Mail>(), align_of::<Mail>()), (512, 128));
    }
}
