//! Clients that a proxy brings: its header comes first, and says whose connection it is.
//!
//! Owns the time from accepting to the header's end. Until then nothing else that the client sends is looked at, its login is not due
//! and its TLS does not begin; INFO goes out as ever, without the address that nobody knows yet. As on the peer a client may do
//! without a header, so that only a proxy may be able to connect where this is switched on.

use std::io::ErrorKind;
use std::time::Duration;

use super::Reactor;
use super::expire::TimerKey;
use super::words::label;
use crate::connection::close::CloseReason;
use crate::connection::inbound::Inbound;
use crate::ids::{ClientAddress, ConnId};
use crate::log::quote::quoted;
use crate::os::poll::{Os, Socket};
use crate::protocol::error::ProtocolError;
use crate::protocol::proxy_header::{Family, HeaderError, Progress};

/// How long a header may take, as on the peer.
const HEADER_WITHIN: Duration = Duration::from_secs(5);
/// What is read at once: a header, and what a client may have sent with it.
const READ_BYTES: usize = 2048;

impl<O: Os> Reactor<O> {
    /// A client has come that a proxy may have brought.
    pub(super) fn await_header(&mut self, id: ConnId) {
        if let Some(client) = self.clients.find(id) {
            client.header = Some(Box::default());
            self.timers.insert(self.now + HEADER_WITHIN, TimerKey::header(id));
        }
    }

    /// Reads once.
    pub(super) fn read_header(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let Some(header) = &mut client.header else { return };
        let mut bytes = [0; READ_BYTES];
        let count = match client.socket.read(&mut bytes) {
            Ok(0) => {
                let midway = header.missing().midway;
                return self.fail_header(slot, if midway { "unexpected EOF" } else { "EOF" });
            }
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                client.readable = client.ended;
                return;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(_) => return self.close(slot, CloseReason::ReadError),
        };
        client.readable = count == bytes.len() || client.ended;
        self.turn.bytes += count;
        let bytes = bytes.get(..count).unwrap_or_default();
        match header.advance(bytes) {
            Ok(Progress::NeedMore) => {}
            Ok(Progress::Done { consumed, source }) => {
                let source = source.map(ClientAddress::from);
                self.end_header(slot, source, bytes.get(consumed..).unwrap_or_default());
            }
            Ok(Progress::Absent) => {
                let all = [header.held(), bytes].concat();
                self.end_header(slot, None, &all);
            }
            Err(error) => self.refuse_header(slot, &words(&error)),
        }
    }

    /// The client begins, with what came behind the header.
    fn end_header(&mut self, slot: u32, source: Option<ClientAddress>, rest: &[u8]) {
        let id = self.clients.id(slot);
        let Some(client) = self.clients.at(slot) else { return };
        client.header = None;
        if let Some(source) = source {
            let label = label(&client.connection);
            self.log.debug(format_args!("{label} - PROXY protocol: the client is {source}"));
            client.connection.address = source;
        }
        if client.tls.is_some() {
            return self.go_on_secure(id, rest);
        }
        if !rest.is_empty() {
            client.connection.inbound = Inbound::Rest(rest.to_vec());
            client.unacted = true;
        }
        self.begin_protocol(id);
    }

    /// The time for a header is over.
    pub(super) fn check_header(&mut self, id: ConnId) {
        let Some(client) = self.clients.find(id) else { return };
        if client.header.is_some() && client.connection.closing().is_none() {
            let text = format!("read tcp {}: i/o timeout", client.connection.address);
            self.fail_header(id.slot, &text);
        }
    }

    fn fail_header(&mut self, slot: u32, why: &str) {
        let header = self.clients.at(slot).and_then(|client| client.header.as_deref());
        let doing = header.map_or("", |header| header.missing().doing);
        self.refuse_header(slot, &format!("{doing}: {why}"));
    }

    /// Closes without an answer: it would go to the proxy.
    fn refuse_header(&mut self, slot: u32, text: &str) {
        if self.may_log_stranger()
            && let Some(client) = self.clients.at(slot)
        {
            let from = client.connection.address;
            self.log.warn(format_args!("Error reading PROXY protocol header from {from}: {text}"));
        }
        self.close(slot, CloseReason::Protocol(ProtocolError::UnknownOp));
    }
}

/// What is wrong with a header, in the peer's words.
fn words(error: &HeaderError) -> String {
    let invalid = |text: &str| format!("invalid PROXY protocol header: {text}");
    let unsupported = |text: &str| format!("unsupported PROXY protocol feature: {text}");
    match error {
        HeaderError::Line => invalid("invalid v1 format"),
        HeaderError::LineTooLong => invalid("v1 line too long"),
        HeaderError::Address => invalid("invalid address"),
        HeaderError::Port { is_source, text, out_of_range } => {
            let which = if *is_source { "source" } else { "dest" };
            let why = if *out_of_range { "value out of range" } else { "invalid syntax" };
            format!("invalid {which} port: strconv.ParseUint: parsing {}: {why}", quoted(text.as_bytes()))
        }
        HeaderError::OtherFamily(Family::Six) => invalid("TCP4 with IPv6 address"),
        HeaderError::OtherFamily(Family::Four) => invalid("TCP6 with IPv4 address"),
        HeaderError::Transport(text) => invalid(&format!("invalid protocol {text}")),
        HeaderError::Signature => invalid("invalid signature"),
        HeaderError::Version(version) => invalid(&format!("invalid version {version:#04x}")),
        HeaderError::Command(command) => format!("unknown PROXY protocol command: {command:#04x}"),
        HeaderError::NotStream => unsupported("only STREAM protocol supported"),
        HeaderError::Family(family) => unsupported(&format!("unsupported address family {family:#04x}")),
        HeaderError::TooShort { family, bytes } => {
            let family = if *family == Family::Four { "IPv4" } else { "IPv6" };
            format!("{family} address data too short: {bytes} bytes")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_in_the_peers_words() {
        let port =
            |is_source, text: &str, out_of_range| HeaderError::Port { is_source, text: text.into(), out_of_range };
        let rows = [
            (HeaderError::Version(0x30), "invalid PROXY protocol header: invalid version 0x30"),
            (HeaderError::Command(2), "unknown PROXY protocol command: 0x02"),
            (HeaderError::Family(0x30), "unsupported PROXY protocol feature: unsupported address family 0x30"),
            (HeaderError::TooShort { family: Family::Six, bytes: 20 }, "IPv6 address data too short: 20 bytes"),
            (HeaderError::OtherFamily(Family::Six), "invalid PROXY protocol header: TCP4 with IPv6 address"),
            (
                port(true, "1\"\u{1}2", false),
                r#"invalid source port: strconv.ParseUint: parsing "1\"\x012": invalid syntax"#,
            ),
            (
                port(false, "70000", true),
                r#"invalid dest port: strconv.ParseUint: parsing "70000": value out of range"#,
            ),
        ];
        for (error, expected) in rows {
            assert_eq!(words(&error), expected);
        }
    }
}
