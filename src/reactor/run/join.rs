//! Which messages a run is made of.

use std::ops::Range;
use std::sync::Arc;

use super::super::Reactor;
use super::{Author, BYTES_MAX, PlainParts};
use crate::buffer::Buffer;
use crate::limits::SHARED_PAYLOAD_BYTES_MIN;
use crate::os::poll::Os;

/// What stands before the subject.
const PUB: &[u8] = b"PUB ";

impl<O: Os> Reactor<O> {
    /// Takes the messages from `at` on that go on as the run at hand began. Where the first other one is, and whether their publisher
    /// may go on.
    #[inline]
    pub(in super::super) fn go_on_with_run(
        &mut self,
        slot: u32,
        block: &Arc<Buffer>,
        mut at: usize,
        end: usize,
    ) -> (usize, bool) {
        if self.run.is_empty() || !self.run.goes_on {
            return (at, true);
        }
        let bytes = block.bytes();
        let prefix = bytes.get(self.run.subject.start - PUB.len()..self.run.subject.end + 1).unwrap_or_default();
        let allowed = self.observed.sketch.left - 1; // one message in so many is looked at
        let (mut count, mut payload_bytes, mut calm) = (0, 0, true);
        while calm
            && count < allowed
            && !self.run.is_empty()
            && let Some(again) = bytes.get(at..end).and_then(|rest| self.settings.rules.parser.next_again(rest, prefix))
            && again.end - again.content_at < SHARED_PAYLOAD_BYTES_MIN
        {
            let plain = PlainParts { line: at + prefix.len() - 1, content: at + again.content_at, end: at + again.end };
            count += 1;
            payload_bytes += plain.payload_len() as u64;
            at = plain.end;
            calm = !self.run.push(&plain) || self.deliver_run(block);
            self.os.preempt();
        }
        self.observed.sketch.left -= count;
        self.stats.in_msgs += count;
        self.stats.in_bytes += payload_bytes;
        if let Some(client) = self.clients.at(slot) {
            client.connection.counts.in_msgs += count;
            client.connection.counts.in_bytes += payload_bytes;
        }
        (at, calm)
    }

    /// Begins a run with the message that was just routed, where another one follows it under its subject, and nobody who publishes or
    /// gets it could tell. Whether it does, and then whether the run is to be delivered at once. `open`: its client may publish what it
    /// likes.
    #[inline]
    pub(in super::super) fn begin_run(
        &mut self,
        from: Author,
        subject: Range<usize>,
        plain: &PlainParts,
        block: &Buffer,
        open: bool,
    ) -> Option<bool> {
        if !another_follows(block.bytes(), &subject, plain.end) {
            return None;
        }
        let routes = &self.own.routes;
        if self.own.routed != (from.account, self.tables[from.account.0 as usize].version())
            || (routes.grouped && !self.leaving.is_empty())
            || routes.local.len() > self.settings.turn_receivers_max
            || self.trace
        {
            return None;
        }
        let table = &self.tables[from.account.0 as usize];
        let group = if routes.grouped { Some(table.only_group(routes)?) } else { None };
        // All of it may go to one connection: that must not be far behind for it alone.
        let room_max = match routes.local.len() {
            0 | 1 => BYTES_MAX,
            many => BYTES_MAX.min(self.settings.pressure_bytes as usize / many),
        };
        self.run.begin(from, subject, group, open, room_max);
        Some(self.run.push(plain))
    }
}

/// Whether what stands at `at` begins as a publication to that subject does. What is left of an older read may look so too: then a run
/// has one message.
#[inline]
fn another_follows(bytes: &[u8], subject: &Range<usize>, at: usize) -> bool {
    const END: usize = 4;
    let verb = subject.start - PUB.len();
    let first = bytes.get(verb..=subject.end).unwrap_or_default();
    let second = bytes.get(at..at + first.len()).unwrap_or_default();
    // Subjects mostly differ at their ends, and most do differ.
    first.last_chunk::<END>() == second.last_chunk() && first == second
}
