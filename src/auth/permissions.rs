//! What a user may publish and subscribe to, and what may be delivered to it.
//!
//! Owns the rules by which lists of subjects allow and deny. Must not know clients, or what they are told.
//! Invariants: what is denied stays denied, whatever is allowed besides and whatever a queue group's own entries say (26-18);
//! [`Permissions::may_deliver`] is the one gate for each path that a message takes to a client.

use super::subject_set::SubjectSet;
use crate::config::security;
use crate::subject::pattern::is_literal;

/// Compiled permissions of a user.
#[derive(Debug)]
pub struct Permissions {
    /// `None`: everything that is not denied.
    publish_allow: Option<SubjectSet>,
    publish_deny: SubjectSet,
    subscribe_allow: Option<SubjectSet>,
    subscribe_deny: SubjectSet,
    written: security::Permissions,
}

impl Permissions {
    /// Compiles what is configured.
    pub fn new(written: &security::Permissions) -> Self {
        let allow = |lists: &Option<security::SubjectLists>| {
            lists.as_ref().and_then(|lists| lists.allow.as_ref()).map(|entries| set(entries))
        };
        let deny = |lists: &Option<security::SubjectLists>| {
            lists.as_ref().map_or_else(|| SubjectSet::new([]), |lists| set(&lists.deny))
        };
        // With `allow_responses` nothing else is allowed but what is named.
        let nothing = written.responses.map(|_| SubjectSet::new([]));
        Self {
            publish_allow: allow(&written.publish).or(nothing),
            publish_deny: deny(&written.publish),
            subscribe_allow: allow(&written.subscribe),
            subscribe_deny: deny(&written.subscribe),
            written: written.clone(),
        }
    }

    /// `allow_responses`.
    pub fn responses(&self) -> Option<security::ResponsePermission> {
        self.written.responses
    }

    /// Whether everything may be published, so that no subject need be looked at.
    pub fn may_publish_all(&self) -> bool {
        self.publish_allow.is_none() && self.publish_deny.is_empty()
    }

    /// Whether a message to `subject` may be published. What [`super::responses`] opens comes on top.
    pub fn may_publish(&self, subject: &[u8]) -> bool {
        self.publish_allow.as_ref().is_none_or(|allow| allow.look(subject, None).plain)
            && !self.publish_deny.look(subject, None).plain
    }

    /// Whether `pattern` may be subscribed to, as a member of `queue`. A pattern that reaches over what is denied may, and is
    /// checked at delivery: see [`Self::needs_delivery_check`]. A pattern that is none is refused where there is a list of what is
    /// allowed, else it passes.
    pub fn may_subscribe(&self, pattern: &[u8], queue: Option<&[u8]>) -> bool {
        let allowed = self.subscribe_allow.as_ref().is_none_or(|allow| {
            let found = allow.look(pattern, queue);
            // Entries for queue groups, where some match, decide about groups alone.
            if queue.is_some() && found.queue_named { found.queue_matched } else { found.plain }
        });
        allowed && self.may_deliver(pattern, queue)
    }

    /// Whether messages to a subscription to `pattern` must pass [`Self::may_deliver`]: it has wildcards, and matches something
    /// that is denied, to all or to a queue group.
    pub fn needs_delivery_check(&self, pattern: &[u8]) -> bool {
        !is_literal(pattern) && self.subscribe_deny.overlaps(pattern)
    }

    /// Whether a message to `subject` may reach a subscription in `queue`.
    pub fn may_deliver(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        let denied = self.subscribe_deny.look(subject, queue);
        !denied.plain && !denied.queue_matched
    }
}

/// The same lists, as they are written.
impl PartialEq for Permissions {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Permissions {}

fn set(entries: &[String]) -> SubjectSet {
    SubjectSet::new(entries.iter().map(String::as_str))
}
