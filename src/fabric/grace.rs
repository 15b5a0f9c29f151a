//! When an ended subscription is gone for good.
//!
//! From its end until every other core has ended the turn it was in when the removal was pushed (or sleeps), messages may still
//! come that were matched before. Holds what has ended, by turn; what "gone" means is the caller's business.

use std::collections::VecDeque;

use super::mail::Mail;
use crate::ids::CoreId;

/// Things that ended, and which turns of the others must end before they are gone.
#[derive(Debug)]
pub struct Grace<T> {
    this: CoreId,
    /// Ended in this turn: the removal is not pushed yet.
    fresh: Vec<T>,
    /// The turns of all cores when the removals were pushed, and what ended.
    waiting: VecDeque<(Box<[u64]>, Vec<T>)>,
}

impl<T> Grace<T> {
    /// Nothing has ended yet.
    pub fn new(this: CoreId) -> Self {
        Self { this, fresh: Vec::new(), waiting: VecDeque::new() }
    }

    /// Something has ended; its removal is announced in this turn.
    pub fn retire(&mut self, item: T) {
        self.fresh.push(item);
    }

    /// Whether removals wait to be pushed.
    pub fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Whether nothing waits at all.
    pub fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.waiting.is_empty()
    }

    /// The removals have been pushed: whoever looks from here on has seen them.
    pub fn pushed(&mut self, mails: &[Mail]) {
        if !self.fresh.is_empty() {
            let turns = mails.iter().map(Mail::turns).collect();
            self.waiting.push_back((turns, std::mem::take(&mut self.fresh)));
        }
    }

    /// How many of those that wait longest have nothing more to wait for.
    pub fn over(&self, mails: &[Mail]) -> usize {
        let ended =
            |turns: &[u64]| {
                turns.iter().zip(mails).enumerate().all(|(core, (&then, mail))| {
                    core == self.this.index() || mail.turns() != then || mail.is_sleeping()
                })
            };
        self.waiting.iter().take_while(|(turns, _)| ended(turns)).count()
    }

    /// What ended first: one of those that [`Self::over`] counted.
    pub fn take_first(&mut self) -> Vec<T> {
        self.waiting.pop_front().map(|(_, items)| items).unwrap_or_default()
    }

    /// Takes out what belongs to somebody who has gone before.
    pub fn take_where(&mut self, mut gone: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut taken: Vec<T> = self.fresh.extract_if(.., |item| gone(item)).collect();
        for (_, items) in &mut self.waiting {
            taken.extend(items.extract_if(.., |item| gone(item)));
        }
        taken
    }
}
