//! What accounts export to and import from each other, compared.
//!
//! Owns the comparison. Nothing of it is kept; an account that exports or imports stops the start.

use super::super::complaints::Complaints;
use super::super::value::{Place, quoted};
use super::mappings::check_destination;
use crate::subject::tokens::{ONE, REST, is_wildcard, tokens};
use crate::subject::{is_valid_pattern, is_valid_publish_subject};
use std::collections::{HashMap, HashSet};

/// Comparisons of one import with one export or import; a few seconds of work at the most.
const STEPS_MAX: u32 = 20_000_000;

/// A stream or a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Stream,
    Service,
}

impl What {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Service => "service",
        }
    }
}

/// What an account offers.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) account: String,
    pub(super) what: What,
    pub(super) subject: String,
    /// `None`: for all.
    pub(super) accounts: Option<Vec<String>>,
    pub(super) latency: Option<String>,
    pub(super) token_position: i64,
}

/// What an account takes from another.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) account: String,
    pub(super) what: What,
    pub(super) from: String,
    pub(super) subject: String,
    pub(super) to: Option<String>,
    pub(super) prefix: Option<String>,
}

/// What the accounts of a block export and import.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// The account whose exports and imports come.
    account: String,
    names: HashSet<String>,
    pub(super) exports: Vec<Export>,
    imports: Vec<Import>,
    /// Services that are imported: who, from whom, under which subject; and the subject there.
    services: HashMap<(String, String, String), String>,
}

impl Shares {
    /// What comes is of this account.
    pub(super) fn begin(&mut self, account: String) {
        self.names.insert(account.clone());
        self.account = account;
    }

    /// Whose exports and imports come.
    pub(super) fn account(&self) -> String {
        self.account.clone()
    }

    /// Adds an import, unless its account imports such a service already: then the line about it.
    pub(super) fn add_import(&mut self, import: Import) -> Result<(), String> {
        if import.what == What::Service {
            let local = import.local().to_owned();
            let subject = quoted(local.as_bytes());
            let key = (import.account.clone(), import.from.clone(), local);
            if let Some(earlier) = self.services.get(&key) {
                let (from, earlier) = (quoted(import.from.as_bytes()), quoted(earlier.as_bytes()));
                return Err(format!(
                    "Duplicate service import subject {subject}, previously used in import for account {from}, subject {earlier}"
                ));
            }
            self.services.insert(key, import.subject.clone());
        }
        self.imports.push(import);
        Ok(())
    }
}

impl Import {
    /// The subject under which the importing account has it.
    fn local(&self) -> &str {
        self.to.as_ref().unwrap_or(&self.subject)
    }
}

/// What may still be compared: a file decides how much there is, and every import is held against every export.
struct Steps(u32);

