//! Parts that the blocks of later features share: TLS, logins, permissions, compression.
//!
//! Owns what each block says of them. What is read within them is `security_keys`'.

use super::super::complaints::string;
use super::super::duration;
use super::super::security_keys::authorization::{Ended, GIVEN_UP, read as read_authorization};
use super::super::security_keys::permissions::{permissions, without_queues};
use super::super::security_keys::tls::{self, Side};
use super::super::value::{Node, Value, quoted};
use super::kinds::Label;
use super::reader::{Fault, Named, Reader};
use super::settings::{Setting, Settings};

/// Names of the bounds between modes of compression.
const RTT_NAMES: &[&[u8]] = &[b"rtt_thresholds", b"thresholds", b"rtts", b"rtt"];

impl Reader<'_> {
    /// A `tls` block.
    pub(super) fn tls(&mut self, side: Side, node: &Node) -> Result<Setting, Fault> {
        match tls::read(self.applied, side, node) {
            Ok(tls) => Ok(Setting::Tls(Box::new(tls))),
            Err(_) => Err(Fault::Dropped),
        }
    }

    /// An `authorization` block of servers: a user and a password alone.
    pub(super) fn authorization(&mut self, whose: &str, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let read = match &node.value {
            Value::Map(map) => read_authorization(self.applied, map),
            _ => Err(Ended::from(self.wrong_type(node, "map[string]interface {}"))),
        };
        let block = match read {
            Ok(block) => block,
            Err(Ended::Left) => return Err(Fault::Dropped),
            Err(Ended::GaveUp) => return Err(self.give_up(node, GIVEN_UP)),
        };
        let refused = if block.users.is_some() {
            Some("does not allow multiple users")
        } else if block.token.as_ref().is_some_and(|token| !token.value.is_empty()) {
            Some("does not support tokens")
        } else if block.callout.is_some() {
            Some("does not support callouts")
        } else {
            None
        };
        if let Some(why) = refused {
            return Err(self.drop(node, format!("{whose} authorization {why}")));
        }
        let mut settings = Settings::default();
        if let Some(user) = block.user {
            settings.set("user", Setting::Text(user.value), &node.place);
        }
        if let Some(password) = block.password {
            settings.set("password", Setting::Secret(password.value), &node.place);
        }
        if let Some(timeout) = block.timeout {
            settings.set("timeout", Setting::Int(timeout.value), &node.place);
        }
        if let Some(permissions) = block.permissions.filter(|_| whose == "Cluster") {
            without_queues(&permissions).map_err(|text| self.drop(node, text))?;
            let name = quoted(named.written);
            self.warn(
                &node.place,
                format!(
                    "invalid use of field {name}: setting \"permissions\" within cluster authorization block is deprecated"
                ),
            );
            settings.set("permissions", Setting::Permissions(Box::new(permissions)), &node.place);
        }
        Ok(Setting::Block(settings))
    }

    /// Permissions of routes.
    pub(super) fn permissions(&mut self, node: &Node) -> Result<Setting, Fault> {
        let Value::Map(_) = &node.value else {
            let got = super::super::value::shown(&node.value);
            self.applied.errors.bare(format!("Expected permissions to be a map/struct, got {got}"));
            return Err(Fault::Dropped);
        };
        let Some(permissions) = permissions(node, &mut self.applied.errors) else {
            return Err(Fault::Dropped);
        };
        if permissions.responses.is_some() {
            return Err(self.drop(node, "Cluster permissions do not support dynamic responses"));
        }
        without_queues(&permissions).map_err(|text| self.drop(node, text))?;
        Ok(Setting::Permissions(Box::new(permissions)))
    }

    /// A mode, a truth value, or a block of both a mode and times. What modes there are is asked at the start.
    pub(super) fn compression(&mut self, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let map = match &node.value {
            Value::Text(text) => return Ok(Setting::Text(string(text))),
            Value::Bool(is_on) => return Ok(Setting::Bool(*is_on)),
            Value::Map(map) => map,
            value => {
                let (name, got) = (quoted(named.written), value.type_name());
                return Err(self.drop(node, format!("field {name} should be a boolean or a structure, got {got}")));
            }
        };
        let mut settings = Settings::default();
        // Whatever is wrong ends the block, and this one alone.
        let dropped = |_| Fault::Dropped;
        for (name, node) in map.iter() {
            let name = name.to_ascii_lowercase();
            if name == b"mode" {
                let mode = string(self.text(node).map_err(dropped)?);
                settings.set("mode", Setting::Text(mode), &node.place);
            } else if RTT_NAMES.contains(&name.as_slice()) {
                let mut times = Vec::new();
                for item in self.list(node).map_err(dropped)? {
                    let text = self.text(item).map_err(dropped)?;
                    duration::parse(text).map_err(|text| self.drop(node, text))?;
                    times.push(string(text));
                }
                settings.set("rtt_thresholds", Setting::Texts(times), &node.place);
            } else if !node.is_variable {
                return Err(self.drop(node, format!("unknown field {}", quoted(&name))));
            }
        }
        Ok(Setting::Block(settings))
    }

    /// Whether leaders move away from a server that lost its hub, and after what time.
    pub(super) fn migrate(&mut self, named: Named<'_>, node: &Node) -> Result<Setting, Fault> {
        let map = match &node.value {
            Value::Bool(is_on) => return Ok(Setting::Bool(*is_on)),
            Value::Map(map) => map,
            value => {
                let got = value.type_name();
                self.applied.errors.bare(format!("Expected boolean or map for jetstream_cluster_migrate, got {got}"));
                return Err(Fault::Dropped);
            }
        };
        // The peer looks for this key as it is spelt here, passes over all others, and tells a wrong type at the block.
        let Some(delay) = map.find(b"leader_migrate_delay") else {
            return Ok(Setting::Bool(true));
        };
        let outer = self.types_at.replace(node.place.clone());
        let read = self.duration(Label::Text("leader_migrate_delay"), named, delay);
        self.types_at = outer;
        match read {
            Ok(delay) => {
                let mut settings = Settings::default();
                settings.set("leader_migrate_delay", delay, &node.place);
                Ok(Setting::Block(settings))
            }
            Err(Fault::Dropped) => Ok(Setting::Bool(true)),
            Err(fault) => Err(fault),
        }
    }
}
