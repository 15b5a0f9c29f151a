//! The header by which a proxy says whose connection it brings: PROXY protocol, version 1 (a line) and 2 (binary).
//!
//! Owns what of a header has come and what it means. Which headers are taken, and in which order faults are found, is as on the peer: a
//! client may do without a header, a header that has begun must be right. Reads no socket and knows no deadline.
//! Invariants: takes its bytes in any pieces with the same result; holds at most [`LINE_BYTES_MAX`] of them, whatever length a
//! header announces; never looks behind the header's end.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes of the longest line of version 1, its end included.
pub const LINE_BYTES_MAX: usize = 107;

/// A line begins so, and nothing else of the protocol does.
const LINE_START: &[u8; START_BYTES] = b"PROXY ";
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// So many bytes tell which version it is.
const START_BYTES: usize = 6;
/// Signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// Two addresses and two ports.
const FOUR_BYTES: u16 = 12;
const SIX_BYTES: u16 = 36;

/// A header that comes.
#[derive(Debug)]
pub struct ProxyHeader {
    held: [u8; LINE_BYTES_MAX],
    len: usize,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It is not known whether there is one.
    Start,
    /// Version 1.
    Line,
    /// Version 2: the rest of its signature, then of its fixed part.
    Signature,
    Fixed,
    /// The addresses; `left` bytes belong to the header behind them.
    Addresses {
        family: Family,
        left: u16,
    },
    /// Bytes that say nothing to us: extensions, or all that a header without an address has.
    Skip {
        left: u16,
        source: Option<SocketAddr>,
        why: Skipped,
    },
}

/// Which addresses a header of version 2 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Four,
    /// IPv6.
    Six,
}

#[derive(Clone, Copy, Debug)]
enum Skipped {
    Extensions(Family),
    Local,
    Unspecified,
}

/// What bytes did for a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All were taken, and more must come.
    NeedMore,
    /// It is complete.
    Done {
        /// So many of these bytes belonged to it.
        consumed: usize,
        /// Whose connection it is; `None`: that of whoever connected.
        source: Option<SocketAddr>,
    },
    /// There is none: what was [held](ProxyHeader::held) and then all of these bytes are what the client says.
    Absent,
}

/// What is wrong with a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// Not the words that a line must have.
    Line,
    /// No end within [`LINE_BYTES_MAX`].
    LineTooLong,
    /// No address of IP.
    Address,
    /// A port that is none.
    Port {
        /// That of the client, or where it went.
        is_source: bool,
        /// As it was written.
        text: String,
        /// It is a number.
        out_of_range: bool,
    },
    /// The address is of the other family than the line says.
    OtherFamily(Family),
    /// Neither `TCP4` nor `TCP6`.
    Transport(String),
    /// Version 2 begins otherwise.
    Signature,
    /// The version's bits.
    Version(u8),
    /// The command's bits.
    Command(u8),
    /// Not for a stream.
    NotStream,
    /// The family's bits.
    Family(u8),
    /// So few bytes can't hold its addresses.
    TooShort {
        /// Which ones.
        family: Family,
        /// As the header says.
        bytes: u16,
    },
}

/// How far a header had come that was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What could not be done, in the peer's words.
    pub doing: &'static str,
    /// Some of that had come.
    pub midway: bool,
}

impl Default for ProxyHeader {
    fn default() -> Self {
        Self { held: [0; LINE_BYTES_MAX], len: 0, stage: Stage::Start }
    }
}

impl ProxyHeader {
    /// Takes the bytes that follow those of earlier calls.
    ///
    /// # Errors
    /// What makes them no header.
    pub fn advance(&mut self, input: &[u8]) -> Result<Progress, HeaderError> {
        let earlier = self.len;
        let mut rest = input;
        loop {
            if let Stage::Skip { left, source, .. } = &mut self.stage {
                let skipped = usize::from(*left).min(rest.len());
                *left -= skipped as u16;
                if *left > 0 {
                    return Ok(Progress::NeedMore);
                }
                let consumed = input.len() - rest.len() + skipped;
                return Ok(Progress::Done { consumed, source: *source });
            }
            let Some((&byte, behind)) = rest.split_first() else { return Ok(Progress::NeedMore) };
            if matches!(self.stage, Stage::Start) && !self.may_go_on_with(byte) {
                self.len = earlier;
                return Ok(Progress::Absent);
            }
            if let Some(place) = self.held.get_mut(self.len) {
                *place = byte;
                self.len += 1;
            }
            rest = behind;
            if let Some(source) = self.judge()? {
                return Ok(Progress::Done { consumed: input.len() - rest.len(), source });
            }
        }
    }

    /// The bytes of earlier calls, where there is no header after all.
    pub fn held(&self) -> &[u8] {
        self.held.get(..self.len).unwrap_or_default()
    }

    /// What is missing while it is not complete.
    pub fn missing(&self) -> Missing {
        let (doing, midway) = match self.stage {
            Stage::Start => ("failed to read protocol version", self.len > 0),
            Stage::Line => ("failed to read v1 line", false),
            Stage::Signature => ("failed to read v2 signature", self.len > START_BYTES),
            Stage::Fixed => ("failed to read v2 header", self.len > SIGNATURE.len()),
            Stage::Addresses { family, .. } => (family.reading(), self.len > FIXED_BYTES),
            Stage::Skip { why: Skipped::Extensions(family), .. } => (family.reading(), true),
            Stage::Skip { why: Skipped::Local, .. } => ("failed to discard LOCAL command address data", false),
            Stage::Skip { why: Skipped::Unspecified, .. } => {
                ("failed to discard UNSPEC address address data", false) // the peer's words
            }
        };
        Missing { doing, midway }
    }

