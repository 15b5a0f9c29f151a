//! What `-V` shows: operations as they are read, and what is sent.
//!
//! Only reached while somebody traces; nothing here is fast.

use super::Reactor;
use super::deliver::Sender;
use super::frame::Message;
use super::words::label;
use crate::connection::Said;
use crate::ids::{AccountId, SubId};
use crate::log::trace::{self, Direction};
use crate::os::poll::Os;
use crate::protocol::error::ProtocolError;
use crate::protocol::op::ClientOp;
use crate::protocol::parser::Parsed;

impl<O: Os> Reactor<O> {
    /// From now on a connection keeps its answers for the trace.
    #[cold]
    pub(super) fn begin_trace(&mut self, slot: u32) {
        if let Some(client) = self.clients.at(slot) {
            client.connection.said.get_or_insert_default();
        }
    }

    /// What a connection was answered.
    pub(super) fn trace_said(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let Some(said) = &mut client.connection.said else { return };
        let said = if self.trace { std::mem::take(said) } else { client.connection.said.take().unwrap_or_default() };
        let label = label(&client.connection);
        for answer in said {
            let line = match &answer {
                Said::Ping => trace::operation(Direction::Out, "PING", b""),
                Said::Pong => trace::operation(Direction::Out, "PONG", b""),
                Said::Ok => trace::operation(Direction::Out, "OK", b""),
                Said::Err(text) => trace::operation(Direction::Out, "-ERR", text.as_bytes()),
            };
            self.log.trace(format_args!("{label} - {line}"));
        }
    }

    /// A subscription has ended, for whatever reason.
    #[cold]
    pub(super) fn trace_ended(&mut self, account: AccountId, id: SubId) {
        let subscription = self.tables[account.0 as usize].subscription(id);
        let Some(client) = self.clients.at(subscription.conn_slot()) else { return };
        let line = trace::operation(Direction::Internal, "DELSUB", subscription.sid());
        self.log.trace(format_args!("{} - {line}", label(&client.connection)));
    }

    /// All subscriptions of a client that is about to go; told while its name is still known.
    pub(super) fn trace_all_ended(&mut self, slot: u32) {
        if self.trace
            && let Some(client) = self.clients.at(slot)
        {
            let account = client.account;
            for id in client.connection.subscriptions.iter().collect::<Vec<_>>() {
                self.trace_ended(account, id);
            }
        }
    }

    /// The lines of the messages that receivers of this core were sent.
    #[cold]
    pub(super) fn trace_deliveries(&mut self, account: AccountId, message: &Message<'_>, sender: Sender) {
        let size = message.content.len() - 2;
        let form = self.settings.trace_payload;
        let own = (message.origin.core == self.this && message.no_echo).then_some(message.origin.slot);
        let parcel = if sender == Sender::Client { &self.own } else { &self.others };
        for &id in &parcel.routes.local {
            let subscription = self.tables[account.0 as usize].subscription(id);
            let slot = subscription.conn_slot();
            let Some(client) = self.clients.at(slot) else { continue };
            if own == Some(slot) {
                continue;
            }
            let headers = message.header_len > 0 && client.connection.traits().headers;
            let mut line = [message.subject, b" ", subscription.sid(), b" "].concat();
            if !message.reply.is_empty() {
                line.extend_from_slice(message.reply);
                line.push(b' ');
            }
            let sizes = if headers {
                format!("{} {size}", message.header_len)
            } else {
                (size - message.header_len).to_string()
            };
            line.extend_from_slice(sizes.as_bytes());
            let name = if headers { "HMSG" } else { "MSG" };
            let line = trace::operation(Direction::Out, name, &line);
            let label = label(&client.connection);
            self.log.trace(format_args!("{label} - {line}"));
            let (from, header_len) = if headers { (0, message.header_len) } else { (message.header_len, 0) };
            if let Some(text) = trace::payload(Direction::Out, &message.content()[from..size], header_len, form) {
                self.log.trace(format_args!("{label} - {text}"));
            }
        }
    }

    /// What a client says next, where it is whole; before it is acted on, as it may change how the client is named.
    #[cold]
    pub(super) fn trace_operation(&mut self, slot: u32, bytes: &[u8]) {
        self.trace_said(slot);
        let Some(client) = self.clients.at(slot) else { return };
        if client.connection.closing().is_some() {
            return;
        }
        let op = match self.settings.rules.parser.next(bytes) {
            Ok(Parsed::Op { op, .. }) => Some(op),
            Ok(Parsed::NeedMore { .. }) => return,
            Err(ProtocolError::ControlLineTooLong) => return,
            Err(_) => None, // the line that is about to be refused
        };
        let label = label(&client.connection);
        let line_end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let line = bytes[..line_end].strip_suffix(b"\r").unwrap_or(&bytes[..line_end]);
        let (verb, arguments) = line.split_at(line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len()));
        let arguments = arguments.trim_ascii_start();
        let Some(op) = op else {
            let known = [&b"PUB"[..], b"HPUB", b"SUB", b"UNSUB"].iter().any(|known| verb.eq_ignore_ascii_case(known));
            if known && !arguments.is_empty() && line_end < bytes.len() {
                let name = verb.to_ascii_uppercase();
                let line = trace::operation(Direction::In, &String::from_utf8_lossy(&name), arguments);
                self.log.trace(format_args!("{label} - {line}"));
            }
            return;
        };
        let name = match op {
            ClientOp::Connect(body) => {
                self.log.trace(format_args!("{label} - {}", trace::connect(body)));
                return;
            }
            ClientOp::Publish(publish) if publish.has_headers => "HPUB",
            ClientOp::Publish(_) => "PUB",
            ClientOp::Subscribe { .. } => "SUB",
            ClientOp::Unsubscribe { .. } => "UNSUB",
            ClientOp::Ping | ClientOp::Pong => {
                let name = if matches!(op, ClientOp::Ping) { "PING" } else { "PONG" };
                self.log.trace(format_args!("{label} - {}", trace::operation(Direction::In, name, b"")));
                return;
            }
            ClientOp::Ignored | ClientOp::Err(_) => return,
        };
        self.log.trace(format_args!("{label} - {}", trace::operation(Direction::In, name, arguments)));
        if let ClientOp::Publish(publish) = op
            && (client.connection.traits().headers || !publish.has_headers)
        {
            let form = self.settings.trace_payload;
            if let Some(text) = trace::payload(Direction::In, publish.content, publish.header_len, form) {
                self.log.trace(format_args!("{label} - {text}"));
            }
        }
    }
}
