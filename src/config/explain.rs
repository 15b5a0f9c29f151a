//! A configuration as it is after everything was put together: each setting, its value, where that was written.
//!
//! Owns the order (the table's) and the way from a key to its value. Reads the file once more, since settings within blocks
//! have their places there. Invariant: no secret is in a setting; [`HIDDEN`] stands for it.

use super::Config;
use super::file;
use super::keys::{self, Key, Kind, Shape};
use super::own_flags::{self, OWN_FLAGS};
use super::parser::ParseError;
use super::raw::{Origin, RawConfig, Written};
use super::spans_keys::{is_secret, keys_in};
use super::value::{Map, Node, Value, shown};
use std::path::Path;

/// What stands for a secret.
pub const HIDDEN: &str = "*****";

/// One setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its key with its block: `max_payload`, `accounts.A.users[0].user`.
    pub path: String,
    /// What is declared of the key; none where its block has names of the user's own.
    pub key: Option<&'static Key>,
    /// Its value as people read it; empty: none.
    pub value: String,
    /// Where it was written; `None`: it is the default.
    pub origin: Option<Origin>,
}

/// All settings of a configuration: those of the table, and what is written in blocks.
///
/// # Errors
/// The file cannot be read any more.
pub fn explain(file: Option<&Path>, raw: &RawConfig, config: &Config) -> Result<Vec<Setting>, ParseError> {
    let map = file.map(file::load).transpose()?.unwrap_or_default();
    let mut raw = raw.clone();
    let flags = of_flags(&raw);
    let mut settings = Vec::new();
    for key in keys::top_level() {
        if let Kind::Section(_) = key.kind {
            if key.name == DUNLIN {
                own(&mut raw, config, &mut settings);
            } else {
                section(key, &map, &flags, &mut settings);
            }
            continue;
        }
        let origin = key.kind.origin(&mut raw);
        let value = key.shown.map(|shown| (shown.value)(config)).or_else(|| written(key.kind, &mut raw));
        // `listen` is told of as `host` and `port`, and features to come are off.
        if matches!(key.kind, Kind::Listen | Kind::MonitorListen(_) | Kind::Later(_)) {
            continue;
        }
        let value = value.unwrap_or_else(|| key.default.trim_matches('"').to_owned());
        let value = match (key.kind, value.as_str()) {
            (Kind::WriteTimeout, "true") => "retry".to_owned(),
            (Kind::WriteTimeout, _) => "default".to_owned(),
            // As it is written: in the configuration 0 stands for it.
            (Kind::Int(..), "0") if key.name == "port" => "-1".to_owned(),
            _ => value,
        };
        settings.push(Setting { path: key.name.to_owned(), key: Some(key), value, origin });
    }
    Ok(settings)
}

const DUNLIN: &str = "dunlin";

/// Dunlin's own, which flags may say too.
fn own(raw: &mut RawConfig, config: &Config, settings: &mut Vec<Setting>) {
    for own in OWN_FLAGS {
        let origin = own.origin(raw);
        let is_hidden = matches!(own.kind, own_flags::Kind::Secret(_));
        let value = match (&own.key.shown, is_hidden, &origin) {
            (_, true, Some(_)) => HIDDEN.to_owned(),
            (Some(shown), ..) => (shown.value)(config),
            (None, ..) => String::new(),
        };
        settings.push(Setting { path: format!("{DUNLIN}.{}", own.key.name), key: Some(&own.key), value, origin });
    }
}

