//! Clients that say CONNECT again, as others and in other accounts, while they hold subscriptions and others publish.
//!
//! What may come on which subscription is checked as it comes (`checks`); here is checked that what may come does.

use super::equal;
use crate::checks::{Name, Outcome, ensure};
use crate::client::{Life, Manners, matches};
use crate::terms::Who;
use crate::world::World;

const PLAIN: Manners = Manners { verbose: false, echo: true, headers: false };

/// Somebody who may do what it likes, on any core.
pub fn anybody(w: &mut World) -> Result<usize, crate::checks::Failure> {
    let core = w.random().below(w.shape.cores as u64) as usize;
    let client = w.connect_as(core, PLAIN, Who::Anybody);
    w.until_pong(client)?;
    Ok(client)
}

/// A client becomes one after the other: what it subscribed to before ends or, where it had said nothing of itself, is held against
/// what it may have now. A group that it joins and leaves loses nothing.
pub fn log_in_again(w: &mut World, number: usize) -> Outcome {
    let elsewhere = w.clients.iter().position(|client| client.who == Who::Neighbour && !client.gone);
    let (Some(elsewhere), false) = (elsewhere, w.shape.literal) else { return Ok(()) };
    let (pattern, sid, group) = (format!("s.{number}.*"), format!("x{number}"), format!("g{number}"));
    let (a, m) = (anybody(w)?, anybody(w)?);
    w.clients[a].subscribe(&pattern, None, &sid);
    w.clients[m].subscribe(&pattern, Some(&group), &sid);
    w.until_pong(a)?;
    w.until_pong(m)?;
    let who = w.random().of(&[Who::Guest, Who::Guest, Who::Anybody, Who::Restricted, Who::Neighbour]);
    let core = w.random().below(w.shape.cores as u64) as usize;
    let moves = w.connect_as(core, PLAIN, who);
    let (mut here, mut member) = (Vec::new(), vec![(m, sid.clone())]);
    for round in 0..w.random().range(2, 5) {
        let own = format!("{sid}.{round}");
        w.clients[moves].subscribe(&pattern, None, &own);
        if w.random().chance(50) {
            w.clients[moves].subscribe(&pattern, Some(&group), &format!("{own}g"));
            // In the other account it is a member of another group.
            member.extend((!w.clients[moves].who.is_elsewhere()).then(|| (moves, format!("{own}g"))));
        }
        if w.random().chance(40) && w.terms.denied(w.clients[moves].who).is_none() {
            w.clients[moves].subscribe(&format!("s.{number}.no"), None, &format!("{own}n"));
        }
        if w.random().chance(50) {
            w.until_pong(moves)?;
        }
        for _ in 0..w.random().range(1, 5) {
            let from = w.random().of(&[a, elsewhere, moves]);
            let last = w.random().of(&["yes", "no"]);
            let name = w.publish(from, &format!("s.{number}.{last}"), "");
            if !w.clients[from].who.is_elsewhere() {
                here.push(name);
            }
            w.go()?;
        }
        w.log_in(moves, w.random().of(&[Who::Anybody, Who::Restricted, Who::Restricted, Who::Neighbour, Who::Hashed]));
        if w.random().chance(60) {
            here.extend(known(w, [a, elsewhere, moves], number)?);
        }
    }
    here.extend(known(w, [a, elsewhere, moves], number)?);
    everything(w, &here, &[(a, sid.clone())])?;
    everything(w, &here, &member)?;
    w.clients[a].unsubscribe(&sid);
    w.clients[m].unsubscribe(&sid);
    for client in [a, m, moves] {
        w.close(client);
    }
    w.go()
}

/// Who the client is is known: a message from each account reaches the subscriptions that it has, where it may have it, and no other.
/// The messages of the account where everything happens.
fn known(w: &mut World, [a, elsewhere, moves]: [usize; 3], number: usize) -> Result<Vec<Name>, crate::checks::Failure> {
    w.clients[moves].ping(); // behind the CONNECT
    w.until_pong(moves)?;
    let mut here = Vec::new();
    for (from, last) in [(a, "yes"), (a, "no"), (elsewhere, "yes"), (elsewhere, "no")] {
        let subject = format!("s.{number}.{last}");
        let name = w.publish(from, &subject, "");
        w.settle()?;
        let client = &w.clients[moves];
        let mine = client.who.is_elsewhere() == w.clients[from].who.is_elsewhere();
        let wanted = mine && w.terms.denied(client.who).is_none_or(|denied| !matches(denied, &subject));
        for (sid, subscription) in &client.subscriptions {
            if subscription.group.is_none() && matches(&subscription.pattern, &subject) {
                let got = w.ledger.received(moves, sid).contains(&name);
                let wanted = wanted && subscription.life == Life::Live;
                ensure(got == wanted, || format!("{moves} as {:?}: {subject} on {sid}: {got}", client.who))?;
            }
        }
        here.extend((from == a).then_some(name));
    }
    Ok(here)
}

/// These subscriptions together have got all of that, each once.
pub fn everything(w: &World, sent: &[Name], subscriptions: &[(usize, String)]) -> Outcome {
    let received = subscriptions.iter().flat_map(|(client, sid)| w.ledger.received(*client, sid));
    let mut received: Vec<Name> = received.copied().collect();
    received.sort_unstable();
    let mut sent = sent.to_vec();
    sent.sort_unstable();
    equal("of all that was published", &received, &sent)
}
