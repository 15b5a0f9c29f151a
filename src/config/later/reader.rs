//! Walks the table of a block and tells what is wrong, in the peer's words and at its places.
//!
//! Owns the order of things: which fault drops a key, which ends a block, and which the block around it. Single values are
//! read by `scalars`, `lists` and `parts`. The peer gives a block up at the first value whose type surprises it ("interface
//! conversion"); where that ends is the table's to say ([`Ends`]).

use super::super::apply::Applied;
use super::super::complaints::{GaveUp, string, wrong_type};
use super::super::keys::{Key, find_in};
use super::super::raw::{Origin, Refusal, Warning};
use super::super::value::{Map, Node, Place, Value, quoted, shown};
use super::kinds::{Complaint, Ends, Kind, List, Table};
use super::settings::{Setting, Settings};

/// What the peer says once more of a block that it gave up and cannot do without.
pub(super) const GIVEN_UP: &str = "runtime error: invalid memory address or nil pointer dereference";

/// Why there is no value; it was told.
#[derive(Debug)]
pub(in super::super) enum Fault {
    /// The key is dropped.
    Dropped,
    /// The block that it is in is left, and dropped.
    Left,
    /// The block that it is in is given up.
    GaveUp,
}

impl From<GaveUp> for Fault {
    fn from(_: GaveUp) -> Self {
        Self::GaveUp
    }
}

/// A key on its way to a value.
#[derive(Clone, Copy)]
pub(super) struct Named<'n> {
    /// What is declared of it.
    pub key: &'static Key,
    /// As it was written.
    pub written: &'n [u8],
}

/// Reads blocks.
pub(in super::super) struct Reader<'a> {
    /// Where complaints go.
    pub(super) applied: &'a mut Applied,
    /// Where wrong types are told; `None`: at the value.
    pub(super) types_at: Option<Place>,
}

/// Takes a block at the top of a file over: checks it, and stops the start. `None` where it is no block or was given up.
pub(super) fn top(applied: &mut Applied, name: &[u8], node: &Node, table: &Table) -> Option<Settings> {
    let read = Reader { applied, types_at: None }.block(table, node);
    refuse(applied, name, node);
    read.ok()
}

/// Stops the start, with the place of the key.
pub(super) fn refuse(applied: &mut Applied, name: &[u8], node: &Node) {
    applied.raw.refused.push(Refusal { origin: Origin::File(node.place.clone()), name: string(name) });
}

