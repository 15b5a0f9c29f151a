//! What applications do, and what they may rely on. A schedule plays several scenarios one after the other in one world.
//!
//! - `interest`: who has seen a PONG for a SUB gets what is published from then on; who has seen one for an UNSUB gets nothing more.
//! - `order`: order, PONGs that bring everything before them, drains.
//! - `queues`: groups whose members come and go; no echo; maxima.
//! - `requests`: answers over several sockets, 503s, responders that drain.
//! - `pressure`: verbose publishers without credit, frozen subscribers, late ones.
//! - `permissions`: members of groups who may not have everything.
//! - `endings`: resets, lame duck, stop.
//! - `logins`: clients that say CONNECT again.
//! - `reloads`: other settings while all that goes on.

pub mod endings;
pub mod interest;
pub mod logins;
pub mod order;
pub mod permissions;
pub mod pressure;
pub mod queues;
pub mod reloads;
pub mod requests;

use dunlin::fabric::Rule;

use crate::checks::{Failure, Name, Outcome, ensure};
use crate::client::{Client, Manners};
use crate::shape::Shape;
use crate::terms::Who;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    SeenPong,
    SecondSubscriber,
    AfterTheEnd,
    Drain,
    Churn,
    PongBrings,
    Answer,
    LastLeft,
    DrainRequests,
    ComeAndGo,
    LeaveAndJoin,
    HandOver,
    HandOverInAStream,
    NoEcho,
    Maximum,
    Groups,
    OneGroupEnds,
    Denied,
    Verbose,
    Frozen,
    Late,
    WriteDeadline,
    Idle,
    Resets,
    LameDuck,
    Stop,
    LogInAgain,
    Reload,
    ReloadLimits,
    CheckedMeanwhile,
}

/// Scenarios and how often each is played.
pub type Mix = &'static [(Kind, u64)];

/// Everything that leaves the server running.
pub const ALL: Mix = &[
    (Kind::SeenPong, 2),
    (Kind::SecondSubscriber, 2),
    (Kind::AfterTheEnd, 2),
    (Kind::Drain, 2),
    (Kind::Churn, 2),
    (Kind::PongBrings, 3),
    (Kind::Answer, 4),
    (Kind::LastLeft, 2),
    (Kind::DrainRequests, 2),
    (Kind::ComeAndGo, 2),
    (Kind::LeaveAndJoin, 4),
    (Kind::HandOver, 4),
    (Kind::HandOverInAStream, 3),
    (Kind::NoEcho, 2),
    (Kind::Maximum, 2),
    (Kind::Groups, 2),
    (Kind::OneGroupEnds, 2),
    (Kind::Denied, 2),
    (Kind::Verbose, 2),
    (Kind::WriteDeadline, 1),
    (Kind::Idle, 1),
    (Kind::Resets, 2),
    (Kind::LogInAgain, 2),
    (Kind::Reload, 2),
];

/// Scenarios in one schedule.
const IN_ONE: usize = 5;

/// Plays one schedule to its end.
pub fn schedule(seed: u64, cores: usize, broken: Option<Rule>, mix: Mix, adapt: fn(&mut Shape)) -> Outcome {
    let mut world =
        World::new(seed, cores, broken, adapt).map_err(|f| Failure(format!("while connecting: {}", f.0)))?;
    for number in 0..IN_ONE {
        let kind = draw(&world, mix);
        let played = play(kind, &mut world, number);
        played.map_err(|f| Failure(format!("scenario {number}, {kind:?}: {}", f.0)))?;
        if world.has_ended() {
            return Ok(());
        }
    }
    world.finish().map(drop).map_err(|f| Failure(format!("at the end: {}", f.0)))
}

fn draw(w: &World, mix: Mix) -> Kind {
    let mut at = w.random().below(mix.iter().map(|&(_, weight)| weight).sum());
    for &(kind, weight) in mix {
        if at < weight {
            return kind;
        }
        at -= weight;
    }
    mix[0].0
}

