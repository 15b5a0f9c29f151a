//! Types of values, and where a top-level value goes.
//!
//! Owns the names of types as people read them, and the way from a key to the place where it was written.

use crate::config::apply::Applied;
use crate::config::raw::{Origin, RawConfig, Written};
use crate::config::value::Node;

/// Where a value goes.
pub type Slot<T> = fn(&mut RawConfig) -> &mut Option<Written<T>>;

/// What takes over a block: its settings, its complaints. It gets the key as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Section(pub(in super::super) fn(&mut Applied, &[u8], &Node), pub Shape);

/// Bounds that the peer checks while it reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntBound {
    /// None.
    Any,
    /// At most 2^31 - 1.
    Int32,
    /// From 1 to 255.
    SubTokens,
}

/// Bounds of durations that the peer checks while it reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationForm {
    /// A number of seconds is let pass, with a warning.
    TextOrSeconds,
    /// At least 30 seconds.
    LameDuck,
    /// Not negative.
    Grace,
}

/// The type of a value that its block reads, as it is told to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// Text that is not shown.
    Secret,
    /// Seconds, whole or not, or a duration.
    Seconds,
    /// A duration, as text.
    Duration,
    /// A list of texts.
    Texts,
    /// Text or a list of texts.
    TextOrTexts,
    /// A list of blocks.
    Blocks,
    /// A block.
    Block,
    /// A block, or a list of names.
    BlockOrNames,
    /// A truth value or a block.
    BoolOrBlock,
    /// Something else: this.
    Other(&'static str),
}

impl Shape {
    /// Its name as people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Text => "string",
            Self::Secret => "secret",
            Self::Seconds => "seconds or duration",
            Self::Duration => "duration",
            Self::Texts => "list of strings",
            Self::TextOrTexts => "string or list",
            Self::Blocks => "list of blocks",
            Self::Block => "block",
            Self::BlockOrNames => "block or list of names",
            Self::BoolOrBlock => "bool or block",
            Self::Other(name) => name,
        }
    }
}

/// The type of a key's value, and where it goes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A truth value.
    Bool(Slot<bool>),
    /// A whole number.
    Int(Slot<i64>, IntBound),
    /// Text.
    Text(Slot<String>),
    /// `server_name`.
    ServerName,
    /// `listen`: `host:port` or a port.
    Listen,
    /// `http`, `https`: the same, for pages; its port goes there.
    MonitorListen(Slot<i64>),
    /// A duration; nanoseconds.
    Duration(Slot<i64>, DurationForm),
    /// `server_tags`: text, or a list of texts.
    Tags,
    /// `server_metadata`: a map of texts.
    Metadata,
    /// `feature_flags`: a map of truth values.
    FeatureFlags,
    /// `write_timeout`.
    WriteTimeout,
    /// `system_account`.
    SystemAccount,
    /// A block that is read by this.
    Section(Section),
    /// A key within a block, which reads it.
    Inside(Shape),
    /// A key of a feature that is not there yet: its form is checked, its meaning is not.
    Later(Form),
}

impl Kind {
    /// The type's name as people read it.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Bool(_) | Self::Later(Form::Bool) => "bool",
            Self::Int(..) => "int",
            Self::Text(_) | Self::ServerName | Self::SystemAccount => "string",
            Self::Listen | Self::MonitorListen(_) => "host:port or port",
            Self::Duration(..) => "duration",
            Self::Tags => "string or list",
            Self::Metadata => "map of strings",
            Self::FeatureFlags => "map of bools",
            Self::WriteTimeout => "`default`, `close` or `retry`",
            Self::Section(section) => section.1.name(),
            Self::Inside(shape) => shape.name(),
        }
    }

    /// A bound that is not a range of numbers, as people read it, or empty.
    pub const fn bound(self) -> &'static str {
        match self {
            Self::Duration(_, DurationForm::LameDuck) => "30s and more",
            Self::Duration(_, DurationForm::Grace) => "less than lame_duck_duration",
            Self::Duration(_, DurationForm::TextOrSeconds) => "positive; 0 is the default",
            Self::ServerName => "without spaces",
            _ => "",
        }
    }

    /// Where the value was written; `None` where it was not, or where its block alone could say.
    pub fn origin(self, raw: &mut RawConfig) -> Option<Origin> {
        fn of<T>(setting: &Option<Written<T>>) -> Option<Origin> {
            setting.as_ref().map(|setting| setting.origin.clone())
        }
        match self {
            Self::Bool(slot) => of(slot(raw)),
            Self::Int(slot, _) | Self::MonitorListen(slot) | Self::Duration(slot, _) => of(slot(raw)),
            Self::Text(slot) => of(slot(raw)),
            Self::ServerName => of(&raw.server_name),
            Self::Listen => of(&raw.port),
            Self::Tags => of(&raw.server_tags),
            Self::Metadata => of(&raw.server_metadata),
            Self::WriteTimeout => of(&raw.write_timeout_retries),
            Self::SystemAccount => of(&raw.system_account),
            Self::FeatureFlags | Self::Section(_) | Self::Inside(_) | Self::Later(_) => None,
        }
    }
}

/// The form of a single value that nothing is made of yet.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A truth value; `false` asks for nothing.
    Bool,
}
