//! What a row of the tables is made of.
//!
//! A row says what clients send and what they get for it, byte for byte. It knows nothing of sockets, cores or cuts.

/// A dialogue with one server.
pub(crate) struct Case {
    /// What the row shows, as a sentence without blanks.
    pub(crate) name: &'static str,
    /// Lines of the configuration file; empty: the server that plain rows share.
    pub(crate) config: &'static str,
    /// What happens, in order.
    pub(crate) steps: &'static [Step],
    /// What the peer does instead when the bytes are cut; empty: the same as when they come whole.
    pub(crate) peer_when_cut: &'static str,
}

/// The usual: nothing configured.
pub(crate) const fn case(name: &'static str, steps: &'static [Step]) -> Case {
    Case { name, config: "", steps, peer_when_cut: "" }
}

/// On a server with this configuration.
pub(crate) const fn configured(name: &'static str, config: &'static str, steps: &'static [Step]) -> Case {
    Case { name, config, steps, peer_when_cut: "" }
}

impl Case {
    /// The peer reads this differently when it comes in pieces. Dunlin does not, so the peer is only played it whole.
    pub(crate) const fn peer_when_cut(mut self, what: &'static str) -> Self {
        self.peer_when_cut = what;
        self
    }
}

/// One thing that one client does or sees.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Which client; it connects when it is first named.
    pub(crate) client: char,
    pub(crate) act: Act,
}

/// What a client does or sees.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// CONNECT with these further fields, quiet, and a PING answered: never cut.
    Hello(&'static str),
    /// These bytes are sent.
    Send(&'static str),
    /// Exactly these bytes come.
    Receive(&'static str),
    /// All of these come, in any order.
    ReceiveAll(&'static [&'static str]),
    /// Exactly one of these comes.
    ReceiveOne(&'static [&'static str]),
    /// The next line is an INFO with this in it.
    Info(&'static str),
    /// The server closes the connection and logs why.
    Closed(Why),
}

/// Why a connection ended, as the log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    AuthenticationFailure,
    BadProtocolVersion,
    MaximumPayload,
    MaximumControlLine,
    NoRespondersWithoutHeaders,
    ParseError,
    ProtocolViolation,
    StaleConnection,
}

impl Why {
    /// The words behind `Client connection closed: `.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::AuthenticationFailure => "Authentication Failure",
            Self::BadProtocolVersion => "Bad Client Protocol Version",
            Self::MaximumPayload => "Maximum Message Payload Exceeded",
            Self::MaximumControlLine => "Maximum Control Line Exceeded",
            Self::NoRespondersWithoutHeaders => "No Responders Requires Headers",
            Self::ParseError => "Parse Error",
            Self::ProtocolViolation => "Protocol Violation",
            Self::StaleConnection => "Stale Connection",
        }
    }
}

impl Step {
    /// The same step for another client than A.
    pub(crate) const fn by(mut self, client: char) -> Self {
        self.client = client;
        self
    }
}

const fn a(act: Act) -> Step {
    Step { client: 'A', act }
}

/// The client sends this.
#[expect(non_snake_case, reason = "C and S are how a transcript is read: client, server")]
pub(crate) const fn C(text: &'static str) -> Step {
    a(Act::Send(text))
}

/// The server sends exactly this.
#[expect(non_snake_case, reason = "C and S are how a transcript is read: client, server")]
pub(crate) const fn S(text: &'static str) -> Step {
    a(Act::Receive(text))
}

/// The server sends all of these, in an order of its choice.
pub(crate) const fn all(texts: &'static [&'static str]) -> Step {
    a(Act::ReceiveAll(texts))
}

/// The server sends one of these, which it chooses.
pub(crate) const fn one_of(texts: &'static [&'static str]) -> Step {
    a(Act::ReceiveOne(texts))
}

/// The server sends an INFO line with this in it.
pub(crate) const fn info(part: &'static str) -> Step {
    a(Act::Info(part))
}

/// The server closes the connection.
pub(crate) const fn closed(why: Why) -> Step {
    a(Act::Closed(why))
}

/// CONNECT: not verbose, not pedantic, with headers and no_responders; then a round trip.
pub(crate) const HELLO: Step = a(Act::Hello(""));

/// The same with further fields, which begin with a comma.
pub(crate) const fn hello(fields: &'static str) -> Step {
    a(Act::Hello(fields))
}
