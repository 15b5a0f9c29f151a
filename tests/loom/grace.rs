//! The grace period of an ended subscription: what was matched before its end is found in the last look.

use super::mail::Mail;
use super::ring::{Consumer, Producer, ring};
use super::words::{Fault, Faulty, Words};
use super::{drain, explore, push};
use loom::sync::Arc;
use loom::thread;

const A: u64 = 1;
const B: u64 = 2;

/// How the grace period is got wrong.
#[derive(Clone, Copy, PartialEq)]
enum Hasty {
    No,
    /// The subscription ends at once.
    NoGrace,
    /// It ends without a last look.
    NoLook,
    /// A says that its turn is over before what it matched is pushed.
    EndsTurnEarly,
    /// A matches after it has slept without a look.
    NoLookAfterSleep,
}

/// B ends a subscription while A, which knows it, is in a turn; A ends that one, sleeps or not, and has another. What A matched before it
/// could know of the end, B must find in its last look.
fn grace<W: Words>(words: fn() -> W, hasty: Hasty, sleeps: bool) {
    let (to_a, to_b) = (Arc::new(words()), Arc::new(words()));
    let (mut removal, removal_at_a) = ring(1);
    let (batches, mut batches_at_b) = ring(2);
    let core_a = {
        let (to_a, to_b) = (Arc::clone(&to_a), Arc::clone(&to_b));
        thread::spawn(move || match_as_a(hasty, sleeps, &*to_a, &*to_b, removal_at_a, batches))
    };
    push(&mut removal, 1, &*to_a, B);
    let turns = to_a.turns();
    let over = hasty == Hasty::NoGrace || to_a.turns() != turns || to_a.is_sleeping();
    let mut handled = 0;
    if over && hasty != Hasty::NoLook && to_b.take() & A != 0 {
        handled = batches_at_b.len_fresh();
    }
    let matched = core_a.join().unwrap();
    assert!(!over || handled == matched, "a message that was matched before is lost");
}

fn match_as_a<W: Words>(
    hasty: Hasty,
    sleeps: bool,
    own: &W,
    to_b: &W,
    mut removal: Consumer<u32>,
    mut batches: Producer<u32>,
) -> usize {
    let (mut interested, mut matched) = (true, 0);
    for turn in 0..2 {
        let looks = turn > 0 && hasty != Hasty::NoLookAfterSleep; // in the first turn it has looked already
        if looks && own.take() & B != 0 && !drain(&mut removal).is_empty() {
            interested = false;
        }
        if hasty == Hasty::EndsTurnEarly {
            own.end_turn();
        }
        if interested {
            push(&mut batches, turn, to_b, A);
            matched += 1;
        }
        if hasty != Hasty::EndsTurnEarly {
            own.end_turn();
        }
        if sleeps && turn == 0 {
            own.publish_sleep();
            let _ = own.any(); // with or without mail it goes on: poll may return for a socket
            own.awake();
        }
    }
    matched
}

#[test]
fn a_grace_period_loses_nothing() {
    explore(6, || grace(Mail::new, Hasty::No, false));
}

#[test]
fn a_grace_period_loses_nothing_to_a_sleeper() {
    explore(6, || grace(Mail::new, Hasty::No, true));
}

macro_rules! grace_faults {
    ($($name:ident: $words:expr, $hasty:ident, $sleeps:literal;)*) => {$(
        #[test]
        #[should_panic(expected = "matched before is lost")]
        fn $name() {
            explore(3, || grace($words, Hasty::$hasty, $sleeps));
        }
    )*};
}
grace_faults! {
    no_grace_is_found: Mail::new, NoGrace, false;
    no_last_look_is_found: Mail::new, NoLook, false;
    a_turn_that_ends_early_is_found: Mail::new, EndsTurnEarly, false;
    no_look_after_a_sleep_is_found: Mail::new, NoLookAfterSleep, true;
    a_stale_count_of_turns_is_found: || Faulty::new(Fault::TurnsWithoutFence), No, false;
    a_turn_that_is_not_released_is_found: || Faulty::new(Fault::TurnNotReleased), No, false;
}
