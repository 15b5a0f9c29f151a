//! The way in: what a client may say before it is let in, its CONNECT, and what it is afterwards.
//!
//! Owns the order of things: CONNECT is read, then who decides says who the client is ([`Connection::admit`]), then it is acknowledged.
//! Must not decide who may come in.

use std::sync::Arc;

use super::rights::Rights;
use super::state::{AwaitConnect, ConnState, Granted, LoggingIn, Ready};
use super::{Action, Connection, Gate, Rules, Traits};
use crate::auth::Grant;
use crate::connection::outbound::ChunkPool;
use crate::protocol::error::ProtocolError;
use crate::protocol::handshake::ConnectOptions;

impl Connection {
    /// Nothing but a CONNECT is heard until the client is let in; it is to sign `nonce`, where there is one.
    pub fn require_login(&mut self, nonce: Option<Box<str>>) {
        self.nonce = nonce;
        self.traits.gate = Gate::Shut;
        self.become_state(ConnState::AwaitConnect(AwaitConnect { login_required: true }));
    }

    /// What it was to sign.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Whether it has not been let in yet, and must be.
    pub fn awaits_login(&self) -> bool {
        match &self.state {
            ConnState::AwaitConnect(state) => state.login_required,
            ConnState::LoggingIn(_) => self.traits.gate == Gate::Shut,
            ConnState::Ready(_) | ConnState::Closing(_) => false,
        }
    }

    /// What it says of who it is, while that is decided and afterwards.
    pub fn claimed(&self) -> Option<&ConnectOptions> {
        match &self.state {
            ConnState::LoggingIn(state) => Some(&state.options),
            ConnState::Ready(ready) => Some(&ready.options),
            ConnState::AwaitConnect(_) | ConnState::Closing(_) => None,
        }
    }

    /// Who it is; `None` before that is known, and for one that began without CONNECT where nobody has to say who they are.
    pub fn grant(&self) -> Option<&Arc<Grant>> {
        match &self.state {
            ConnState::Ready(ready) => ready.grant.as_ref().map(|granted| &granted.grant),
            ConnState::LoggingIn(_) | ConnState::AwaitConnect(_) | ConnState::Closing(_) => None,
        }
    }

    /// The name of the account that it is in, where that is known.
    pub fn account_name(&self) -> Option<&str> {
        match &self.state {
            ConnState::Ready(ready) => ready.grant.as_ref().map(|granted| &*granted.account_name),
            ConnState::LoggingIn(_) | ConnState::AwaitConnect(_) | ConnState::Closing(_) => None,
        }
    }

    pub(super) fn handle_connect<'a>(&mut self, body: &[u8], rules: &Rules) -> Result<Action<'a>, ProtocolError> {
        let (mut options, mut first, again, info_due, grant) = match &self.state {
            ConnState::Ready(ready) => {
                (ready.options.clone(), ready.first.clone(), ready.connected, ready.info_due, ready.grant.clone())
            }
            _ => (Box::default(), None, false, false, None),
        };
        if again && first.is_none() {
            first = Some(options.clone());
        }
        if let Err(fault) = options.apply(body, rules.headers) {
            if !again {
                // It ends; the log calls it what it calls itself.
                self.become_state(ConnState::Ready(Ready { options, first, connected: false, info_due: false, grant }));
            }
            return Err(ProtocolError::Connect(fault));
        }
        let info_due = info_due || !again;
        self.become_state(ConnState::LoggingIn(LoggingIn { options, first, again, info_due }));
        Ok(Action::LogIn)
    }

    /// The client is let in as who `grant` says, in an account with these rules; `limited`: they are tighter than the server's. Whether it had said CONNECT before: then it begins anew.
    pub fn admit(
        &mut self,
        grant: Arc<Grant>,
        account_name: &Arc<str>,
        rules: &Rules,
        limited: bool,
        pool: &mut ChunkPool,
    ) -> bool {
        self.set_rights(&grant, limited);
        let taken = std::mem::replace(&mut self.state, ConnState::AwaitConnect(AwaitConnect { login_required: false }));
        let grant = Some(Granted { grant, account_name: Arc::clone(account_name) });
        match taken {
            ConnState::LoggingIn(LoggingIn { options, first, again, info_due }) => {
                self.traits = Traits { gate: self.traits.gate, ..Traits::of(&options, rules.headers) };
                self.become_state(ConnState::Ready(Ready { options, first, connected: true, info_due, grant }));
                self.acknowledge(pool);
                again
            }
            ConnState::Ready(ready) => {
                self.become_state(ConnState::Ready(Ready { grant, ..ready }));
                false
            }
            ConnState::AwaitConnect(_) => {
                let options = Box::default();
                let ready = Ready { options, first: None, connected: false, info_due: false, grant };
                self.become_state(ConnState::Ready(ready));
                false
            }
            closing @ ConnState::Closing(_) => {
                self.become_state(closing);
                false
            }
        }
    }

    fn set_rights(&mut self, grant: &Grant, limited: bool) {
        self.rights = grant.permissions.as_ref().map(|permissions| Box::new(Rights::new(permissions)));
        self.traits.gate = if limited || self.rights.is_some() { Gate::Checked } else { Gate::Open };
    }
}
