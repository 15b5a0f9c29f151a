//! The receiving ends of a core's links.
//!
//! A look at the mail is made of these steps, in this order (`reactor::look`): note how far each batch ring is filled, apply
//! all interest that is there up to freshly loaded tails, handle the batches up to the note. The note is what makes it right:
//! a batch beyond it may have been caused by interest that was not there yet.

use std::sync::Arc;

use super::Schedule;
use super::batch::Batch;
use super::mail::Mail;
use super::message::CoreMessage;
use super::outbox::Credit;
use super::ring::{Consumer, Producer};
use crate::ids::CoreId;

/// The receiving end of one link.
#[derive(Debug)]
pub struct Link<S> {
    interest: Consumer<CoreMessage<S>>,
    batches: Consumer<Box<Batch>>,
    empties: Producer<Box<Batch>>,
    credit: Arc<Credit>,
}

impl<S: Send> Link<S> {
    pub(super) fn new(
        interest: Consumer<CoreMessage<S>>,
        batches: Consumer<Box<Batch>>,
        empties: Producer<Box<Batch>>,
        credit: Arc<Credit>,
    ) -> Self {
        Self { interest, batches, empties, credit }
    }
}

/// The receiving ends of one core.
#[derive(Debug)]
pub struct Inbox<S> {
    this: CoreId,
    mails: Arc<[Mail]>,
    links: Vec<Option<Link<S>>>,
}

impl<S: Send> Inbox<S> {
    pub(super) fn new(this: CoreId, mails: Arc<[Mail]>) -> Self {
        Self { this, mails, links: Vec::new() }
    }

    pub(super) fn add_link(&mut self, link: Option<Link<S>>) {
        self.links.push(link);
    }

    /// How many batches of `from` are there now, by a fresh load.
    pub fn batches_waiting(&mut self, from: CoreId) -> usize {
        self.links[from.index()].as_mut().map_or(0, |l| l.batches.len_fresh())
    }

    /// How many entries of interest and control of `from` are there now, by a fresh load.
    pub fn messages_waiting(&mut self, from: CoreId) -> usize {
        self.links[from.index()].as_mut().map_or(0, |l| l.interest.len_fresh())
    }

    /// The next entry of interest or control.
    pub fn next_message(&mut self, from: CoreId) -> Option<CoreMessage<S>> {
        self.links[from.index()].as_mut()?.interest.pop()
    }

    /// The next batch.
    pub fn next_batch(&mut self, from: CoreId) -> Option<Box<Batch>> {
        self.links[from.index()].as_mut()?.batches.pop()
    }

    /// A batch has been handled: its memory goes back to the sender, and `credit` bytes of the link's budget.
    pub fn done(&mut self, from: CoreId, mut batch: Box<Batch>, credit: u64, os: &impl Schedule) {
        batch.clear();
        if let Some(link) = &mut self.links[from.index()] {
            // Where the sender has enough empty ones this one is freed.
            drop(link.empties.try_push(batch));
        }
        self.give_back(from, credit, os);
    }

    /// Credit that was kept for a message sent on comes back when the next core has it.
    pub fn give_back(&self, from: CoreId, bytes: u64, os: &impl Schedule) {
        let Some(link) = &self.links[from.index()] else { return };
        if link.credit.give_back(bytes) {
            let mail = &self.mails[from.index()];
            mail.post(self.this.bit());
            if mail.claim_wake() {
                os.wake(from);
            }
        }
    }
}
