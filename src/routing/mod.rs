//! Who is interested in a subject: one account's routing table as one core sees it.
//!
//! [`Table`] holds this core's own subscriptions and, for each pattern, which other cores have a plain subscriber and how
//! many members of each queue group they have. Publishing asks [`Table::route`]; a message of another core asks
//! [`Table::route_remote`]; what other cores say about themselves comes in by [`Table::apply`] and [`Table::end_look`].
//!
//! Pure: no socket, clock, thread or atomic; seeds and random numbers are arguments.
//!
//! ```text
//! literal pattern ── IdTable (hash of the whole subject) ──┐
//! wildcard pattern ─ Sublist (trie by token) ── MatchCache ─┴─> PatternId ─> PatternEntry ─> SubId ─> Subscription
//! ```
//!
//! Where an account has no wildcard pattern, the trie and the cache are not looked at: one hash lookup is the match.
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

mod ahead;
mod check;
mod deal;
mod entry;
mod figures;
mod guarded;
mod hash;
mod id_table;
mod interest;
mod level;
mod match_cache;
mod matching;
mod queue_group;
mod rng;
mod slab;
mod sublist;
mod subscription;
mod table;
mod text;

#[cfg(test)]
mod tests;

pub use deal::Stretch;
pub use figures::GroupFigures;
pub use hash::KeyHash;
pub use matching::{Publisher, Routes};
pub use queue_group::{Choice, GroupRef};
pub use rng::Rng;
pub use subscription::{SID_BLOCK, Subscription};
pub use table::{Counts as TableCounts, Table, TableConfig};
pub use text::same;
