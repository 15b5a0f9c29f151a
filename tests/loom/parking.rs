//! Parking: nobody sleeps on mail, and a sleeping core is woken once.

use super::mail::Mail;
use super::ring::ring;
use super::words::{Fault, Faulty, Words};
use super::{drain, explore, push};
use loom::sync::Arc;
use loom::thread;

/// Something was pushed, and the pusher pushes again; the owner looks once and goes to sleep. Asleep with something in the ring, it must
/// have been told.
fn nobody_sleeps_on_mail<W: Words>(words: W, second_look: bool) {
    let words = Arc::new(words);
    let (mut producer, mut consumer) = ring(2);
    push(&mut producer, 0, &*words, 1);
    let to = Arc::clone(&words);
    let pusher = thread::spawn(move || {
        push(&mut producer, 1, &*to, 1);
        to.claim_wake()
    });
    if words.take() != 0 {
        drain(&mut consumer);
    }
    words.publish_sleep();
    let asleep = !second_look || !words.any();
    let claimed = pusher.join().unwrap();
    let has_mail = !consumer.is_empty_fresh();
    assert!(!asleep || !has_mail || claimed, "a core sleeps although it has mail");
    assert!(!has_mail || words.any(), "a core cannot know that it has mail");
}

#[test]
fn no_wake_up_is_lost() {
    explore(6, || nobody_sleeps_on_mail(Mail::new(), true));
}

#[test]
fn no_wake_up_is_lost_by_the_double() {
    explore(3, || nobody_sleeps_on_mail(Faulty::new(Fault::None), true));
}

#[test]
#[should_panic(expected = "a core sleeps although")]
fn a_sleep_without_a_second_look_is_found() {
    explore(3, || nobody_sleeps_on_mail(Mail::new(), false));
}

#[test]
#[should_panic(expected = "a core sleeps although")]
fn a_sleep_without_a_fence_is_found() {
    explore(3, || nobody_sleeps_on_mail(Faulty::new(Fault::SleepWithoutFence), true));
}

#[test]
#[should_panic(expected = "a core sleeps although")]
fn a_claim_without_a_fence_is_found() {
    explore(3, || nobody_sleeps_on_mail(Faulty::new(Fault::ClaimWithoutFence), true));
}

#[test]
#[should_panic(expected = "it has mail")]
fn a_skipped_post_without_a_fence_is_found() {
    explore(3, || nobody_sleeps_on_mail(Faulty::new(Fault::SkipWithoutFence), true));
}

/// Two pushers; the owner sleeps if it finds nothing.
fn one_of_two_wakes<W: Words>(words: W) {
    let words = Arc::new(words);
    let mut consumers = Vec::new();
    let pushers = [1, 2].map(|bit| {
        let (mut producer, consumer) = ring(1);
        consumers.push(consumer);
        let to = Arc::clone(&words);
        thread::spawn(move || {
            push(&mut producer, 7, &*to, bit);
            to.claim_wake()
        })
    });
    words.publish_sleep();
    let asleep = !words.any();
    let claimed: u32 = pushers.into_iter().map(|p| u32::from(p.join().unwrap())).sum();
    assert!(claimed <= 1, "woken twice");
    assert!(!asleep || claimed == 1, "a core sleeps although it has mail");
    assert_eq!(words.take(), 3, "both are in the word");
    assert!(consumers.iter_mut().all(|c| c.pop() == Some(7)));
}

#[test]
fn a_sleeping_core_is_woken_once() {
    explore(5, || one_of_two_wakes(Mail::new()));
}

#[test]
#[should_panic(expected = "woken twice")]
fn a_claim_without_a_swap_is_found() {
    explore(3, || one_of_two_wakes(Faulty::new(Fault::ClaimWithoutSwap)));
}