impl Reader<'_> {
    /// The block of a key.
    pub(super) fn block(&mut self, table: &Table, node: &Node) -> Result<Settings, Fault> {
        let read = match &node.value {
            Value::Map(map) => self.table(table, map).0,
            _ => Err(self.otherwise(table.otherwise, node)),
        };
        match (read, table.ends) {
            (Ok(settings), _) => Ok(settings),
            (Err(Fault::GaveUp), Ends::Around) => Err(Fault::GaveUp),
            (Err(Fault::GaveUp), Ends::NeededBlock) => {
                self.tell(&node.place, GIVEN_UP);
                Err(Fault::GaveUp)
            }
            (Err(_), _) => Err(Fault::Dropped),
        }
    }

    /// The blocks of a list.
    pub(super) fn blocks(&mut self, list: &List, node: &Node) -> Result<Vec<Settings>, Fault> {
        let Value::List(items) = &node.value else {
            return Err(self.otherwise(list.otherwise, node));
        };
        let mut blocks = Vec::with_capacity(items.len());
        for item in items.iter() {
            let Value::Map(map) = &item.value else {
                self.otherwise(list.entry.otherwise, item);
                continue;
            };
            let (read, last_place) = self.table(&list.entry, map);
            let settings = match read {
                Ok(settings) => settings,
                Err(Fault::GaveUp) => return Err(Fault::Dropped),
                Err(_) => continue,
            };
            let last_place = last_place.unwrap_or(&item.place);
            if list.check.is_none_or(|check| check(self, &settings, last_place, &blocks)) {
                blocks.push(settings);
            }
        }
        Ok(blocks)
    }

    /// The keys of a block, and the place of the last.
    fn table<'n>(&mut self, table: &Table, map: &'n Map) -> (Result<Settings, Fault>, Option<&'n Place>) {
        let mut settings = Settings::default();
        let mut last_place = None;
        for (written, node) in map.iter() {
            last_place = Some(&node.place);
            match find_in(table.keys, written) {
                Some((key, kind)) => match self.value(*kind, Named { key, written }, node) {
                    Ok(setting) => settings.set(key.name, setting, &node.place),
                    Err(Fault::Dropped) => {}
                    Err(fault) => return (Err(fault), last_place),
                },
                None if node.is_variable => {}
                None => self.tell(&node.place, format!("unknown field {}", quoted(written))),
            }
        }
        (Ok(settings), last_place)
    }

    fn value(&mut self, kind: Kind, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        match kind {
            Kind::Bool => Ok(Setting::Bool(self.bool(node)?)),
            Kind::Block(table) => Ok(Setting::Block(self.block(table, node)?)),
            Kind::Blocks(list) => Ok(Setting::Blocks(self.blocks(list, node)?)),
            Kind::Urls(what) => self.urls(what, node),
            Kind::Url(what) => self.url(what, node),
            Kind::UrlOrUrls(what) => self.url_or_urls(what, node),
            Kind::Texts(what) => self.texts(what, node),
            Kind::Subjects => self.subjects(node),
            Kind::Headers => self.headers(node),
            Kind::Tls(side) => self.tls(side, node),
            Kind::Authorization(whose) => self.authorization(whose, named, node),
            Kind::Permissions => self.permissions(node),
            Kind::Compression => self.compression(named, node),
            Kind::Migrate => self.migrate(named, node),
            _ => self.scalar(kind, named, node),
        }
    }

    /// Tells that a value is not what was wanted.
    pub(super) fn otherwise(&mut self, complaint: Complaint, node: &Node) -> Fault {
        let got = node.value.type_name();
        match complaint {
            Complaint::Types => self.wrong_type(node, "map[string]interface {}").into(),
            Complaint::Type(text) => self.drop(node, format!("{text}{got}")),
            Complaint::Value(text) => self.drop(node, format!("{text}{}", shown(&node.value))),
            Complaint::LastType(text) => self.give_up(node, format!("{text}{got}")),
            Complaint::PlacelessType(text) => {
                self.applied.errors.bare(format!("{text}{got}"));
                Fault::GaveUp
            }
        }
    }

    /// A line with a place.
    pub(super) fn tell(&mut self, place: &Place, text: impl std::fmt::Display) {
        self.applied.errors.at(place, text);
    }

    /// Tells of a fault that drops a key.
    pub(super) fn drop(&mut self, node: &Node, text: impl std::fmt::Display) -> Fault {
        self.tell(&node.place, text);
        Fault::Dropped
    }

    /// Tells of a fault that ends the block.
    pub(super) fn give_up(&mut self, node: &Node, text: impl std::fmt::Display) -> Fault {
        self.tell(&node.place, text);
        Fault::GaveUp
    }

    /// A warning that `-t` counts as an error.
    pub(super) fn warn(&mut self, place: &Place, text: impl std::fmt::Display) {
        self.applied.raw.warnings.push(Warning::Usage(format!("{place}: {text}")));
    }

    /// A line for the log.
    pub(super) fn notice(&mut self, place: &Place, text: impl std::fmt::Display) {
        self.applied.raw.warnings.push(Warning::Notice(format!("{place}: {text}")));
    }

    /// Tells that a value has a wrong type.
    pub(super) fn wrong_type(&mut self, node: &Node, expected: &str) -> GaveUp {
        let place = self.types_at.clone().unwrap_or_else(|| node.place.clone());
        self.tell(&place, wrong_type(&node.value, expected));
        GaveUp
    }

    /// Text.
    pub(super) fn text<'n>(&mut self, node: &'n Node) -> Result<&'n [u8], GaveUp> {
        match &node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong_type(node, "string")),
        }
    }

    /// A truth value.
    pub(super) fn bool(&mut self, node: &Node) -> Result<bool, GaveUp> {
        match &node.value {
            Value::Bool(value) => Ok(*value),
            _ => Err(self.wrong_type(node, "bool")),
        }
    }

    /// A whole number.
    pub(super) fn int(&mut self, node: &Node) -> Result<i64, GaveUp> {
        match &node.value {
            Value::Int(value) => Ok(*value),
            _ => Err(self.wrong_type(node, "int64")),
        }
    }

    /// A list.
    pub(super) fn list<'n>(&mut self, node: &'n Node) -> Result<&'n [Node], GaveUp> {
        match &node.value {
            Value::List(items) => Ok(items),
            _ => Err(self.wrong_type(node, "[]interface {}")),
        }
    }
}
