//! What can be wrong with what a client says, and the words it is told so in.
//!
//! Owns the closed list of protocol errors and the table of their texts, copied byte for byte from what nats-server sends.
//! Must not decide when an error arises, nor write it anywhere. Invariant: one exhaustive `match` for each question.

/// The operation whose arguments were wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `PUB`
    Publish,
    /// `HPUB`
    PublishWithHeaders,
    /// `SUB`
    Subscribe,
    /// `UNSUB`
    Unsubscribe,
}

/// What was wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentFault {
    /// Too few or too many.
    Count,
    /// The size is no number of at most nine digits.
    Size,
    /// The size of the headers is no number of at most nine digits.
    HeaderSize,
    /// The headers would be larger than the whole.
    HeaderLargerThanTotal,
}

/// What was wrong with the body of a `CONNECT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Not JSON, or not an object.
    Json,
    /// A known field holds a value of another type.
    FieldType,
    /// Names an account: nobody may choose their own (CVE-2022-24450).
    AccountNamed,
    /// `protocol` is neither 0 nor 1.
    Protocol,
    /// `no_responders` without `headers`: there is no way to tell it.
    NoRespondersWithoutHeaders,
}

/// Everything a client can do wrong, and what a connection is told when it is closed for another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// No operation begins like this, or a payload is not followed by CR LF.
    UnknownOp,
    /// The arguments are longer than `max_control_line`.
    ControlLineTooLong,
    /// A message is larger than `max_payload`.
    PayloadTooLarge {
        /// Bytes announced.
        size: u32,
        /// Bytes allowed.
        max: u32,
    },
    /// The arguments do not fit the operation.
    BadArguments {
        /// Which operation.
        verb: Verb,
        /// In what way.
        fault: ArgumentFault,
    },
    /// `HPUB` where the server or the client did not agree on headers.
    HeadersNotSupported,
    /// `INFO` from a client whose body is no JSON object.
    InfoMalformed,
    /// The body of `CONNECT` is refused.
    Connect(ConnectFault),
    /// `SUB` with a subject that cannot be subscribed to.
    InvalidSubject,
    /// A pedantic client published to a subject that is not literal. The message is still delivered.
    InvalidPublishSubject,
    /// Another operation than `CONNECT` came first, or the credentials are wrong.
    AuthorizationViolation,
    /// The credentials may be right, but the client did not come through a proxy, as it must.
    ProxyRequired,
    /// It came through a proxy that is not trusted.
    ProxyNotTrusted,
    /// No `CONNECT` came in time.
    AuthenticationTimeout,
    /// The credentials were good once.
    AuthenticationExpired,
    /// Too many connections to this server.
    MaxConnections,
    /// Too many connections in this second (`connection_rate_limit`).
    Throttled,
    /// Too many connections to this account.
    MaxAccountConnections,
    /// Too many subscriptions on this connection.
    MaxSubscriptions,
    /// Too many pings stayed without an answer.
    StaleConnection,
    /// The client does not take its messages.
    SlowConsumer,
    /// Plain text where TLS is asked for.
    TlsRequired,
    /// The server stops.
    ServerShutdown,
}

impl ProtocolError {
    /// The words between the quotes of `-ERR '…'`. Empty: the peer says nothing and just closes.
    pub const fn err_text(self) -> &'static str {
        match self {
            Self::UnknownOp => "Unknown Protocol Operation",
            Self::ControlLineTooLong => "maximum control line exceeded",
            Self::PayloadTooLarge { .. } => "Maximum Payload Violation",
            Self::Connect(ConnectFault::Protocol) => "invalid client protocol",
            Self::Connect(ConnectFault::NoRespondersWithoutHeaders) => "no responders requires headers support",
            Self::Connect(ConnectFault::AccountNamed)
            | Self::AuthorizationViolation
            | Self::ProxyRequired
            | Self::ProxyNotTrusted => "Authorization Violation",
            Self::BadArguments { .. }
            | Self::HeadersNotSupported
            | Self::InfoMalformed
            | Self::Connect(ConnectFault::Json | ConnectFault::FieldType) => "",
            Self::InvalidSubject => "Invalid Subject",
            Self::InvalidPublishSubject => "Invalid Publish Subject",
            Self::AuthenticationTimeout => "Authentication Timeout",
            Self::AuthenticationExpired => "User Authentication Expired",
            Self::MaxConnections => "maximum connections exceeded",
            Self::Throttled => "Connection throttling is active. Please try again later.",
            Self::MaxAccountConnections => "maximum account active connections exceeded",
            Self::MaxSubscriptions => "maximum subscriptions exceeded",
            Self::StaleConnection => "Stale Connection",
            Self::SlowConsumer => "Slow Consumer",
            Self::TlsRequired => "Secure Connection - TLS Required",
            Self::ServerShutdown => "Server Shutdown",
        }
    }

    /// Whether the connection ends with it.
    pub const fn closes(self) -> bool {
        !matches!(self, Self::InvalidSubject | Self::InvalidPublishSubject | Self::MaxSubscriptions)
    }

    /// Why the connection was closed, in the words of the log and of the monitoring pages. Empty where it stays open; one
    /// subscription too many ends a connection only where a reload has made it so.
    pub const fn close_reason(self) -> &'static str {
        match self {
            Self::UnknownOp
            | Self::BadArguments { .. }
            | Self::HeadersNotSupported
            | Self::InfoMalformed
            | Self::Connect(ConnectFault::Json | ConnectFault::FieldType) => "Protocol Violation",
            Self::ControlLineTooLong => "Maximum Control Line Exceeded",
            Self::PayloadTooLarge { .. } => "Maximum Message Payload Exceeded",
            Self::Connect(ConnectFault::AccountNamed) | Self::AuthorizationViolation => "Authentication Failure",
            Self::Connect(ConnectFault::Protocol) => "Bad Client Protocol Version",
            Self::Connect(ConnectFault::NoRespondersWithoutHeaders) => "No Responders Requires Headers",
            Self::ProxyRequired => "Proxy Required",
            Self::ProxyNotTrusted => "Proxy Not Trusted",
            Self::AuthenticationTimeout => "Authentication Timeout",
            Self::AuthenticationExpired => "Authentication Expired",
            Self::MaxConnections | Self::Throttled => "Maximum Connections Exceeded",
            Self::MaxAccountConnections => "Maximum Account Connections Exceeded",
            Self::StaleConnection => "Stale Connection",
            Self::SlowConsumer => "Slow Consumer (Pending Bytes)",
            Self::TlsRequired => "Secure Connection - TLS Required",
            Self::ServerShutdown => "Server Shutdown",
            Self::InvalidSubject | Self::InvalidPublishSubject => "",
            Self::MaxSubscriptions => "Maximum Subscriptions Exceeded",
        }
    }
}
