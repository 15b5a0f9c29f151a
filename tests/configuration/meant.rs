//! Where Dunlin's verdict or its words are not the peer's, on purpose.
//!
//! A row of words that is not needed any more fails the test, so the list only shrinks; where the peer falls, its verdict is chance.

/// Files that differ.
pub(crate) struct Meant {
    /// Whether it is this of a file: its name, and a line of the peer.
    pub is_it: fn(&str, &str) -> bool,
    /// Why.
    pub why: &'static str,
}

/// Only words differ; the verdict is the same.
pub(crate) const WORDS: &[Meant] = &[
    Meant {
        is_it: |_, theirs| theirs.contains("[0x") || theirs.contains(":0x") || theirs.contains("*conf.token"),
        why: "the peer shows addresses of its memory for what stands in a list or a block; Dunlin shows the type",
    },
    Meant {
        is_it: |_, theirs| theirs.contains("is not a valid seed"),
        why: "the peer shows what stands where a seed belongs; Dunlin does not",
    },
    Meant {
        is_it: |name, theirs| {
            name.starts_with("accounts.*.exports.account_token_position/") && theirs.contains("runtime error")
        },
        why: "the peer falls over a negative number; Dunlin says that of a position where no wildcard is",
    },
];

/// The verdict differs.
pub(crate) const VERDICTS: &[Meant] = &[Meant {
    is_it: |name, theirs| name.starts_with("resolver.ttl/") && theirs.contains("dirstore.go"),
    why: "the peer falls over a negative lifetime; the resolver is not there yet, so nothing is made of it",
}];
