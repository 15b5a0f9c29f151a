//! MSG and HMSG as bytes: what is the same for all receivers is made once, and copied with each receiver's sid.
//!
//! A PUB that was written plainly is nearly a MSG: from behind its subject to its end the bytes are the same, and are copied
//! as they came. Short pieces are copied in blocks of known size.

use std::ops::Range;

use crate::buffer::Shared;
use crate::connection::outbound::{ChunkPool, Outbound, SLACK_BYTES, Writer};
use crate::fabric::batch::Content;
use crate::ids::ConnId;
use crate::protocol::encoder;
use crate::protocol::op::Publish;
use crate::routing::Subscription;

/// A message as it is delivered, wherever it came from.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) subject: &'a [u8],
    pub(super) reply: &'a [u8],
    pub(super) header_len: usize,
    /// The bytes that the message lies in, and in these:
    pub(super) whole: &'a [u8],
    /// ` reply size CR LF` as it stands in a MSG, directly before the content. Empty where its publisher wrote otherwise.
    pub(super) line: Range<usize>,
    /// Headers, payload and the line end behind them.
    pub(super) content: Range<usize>,
    /// The content by reference, where it is large.
    pub(super) shared: Option<&'a Shared>,
    pub(super) origin: ConnId,
    pub(super) no_echo: bool,
}

impl<'a> Message<'a> {
    /// Headers, payload and line end.
    pub(super) fn content(&self) -> &'a [u8] {
        self.whole.get(self.content.clone()).unwrap_or_default()
    }

    /// The message for a batch.
    pub(super) fn inline(&self) -> Content<'a> {
        let line = self.line.len();
        let start = self.content.start - line;
        Content::Inline { whole: self.whole.get(start..).unwrap_or_default(), line, end: self.content.end - start }
    }
}

/// Where in `whole` the line of a MSG stands ready: behind the subject of a PUB whose arguments are separated by one blank, whose
/// size has no zeros in front, and whose line ends with CR LF. Else nowhere.
#[inline]
pub(super) fn line_of(whole: &[u8], publish: &Publish<'_>, content: &Range<usize>) -> Range<usize> {
    let base = whole.as_ptr().addr();
    let start = publish.subject.as_ptr().addr() - base + publish.subject.len();
    let mut size_at = start + 1;
    let mut plain = whole.get(start) == Some(&b' ');
    if !publish.reply.is_empty() {
        let reply = publish.reply.as_ptr().addr() - base;
        let end = reply + publish.reply.len();
        plain &= reply == start + 1 && whole.get(end) == Some(&b' ');
        size_at = end + 1;
    }
    let digits = decimal_digits(publish.content.len());
    plain &= size_at + digits + 2 == content.start && whole.get(size_at + digits) == Some(&b'\r');
    if plain { start..content.start } else { 0..0 }
}

#[inline]
fn decimal_digits(number: usize) -> usize {
    match number {
        0..10 => 1,
        10..100 => 2,
        100..1000 => 3,
        _ => number.ilog10() as usize + 1,
    }
}

/// The parts of MSG and HMSG that are the same for all receivers of a message.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// `HMSG subject `; without its first byte it is the head of a MSG. Padded, so that a short one can be copied as a block.
    head: Vec<u8>,
    head_len: usize,
    /// From behind the sid to the end of the line, for MSG (where the publisher's own line is not used) and for HMSG.
    msg_line: Vec<u8>,
    hmsg_line: Vec<u8>,
}

const HEAD: &[u8; 5] = b"HMSG ";

impl Frame {
    /// The subject that it is made for.
    #[inline]
    pub(super) fn subject(&self) -> &[u8] {
        self.head.get(HEAD.len()..self.head_len.saturating_sub(1)).unwrap_or_default()
    }

    /// `MSG subject `.
    #[inline]
    pub(super) fn msg_head(&self) -> &[u8] {
        self.head.get(1..self.head_len).unwrap_or_default()
    }

    /// Puts that.
    #[inline]
    pub(super) fn put_msg_head(&self, writer: &mut Writer<'_>) {
        writer.put_part(&self.head, 1, self.head_len);
    }

