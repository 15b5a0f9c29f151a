//! `permissions` of a user, an account or all users.
//!
//! Owns what may stand there and the check of its subjects; template variables (`{{…}}`) are left as they are. Whether a
//! permission is there for a user is `users`', `authorization`'s and `accounts`'.
//!
//! As in the peer, an empty list of allowed subjects allows all; where replies are allowed and no list is, nothing else is.

use super::super::complaints::{Complaints, GaveUp, string};
use super::super::duration;
use super::super::security::{Permissions, ResponsePermission, SubjectLists};
use super::super::value::{Node, Place, Value, quoted, shown};
use super::{Keys, find, key};
use crate::config::keys::Shape;
use crate::subject::is_valid_pattern;
use std::time::Duration;

const RESPONSES_DEFAULT: ResponsePermission =
    ResponsePermission { messages_max: Some(1), expires: Some(Duration::from_secs(120)) };

#[derive(Clone, Copy)]
pub(super) enum PermissionKey {
    Publish,
    Subscribe,
    Responses,
}

pub(super) const KEYS: Keys<PermissionKey> = &[
    (
        key("publish", Shape::Other("subjects, or block"), "Subjects that may be published to (default: all)")
            .aliases(&["pub", "import"])
            .example("[\"a.>\", \"b\"]"),
        PermissionKey::Publish,
    ),
    (
        key(
            "subscribe",
            Shape::Other("subjects, or block"),
            "Subjects that may be subscribed to; \"subject queue\" binds to a queue group (default: all)",
        )
        .aliases(&["sub", "export"])
        .example("{allow: \"a.>\", deny: \"a.b\"}"),
        PermissionKey::Subscribe,
    ),
    (
        key(
            "allow_responses",
            Shape::BoolOrBlock,
            "May publish to the reply subjects of what it receives; true is one message within 2m",
        )
        .aliases(&["publish_allow_responses"])
        .default("false"),
        PermissionKey::Responses,
    ),
];

#[derive(Clone, Copy)]
pub(super) enum ListKey {
    Allow,
    Deny,
}

pub(super) const LIST_KEYS: Keys<ListKey> = &[
    (key("allow", Shape::TextOrTexts, "Subjects that are allowed").example("\"a.>\""), ListKey::Allow),
    (
        key("deny", Shape::TextOrTexts, "Subjects that are denied, whatever is allowed").example("\"a.b\""),
        ListKey::Deny,
    ),
];

#[derive(Clone, Copy)]
pub(super) enum ResponseKey {
    Messages,
    Expires,
}

pub(super) const RESPONSE_KEYS: Keys<ResponseKey> = &[
    (
        key("max", Shape::Int, "Messages to each reply subject; negative is any number")
            .aliases(&["max_msgs", "max_messages", "max_responses"])
            .default("1"),
        ResponseKey::Messages,
    ),
    (
        key("expires", Shape::Duration, "For how long; negative is for ever")
            .aliases(&["expiration", "ttl"])
            .default("\"2m\""),
        ResponseKey::Expires,
    ),
];

/// Whether an entry may name a queue group beside its subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queues {
    No,
    Allowed,
}

/// The permissions of a block; `None` where it is not one.
pub(in super::super) fn permissions(node: &Node, complaints: &mut Complaints) -> Option<Permissions> {
    let Value::Map(map) = &node.value else {
        let text = format!("Expected permissions to be a map/struct, got {}", shown(&node.value));
        complaints.at(&node.place, text);
        return None;
    };
    let mut permissions = Permissions::default();
    for (name, node) in map.iter() {
        match find(KEYS, name) {
            Some(PermissionKey::Publish) => permissions.publish = subject_lists(node, Queues::No, complaints),
            Some(PermissionKey::Subscribe) => permissions.subscribe = subject_lists(node, Queues::Allowed, complaints),
            Some(PermissionKey::Responses) => permissions.responses = responses(node, complaints),
            None if node.is_variable => {}
            None => complaints.at(&node.place, format!("Unknown field {} parsing permissions", quoted(name))),
        }
    }
    if permissions.responses.is_some() {
        // Who may answer, and is told nothing of what else it may publish, may publish nothing else.
        permissions.publish.get_or_insert_default().allow.get_or_insert_default();
    }
    Some(permissions)
}

/// The subjects of a value that is one or a list of them; what is wrong is told at its place.
pub(in super::super) fn check_subjects(node: &Node, complaints: &mut Complaints) -> Vec<String> {
    subjects(node, Some(&node.place), Queues::No, complaints)
}

/// The first entry that a permission of routes cannot have, as it names a queue group; where it stands, and why not.
pub(in super::super) fn without_queues(permissions: &Permissions) -> Result<(), String> {
    for (name, lists) in [("import", &permissions.publish), ("export", &permissions.subscribe)] {
        let Some(lists) = lists else { continue };
        let allow = lists.allow.as_deref().unwrap_or_default();
        for (list, entries) in [("allow", allow), ("deny", lists.deny.as_slice())] {
            for text in entries {
                entry(text.as_bytes(), Queues::No).map_err(|why| format!("cluster {name} {list}: {why}"))?;
            }
        }
    }
    Ok(())
}

