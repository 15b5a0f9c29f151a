//! One client without its socket.
//!
//! Takes bytes that were read and says, one operation at a time, what is to be done ([`Connection::step`]); queues its own
//! answers. Holds what is unread (`inbound`), unwritten (`outbound`), subscribed (`subscriptions`), and the ping timer's memory
//! (`keepalive`). Pure: no socket, no clock; the reactor carries out the actions.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, expect(clippy::indexing_slicing, clippy::panic, reason = "a test may fail so"))]

pub mod close;
pub mod inbound;
pub mod keepalive;
pub mod login;
pub mod outbound;
pub mod rights;
pub mod state;
pub mod subscriptions;

use std::time::{Duration, Instant};

use crate::ids::{ClientAddress, ClientId};
use crate::protocol::encoder;
use crate::protocol::error::ProtocolError;
use crate::protocol::handshake::ConnectOptions;
use crate::protocol::op::{ClientOp, Publish};
use crate::protocol::parser::{Parsed, Parser};
use crate::protocol::violation::Violation;
use crate::subject;
use crate::subject::reserved::{is_reserved_reply, is_reserved_subject, may_be_reserved};
use close::CloseReason;
use inbound::Inbound;
use keepalive::Keepalive;
use outbound::{ChunkPool, Outbound};
use rights::Rights;
use state::{AwaitConnect, Closing, ConnState};
use subscriptions::Subscriptions;

/// How long the last words of a closing connection are offered.
const LAST_WORDS_FOR: Duration = Duration::from_secs(2);

/// What one client has sent and was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Messages from it.
    pub in_msgs: u64,
    /// Their bytes, headers and payload.
    pub in_bytes: u64,
    /// Messages to it.
    pub out_msgs: u64,
    /// Their bytes.
    pub out_bytes: u64,
    /// How often it was held back for a slow receiver.
    pub stalls: u64,
}

/// One client.
#[derive(Debug)]
pub struct Connection {
    /// Its number.
    pub client: ClientId,
    /// Where it comes from.
    pub address: ClientAddress,
    /// When it was accepted.
    pub started: Instant,
    /// What it sent that is not acted on yet.
    pub inbound: Inbound,
    /// What waits to be written to it.
    pub outbound: Outbound,
    /// When it is to be asked whether it lives.
    pub keepalive: Keepalive,
    /// What it subscribed to.
    pub subscriptions: Subscriptions,
    /// Messages and bytes.
    pub counts: Counts,
    /// What it was answered and not traced yet; `None` while nobody traces.
    pub said: Option<Vec<Said>>,
    /// What it may do, where that is not everything.
    pub rights: Option<Box<Rights>>,
    nonce: Option<Box<str>>,
    state: ConnState,
    traits: Traits,
}

/// What the message path asks of a connection, apart from its state so that one load tells.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// It understands HMSG.
    pub headers: bool,
    /// It wants its own messages back.
    pub echo: bool,
    /// It wants +OK.
    pub verbose: bool,
    /// It wants subjects to be checked.
    pub pedantic: bool,
    /// It wants to hear that nobody listens.
    pub no_responders: bool,
    /// Whether what it publishes is taken as it comes.
    pub gate: Gate,
}

/// Whether what a client publishes is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may publish what it likes.
    Open,
    /// Its rights are asked.
    Checked,
    /// It must log in first.
    Shut,
}

impl Traits {
    fn of(options: &ConnectOptions, server_headers: bool) -> Self {
        let headers = server_headers && options.headers;
        Self {
            headers,
            echo: options.echo,
            verbose: options.verbose,
            pedantic: options.pedantic,
            no_responders: options.no_responders && headers,
            gate: Gate::Open,
        }
    }
}

/// An answer, for the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// `PING`
    Ping,
    /// `PONG`
    Pong,
    /// `+OK`
    Ok,
    /// `-ERR`, with its words.
    Err(String),
}

