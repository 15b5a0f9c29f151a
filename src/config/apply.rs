//! From the tree of a file to what the user wrote: each key's value checked against the table.
//!
//! Owns the messages about single keys, in the peer's words and with the place of the key. Fills in no default and
//! compares no two keys; `resolve` does. All errors of a file are found, not only the first.

use super::complaints::{Complaints, string, wrong_type};
use super::keys::{self, DurationForm, Form, IntBound, Key, Kind, Status};
use super::raw::{Origin, RawConfig, Refusal, Warning, Written};
use super::security_keys::{self, Logins};
use super::value::{Map, Node, Value, quoted};
use super::{address, duration};

const LAME_DUCK_NANOS_MIN: i64 = 30_000_000_000;

/// What a file's keys came to.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The settings.
    pub raw: RawConfig,
    /// Errors, with their places, in the order of the file.
    pub errors: Complaints,
    /// Users that are there so far.
    pub logins: Logins,
    /// The folder of JetStream was said.
    pub has_store_dir: bool,
    /// Accounts that an `auth_callout` may name.
    pub callout_accounts: Vec<String>,
}

/// Makes settings of the keys of a file.
pub(super) fn apply(map: &Map) -> Applied {
    let mut applied = Applied::default();
    if map.is_empty() {
        return applied;
    }
    for (name, node) in map.iter() {
        match keys::find(name) {
            Some(key) => {
                if let Err(text) = applied.set(key, name, node) {
                    applied.errors.at(&node.place, text);
                }
            }
            None if node.is_variable => {}
            None => applied.errors.at(&node.place, format!("unknown field {}", quoted(name))),
        }
    }
    security_keys::later::check_callout_accounts(&mut applied);
    applied
}

fn as_bool(value: &Value) -> Result<bool, String> {
    if let Value::Bool(value) = value { Ok(*value) } else { Err(wrong_type(value, "bool")) }
}

fn as_int(value: &Value) -> Result<i64, String> {
    if let Value::Int(value) = value { Ok(*value) } else { Err(wrong_type(value, "int64")) }
}

fn as_text(value: &Value) -> Result<&[u8], String> {
    if let Value::Text(text) = value { Ok(text) } else { Err(wrong_type(value, "string")) }
}

impl Applied {
    fn set(&mut self, key: &Key, name: &[u8], node: &Node) -> Result<(), String> {
        let origin = Origin::File(node.place.clone());
        let raw = &mut self.raw;
        match key.kind {
            Kind::Bool(slot) => *slot(raw) = Some(Written { value: as_bool(&node.value)?, origin }),
            Kind::Int(slot, bound) => *slot(raw) = Some(Written { value: int(&node.value, bound, name)?, origin }),
            Kind::Text(slot) => *slot(raw) = Some(Written { value: string(as_text(&node.value)?), origin }),
            Kind::ServerName => {
                let value = string(as_text(&node.value)?);
                if value.contains(' ') {
                    return Err("server name cannot contain spaces".into());
                }
                raw.server_name = Some(Written { value, origin });
            }
            Kind::Listen => {
                let (host, port) = listen(&node.value)?;
                if let Some(host) = host {
                    raw.host = Some(Written { value: host, origin: origin.clone() });
                }
                raw.port = Some(Written { value: port, origin });
            }
            Kind::MonitorListen(slot) => {
                let (host, port) = listen(&node.value)?;
                if let Some(host) = host {
                    raw.http_host = Some(Written { value: host, origin: origin.clone() });
                }
                *slot(raw) = Some(Written { value: port, origin });
            }
            Kind::Duration(slot, form) => {
                let value = self.duration(key, form, node)?;
                *slot(&mut self.raw) = Some(Written { value, origin });
            }
            Kind::Tags => raw.server_tags = Some(Written { value: tags(&node.value)?, origin }),
            Kind::Metadata => return self.metadata(node),
            Kind::FeatureFlags => return self.feature_flags(node),
            Kind::WriteTimeout => {
                let value = match as_text(&node.value)? {
                    b"default" | b"close" => false,
                    b"retry" => true,
                    _ => return Err("write_timeout must be 'default', 'close' or 'retry'".into()),
                };
                raw.write_timeout_retries = Some(Written { value, origin });
            }
            Kind::Section(section) => section.0(self, name, node),
            Kind::Inside(_) => debug_assert!(false, "no key at the top of a file is of this kind"),
            Kind::SystemAccount => {
                let Value::Text(text) = &node.value else {
                    return Err("system account name must be a string".into());
                };
                raw.system_account = Some(Written { value: string(text), origin });
            }
            Kind::Later(Form::Bool) => {
                debug_assert!(matches!(key.status, Status::NotYet(_)), "keys of this kind have no slot");
                if as_bool(&node.value)? {
                    self.raw.refused.push(Refusal { origin, name: string(name) });
                }
            }
        }
        Ok(())
    }

