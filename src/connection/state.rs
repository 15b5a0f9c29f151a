//! The states of a connection, and what each of them holds.

use std::sync::Arc;
use std::time::Instant;

use super::close::CloseReason;
use crate::auth::Grant;
use crate::protocol::handshake::ConnectOptions;

/// Where a connection is in its life. Assigned in one place: `Connection::become_state`.
#[derive(Debug)]
pub enum ConnState {
    /// INFO is queued; a CONNECT may come, or the client may begin without one where nobody has to log in.
    AwaitConnect(AwaitConnect),
    /// A CONNECT has come, and who sent it is being decided.
    LoggingIn(LoggingIn),
    /// PUB, SUB and UNSUB are served.
    Ready(Ready),
    /// The last words are on their way out; input is ignored.
    Closing(Closing),
}

/// A client that has said nothing of itself.
#[derive(Debug)]
pub struct AwaitConnect {
    /// It must, before anything else.
    pub login_required: bool,
}

/// What a client says of itself.
#[derive(Debug)]
pub struct LoggingIn {
    /// The body of its CONNECT.
    pub options: Box<ConnectOptions>,
    /// That of its first one, where this is not the first.
    pub first: Option<Box<ConnectOptions>>,
    /// This is not the first one.
    pub again: bool,
    /// See [`Ready`].
    pub info_due: bool,
}

/// What a client that is served has told of itself.
#[derive(Debug)]
pub struct Ready {
    /// The body of its last CONNECT.
    pub options: Box<ConnectOptions>,
    /// What it called itself in its first CONNECT, where a later one says otherwise: the log goes on calling it so.
    pub first: Option<Box<ConnectOptions>>,
    /// It has sent a CONNECT at all.
    pub connected: bool,
    /// The first PONG since the first CONNECT is still to come: the second INFO, which tells a client of protocol 1 what became of
    /// its CONNECT, follows it.
    pub info_due: bool,
    /// Who it is, where that has been decided.
    pub grant: Option<Granted>,
}

/// Who a client is, and where.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Who it is and what it may do.
    pub grant: Arc<Grant>,
    /// The name of its account.
    pub account_name: Arc<str>,
}

/// The end of a connection.
#[derive(Debug)]
pub struct Closing {
    /// Why.
    pub reason: CloseReason,
    /// When the rest is written off.
    pub until: Instant,
}
