//! What the messages of a workload look like: subjects and payload, the same for its publishers and its subscribers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::stamp::Format;

/// Which of several subjects is next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    #[default]
    InTurn,
    Random,
    /// With this exponent.
    Zipf(f64),
}

/// The subjects of one publisher: `base`, or `base.0` … `base.N`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subjects {
    pub(crate) base: String,
    /// 0: `base` alone.
    pub(crate) count: u32,
    pub(crate) order: Order,
}

impl Subjects {
    pub(crate) fn one(base: &str) -> Self {
        Self { base: base.into(), count: 0, order: Order::InTurn }
    }

    /// How many sequences a publisher has.
    pub(crate) fn streams(&self) -> u64 {
        u64::from(self.count.max(1))
    }
}

/// The payload of every message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "PayloadInWords", into = "PayloadInWords")]
pub(crate) struct Payload {
    /// `NATS/1.0 …`, empty without `-H`.
    pub(crate) headers: Vec<u8>,
    pub(crate) body: Arc<[u8]>,
    pub(crate) format: Format,
}

/// A payload as agents are told it: the pattern is known there and need not travel.
#[derive(Serialize, Deserialize)]
struct PayloadInWords {
    headers: Vec<u8>,
    size: usize,
    text: Option<Vec<u8>>,
    is_stamped: bool,
}

impl From<Payload> for PayloadInWords {
    fn from(payload: Payload) -> Self {
        let size = payload.body.len();
        let text = (payload.body != Payload::of_size(size).body).then(|| payload.body.to_vec());
        Self { headers: payload.headers, size, text, is_stamped: payload.format != Format::None }
    }
}

impl From<PayloadInWords> for Payload {
    fn from(words: PayloadInWords) -> Self {
        let payload = words.text.map_or_else(|| Self::of_size(words.size), Self::of_body);
        let payload = if words.is_stamped { payload } else { payload.unstamped() };
        Self { headers: words.headers, ..payload }
    }
}

impl Payload {
    /// `bytes` of a fixed pattern, that a subscriber elsewhere knows as well.
    pub(crate) fn of_size(bytes: usize) -> Self {
        Self::of_body((0..bytes).map(|at| b'a' + (at % 26) as u8).collect())
    }

    /// These bytes, whose beginning the stamp takes.
    pub(crate) fn of_body(body: Vec<u8>) -> Self {
        let format = Format::for_size(body.len());
        Self { headers: Vec::new(), body: body.into(), format }
    }

    /// Without stamps: messages are only counted.
    pub(crate) fn unstamped(mut self) -> Self {
        self.format = Format::None;
        self
    }

    /// With headers, as `name:value`.
    pub(crate) fn with_headers(mut self, headers: &[(String, String)]) -> Self {
        if !headers.is_empty() {
            self.headers = b"NATS/1.0\r\n".to_vec();
            for (name, value) in headers {
                self.headers.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            self.headers.extend_from_slice(b"\r\n");
        }
        self
    }

    /// Whether what follows the stamp came as it was sent.
    pub(crate) fn is_whole(&self, payload: &[u8]) -> bool {
        let stamp = self.format.bytes();
        payload.len() == self.body.len() && payload.get(stamp..) == self.body.get(stamp..)
    }

    /// Sizes and line end that close a control line.
    pub(crate) fn control_end(&self) -> (Vec<u8>, &'static [u8]) {
        let (head, body) = (self.headers.len(), self.body.len());
        if head == 0 {
            (format!(" {body}\r\n").into_bytes(), b"PUB ")
        } else {
            (format!(" {head} {}\r\n", head + body).into_bytes(), b"HPUB ")
        }
    }
}

/// A number in decimal.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A seeded sequence of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::{Payload, Random, push_number};

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 9, 10, 12345, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }

    #[test]
    fn random_numbers_stay_below() {
        let mut random = Random(1);
        assert!((0..1000).all(|_| random.below(7) < 7));
    }

    #[test]
    fn headers_make_it_hpub() {
        let payload = Payload::of_size(3).with_headers(&[("A".into(), "b".into())]);
        assert_eq!(payload.headers, b"NATS/1.0\r\nA: b\r\n\r\n");
        assert_eq!(payload.control_end(), (b" 18 21\r\n".to_vec(), &b"HPUB "[..]));
        assert!(payload.is_whole(b"abc") && !payload.is_whole(b"abd") && !payload.is_whole(b"abcd"));
    }
}