/// Settings within blocks that flags have said: path, value, origin.
fn of_flags(raw: &RawConfig) -> Vec<(&'static str, String, Origin)> {
    let mut found = Vec::new();
    let mut add = |path, value: Option<String>, origin: Option<&Origin>| {
        if let (Some(value), Some(origin)) = (value, origin.filter(|origin| !matches!(origin, Origin::File(_)))) {
            found.push((path, value, origin.clone()));
        }
    };
    fn text(setting: &Option<Written<String>>) -> Option<String> {
        setting.as_ref().map(|setting| setting.value.clone())
    }
    fn origin<T>(setting: &Option<Written<T>>) -> Option<&Origin> {
        setting.as_ref().map(|setting| &setting.origin)
    }
    add("authorization.user", text(&raw.user), origin(&raw.user));
    add("authorization.password", raw.password.as_ref().map(|_| HIDDEN.into()), origin(&raw.password));
    add("authorization.token", raw.token.as_ref().map(|_| HIDDEN.into()), origin(&raw.token));
    add("tls.cert_file", text(&raw.tls_cert_flag), origin(&raw.tls_cert_flag));
    add("tls.key_file", text(&raw.tls_key_flag), origin(&raw.tls_key_flag));
    add("tls.ca_file", text(&raw.tls_ca_flag), origin(&raw.tls_ca_flag));
    let verify = raw.tls_verify_flag.as_ref().map(|flag| flag.value.to_string());
    add("tls.verify", verify, origin(&raw.tls_verify_flag));
    found
}

/// A block as it is written, with what flags say in its place.
fn section(key: &'static Key, map: &Map, flags: &[(&'static str, String, Origin)], settings: &mut Vec<Setting>) {
    let mut block = Vec::new();
    for (_, node) in map.iter().filter(|(name, _)| key.is_named(name)) {
        flatten(Job { path: key.name.to_owned(), names: vec![key.name.as_bytes().to_vec()], node }, &mut block);
    }
    let is_of_block = |path: &str| path.strip_prefix(key.name).is_some_and(|rest| rest.starts_with('.'));
    for (path, value, origin) in flags.iter().filter(|(path, ..)| is_of_block(path)) {
        block.retain(|setting| setting.path != *path);
        let names: Vec<Vec<u8>> = path.split('.').map(|name| name.as_bytes().to_vec()).collect();
        let (path, value, origin) = ((*path).to_owned(), value.clone(), Some(origin.clone()));
        block.push(Setting { path, key: declared(&names), value, origin });
    }
    if block.is_empty() {
        block.push(Setting { path: key.name.to_owned(), key: Some(key), value: String::new(), origin: None });
    }
    settings.append(&mut block);
}

/// A value still to be told of, and the keys that lead to it.
struct Job<'a> {
    path: String,
    names: Vec<Vec<u8>>,
    node: &'a Node,
}

/// The values in a block, one a line. A list of these instead of recursion: files may nest deeply.
fn flatten(first: Job<'_>, settings: &mut Vec<Setting>) {
    let mut jobs = vec![first];
    while let Some(Job { path, names, node }) = jobs.pop() {
        match &node.value {
            Value::Map(map) if !map.is_empty() => {
                let inner = map.iter().map(|(name, node)| {
                    let mut names = names.clone();
                    names.push(name.to_vec());
                    Job { path: format!("{path}.{}", String::from_utf8_lossy(name)), names, node }
                });
                jobs.extend(inner.collect::<Vec<_>>().into_iter().rev());
            }
            Value::List(items) if items.iter().any(|item| matches!(item.value, Value::Map(_) | Value::List(_))) => {
                let inner = items.iter().enumerate().map(|(at, node)| Job {
                    path: format!("{path}[{at}]"),
                    names: names.clone(),
                    node,
                });
                jobs.extend(inner.collect::<Vec<_>>().into_iter().rev());
            }
            value => {
                let key = declared(&names);
                let name = names.last().map(Vec::as_slice).unwrap_or_default();
                let is_hidden =
                    is_secret(name) || key.is_some_and(|key| matches!(key.kind, Kind::Inside(Shape::Secret)));
                let value = if is_hidden { HIDDEN.to_owned() } else { told(value) };
                settings.push(Setting { path, key, value, origin: Some(Origin::File(node.place.clone())) });
            }
        }
    }
}

fn declared(names: &[Vec<u8>]) -> Option<&'static Key> {
    let (last, block) = names.split_last()?;
    let block: Vec<&[u8]> = block.iter().map(Vec::as_slice).collect();
    keys_in(&block).into_iter().find(|key| key.is_named(last))
}

