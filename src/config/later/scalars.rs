//! Single values of the blocks of later features: numbers, sizes, durations, names.
//!
//! Owns their bounds and what is told of each. Keeps nothing.

use super::super::complaints::string;
use super::super::security_keys::{USER_PREFIX, nkey_prefix, timeout_nanos, timeout_warning};
use super::super::value::{Node, Value, quoted, shown};
use super::super::{apply, duration};
use super::kinds::{Kind, Label};
use super::reader::{Fault, Named, Reader};
use super::settings::{Setting, Settings};
use crate::secret::Secret;

/// The longest time between pings of a route.
const ROUTE_PINGS_NANOS_MAX: i64 = 30 * SECOND;
const SECOND: i64 = 1_000_000_000;
/// The least version that leaf nodes can be held to.
const VERSION_MIN: (u64, u64, u64) = (2, 8, 0);

impl Reader<'_> {
    /// A value of a kind that is no block, no list and no URL.
    pub(super) fn scalar(&mut self, kind: Kind, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        match kind {
            Kind::Int => Ok(Setting::Int(self.int(node)?)),
            Kind::IntWithin(low, high) => match self.int(node)? {
                value if (low..=high).contains(&value) => Ok(Setting::Int(value)),
                value => Err(self.drop(node, format!("invalid value {value}, should in [{low}..{high}] range"))),
            },
            Kind::Secret => Ok(Setting::Secret(Secret::new(string(self.text(node)?)))),
            Kind::Name(what) => match self.text(node)? {
                text if text.contains(&b' ') => Err(self.drop(node, format!("{what} cannot contain spaces"))),
                text => Ok(Setting::Text(string(text))),
            },
            Kind::Listen => self.listen(node),
            Kind::Duration(label) => self.duration(label, named, node),
            Kind::RoutePings => self.route_pings(named, node),
            Kind::HandshakeTimeout => self.handshake_timeout(node),
            Kind::Timeout(whose) => self.timeout(whose, named, node),
            Kind::AnyTimeout => Ok(Setting::Int(timeout_nanos(&node.value).unwrap_or(SECOND))),
            Kind::WriteTimeout => match self.text(node)? {
                text @ (b"default" | b"close" | b"retry") => Ok(Setting::Text(string(text))),
                _ => Err(self.drop(node, "write_timeout must be 'default', 'close' or 'retry'")),
            },
            Kind::PassedOver(why) => {
                self.warn(&node.place, format!("invalid use of field {}: {why}", quoted(named.written)));
                Err(Fault::Dropped)
            }
            Kind::Version => self.version(node),
            Kind::Seed => self.seed(node),
            Kind::FileName => Ok(Setting::Text(string(self.text(node)?))),
            Kind::UserKey => {
                let text = self.text(node)?;
                if nkey_prefix(text) != Some(USER_PREFIX) {
                    self.tell(&node.place, "Not a valid public nkey for leafnode authorization");
                }
                Ok(Setting::Text(string(text)))
            }
            Kind::Strict => match node.value {
                Value::Bool(value) => Ok(Setting::Bool(value)),
                _ => {
                    let got = printed_as_text(&node.value);
                    Err(self.give_up(node, format!("Expected 'true' or 'false' for bool value, got '{got}'")))
                }
            },
            Kind::StoreDir => self.store_dir(node),
            Kind::Sync => match &node.value {
                Value::Text(text) if text.eq_ignore_ascii_case(b"always") => Ok(Setting::Text("always".into())),
                _ => self.duration(Label::Written, named, node),
            },
            Kind::Size(_) | Kind::SizeFromZero => self.size(kind, named, node),
            Kind::Count | Kind::CountFromZero | Kind::CountWithin(..) => self.count(kind, named, node),
            Kind::Cipher => match self.text(node)?.to_ascii_lowercase().as_slice() {
                cipher @ (b"aes" | b"chacha" | b"chachapoly") => Ok(Setting::Text(string(cipher))),
                _ => {
                    let got = quoted(self.text(node)?);
                    Err(self.give_up(node, format!("Unknown cipher type: {got}")))
                }
            },
            Kind::LimitDuration => match duration::parse(self.text(node)?) {
                Ok(nanos) => Ok(Setting::Int(nanos)),
                Err(text) => {
                    self.applied.errors.bare(text);
                    Err(Fault::Dropped)
                }
            },
            _ => Ok(Setting::Text(string(self.text(node)?))),
        }
    }

    fn listen(&mut self, node: &Node) -> Result<Setting, Fault> {
        match apply::listen(&node.value) {
            Ok((host, port)) => {
                let mut address = Settings::default();
                address.set("host", Setting::Text(host.unwrap_or_default()), &node.place);
                address.set("port", Setting::Int(port), &node.place);
                Ok(Setting::Block(address))
            }
            Err(text) => Err(self.drop(node, text)),
        }
    }

    /// Nanoseconds.
    pub(super) fn duration(&mut self, label: Label, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let name = match label {
            Label::Name => named.key.name.to_owned(),
            Label::Written => string(named.written),
            Label::Text(text) => text.to_owned(),
        };
        let Value::Text(text) = &node.value else {
            let use_of = quoted(name.as_bytes());
            self.warn(&node.place, format!("invalid use of field {use_of}: {name} should be converted to a duration"));
            return Ok(Setting::Int(self.int(node)?.saturating_mul(SECOND)));
        };
        match duration::parse(text) {
            Ok(nanos) => Ok(Setting::Int(nanos)),
            Err(text) => Err(self.drop(node, format!("error parsing {name}: {text}"))),
        }
    }

    fn route_pings(&mut self, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let interval = self.duration(Label::Name, named, node)?;
        if matches!(interval, Setting::Int(nanos) if nanos > ROUTE_PINGS_NANOS_MAX) {
            let most = duration::shown(ROUTE_PINGS_NANOS_MAX);
            self.warn(&node.place, format!("Cluster 'ping_interval' will reset to {most} which is the max for routes"));
        }
        Ok(interval)
    }

    fn handshake_timeout(&mut self, node: &Node) -> Result<Setting, Fault> {
        match &node.value {
            Value::Int(seconds) => Ok(Setting::Int(seconds.saturating_mul(SECOND))),
            Value::Text(text) => match duration::parse(text) {
                Ok(nanos) => Ok(Setting::Int(nanos)),
                Err(text) => Err(self.drop(node, text)),
            },
            value => {
                let got = value.type_name();
                Err(self.drop(node, format!("error parsing handshake timeout: unsupported type {got}")))
            }
        }
    }

    fn timeout(&mut self, whose: &str, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        match timeout_nanos(&node.value) {
            Ok(nanos) => {
                if let Some(text) = timeout_warning(named.written, &node.value, nanos) {
                    self.warn(&node.place, text);
                }
                Ok(Setting::Int(nanos))
            }
            Err(text) => {
                self.tell(&node.place, format!("error parsing {whose} config, 'timeout' {text}"));
                Err(Fault::Left)
            }
        }
    }

    fn version(&mut self, node: &Node) -> Result<Setting, Fault> {
        let text = string(self.text(node)?);
        match version(&text) {
            Err(why) => Err(self.drop(node, format!("invalid leafnode's minimum version: {why}"))),
            Ok(version) if version < VERSION_MIN => {
                Err(self.drop(node, "the minimum version should be at least 2.8.0"))
            }
            Ok(_) => Ok(Setting::Text(text)),
        }
    }

    /// What is said of one that is wrong may hold most of a right one, so it is not shown.
    fn seed(&mut self, node: &Node) -> Result<Setting, Fault> {
        let text = string(self.text(node)?);
        let is_seed = nkeys::decode_seed(&text).is_ok_and(|(prefix, _)| prefix == USER_PREFIX);
        if is_seed {
            return Ok(Setting::Secret(Secret::new(text)));
        }
        Err(self.drop(node, "Remote leafnode nkey is not a valid seed: \"[REDACTED]\""))
    }

    /// A folder, if none was said before.
    pub(super) fn store_dir(&mut self, node: &Node) -> Result<Setting, Fault> {
        if self.applied.has_store_dir {
            return Err(self.give_up(node, "Duplicate 'store_dir' configuration"));
        }
        let text = string(self.text(node)?);
        self.applied.has_store_dir = !text.is_empty();
        Ok(Setting::Text(text))
    }

    fn size(&mut self, kind: Kind, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let written = string(named.written);
        let label = match kind {
            Kind::Size(Some(label)) => label.to_owned(),
            _ => written.to_lowercase(),
        };
        match size(&node.value) {
            Err(text) => Err(self.give_up(node, format!("{label} {text}"))),
            Ok(bytes) if bytes < 0 && matches!(kind, Kind::SizeFromZero) => {
                let (name, got) = (quoted(named.written), shown(&node.value));
                Err(self.give_up(node, format!("Expected an absolute size for {name}, got {got}")))
            }
            Ok(bytes) => Ok(Setting::Int(bytes)),
        }
    }

    fn count(&mut self, kind: Kind, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let (what, within, range) = match kind {
            Kind::CountWithin(low, high) => ("an absolute size", format!(" between {low} and {high}"), low..=high),
            Kind::CountFromZero => ("an absolute size", String::new(), 0..=i64::MAX),
            _ => ("a parseable size", String::new(), i64::MIN..=i64::MAX),
        };
        match node.value {
            Value::Int(value) if range.contains(&value) => Ok(Setting::Int(value)),
            _ => {
                let (name, got) = (quoted(named.written), shown(&node.value));
                Err(self.give_up(node, format!("Expected {what} for {name}{within}, got {got}")))
            }
        }
    }
}

