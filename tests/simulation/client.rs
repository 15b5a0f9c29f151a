//! A client: what it has sent, what it may expect, and a strict parser of what the server sends.
//!
//! Every byte is looked at: exact sizes, one blank between words, known sids, answers in the order of the questions. What a message
//! means for the promises of the broker is the business of `checks`.

use std::collections::{BTreeMap, VecDeque};

use crate::secure::Secure;
use crate::socket::SharedLine;
use crate::terms::Who;

/// A part of the server's stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Info(String),
    Message(Message),
    Pong,
    Ping,
    Ok,
    Err(String),
}

/// MSG or HMSG.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub subject: String,
    pub sid: String,
    pub reply: String,
    pub headers: Vec<u8>,
    pub payload: Vec<u8>,
}

/// What a client wants when it connects.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    pub verbose: bool,
    pub echo: bool,
    pub headers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Live,
    /// UNSUB was sent.
    Ending,
    /// A PONG has come for a PING that followed it: nothing may come any more.
    Over,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub pattern: String,
    pub group: Option<String>,
    pub max: Option<u64>,
    pub life: Life,
    pub received: u64,
    /// It was asked for in the account of the neighbours.
    pub elsewhere: bool,
    /// What may not come on it.
    pub denied: Option<&'static str>,
}

#[derive(Debug)]
enum Answer {
    Ok,
    /// These sids are over then, and that does not come any more.
    Pong(Vec<String>, Option<&'static str>),
}

#[derive(Debug)]
pub struct Client {
    pub line: SharedLine,
    pub manners: Manners,
    pub who: Who,
    /// It has said CONNECT.
    connected: bool,
    /// What it may not have as who it is, as far as it has asked for that.
    asked: Option<&'static str>,
    /// What surely does not come any more: a PONG has come since it became who it is.
    pub denied: Option<&'static str>,
    /// Subscriptions that it keeps by what it does, and may not have: each is told.
    pub violations_due: usize,
    /// Sent, and still on the wire; with TLS: not sealed yet.
    pub out: VecDeque<u8>,
    /// `None`: it speaks in the clear.
    pub secure: Option<Box<Secure>>,
    /// It closes when that has gone.
    pub closes: bool,
    input: Vec<u8>,
    pub subscriptions: BTreeMap<String, Subscription>,
    expected: VecDeque<Answer>,
    /// It does not read.
    pub frozen: bool,
    /// The server may close it, or complain.
    pub may_fail: bool,
    /// The server has closed it.
    pub gone: bool,
    /// PINGs of this client that are not answered.
    pub pings: usize,
    pub errors: Vec<String>,
    pub lame_duck: bool,
    /// The last INFO.
    pub info: String,
    /// Numbers its messages.
    pub published: u64,
}

impl Client {
    /// A client that may not have `denied`.
    pub fn new(line: SharedLine, manners: Manners, who: Who, denied: Option<&'static str>) -> Self {
        let mut client = Self {
            line,
            manners,
            who,
            connected: false,
            asked: denied,
            denied: None,
            violations_due: 0,
            out: VecDeque::new(),
            secure: None,
            closes: false,
            input: Vec::new(),
            subscriptions: BTreeMap::new(),
            expected: VecDeque::new(),
            frozen: false,
            may_fail: false,
            gone: false,
            pings: 0,
            errors: Vec::new(),
            lame_duck: false,
            info: String::new(),
            published: 0,
        };
        if who == Who::Guest {
            // As long as nothing else was said.
            client.manners = Manners { verbose: true, echo: true, headers: false };
        } else {
            client.connect();
        }
        client
    }

    fn connect(&mut self) {
        let Manners { verbose, echo, headers } = self.manners;
        let (name, password) = (self.who.name(), self.who.password());
        self.out.extend(
            format!("CONNECT {{\"verbose\":{verbose},\"pedantic\":false,\"echo\":{echo},\"headers\":{headers},\"no_responders\":{headers},\"protocol\":1,\"user\":\"{name}\",\"pass\":\"{password}\"}}\r\n").bytes(),
        );
        self.connected = true;
        self.acknowledged();
    }

