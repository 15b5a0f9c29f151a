//! `mappings`, of the server or of an account: not there yet, but checked.
//!
//! Owns the form of an entry and the check of its destinations.

use super::super::apply::Applied;
use super::super::complaints::{GaveUp, string};
use super::super::value::{Map, Node, Value, quoted, shown};
use super::{Keys, find, key, later};
use crate::config::keys::{Key, Shape};
use crate::subject::is_valid_pattern;
use crate::subject::tokens::{ONE, REST, tokens};
use std::collections::HashMap;

const WEIGHT_MAX: i64 = 100;
/// Functions that may stand in a destination, and how many arguments they take; `None`: one and more.
const FUNCTIONS: &[(&str, Option<usize>)] = &[
    ("wildcard", Some(1)),
    ("partition", None),
    ("splitfromleft", Some(2)),
    ("splitfromright", Some(2)),
    ("slicefromleft", Some(2)),
    ("slicefromright", Some(2)),
    ("split", Some(2)),
    ("left", Some(2)),
    ("right", Some(2)),
    ("random", Some(1)),
];

const fn mapped(name: &'static str, shape: Shape, help: &'static str) -> Key {
    key(name, shape, help).later("subject mappings")
}

#[derive(Clone, Copy)]
pub(super) enum DestinationKey {
    Destination,
    Weight,
    Cluster,
}

pub(super) const DESTINATION_KEYS: Keys<DestinationKey> = &[
    (
        mapped("destination", Shape::Text, "The subject under which messages go on")
            .aliases(&["dest"])
            .example("\"b\""),
        DestinationKey::Destination,
    ),
    (
        mapped("weight", Shape::Other("int, or percentage as text"), "Of a hundred messages, how many go there")
            .example("\"50%\""),
        DestinationKey::Weight,
    ),
    (mapped("cluster", Shape::Text, "Only in that cluster").example("\"east\""), DestinationKey::Cluster),
];

struct Destination {
    subject: String,
    weight: i64,
    cluster: String,
}

/// Why an entry is not taken.
enum Wrong {
    /// The line is written.
    Told,
    /// A value of the wrong type: the peer leaves the whole block.
    GaveUp,
}

/// Checks a block, and stops the start where it says anything.
pub(in super::super) fn mappings(applied: &mut Applied, name: &[u8], node: &Node) {
    let Ok(map) = applied.errors.map(node) else {
        return;
    };
    for (subject, entry) in map.iter().filter(|(_, entry)| !entry.is_variable) {
        if !is_subject(subject) {
            let text = format!("Subject {} is not a valid subject", quoted(subject));
            applied.errors.at(&node.place, text);
            continue;
        }
        if matches!(mapping(applied, subject, entry), Err(Wrong::GaveUp)) {
            return;
        }
    }
    if !map.is_empty() {
        later::refuse(applied, name, node);
    }
}

fn mapping(applied: &mut Applied, subject: &[u8], entry: &Node) -> Result<(), Wrong> {
    let source = quoted(subject);
    let destinations = match &entry.value {
        Value::Text(destination) => {
            if let Err(text) = check_destination(subject, destination) {
                let to = quoted(destination);
                applied.errors.at(&entry.place, format!("Error adding mapping for {source} to {to} : {text}"));
            }
            return Ok(());
        }
        Value::Map(map) => vec![destination(applied, entry, entry, map)?],
        Value::List(items) => {
            let mut destinations = Vec::with_capacity(items.len());
            for item in items.iter() {
                let Value::Map(map) = &item.value else {
                    applied.errors.at(&item.place, "Expected an entry for the mapping destination");
                    continue;
                };
                match destination(applied, entry, item, map) {
                    Ok(destination) => destinations.push(destination),
                    Err(Wrong::Told) => {}
                    Err(Wrong::GaveUp) => return Err(Wrong::GaveUp),
                }
            }
            destinations
        }
        _ => {
            applied.errors.at(&entry.place, "Expected an entry for the mapping destination");
            return Ok(());
        }
    };
    if let Err(text) = check_together(subject, &destinations) {
        applied.errors.at(&entry.place, format!("Error adding mapping for {source} : {text}"));
    }
    Ok(())
}

fn destination(applied: &mut Applied, entry: &Node, item: &Node, map: &Map) -> Result<Destination, Wrong> {
    let mut destination = Destination { subject: String::new(), weight: 0, cluster: String::new() };
    let mut has_weight = false;
    for (name, node) in map.iter() {
        // The peer tells the place of the mapping, not of the value.
        let at_entry = Node { place: entry.place.clone(), ..node.clone() };
        match find(DESTINATION_KEYS, name) {
            Some(DestinationKey::Destination) => {
                destination.subject = applied.errors.string(&at_entry).map_err(|GaveUp| Wrong::GaveUp)?;
            }
            Some(DestinationKey::Cluster) => {
                destination.cluster = applied.errors.string(&at_entry).map_err(|GaveUp| Wrong::GaveUp)?;
            }
            Some(DestinationKey::Weight) => match weight(&node.value) {
                Ok(weight) => (destination.weight, has_weight) = (weight, true),
                Err(text) => {
                    applied.errors.at(&node.place, text);
                    return Err(Wrong::Told);
                }
            },
            None if node.is_variable => {}
            None => {
                let text = format!("Unknown field {} for mapping destination", quoted(name));
                applied.errors.at(&node.place, text);
                return Err(Wrong::Told);
            }
        }
    }
    if !has_weight {
        let text = format!("Missing weight for mapping destination {}", quoted(destination.subject.as_bytes()));
        applied.errors.at(&item.place, text);
        return Err(Wrong::Told);
    }
    Ok(destination)
}

