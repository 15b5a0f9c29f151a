//! The tables hold together: names are unique, everything is said, defaults are what nothing means.

use super::*;
use crate::config::{Config, read_text};
use std::collections::HashSet;
use std::path::Path;

#[test]
fn every_name_is_there_once_in_its_block() {
    let top = Block { path: "", keys: top_level().collect() };
    for block in std::iter::once(top).chain(blocks()) {
        let mut seen = HashSet::new();
        for key in block.keys {
            for name in std::iter::once(&key.name).chain(key.aliases) {
                assert!(seen.insert(*name), "{}.{name} is there twice", block.path);
                assert_eq!(*name, name.to_ascii_lowercase());
            }
        }
    }
}

#[test]
fn names_are_found_without_regard_to_case() {
    assert_eq!(find(b"MAX_Payload").map(|key| key.name), Some("max_payload"));
    assert_eq!(find(b"Net").map(|key| key.name), Some("host"));
    assert!(find(b"bogus").is_none());
}

#[test]
fn every_key_says_what_it_is() {
    for (path, key) in all() {
        assert!(!key.help.is_empty() && !key.help.ends_with('.'), "{path} has no line of help");
        match (key.status, key.reload) {
            (Status::NotYet(feature), Reload::No(_)) => assert!(!feature.is_empty() && key.since.is_empty(), "{path}"),
            (Status::Ignored, Reload::NoEffect(why)) => assert!(!why.is_empty() && !key.since.is_empty(), "{path}"),
            (Status::Supported, Reload::Yes) => assert!(!key.since.is_empty(), "{path}"),
            (Status::Supported, Reload::No(why) | Reload::NoEffect(why)) => {
                assert!(!why.is_empty() && !key.since.is_empty(), "{path}");
            }
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn names_in_the_log_are_unique() {
    let mut seen = HashSet::new();
    for (path, key) in all() {
        assert!(key.shown.is_none_or(|shown| seen.insert(shown.name)), "{path}");
    }
}

/// A file that says nothing else than the defaults of the table is one that says nothing.
#[test]
fn every_default_is_what_nothing_means() {
    for key in top_level().filter(|key| key.shown.is_some() && key.status == Status::Supported) {
        let default = match (key.default, key.range) {
            ("", Some(range)) => range.default.to_string(),
            (text, _) => text.to_owned(),
        };
        let Some(shown) = key.shown.filter(|_| !default.is_empty() && key.name != "max_sub_tokens") else {
            continue;
        };
        let raw = read_text(Path::new("x.conf"), format!("{}: {default}", key.name).as_bytes());
        let (config, _) = raw.expect("a default is right").resolve().expect("a default agrees with others");
        let expected = (shown.value)(&Config::default());
        // The page's base path is a slash in any case.
        let expected = if key.name == "http_base_path" { default.trim_matches('"').to_owned() } else { expected };
        assert_eq!((shown.value)(&config), expected, "{}", key.name);
    }
}

/// What a key changes is told, and nothing else is.
#[test]
fn every_example_shows_in_its_own_line_alone() {
    let values = |config: &Config| -> Vec<(String, String)> {
        all().into_iter().filter_map(|(path, key)| Some((path, (key.shown?.value)(config)))).collect()
    };
    let before = values(&Config::default());
    for key in top_level().filter(|key| key.shown.is_some() && !key.example.is_empty()) {
        let text = format!("{}: {}", key.name, key.example);
        let raw = read_text(Path::new("x.conf"), text.as_bytes()).expect("an example is right");
        let (config, _) = raw.resolve().expect("an example agrees with the defaults");
        let after = values(&config);
        let changed: Vec<&str> =
            before.iter().zip(&after).filter(|(before, after)| before != after).map(|((path, _), _)| &**path).collect();
        assert!(changed.contains(&key.name), "{text} changes {changed:?}");
        assert!(changed.len() == 1 || key.name == "http", "{text} changes {changed:?}");
    }
}
