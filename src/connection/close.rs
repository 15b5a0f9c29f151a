//! Why a connection ends.

use crate::protocol::error::ProtocolError;

/// The reason, as the log and the monitoring pages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client closed it.
    ClientClosed,
    /// Reading failed.
    ReadError,
    /// Writing failed.
    WriteError,
    /// The client broke the protocol or a limit.
    Protocol(ProtocolError),
    /// The client sent `-ERR`.
    ParseError,
    /// More than `max_pending` bytes wait for it.
    SlowConsumerPendingBytes,
    /// It did not take what was offered within `write_deadline`.
    SlowConsumerWriteDeadline,
    /// The TLS handshake failed, or was not over in time.
    TlsHandshakeFailure,
    /// The server stops, or is a lame duck.
    ServerShutdown,
}

impl CloseReason {
    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientClosed => "Client Closed",
            Self::ReadError => "Read Error",
            Self::WriteError => "Write Error",
            Self::Protocol(error) => error.close_reason(),
            Self::ParseError => "Parse Error",
            Self::SlowConsumerPendingBytes => "Slow Consumer (Pending Bytes)",
            Self::SlowConsumerWriteDeadline => "Slow Consumer (Write Deadline)",
            Self::TlsHandshakeFailure => "TLS Handshake Failure",
            Self::ServerShutdown => "Server Shutdown",
        }
    }

    /// Whether what waits for the client is still offered to it, rather than written off.
    pub const fn flushes(self) -> bool {
        matches!(
            self,
            Self::ClientClosed
                | Self::Protocol(_)
                | Self::ParseError
                | Self::TlsHandshakeFailure
                | Self::ServerShutdown
        )
    }
}
