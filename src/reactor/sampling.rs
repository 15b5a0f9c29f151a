//! Every so often a message is looked at for the sketch of busy subjects: as it is handled, and what came of it.
//!
//! The usual message pays one subtraction and one branch (`deliver`, and here for what other cores send).

use std::sync::Arc;

use super::Reactor;
use super::sketch::Seen;
use crate::buffer::Buffer;
use crate::fabric::batch::Entry;
use crate::ids::{AccountId, CoreId};
use crate::os::poll::Os;
use crate::protocol::op::Publish;

impl<O: Os> Reactor<O> {
    /// Publishes a message and notes its subject.
    #[cold]
    #[inline(never)]
    pub(super) fn publish_seen(&mut self, slot: u32, publish: &Publish<'_>, block: &Arc<Buffer>) -> bool {
        let account = self.clients.at(slot).map_or(AccountId::GLOBAL, |client| client.account);
        let calm = self.end_run(block);
        let before = self.stats;
        let go_on = self.publish_unseen(slot, publish, block) & self.end_run(block) & calm;
        let seen = Seen {
            account,
            subject: publish.subject,
            published: true,
            bytes: publish.content.len() as u64,
            delivered: self.stats.out_msgs - before.out_msgs,
            delivered_bytes: self.stats.out_bytes - before.out_bytes,
        };
        self.observed.sketch.note(&seen, self.now);
        go_on
    }

    /// Handles a message of another core.
    #[inline]
    pub(super) fn handle_next_entry(&mut self, from: CoreId, entry: &Entry<'_>, cost: u64) -> bool {
        self.observed.sketch.left -= 1;
        if self.observed.sketch.left == 0 {
            return self.handle_entry_seen(from, entry, cost);
        }
        self.handle_entry(from, entry, cost)
    }

    #[cold]
    #[inline(never)]
    fn handle_entry_seen(&mut self, from: CoreId, entry: &Entry<'_>, cost: u64) -> bool {
        let before = self.stats;
        let sent_on = self.handle_entry(from, entry, cost);
        let seen = Seen {
            account: entry.account,
            subject: entry.subject,
            published: false,
            bytes: 0,
            delivered: self.stats.out_msgs - before.out_msgs,
            delivered_bytes: self.stats.out_bytes - before.out_bytes,
        };
        self.observed.sketch.note(&seen, self.now);
        sent_on
    }
}
