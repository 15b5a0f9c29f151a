//! The rules as they are: thousands of schedules hold.

use std::time::Duration;

use crate::checks::Failure;
use crate::scenarios::{ALL, Kind, Mix, schedule};
use crate::shape::Shape;
use crate::world::World;

/// Where causality over cores is at stake.
pub const CAUSAL: Mix =
    &[(Kind::SeenPong, 2), (Kind::SecondSubscriber, 1), (Kind::Answer, 4), (Kind::PongBrings, 3), (Kind::Drain, 2)];

/// Where members of groups come and go.
pub const COMING_AND_GOING: Mix = &[
    (Kind::ComeAndGo, 2),
    (Kind::LeaveAndJoin, 3),
    (Kind::HandOver, 3),
    (Kind::OneGroupEnds, 2),
    (Kind::DrainRequests, 1),
];

/// Schedules in all, of which a test plays its share.
fn schedules() -> u64 {
    number("DUNLIN_SIM_SCHEDULES").unwrap_or(2400)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays `count` schedules, or the one that was asked for.
fn hold(count: u64, cores: impl Fn(u64) -> usize, mix: Mix, adapt: fn(&mut Shape)) {
    let seeds = number("DUNLIN_SIM_SEED").map_or(0..count, |seed| seed..seed + 1);
    for seed in seeds {
        if let Err(failure) = schedule(seed, cores(seed), None, mix, adapt) {
            panic!("seed {seed}, {} cores: {}", cores(seed), failure.0);
        }
    }
}

#[test]
fn promises_hold_on_one_core() {
    hold(schedules() / 8, |_| 1, ALL, |_| {});
}

#[test]
fn promises_hold_on_two_cores() {
    hold(schedules() / 4, |_| 2, ALL, |_| {});
}

#[test]
fn promises_hold_on_three_cores() {
    hold(schedules() / 4, |_| 3, ALL, |_| {});
}

#[test]
fn promises_hold_on_four_cores() {
    hold(schedules() / 8, |_| 4, ALL, |_| {});
}

#[test]
fn promises_hold_while_members_come_and_go() {
    hold(schedules() / 6, two_to_four, COMING_AND_GOING, |_| {});
}

#[test]
fn promises_hold_where_rules_are_decisive() {
    hold(schedules() / 6, two_to_four, CAUSAL, |_| {});
}

#[test]
fn promises_hold_where_one_turn_fills_several_batches() {
    hold(schedules() / 12, two_to_four, &[(Kind::HandOver, 3), (Kind::Drain, 1), (Kind::PongBrings, 1)], large_turns);
}

#[test]
fn a_frozen_subscriber_delays_nobody_and_is_closed() {
    hold(schedules() / 12, some, &[(Kind::Frozen, 3), (Kind::Churn, 1)], small_pending);
}

#[test]
fn a_late_subscriber_gets_all_and_its_publishers_go_on_when_it_has_caught_up() {
    hold(schedules() / 12, some, LATE, slow_wires);
}

#[test]
fn a_lame_duck_tells_everybody_and_loses_nothing() {
    hold(schedules() / 12, some, &[(Kind::LameDuck, 1)], |_| {});
}

#[test]
fn stopping_loses_nothing_that_was_accepted() {
    hold(schedules() / 12, some, &[(Kind::Stop, 1)], |_| {});
}

/// As the mutants about logins are played: there are accounts, and wildcards.
pub fn neighbours(shape: &mut Shape) {
    shape.neighbours = 1 + shape.clients % 2;
    shape.literal = false;
}

#[test]
fn promises_hold_for_clients_that_log_in_again() {
    hold(schedules() / 6, some, &[(Kind::LogInAgain, 3), (Kind::Denied, 1), (Kind::SeenPong, 1)], neighbours);
}

/// Where they race with clients that come, publish and go, with each other, and with an end.
pub const RELOADS: Mix = &[
    (Kind::Reload, 4),
    (Kind::ReloadLimits, 2),
    (Kind::CheckedMeanwhile, 1),
    (Kind::LogInAgain, 1),
    (Kind::Answer, 1),
    (Kind::LameDuck, 1),
    (Kind::Stop, 1),
];

#[test]
fn reloads_lose_nothing_and_close_exactly_those_over_a_limit() {
    hold(schedules() / 6, some, RELOADS, |_| {});
}

#[test]
fn reloads_hold_for_users_and_accounts_on_all_cores() {
    hold(schedules() / 6, some, RELOADS, neighbours);
}

#[test]
fn reloads_that_take_tls_away_leave_who_has_it() {
    let adapt = |shape: &mut Shape| {
        neighbours(shape);
        shape.secure = 50;
    };
    hold(schedules() / 24, some, RELOADS, adapt);
}

/// Half of the clients speak TLS: the same promises, over sockets that take a few hundred bytes at a time.
#[test]
fn promises_hold_through_tls() {
    hold(schedules() / 12, some, ALL, |shape| shape.secure = 50);
}

#[test]
fn promises_hold_through_tls_for_large_payloads() {
    let adapt = |shape: &mut Shape| {
        large_turns(shape);
        shape.secure = 80;
    };
    hold(schedules() / 60, some, &[(Kind::HandOver, 3), (Kind::Drain, 1), (Kind::PongBrings, 1)], adapt);
}

#[test]
fn a_frozen_subscriber_with_tls_is_closed_too() {
    let adapt = |shape: &mut Shape| {
        small_pending(shape);
        shape.secure = 80;
    };
    hold(schedules() / 40, some, &[(Kind::Frozen, 3), (Kind::Churn, 1)], adapt);
}

/// One to four cores.
fn some(seed: u64) -> usize {
    1 + seed as usize % 4
}

/// As the mutants are played.
pub fn two_to_four(seed: u64) -> usize {
    2 + seed as usize % 3
}

/// Large payloads, many in a read: some of what a turn has matched goes, the rest waits for credit.
fn large_turns(shape: &mut Shape) {
    shape.large = 80;
    shape.large_bytes = &[33_000];
    shape.buffer_bytes = (100_000, 300_000);
    shape.turn_bytes_max = 1 << 20;
    shape.pace = (10, &[100, 500, 1500]);
}

/// Where publishers outrun a subscriber that reads.
pub const LATE: Mix = &[(Kind::Late, 3), (Kind::Churn, 1)];

/// Publishers can fill a queue, and what is under way when they are held back fits into the rest of it.
pub fn slow_wires(shape: &mut Shape) {
    small_pending(shape);
    shape.pending_bytes_max = 100_000;
    shape.fast_producer_stall = true;
    shape.buffer_bytes = (1000, 4000);
    shape.odd = 0;
}

/// What is pending is bounded so that a frozen subscriber reaches the bound.
pub fn small_pending(shape: &mut Shape) {
    shape.pending_bytes_max = 40_000;
    shape.stall_from_bytes = 30_000;
    shape.pressure_bytes = 10_000;
    shape.large = 0;
}

#[test]
fn promises_hold_on_cores_that_rest() {
    hold(schedules() / 12, some, ALL, |shape| shape.rest = Duration::from_micros(50));
}

#[test]
fn a_core_that_rests_lets_work_gather() {
    for cores in 1..=4 {
        for rest in [Duration::ZERO, Duration::from_millis(20)] {
            let took = two_pings(cores, rest).unwrap_or_else(|failure| panic!("{cores} cores: {}", failure.0));
            let most = if rest.is_zero() { Duration::from_millis(20) } else { Duration::MAX };
            assert!(took >= rest && took < most, "{cores} cores that rest for {rest:?} answered after {took:?}");
        }
    }
}

/// What it takes to answer a PING behind a message, and another one after it.
fn two_pings(cores: usize, rest: Duration) -> Result<Duration, Failure> {
    let mut world = World::new(cores as u64, cores, None, |shape| shape.rest = rest)?;
    world.settle()?;
    let began = world.hub.now.get();
    for _ in 0..2 {
        world.publish(0, "nobody", "");
        world.clients[0].ping();
        world.until_pong(0)?;
    }
    let took = world.hub.now.get() - began;
    world.finish()?;
    Ok(took)
}
