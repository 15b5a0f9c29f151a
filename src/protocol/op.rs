//! What a client may say, borrowed from the bytes it was read into.

/// One whole operation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientOp<'a> {
    /// `CONNECT {json}`: the bytes after the verb, not yet looked at.
    Connect(&'a [u8]),
    /// `PING`
    Ping,
    /// `PONG`
    Pong,
    /// `PUB` or `HPUB`
    Publish(Publish<'a>),
    /// `SUB pattern [queue] sid`
    Subscribe {
        /// The pattern, not yet validated.
        pattern: &'a [u8],
        /// The queue group.
        queue: Option<&'a [u8]>,
        /// The client's own name for the subscription.
        sid: &'a [u8],
    },
    /// `UNSUB sid [max]`
    Unsubscribe {
        /// The client's own name for the subscription.
        sid: &'a [u8],
        /// Deliver this many in all, then end it; `None`: end it now.
        max: Option<u64>,
    },
    /// `-ERR`, `+OK`, `INFO` from a client: accepted and ignored, as the peer does.
    Ignored,
    /// `-ERR text` from a client: logged and closes it as the peer does.
    Err(&'a [u8]),
}

/// A message as its publisher sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Where to.
    pub subject: &'a [u8],
    /// Where an answer goes; empty: nobody waits for one.
    pub reply: &'a [u8],
    /// Sent with `HPUB`: `content` begins with `header_len` bytes of headers.
    pub has_headers: bool,
    /// Bytes of `content` that are headers.
    pub header_len: usize,
    /// Headers and payload, without the line end that follows.
    pub content: &'a [u8],
}
