//! What was published, who got it, and whether that was right: the promises that hold for every message of every scenario.
//!
//! Checked as messages come: the sid is known and its subscription not over; the subject matches; subject, reply, headers and payload
//! are those that were published; messages of one publisher come in order to a plain subscription, and none twice; a queue group gets none
//! twice; nothing crosses from one account to another; no echo where none is wanted; no more than a maximum; one 503 a request, and only for one that nobody got.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{Client, Life, Message, matches};

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Failure(pub String);

pub type Outcome = Result<(), Failure>;

pub fn fail<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(text.into()))
}

/// Unless it holds, the schedule has failed.
pub fn ensure(holds: bool, text: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failure(text())) }
}

/// A message's name: who published it, and which of theirs it is.
pub type Name = (usize, u64);

#[derive(Debug)]
struct Published {
    subject: String,
    reply: String,
    headers: Vec<u8>,
    payload: Vec<u8>,
    /// In the account of the neighbours.
    elsewhere: bool,
}

/// All messages of a schedule.
#[derive(Debug, Default)]
pub struct Ledger {
    published: BTreeMap<Name, Published>,
    /// By client and sid, in order.
    received: BTreeMap<(usize, String), Vec<Name>>,
    /// By message: the groups that got it.
    grouped: BTreeSet<(String, Name)>,
    /// Messages that somebody got.
    served: BTreeMap<Name, usize>,
    /// Requests by reply subject, and those that got a 503.
    requests: BTreeMap<String, Name>,
    told: BTreeSet<Name>,
}

/// The payload that carries a message's name; `bytes` at least in all.
pub fn payload(name: Name, bytes: usize) -> Vec<u8> {
    let mut payload = format!("{} {};", name.0, name.1).into_bytes();
    while payload.len() < bytes {
        payload.push(b'a' + (payload.len() * 7 + name.1 as usize) as u8 % 26);
    }
    payload
}

fn name_in(payload: &[u8]) -> Option<Name> {
    let text = std::str::from_utf8(payload).ok()?;
    let (publisher, number) = text.split_once(';')?.0.split_once(' ')?;
    Some((publisher.parse().ok()?, number.parse().ok()?))
}

impl Ledger {
    pub fn note(&mut self, name: Name, elsewhere: bool, subject: &str, reply: &str, headers: &[u8], payload: &[u8]) {
        let (subject, headers, payload) = (subject.to_owned(), headers.to_vec(), payload.to_vec());
        if !reply.is_empty() {
            self.requests.insert(reply.to_owned(), name);
        }
        self.published.insert(name, Published { subject, reply: reply.to_owned(), headers, payload, elsewhere });
    }

    /// Where a message was published to.
    pub fn subject(&self, name: Name) -> &str {
        &self.published[&name].subject
    }

    /// What a client got on one subscription.
    pub fn received(&self, client: usize, sid: &str) -> &[Name] {
        self.received.get(&(client, sid.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Whether a request got a 503.
    pub fn told(&self, request: Name) -> bool {
        self.told.contains(&request)
    }

    /// How often a message was received.
    pub fn served(&self, name: Name) -> usize {
        self.served.get(&name).copied().unwrap_or(0)
    }

    /// How many messages that were published to `reply` were received.
    pub fn answers(&self, reply: &str) -> usize {
        self.published.iter().filter(|(_, p)| p.subject == reply).map(|(name, _)| self.served(*name)).sum()
    }

    /// Client `index` got a message.
    pub fn receive(&mut self, index: usize, client: &mut Client, message: &Message) -> Outcome {
        let echo = client.manners.echo;
        let takes_headers = client.manners.headers;
        let sid = &message.sid;
        let Some(subscription) = client.subscriptions.get_mut(sid) else {
            return fail(format!("client {index} got a message for a sid that it never used: {sid}"));
        };
        ensure(subscription.life != Life::Over, || format!("client {index}: a message after the end of {sid}"))?;
        ensure(matches(&subscription.pattern, &message.subject), || {
            format!("client {index}: {} on {}", message.subject, subscription.pattern)
        })?;
        if message.headers.starts_with(b"NATS/1.0 503\r\n") {
            return self.receive_503(index, message);
        }
        subscription.received += 1;
        let (count, max) = (subscription.received, subscription.max);
        ensure(max.is_none_or(|max| count <= max), || {
            format!("client {index}, {sid}: {count} messages, at most {max:?} wanted")
        })?;
        let (group, elsewhere) = (subscription.group.clone(), subscription.elsewhere);
        for denied in [client.denied, subscription.denied].into_iter().flatten() {
            ensure(!matches(denied, &message.subject), || {
                format!("client {index} got {} and may not have {denied}", message.subject)
            })?;
        }
        let name = self.identify(index, message, takes_headers)?;
        ensure(self.published[&name].elsewhere == elsewhere, || {
            format!("client {index} got a message of another account: {name:?}")
        })?;
        ensure(echo || name.0 != index, || format!("client {index} got its own message and wants no echo"))?;
        let before = self.received.entry((index, sid.clone())).or_default();
        if let Some(group) = group {
            ensure(self.grouped.insert((group.clone(), name)), || format!("group {group} got message {name:?} twice"))?;
        } else {
            let last = before.iter().rev().find(|n| n.0 == name.0);
            ensure(last.is_none_or(|last| last.1 < name.1), || {
                format!("client {index}, {sid}: {name:?} after {last:?}")
            })?;
        }
        before.push(name);
        *self.served.entry(name).or_default() += 1;
        ensure(!self.told.contains(&name), || {
            format!("request {name:?} was served, and its publisher was told that nobody listens")
        })
    }

    /// Finds the message that this is, and compares every byte.
    fn identify(&self, index: usize, message: &Message, takes_headers: bool) -> Result<Name, Failure> {
        let Some(name) = name_in(&message.payload) else { return fail(format!("client {index}: an unknown payload")) };
        let Some(known) = self.published.get(&name) else { return fail(format!("{name:?} was never published")) };
        let headers: &[u8] = if takes_headers { &known.headers } else { &[] };
        let same = known.subject == message.subject
            && known.reply == message.reply
            && headers == message.headers
            && known.payload == message.payload;
        ensure(same, || format!("client {index}: message {name:?} is not what was published"))?;
        Ok(name)
    }

    fn receive_503(&mut self, index: usize, message: &Message) -> Outcome {
        let Some(&name) = self.requests.get(&message.subject) else {
            return fail(format!("client {index}: a 503 for something that it never asked: {}", message.subject));
        };
        let asked = format!("NATS/1.0 503\r\nNats-Subject: {}\r\n\r\n", self.published[&name].subject);
        let well_formed = message.headers == asked.as_bytes() && message.payload.is_empty() && message.reply.is_empty();
        ensure(well_formed && name.0 == index, || format!("client {index}: a 503 of another form: {message:?}"))?;
        ensure(self.told.insert(name), || format!("request {name:?} got two 503"))?;
        ensure(self.served(name) == 0, || format!("request {name:?} was served and got a 503"))
    }
}
