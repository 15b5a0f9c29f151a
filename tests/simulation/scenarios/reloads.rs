//! Reloads that race with everything: nothing is lost between those who stay, exactly those over a limit are closed, and all cores
//! agree afterwards.

use super::logins::{anybody, everything};
use crate::checks::{Failure, Name, Outcome, ensure};
use crate::client::{Manners, matches};
use crate::terms::Who;
use crate::world::World;

const PLAIN: Manners = Manners { verbose: false, echo: true, headers: false };

/// On any core.
fn connect(w: &mut World, who: Who) -> usize {
    let core = w.random().below(w.shape.cores as u64) as usize;
    w.connect_as(core, PLAIN, who)
}

/// Those who take part in [`reload`].
struct Cast {
    number: usize,
    publisher: usize,
    subscriber: usize,
    member: usize,
    leavers: Vec<usize>,
    restricted: Vec<usize>,
    sent: Vec<Name>,
}

impl Cast {
    fn subject(&self, w: &World) -> String {
        let last = w.random().of(&["yes", "no"]);
        if w.shape.literal { format!("s{}", self.number) } else { format!("s.{}.{last}", self.number) }
    }

    fn pattern(&self, w: &World) -> String {
        if w.shape.literal { format!("s{}", self.number) } else { format!("s.{}.*", self.number) }
    }

    fn publish(&mut self, w: &mut World) -> Outcome {
        let subject = self.subject(w);
        self.sent.push(w.publish(self.publisher, &subject, ""));
        w.go()
    }

    /// One more who is taken away or restricted.
    fn join(&mut self, w: &mut World) {
        let who = w.random().of(&[Who::Leaver, Who::Restricted]);
        // Who is closed before its handshake begins is told in the clear.
        let secure = std::mem::take(&mut w.shape.secure);
        let client = connect(w, who);
        w.shape.secure = secure;
        let (pattern, sid) = (self.pattern(w), format!("x{}", self.number));
        if who == Who::Leaver {
            w.clients[client].may_fail = true;
            let group = w.random().chance(50).then(|| format!("g{}", self.number));
            w.clients[client].subscribe(&pattern, group.as_deref(), &sid);
            self.leavers.push(client);
        } else {
            w.clients[client].subscribe(&pattern, None, &sid);
            self.restricted.push(client);
        }
    }
}

fn cast(w: &mut World, number: usize) -> Result<Cast, Failure> {
    let (publisher, subscriber, member) = (anybody(w)?, anybody(w)?, anybody(w)?);
    let (leavers, restricted) = (Vec::new(), Vec::new());
    let mut cast = Cast { number, publisher, subscriber, member, leavers, restricted, sent: Vec::new() };
    let (pattern, sid) = (cast.pattern(w), format!("x{number}"));
    w.clients[subscriber].subscribe(&pattern, None, &sid);
    w.clients[member].subscribe(&pattern, Some(&format!("g{number}")), &sid);
    w.until_pong(subscriber)?;
    w.until_pong(member)?;
    if w.terms.logins {
        for _ in 0..w.random().range(1, 5) {
            cast.join(w);
        }
    }
    w.go()?;
    Ok(cast)
}

/// Other terms; only what those who stay may not notice.
fn change(w: &mut World) {
    let random = &w.hub.random;
    w.terms.leavers = random.chance(40);
    w.terms.restricted = random.of(&[None, Some("*.*.no"), Some("*.*.yes")]);
    w.terms.payload_bytes_max = random.of(&[1 << 20, 100_000, 300_000]);
    w.terms.control_line_bytes_max = random.of(&[4096, 500]);
    w.terms.account.payload_bytes_max = random.of(&[None, Some(90_000)]);
    w.terms.account.subscriptions_max = random.of(&[None, Some(200)]);
    w.terms.tls = w.usual.tls && random.chance(50);
}

