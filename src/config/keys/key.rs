//! One key of a file, and all that is declared about it.
//!
//! Owns the form of an entry and the small builders with which the tables are written. Reads no value: `apply` and the
//! blocks do. Invariant: a key that a reload cannot change says why.

use super::kinds::{Kind, Shape};
use crate::config::Config;

/// What the server does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is carried out.
    Supported,
    /// It is taken, has no effect here, and the log says so.
    Ignored,
    /// It stops the start: it belongs to this feature, which is not there yet.
    NotYet(&'static str),
}

/// What a reload does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// A change is carried out while the server runs.
    Yes,
    /// A change refuses the whole reload, for this reason.
    No(&'static str),
    /// A change makes no difference, for this reason: it is taken.
    NoEffect(&'static str),
}

/// How a setting is told of: by the log of a reload, by `explain`, by comparisons.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Its name in the log of a reload: the peer's name of the option where that refuses a change, else the key's.
    pub name: &'static str,
    /// Its value.
    pub value: fn(&Config) -> String,
}

/// The values that a number may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// What it is when nothing is written.
    pub default: i64,
    /// The least.
    pub low: i64,
    /// The greatest.
    pub high: i64,
    /// 0 is allowed too: the default, or the system decides.
    pub or_zero: bool,
}

impl Range {
    /// Whether `value` is allowed; if not, why.
    ///
    /// # Errors
    /// The reason.
    pub fn check(self, value: i64) -> Result<(), String> {
        if (self.low..=self.high).contains(&value) || self.or_zero && value == 0 {
            return Ok(());
        }
        let zero = if self.or_zero { "0, or " } else { "" };
        Err(format!("must be {zero}a number from {} to {}", self.low, self.high))
    }
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The type of its value, and where it goes.
    pub kind: Kind,
    /// Its default as a user would write it, or empty.
    pub default: &'static str,
    /// The numbers that are allowed, where there is a bound beyond the type's.
    pub range: Option<Range>,
    /// What a reload does with it.
    pub reload: Reload,
    /// What the server does with it.
    pub status: Status,
    /// The feature with which it came; empty where that has not come yet.
    pub since: &'static str,
    /// What it is for, in one line.
    pub help: &'static str,
    /// A value that is right, as it is written; empty: the default, or one that its type says.
    pub example: &'static str,
    /// What differs from nats-server, in one line, or empty.
    pub differs: &'static str,
    /// How its value is told of. Secrets and long lists are not.
    pub shown: Option<Shown>,
}

impl Key {
    /// A key that a reload changes.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            aliases: &[],
            kind,
            default: "",
            range: None,
            reload: Reload::Yes,
            status: Status::Supported,
            since: "",
            help: "",
            example: "",
            differs: "",
            shown: None,
        }
    }

    /// A key of a block, which reads it.
    pub const fn inside(name: &'static str, shape: Shape, help: &'static str) -> Self {
        Self { help, ..Self::new(name, Kind::Inside(shape)) }
    }

    /// With other names.
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// With a default.
    pub const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// With a number's default and bounds; 0 is the default too.
    pub const fn range(self, default: i64, low: i64, high: i64) -> Self {
        Self { range: Some(Range { default, low, high, or_zero: true }), ..self }
    }

    /// Fixed while the server runs.
    pub const fn fixed(self, why: &'static str) -> Self {
        Self { reload: Reload::No(why), ..self }
    }

    /// Taken and without effect.
    pub const fn ignored(self, why: &'static str) -> Self {
        Self { status: Status::Ignored, reload: Reload::NoEffect(why), ..self }
    }

    /// Of a feature that is not there yet.
    pub const fn later(self, feature: &'static str) -> Self {
        Self { status: Status::NotYet(feature), since: "", reload: Reload::No("it is not supported yet"), ..self }
    }

    /// With the feature with which it came.
    pub const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// With its line of help.
    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// With a value that is right.
    pub const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// With what differs from nats-server.
    pub const fn differs(self, differs: &'static str) -> Self {
        Self { differs, ..self }
    }

    /// Told of under its own name.
    pub const fn shown(self, value: fn(&Config) -> String) -> Self {
        let name = self.name;
        self.shown_as(name, value)
    }

    /// Told of under another name.
    pub const fn shown_as(self, name: &'static str, value: fn(&Config) -> String) -> Self {
        Self { shown: Some(Shown { name, value }), ..self }
    }

    /// It is called so.
    pub fn is_named(&self, name: &[u8]) -> bool {
        std::iter::once(&self.name).chain(self.aliases).any(|known| known.as_bytes().eq_ignore_ascii_case(name))
    }
}
