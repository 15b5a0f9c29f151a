//! Clients that go without a word, and servers that do so with one.

use std::time::Duration;

use super::{equal, pick, subject};
use crate::checks::{Failure, Name, Outcome, ensure};
use crate::world::World;
use dunlin::reactor::shared::Order;

/// Connections are reset while messages are on their way: those that stay get each once, in order.
pub fn resets(w: &mut World, number: usize) -> Outcome {
    let [a, b, c, m] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, None, &sid);
    w.clients[m].subscribe(&pattern, Some("q"), &sid);
    w.clients[c].subscribe(&pattern, None, &sid);
    for client in [a, m, c] {
        w.until_pong(client)?;
    }
    let (mut sent, total) = (Vec::new(), w.random().range(2, 20));
    let (first, second) = (w.random().below(total), w.random().below(total));
    for k in 0..total {
        sent.push(w.publish(b, &subject, ""));
        if w.random().chance(40) {
            w.go()?;
        }
        if k == first {
            w.reset(c);
        }
        if k == second && w.random().chance(60) {
            w.reset(b);
            break;
        }
    }
    w.settle()?;
    let got = w.ledger.received(a, &sid).to_vec();
    let whole = !w.clients[b].gone;
    ensure(got.len() <= sent.len() && (!whole || got.len() == sent.len()), || format!("{got:?} of {sent:?}"))?;
    equal("what comes before a reset", &got, &sent[..got.len()])?;
    let mut served: Vec<Name> = w.ledger.received(m, &sid).to_vec();
    served.sort_unstable();
    equal("a group beside it", &served, &got)?;
    w.clients[a].unsubscribe(&sid);
    w.clients[m].unsubscribe(&sid);
    w.go()
}

/// A subscriber, its sid, and what it is to get.
type Due = (usize, String, Vec<Name>);

/// Subscribers, and messages whose publisher has seen its PONG.
fn busy(w: &mut World, number: usize) -> Result<Vec<Due>, Failure> {
    let (mut subscribers, subject) = (Vec::new(), format!("s{number}"));
    let [publisher, others @ ..]: [usize; 4] = pick(w);
    for client in others {
        let sid = format!("x{number}.{client}");
        w.clients[client].subscribe(&subject, None, &sid);
        w.until_pong(client)?;
        subscribers.push((client, sid));
    }
    let count = w.random().range(1, 20);
    let sent: Vec<Name> = (0..count).map(|_| w.publish(publisher, &subject, "")).collect();
    w.until_pong(publisher)?;
    Ok(subscribers.into_iter().map(|(client, sid)| (client, sid, sent.clone())).collect())
}

/// A reload that takes users away, beside what else happens.
fn reload_perhaps(w: &mut World) -> Outcome {
    if w.random().chance(40) {
        w.terms.leavers = !w.terms.leavers;
        drop(w.begin_reload());
        w.go()?;
    }
    Ok(())
}

/// Everybody is told, nobody is sent away before the grace period, and then everybody is; nothing is lost, and the server ends.
pub fn lame_duck(w: &mut World, number: usize) -> Outcome {
    let due = busy(w, number)?;
    let late = w.connect(); // perhaps on its way between two cores
    w.go()?;
    for client in &mut w.clients {
        client.may_fail = true;
    }
    let (grace, duration) = (Duration::from_millis(100), Duration::from_millis(200));
    reload_perhaps(w)?;
    w.order(|| Order::LameDuck { grace, duration });
    reload_perhaps(w)?;
    w.settle()?;
    for (client, sid, sent) in due {
        equal("delivered by a lame duck", w.ledger.received(client, &sid), &sent)?;
    }
    for (index, client) in w.clients.iter().enumerate() {
        let here = w.core_of(index).is_some() && client.pings == 0;
        ensure(!here || client.gone || client.lame_duck, || format!("client {index} was not told"))?;
    }
    w.pass(Duration::from_millis(500))?;
    let left = (0..w.clients.len()).filter(|&c| c != late && !w.clients[c].gone).count();
    ensure(left == 0 && w.shared.connections() == 0, || format!("{left} clients are still there"))?;
    // Where nobody is left, the server ends.
    w.pass(Duration::from_secs(1))?;
    ensure(w.has_ended(), || "a lame duck without clients does not end".into())
}

/// The server is stopped: what it has accepted is delivered, queue messages whose member has just gone too, and it ends soon.
pub fn stop(w: &mut World, number: usize) -> Outcome {
    let [m, n] = pick(w);
    let sid = format!("q{number}");
    for client in [m, n] {
        w.clients[client].subscribe(&format!("s{number}"), Some("q"), &sid);
        w.until_pong(client)?;
    }
    let leaves = w.random().chance(60);
    if leaves {
        w.clients[m].unsubscribe(&sid);
    }
    let due = busy(w, number)?;
    for client in &mut w.clients {
        client.may_fail = true;
    }
    let before = w.hub.now.get();
    reload_perhaps(w)?;
    w.order(|| Order::Stop { within: Duration::from_secs(5) });
    reload_perhaps(w)?;
    let far = before + Duration::from_secs(6);
    while !w.has_ended() && w.hub.now.get() < far {
        w.pass(Duration::from_millis(100))?;
    }
    ensure(w.has_ended(), || "the server does not stop".into())?;
    let taken = w.hub.now.get() - before;
    ensure(taken < Duration::from_secs(1), || format!("stopping took {taken:?}"))?;
    w.settle()?;
    let mut served: Vec<Name> = [m, n].iter().flat_map(|&c| w.ledger.received(c, &sid)).copied().collect();
    served.sort_unstable();
    for (client, sid, sent) in due {
        let publisher = sent[0].0;
        let alone = leaves && publisher == n && !w.clients[n].manners.echo;
        if !alone {
            equal("a group before the stop", &served, &sent)?;
        }
        equal("accepted before the stop", w.ledger.received(client, &sid), &sent)?;
        ensure(w.clients[client].gone, || format!("client {client} was not closed"))?;
    }
    Ok(())
}
