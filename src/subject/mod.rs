//! What a subject is: tokens between dots, and patterns over them.
//!
//! `tokens` splits, `pattern` validates and holds the naive answer to "does this pattern match", the oracle for faster ones.
//! `reserved` knows what clients may not publish to.
//! Pure: no socket, clock, thread or atomic.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod pattern;
pub mod reserved;
pub mod tokens;

pub use pattern::{Pattern, Subject, SubjectError};
pub use pattern::{is_valid_pattern, is_valid_publish_subject};
pub use tokens::token_count;
