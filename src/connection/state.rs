//! The states of a connection, and what each of them holds.

use std::time::Instant;

use super::close::CloseReason;
use crate::protocol::handshake::ConnectOptions;

/// Where a connection is in its life. Assigned in one place: `Connection::become_state`.
#[derive(Debug)]
pub enum ConnState {
    /// INFO is queued; a CONNECT may come, or the client may begin without one.
    AwaitConnect,
    /// PUB, SUB and UNSUB are served.
    Ready(Ready),
    /// The last words are on their way out; input is ignored.
    Closing(Closing),
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
    /// The second INFO, which tells a client what became of its CONNECT, follows the first PONG.
    pub info_due: bool,
}

/// The end of a connection.
#[derive(Debug)]
pub struct Closing {
    /// Why.
    pub reason: CloseReason,
    /// When the rest is written off.
    pub until: Instant,
}
