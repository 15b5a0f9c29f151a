//! The types of values in the blocks of later features, and the form of a table.
//!
//! Owns what a table can say of a key; `reader` walks tables, and the files beside it read single values. Invariant: a table is
//! data alone, so that the feature that comes can keep it and fill its settings with the same walk.

use super::super::keys::{Key, Shape};
use super::super::security_keys::tls::Side;
use super::super::value::Place;
use super::reader::Reader;
use super::settings::Settings;

/// A block: its keys, what is told of a value that is no block, and how far a value of the wrong type in it reaches.
#[derive(Debug)]
pub(in super::super) struct Table {
    /// Its keys, and what each is.
    pub keys: &'static [(Key, Kind)],
    /// What is told where there is no block.
    pub otherwise: Complaint,
    /// What a value of a wrong type ends.
    pub ends: Ends,
}

/// A list of blocks. A value of the wrong type in one of them ends the list; what stands around it goes on without.
#[derive(Debug)]
pub(in super::super) struct List {
    /// What is told where there is no list.
    pub otherwise: Complaint,
    /// What an entry is.
    pub entry: Table,
    /// Looks at each entry.
    pub check: Option<Check>,
}

/// Looks at an entry of a list once it is read; `false` drops it. It gets the place of its last key, and the entries before it.
pub(in super::super) type Check = fn(&mut Reader<'_>, &Settings, &Place, &[Settings]) -> bool;

/// What is told of a value that is not the block or the list that was wanted.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Complaint {
    /// The common words about types; ends the block that the key is in.
    Types,
    /// These words, then the type.
    Type(&'static str),
    /// These words, then the value.
    Value(&'static str),
    /// As `Type`, without a place; ends the block that the key is in.
    PlacelessType(&'static str),
    /// As `Type`; ends the block that the key is in.
    LastType(&'static str),
}

/// What a value of a wrong type ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Ends {
    /// The block that it is in.
    Block,
    /// That, and the one around, which cannot do without: the peer tells of it once more.
    NeededBlock,
    /// The one around too.
    Around,
}

/// What a duration is called in messages.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Label {
    /// By the key's own name.
    Name,
    /// As the key was written.
    Written,
    /// So.
    Text(&'static str),
}

/// What a key's value is.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Kind {
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// A whole number in these bounds.
    IntWithin(i64, i64),
    /// Text.
    Text,
    /// Text that is not shown.
    Secret,
    /// Text without blanks; what it is called.
    Name(&'static str),
    /// `host:port` or a port.
    Listen,
    /// A duration; a number of seconds is let pass, with a warning.
    Duration(Label),
    /// The same, and the warning where it is longer than routes allow.
    RoutePings,
    /// Whole seconds or a duration.
    HandshakeTimeout,
    /// Seconds or a duration, of a login: of whose.
    Timeout(&'static str),
    /// The same, of a login where the peer takes everything else for the default.
    AnyTimeout,
    /// `default`, `close` or `retry`.
    WriteTimeout,
    /// Anything: the peer passes it over and says so with these words.
    PassedOver(&'static str),
    /// A version, at least 2.8.0.
    Version,
    /// A mode, a truth value or a block.
    Compression,
    /// A list of URLs: of what.
    Urls(&'static str),
    /// A URL: of what.
    Url(&'static str),
    /// Either.
    UrlOrUrls(&'static str),
    /// Text or a list of texts: what they are called.
    Texts(&'static str),
    /// A subject or a list of subjects.
    Subjects,
    /// A block whose keys are names of headers.
    Headers,
    /// The seed of a user.
    Seed,
    /// The name of a file; variables and `~` in it are resolved.
    FileName,
    /// The public key of a user.
    UserKey,
    /// A `tls` block.
    Tls(Side),
    /// An `authorization` block with a user and a password alone; whose.
    Authorization(&'static str),
    /// Permissions of routes.
    Permissions,
    /// A truth value, or a block with `leader_migrate_delay`.
    Migrate,
    /// A block with a table.
    Block(&'static Table),
    /// A list of blocks with a table.
    Blocks(&'static List),
    /// Of JetStream, where the first fault ends all: a truth value.
    Strict,
    /// A folder, said once in a file.
    StoreDir,
    /// `always`, or a duration.
    Sync,
    /// A number of bytes, or text with a suffix of one letter; what it is called where it is not called as written.
    Size(Option<&'static str>),
    /// The same, not negative.
    SizeFromZero,
    /// A whole number.
    Count,
    /// The same, not negative.
    CountFromZero,
    /// The same, in these bounds.
    CountWithin(i64, i64),
    /// A cipher.
    Cipher,
    /// A duration as text; what is wrong with it is told without a place and ends nothing.
    LimitDuration,
}

impl Kind {
    /// The type as people read it.
    pub(in super::super) const fn shape(self) -> Shape {
        match self {
            Self::Bool | Self::Strict => Shape::Bool,
            Self::Int | Self::IntWithin(..) | Self::Count | Self::CountFromZero | Self::CountWithin(..) => Shape::Int,
            Self::Text | Self::Name(_) | Self::Version | Self::FileName | Self::UserKey | Self::StoreDir => Shape::Text,
            Self::Secret | Self::Seed => Shape::Secret,
            Self::Listen => Shape::Other("host:port or port"),
            Self::Duration(_) | Self::RoutePings | Self::LimitDuration => Shape::Duration,
            Self::HandshakeTimeout | Self::Timeout(_) | Self::AnyTimeout => Shape::Seconds,
            Self::WriteTimeout => Shape::Other("`default`, `close` or `retry`"),
            Self::PassedOver(_) => Shape::Other("anything"),
            Self::Compression => Shape::Other("mode, bool or block"),
            Self::Urls(_) => Shape::Texts,
            Self::Url(_) => Shape::Text,
            Self::UrlOrUrls(_) | Self::Texts(_) | Self::Subjects => Shape::TextOrTexts,
            Self::Headers => Shape::Other("map of strings"),
            Self::Tls(_) | Self::Authorization(_) | Self::Permissions | Self::Block(_) => Shape::Block,
            Self::Migrate => Shape::BoolOrBlock,
            Self::Blocks(_) => Shape::Blocks,
            Self::Sync => Shape::Other("`always` or a duration"),
            Self::Size(_) | Self::SizeFromZero => Shape::Other("bytes, or text with K, M, G or T"),
            Self::Cipher => Shape::Other("`aes` or `chacha`"),
        }
    }

    /// A value that is right.
    const fn example(self) -> &'static str {
        match self {
            Self::Bool | Self::Strict | Self::Compression | Self::Migrate => "true",
            Self::Int | Self::IntWithin(..) | Self::Count | Self::CountFromZero | Self::CountWithin(..) => "5",
            Self::Text | Self::Secret | Self::Name(_) | Self::FileName | Self::StoreDir | Self::Texts(_) => "\"a\"",
            Self::Version => "\"2.8.0\"",
            Self::UserKey => "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
            Self::Seed => "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
            Self::Listen => "\"127.0.0.1:-1\"",
            Self::Duration(_) | Self::RoutePings | Self::LimitDuration | Self::Sync => "\"5s\"",
            Self::HandshakeTimeout | Self::Timeout(_) | Self::AnyTimeout | Self::PassedOver(_) => "2",
            Self::WriteTimeout => "retry",
            Self::Urls(_) => "[\"nats://a:1\"]",
            Self::Url(_) | Self::UrlOrUrls(_) => "\"nats://a:1\"",
            Self::Subjects => "\"a.>\"",
            Self::Headers => "{A: \"b\"}",
            Self::Tls(_) | Self::Authorization(_) | Self::Permissions | Self::Block(_) => "{}",
            Self::Blocks(_) => "[]",
            Self::Size(_) | Self::SizeFromZero => "\"10M\"",
            Self::Cipher => "aes",
        }
    }
}

/// An entry of a table: a key of a feature that is not there yet.
pub(super) const fn entry(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    feature: &'static str,
    help: &'static str,
) -> (Key, Kind) {
    let key = Key::inside(name, kind.shape(), help).aliases(aliases).example(kind.example()).later(feature);
    (key, kind)
}

/// The same with a value that is right, where its type alone does not say one.
pub(super) const fn like((key, kind): (Key, Kind), example: &'static str) -> (Key, Kind) {
    (key.example(example), kind)
}
