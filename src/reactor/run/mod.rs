//! A run: messages that a client publishes one behind the other under one subject, delivered together.
//!
//! Publishers mostly go on with the subject they have. What a receiver costs (finding it, its counters, its bounds) is then paid once
//! a run instead of once a message, and receivers that call their subscriptions the same get bytes that are made once.
//!
//! Invariants: a run is delivered before anything else that its client sent is carried out, and before what was read is left; who gets
//! what, and in which order, is as if each message had been delivered alone. Where that would make a difference (a subscription that
//! ends after so many messages), each is.

mod deal;
mod delivery;
mod join;
mod several;

use std::ops::Range;

use super::frame::{Frame, Message};
use crate::buffer::Buffer;
use crate::connection::outbound::{ChunkPool, Outbound, SLACK_BYTES, Writer};
use crate::fabric::Rule;
use crate::ids::{AccountId, ConnId, CoreId};
use crate::os::poll::Os;
use crate::routing::{GroupRef, Publisher, SID_BLOCK, Stretch, Subscription};
use several::Several;

/// Messages of a run.
const MESSAGES_MAX: usize = 64;

/// Bytes that a run may take for one subscription; then it is delivered. A message that is larger makes a run of its own.
const BYTES_MAX: usize = 8 * 1024;

/// Who publishes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author {
    pub(super) account: AccountId,
    pub(super) origin: ConnId,
    pub(super) no_echo: bool,
}

impl Default for Author {
    fn default() -> Self {
        let origin = ConnId { core: CoreId::FIRST, slot: 0, generation: 0 };
        Self { account: AccountId::GLOBAL, origin, no_echo: false }
    }
}

impl Author {
    /// As who it is to the choice of a queue group's member.
    #[inline]
    pub(super) fn publisher<O: Os>(&self, os: &O) -> Publisher {
        Publisher { conn_slot: self.origin.slot, no_echo: self.no_echo && !os.breaks(Rule::NoEchoInChoice) }
    }
}

/// Where the parts lie of a message that is delivered as it was written: its line, its payload, its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlainParts {
    pub(super) line: usize,
    pub(super) content: usize,
    pub(super) end: usize,
}

impl PlainParts {
    /// Bytes of the payload.
    #[inline]
    fn payload_len(&self) -> usize {
        self.end - self.content - 2
    }
}

/// One message: where in the block it lies.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// ` size CR LF`, as it stands in a MSG too.
    line: u32,
    /// Behind that: the payload and its line end.
    content: u32,
    end: u32,
}

/// The run at hand.
#[derive(Debug)]
pub(super) struct Run {
    parts: Vec<Part>,
    from: Author,
    /// Which run it is, for the receivers that have been seen.
    number: u32,
    /// The queue group among whose members it is divided, where they are the only receivers.
    group: Option<GroupRef>,
    stretches: Vec<Stretch>,
    several: Several,
    /// The next message may be taken for its first bytes alone.
    goes_on: bool,
    /// Where in the block the subject lies.
    subject: Range<usize>,
    /// Bytes of the parts from their lines on, and of their payloads.
    bytes: usize,
    payload_bytes: usize,
    /// What one subscription takes of its connection's queue, at most, and what it may.
    room: usize,
    room_max: usize,
    /// The bytes for the receivers with this sid.
    composed: Vec<u8>,
    composed_len: usize,
    composed_sid: ([u8; SID_BLOCK], usize),
}

impl Default for Run {
    fn default() -> Self {
        Self {
            parts: Vec::with_capacity(MESSAGES_MAX),
            from: Author::default(),
            number: 0,
            group: None,
            stretches: Vec::new(),
            several: Several::default(),
            goes_on: false,
            subject: 0..0,
            bytes: 0,
            payload_bytes: 0,
            room: 0,
            room_max: BYTES_MAX,
            composed: Vec::new(),
            composed_len: 0,
            composed_sid: ([0; SID_BLOCK], 0),
        }
    }
}

impl Run {
    /// No message waits to be delivered.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Begins with who publishes, and where in the block the subject is. `group`: the only receivers; `open`: its client may publish what
    /// it likes; `room_max`: what one subscription may take.
    #[inline]
    fn begin(&mut self, from: Author, subject: Range<usize>, group: Option<GroupRef>, open: bool, room_max: usize) {
        debug_assert!(self.parts.is_empty(), "a run is delivered before the next one begins");
        (self.from, self.subject, self.group) = (from, subject, group);
        (self.goes_on, self.room_max) = (open, room_max);
        (self.bytes, self.payload_bytes, self.room) = (0, 0, 0);
    }