/// Users go and their rights change while others publish; one reload comes on top of another.
pub fn reload(w: &mut World, number: usize) -> Outcome {
    let mut cast = cast(w, number)?;
    let secure = std::mem::take(&mut w.shape.secure); // TLS may go; who has it goes on with it
    let total = w.random().range(4, 14);
    let mut orders = Vec::new();
    for _ in 0..total {
        cast.publish(w)?;
        if w.random().chance(30) {
            change(w);
            orders.push(w.begin_reload());
            for &client in &cast.restricted {
                w.clients[client].may_not_have(None);
            }
        }
        if w.terms.logins && w.random().chance(30) {
            cast.join(w);
            if let Some(&client) = cast.restricted.last() {
                w.clients[client].may_not_have(None);
            }
        }
        w.go()?;
    }
    for applied in &orders {
        w.until_applied(applied)?;
    }
    agree(w, &mut cast)?;
    let (sid, sent) = (format!("x{number}"), &cast.sent);
    everything(w, sent, &[(cast.subscriber, sid.clone())])?;
    let group: Vec<(usize, String)> = cast.leavers.iter().map(|&client| (client, sid.clone())).collect();
    let in_group = |(client, sid): &(usize, String)| w.clients[*client].subscriptions[sid].group.is_some();
    let mut group: Vec<_> = group.into_iter().filter(in_group).collect();
    group.push((cast.member, sid));
    at_most_lost_with_leavers(w, &cast, &group)?;
    w.terms = w.usual.clone();
    w.shape.secure = secure;
    let applied = w.begin_reload();
    w.until_applied(&applied)?;
    for client in [cast.publisher, cast.subscriber, cast.member].into_iter().chain(cast.leavers).chain(cast.restricted)
    {
        w.close(client);
    }
    w.go()
}

/// A group gets each message once; only what was on its way to a member that was closed may be missing.
fn at_most_lost_with_leavers(w: &World, cast: &Cast, group: &[(usize, String)]) -> Outcome {
    let received = group.iter().map(|(client, sid)| w.ledger.received(*client, sid).len()).sum::<usize>();
    let whole = group.len() == 1 || !group.iter().any(|(client, _)| w.clients[*client].gone);
    let sent = cast.sent.len();
    ensure(received <= sent && (received == sent || !whole), || format!("a group got {received} of {sent}"))
}

/// All cores go by the same: who may come in does and nobody else, what may not be had does not come, and the limits hold.
fn agree(w: &mut World, cast: &mut Cast) -> Outcome {
    if w.terms.logins {
        let denied = w.terms.denied(Who::Restricted);
        for &client in &cast.restricted {
            w.clients[client].goes_by(denied);
            w.clients[client].ping();
            w.until_pong(client)?;
        }
    }
    let first = cast.sent.len();
    for _ in 0..4 {
        cast.publish(w)?;
    }
    w.settle()?;
    let sid = format!("x{}", cast.number);
    for &client in &cast.restricted {
        for name in &cast.sent[first..] {
            let denied = w.terms.denied(Who::Restricted);
            let wanted = denied.is_none_or(|denied| !matches(denied, w.ledger.subject(*name)));
            let got = w.ledger.received(client, &sid).contains(name);
            ensure(got == wanted, || format!("{client} may have {name:?}: {wanted}, got it: {got}"))?;
        }
    }
    let stay = w.terms.leavers;
    let was_refused = |w: &World, client: usize| {
        let client = &w.clients[client];
        client.gone && client.errors == ["'Authorization Violation'"]
    };
    for &client in &cast.leavers {
        ensure(stay || was_refused(w, client), || {
            format!("{client} was taken away: gone {}, {:?}", w.clients[client].gone, w.clients[client].errors)
        })?;
    }
    for core in 0..w.shape.cores {
        let here = w.connect_as(core, PLAIN, Who::Anybody);
        w.settle()?;
        let max = format!("\"max_payload\":{}", w.terms.payload_bytes_max);
        let account = w.terms.account.payload_bytes_max.filter(|_| w.terms.logins);
        let max =
            account.map_or(max, |least| format!("\"max_payload\":{}", least.min(w.terms.payload_bytes_max.into())));
        ensure(w.clients[here].info.contains(&max), || format!("core {core}: {} without {max}", w.clients[here].info))?;
        w.close(here);
        if w.terms.logins {
            let leaver = w.connect_as(core, PLAIN, Who::Leaver);
            w.clients[leaver].may_fail = true;
            w.settle()?;
            let refused = was_refused(w, leaver);
            ensure(refused != stay, || format!("core {core}: may come in: {stay}, refused: {refused}"))?;
            w.close(leaver);
        }
    }
    Ok(())
}

