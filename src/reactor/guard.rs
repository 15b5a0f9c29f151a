//! The one gate of delivery: whether a client may have a message, whichever way it comes.
//!
//! Only guarded subscriptions are asked about. Where a queue group's chosen member may not have a message, another member gets it, on
//! this core or, core by core in a circle, on another: it is lost only where no member may have it.

use super::Reactor;
use super::connections::Connections;
use super::deliver::Sender;
use crate::ids::{AccountId, SubId};
use crate::os::poll::{Os, Socket};
use crate::routing::Table;
use std::time::Instant;

/// Whether the client of a subscription may have a message.
fn may_deliver<S: Socket>(clients: &mut Connections<S>, table: &Table, id: SubId, subject: &[u8]) -> bool {
    let subscription = table.subscription(id);
    if !subscription.is_guarded() {
        return true;
    }
    let Some(client) = clients.at(subscription.conn_slot()) else { return false };
    client.connection.rights.as_ref().is_none_or(|rights| rights.may_deliver(subject, table.queue_name(id)))
}

/// The client has got a message that it may answer there.
fn note_reply<S: Socket>(clients: &mut Connections<S>, slot: u32, reply: &[u8], now: Instant) {
    if let Some(client) = clients.at(slot)
        && let Some(rights) = &mut client.connection.rights
    {
        rights.note_reply(reply, now);
    }
}

/// What a parcel is routed for whose receivers hold for one message only.
pub(super) const NOTHING: (AccountId, u64) = (AccountId(u32::MAX), 0);

impl<O: Os> Reactor<O> {
    /// Takes those out of a message's receivers who may not have it, and tells the others where they may answer. The receivers that
    /// are left are those of this one message.
    #[cold]
    pub(super) fn guard(&mut self, account: AccountId, sender: Sender, subject: &[u8], reply: &[u8], groups: &[&[u8]]) {
        self.replace_denied(account, subject, sender, groups);
        self.drop_denied(account, sender, subject);
        let parcel = if sender == Sender::Client { &mut self.own } else { &mut self.others };
        parcel.routed = NOTHING;
        if !reply.is_empty() {
            let table = &self.tables[account.0 as usize];
            for &id in &parcel.routes.local {
                let subscription = table.subscription(id);
                if subscription.is_guarded() {
                    note_reply(&mut self.clients, subscription.conn_slot(), reply, self.now);
                }
            }
        }
    }

    /// Takes those out of a message's receivers who may not have it.
    #[cold]
    pub(super) fn drop_denied(&mut self, account: AccountId, sender: Sender, subject: &[u8]) {
        let parcel = if sender == Sender::Client { &mut self.own } else { &mut self.others };
        let (table, clients) = (&self.tables[account.0 as usize], &mut self.clients);
        parcel.routes.local.retain(|&id| may_deliver(clients, table, id, subject));
    }

    /// Members that were chosen and may not have the message are replaced. Of a message from another core, `groups` are the names that
    /// it came with: those with nobody here who may have it are left in `denied`.
    fn replace_denied(&mut self, account: AccountId, subject: &[u8], sender: Sender, groups: &[&[u8]]) {
        let parcel = if sender == Sender::Client { &mut self.own } else { &mut self.others };
        let table = &mut self.tables[account.0 as usize];
        let mut index = 0;
        while let Some(&id) = parcel.routes.local.get(index) {
            let chosen = table.subscription(id);
            if !chosen.is_queue() || may_deliver(&mut self.clients, table, id, subject) {
                index += 1;
                continue;
            }
            let group = table.queue_name(id).unwrap_or_default().to_vec();
            let clients = &mut self.clients;
            let instead = table
                .choose_permitted(subject, &group, &mut self.rng, |table, id| may_deliver(clients, table, id, subject));
            parcel.routes.replace_local(index, instead);
            if instead.is_some() {
                index += 1;
            } else if sender == Sender::Core {
                parcel.routes.denied.extend(groups.iter().position(|name| *name == group));
            } else if let Some(other) = table.next_core_with(subject, &group) {
                parcel.routes.remote_groups.push(other);
            }
        }
    }
}
