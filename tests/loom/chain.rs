//! The causal rule over three cores and two sockets: push before write, look after read, interest before batches.

use super::mail::{Mail, push_before_write};
use super::ring::{Consumer, Producer, ring};
use super::{drain, explore, push};
use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::thread;

/// Which step of the chain is wrong.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// A writes its socket before it has pushed.
    WriteBeforePush,
    /// B acts on what it read without a look.
    ActBeforeLook,
    /// B looks, reads, acts.
    LookBeforeRead,
    /// B pushes its batch before its interest.
    BatchesPushedFirst,
    /// C handles batches before it applies interest.
    BatchesHandledFirst,
    /// C does not take the mail word again after it has noted the batch rings.
    OneTake,
    /// C notes how far the batch rings are filled after it has applied interest.
    NoteAfterInterest,
}

const A: u64 = 1;
const B: u64 = 2;

/// A subscribes and answers its client; that client tells another, which publishes at B; B, which subscribes too, sends the batch to C.
/// Whatever the batch was caused by, C must know when it handles it: the interest of A, which came by another ring, and of B.
fn chain(wrong: Wrong) {
    let (to_b, to_c) = (Arc::new(Mail::new()), Arc::new(Mail::new()));
    let (mut interest_ab, interest_from_a_at_b) = ring(1);
    let (mut interest_ac, interest_from_a_at_c) = ring(1);
    let (interest_bc, interest_from_b_at_c) = ring(1);
    let (mut batches, batches_at_c) = ring(2);
    let sockets = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
    push(&mut batches, 0, &*to_c, B); // of an earlier turn, caused by nothing

    let core_a = {
        let (to_b, to_c, sockets) = (Arc::clone(&to_b), Arc::clone(&to_c), Arc::clone(&sockets));
        move || {
            if wrong == Wrong::WriteBeforePush {
                sockets.0.store(true, Relaxed);
            }
            push(&mut interest_ac, 1, &*to_c, A);
            push(&mut interest_ab, 1, &*to_b, A);
            push_before_write();
            sockets.0.store(true, Relaxed);
        }
    };
    let clients = {
        let sockets = Arc::clone(&sockets);
        move || {
            // The kernel's side of a socket: an acquire and a release (fabric::mail, 6).
            if sockets.0.load(Acquire) {
                sockets.1.store(true, Release);
            }
        }
    };
    let core_b = {
        let to_c = Arc::clone(&to_c);
        move || {
            if let Some(knows_a) = read_and_look(wrong, &sockets.1, &to_b, interest_from_a_at_b) {
                assert!(knows_a, "B acts on a message whose cause it does not know");
                flush_to_c(wrong, &to_c, interest_bc, batches);
            }
        }
    };
    let threads = [thread::spawn(core_a), thread::spawn(clients), thread::spawn(core_b)];
    look_as_c(wrong, &to_c, [interest_from_a_at_c, interest_from_b_at_c], batches_at_c);
    for t in threads {
        t.join().unwrap();
    }
}

/// B: whether it knows A's interest when it acts; `None` where nothing has come over the socket.
fn read_and_look(wrong: Wrong, socket: &AtomicBool, mail: &Mail, mut from_a: Consumer<u32>) -> Option<bool> {
    let mut look = || mail.take() & A != 0 && !drain(&mut from_a).is_empty();
    let early = wrong == Wrong::LookBeforeRead && look();
    if !socket.load(Relaxed) {
        return None;
    }
    let looks = !matches!(wrong, Wrong::LookBeforeRead | Wrong::ActBeforeLook);
    Some(early || looks && look())
}

fn flush_to_c(wrong: Wrong, to_c: &Mail, mut interest: Producer<u32>, mut batches: Producer<u32>) {
    if wrong == Wrong::BatchesPushedFirst {
        push(&mut batches, 1, to_c, B);
        push(&mut interest, 1, to_c, B);
    } else {
        push(&mut interest, 1, to_c, B);
        push(&mut batches, 1, to_c, B);
    }
}

fn look_as_c(wrong: Wrong, mail: &Mail, mut interest: [Consumer<u32>; 2], mut batches: Consumer<u32>) {
    let mut senders = mail.take();
    if senders & B == 0 {
        return;
    }
    let mut note = batches.len_fresh();
    if wrong != Wrong::OneTake {
        senders |= mail.take();
    }
    let mut knows = [false; 2];
    if wrong != Wrong::BatchesHandledFirst {
        for (i, ring) in interest.iter_mut().enumerate() {
            knows[i] = senders & (1 << i) != 0 && !drain(ring).is_empty();
        }
    }
    if wrong == Wrong::NoteAfterInterest {
        note = batches.len_fresh();
    }
    for _ in 0..note {
        let caused = batches.pop().expect("a noted batch is there") == 1;
        assert!(!caused || knows == [true; 2], "C handles a batch whose cause it does not know");
    }
}

#[test]
fn causes_are_known_over_three_cores_and_sockets() {
    explore(3, || chain(Wrong::Nothing));
}

macro_rules! chain_faults {
    ($($name:ident: $wrong:ident, $says:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $says)]
        fn $name() {
            explore(3, || chain(Wrong::$wrong));
        }
    )*};
}
chain_faults! {
    a_write_before_the_push_is_found: WriteBeforePush, "B acts on";
    an_act_without_a_look_is_found: ActBeforeLook, "B acts on";
    a_look_before_the_read_is_found: LookBeforeRead, "B acts on";
    batches_pushed_before_interest_are_found: BatchesPushedFirst, "C handles";
    batches_handled_before_interest_are_found: BatchesHandledFirst, "C handles";
    a_look_that_takes_once_is_found: OneTake, "C handles";
    a_note_after_interest_is_found: NoteAfterInterest, "C handles";
}