fn told(value: &Value) -> String {
    match value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(_) => "{}".to_owned(),
        value => shown(value),
    }
}

/// The value of a key that the configuration does not keep, as it was written.
fn written(kind: Kind, raw: &mut RawConfig) -> Option<String> {
    match kind {
        Kind::Bool(slot) => slot(raw).as_ref().map(|setting| setting.value.to_string()),
        Kind::Int(slot, _) => slot(raw).as_ref().map(|setting| setting.value.to_string()),
        Kind::Text(slot) => slot(raw).as_ref().map(|setting| setting.value.clone()),
        Kind::SystemAccount => raw.system_account.as_ref().map(|setting| setting.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{HIDDEN, Setting, explain};
    use crate::config::{Origin, RawConfig, Written, read_file};
    use crate::secret::Secret;

    fn explained(text: &str, flags: RawConfig) -> Vec<Setting> {
        let name = format!("dunlin-explain-{}-{}.conf", std::process::id(), text.len());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("the folder for such files");
        let raw = flags.over(read_file(&path).expect("it is right"));
        let (config, _) = raw.clone().resolve().expect("it is right");
        let settings = explain(Some(&path), &raw, &config).expect("it is there");
        std::fs::remove_file(&path).expect("it is there");
        settings
    }

    fn line(settings: &[Setting], path: &str) -> String {
        let found = settings.iter().find(|setting| setting.path == path);
        let setting = found.unwrap_or_else(|| panic!("{path} is not among {settings:?}"));
        let origin = match &setting.origin {
            None => "default".to_owned(),
            Some(Origin::File(place)) => format!("{}:{}", place.line, place.column),
            Some(origin) => origin.to_string(),
        };
        format!("{} from {origin}", setting.value)
    }

    #[test]
    fn every_setting_has_its_value_and_its_place() {
        let text = "max_payload: 2MB\nauthorization {\n  timeout: 3\n  users: [ {user: ann, password: hunter2} ]\n}\nport: 5\ndunlin { spin_us: 7 }\n";
        let flags = RawConfig {
            port: Some(Written { value: -1, origin: Origin::Flag("-p".into()) }),
            monitor_token: Some(Written {
                value: Secret::new("swordfish"),
                origin: Origin::Flag("--monitor_token".into()),
            }),
            ..RawConfig::default()
        };
        let settings = explained(text, flags);
        for (path, expected) in [
            ("max_payload", "2097152 from 1:0"),
            ("max_pending", "67108864 from default"),
            ("port", "-1 from -p"),
            ("write_timeout", "default from default"),
            ("authorization.timeout", "3 from 3:3"),
            ("authorization.users[0].user", "ann from 4:13"),
            ("authorization.users[0].password", "***** from 4:24"),
            ("dunlin.spin_us", "7 from 7:10"),
            ("dunlin.monitor_token", "***** from --monitor_token"),
            ("tls", " from default"),
            ("no_auth_user", " from default"),
            ("prof_port", "0 from default"),
        ] {
            assert_eq!(line(&settings, path), expected, "{path}");
        }
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("swordfish") && shown.contains(HIDDEN));
    }

    #[test]
    fn a_flag_takes_the_place_of_what_a_block_says() {
        let flags = RawConfig {
            user: Some(Written { value: "bob".into(), origin: Origin::Flag("--user".into()) }),
            ..RawConfig::default()
        };
        let settings = explained("authorization { user: ann, password: x }", flags);
        assert_eq!(line(&settings, "authorization.user"), "bob from --user");
        assert_eq!(line(&settings, "authorization.password"), "***** from 1:27");
        assert_eq!(settings.iter().filter(|setting| setting.path == "authorization.user").count(), 1);
    }

    #[test]
    fn the_last_of_two_values_counts() {
        let settings = explained(
            "authorization { timeout: 1 }\ndebug: true\nauthorization { timeout: 2 }\n",
            RawConfig::default(),
        );
        assert_eq!(line(&settings, "authorization.timeout"), "2 from 3:17");
    }
}
