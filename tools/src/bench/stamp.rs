//! What stands in a payload so that a subscriber can judge it: who sent it, which one it is, when it was due.
//!
//! Three sizes. From 32 bytes on everything; from 16 on no subject and no send time; below that nothing, and messages are
//! only counted. What follows the stamp is the same in every message of a run and is compared byte by byte.
//!
//! ```text
//! full     check u32 | run u16 | publisher u16 | subject u32 | delay u32 | sequence u64 | due u64      (little-endian)
//! compact  check u16 | publisher u16 | sequence u32 | due u64
//! ```

/// Bytes of the full stamp.
pub(crate) const FULL_BYTES: usize = 32;
/// Bytes of the compact stamp.
pub(crate) const COMPACT_BYTES: usize = 16;
/// The unit of `delay`.
const DELAY_UNIT_NS: u64 = 16;

/// How much fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Full,
    Compact,
    None,
}

impl Format {
    /// For payloads of so many bytes.
    pub(crate) const fn for_size(bytes: usize) -> Self {
        match bytes {
            FULL_BYTES.. => Self::Full,
            COMPACT_BYTES.. => Self::Compact,
            _ => Self::None,
        }
    }

    /// Where the constant part of the payload begins.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Full => FULL_BYTES,
            Self::Compact => COMPACT_BYTES,
            Self::None => 0,
        }
    }
}

/// One message's identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) run: u16,
    pub(crate) publisher: u16,
    pub(crate) subject: u32,
    /// Counted per publisher and subject, from 0.
    pub(crate) sequence: u64,
    /// When it was meant to be sent.
    pub(crate) due_ns: u64,
    /// How much later it was handed to the socket.
    pub(crate) delay_ns: u64,
}

impl Stamp {
    /// Writes itself to the start of `payload`.
    pub(crate) fn write(&self, format: Format, payload: &mut [u8]) {
        match format {
            Format::Full => {
                let Some(bytes) = payload.first_chunk_mut::<FULL_BYTES>() else { return };
                let delay = u32::try_from(self.delay_ns / DELAY_UNIT_NS).unwrap_or(u32::MAX);
                bytes[4..6].copy_from_slice(&self.run.to_le_bytes());
                bytes[6..8].copy_from_slice(&self.publisher.to_le_bytes());
                bytes[8..12].copy_from_slice(&self.subject.to_le_bytes());
                bytes[12..16].copy_from_slice(&delay.to_le_bytes());
                bytes[16..24].copy_from_slice(&self.sequence.to_le_bytes());
                bytes[24..32].copy_from_slice(&self.due_ns.to_le_bytes());
                let check = mix(&bytes[4..]);
                bytes[..4].copy_from_slice(&(check as u32).to_le_bytes());
            }
            Format::Compact => {
                let Some(bytes) = payload.first_chunk_mut::<COMPACT_BYTES>() else { return };
                bytes[2..4].copy_from_slice(&self.publisher.to_le_bytes());
                bytes[4..8].copy_from_slice(&(self.sequence as u32).to_le_bytes());
                bytes[8..16].copy_from_slice(&self.due_ns.to_le_bytes());
                // The low byte of the run goes into the check: a message of another run does not pass.
                let check = mix(&bytes[2..]) ^ u64::from(self.run);
                bytes[..2].copy_from_slice(&(check as u16).to_le_bytes());
            }
            Format::None => {}
        }
    }

    /// Reads what [`Stamp::write`] wrote; `None` where the check does not hold. `run` is what a compact stamp must be of.
    pub(crate) fn read(format: Format, run: u16, payload: &[u8]) -> Option<Self> {
        match format {
            Format::Full => {
                let bytes = payload.first_chunk::<FULL_BYTES>()?;
                let stamp = Self {
                    run: u16::from_le_bytes([bytes[4], bytes[5]]),
                    publisher: u16::from_le_bytes([bytes[6], bytes[7]]),
                    subject: word(&bytes[8..12]) as u32,
                    delay_ns: word(&bytes[12..16]) * DELAY_UNIT_NS,
                    sequence: word(&bytes[16..24]),
                    due_ns: word(&bytes[24..32]),
                };
                (word(&bytes[..4]) as u32 == mix(&bytes[4..]) as u32).then_some(stamp)
            }
            Format::Compact => {
                let bytes = payload.first_chunk::<COMPACT_BYTES>()?;
                let stamp = Self {
                    run,
                    publisher: u16::from_le_bytes([bytes[2], bytes[3]]),
                    sequence: word(&bytes[4..8]),
                    due_ns: word(&bytes[8..16]),
                    ..Self::default()
                };
                let check = mix(&bytes[2..]) ^ u64::from(run);
                (word(&bytes[..2]) as u16 == check as u16).then_some(stamp)
            }
            Format::None => None,
        }
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// A checksum of a few bytes: every bit of them moves it.
fn mix(bytes: &[u8]) -> u64 {
    let mut sum = 0x9e37_79b9_7f4a_7c15_u64;
    for part in bytes.chunks(8) {
        sum = (sum ^ word(part)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        sum ^= sum >> 32;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{Format, Stamp};

    const STAMP: Stamp =
        Stamp { run: 7, publisher: 3, subject: 99, sequence: 1 << 40, due_ns: 1 << 50, delay_ns: 1600 };

    #[test]
    fn what_is_written_is_read() {
        let mut payload = [0xAA; 40];
        STAMP.write(Format::Full, &mut payload);
        assert_eq!(Stamp::read(Format::Full, 7, &payload), Some(STAMP));
        assert_eq!(payload[32..], [0xAA; 8]);
        let small = Stamp { subject: 0, delay_ns: 0, sequence: 12, ..STAMP };
        small.write(Format::Compact, &mut payload);
        assert_eq!(Stamp::read(Format::Compact, 7, &payload), Some(small));
    }

    #[test]
    fn every_damaged_bit_is_seen() {
        for format in [Format::Full, Format::Compact] {
            let mut payload = [0; 32];
            STAMP.write(format, &mut payload);
            for bit in 0..format.bytes() * 8 {
                payload[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Stamp::read(format, 7, &payload), None, "{format:?} {bit}");
                payload[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_small_stamp_of_another_run_does_not_pass() {
        let mut payload = [0; 16];
        STAMP.write(Format::Compact, &mut payload);
        assert_eq!(Stamp::read(Format::Compact, 8, &payload), None);
    }

    #[test]
    fn the_size_decides() {
        assert_eq!([0, 15, 16, 31, 32, 1000].map(Format::for_size).map(Format::bytes), [0, 0, 16, 16, 32, 32]);
        assert_eq!(Stamp::read(Format::Full, 7, &[0; 8]), None);
    }
}