    fn duration(&mut self, key: &Key, form: DurationForm, node: &Node) -> Result<i64, String> {
        let name = key.name;
        let text = match (&node.value, form) {
            (Value::Text(text), _) => text,
            (value, DurationForm::LameDuck | DurationForm::Grace) => {
                return Err(wrong_type(value, "string"));
            }
            (value, DurationForm::TextOrSeconds) => {
                let text = format!("invalid use of field \"{name}\": {name} should be converted to a duration");
                self.raw.warnings.push(Warning::Usage(format!("{}: {text}", node.place)));
                let seconds = as_int(value)?;
                return seconds.checked_mul(1_000_000_000).ok_or_else(|| format!("{name} value is too big"));
            }
        };
        let nanos = duration::parse(text).map_err(|text| format!("error parsing {name}: {text}"))?;
        match form {
            DurationForm::LameDuck if nanos < LAME_DUCK_NANOS_MIN => {
                Err(format!("invalid lame_duck_duration of {}, minimum is 30 seconds", duration::shown(nanos)))
            }
            DurationForm::Grace if nanos < 0 => Err("invalid lame_duck_grace_period, needs to be positive".into()),
            _ => Ok(nanos),
        }
    }

    fn metadata(&mut self, node: &Node) -> Result<(), String> {
        let Value::Map(map) = &node.value else {
            return Err(format!("error parsing metadata: unsupported type {}", node.value.type_name()));
        };
        let mut pairs = Vec::new();
        for (name, node) in map.iter() {
            match as_text(&node.value) {
                Ok(text) => pairs.push((string(name), string(text))),
                Err(text) => self.errors.at(&node.place, text),
            }
        }
        self.raw.server_metadata = Some(Written { value: pairs, origin: Origin::File(node.place.clone()) });
        Ok(())
    }

    fn feature_flags(&mut self, node: &Node) -> Result<(), String> {
        let Value::Map(map) = &node.value else {
            return Err(format!("error parsing feature flags: unsupported type {}", node.value.type_name()));
        };
        for (name, node) in map.iter().filter(|(_, node)| !matches!(node.value, Value::Bool(_))) {
            let (name, got) = (quoted(name), node.value.type_name());
            self.errors.at(&node.place, format!("error parsing feature flag {name}: expected bool, got {got}"));
        }
        if !map.is_empty() {
            let text =
                format!("{}: \"feature_flags\" is for JetStream, which is not supported yet: ignored", node.place);
            self.raw.warnings.push(Warning::Notice(text));
        }
        Ok(())
    }
}

fn int(value: &Value, bound: IntBound, name: &[u8]) -> Result<i64, String> {
    let value = as_int(value)?;
    let complaint = match bound {
        IntBound::Int32 if value > i64::from(i32::MAX) => "is too big",
        IntBound::SubTokens if value > 255 => "is too big",
        IntBound::SubTokens if value <= 0 => "can not be negative",
        _ => return Ok(value),
    };
    Err(format!("{} value {complaint}", string(name)))
}

/// Host, where it is said, and port.
pub(super) fn listen(value: &Value) -> Result<(Option<String>, i64), String> {
    match value {
        Value::Int(port) => Ok((None, *port)),
        Value::Text(text) => {
            let (host, port) =
                address::split(text).ok_or_else(|| format!("could not parse address string {}", quoted(text)))?;
            let number = address::port(port).ok_or_else(|| format!("could not parse port {}", quoted(port)))?;
            Ok((Some(string(host)), number))
        }
        _ => Err(format!("expected port or host:port, got {}", value.type_name())),
    }
}

/// Tags are in lower case, and each is there once.
fn tags(value: &Value) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    let mut add = |text: &[u8]| {
        let tag = string(text).trim().to_lowercase();
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    };
    match value {
        Value::Text(text) => add(text),
        Value::List(items) => {
            for node in items.iter() {
                let Value::Text(text) = &node.value else {
                    return Err("error parsing tags: unsupported type *conf.token where string is expected".into());
                };
                add(text);
            }
        }
        _ => {
            return Err(format!("error parsing tags: unsupported type {}", value.type_name()));
        }
    }
    Ok(tags)
}