    /// Makes the head for a subject.
    pub(super) fn set_subject(&mut self, subject: &[u8]) {
        self.head_len = HEAD.len() + subject.len() + 1;
        if self.head.len() < self.head_len + SLACK_BYTES {
            self.head.resize(self.head_len + SLACK_BYTES, 0);
            self.head[..HEAD.len()].copy_from_slice(HEAD);
        }
        let mut head = Writer::new(&mut self.head[HEAD.len()..]);
        head.put_short(subject);
        head.put(b" ");
    }

    /// Makes the rest for a message of that subject.
    #[inline]
    pub(super) fn prepare(&mut self, message: &Message<'_>) {
        debug_assert!(self.subject() == message.subject, "the head is made first");
        if message.line.is_empty() {
            self.prepare_lines(message);
        }
    }

    #[inline(never)]
    fn prepare_lines(&mut self, message: &Message<'_>) {
        let size = message.content.len() - 2;
        let make = |line: &mut Vec<u8>, header_len: Option<usize>, size: usize| {
            line.clear();
            line.push(b' ');
            if !message.reply.is_empty() {
                line.extend_from_slice(message.reply);
                line.push(b' ');
            }
            if let Some(header_len) = header_len {
                encoder::put_decimal(line, header_len as u64);
                line.push(b' ');
            }
            encoder::put_decimal(line, size as u64);
            line.extend_from_slice(b"\r\n");
        };
        if message.header_len > 0 {
            make(&mut self.hmsg_line, Some(message.header_len), size);
        }
        make(&mut self.msg_line, None, size - message.header_len);
    }

    /// Queues the message for one receiver; the bytes of headers and payload that it gets.
    #[inline]
    pub(super) fn write(
        &self,
        out: &mut Outbound,
        pool: &mut ChunkPool,
        message: &Message<'_>,
        headers: bool,
        subscription: &Subscription,
    ) -> usize {
        if message.line.is_empty() || message.shared.is_some() {
            return self.write_parts(out, pool, message, headers, subscription);
        }
        let (start, end) = (message.line.start, message.content.end);
        let head_len = self.head_len - 1;
        if let Some((sid, sid_len)) = subscription.short_sid() {
            let mut writer = out.writer(head_len + sid_len + (end - start), pool);
            writer.put_part(&self.head, 1, 1 + head_len);
            writer.put_front(sid, sid_len);
            writer.put_part(message.whole, start, end);
        } else {
            let sid = subscription.sid();
            let mut writer = out.writer(head_len + sid.len() + (end - start), pool);
            writer.put(&self.head[1..self.head_len]);
            writer.put(sid);
            writer.put_part(message.whole, start, end);
        }
        message.content.len() - 2
    }

    /// The same, where the line had to be made, or the content is large. Apart: what it needs would be computed for every message.
    #[inline(never)]
    fn write_parts(
        &self,
        out: &mut Outbound,
        pool: &mut ChunkPool,
        message: &Message<'_>,
        headers: bool,
        subscription: &Subscription,
    ) -> usize {
        let (head_from, line, skip) = if headers {
            (0, self.hmsg_line.as_slice(), 0)
        } else if message.line.is_empty() {
            (1, self.msg_line.as_slice(), message.header_len)
        } else {
            (1, message.whole.get(message.line.clone()).unwrap_or_default(), message.header_len)
        };
        let (head, sid) = (&self.head[head_from..self.head_len], subscription.sid());
        let content = message.content().get(skip..).unwrap_or_default();
        let line_bytes = head.len() + sid.len() + line.len();
        let inline = if message.shared.is_some() { 0 } else { content.len() };
        let mut writer = out.writer(line_bytes + inline, pool);
        writer.put(head);
        writer.put(sid);
        writer.put(line);
        match message.shared {
            Some(shared) => {
                let mut shared = shared.clone();
                shared.advance(skip);
                out.push_shared(&shared);
            }
            None => writer.put(content),
        }
        content.len() - 2
    }
}
