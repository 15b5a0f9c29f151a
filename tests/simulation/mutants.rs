//! Rules broken on purpose: each is noticed within a bounded number of schedules, or the simulation is blind.
//!
//! A rule is met by some scenarios more often than by others; each test plays those. That the same scenarios hold while the rules do is
//! the business of `schedules`.

use dunlin::fabric::Rule;

use crate::scenarios::{Kind, Mix, schedule};
use crate::schedules::{CAUSAL, COMING_AND_GOING, LATE, neighbours, slow_wires, small_pending, two_to_four};
use crate::shape::Shape;

/// Schedules within which a fault must show.
const SCHEDULES_MAX: u64 = 10_000;

fn caught(rule: Rule, mix: Mix, adapt: fn(&mut Shape)) {
    caught_on(two_to_four, rule, mix, adapt);
}

/// Plays schedules in which `rule` is broken until one fails.
fn caught_on(cores: fn(u64) -> usize, rule: Rule, mix: Mix, adapt: fn(&mut Shape)) {
    for seed in 0..SCHEDULES_MAX {
        let cores = cores(seed);
        if let Err(failure) = schedule(seed, cores, Some(rule), mix, adapt) {
            println!("{rule:?} broken: seed {seed}, {cores} cores: {}", failure.0);
            return;
        }
    }
    panic!("{rule:?} is broken, and {SCHEDULES_MAX} schedules hold");
}

/// What takes a chain of three.
fn three_or_four(seed: u64) -> usize {
    3 + seed as usize % 2
}

const STREAM: Mix = &[(Kind::HandOverInAStream, 1)];

/// One core often stands still while the others do much; each request has a subscription of its own.
fn long_halts(shape: &mut Shape) {
    shape.pace = (6, &[500, 1500, 3000]);
    shape.literal = true;
}

/// The same, and what clients send arrives a few bytes at a time.
fn dribbling(shape: &mut Shape) {
    long_halts(shape);
    shape.buffer_bytes = (64, 400);
    shape.large = 0;
    shape.turn_events_max = 1;
    shape.victim = Some(shape.cores - 1);
}

#[test]
fn writing_before_pushing_is_caught() {
    caught(Rule::PushBeforeWrite, CAUSAL, |_| {});
}

#[test]
fn acting_without_a_look_is_caught() {
    caught(Rule::LookBeforeActing, CAUSAL, |_| {});
}

#[test]
fn looking_before_reading_is_caught() {
    caught(Rule::LookAfterRead, CAUSAL, |_| {});
}

#[test]
fn batches_handled_before_interest_are_caught() {
    caught_on(three_or_four, Rule::InterestBeforeBatches, &[(Kind::LeaveAndJoin, 1)], |_| {});
}

#[test]
fn removals_that_take_effect_at_once_are_caught() {
    caught_on(three_or_four, Rule::RemovalsLag, STREAM, dribbling);
}

#[test]
fn batches_pushed_before_interest_are_caught() {
    caught(Rule::InterestPushedFirst, &[(Kind::Answer, 1)], long_halts);
}

#[test]
fn a_look_that_leaves_batches_is_caught() {
    caught(Rule::BatchesBeforeActing, CAUSAL, |_| {});
}

#[test]
fn a_pong_that_overtakes_the_spill_is_caught() {
    caught(Rule::PongBehindSpill, &[(Kind::PongBrings, 2), (Kind::Verbose, 1), (Kind::Drain, 1)], |_| {});
}

#[test]
fn a_message_that_is_not_given_to_another_member_is_caught() {
    caught(Rule::ChooseAgain, COMING_AND_GOING, |_| {});
}

#[test]
fn a_forward_that_reaches_plain_subscribers_again_is_caught() {
    caught(Rule::ForwardGroupOnly, &[(Kind::ComeAndGo, 1)], |_| {});
}

#[test]
fn a_request_that_nobody_gets_in_silence_is_caught() {
    caught(Rule::ReportUndelivered, &[(Kind::LastLeft, 2), (Kind::DrainRequests, 1)], |_| {});
}

#[test]
fn an_end_without_a_grace_period_is_caught() {
    caught(Rule::Grace, STREAM, dribbling);
}

#[test]
fn a_grace_period_that_ends_without_a_look_is_caught() {
    caught(Rule::GraceLooks, STREAM, dribbling);
}

#[test]
fn sleeping_without_a_second_look_is_caught() {
    caught(Rule::LookBeforeSleep, CAUSAL, |_| {});
}

#[test]
fn credit_held_back_for_a_slow_receiver_is_caught() {
    caught(Rule::CreditDespiteSlowReceiver, &[(Kind::Frozen, 1)], small_pending);
}

#[test]
fn publishers_that_are_not_held_back_over_cores_are_caught() {
    caught(Rule::HoldOverCores, LATE, slow_wires);
}

#[test]
fn a_hold_without_a_release_is_caught() {
    caught(Rule::Release, LATE, slow_wires);
}

#[test]
fn a_hold_without_an_end_is_caught() {
    caught(Rule::HoldsEnd, &[(Kind::Frozen, 1)], small_pending);
}

#[test]
fn a_message_chosen_back_to_a_publisher_without_echo_is_caught() {
    caught(Rule::NoEchoInChoice, &[(Kind::NoEcho, 1)], |_| {});
}

#[test]
fn a_delivery_that_counts_twice_towards_a_maximum_is_caught() {
    caught(Rule::CountDeliveryOnce, &[(Kind::Maximum, 1)], |_| {});
}

#[test]
fn subscriptions_that_come_along_to_another_account_are_caught() {
    caught(Rule::NothingTakenAlong, &[(Kind::LogInAgain, 1)], neighbours);
}

#[test]
fn subscriptions_of_a_guest_that_keep_its_rights_are_caught() {
    caught(Rule::CheckWhatIsKept, &[(Kind::LogInAgain, 1)], neighbours);
}

#[test]
fn a_login_that_goes_by_what_a_reload_has_taken_away_is_caught() {
    caught(Rule::CheckedUnderTheRulesOfNow, &[(Kind::CheckedMeanwhile, 1)], neighbours);
}

#[test]
fn a_message_that_leaves_its_account_is_caught() {
    caught(Rule::WallsBetweenAccounts, &[(Kind::SeenPong, 1)], neighbours);
}

#[test]
fn a_message_that_reaches_who_may_not_have_it_is_caught() {
    caught(Rule::CheckAtDelivery, &[(Kind::Denied, 1)], neighbours);
}
