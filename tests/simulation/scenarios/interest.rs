//! Interest is known everywhere when its client knows it.

use super::{equal, pick, subject, well};
use crate::checks::{Outcome, ensure};
use crate::world::World;

/// A PONG seen for the SUB: anyone may publish.
pub fn seen_pong(w: &mut World, number: usize) -> Outcome {
    let [a, b] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    let name = w.publish(b, &subject, "");
    w.settle()?;
    equal("a subscription known by its PONG", w.ledger.received(a, &sid), &[name])?;
    w.clients[a].unsubscribe(&sid);
    w.go()
}

/// A second subscriber of a pattern that its core has announced before.
pub fn second_subscriber(w: &mut World, number: usize) -> Outcome {
    let [a, b] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let neighbour = well(w).into_iter().find(|&c| c != a && c != b && w.core_of(c) == w.core_of(a));
    if let Some(neighbour) = neighbour {
        w.clients[neighbour].subscribe(&pattern, None, &format!("{sid}n"));
        w.go()?;
    }
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    let name = w.publish(b, &subject, "");
    w.settle()?;
    equal("a second subscriber", w.ledger.received(a, &sid), &[name])?;
    w.clients[a].unsubscribe(&sid);
    if let Some(neighbour) = neighbour {
        w.clients[neighbour].unsubscribe(&format!("{sid}n"));
    }
    w.go()
}

/// Unsubscribed, PONG seen: nothing published after it arrives.
pub fn after_the_end(w: &mut World, number: usize) -> Outcome {
    let [a, b] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let group = w.random().chance(50).then_some("q");
    w.clients[a].subscribe(&pattern, group, &sid);
    w.until_pong(a)?;
    if w.random().chance(50) {
        w.publish(b, &subject, "");
        w.go()?;
    }
    w.clients[a].unsubscribe(&sid);
    w.until_pong(a)?;
    let name = w.publish(b, &subject, "");
    w.settle()?;
    ensure(w.ledger.served(name) == 0, || "a message after the end of its subscription".into())
}
