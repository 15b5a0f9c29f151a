//! The log lines of a core, in the peer's words.

use std::io;

use super::Reactor;
use super::expire::TimerKey;
use super::line_limit::Verdict as LineVerdict;
use crate::connection::Connection;
use crate::connection::close::CloseReason;
use crate::ids::{AccountId, SubId};
use crate::log::label::{Label, Login};
use crate::log::quote::{quoted, visible};
use crate::log::redact;
use crate::os::poll::Os;
use crate::protocol::error::{ArgumentFault, ConnectFault, ProtocolError, Verb};
use crate::protocol::handshake::ConnectOptions;
use crate::protocol::violation::Violation;

/// How a line names a connection.
pub(super) fn label(connection: &Connection) -> Label<'_> {
    let mut label = Label::new(connection.address, connection.client);
    if let Some(named) = connection.named() {
        label.version = redact::name(&named.version);
        label.lang = redact::name(&named.lang);
        label.name = redact::name(&named.name);
        if let Some(account) = connection.account_name() {
            label.account = account;
            label.login = login(named);
        }
    }
    label
}

/// How a client says who it is.
fn login(options: &ConnectOptions) -> Login<'_> {
    if !options.nkey.is_empty() {
        Login::Nkey(redact::name(&options.nkey))
    } else if !options.user.is_empty() {
        Login::User(redact::name(&options.user))
    } else if !options.auth_token.is_empty() {
        Login::Token
    } else {
        Login::None
    }
}

/// A login that was refused, as the peer logs it: who it was to be, no secret.
fn failed_login(connection: &Connection) -> String {
    match connection.claimed().map_or(Login::None, login) {
        Login::Nkey(key) => format!("authentication error - Nkey {}", quoted(key.as_bytes())),
        Login::User(user) => format!("authentication error - User {}", quoted(user.as_bytes())),
        Login::Token => "authentication error - Token \"[REDACTED]\"".into(),
        Login::None => "authentication error".into(),
    }
}

/// When the refusal itself is logged, beside what is traced of the answer and the line of the close: as the peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalLine {
    /// Before both.
    First,
    /// Between them.
    Between,
    /// After both.
    Last,
}

impl RefusalLine {
    pub(super) const fn of(error: ProtocolError) -> Self {
        match error {
            ProtocolError::PayloadTooLarge { .. }
            | ProtocolError::AuthorizationViolation
            | ProtocolError::ProxyRequired
            | ProtocolError::ProxyNotTrusted
            | ProtocolError::StaleConnection
            | ProtocolError::Connect(ConnectFault::AccountNamed) => Self::First,
            ProtocolError::ControlLineTooLong
            | ProtocolError::Connect(ConnectFault::Protocol | ConnectFault::NoRespondersWithoutHeaders) => Self::Last,
            _ => Self::Between,
        }
    }
}

