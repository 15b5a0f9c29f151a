//! After a reload: every client is asked for again, its subscriptions too.
//!
//! In slices, a part in each turn, so that no turn grows long; until its turn comes a client keeps the rights that it had. When
//! the last one was asked, whoever ordered the reload is told. Limits that have shrunk close those over them and nobody else: of a
//! core's clients those that came last.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::Reactor;
use super::shared::Applied;
use crate::auth::{Grant, Verdict};
use crate::connection::close::CloseReason;
use crate::ids::{ConnId, SubId};
use crate::os::poll::Os;
use crate::protocol::error::ProtocolError;
use crate::protocol::violation::Violation;

/// Clients asked for again in one turn.
const RECHECKS_PER_TURN: usize = 64;

/// Clients that are to be asked for again, and who waits for that.
#[derive(Debug, Default)]
pub(super) struct Rechecks {
    left: VecDeque<ConnId>,
    waiting: Vec<(Sender<Applied>, Applied)>,
}

impl<O: Os> Reactor<O> {
    /// All clients of now are to be asked for again, the last first; `done` is told when that is over.
    pub(super) fn begin_recheck(&mut self, done: Sender<Applied>, applied: Applied) {
        let mut clients: Vec<(u64, u32)> = Vec::new();
        for slot in self.clients.slots().collect::<Vec<_>>() {
            clients.extend(self.clients.at(slot).map(|client| (client.connection.client.0, slot)));
        }
        clients.sort_unstable_by(|a, b| b.cmp(a));
        self.rechecks.left = clients.into_iter().map(|(_, slot)| self.clients.id(slot)).collect();
        self.rechecks.waiting.push((done, applied));
    }

    /// As many connections are closed as a reload has made too many: those that came last. How many.
    pub(super) fn close_excess(&mut self) -> u64 {
        let (max, mut closed) = (self.settings.connections_max, 0);
        let mut clients: Vec<(u64, u32)> = Vec::new();
        for slot in self.clients.slots().collect::<Vec<_>>() {
            if let Some(client) = self.clients.at(slot)
                && client.admitted
            {
                clients.push((client.connection.client.0, slot));
            }
        }
        clients.sort_unstable();
        while let Some((_, slot)) = clients.pop()
            && self.shared.exit_if_over(max)
        {
            if let Some(client) = self.clients.at(slot) {
                client.admitted = false;
            }
            self.refuse(slot, ProtocolError::MaxConnections, b"");
            closed += 1;
        }
        closed
    }

    /// Whether some are left.
    pub(super) fn rechecks(&self) -> bool {
        !self.rechecks.left.is_empty()
    }

    /// Asks for the next ones.
    pub(super) fn go_on_rechecking(&mut self) {
        if self.rechecks.waiting.is_empty() {
            return;
        }
        for _ in 0..RECHECKS_PER_TURN {
            let Some(conn) = self.rechecks.left.pop_front() else { break };
            self.recheck(conn);
        }
        if self.rechecks.left.is_empty() {
            for (done, applied) in self.rechecks.waiting.drain(..) {
                let _ = done.send(applied); // nobody may wait for it any more
            }
        }
    }

    fn recheck(&mut self, conn: ConnId) {
        let slot = conn.slot;
        let Some(client) = self.clients.find(conn) else { return };
        // Who is logging in is asked by the new rules, or was just asked.
        if client.connection.closing().is_some() || client.verifying.is_some() || client.connection.awaits_login() {
            return;
        }
        let Some(old) = client.connection.grant().map(Arc::clone) else {
            if self.settings.directory.is_required() {
                self.refuse(slot, ProtocolError::AuthorizationViolation, b"");
            }
            return;
        };
        if let Some(grant) = self.settings.directory.renewed(&old) {
            return self.renew(slot, grant);
        }
        match self.decide(slot) {
            Some(Verdict::Admit(grant)) => self.renew(slot, grant),
            Some(Verdict::Verify(check)) => self.verify(slot, check),
            Some(Verdict::Refuse(_)) | None => self.refuse(slot, ProtocolError::AuthorizationViolation, b""),
        }
    }

    /// A client stays, as who `grant` says now: what it subscribed to and may not have any more ends.
    pub(super) fn renew(&mut self, slot: u32, grant: Arc<Grant>) {
        let Some(client) = self.clients.at(slot) else { return };
        if client.account != grant.account {
            // Subjects of another account are other subjects: it is to connect anew.
            return self.close(slot, CloseReason::ClientClosed);
        }
        self.let_in(slot, grant);
        if !self.close_over_account(slot) {
            self.check_subscriptions(slot);
        }
    }

    /// Closes a client for which its account has no room any more, or that has more subscriptions than are left to it. Whether.
    fn close_over_account(&mut self, slot: u32) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        let Some(account) = self.settings.account(client.account) else { return false };
        if client.counted && account.counters.leave_if_over(account.connections_max) {
            client.counted = false;
            self.refuse(slot, ProtocolError::MaxAccountConnections, b"");
            return true;
        }
        if client.connection.subscriptions.len() as u64 > account.rules.subscriptions_max {
            self.refuse(slot, ProtocolError::MaxSubscriptions, b"");
            return true;
        }
        false
    }

    /// What a client subscribed to under other rights is held against those that it has now.
    pub(super) fn check_subscriptions(&mut self, slot: u32) {
        let Some(client) = self.clients.at(slot) else { return };
        let account = client.account;
        let mut ended: Vec<SubId> = Vec::new();
        for id in client.connection.subscriptions.iter() {
            let table = &mut self.tables[account.0 as usize];
            let (pattern, queue) = (table.pattern_text(id), table.queue_name(id));
            let rights = client.connection.rights.as_ref();
            if rights.is_some_and(|rights| !rights.may_subscribe(pattern, queue)) {
                ended.push(id);
            } else {
                let guarded = rights.is_some_and(|rights| rights.guards(pattern));
                table.set_guarded(id, guarded);
            }
        }
        for id in ended {
            self.take_away(slot, id);
        }
        self.mark_dirty(slot);
    }

    /// A subscription is not allowed any more.
    fn take_away(&mut self, slot: u32, id: SubId) {
        let Some(client) = self.clients.at(slot) else { return };
        let account = client.account;
        let table = &self.tables[account.0 as usize];
        let sid = table.subscription(id).sid().to_vec();
        let pattern = table.pattern_text(id).to_vec();
        let queue = table.queue_name(id).map(<[u8]>::to_vec);
        let violation = Violation::Subscribe { pattern: &pattern, queue: queue.as_deref(), sid: Some(&sid) };
        client.connection.tell(violation, &mut self.pool);
        client.connection.subscriptions.remove(self.sid_hash.hash(&sid), id);
        self.log_violation(slot, violation, &sid);
        self.retire(account, id, slot);
    }
}
