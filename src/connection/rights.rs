//! What one client may do, where that is not everything: asked for each message that it publishes or is to get.
//!
//! Owns the client's own part: the answers to what it lately asked, and the replies that it may answer to. The lists themselves
//! belong to its user and are shared.

use std::sync::Arc;
use std::time::Instant;

use crate::auth::responses::Responses;
use crate::auth::{Permissions, PublishCache};

/// The rights of one client.
#[derive(Debug)]
pub struct Rights {
    permissions: Arc<Permissions>,
    /// `None`: it may publish to everything.
    published: Option<PublishCache>,
    responses: Option<Responses>,
}

impl Rights {
    /// Those of a user with these permissions, for a client that has asked for nothing yet.
    pub fn new(permissions: &Arc<Permissions>) -> Self {
        let all = permissions.may_publish_all();
        Self {
            permissions: Arc::clone(permissions),
            published: (!all).then(|| PublishCache::new(Arc::clone(permissions))),
            responses: permissions.responses().map(Responses::new),
        }
    }

    /// Whether it may publish to a subject now.
    #[inline]
    pub fn may_publish(&mut self, subject: &[u8], now: Instant) -> bool {
        self.published.as_mut().is_none_or(|published| published.may_publish(subject))
            || self.responses.as_mut().is_some_and(|responses| responses.may_publish(subject, now))
    }

    /// Whether it may subscribe.
    pub fn may_subscribe(&self, pattern: &[u8], queue: Option<&[u8]>) -> bool {
        self.permissions.may_subscribe(pattern, queue)
    }

    /// Whether each message for a subscription to that pattern has to be asked about.
    pub fn guards(&self, pattern: &[u8]) -> bool {
        self.responses.is_some() || self.permissions.needs_delivery_check(pattern)
    }

    /// Whether it may have a message.
    pub fn may_deliver(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        self.permissions.may_deliver(subject, queue)
    }

    /// It has got a message that may be answered there.
    pub fn note_reply(&mut self, reply: &[u8], now: Instant) {
        if let Some(responses) = &mut self.responses {
            responses.note(reply, now);
        }
    }
}
