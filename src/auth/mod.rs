//! May this client come in, and what may it do.
//!
//! ```text
//! CONNECT, nonce, certificate ── Directory::decide ──┬─ Admit(Grant)                       Grant: account, who, Permissions
//!                                                    ├─ Verify(BcryptCheck) ── elsewhere ── run ── Grant, or refused
//!                                                    └─ Refuse(Refusal)
//! SUB     ── Permissions::may_subscribe, needs_delivery_check
//! PUB     ── PublishCache::may_publish, and where that says no: Responses::may_publish
//! deliver ── Permissions::may_deliver
//! ```
//!
//! Pure: gets what a client said (CONNECT, the nonce that it signed, the names of its certificate) and what is configured, and
//! decides. Must not know sockets, clocks or tables. A check that takes long (bcrypt) is handed out, to be done elsewhere.

#![cfg_attr(not(any(test, fuzzing)), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]

mod bcrypt_check;
pub mod certificate;
pub mod directory;
mod distinguished_name;
pub mod failed_logins;
pub mod grant;
mod nkey;
#[cfg(any(test, fuzzing))]
pub mod oracle;
mod password;
pub mod permissions;
pub mod publish_cache;
pub mod responses;
mod subject_set;
#[cfg(test)]
mod tests;

pub use bcrypt_check::BcryptCheck;
pub use directory::{Claims, Directory, Verdict};
pub use grant::{ConnectionType, Grant, Identity, Refusal};
pub use permissions::Permissions;
pub use publish_cache::PublishCache;
