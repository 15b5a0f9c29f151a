//! Queue groups: every message is served once, whoever comes and goes.

use super::{equal, pick, pick_requester, subject, well};
use crate::checks::{Name, Outcome, ensure};
use crate::client::Manners;
use crate::world::World;

/// What all of these got, sorted.
fn served(w: &World, members: &[(usize, String)]) -> Vec<Name> {
    let mut names: Vec<Name> = members.iter().flat_map(|(c, sid)| w.ledger.received(*c, sid)).copied().collect();
    names.sort_unstable();
    names
}

/// Responders come and go in one group or two, one of each always stays; a plain observer may look on.
pub fn come_and_go(w: &mut World, number: usize) -> Outcome {
    let [b, d, m, n] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let observer = w.random().chance(50).then(|| format!("{sid}o"));
    if let Some(observer) = &observer {
        w.clients[d].subscribe(&pattern, None, observer);
        w.until_pong(d)?;
    }
    let groups = if w.random().chance(50) { &["q"][..] } else { &["q", "workers"] };
    let (mut all, mut sent) = (vec![Vec::new(); groups.len()], Vec::new());
    let mut present = all.clone();
    for k in 0..w.random().range(3, 7) {
        for (index, group) in groups.iter().enumerate() {
            let member = (w.random().of(&[m, n]), format!("{sid}.{k}.{group}"));
            w.clients[member.0].subscribe(&pattern, Some(group), &member.1);
            w.until_pong(member.0)?;
            all[index].push(member.clone());
            present[index].push(member);
        }
        for _ in 0..w.random().below(3) {
            sent.push(w.request(b, &subject).0);
            w.go()?;
        }
        for present in &mut present {
            if present.len() > 1 {
                let (client, sid) = w.hub.random.take(present);
                w.clients[client].unsubscribe(&sid);
                if groups.len() == 1 || w.random().chance(50) {
                    w.until_pong(client)?;
                }
            }
        }
    }
    w.settle()?;
    for (index, all) in all.iter().enumerate() {
        equal(&format!("group {} that always has a member", groups[index]), &served(w, all), &sent)?;
    }
    if let Some(observer) = &observer {
        equal("an observer", w.ledger.received(d, observer), &sent)?;
        w.clients[d].unsubscribe(observer);
    }
    for (client, sid) in present.into_iter().flatten() {
        w.clients[client].unsubscribe(&sid);
    }
    w.go()
}

/// Two groups, of which one ends: the other serves every request, and nobody is told that there was none.
pub fn one_group_ends(w: &mut World, number: usize) -> Outcome {
    let [b, m, n, stays] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let names = ["q", "workers"].map(|group| format!("{sid}{group}"));
    w.clients[stays].subscribe(&pattern, Some("q"), &names[0]);
    w.clients[n].subscribe(&pattern, Some("workers"), &names[1]);
    w.clients[m].subscribe(&pattern, Some("q"), &names[0]);
    w.clients[m].subscribe(&pattern, Some("workers"), &names[1]);
    for client in [stays, n, m] {
        w.until_pong(client)?;
    }
    w.clients[m].unsubscribe(&names[0]);
    w.clients[m].unsubscribe(&names[1]);
    w.clients[m].ping();
    w.go()?;
    w.clients[n].unsubscribe(&names[1]);
    let mut sent = Vec::new();
    for _ in 0..w.random().range(1, 5) {
        w.go()?;
        sent.push(w.request(b, &subject).0);
    }
    w.settle()?;
    equal("the group that goes on", &served(w, &[(stays, names[0].clone()), (m, names[0].clone())]), &sent)?;
    w.clients[stays].unsubscribe(&names[0]);
    w.go()
}

