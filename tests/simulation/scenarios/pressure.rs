//! Links without credit, receivers that do not read, clients that say nothing.

use std::time::Duration;

use super::{equal, pick, subject};
use crate::checks::{Outcome, ensure};
use crate::client::Manners;
use crate::socket::lock;
use crate::world::World;

/// Who takes nothing for so long is frozen: 8 ms, and a few bytes that it took after it was first found slow.
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// What one publisher sends in a pause: more than a late subscriber's queue holds.
const PAUSE_MESSAGES: usize = 120;

/// A verbose publisher that outruns its link: +OK and PONG in the order of its operations, and what they promise is true.
pub fn verbose(w: &mut World, number: usize) -> Outcome {
    let [a] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    let core = w.random().below(w.shape.cores as u64) as usize;
    let p = w.connect_with(core, Manners { verbose: true, echo: true, headers: true });
    w.until_pong(p)?;
    let mut sent = Vec::new();
    for _ in 0..w.random().range(5, 25) {
        sent.push(w.publish(p, &subject, ""));
        if w.random().chance(30) {
            w.clients[p].ping();
        }
        if w.random().chance(20) {
            w.go()?;
        }
    }
    w.clients[p].ping();
    w.until_pong(p)?;
    w.until_pong(a)?;
    equal("what was acknowledged", w.ledger.received(a, &sid), &sent)?;
    w.clients[a].unsubscribe(&sid);
    w.go()
}

/// A subscriber freezes beside healthy ones: it is closed, the others get all. Where it has been frozen for longer than a pause may be, they
/// wait for nothing; else for no longer than that.
pub fn frozen(w: &mut World, number: usize) -> Outcome {
    let [p, f, a, c] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    for client in [f, a, c] {
        w.clients[client].subscribe(&pattern, None, &sid);
        w.until_pong(client)?;
    }
    w.settle()?;
    w.clients[f].frozen = true;
    w.clients[f].may_fail = true;
    let (mut sent, mut rounds) = (Vec::new(), 0);
    let known = w.random().chance(50);
    if known {
        let kernel_takes = lock(&w.clients[f].line).down_max;
        sent.extend((0..kernel_takes / 1000 + 2).map(|_| w.publish_sized(p, &subject, "", 1000)));
        w.settle()?;
        w.pass(PAUSE_MAX)?;
    }
    let jumped = w.jumped;
    while !lock(&w.clients[f].line).server_ended {
        let limit = w.shape.pending_bytes_max + lock(&w.clients[f].line).down_max as u64;
        if rounds * 3000 > limit + 30_000 {
            // Its core may have stood still until now.
            w.settle()?;
            ensure(lock(&w.clients[f].line).server_ended, || "a frozen subscriber is not closed".into())?;
        }
        rounds += 1;
        for _ in 0..3 {
            sent.push(w.publish_sized(p, &subject, "", 1000));
        }
        let due = sent.len();
        let all = |w: &World| [a, c].iter().all(|&h| w.ledger.received(h, &sid).len() == due);
        w.until(|| "healthy subscribers wait beside a frozen one".into(), all)?;
    }
    let (waited, may_wait) = (w.jumped - jumped, if known { Duration::ZERO } else { PAUSE_MAX });
    ensure(waited <= may_wait, || format!("healthy subscribers were delayed by {waited:?}"))?;
    for healthy in [a, c] {
        equal("a healthy subscriber", w.ledger.received(healthy, &sid), &sent)?;
        w.clients[healthy].unsubscribe(&sid);
    }
    w.clients[f].frozen = false;
    w.go()
}

/// A subscriber pauses while two publishers outrun it, and always reads on before it could be taken for frozen: they are held back, it gets
/// all of both, and nobody ever waits for a timer. Beside it a message between others, on the same cores and links, goes on its way.
pub fn late(w: &mut World, number: usize) -> Outcome {
    let [p, q, late, a, b] = pick(w);
    let ((subject, pattern), sid, other) = (subject(w, number), format!("x{number}"), format!("o{number}"));
    w.clients[late].subscribe(&pattern, None, &sid);
    w.clients[b].subscribe(&other, None, &other);
    w.until_pong(late)?;
    w.until_pong(b)?;
    w.settle()?;
    let (jumped, mut sent) = (w.jumped, 0);
    for round in 0..3 {
        w.clients[late].frozen = true;
        for publisher in [p, q] {
            for _ in 0..PAUSE_MESSAGES {
                w.publish_sized(publisher, &subject, "", 1000);
                sent += 1;
            }
        }
        // A pause of a part of what it may be: a step takes a quarter of a microsecond.
        for _ in 0..w.random().range(1, 8000) {
            w.step()?;
        }
        w.publish_sized(a, &other, "", 100);
        let beside = |w: &World| w.ledger.received(b, &other).len() == round + 1;
        w.until(|| "others wait beside a late subscriber".into(), beside)?;
        w.clients[late].frozen = false;
        let goes_on = |w: &World| w.ledger.received(late, &sid).len() * 2 >= sent;
        w.until(|| "a late subscriber waits".into(), goes_on)?;
    }
    w.until(|| "a late subscriber waits".into(), |w| w.ledger.received(late, &sid).len() == sent)?;
    let waited = w.jumped - jumped;
    ensure(waited.is_zero(), || format!("publishers waited {waited:?} for a subscriber that had caught up"))?;
    for (client, sid) in [(late, &sid), (b, &other)] {
        w.clients[client].unsubscribe(sid);
    }
    w.go()
}

/// What a subscriber is offered it must take within the write deadline.
pub fn write_deadline(w: &mut World, number: usize) -> Outcome {
    let [p, f, a] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    for client in [f, a] {
        w.clients[client].subscribe(&pattern, None, &sid);
        w.until_pong(client)?;
    }
    w.settle()?;
    w.clients[f].frozen = true;
    w.clients[f].may_fail = true;
    let bytes = lock(&w.clients[f].line).down_max + 100;
    let sent = [w.publish_sized(p, &subject, "", bytes), w.publish_sized(p, &subject, "", 0)];
    w.settle()?;
    equal("beside one that is frozen", w.ledger.received(a, &sid), &sent)?;
    w.pass(Duration::from_secs(9))?;
    ensure(!lock(&w.clients[f].line).server_ended, || "closed before its write deadline".into())?;
    w.pass(Duration::from_secs(3))?;
    ensure(lock(&w.clients[f].line).server_ended, || "a write deadline had no effect".into())?;
    w.clients[f].frozen = false;
    w.clients[a].unsubscribe(&sid);
    w.go()
}

/// Some minutes without a word: who answers PINGs stays, who does not is closed.
pub fn idle(w: &mut World, number: usize) -> Outcome {
    let [f, a, b] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.until_pong(a)?;
    w.settle()?;
    w.clients[f].frozen = true;
    w.clients[f].may_fail = true;
    w.pass(Duration::from_secs(600))?;
    w.clients[f].frozen = false;
    w.settle()?;
    let stale = w.clients[f].errors.iter().any(|e| e == "'Stale Connection'");
    // Records are longer than lines: where the PINGs in them fill the wire, the last words find no room.
    let told = stale || w.clients[f].secure.is_some();
    ensure(w.clients[f].gone && told, || format!("a silent client: gone {}, stale {stale}", w.clients[f].gone))?;
    let name = w.publish(b, &subject, "");
    w.settle()?;
    equal("after some idle minutes", w.ledger.received(a, &sid), &[name])?;
    w.clients[a].unsubscribe(&sid);
    w.go()
}
