//! Requests: the answer finds its way however it goes; a request that nobody gets is told at once.

use super::{equal, pick_requester, subject};
use crate::checks::{Name, Outcome, ensure};
use crate::world::World;

/// A request is served by one connection and answered by another.
pub fn answer(w: &mut World, number: usize) -> Outcome {
    let [b, a, c] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let group = w.random().chance(70).then_some("q");
    w.clients[a].subscribe(&pattern, group, &sid);
    w.until_pong(a)?;
    let (request, reply) = w.request(b, &subject);
    w.go()?;
    w.until(|| "a request does not arrive".into(), |w| !w.ledger.received(a, &sid).is_empty())?;
    equal("a request", w.ledger.received(a, &sid), &[request])?;
    let answer = w.publish(c, &reply, "");
    w.settle()?;
    let inbox = w.inbox(&reply);
    ensure(w.ledger.received(b, &inbox).contains(&answer), || "the answer did not reach the inbox".into())?;
    w.clients[a].unsubscribe(&sid);
    w.go()
}

/// The last responder has gone: 503, at once and once.
pub fn last_left(w: &mut World, number: usize) -> Outcome {
    let [b, a, c] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let group = w.random().chance(70).then_some("q");
    w.clients[a].subscribe(&pattern, group, &sid);
    let both = w.random().chance(40);
    if both {
        w.clients[c].subscribe(&pattern, group, &sid);
        w.until_pong(c)?;
    }
    w.until_pong(a)?;
    w.clients[a].unsubscribe(&sid);
    if both {
        w.clients[c].unsubscribe(&sid);
    }
    w.go()?;
    let (request, _) = w.request(b, &subject);
    w.settle()?;
    let (served, told) = (w.ledger.served(request), w.ledger.told(request));
    let once = if group.is_none() && both { served <= 2 } else { served <= 1 };
    ensure(once && (served > 0) != told, || format!("served {served} times, 503: {told}"))
}

/// A responder of a group, and how much of what it got it has answered.
struct Responder {
    client: usize,
    sid: String,
    answered: usize,
}

impl Responder {
    fn answer(&mut self, w: &mut World, replies: &[(Name, String)]) {
        let got = w.ledger.received(self.client, &self.sid).to_vec();
        for name in &got[self.answered..] {
            if let Some((_, reply)) = replies.iter().find(|(n, _)| n == name) {
                w.publish_sized(self.client, reply, "", 0);
            }
        }
        self.answered = got.len();
    }

    /// UNSUB, PING, serve until the PONG, close.
    fn drain(mut self, w: &mut World, replies: &[(Name, String)]) -> Outcome {
        w.clients[self.client].unsubscribe(&self.sid);
        w.until_pong(self.client)?;
        self.answer(w, replies);
        w.close(self.client);
        w.go()
    }
}

/// Responders join and drain while requests come in; each request is answered once, or told where all have gone.
pub fn drain_requests(w: &mut World, number: usize) -> Outcome {
    let [b] = pick_requester(w)?;
    let ((subject, pattern), sid) = (subject(w, number), format!("x{number}"));
    let (mut responders, mut requests) = (Vec::<Responder>::new(), Vec::new());
    let rounds = w.random().range(2, 5);
    for k in 0..rounds {
        for j in 0..w.random().range(1, 3) {
            let client = w.connect();
            let responder = Responder { client, sid: format!("{sid}.{k}.{j}"), answered: 0 };
            w.clients[client].subscribe(&pattern, Some("q"), &responder.sid);
            w.until_pong(client)?;
            responders.push(responder);
        }
        for _ in 0..w.random().range(1, 5) {
            requests.push(w.request(b, &subject));
            w.go()?;
        }
        let last = k + 1 == rounds;
        while responders.len() > usize::from(!last) {
            let responder = w.hub.random.take(&mut responders);
            responder.drain(w, &requests)?;
            if last {
                requests.push(w.request(b, &subject));
                w.go()?;
            }
        }
    }
    w.settle()?;
    for (request, reply) in &requests {
        let (served, told) = (w.ledger.served(*request), w.ledger.told(*request));
        ensure(served + usize::from(told) == 1, || format!("request {request:?}: served {served} times, 503: {told}"))?;
        let answered = w.ledger.answers(reply);
        ensure(answered == served, || {
            format!("request {request:?}: served {served} times, answered {answered} times")
        })?;
    }
    Ok(())
}