/// One member leaves while another joins; published once the joiner has its PONG: somebody serves it.
pub fn leave_and_join(w: &mut World, number: usize) -> Outcome {
    let [b, a, c] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    w.clients[a].subscribe(&pattern, Some("q"), &sid);
    w.until_pong(a)?;
    let near = |t: &usize| *t != a && *t != b && w.core_of(*t) == w.core_of(b);
    let near = well(w).into_iter().find(near).filter(|_| w.random().chance(60));
    let joiner = near.unwrap_or(c);
    let other = format!("{sid}t");
    w.clients[a].unsubscribe(&sid);
    if w.random().chance(30) {
        w.settle()?; // everybody sleeps, and has not looked
    }
    w.clients[joiner].subscribe(&pattern, Some("q"), &other);
    w.go()?;
    w.until_pong(joiner)?;
    let request = w.request(b, &subject).0;
    w.settle()?;
    let members = [(a, sid), (joiner, other.clone())];
    equal("a group that had a member", &served(w, &members), &[request])?;
    w.clients[joiner].unsubscribe(&other);
    w.go()
}

/// A member hands over to another while messages come in: every message is served.
pub fn hand_over(w: &mut World, number: usize) -> Outcome {
    let [b, a, c, d] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let group = w.random().chance(50).then_some("q");
    w.clients[a].subscribe(&pattern, group, &sid);
    w.until_pong(a)?;
    let mut sent = Vec::new();
    let mut restless = 0;
    let mut more = |w: &mut World| -> Outcome {
        if w.random().chance(50) {
            // News for every core, so that there is something to look at.
            restless += 1;
            w.clients[d].subscribe("restless", None, &format!("{sid}r{restless}"));
            w.clients[d].unsubscribe(&format!("{sid}r{restless}"));
        }
        for _ in 0..w.random().of(&[0, 0, 1, 2, 6]) {
            sent.push(w.request(b, &subject).0);
            if w.random().chance(60) {
                w.go()?;
            }
        }
        w.go()
    };
    more(w)?;
    let other = format!("{sid}t");
    w.clients[c].subscribe(&pattern, group, &other);
    w.go()?;
    more(w)?;
    w.until_pong(c)?;
    more(w)?;
    w.clients[a].unsubscribe(&sid);
    w.clients[a].ping();
    w.go()?;
    more(w)?;
    w.until_pong(a)?;
    more(w)?;
    w.settle()?;
    let mut names = served(w, &[(a, sid.clone()), (c, other.clone())]);
    if group.is_none() {
        names.dedup();
    }
    equal(if group.is_some() { "handed over in a group" } else { "handed over" }, &names, &sent)?;
    w.clients[c].unsubscribe(&other);
    w.go()
}

/// One subscriber hands over to another in the middle of a stream, while every core has news to look at: nothing is missed.
pub fn hand_over_in_a_stream(w: &mut World, number: usize) -> Outcome {
    let [mut b, mut a, mut c, d] = pick(w);
    let victim = |t: &usize| ![a, c, d].contains(t) && w.core_of(*t) == w.shape.victim;
    b = well(w).into_iter().find(victim).unwrap_or(b);
    if w.random().chance(70) && w.core_of(c) > w.core_of(a) {
        (a, c) = (c, a); // whoever looks at the cores in order may miss who came, and then see who left
    }
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let group = w.random().chance(30).then_some("q");
    w.clients[a].subscribe(&pattern, group, &sid);
    w.until_pong(a)?;
    for k in 0..w.random().below(25) {
        let restless = format!("{sid}r{k}");
        w.clients[d].subscribe("restless", Some("r"), &restless);
        w.clients[d].unsubscribe(&restless);
    }
    let count = w.random().range(3, 25);
    let sent: Vec<Name> = (0..count).map(|_| w.publish_sized(b, &subject, "", 0)).collect();
    let other = format!("{sid}t");
    w.go()?;
    w.clients[c].subscribe(&pattern, group, &other);
    w.until_pong(c)?;
    w.clients[a].unsubscribe(&sid);
    w.until_pong(a)?;
    w.settle()?;
    let mut names = served(w, &[(a, sid), (c, other.clone())]);
    if group.is_none() {
        names.dedup();
    }
    equal("handed over in a stream", &names, &sent)?;
    w.clients[c].unsubscribe(&other);
    w.go()
}