/// Limits shrink: exactly those over them are closed, while others come and go.
pub fn limits(w: &mut World, _number: usize) -> Outcome {
    let by_account = w.terms.logins && w.random().chance(50);
    w.settle()?;
    for client in &mut w.clients {
        client.may_fail = true;
    }
    let secure = std::mem::take(&mut w.shape.secure); // who is refused is told in the clear
    let was_here: Vec<usize> = (0..w.clients.len()).filter(|&client| !w.clients[client].gone).collect();
    let counts = |client: &crate::client::Client| !(client.gone || by_account && client.who.is_elsewhere());
    let here = |w: &World| w.clients.iter().filter(|client| counts(client)).count() as u64;
    let before = here(w);
    let max = w.random().range(1, before);
    if by_account {
        w.terms.account.connections_max = Some(max);
    } else {
        w.terms.connections_max = Some(max);
    }
    let leaving = w.random().of(&[0, 0, 1, 2]).min(before - max);
    let mut going: Vec<usize> = (0..w.clients.len()).filter(|&client| counts(&w.clients[client])).collect();
    let applied = w.begin_reload();
    let mut coming = Vec::new();
    for _ in 0..w.random().below(5) {
        coming.push(connect(w, Who::Anybody));
        w.clients[coming[coming.len() - 1]].may_fail = true;
        w.go()?;
    }
    for _ in 0..leaving {
        let client = w.random().take(&mut going);
        w.reset(client);
        w.go()?;
    }
    let closed = w.until_applied(&applied)?;
    w.settle()?;
    let left = here(w);
    ensure(left <= max && left + leaving >= max, || format!("{left} are left of {before}, {max} may be"))?;
    ensure(leaving > 0 || by_account || closed + max >= before, || {
        format!("{closed} of {before} were closed for {max}")
    })?;
    let text =
        if by_account { "'maximum account active connections exceeded'" } else { "'maximum connections exceeded'" };
    for client in was_here.into_iter().chain(coming) {
        let errors = &w.clients[client].errors;
        ensure(errors.is_empty() || errors == &[text], || format!("client {client}: {errors:?}"))?;
    }
    full(w, max - left, text)?;
    w.shape.secure = secure;
    w.terms = w.usual.clone();
    let applied = w.begin_reload();
    w.until_applied(&applied).map(drop)
}

/// So many may still come, and no more; where one goes another may come.
fn full(w: &mut World, room: u64, text: &str) -> Outcome {
    for number in 0..room + 2 {
        let client = connect(w, Who::Anybody);
        w.clients[client].may_fail = true;
        w.settle()?;
        let refused = w.clients[client].gone && w.clients[client].errors == [text];
        ensure(refused == (number >= room), || {
            format!("number {number}, {room} may come, refused: {refused} with {:?}", w.clients[client].errors)
        })?;
    }
    Ok(())
}

/// A password is checked while a reload takes it away: who showed it is not let in, and who shows it again later is.
pub fn checked_meanwhile(w: &mut World, _number: usize) -> Outcome {
    if !w.terms.logins {
        return Ok(());
    }
    w.checks_wait = true;
    let late = connect(w, Who::Hashed);
    w.clients[late].may_fail = true;
    w.settle()?;
    w.terms.hash = 1;
    let applied = w.begin_reload();
    if w.random().chance(50) {
        w.go()?;
        w.checks_wait = false;
    }
    w.until_applied(&applied)?;
    w.checks_wait = false;
    w.settle()?;
    ensure(w.clients[late].gone, || "a password that is not right any more lets somebody in".into())?;
    w.terms.hash = 0;
    let applied = w.begin_reload();
    w.until_applied(&applied)?;
    let client = connect(w, Who::Hashed);
    w.until_pong(client)?;
    w.close(client);
    w.go()
}
