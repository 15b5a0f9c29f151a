//! Who a client is: asked once for each CONNECT, and again when a reload changes who may come in.
//!
//! One gate for all ways in: with CONNECT, without one where a user is configured for those, and after a reload. A password that
//! takes long to check is sent to a thread; until the answer is there the client is not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Reactor;
use super::connections::Verifying;
use super::expire::TimerKey;
use super::password_checks::PasswordCheck;
use crate::auth::{Claims, ConnectionType, Grant, Refusal, Verdict};
use crate::connection::close::CloseReason;
use crate::fabric::Rule;
use crate::ids::{AccountId, ConnId};
use crate::os::poll::Os;
use crate::protocol::error::ProtocolError;
use crate::protocol::handshake::ConnectOptions;

/// How long a check waits on its core before it is offered to the threads again.
const OFFER_AGAIN_AFTER: Duration = Duration::from_millis(10);

impl<O: Os> Reactor<O> {
    /// A client has said CONNECT, or begins without. Whether its next operation may be taken at once.
    pub(super) fn log_in(&mut self, slot: u32) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        if !self.shared.may_try_to_log_in(client.connection.address.source(), self.now) {
            // Unheard, so it is not counted against its address: that would never end.
            self.stats.failed_logins += 1;
            self.refuse(slot, ProtocolError::AuthorizationViolation, b"");
            return false;
        }
        match self.decide(slot) {
            Some(Verdict::Admit(grant)) => self.admit(slot, grant),
            Some(Verdict::Verify(check)) => {
                self.verify(slot, check);
                false
            }
            Some(Verdict::Refuse(why)) => {
                self.refuse_login(slot, why);
                false
            }
            None => false,
        }
    }

    /// A client that has to log in has begun without CONNECT: it is who it may be then. Whether it was let in.
    pub(super) fn begin_without_connect(&mut self, slot: u32) -> bool {
        let awaits = self.clients.at(slot).is_some_and(|client| client.connection.awaits_login());
        if !awaits {
            return false;
        }
        match self.decide(slot) {
            Some(Verdict::Admit(grant)) => self.admit(slot, grant),
            Some(Verdict::Verify(_) | Verdict::Refuse(_)) | None => false,
        }
    }

    pub(super) fn decide(&mut self, slot: u32) -> Option<Verdict> {
        let client = self.clients.at(slot)?;
        let silent = ConnectOptions::default();
        let claims = Claims {
            options: client.connection.claimed().unwrap_or(&silent),
            nonce: client.connection.nonce().unwrap_or_default().as_bytes(),
            certificate: client.tls_info().and_then(|info| info.peer.as_ref()),
            map_certificate: self.settings.tls.as_ref().is_some_and(|tls| tls.maps_names),
            connection_type: ConnectionType::Standard,
        };
        Some(self.settings.directory.decide(&claims))
    }

    /// Lets a client in, where its account has room. Whether it was.
    fn admit(&mut self, slot: u32, grant: Arc<Grant>) -> bool {
        // What it subscribed to is in the table of the account that it leaves, and only there can it be taken out.
        let moves = self.clients.at(slot).is_some_and(|client| client.account != grant.account);
        if moves && !self.os.breaks(Rule::NothingTakenAlong) {
            self.drop_subscriptions(slot);
        }
        if !self.enter_account(slot, grant.account) {
            self.refuse(slot, ProtocolError::MaxAccountConnections, b"");
            return false;
        }
        if self.let_in(slot, grant) {
            self.drop_subscriptions(slot);
        } else if !self.os.breaks(Rule::CheckWhatIsKept) {
            self.check_subscriptions(slot);
        }
        true
    }

    /// The client is who `grant` says. Whether it had said CONNECT before.
    pub(super) fn let_in(&mut self, slot: u32, grant: Arc<Grant>) -> bool {
        let Some(account) = self.settings.account(grant.account) else { return false };
        let Some(client) = self.clients.at(slot) else { return false };
        let limited = account.rules.payload_bytes_max < self.settings.rules.payload_bytes_max;
        client.connection.admit(grant, &account.name, &account.rules, limited, &mut self.pool)
    }

    /// Counts a client in an account, instead of where it was. Whether there is room.
    pub(super) fn enter_account(&mut self, slot: u32, account: AccountId) -> bool {
        let Some(client) = self.clients.at(slot) else { return false };
        if client.counted && client.account == account {
            return true;
        }
        let Some(to) = self.settings.account(account) else { return false };
        if !to.counters.enter(to.connections_max) {
            return false;
        }
        let from = std::mem::replace(&mut client.account, account);
        if std::mem::replace(&mut client.counted, true) {
            self.settings.leave_account(from);
        }
        true
    }

    fn refuse_login(&mut self, slot: u32, why: Refusal) {
        if let Some(client) = self.clients.at(slot) {
            self.stats.failed_logins += 1;
            self.shared.note_failed_login(client.connection.address.source(), self.now);
        }
        let error = match why {
            Refusal::Credentials => ProtocolError::AuthorizationViolation,
            Refusal::ProxyRequired => ProtocolError::ProxyRequired,
            Refusal::ProxyNotTrusted => ProtocolError::ProxyNotTrusted,
        };
        self.refuse(slot, error, b"");
    }

    /// Sends a password to be checked; the client waits.
    pub(super) fn verify(&mut self, slot: u32, check: crate::auth::BcryptCheck) {
        let conn = self.clients.id(slot);
        let Some(client) = self.clients.at(slot) else { return };
        if client.gone {
            return self.close(slot, CloseReason::ReadError);
        }
        let wanted = Arc::new(AtomicBool::new(true));
        client.verifying = Some(Verifying(Arc::clone(&wanted)));
        self.offer(PasswordCheck { conn, check, wanted });
    }

    fn offer(&mut self, check: PasswordCheck) {
        if let Err(back) = self.shared.password_checks.push(check) {
            if self.checks_waiting.is_empty() {
                self.timers.insert(self.now + OFFER_AGAIN_AFTER, TimerKey::Logins);
            }
            self.checks_waiting.push_back(back);
        }
    }

    /// Checks that did not fit are offered again, in order.
    pub(super) fn offer_waiting_checks(&mut self) {
        for _ in 0..self.checks_waiting.len() {
            let Some(check) = self.checks_waiting.pop_front() else { return };
            if !check.wanted.load(Ordering::Relaxed) {
                continue;
            }
            if let Err(back) = self.shared.password_checks.push(check) {
                self.checks_waiting.push_front(back);
                self.timers.insert(self.now + OFFER_AGAIN_AFTER, TimerKey::Logins);
                return;
            }
        }
    }

    /// A password has been checked.
    pub(super) fn handle_checked(&mut self, conn: ConnId, grant: Result<Arc<Grant>, Refusal>) {
        let Some(client) = self.clients.find(conn) else { return };
        client.verifying = None;
        if client.connection.closing().is_some() {
            return;
        }
        match grant {
            Ok(grant) => self.let_in_checked(conn.slot, &grant),
            Err(why) => self.refuse_login(conn.slot, why),
        }
        self.mark_dirty(conn.slot);
        self.enqueue(conn.slot);
    }

    /// A password was right when its check began; a reload may have taken away since what it opens.
    fn let_in_checked(&mut self, slot: u32, grant: &Arc<Grant>) {
        let still = match self.settings.directory.renewed(grant) {
            _ if self.os.breaks(Rule::CheckedUnderTheRulesOfNow) => Some(Verdict::Admit(Arc::clone(grant))),
            Some(grant) => Some(Verdict::Admit(grant)),
            None => self.decide(slot),
        };
        let is_in = self.clients.at(slot).is_some_and(|client| client.connection.grant().is_some());
        match still {
            Some(Verdict::Admit(grant)) if is_in => self.renew(slot, grant),
            Some(Verdict::Admit(grant)) => {
                self.admit(slot, grant);
                self.trace_said(slot);
            }
            Some(Verdict::Verify(check)) => self.verify(slot, check),
            Some(Verdict::Refuse(why)) => self.refuse_login(slot, why),
            None => {}
        }
    }

    /// The time to log in is over.
    pub(super) fn handle_login_timer(&mut self, conn: ConnId) {
        if self.clients.find(conn).is_some_and(|client| client.connection.awaits_login()) {
            self.refuse(conn.slot, ProtocolError::AuthenticationTimeout, b"");
        }
    }
}