/// A value as the peer shows it where it takes every value for text.
fn printed_as_text(value: &Value) -> String {
    match value {
        Value::Int(_) | Value::Float(_) => format!("%!s({}={})", value.type_name(), shown(value)),
        value => shown(value),
    }
}

/// Major, minor and patch of a semantic version; what stands behind a hyphen or a plus sign must be right too.
fn version(text: &str) -> Result<(u64, u64, u64), String> {
    let invalid = || "invalid semver".to_owned();
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, before) = rest.split_once('-').map_or((rest, None), |(core, before)| (core, Some(before)));
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = |part: &str| is_digits(part) && (part == "0" || !part.starts_with('0'));
    let is_before = |part: &str| is_name(part) && (!is_digits(part) || is_number(part));
    let numbers: Vec<&str> = core.split('.').collect();
    let is_right = numbers.len() == 3
        && numbers.iter().all(|part| is_number(part))
        && before.is_none_or(|before| before.split('.').all(is_before))
        && build.is_none_or(|build| build.split('.').all(is_name));
    if !is_right {
        return Err(invalid());
    }
    let number = |part: &str| match part.parse::<i64>() {
        Ok(number) => Ok(number.unsigned_abs()),
        Err(_) => Err(format!("strconv.Atoi: parsing {}: value out of range", quoted(part.as_bytes()))),
    };
    match numbers.as_slice() {
        [major, minor, patch] => Ok((number(major)?, number(minor)?, number(patch)?)),
        _ => Err(invalid()),
    }
}

