//! Prebuilt PUB operations, all of one length, and the length of the MSG they become.
//!
//! Owns the bytes. Where subjects are random, their digits are rewritten in place before each use.

use crate::seed::SplitMix;

/// Bytes of one batch: few system calls, and it stays in the publisher's own cache.
const BATCH_BYTES: usize = 64 * 1024;

/// The subjects of a workload: a stem and, where there are several, fixed-width digits.
#[derive(Clone, Debug)]
pub(crate) enum Subjects {
    One(String),
    /// `stem.NNN.NNNN`, random below `count`.
    Random {
        stem: &'static str,
        count: u64,
    },
}

impl Subjects {
    /// The subject with this number; all have the same length.
    pub(crate) fn name(&self, number: u64) -> String {
        match self {
            Self::One(subject) => subject.clone(),
            Self::Random { stem, .. } => {
                format!("{stem}.{:03}.{:04}", number / 10_000, number % 10_000)
            }
        }
    }
}

/// PUB operations ready to be written, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    operation_bytes: usize,
    subjects: Subjects,
    random: SplitMix,
}

impl Batch {
    pub(crate) fn new(subjects: Subjects, payload_bytes: usize, seed: u64) -> Self {
        let operation = publication(&subjects.name(0), None, &vec![b'x'; payload_bytes]);
        let operations = (BATCH_BYTES / operation.len()).max(1);
        Self {
            bytes: operation.repeat(operations),
            operation_bytes: operation.len(),
            subjects,
            random: SplitMix::new(seed),
        }
    }

    pub(crate) fn messages(&self) -> u64 {
        (self.bytes.len() / self.operation_bytes) as u64
    }

    /// The first `messages` operations, with new subjects where they are random.
    pub(crate) fn prepare(&mut self, messages: u64) -> usize {
        let length = messages as usize * self.operation_bytes;
        if let Subjects::Random { stem, count } = &self.subjects {
            let (high, low) = (b"PUB ".len() + stem.len() + 1, b"PUB ".len() + stem.len() + 5);
            for operation in self.bytes[..length].chunks_exact_mut(self.operation_bytes) {
                let number = self.random.below(*count);
                write_digits(&mut operation[high..high + 3], number / 10_000);
                write_digits(&mut operation[low..low + 4], number % 10_000);
            }
        }
        length
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One PUB operation.
pub(crate) fn publication(subject: &str, reply: Option<&str>, payload: &[u8]) -> Vec<u8> {
    let mut operation = match reply {
        Some(reply) => format!("PUB {subject} {reply} {}\r\n", payload.len()),
        None => format!("PUB {subject} {}\r\n", payload.len()),
    }
    .into_bytes();
    operation.extend_from_slice(payload);
    operation.extend_from_slice(b"\r\n");
    operation
}

/// Length of the MSG line and payload that a subscriber gets.
pub(crate) fn delivery_bytes(subject: &str, sid: &str, reply: Option<&str>, payload_bytes: usize) -> usize {
    let reply = reply.map_or(0, |reply| reply.len() + 1);
    format!("MSG {subject} {sid} {payload_bytes}\r\n\r\n").len() + reply + payload_bytes
}

/// `number` in decimal, with leading zeros, over the whole of `digits`.
pub(crate) fn write_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