    fn may_go_on_with(&self, byte: u8) -> bool {
        let begins = |start: &[u8]| start.starts_with(self.held()) && start.get(self.len) == Some(&byte);
        begins(LINE_START) || begins(SIGNATURE)
    }

    /// Looks at a byte that was added. What a line says, where it is complete.
    fn judge(&mut self) -> Result<Option<Option<SocketAddr>>, HeaderError> {
        match self.stage {
            Stage::Start if self.len == START_BYTES => {
                self.stage = if self.held() == LINE_START { Stage::Line } else { Stage::Signature };
            }
            Stage::Line => {
                if let Some(line) = self.held().strip_suffix(b"\r\n") {
                    return parse_line(line.get(START_BYTES..).unwrap_or_default()).map(Some);
                }
                if self.len == LINE_BYTES_MAX {
                    return Err(HeaderError::LineTooLong);
                }
            }
            Stage::Signature if self.len == SIGNATURE.len() => {
                if self.held() != SIGNATURE {
                    return Err(HeaderError::Signature);
                }
                self.stage = Stage::Fixed;
            }
            Stage::Fixed if self.len == FIXED_BYTES => self.stage = parse_fixed(self.held())?,
            Stage::Addresses { family, left } if self.len == FIXED_BYTES + usize::from(family.bytes()) => {
                let addresses = self.held().get(FIXED_BYTES..).unwrap_or_default();
                let source = parse_source(family, addresses);
                self.stage = Stage::Skip { left, source, why: Skipped::Extensions(family) };
            }
            _ => {}
        }
        Ok(None)
    }
}

impl Family {
    const fn bytes(self) -> u16 {
        match self {
            Self::Four => FOUR_BYTES,
            Self::Six => SIX_BYTES,
        }
    }

    const fn reading(self) -> &'static str {
        match self {
            Self::Four => "failed to read IPv4 address data",
            Self::Six => "failed to read IPv6 address data",
        }
    }
}

/// What stands behind `PROXY ` in a line. Bytes that are no UTF-8 are in no word that has a meaning.
fn parse_line(line: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.first() == Some(&"UNKNOWN") {
        return Ok(None);
    }
    let &[transport, source, destination, source_port, destination_port] = words.as_slice() else {
        return Err(HeaderError::Line);
    };
    let address = |text: &str| text.parse::<IpAddr>().map_err(|_| HeaderError::Address);
    let (source, destination) = (address(source)?, address(destination)?);
    let source_port = parse_port(source_port, true)?;
    parse_port(destination_port, false)?;
    match transport {
        "TCP4" if source.is_ipv6() || destination.is_ipv6() => Err(HeaderError::OtherFamily(Family::Six)),
        "TCP6" if source.is_ipv4() || destination.is_ipv4() => Err(HeaderError::OtherFamily(Family::Four)),
        "TCP4" | "TCP6" => Ok(Some(SocketAddr::new(source, source_port))),
        other => Err(HeaderError::Transport(other.to_owned())),
    }
}

fn parse_port(text: &str, is_source: bool) -> Result<u16, HeaderError> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = if is_number { text.parse().ok() } else { None };
    port.ok_or_else(|| HeaderError::Port { is_source, text: text.to_owned(), out_of_range: is_number })
}

/// What the fixed part of version 2 says comes next.
fn parse_fixed(held: &[u8]) -> Result<Stage, HeaderError> {
    let Some(&[version_command, family_transport, high, low]) = held.last_chunk::<4>() else {
        return Err(HeaderError::Signature);
    };
    let length = u16::from_be_bytes([high, low]);
    if version_command & 0xf0 != 0x20 {
        return Err(HeaderError::Version(version_command & 0xf0));
    }
    match version_command & 0x0f {
        0 => return Ok(Stage::Skip { left: length, source: None, why: Skipped::Local }),
        1 => {}
        other => return Err(HeaderError::Command(other)),
    }
    if family_transport & 0x0f != 1 {
        return Err(HeaderError::NotStream);
    }
    let family = match family_transport & 0xf0 {
        0x00 => return Ok(Stage::Skip { left: length, source: None, why: Skipped::Unspecified }),
        0x10 => Family::Four,
        0x20 => Family::Six,
        other => return Err(HeaderError::Family(other)),
    };
    let Some(left) = length.checked_sub(family.bytes()) else {
        return Err(HeaderError::TooShort { family, bytes: length });
    };
    Ok(Stage::Addresses { family, left })
}

/// Source and destination, then their ports.
fn parse_source(family: Family, addresses: &[u8]) -> Option<SocketAddr> {
    let (address, ports): (IpAddr, _) = match family {
        Family::Four => (Ipv4Addr::from(*addresses.first_chunk::<4>()?).into(), addresses.get(8..)?),
        Family::Six => (Ipv6Addr::from(*addresses.first_chunk::<16>()?).into(), addresses.get(32..)?),
    };
    Some(SocketAddr::new(address, u16::from_be_bytes(*ports.first_chunk::<2>()?)))
}
