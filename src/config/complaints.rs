//! What is wrong with a file, line by line, in the peer's words.
//!
//! Owns the form of a line (its place, then the text) and what a value of the wrong type is told. Decides nothing.
//! The peer gives a block up at the first value whose type surprises it, where it goes on after any other fault:
//! [`GaveUp`] is that, and the line is written when it is made.

use super::value::{Map, Node, Place, Value};
use std::fmt::Display;

/// A value had the wrong type, which was told; what it stands in is given up.
#[derive(Debug)]
pub(super) struct GaveUp;

/// The lines, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Complaints(pub(super) Vec<String>);

impl Complaints {
    /// A line with a place.
    pub(super) fn at(&mut self, place: &Place, text: impl Display) {
        self.0.push(format!("{place}: {text}"));
    }

    /// A line without one.
    pub(super) fn bare(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    /// Text.
    pub(super) fn text<'n>(&mut self, node: &'n Node) -> Result<&'n [u8], GaveUp> {
        match &node.value {
            Value::Text(text) => Ok(text),
            value => Err(self.give_up(&node.place, wrong_type(value, "string"))),
        }
    }

    /// The same, owned.
    pub(super) fn string(&mut self, node: &Node) -> Result<String, GaveUp> {
        self.text(node).map(string)
    }

    /// A truth value.
    pub(super) fn bool(&mut self, node: &Node) -> Result<bool, GaveUp> {
        match &node.value {
            Value::Bool(value) => Ok(*value),
            value => Err(self.give_up(&node.place, wrong_type(value, "bool"))),
        }
    }

    /// A whole number.
    pub(super) fn int(&mut self, node: &Node) -> Result<i64, GaveUp> {
        match &node.value {
            Value::Int(value) => Ok(*value),
            value => Err(self.give_up(&node.place, wrong_type(value, "int64"))),
        }
    }

    /// A list.
    pub(super) fn list<'n>(&mut self, node: &'n Node) -> Result<&'n [Node], GaveUp> {
        match &node.value {
            Value::List(items) => Ok(items),
            value => Err(self.give_up(&node.place, wrong_type(value, "[]interface {}"))),
        }
    }

    /// A block.
    pub(super) fn map<'n>(&mut self, node: &'n Node) -> Result<&'n Map, GaveUp> {
        match &node.value {
            Value::Map(map) => Ok(map),
            value => Err(self.give_up(&node.place, wrong_type(value, "map[string]interface {}"))),
        }
    }

    /// A list of texts.
    pub(super) fn strings(&mut self, node: &Node) -> Result<Vec<String>, GaveUp> {
        self.list(node)?.iter().map(|item| self.string(item)).collect()
    }

    fn give_up(&mut self, place: &Place, text: String) -> GaveUp {
        self.at(place, text);
        GaveUp
    }
}

/// The peer's complaint about a value of the wrong type.
pub(super) fn wrong_type(value: &Value, expected: &str) -> String {
    format!("interface conversion: interface {{}} is {}, not {expected}", value.type_name())
}

/// Text as the settings hold it.
pub(super) fn string(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