fn weight(value: &Value) -> Result<i64, String> {
    let weight = match value {
        Value::Int(weight) => *weight,
        Value::Text(text) => {
            let digits = text.strip_suffix(b"%").unwrap_or(text);
            let weight = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            weight.ok_or_else(|| format!("Invalid weight {} for mapping destination", quoted(text)))?
        }
        // The peer ends this line once more.
        value => return Err(format!("Unknown entry type for weight of {}\n", shown(value))),
    };
    if (0..=WEIGHT_MAX).contains(&weight) {
        return Ok(weight);
    }
    Err(format!("Invalid weight {weight} for mapping destination"))
}

fn check_together(subject: &[u8], destinations: &[Destination]) -> Result<(), String> {
    let mut totals: HashMap<&str, i64> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    for destination in destinations {
        if !seen.insert(&destination.subject) {
            return Err(format!("duplicate entry for {}", quoted(destination.subject.as_bytes())));
        }
        let total = totals.entry(&destination.cluster).or_default();
        *total += destination.weight;
        if *total > WEIGHT_MAX {
            return Err(format!("total weight needs to be <= {WEIGHT_MAX}"));
        }
        check_destination(subject, destination.subject.as_bytes())?;
    }
    Ok(())
}

/// Whether a subject can be made from what `source` matches; if not, why.
pub(super) fn check_destination(source: &[u8], destination: &[u8]) -> Result<(), String> {
    let wildcards = tokens(source).filter(|token| *token == ONE).count();
    let ends_open = |subject: &[u8]| tokens(subject).next_back() == Some(REST);
    if destination.is_empty() {
        return Ok(());
    }
    // A call of a function may hold blanks.
    let is_blank = |token: &[u8]| !token.starts_with(b"{{") && token.iter().any(u8::is_ascii_whitespace);
    if !is_valid_pattern(destination) || tokens(destination).any(is_blank) {
        return Err("invalid mapping destination: invalid transform".into());
    }
    for token in tokens(destination).map(string) {
        let call = token.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        let checked = match (token.strip_prefix('$').and_then(|digits| digits.parse().ok()), call) {
            (Some(index), _) => in_range(index, wildcards),
            (None, Some(call)) => check_call(call, wildcards),
            (None, None) => Ok(()),
        };
        // The peer names the index behind the token.
        checked.map_err(|wrong| {
            let (text, index) = wrong;
            format!("invalid mapping destination: {text} in {token}{index}")
        })?;
    }
    let has_wildcard = tokens(destination).any(|token| token == ONE);
    if has_wildcard || ends_open(source) != ends_open(destination) {
        return Err("invalid subject".into());
    }
    Ok(())
}

fn is_subject(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_whitespace) && is_valid_pattern(text)
}

/// What is wrong with a token, and what stands behind it in the message.
type WrongToken = (&'static str, String);

fn in_range(index: usize, wildcards: usize) -> Result<(), WrongToken> {
    const OUT: &str = "wildcard index out of range";
    match (index, wildcards) {
        // Without wildcards in the source the peer does not say which.
        (_, 0) => Err((OUT, String::new())),
        (index, wildcards) if index > wildcards => Err((OUT, format!(": [{index}]"))),
        _ => Ok(()),
    }
}

/// A call of a function: `name(arguments)`.
fn check_call(call: &str, wildcards: usize) -> Result<(), WrongToken> {
    let wrong = |text: &'static str| Err((text, String::new()));
    let (name, rest) = call.split_once('(').unwrap_or_default();
    let name = name.trim().to_lowercase();
    let Some((_, count)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        return wrong("unknown function");
    };
    let arguments: Vec<&str> = rest.trim_end().trim_end_matches(')').split(',').map(str::trim).collect();
    let is_empty = arguments.iter().all(|argument| argument.is_empty());
    let format = "function argument is invalid or in the wrong format";
    let number = |text: &str| text.parse::<usize>().map_err(|_| (format, String::new()));
    match count {
        None => {
            let mut numbers = arguments.iter().map(|argument| number(argument));
            numbers.next().transpose()?;
            numbers.try_for_each(|index| in_range(index?, wildcards))
        }
        Some(_) if is_empty && name == "random" => wrong(format),
        Some(count) if is_empty || arguments.len() < *count => wrong("not enough arguments passed to the function"),
        Some(count) if arguments.len() > *count => wrong("too many arguments passed to the function"),
        Some(_) => {
            let first = arguments.first().copied().unwrap_or_default();
            let index = number(first)?;
            if let Some(second) = arguments.get(1).filter(|_| !name.starts_with("split") || name.contains("from")) {
                number(second)?;
            }
            if name == "random" { Ok(()) } else { in_range(index, wildcards) }
        }
    }
}