impl Steps {
    fn take(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

/// Whether all that is imported is exported, and every account that is named is there. The peer tells the place of `accounts`.
pub(super) fn check(shares: &Shares, place: &Place, complaints: &mut Complaints) {
    let is_account = |name: &String| shares.names.contains(name);
    for what in [What::Stream, What::Service] {
        for export in shares.exports.iter().filter(|export| export.what == what) {
            let unknown = export.accounts.iter().flatten().filter(|name| !is_account(name));
            for name in unknown {
                let text = format!("{} account not defined for {} export", quoted(name.as_bytes()), what.name());
                complaints.at(place, text);
            }
            if let Some(text) = wrong_export(export) {
                complaints.at(place, text);
            }
        }
    }
    let mut steps = Steps(STEPS_MAX);
    let mut seen = HashSet::new();
    for what in [What::Stream, What::Service] {
        for import in shares.imports.iter().filter(|import| import.what == what) {
            if !is_account(&import.from) {
                let (from, what) = (quoted(import.from.as_bytes()), what.name());
                complaints.at(place, format!("{from} account not defined for {what} import"));
                continue;
            }
            let is_again = what == What::Stream && !seen.insert((&import.account, &import.from, &import.subject));
            if let Some(why) = wrong_import(shares, import, is_again, &mut steps) {
                let (what, subject) = (what.name(), quoted(import.subject.as_bytes()));
                complaints.at(place, format!("Error adding {what} import {subject}: {why}"));
            }
            if steps.0 == 0 {
                return complaints.at(place, "there are too many exports and imports to compare them");
            }
        }
    }
}

fn wrong_export(export: &Export) -> Option<String> {
    let subject = quoted(export.subject.as_bytes());
    // The peer falls over a negative one.
    let position = export.token_position;
    let is_wildcard =
        |at: i64| usize::try_from(at - 1).is_ok_and(|at| tokens(export.subject.as_bytes()).nth(at) == Some(ONE));
    if position < 0 || position > 0 && !is_wildcard(position) {
        return Some(format!("Error adding {} export {subject}: sublist: invalid subject", export.what.name()));
    }
    let latency = export.latency.as_ref()?;
    let to = quoted(latency.as_bytes());
    (!is_valid_publish_subject(latency.as_bytes())).then(|| {
        format!("Error adding service latency sampling for {subject} on subject {to}: invalid publish subject")
    })
}

fn wrong_import(shares: &Shares, import: &Import, is_again: bool, steps: &mut Steps) -> Option<String> {
    let subject = import.subject.as_bytes();
    if !is_valid_pattern(subject) {
        return Some("sublist: invalid subject".into());
    }
    let is_exported = shares.exports.iter().take_while(|_| steps.take()).any(|export| {
        export.account == import.from
            && export.what == import.what
            && export.accounts.as_ref().is_none_or(|names| names.is_empty() || names.contains(&import.account))
            && covers(export.subject.as_bytes(), subject)
    });
    if !is_exported {
        return Some(format!("{} import not authorized", import.what.name()));
    }
    if import.prefix.as_ref().is_some_and(|prefix| tokens(prefix.as_bytes()).any(is_wildcard)) {
        return Some("stream import prefix can not contain wildcard tokens".into());
    }
    if import.what == What::Service {
        let to = import.to.as_deref().filter(|to| !to.is_empty());
        let is_subject = |to: &str| is_valid_pattern(to.as_bytes()) && !to.contains([' ', '\t', '\n', '\r', '\x0c']);
        if to.is_some_and(|to| !is_subject(to)) {
            return Some("sublist: invalid subject".into());
        }
        // What has no wildcard goes under any other name.
        if let Some(to) = to.filter(|_| tokens(subject).any(is_wildcard))
            && let Err(why) = check_destination(subject, to.as_bytes())
        {
            let (to, from) = (quoted(to.as_bytes()), quoted(subject));
            return Some(format!(
                "failed to create mapping transform for service import subject from {to} to {from}: {why}"
            ));
        }
        if leads_back(shares, import, steps) {
            return Some("import forms a cycle".into());
        }
    }
    is_again.then(|| "stream import already exists".into())
}

/// Whether what an account imports as a service comes, over what the others import, from itself.
fn leads_back(shares: &Shares, import: &Import, steps: &mut Steps) -> bool {
    // Its own services an account may import, under another name.
    if import.from == import.account {
        return false;
    }
    let services: Vec<&Import> = shares.imports.iter().filter(|import| import.what == What::Service).collect();
    let mut is_seen = vec![false; services.len()];
    let mut open = vec![import];
    while let Some(at) = open.pop() {
        for (next, is_seen) in services.iter().zip(&mut is_seen).take_while(|_| steps.take()) {
            if *is_seen || next.account != at.from || !covers(next.local().as_bytes(), at.subject.as_bytes()) {
                continue;
            }
            if next.from == import.account {
                return true;
            }
            *is_seen = true;
            open.push(next);
        }
    }
    false
}

/// Whether `outer` matches all that `inner` matches.
fn covers(outer: &[u8], inner: &[u8]) -> bool {
    let mut inner = tokens(inner);
    for token in tokens(outer) {
        let Some(other) = inner.next() else {
            return false;
        };
        if token == REST {
            return true;
        }
        if other == REST || (token != ONE && token != other) {
            return false;
        }
    }
    inner.next().is_none()
}
