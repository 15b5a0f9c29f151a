//! The block `dunlin` of a file: Dunlin's own settings, under the names of their flags.
//!
//! Owns how a value of a file becomes that of a flag. The names, checks and messages are `own_flags`'; a block `monitoring` in it
//! holds those of pages under shorter names.

use super::apply::Applied;
use super::complaints::{Complaints, GaveUp, string, wrong_type};
use super::keys::{Key, MONITORING, Shape};
use super::own_flags::{self, Kind, OwnFlag};
use super::raw::{Origin, Written};
use super::security_keys::{self, Keys};
use super::value::{Node, Value, quoted};

/// The block for pages.
pub(super) const MONITORING_BLOCK: Key =
    Key::inside("monitoring", Shape::Block, "The settings of pages, under shorter names")
        .example("{timeout_ms: 10000}")
        .since(MONITORING);

const fn page(name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key::inside(name, shape, help).since(MONITORING)
}

/// Its keys, and the flag that each stands for.
pub(super) const MONITORING_KEYS: Keys<&'static str> = &[
    (page("user", Shape::Text, "As monitor_user").aliases(&["username"]), "monitor_user"),
    (page("password", Shape::Secret, "As monitor_password").aliases(&["pass"]), "monitor_password"),
    (page("token", Shape::Secret, "As monitor_token"), "monitor_token"),
    (
        page("timeout_ms", Shape::Int, "As monitor_timeout_ms").example("10000").fixed("the listener of pages is open"),
        "monitor_timeout_ms",
    ),
];

/// Takes the block over.
pub(super) fn block(applied: &mut Applied, _name: &[u8], node: &Node) {
    each(applied, node, |applied, name, node| {
        if MONITORING_BLOCK.is_named(name) {
            let find = |name: &[u8]| {
                security_keys::find(MONITORING_KEYS, name).and_then(|flag| own_flags::find(flag.as_bytes()))
            };
            each(applied, node, |applied, name, node| take(applied, find(name), name, node));
        } else {
            take(applied, own_flags::find(name), name, node);
        }
    });
}

fn each(applied: &mut Applied, node: &Node, take: impl Fn(&mut Applied, &[u8], &Node)) {
    if let Ok(map) = applied.errors.map(node) {
        map.iter().for_each(|(name, node)| take(applied, name, node));
    }
}

/// A value of the wrong type is told, and the others are read.
fn take(applied: &mut Applied, own: Option<&OwnFlag>, name: &[u8], node: &Node) {
    let Some(own) = own else {
        if !node.is_variable {
            applied.errors.at(&node.place, format!("unknown field {}", quoted(name)));
        }
        return;
    };
    let origin = Origin::File(node.place.clone());
    if let Kind::Switch(slot) = own.kind {
        if let Ok(value) = applied.errors.bool(node) {
            *slot(&mut applied.raw) = Some(Written { value, origin });
        }
    } else if let Ok(text) = text(own.kind, &mut applied.errors, node)
        && let Err(why) = own_flags::write(own, &text, origin, &mut applied.raw)
    {
        applied.errors.at(&node.place, format!("{}: {why}", string(name)));
    }
}

/// The value as it would stand on the command line.
fn text(kind: Kind, errors: &mut Complaints, node: &Node) -> Result<String, GaveUp> {
    match (kind, &node.value) {
        (Kind::Number(..), _) | (Kind::Cores, Value::Int(_)) => errors.int(node).map(|number| number.to_string()),
        (Kind::Cores, Value::Text(_)) => errors.string(node),
        (Kind::Cores, value) => {
            errors.at(&node.place, wrong_type(value, "int64 or string"));
            Err(GaveUp)
        }
        (Kind::Accept | Kind::Text(_) | Kind::Secret(_) | Kind::Switch(_), _) => errors.string(node),
    }
}
