//! Looking ahead: the subjects of the messages that come next are looked up together, where the table is large.

use super::Reactor;
use crate::fabric::batch::Batch;
use crate::ids::AccountId;
use crate::os::poll::Os;
use crate::routing::Table;

impl<O: Os> Reactor<O> {
    /// Looks ahead in what a client sent. How many bytes of `input` need no other look.
    #[inline]
    pub(super) fn look_ahead(&self, account: AccountId, input: &[u8]) -> usize {
        let Some(table) = self.large_table(account) else { return input.len() };
        let mut at = 0;
        table.look_ahead(std::iter::from_fn(|| {
            let (subject, bytes) = self.settings.rules.parser.next_subject(input.get(at..)?)?;
            at += bytes;
            Some(subject)
        }));
        at.max(1) // what is no publication is not asked about again for the same byte
    }

    /// The same for what another core sent, from the message at `from` on. Where the next look is due.
    #[inline]
    pub(super) fn look_ahead_in(&self, batch: &Batch, from: usize, account: AccountId) -> usize {
        let Some(table) = self.large_table(account) else { return usize::MAX };
        let mut at = from;
        table.look_ahead(std::iter::from_fn(|| {
            let (entry, next) = batch.entry(at).filter(|(entry, _)| entry.account == account)?;
            at = next;
            Some(entry.subject)
        }));
        at
    }

    #[inline]
    fn large_table(&self, account: AccountId) -> Option<&Table> {
        self.tables.get(account.0 as usize).filter(|table| table.patterns() >= self.settings.look_ahead_from)
    }
}
