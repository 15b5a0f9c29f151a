//! Distinguished names: a user's, as it is written in the configuration, and a certificate's.
//!
//! Owns how the first is read (RFC 4514), when both are the same, and the texts that the peer makes of the second. Must not know users.
//! Invariants: names are compared as lists of relative names, each a set of attributes, never as texts, so that no value can
//! pass for another attribute (26-13); an empty name is no name; of names that hold attributes that are not known here, only
//! the texts of the known ones are left, as with the peer.

use std::fmt::Write;

use super::certificate::{Attribute, DistinguishedName};

/// Attributes that a name may be made of: their object identifiers and their short names.
const KNOWN: [(&str, &str); 10] = [
    ("2.5.4.6", "C"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    (DOMAIN_COMPONENT, "DC"),
];
const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";
/// Of these the peer's text has the last one alone.
const SINGLE: [&str; 2] = ["CN", "SERIALNUMBER"];

/// The short name and the value of an attribute.
type Pair = (&'static str, String);

/// A name in the order in which RFC 4514 writes it, the attributes of each part sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(Vec<Vec<Pair>>);

impl Name {
    /// Reads a user's name; `None`: it is no distinguished name, or one that no certificate can have.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(' ');
        let mut parts = Vec::new();
        let mut attributes = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (value, end) = split(text);
            rest = end.map(|(_, after)| after);
            // Nothing, or nothing after `=`, may stand at the end, as with the peer.
            let is_last = end.is_none();
            let name = value.split_once('=');
            let is_blank = name.map_or(value, |(_, value)| value).trim_matches(' ').is_empty();
            if is_last && is_blank && attributes.is_empty() {
                break;
            }
            let (name, value) = name?;
            let (_, known) = *KNOWN.iter().find(|(_, known)| known.eq_ignore_ascii_case(name.trim_matches(' ')))?;
            attributes.push((known, unescape(value)?));
            if !matches!(end, Some((b'+', _))) {
                parts.push(sorted(std::mem::take(&mut attributes)));
            }
        }
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// A certificate's subject; `None`: there is none, or an attribute is not known.
    pub(super) fn of_certificate(subject: &DistinguishedName) -> Option<Self> {
        // A certificate begins with the widest part, the text with the narrowest.
        let parts = subject.0.iter().rev().map(|part| part.iter().map(known).collect::<Option<Vec<_>>>().map(sorted));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// The same name with its parts in one order, to find names that differ in their order alone.
    pub(super) fn regardless_of_order(&self) -> Self {
        Self(sorted(self.0.clone()))
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list
}

/// The short name of an attribute that is known, and its value.
fn known(attribute: &Attribute) -> Option<Pair> {
    let (_, name) = KNOWN.iter().find(|(oid, _)| *oid == attribute.oid)?;
    Some((name, attribute.value.clone()))
}

/// What is before the first `,` or `+` that is not escaped; which of them it is, and what follows.
fn split(text: &str) -> (&str, Option<(u8, &str)>) {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b',' | b'+' => {
                let (before, after) = text.split_at(at);
                return (before, Some((byte, after.get(1..).unwrap_or_default())));
            }
            _ => {}
        }
    }
    (text, None)
}

/// A value without its escapes and the blanks around it; `None`: it is not sound, or written as BER.
fn unescape(value: &str) -> Option<String> {
    let value = value.trim_start_matches(' ');
    if value.starts_with('#') {
        return None;
    }
    let mut bytes = Vec::with_capacity(value.len());
    // Blanks from here on are only there to be cut.
    let mut solid = 0;
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [byte @ (b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\'), after @ ..]) => {
                bytes.push(*byte);
                rest = after;
            }
            (b'\\', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push((digit(high)? * 16 + digit(low)?) as u8);
                rest = after;
            }
            (b'\\', _) => return None,
            (b' ', _) => {
                bytes.push(b' ');
                continue;
            }
            (byte, _) => bytes.push(*byte),
        }
        solid = bytes.len();
    }
    bytes.truncate(solid);
    String::from_utf8(bytes).ok()
}

/// The texts that the peer makes of a subject for users that are not written as distinguished names, in the order in which it
/// tries them: with the domain components at the end, where there are any, and without. The attributes stand in an order of
/// their own; those that are not known are left out. Values are escaped, also those of domain components.
pub(super) fn texts(subject: &DistinguishedName) -> impl Iterator<Item = String> + use<> {
    let pairs: Vec<Pair> = subject.0.iter().flatten().filter_map(known).collect();
    let mut text = String::new();
    for (oid, name) in KNOWN.iter().rev().filter(|(oid, _)| *oid != DOMAIN_COMPONENT) {
        debug_assert!(!oid.is_empty());
        let mut values: Vec<&str> = values_of(&pairs, name).collect();
        if SINGLE.contains(name) {
            values = values.pop().filter(|value| !value.is_empty()).into_iter().collect();
        }
        for (number, value) in values.into_iter().enumerate() {
            let separator = if number > 0 {
                "+"
            } else if text.is_empty() {
                ""
            } else {
                ","
            };
            push_attribute(&mut text, separator, name, value);
        }
    }
    let mut with_domain = text.clone();
    for value in values_of(&pairs, "DC") {
        push_attribute(&mut with_domain, ",", "DC", value);
    }
    let with_domain = (with_domain != text).then_some(with_domain);
    with_domain.into_iter().chain((!text.is_empty()).then_some(text))
}

fn values_of<'a>(pairs: &'a [Pair], name: &'a str) -> impl Iterator<Item = &'a str> {
    pairs.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn push_attribute(text: &mut String, separator: &str, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{separator}{name}=");
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        let is_special = matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (character == '#' && at == 0)
            || (character == ' ' && (at == 0 || at == last));
        if is_special {
            text.push('\\');
        }
        text.push(character);
    }
}