    /// Says CONNECT again, as somebody who may not have `denied`. What it subscribed to stays where it has not said CONNECT before and
    /// stays in its account, and is allowed.
    pub fn log_in(&mut self, who: Who, denied: Option<&'static str>) {
        let keeps = !self.connected && who.is_elsewhere() == self.who.is_elsewhere();
        for subscription in self.subscriptions.values_mut().filter(|subscription| subscription.life == Life::Live) {
            subscription.denied = None;
            let may_stay = denied.is_none_or(|denied| !matches(denied, &subscription.pattern));
            if !(keeps && may_stay) {
                subscription.life = Life::Ending;
                self.violations_due += usize::from(keeps);
            }
        }
        self.who = who;
        self.may_not_have(denied);
        self.connect();
    }

    /// Its rights are these now: subscriptions that are not allowed any more end.
    pub fn goes_by(&mut self, denied: Option<&'static str>) {
        self.may_not_have(denied);
        for subscription in self.subscriptions.values_mut().filter(|subscription| subscription.life == Life::Live) {
            if denied.is_some_and(|denied| matches(denied, &subscription.pattern)) {
                subscription.life = Life::Ending;
            }
        }
    }

    /// Its rights change about now.
    pub fn may_not_have(&mut self, denied: Option<&'static str>) {
        for expected in &mut self.expected {
            if let Answer::Pong(_, denied) = expected {
                *denied = None;
            }
        }
        for subscription in self.subscriptions.values_mut() {
            subscription.denied = None;
        }
        (self.asked, self.denied) = (denied, None);
    }

    /// A proxy brings it: this goes before all else, in the clear.
    pub fn introduce(&mut self, header: &[u8]) {
        let said: Vec<u8> = if self.secure.is_some() { Vec::new() } else { self.out.drain(..).collect() };
        let wire = self.wire();
        wire.extend(header);
        wire.extend(said);
    }

    fn acknowledged(&mut self) {
        if self.manners.verbose {
            self.expected.push_back(Answer::Ok);
        }
    }

    pub fn subscribe(&mut self, pattern: &str, group: Option<&str>, sid: &str) {
        let group_word = group.map_or(String::new(), |g| format!("{g} "));
        self.out.extend(format!("SUB {pattern} {group_word}{sid}\r\n").bytes());
        let (pattern, group) = (pattern.to_owned(), group.map(str::to_owned));
        let (elsewhere, denied) = (self.who.is_elsewhere(), self.asked);
        let subscription = Subscription { pattern, group, max: None, life: Life::Live, received: 0, elsewhere, denied };
        assert!(self.subscriptions.insert(sid.to_owned(), subscription).is_none(), "a scenario uses a sid once");
        self.acknowledged();
    }

    pub fn unsubscribe(&mut self, sid: &str) {
        self.out.extend(format!("UNSUB {sid}\r\n").bytes());
        if let Some(subscription) = self.subscriptions.get_mut(sid)
            && subscription.life == Life::Live
        {
            subscription.life = Life::Ending;
        }
        self.acknowledged();
    }

    pub fn unsubscribe_after(&mut self, sid: &str, max: u64) {
        self.out.extend(format!("UNSUB {sid} {max}\r\n").bytes());
        if let Some(subscription) = self.subscriptions.get_mut(sid) {
            subscription.max = Some(max);
        }
        self.acknowledged();
    }

    pub fn publish(&mut self, subject: &str, reply: &str, headers: &[u8], payload: &[u8]) {
        let reply = if reply.is_empty() { String::new() } else { format!("{reply} ") };
        if headers.is_empty() {
            self.out.extend(format!("PUB {subject} {reply}{}\r\n", payload.len()).bytes());
        } else {
            let total = headers.len() + payload.len();
            self.out.extend(format!("HPUB {subject} {reply}{} {total}\r\n", headers.len()).bytes());
        }
        self.out.extend(headers);
        self.out.extend(payload);
        self.out.extend(b"\r\n");
        self.acknowledged();
    }

    pub fn ping(&mut self) {
        self.out.extend(b"PING\r\n");
        let over = self.subscriptions.iter().filter(|(_, s)| s.life == Life::Ending).map(|(sid, _)| sid.clone());
        self.expected.push_back(Answer::Pong(over.collect(), self.asked));
        self.pings += 1;
    }

    /// Takes bytes in.
    pub fn receive(&mut self, bytes: impl Iterator<Item = u8>) -> Result<(), String> {
        match &mut self.secure {
            None => self.input.extend(bytes),
            Some(secure) => secure.open(&bytes.collect::<Vec<u8>>(), &mut self.input)?,
        }
        Ok(())
    }

    /// What goes over the wire next.
    pub fn wire(&mut self) -> &mut VecDeque<u8> {
        match &mut self.secure {
            None => &mut self.out,
            Some(secure) => secure.seal(&mut self.out),
        }
    }