/// What the server allows, as far as it concerns one connection's operations.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Bounds on lines and payloads, for clients that agreed on headers.
    pub parser: Parser,
    /// The same for clients that did not.
    pub parser_without_headers: Parser,
    /// `max_payload`: bytes.
    pub payload_bytes_max: u32,
    /// Headers may be used.
    pub headers: bool,
    /// `max_subscriptions`.
    pub subscriptions_max: u64,
    /// `max_sub_tokens`.
    pub sub_tokens_max: usize,
}

/// The next step of a connection.
#[derive(Debug)]
pub enum Step<'a> {
    /// The input is the beginning of an operation of so many bytes (0: not known yet).
    NeedMore {
        /// Bytes of the whole.
        op_bytes: usize,
    },
    /// An operation was taken from the input; carry this out.
    Act {
        /// Its length.
        consumed: usize,
        /// What is to be done.
        action: Action<'a>,
    },
}

/// What the reactor is to do for a connection.
#[derive(Debug)]
pub enum Action<'a> {
    /// Nothing: it was an answer, or the connection has dealt with it.
    None,
    /// Match and deliver.
    Publish(Publish<'a>),
    /// Add a subscription; +OK where wanted.
    Subscribe {
        /// The pattern; whether it is valid is asked after the limits, as on the peer.
        pattern: &'a [u8],
        /// The queue group.
        queue: Option<&'a [u8]>,
        /// The client's name for it.
        sid: &'a [u8],
    },
    /// End a subscription, now or after so many messages; +OK where wanted.
    Unsubscribe {
        /// The client's name for it.
        sid: &'a [u8],
        /// After how many in all.
        max: Option<u64>,
    },
    /// Answer a PING, when nothing of what ended before is still served.
    Pong,
    /// Decide who the client is: it has said CONNECT, or begins without.
    LogIn,
    /// Nothing, but the client complained.
    ClientError(&'a [u8]),
    /// Nothing: the client was refused what it asked for, and told so.
    Refused {
        /// What.
        violation: Violation<'a>,
        /// The client's name for the subscription that it does not get; otherwise empty.
        sid: &'a [u8],
    },
}

impl Connection {
    /// A client that was accepted at `now`.
    pub fn new(client: ClientId, address: ClientAddress, now: Instant, server_headers: bool) -> Self {
        Self {
            client,
            address,
            started: now,
            inbound: Inbound::Empty,
            outbound: Outbound::default(),
            keepalive: Keepalive::new(now),
            subscriptions: Subscriptions::default(),
            counts: Counts::default(),
            said: None,
            rights: None,
            nonce: None,
            state: ConnState::AwaitConnect(AwaitConnect { login_required: false }),
            traits: Traits::of(&ConnectOptions::default(), server_headers),
        }
    }

    /// What the message path asks of it.
    #[inline]
    pub fn traits(&self) -> Traits {
        self.traits
    }

    /// What it told of itself; `None` before it did.
    pub fn options(&self) -> Option<&ConnectOptions> {
        match &self.state {
            ConnState::Ready(ready) => Some(&ready.options),
            ConnState::AwaitConnect(_) | ConnState::LoggingIn(_) | ConnState::Closing(_) => None,
        }
    }

    /// What names it in the log: what it said of itself first.
    pub fn named(&self) -> Option<&ConnectOptions> {
        match &self.state {
            ConnState::Ready(ready) => Some(ready.first.as_ref().unwrap_or(&ready.options)),
            ConnState::AwaitConnect(_) | ConnState::LoggingIn(_) | ConnState::Closing(_) => None,
        }
    }

    /// Whether and how it ends.
    pub fn closing(&self) -> Option<&Closing> {
        match &self.state {
            ConnState::Closing(closing) => Some(closing),
            ConnState::AwaitConnect(_) | ConnState::LoggingIn(_) | ConnState::Ready(_) => None,
        }
    }

    /// Whether it can be told that INFO has changed: it has connected and speaks protocol 1.
    pub fn takes_info(&self) -> bool {
        matches!(&self.state, ConnState::Ready(ready) if ready.connected && ready.options.protocol >= 1)
    }

    /// Takes a PUB in its usual form from the front of `input`, where there is one: the short way of [`Self::step`].
    /// Only for a client whose gate is open.
    #[inline(always)]
    pub fn step_publish<'a>(
        &mut self,
        rules: &Rules,
        input: &'a [u8],
        pool: &mut ChunkPool,
    ) -> Option<(Publish<'a>, usize)> {
        let (publish, consumed) = rules.parser.next_publish(input)?;
        if may_be_reserved(publish.subject) || may_be_reserved(publish.reply) {
            return None;
        }
        self.handle_publish(&publish, pool);
        Some((publish, consumed))
    }

    /// The same for a client whose gate is [`Gate::Checked`]; `rules` are those of its account. A call: the loop that the
    /// other is a part of stays small.
    #[inline(never)]
    pub fn step_checked_publish<'a>(
        &mut self,
        rules: &Rules,
        input: &'a [u8],
        now: Instant,
        pool: &mut ChunkPool,
    ) -> Option<(Publish<'a>, usize)> {
        let (publish, consumed) = rules.parser.next_publish(input)?;
        let may = self.rights.as_mut().is_none_or(|rights| rights.may_publish(publish.subject, now));
        if !may || may_be_reserved(publish.subject) || may_be_reserved(publish.reply) {
            return None;
        }
        self.handle_publish(&publish, pool);
        Some((publish, consumed))
    }

    /// Takes one operation from the front of `input`.
    ///
    /// # Errors
    /// What the client did wrong, where that ends the connection: [`Self::complain`], then [`Self::close`].
    #[inline]
    pub fn step<'a>(
        &mut self,
        rules: &Rules,
        input: &'a [u8],
        now: Instant,
        pool: &mut ChunkPool,
    ) -> Result<Step<'a>, ProtocolError> {
        let parser = if self.traits.headers { &rules.parser } else { &rules.parser_without_headers };
        let parsed = match &self.state {
            ConnState::AwaitConnect(AwaitConnect { login_required: true }) => parser.next_awaiting_connect(input)?,
            _ => parser.next(input)?,
        };
        let (op, consumed) = match parsed {
            Parsed::NeedMore { op_bytes } => return Ok(Step::NeedMore { op_bytes }),
            Parsed::Op { op, consumed } => (op, consumed),
        };
        let action = match op {
            ClientOp::Publish(publish) => self.handle_any_publish(publish, now, pool),
            other => self.handle_other(other, rules, now, pool)?,
        };
        Ok(Step::Act { consumed, action })
    }

    /// A message that clients may send: neither its subject nor its reply is reserved.
    #[inline]
    fn handle_publish(&mut self, publish: &Publish<'_>, pool: &mut ChunkPool) {
        self.count_publish(publish, pool);
        self.acknowledge(pool);
    }

    fn handle_any_publish<'a>(&mut self, publish: Publish<'a>, now: Instant, pool: &mut ChunkPool) -> Action<'a> {
        let mut rights = self.rights.as_mut();
        let violation = if is_reserved_subject(publish.subject)
            || rights.as_mut().is_some_and(|rights| !rights.may_publish(publish.subject, now))
        {
            Violation::Publish(publish.subject)
        } else if is_reserved_reply(publish.reply) {
            Violation::Reply(publish.reply)
        } else {
            self.handle_publish(&publish, pool);
            return Action::Publish(publish);
        };
        self.count_publish(&publish, pool);
        self.refuse(violation, b"", pool)
    }

    #[inline]
    fn count_publish(&mut self, publish: &Publish<'_>, pool: &mut ChunkPool) {
        self.counts.in_msgs += 1;
        self.counts.in_bytes += publish.content.len() as u64;
        if self.traits.pedantic && !subject::is_valid_publish_subject(publish.subject) {
            self.complain(ProtocolError::InvalidPublishSubject, pool);
        }
    }

    /// The client is told what it may not, and goes on.
    pub fn tell(&mut self, violation: Violation<'_>, pool: &mut ChunkPool) {
        self.complain_of(&violation.err_text(), pool);
    }

    fn refuse<'a>(&mut self, violation: Violation<'a>, sid: &'a [u8], pool: &mut ChunkPool) -> Action<'a> {
        self.tell(violation, pool);
        Action::Refused { violation, sid }
    }

    fn handle_other<'a>(
        &mut self,
        op: ClientOp<'a>,
        rules: &Rules,
        now: Instant,
        pool: &mut ChunkPool,
    ) -> Result<Action<'a>, ProtocolError> {
        match op {
            ClientOp::Publish(_) | ClientOp::Ignored => Ok(Action::None),
            ClientOp::Ping => Ok(Action::Pong),
            ClientOp::Pong => {
                self.keepalive.handle_pong(now);
                Ok(Action::None)
            }
            ClientOp::Connect(body) => {
                self.keepalive.handle_connect(now, self.started);
                self.handle_connect(body, rules)
            }
            ClientOp::Subscribe { pattern, queue, sid } => {
                if self.rights.as_ref().is_some_and(|rights| !rights.may_subscribe(pattern, queue)) {
                    return Ok(self.refuse(Violation::Subscribe { pattern, queue, sid: None }, sid, pool));
                }
                if subject::token_count(pattern) > rules.sub_tokens_max {
                    return Ok(self.refuse(Violation::TooManyTokens(pattern), sid, pool));
                }
                Ok(Action::Subscribe { pattern, queue, sid })
            }
            ClientOp::Unsubscribe { sid, max } => Ok(Action::Unsubscribe { sid, max }),
            ClientOp::Err(text) => Ok(Action::ClientError(text)),
        }
    }

    /// Whether the second INFO is due now that a PONG has been queued; asked once. What the last CONNECT said decides.
    pub fn take_info_due(&mut self) -> bool {
        match &mut self.state {
            ConnState::Ready(ready) => std::mem::take(&mut ready.info_due) && ready.options.protocol >= 1,
            ConnState::AwaitConnect(_) | ConnState::LoggingIn(_) | ConnState::Closing(_) => false,
        }
    }

    /// +OK where the client wants it.
    #[inline]
    pub fn acknowledge(&mut self, pool: &mut ChunkPool) {
        if self.traits.verbose {
            self.note(Said::Ok);
            self.outbound.push_answer(b"+OK\r\n", pool);
        }
    }

    /// PING.
    pub fn ping(&mut self, pool: &mut ChunkPool) {
        self.note(Said::Ping);
        self.outbound.push(b"PING\r\n", pool);
    }

    /// PONG.
    pub fn pong(&mut self, pool: &mut ChunkPool) {
        self.note(Said::Pong);
        self.outbound.push_answer(b"PONG\r\n", pool);
    }

    /// `-ERR`, and the connection goes on.
    pub fn complain(&mut self, error: ProtocolError, pool: &mut ChunkPool) {
        self.complain_of(error.err_text(), pool);
    }

    /// `-ERR` with these words; nothing where there are none.
    fn complain_of(&mut self, text: &str, pool: &mut ChunkPool) {
        if text.is_empty() {
            return;
        }
        self.note(Said::Err(text.to_owned()));
        let mut line = Vec::new();
        encoder::put_err_text(&mut line, text.as_bytes());
        self.outbound.push(&line, pool);
    }

    /// Ends the connection.
    pub fn close(&mut self, reason: CloseReason, now: Instant, pool: &mut ChunkPool) {
        if self.closing().is_some() {
            return;
        }
        self.inbound = Inbound::Empty;
        if !reason.flushes() {
            self.outbound.discard(pool);
        }
        self.become_state(ConnState::Closing(Closing { reason, until: now + LAST_WORDS_FOR }));
    }

    #[inline]
    fn note(&mut self, said: Said) {
        if let Some(notes) = &mut self.said {
            notes.push(said);
        }
    }

    fn become_state(&mut self, state: ConnState) {
        self.state = state;
    }
}
