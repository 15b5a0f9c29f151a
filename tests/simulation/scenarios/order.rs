//! Order of one publisher; PONGs that come after everything that was before them; drains.

use super::{equal, pick, subject};
use crate::checks::{Failure, Name, Outcome};
use crate::world::World;

/// Several messages; the publisher has seen its PONG.
fn publish_some(w: &mut World, publisher: usize, subject: &str) -> Result<Vec<Name>, Failure> {
    let count = w.random().range(1, 7);
    let names = (0..count).map(|_| w.publish(publisher, subject, "")).collect();
    w.until_pong(publisher)?;
    Ok(names)
}

/// Published, PONG seen; the subscriber drains.
pub fn drain(w: &mut World, number: usize) -> Outcome {
    let [a, b] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    let names = publish_some(w, b, &subject)?;
    w.clients[a].unsubscribe(&sid);
    w.until_pong(a)?;
    equal("a drain", w.ledger.received(a, &sid), &names)
}

/// Published, PONG seen: a PING of the subscriber brings it.
pub fn pong_brings(w: &mut World, number: usize) -> Outcome {
    let [a, b] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    let names = publish_some(w, b, &subject)?;
    w.until_pong(a)?;
    equal("a PONG overtook what was published before", w.ledger.received(a, &sid), &names)?;
    w.clients[a].unsubscribe(&sid);
    w.go()
}

/// One publisher, while others join and leave.
pub fn churn(w: &mut World, number: usize) -> Outcome {
    let [a, b, c] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    let mut names = Vec::new();
    for k in 0..w.random().range(3, 14) {
        names.push(w.publish(b, &subject, ""));
        w.go()?;
        if w.random().chance(30) {
            let other = format!("{sid}.{k}");
            w.clients[c].subscribe(&pattern, None, &other);
            w.go()?;
            w.clients[c].unsubscribe(&other);
        }
    }
    w.settle()?;
    equal("order or loss", w.ledger.received(a, &sid), &names)?;
    w.clients[a].unsubscribe(&sid);
    w.go()
}