    /// Whether something can.
    pub fn has_out(&self) -> bool {
        self.secure.as_ref().map_or(!self.out.is_empty(), |secure| secure.has_out(&self.out))
    }

    /// The next thing that the server said, if it is there as a whole.
    pub fn next(&mut self) -> Result<Option<Said>, String> {
        let Some((said, len)) = parse(&self.input)? else { return Ok(None) };
        self.input.drain(..len);
        match &said {
            Said::Ping => self.out.extend(b"PONG\r\n"),
            Said::Info(text) => {
                self.lame_duck |= text.contains("\"ldm\":true");
                self.info.clone_from(text);
            }
            Said::Err(text) => {
                if self.violations_due > 0 && text.starts_with("'Permissions Violation for Subscription to ") {
                    self.violations_due -= 1;
                } else if !self.may_fail {
                    return Err(format!("-ERR {text} for a client that did nothing wrong"));
                }
                self.errors.push(text.clone());
            }
            Said::Ok => match self.expected.pop_front() {
                Some(Answer::Ok) => {}
                other => return Err(format!("+OK where {other:?} was due")),
            },
            Said::Pong => match self.expected.pop_front() {
                Some(Answer::Pong(over, denied)) => {
                    self.pings -= 1;
                    self.denied = denied;
                    for sid in over {
                        if let Some(subscription) = self.subscriptions.get_mut(&sid) {
                            subscription.life = Life::Over;
                        }
                    }
                }
                other => return Err(format!("PONG where {other:?} was due")),
            },
            Said::Message(_) => {}
        }
        if self.verbose_is_owed() && self.input.is_empty() && self.gone && !self.may_fail {
            return Err("closed before everything was answered".into());
        }
        Ok(Some(said))
    }

    fn verbose_is_owed(&self) -> bool {
        !self.expected.is_empty()
    }
}

/// One thing from the front of `input`, and its length.
fn parse(input: &[u8]) -> Result<Option<(Said, usize)>, String> {
    let Some(end) = input.windows(2).position(|w| w == b"\r\n") else { return Ok(None) };
    let line = std::str::from_utf8(&input[..end]).map_err(|_| "a line that is no text")?;
    let after = end + 2;
    if let Some(body) = line.strip_prefix("INFO ") {
        if !(body.starts_with('{') && body.ends_with("} ")) {
            return Err(format!("INFO {body}"));
        }
        return Ok(Some((Said::Info(body.to_owned()), after)));
    }
    let said = match line {
        "PONG" => Said::Pong,
        "PING" => Said::Ping,
        "+OK" => Said::Ok,
        _ => {
            if let Some(text) = line.strip_prefix("-ERR ") {
                Said::Err(text.to_owned())
            } else {
                return parse_message(line, &input[after..])
                    .map(|found| found.map(|(m, len)| (Said::Message(m), after + len)));
            }
        }
    };
    Ok(Some((said, after)))
}

fn parse_message(line: &str, rest: &[u8]) -> Result<Option<(Message, usize)>, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let broken = || format!("not a line of a server: {line:?}");
    let (headers, total) = match words.as_slice() {
        ["MSG", .., total] if matches!(words.len(), 4 | 5) => ("0", *total),
        ["HMSG", .., headers, total] if matches!(words.len(), 5 | 6) => (*headers, *total),
        _ => return Err(broken()),
    };
    let with_reply = words.len() == if words[0] == "MSG" { 5 } else { 6 };
    let (headers, total): (usize, usize) = match (headers.parse(), total.parse()) {
        (Ok(h), Ok(t)) if h <= t => (h, t),
        _ => return Err(broken()),
    };
    if words.iter().any(|w| w.is_empty()) {
        return Err(broken());
    }
    if rest.len() < total + 2 {
        return Ok(None);
    }
    if &rest[total..total + 2] != b"\r\n" {
        return Err(format!("no line end behind the payload of {line:?}"));
    }
    let message = Message {
        subject: words[1].to_owned(),
        sid: words[2].to_owned(),
        reply: if with_reply { words[3].to_owned() } else { String::new() },
        headers: rest[..headers].to_vec(),
        payload: rest[headers..total].to_vec(),
    };
    Ok(Some((message, total + 2)))
}

/// Whether a subject matches a pattern, the slow and obvious way.
pub fn matches(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(p), Some(s)) if p == s => {}
            _ => return false,
        }
    }
}