/// A number of bytes: of a number, or of text with a letter behind, for powers of 1024. Nothing is 0.
fn size(value: &Value) -> Result<i64, String> {
    let text = match value {
        Value::Int(bytes) => return Ok(*bytes),
        Value::Text(text) if text.is_empty() => return Ok(0),
        Value::Text(text) => text,
        _ => return Err("must be int64 or string".into()),
    };
    let (digits, suffix) = text.split_at(text.len() - 1);
    let failed = |why: &str| format!("strconv.ParseInt: parsing {}: {why}", quoted(digits));
    let is_number = {
        let unsigned = digits.strip_prefix(b"-").or_else(|| digits.strip_prefix(b"+")).unwrap_or(digits);
        !unsigned.is_empty() && unsigned.iter().all(u8::is_ascii_digit)
    };
    if !is_number {
        return Err(failed("invalid syntax"));
    }
    let number: i64 = string(digits).parse().map_err(|_| failed("value out of range"))?;
    let shift = match suffix {
        b"K" => 10,
        b"M" => 20,
        b"G" => 30,
        b"T" => 40,
        _ => return Err("sizes defined as strings must end in K, M, G, T".into()),
    };
    // What is too large wraps around on the peer, which then takes anything; it is the most that can be.
    Ok(number.saturating_mul(1 << shift))
}