/// What was wrong, as the peer logs it.
fn refusal(error: ProtocolError, input: &[u8]) -> String {
    let line_end = memchr::memchr(b'\n', input).unwrap_or(input.len());
    let line = &input[..line_end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let arguments = line.iter().position(u8::is_ascii_whitespace).map_or(&[][..], |at| line[at..].trim_ascii_start());
    let arguments = redact::excerpt(&arguments[..arguments.len().min(256)]);
    let arguments = quoted(&arguments);
    match error {
        ProtocolError::PayloadTooLarge { size, max } => format!("maximum payload exceeded: {size} vs {max}"),
        ProtocolError::ControlLineTooLong => "maximum control line exceeded".into(),
        ProtocolError::HeadersNotSupported => "message headers not supported".into(),
        ProtocolError::BadArguments { verb: Verb::Publish, fault: ArgumentFault::Count } => {
            format!("processPub Parse Error: {arguments}")
        }
        ProtocolError::BadArguments { verb: Verb::Publish, .. } => {
            format!("processPub Bad or Missing Size: {arguments}")
        }
        ProtocolError::BadArguments { verb: Verb::PublishWithHeaders, fault } => match fault {
            ArgumentFault::HeaderLargerThanTotal => {
                format!("processHeaderPub Header Size larger then TotalSize: {arguments}")
            }
            ArgumentFault::HeaderSize => format!("processHeaderPub Bad or Missing Header Size: {arguments}"),
            ArgumentFault::Size => format!("processHeaderPub Bad or Missing Total Size: {arguments}"),
            ArgumentFault::Count => format!("processHeaderPub Parse Error: {arguments}"),
        },
        ProtocolError::BadArguments { verb: Verb::Subscribe, .. } => format!("processSub Parse Error: {arguments}"),
        ProtocolError::BadArguments { verb: Verb::Unsubscribe, .. } => format!("processUnsub Parse Error: {arguments}"),
        ProtocolError::UnknownOp => {
            format!(
                "Client parser ERROR, state=0, i=0: proto='{}...'",
                quoted(&redact::excerpt(&line[..line.len().min(32)]))
            )
        }
        ProtocolError::InfoMalformed => "INFO is not followed by a JSON object".into(),
        ProtocolError::Connect(ConnectFault::Json) => "CONNECT is not followed by a JSON object".into(),
        ProtocolError::Connect(ConnectFault::FieldType) => "A field of CONNECT is of the wrong type".into(),
        other => other.err_text().into(),
    }
}

impl<O: Os> Reactor<O> {
    pub(super) fn log_created(&mut self, slot: u32) {
        if self.log.debug_enabled()
            && let Some(client) = self.clients.at(slot)
        {
            self.log.debug(format_args!("{} - Client connection created", label(&client.connection)));
        }
    }

    pub(super) fn log_client_error(&mut self, slot: u32, text: &[u8]) {
        if let Some(client) = self.clients.at(slot) {
            let text = redact::arguments(text);
            self.log.error(format_args!("{} - Client Error {}", label(&client.connection), visible(&text)));
        }
    }

    /// A client has as many subscriptions as it may; it may try often, so the first time is told.
    pub(super) fn log_full(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        if !std::mem::replace(&mut client.was_full, true) {
            self.log.error(format_args!("{} - maximum subscriptions exceeded", label(&client.connection)));
        }
    }

    /// A subscription has had as many messages as its client wanted.
    pub(super) fn log_expired(&mut self, account: AccountId, id: SubId) {
        if !self.log.debug_enabled() {
            return;
        }
        let subscription = self.tables[account.0 as usize].subscription(id);
        if let Some(client) = self.clients.at(subscription.conn_slot()) {
            let (max, sid) = (subscription.max().unwrap_or_default(), visible(subscription.sid()));
            let label = label(&client.connection);
            self.log.debug(format_args!("{label} - Auto-unsubscribe limit of {max} reached for sid '{sid}'"));
        }
        if self.trace {
            self.trace_ended(account, id);
        }
    }

    /// A client was refused something, and stays.
    pub(super) fn log_violation(&mut self, slot: u32, violation: Violation<'_>, sid: &[u8]) {
        let Some(client) = self.clients.at(slot) else { return };
        let label = label(&client.connection);
        let sid = redact::arguments(sid);
        let sid = visible(&sid);
        match violation {
            Violation::Publish(subject) => {
                self.log.error(format_args!(
                    "{label} - Publish Violation - Subject {}",
                    quoted(&redact::arguments(subject))
                ));
            }
            Violation::Reply(reply) => {
                self.log
                    .error(format_args!("{label} - Publish Violation - Reply {}", quoted(&redact::arguments(reply))));
            }
            Violation::TooManyTokens(pattern) => self.log.error(format_args!(
                "{label} - Subscription Violation Too Many Tokens - Subject {}, SID {}",
                quoted(&redact::arguments(pattern)),
                sid
            )),
            Violation::Subscribe { pattern, queue: None, .. } => self.log.error(format_args!(
                "{label} - Subscription Violation - Subject {}, SID {}",
                quoted(&redact::arguments(pattern)),
                sid
            )),
            Violation::Subscribe { pattern, queue: Some(queue), .. } => self.log.error(format_args!(
                "{label} - Subscription Violation - Subject {}, Queue: {}, SID {}",
                quoted(&redact::arguments(pattern)),
                quoted(&redact::arguments(queue)),
                sid
            )),
        }
    }

    pub(super) fn log_ping(&mut self, slot: u32) {
        if self.log.debug_enabled()
            && let Some(client) = self.clients.at(slot)
        {
            self.log.debug(format_args!("{} - Client Ping Timer", label(&client.connection)));
        }
    }

    /// Whether one more line about somebody who is not logged in may be written; those that may not are counted.
    pub(super) fn may_log_stranger(&mut self) -> bool {
        match self.stranger_lines.take(self.now) {
            LineVerdict::Write => return true,
            LineVerdict::DropFirst(until) => self.timers.insert(until, TimerKey::StrangerLines),
            LineVerdict::Drop => {}
        }
        false
    }

    /// A client is about to be refused; called while its label is still known.
    pub(super) fn log_refusal(&mut self, slot: u32, error: ProtocolError, input: &[u8]) {
        let Some(client) = self.clients.at(slot) else { return };
        if error == ProtocolError::Throttled {
            return; // counted, and told once a second
        }
        let is_stranger = client.connection.grant().is_none() && error != ProtocolError::StaleConnection;
        if is_stranger && !self.may_log_stranger() {
            return;
        }
        let Some(client) = self.clients.at(slot) else { return };
        let label = label(&client.connection);
        match error {
            ProtocolError::StaleConnection => {
                self.stats.stale_connections += 1;
                self.log.debug(format_args!("{label} - Stale Client Connection - Closing"));
            }
            ProtocolError::AuthenticationTimeout => self.log.debug(format_args!("{label} - Authentication Timeout")),
            ProtocolError::ProxyRequired | ProtocolError::ProxyNotTrusted => {
                let why = if error == ProtocolError::ProxyRequired {
                    "proxy connection required"
                } else {
                    "proxy is not trusted"
                };
                self.log.debug(format_args!("{label} - {why}"));
                self.log.error(format_args!("{label} - {}", failed_login(&client.connection)));
            }
            ProtocolError::Connect(ConnectFault::AccountNamed) | ProtocolError::AuthorizationViolation => {
                self.log.error(format_args!("{label} - {}", failed_login(&client.connection)));
            }
            ProtocolError::MaxAccountConnections => {
                self.log.error(format_args!("{label} - {}", error.err_text()));
            }
            ProtocolError::MaxConnections => self.log.error(format_args!("{label} - maximum connections exceeded")),
            other => {
                self.log.error(format_args!("{label} - {}", refusal(other, input)));
            }
        }
    }

    /// How many lines about clients that were not let in were not written.
    pub(super) fn log_dropped_lines(&mut self) {
        let dropped = self.stranger_lines.take_dropped();
        if dropped > 0 {
            self.log.warn(format_args!("{dropped} more clients were refused before they were let in"));
        }
    }

    pub(super) fn log_closed(&mut self, slot: u32, reason: CloseReason) {
        if self.log.debug_enabled()
            && let Some(client) = self.clients.at(slot)
        {
            let label = label(&client.connection);
            self.log.debug(format_args!("{label} - Client connection closed: {}", reason.name()));
        }
        self.trace_all_ended(slot);
    }

    pub(super) fn log_closing(&mut self, slot: u32, reason: CloseReason) {
        let Some(client) = self.clients.at(slot) else { return };
        let label = label(&client.connection);
        let (pending, chunks) = (client.connection.outbound.pending_bytes(), client.connection.outbound.chunks());
        match reason {
            CloseReason::SlowConsumerPendingBytes => {
                self.stats.slow_consumers += 1;
                let max = self.settings.pending_bytes_max;
                self.log.info(format_args!("{label} - Slow Consumer Detected: MaxPending of {max} Exceeded"));
            }
            CloseReason::SlowConsumerWriteDeadline => {
                self.stats.slow_consumers += 1;
                let deadline = self.settings.write_deadline;
                self.log.info(format_args!(
                    "{label} - Slow Consumer Detected: WriteDeadline of {deadline:?} exceeded with {chunks} chunks of {pending} total bytes."
                ));
            }
            _ => {}
        }
        self.log_closed(slot, reason);
    }

    pub(super) fn log_accept_failed(&mut self, error: &io::Error) {
        self.log.error(format_args!("Temporary Client Accept Error ({error}), sleeping 100ms"));
    }

    pub(super) fn log_poll_failed(&mut self, error: &io::Error) {
        self.log.error(format_args!("Poll of core {} failed: {error}", self.this.index()));
    }
}
