//! What a block of a later feature says, by the names of its table.
//!
//! Owns nothing but the values. Checks read them now; the feature that comes fills its settings from them.

use super::super::raw_security::RawTls;
use super::super::security::Permissions;
use super::super::value::Place;
use super::urls::Url;
use crate::secret::Secret;

/// One value.
#[derive(Debug)]
pub(in super::super) enum Setting {
    /// A truth value.
    Bool(bool),
    /// A number: of whatever it counts, bytes of sizes, nanoseconds of durations.
    Int(i64),
    /// Text.
    Text(String),
    /// Text that is not shown.
    Secret(Secret),
    /// Texts.
    Texts(Vec<String>),
    /// URLs.
    Urls(Vec<Url>),
    /// A block.
    Block(Settings),
    /// Blocks.
    Blocks(Vec<Settings>),
    /// TLS.
    Tls(#[expect(dead_code, reason = "for the feature that comes")] Box<RawTls>),
    /// Permissions.
    Permissions(#[expect(dead_code, reason = "for the feature that comes")] Box<Permissions>),
}

/// The values of a block, each once, by the first name of its key.
#[derive(Debug, Default)]
pub(in super::super) struct Settings {
    entries: Vec<(&'static str, Setting, Place)>,
}

impl Settings {
    /// Sets a value; one of the same name is replaced.
    pub(super) fn set(&mut self, name: &'static str, setting: Setting, place: &Place) {
        self.entries.retain(|(known, ..)| *known != name);
        self.entries.push((name, setting, place.clone()));
    }

    /// A value.
    pub(super) fn find(&self, name: &str) -> Option<&Setting> {
        self.entries.iter().find(|(known, ..)| *known == name).map(|(_, setting, _)| setting)
    }

    /// Where it was written.
    pub(super) fn place(&self, name: &str) -> Option<&Place> {
        self.entries.iter().find(|(known, ..)| *known == name).map(|(.., place)| place)
    }

    /// A text, secret or not; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.find(name) {
            Some(Setting::Text(text)) => text,
            Some(Setting::Secret(text)) => text.expose(),
            _ => "",
        }
    }

    /// A number; 0 where there is none.
    pub(super) fn int(&self, name: &str) -> i64 {
        match self.find(name) {
            Some(Setting::Int(value)) => *value,
            _ => 0,
        }
    }

    /// A truth value, where it is there.
    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        match self.find(name) {
            Some(Setting::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// URLs.
    pub(super) fn urls(&self, name: &str) -> &[Url] {
        match self.find(name) {
            Some(Setting::Urls(urls)) => urls,
            _ => &[],
        }
    }

    /// A block.
    pub(super) fn block(&self, name: &str) -> Option<&Settings> {
        match self.find(name) {
            Some(Setting::Block(settings)) => Some(settings),
            _ => None,
        }
    }

    /// Blocks of a list.
    pub(super) fn blocks(&self, name: &str) -> &[Settings] {
        match self.find(name) {
            Some(Setting::Blocks(blocks)) => blocks,
            _ => &[],
        }
    }
}
