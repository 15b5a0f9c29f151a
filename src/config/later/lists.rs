//! Lists of the blocks of later features: URLs, texts, subjects, headers.
//!
//! Owns what is told of them. A URL may hold a password, which no message shows.

use super::super::complaints::string;
use super::super::security_keys::check_subjects;
use super::super::value::{Node, Value, quoted, shown};
use super::reader::{Fault, Reader};
use super::settings::Setting;
use super::urls::{self, Url};
use std::collections::HashSet;

impl Reader<'_> {
    /// A list of URLs; a wrong one drops it, and all wrong ones are told.
    pub(super) fn urls(&mut self, what: &str, node: &Node) -> Result<Setting, Fault> {
        let items = self.list(node)?;
        let (mut urls, mut seen, mut is_right) = (Vec::with_capacity(items.len()), HashSet::new(), true);
        for item in items {
            let Ok(text) = self.text(item) else {
                return Err(Fault::Dropped);
            };
            if !seen.insert(text) {
                let url = quoted(urls::redacted(&string(text)).as_bytes());
                self.warn(&item.place, format!("invalid use of field {url}: Duplicate {what} entry detected"));
                continue;
            }
            match self.parsed(what, item, text) {
                Ok(url) => urls.push(url),
                Err(_) => is_right = false,
            }
        }
        if is_right { Ok(Setting::Urls(urls)) } else { Err(Fault::Dropped) }
    }

    /// A URL.
    pub(super) fn url(&mut self, what: &str, node: &Node) -> Result<Setting, Fault> {
        let text = self.text(node)?;
        Ok(Setting::Urls(vec![self.parsed(what, node, text)?]))
    }

    /// Either.
    pub(super) fn url_or_urls(&mut self, what: &str, node: &Node) -> Result<Setting, Fault> {
        match &node.value {
            Value::List(_) => self.urls(what, node),
            Value::Text(_) => self.url(what, node),
            value => {
                let got = shown(value);
                Err(self.drop(node, format!("Expected remote {what} url to be an array or string, got {got}")))
            }
        }
    }

    fn parsed(&mut self, what: &str, node: &Node, text: &[u8]) -> Result<Url, Fault> {
        let text = string(text);
        Url::parse(text.trim()).map_err(|_| {
            let url = quoted(urls::redacted(text.trim()).as_bytes());
            self.drop(node, format!("error parsing {what} url [{url}]"))
        })
    }

    /// Text, or a list of texts; what is no text in it is told, and the rest stays.
    pub(super) fn texts(&mut self, what: &str, node: &Node) -> Result<Setting, Fault> {
        match &node.value {
            Value::Text(text) => Ok(Setting::Texts(vec![string(text)])),
            Value::List(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match &item.value {
                        Value::Text(text) => texts.push(string(text)),
                        value => {
                            let got = value.type_name();
                            self.tell(&item.place, format!("error parsing {what}: unsupported type in array {got}"));
                        }
                    }
                }
                Ok(Setting::Texts(texts))
            }
            value => {
                let got = value.type_name();
                Err(self.drop(node, format!("error parsing {what}: unsupported type {got}")))
            }
        }
    }

    /// Subjects that are denied.
    pub(super) fn subjects(&mut self, node: &Node) -> Result<Setting, Fault> {
        let before = self.applied.errors.0.len();
        let subjects = check_subjects(node, &mut self.applied.errors);
        if self.applied.errors.0.len() > before {
            return Err(Fault::Dropped);
        }
        Ok(Setting::Texts(subjects))
    }

    /// Names and texts.
    pub(super) fn headers(&mut self, node: &Node) -> Result<Setting, Fault> {
        let Value::Map(map) = &node.value else {
            let got = node.value.type_name();
            return Err(self.drop(node, format!("error parsing headers: unsupported type {got}")));
        };
        let mut names = Vec::with_capacity(map.len());
        for (name, node) in map.iter() {
            match &node.value {
                Value::Text(text) => names.push(format!("{}: {}", string(name), string(text))),
                value => {
                    let (name, got) = (string(name), value.type_name());
                    self.tell(&node.place, format!("error parsing header key {name}: unsupported type {got}"));
                }
            }
        }
        Ok(Setting::Texts(names))
    }
}