    /// Adds a message. Whether the run is to be delivered now.
    #[inline]
    pub(super) fn push(&mut self, plain: &PlainParts) -> bool {
        let PlainParts { line, content, end } = *plain;
        let bytes = end - line;
        self.parts.push(Part { line: line as u32, content: content as u32, end: end as u32 });
        self.bytes += bytes;
        self.payload_bytes += plain.payload_len();
        self.room += bytes + "MSG  ".len() + self.subject.len() + SID_BLOCK;
        self.room >= self.room_max || self.parts.len() == MESSAGES_MAX
    }

    /// No message waits any more.
    fn clear(&mut self) {
        self.parts.clear();
    }

    /// A message of it by itself.
    fn message<'a>(&self, part: Part, block: &'a Buffer) -> Message<'a> {
        let whole = block.bytes();
        Message {
            subject: whole.get(self.subject.clone()).unwrap_or_default(),
            reply: &[],
            header_len: 0,
            whole,
            line: part.line as usize..part.content as usize,
            content: part.content as usize..part.end as usize,
            shared: None,
            origin: self.from.origin,
            no_echo: self.from.no_echo,
        }
    }

    /// Puts the run into the queue of a receiver; `many`: there are others.
    #[inline]
    fn write(
        &mut self,
        frame: &Frame,
        whole: &[u8],
        out: &mut Outbound,
        pool: &mut ChunkPool,
        subscription: &Subscription,
        many: bool,
    ) {
        let Some((sid, sid_len)) = subscription.short_sid() else {
            return self.parts.iter().for_each(|part| part.write(frame, whole, out, pool, subscription));
        };
        let bytes = self.parts.len() * (frame.msg_head().len() + sid_len) + self.bytes;
        if self.composed_len != 0 && self.composed_sid == (*sid, sid_len) {
            return out.push(self.composed.get(..self.composed_len).unwrap_or_default(), pool);
        }
        if !many || self.composed_len != 0 {
            return self.compose(frame, whole, sid, sid_len, out.writer(bytes, pool));
        }
        let mut composed = std::mem::take(&mut self.composed);
        if composed.len() < bytes + SLACK_BYTES {
            composed.resize(bytes + SLACK_BYTES, 0);
        }
        self.compose(frame, whole, sid, sid_len, Writer::new(&mut composed));
        out.push(composed.get(..bytes).unwrap_or_default(), pool);
        (self.composed, self.composed_len, self.composed_sid) = (composed, bytes, (*sid, sid_len));
    }

    /// All messages of the run, as a receiver with this sid gets them.
    #[inline]
    fn compose(&self, frame: &Frame, whole: &[u8], sid: &[u8; SID_BLOCK], sid_len: usize, mut writer: Writer<'_>) {
        for part in &self.parts {
            part.put(frame, whole, sid, sid_len, &mut writer);
        }
    }
}

/// Puts some messages of a run into the queue of a receiver; the bytes of their payloads.
#[inline]
fn write_parts(
    parts: &[Part],
    frame: &Frame,
    whole: &[u8],
    out: &mut Outbound,
    pool: &mut ChunkPool,
    to: &Subscription,
) -> u64 {
    let Some((sid, sid_len)) = to.short_sid() else {
        parts.iter().for_each(|part| part.write(frame, whole, out, pool, to));
        return parts.iter().map(Part::payload_len).sum();
    };
    let (mut bytes, mut payload_bytes) = (0, 0);
    for part in parts {
        bytes += (part.end - part.line) as usize;
        payload_bytes += part.payload_len();
    }
    let mut writer = out.writer(parts.len() * (frame.msg_head().len() + sid_len) + bytes, pool);
    for part in parts {
        part.put(frame, whole, sid, sid_len, &mut writer);
    }
    payload_bytes
}

impl Part {
    /// Bytes of the payload.
    #[inline]
    const fn payload_len(&self) -> u64 {
        (self.end - self.content) as u64 - 2
    }

    /// Puts the message into a place that is large enough.
    #[inline]
    fn put(self, frame: &Frame, whole: &[u8], sid: &[u8; SID_BLOCK], sid_len: usize, writer: &mut Writer<'_>) {
        frame.put_msg_head(writer);
        writer.put_front(sid, sid_len);
        writer.put_part(whole, self.line as usize, self.end as usize);
    }

    /// Puts the message into the queue of a receiver.
    #[inline]
    fn write(self, frame: &Frame, whole: &[u8], out: &mut Outbound, pool: &mut ChunkPool, to: &Subscription) {
        let (start, end) = (self.line as usize, self.end as usize);
        let head_len = frame.msg_head().len();
        if let Some((sid, sid_len)) = to.short_sid() {
            let mut writer = out.writer(head_len + sid_len + (end - start), pool);
            self.put(frame, whole, sid, sid_len, &mut writer);
        } else {
            let mut writer = out.writer(head_len + to.sid().len() + (end - start), pool);
            frame.put_msg_head(&mut writer);
            writer.put(to.sid());
            writer.put_part(whole, start, end);
        }
    }
}