fn play(kind: Kind, w: &mut World, number: usize) -> Outcome {
    while well(w).len() < 5 {
        let client = w.connect();
        w.until_pong(client)?;
    }
    if w.random().chance(50) {
        noise(w, number)?;
    }
    neighbours_talk(w, number)?;
    match kind {
        Kind::SeenPong => interest::seen_pong(w, number),
        Kind::SecondSubscriber => interest::second_subscriber(w, number),
        Kind::AfterTheEnd => interest::after_the_end(w, number),
        Kind::Drain => order::drain(w, number),
        Kind::Churn => order::churn(w, number),
        Kind::PongBrings => order::pong_brings(w, number),
        Kind::Answer => requests::answer(w, number),
        Kind::LastLeft => requests::last_left(w, number),
        Kind::DrainRequests => requests::drain_requests(w, number),
        Kind::ComeAndGo => queues::come_and_go(w, number),
        Kind::LeaveAndJoin => queues::leave_and_join(w, number),
        Kind::HandOverInAStream => queues::hand_over_in_a_stream(w, number),
        Kind::HandOver => queues::hand_over(w, number),
        Kind::NoEcho => queues::no_echo(w, number),
        Kind::Maximum => queues::maximum(w, number),
        Kind::OneGroupEnds => queues::one_group_ends(w, number),
        Kind::Groups => queues::groups(w, number),
        Kind::Denied => permissions::denied(w, number),
        Kind::Verbose => pressure::verbose(w, number),
        Kind::WriteDeadline => pressure::write_deadline(w, number),
        Kind::Idle => pressure::idle(w, number),
        Kind::Frozen => pressure::frozen(w, number),
        Kind::Late => pressure::late(w, number),
        Kind::Resets => endings::resets(w, number),
        Kind::LameDuck => endings::lame_duck(w, number),
        Kind::Stop => endings::stop(w, number),
        Kind::LogInAgain => logins::log_in_again(w, number),
        Kind::Reload => reloads::reload(w, number),
        Kind::ReloadLimits => reloads::limits(w, number),
        Kind::CheckedMeanwhile => reloads::checked_meanwhile(w, number),
    }
}

/// Some load on the links, so that credit and rings run out.
fn noise(w: &mut World, number: usize) -> Outcome {
    let [a, b, c, d] = pick(w);
    let subject = format!("n{number}");
    w.clients[d].subscribe(&subject, None, &subject);
    w.go()?;
    for _ in 0..w.random().range(1, 8) {
        let publisher = w.random().of(&[a, b, c]);
        w.publish(publisher, &subject, "");
        w.go()?;
    }
    w.clients[d].unsubscribe(&subject);
    w.go()
}

/// In another account, on the subject that is used here.
fn neighbours_talk(w: &mut World, number: usize) -> Outcome {
    let neighbours = (0..w.clients.len()).filter(|&c| w.clients[c].who == Who::Neighbour && !w.clients[c].gone);
    for neighbour in neighbours.collect::<Vec<_>>() {
        let (subject, _) = subject(w, number);
        let reply = if w.random().chance(50) { format!("z.{neighbour}.{number}") } else { String::new() };
        w.publish(neighbour, &subject, &reply);
        w.go()?;
    }
    Ok(())
}

/// Clients that are there and well.
fn well(w: &World) -> Vec<usize> {
    let well = |client: &Client| !client.gone && !client.may_fail && client.who == Who::Anybody;
    (0..w.clients.len()).filter(|&c| well(&w.clients[c])).collect()
}

/// Different ones of them.
fn pick<const N: usize>(w: &World) -> [usize; N] {
    let mut all = well(w);
    std::array::from_fn(|_| w.random().take(&mut all))
}

/// The same, and the first of them hears of no responders.
fn pick_requester<const N: usize>(w: &mut World) -> Result<[usize; N], Failure> {
    let mut picked = pick::<N>(w);
    if !w.clients[picked[0]].manners.headers {
        let core = w.random().below(w.shape.cores as u64) as usize;
        let (verbose, echo) = (w.random().chance(20), w.random().chance(80));
        picked[0] = w.connect_with(core, Manners { verbose, echo, headers: true });
        w.until_pong(picked[0])?;
    }
    Ok(picked)
}

/// A subject, and a pattern that matches it.
fn subject(w: &World, number: usize) -> (String, String) {
    if w.shape.literal {
        return (format!("s{number}"), format!("s{number}"));
    }
    let forms = ["s.N.x", "s.N.*", "s.N.>", "*.N.x"];
    let form = forms[w.random().below(4) as usize];
    (format!("s.{number}.x"), form.replace('N', &number.to_string()))
}

fn equal(what: &str, got: &[Name], want: &[Name]) -> Outcome {
    ensure(got == want, || format!("{what}: {got:?} of {want:?}"))
}
