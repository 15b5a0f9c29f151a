//! Some members of a queue group may not have what the group gets: others have it, whichever core they are on, and nobody else.

use super::pick_requester;
use crate::checks::{Outcome, ensure};
use crate::client::Manners;
use crate::terms::Who;
use crate::world::World;

/// Each request is served once where a member may have it, and is told that nobody listens where none may.
pub fn denied(w: &mut World, number: usize) -> Outcome {
    if w.shape.neighbours == 0 || w.shape.literal {
        return Ok(()); // nobody logs in there, or nobody uses wildcards
    }
    let [b] = pick_requester(w)?;
    let sid = format!("x{number}");
    let (restricted, free) = (w.random().range(1, 4), w.random().below(3));
    let mut members = Vec::new();
    for member in 0..restricted + free {
        let core = w.random().below(w.shape.cores as u64) as usize;
        let who = if member < restricted { Who::Restricted } else { Who::Anybody };
        let client = w.connect_as(core, Manners { verbose: false, echo: true, headers: true }, who);
        w.clients[client].subscribe(&format!("s.{number}.*"), Some("q"), &sid);
        w.clients[client].ping(); // behind the SUB: the one with which it has connected is in front of it
        members.push((client, who));
    }
    for (client, _) in &members {
        w.until_pong(*client)?;
    }
    let mut requests = Vec::new();
    for _ in 0..w.random().range(1, 6) {
        let last = if w.random().chance(60) { "no" } else { "yes" };
        requests.push((w.request(b, &format!("s.{number}.{last}")).0, last == "no"));
        w.go()?;
    }
    w.settle()?;
    for (request, is_denied) in requests {
        let (served, told) = (w.ledger.served(request), w.ledger.told(request));
        let wanted = usize::from(!is_denied || free > 0);
        ensure((served, told) == (wanted, wanted == 0), || {
            format!("{request:?}, denied to {restricted} of {}: served {served} times, 503: {told}", restricted + free)
        })?;
        let by_restricted = members.iter().any(|(client, who)| {
            is_denied && *who == Who::Restricted && w.ledger.received(*client, &sid).contains(&request)
        });
        ensure(!by_restricted, || format!("{request:?} reached somebody who may not have it"))?;
    }
    for (client, _) in members {
        w.clients[client].unsubscribe(&sid);
    }
    w.go()
}