/// A publisher that wants no echo is in the group: another member gets everything; without one, nobody, and a 503 says so.
pub fn no_echo(w: &mut World, number: usize) -> Outcome {
    let [a, c] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let core = w.random().below(w.shape.cores as u64) as usize;
    let p = w.connect_with(core, Manners { verbose: false, echo: false, headers: true });
    w.clients[p].subscribe(&pattern, Some("q"), &sid);
    w.clients[a].subscribe(&pattern, Some("q"), &sid);
    w.until_pong(p)?;
    w.until_pong(a)?;
    let mut sent = Vec::new();
    for _ in 0..w.random().range(1, 5) {
        sent.push(w.request(p, &subject).0);
        w.go()?;
    }
    // Another takes over in the middle: what finds its member gone must not come back to the publisher.
    let other = format!("{sid}t");
    w.clients[c].subscribe(&pattern, Some("q"), &other);
    w.until_pong(c)?;
    w.clients[a].unsubscribe(&sid);
    for _ in 0..w.random().range(1, 5) {
        sent.push(w.request(p, &subject).0);
        w.go()?;
    }
    w.settle()?;
    equal("a group with others than the publisher", &served(w, &[(a, sid), (c, other.clone())]), &sent)?;
    w.clients[c].unsubscribe(&other);
    w.until_pong(c)?;
    let request = w.request(p, &subject).0;
    w.settle()?;
    ensure(w.ledger.told(request), || "a request that only its publisher could have answered got no 503".into())
}

/// At most so many messages, whichever cores they come from; exactly so many where there are enough.
pub fn maximum(w: &mut World, number: usize) -> Outcome {
    let [a, b, c, d] = pick(w);
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let max = w.random().range(1, 8);
    let drains = w.random().chance(25);
    w.clients[a].subscribe(&pattern, None, &sid);
    w.clients[a].unsubscribe_after(&sid, max);
    w.until_pong(a)?;
    let count = w.random().range(0, 12);
    for _ in 0..count {
        let publisher = w.random().of(&[b, c, d]);
        w.publish(publisher, &subject, "");
        w.go()?;
    }
    if drains {
        w.clients[a].unsubscribe(&sid);
        w.until_pong(a)?;
    }
    w.settle()?;
    let got = w.ledger.received(a, &sid).len() as u64;
    let right = got == max.min(count) || (drains && got < max.min(count));
    ensure(right, || format!("{got} messages of {count}, {max} wanted"))?;
    if !drains && count < max {
        w.clients[a].unsubscribe(&sid);
    }
    w.go()
}

/// Plain subscriptions and two groups on patterns that overlap: each plain one gets all, each group gets each once.
pub fn groups(w: &mut World, number: usize) -> Outcome {
    let [b, others @ ..]: [usize; 4] = pick(w);
    let (subject, sid) = (subject(w, number).0, format!("x{number}"));
    let mut lists: [Vec<(usize, String)>; 3] = Default::default();
    let names = [None, Some("q"), Some("workers")];
    for k in 0..w.random().range(3, 9) {
        let pattern = super::subject(w, number).1;
        let (kind, client) = (w.random().below(3) as usize, w.random().of(&others));
        let member = (client, format!("{sid}.{k}"));
        w.clients[client].subscribe(&pattern, names[kind], &member.1);
        lists[kind].push(member);
    }
    for client in others {
        w.until_pong(client)?;
    }
    let mut sent = Vec::new();
    for _ in 0..w.random().range(1, 6) {
        sent.push(w.publish(b, &subject, ""));
        w.go()?;
    }
    w.settle()?;
    for (client, sid) in &lists[0] {
        equal("a plain one of several", w.ledger.received(*client, sid), &sent)?;
    }
    for list in lists[1..].iter().filter(|list| !list.is_empty()) {
        equal("one of two groups", &served(w, list), &sent)?;
    }
    for (client, sid) in lists.iter().flatten() {
        w.clients[*client].unsubscribe(sid);
    }
    w.go()
}
