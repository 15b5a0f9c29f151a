//! Dealing: messages that follow each other under one subject, divided among the members of a queue group.
//!
//! A choice for each message would scatter what could be handed over together. Here each member gets a stretch: from a member that is
//! chosen at random on, in the order of the list, each as many messages as any other, or one more. So each member is as likely to get
//! a message as by a choice for each, and how many each gets differs less.

use super::matching::{Publisher, Routes};
use super::queue_group::{Choice, GroupRef, PatternGroup};
use super::rng::Rng;
use super::slab::Slab;
use super::subscription::Subscription;
use super::table::Table;

/// A stretch of messages, and who gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// A member here, or some member of another core, which chooses for each message.
    pub to: Choice,
    /// How many messages.
    pub count: usize,
}

impl Table {
    /// The group, where the members of one group are the only receivers.
    #[inline]
    pub fn only_group(&self, routes: &Routes) -> Option<GroupRef> {
        Some(self.only_group_of(routes)?.name)
    }

    /// Divides `messages` among the members of the only group. None of it is left over, unless nobody may have it.
    pub fn deal(
        &self,
        routes: &Routes,
        publisher: Publisher,
        rng: &mut Rng,
        messages: usize,
        stretches: &mut Vec<Stretch>,
    ) {
        stretches.clear();
        if let Some(group) = self.only_group_of(routes) {
            group.deal(&self.subscriptions, publisher.excluded(), rng, messages, stretches);
        }
    }

    #[inline]
    fn only_group_of(&self, routes: &Routes) -> Option<&PatternGroup> {
        match self.patterns.at(routes.only_grouped_pattern()?.0).groups() {
            [group] => Some(group),
            _ => None,
        }
    }
}

impl PatternGroup {
    fn deal(
        &self,
        subscriptions: &Slab<Subscription>,
        without: Option<u32>,
        rng: &mut Rng,
        messages: usize,
        stretches: &mut Vec<Stretch>,
    ) {
        let Some(mut place) = self.draw(subscriptions, without, rng) else { return };
        let places = self.places();
        let (mut each, mut one_more) = (messages / places as usize, messages % places as usize);
        let (mut left, mut asked) = (messages, 0);
        while left > 0 {
            if let Some(to) = self.at(place).filter(|to| !to.is_of(subscriptions, without)) {
                let count = (each + usize::from(stretches.len() < one_more)).min(left);
                stretches.push(Stretch { to, count });
                left -= count;
            }
            place = if place + 1 == places { 0 } else { place + 1 };
            asked += 1;
            if asked == places && left > 0 {
                // Some may not have any: the others, of whom there is one at least, share the rest in a second round.
                each = left.div_ceil(stretches.len().max(1));
                one_more = 0;
            }
        }
    }
}