fn subject_lists(node: &Node, queues: Queues, complaints: &mut Complaints) -> Option<SubjectLists> {
    let Value::Map(map) = &node.value else {
        let allow = subjects(node, None, queues, complaints);
        return Some(SubjectLists { allow: not_empty(allow), deny: Vec::new() });
    };
    let mut lists = SubjectLists::default();
    for (name, node) in map.iter() {
        match find(LIST_KEYS, name) {
            Some(ListKey::Allow) => {
                lists.allow = not_empty(subjects(node, Some(&node.place), queues, complaints));
            }
            Some(ListKey::Deny) => lists.deny = subjects(node, Some(&node.place), queues, complaints),
            None if node.is_variable => {}
            None => {
                let name = quoted(name);
                let text = format!(
                    "Unknown field name {name} parsing subject permissions, only 'allow' or 'deny' are permitted"
                );
                complaints.at(&node.place, text);
            }
        }
    }
    Some(lists)
}

fn not_empty(subjects: Vec<String>) -> Option<Vec<String>> {
    Some(subjects).filter(|subjects| !subjects.is_empty())
}

/// The subjects of an entry; the first that is wrong is told, and none remains. Below `allow` and `deny` the peer tells the place.
fn subjects(node: &Node, place: Option<&Place>, queues: Queues, complaints: &mut Complaints) -> Vec<String> {
    let (texts, wrong) = match &node.value {
        Value::Text(text) => (vec![text.as_ref()], None),
        Value::List(items) => {
            let mut texts = Vec::with_capacity(items.len());
            let mut wrong = None;
            for item in items.iter() {
                match &item.value {
                    Value::Text(text) => texts.push(text.as_ref()),
                    _ => {
                        wrong = Some(item);
                        break;
                    }
                }
            }
            (texts, wrong)
        }
        value => {
            let got = value.type_name();
            tell(
                place,
                format!("Expected subject permissions to be a subject, or array of subjects, got {got}"),
                complaints,
            );
            return Vec::new();
        }
    };
    if let Some(item) = wrong {
        complaints.at(&item.place, "Subject in permissions array cannot be cast to string");
        return Vec::new();
    }
    match texts.into_iter().map(|text| entry(text, queues)).collect() {
        Ok(subjects) => subjects,
        Err(text) => {
            tell(place, text, complaints);
            Vec::new()
        }
    }
}

fn tell(place: Option<&Place>, text: String, complaints: &mut Complaints) {
    match place {
        Some(place) => complaints.at(place, text),
        None => complaints.bare(text),
    }
}

/// A subject, or a subject and a queue group with one blank between them.
fn entry(text: &[u8], queues: Queues) -> Result<String, String> {
    let refuse = |subject: &[u8]| Err(format!("subject {} is not a valid subject", quoted(subject)));
    let whole = string(text);
    if queues == Queues::No {
        return if is_subject(text) { Ok(whole) } else { refuse(text) };
    }
    let mut parts = whole.split_whitespace();
    match (parts.next(), parts.next(), parts.next()) {
        // A blank beside a lone subject makes it none; around two words, blanks are nothing.
        (Some(_), None, _) if is_subject(text) => Ok(whole),
        (Some(subject), Some(_), None) if !is_subject(subject.as_bytes()) => refuse(subject.as_bytes()),
        (Some(subject), Some(queue), None) if is_subject(queue.as_bytes()) => Ok(format!("{subject} {queue}")),
        (Some(_), Some(queue), None) => Err(format!("queue {} is not a valid queue", quoted(queue.as_bytes()))),
        _ => refuse(text),
    }
}

fn is_subject(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)) && is_valid_pattern(text)
}

/// `allow_responses`; 0 stands for the default, less for no bound.
fn responses(node: &Node, complaints: &mut Complaints) -> Option<ResponsePermission> {
    let map = match &node.value {
        Value::Bool(false) => return None,
        Value::Bool(true) => return Some(RESPONSES_DEFAULT),
        Value::Map(map) => map,
        _ => {
            complaints.at(&node.place, "error parsing response permissions, expected a boolean or a map");
            return None;
        }
    };
    let mut responses = RESPONSES_DEFAULT;
    for (name, node) in map.iter() {
        match find(RESPONSE_KEYS, name) {
            Some(ResponseKey::Messages) => match complaints.int(node) {
                Ok(0) => {}
                Ok(count) => responses.messages_max = u64::try_from(count).ok(),
                Err(GaveUp) => return None,
            },
            Some(ResponseKey::Expires) => {
                let Value::Text(text) = &node.value else {
                    complaints.at(&node.place, "error parsing expires, not a duration string");
                    return None;
                };
                match duration::parse(text) {
                    Ok(0) => {}
                    Ok(nanos) => responses.expires = u64::try_from(nanos).ok().map(Duration::from_nanos),
                    Err(text) => {
                        complaints.at(&node.place, format!("error parsing expires: {text}"));
                        return None;
                    }
                }
            }
            None if node.is_variable => {}
            None => complaints.at(&node.place, format!("Unknown field {} parsing permissions", quoted(name))),
        }
    }
    Some(responses)
}
