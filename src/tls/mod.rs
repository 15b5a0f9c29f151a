//! TLS: rustls as a layer between bytes of the socket and bytes of the protocol.
//!
//! - `settings`: a `tls` block made ready, and who is let in after a handshake
//! - `load`: certificates, keys and authorities from files; what is said where they cannot be used
//! - `choose`: which certificate a client is shown
//! - `names`: Go's names of versions, suites and curves
//! - `session`: the TLS of one connection: handshake, reading
//! - `seal`: its sending half
//! - `certificate`: what a client's certificate says; `expiry`: until when ours is good
//! - `words`: errors in the peer's words
//!
//! Must not know connections, timers or turns: `reactor::handshake` decides when a session works. No thread, and no wait: a
//! session does what the bytes that are there allow. Bounded: see the constants of `session`.

pub mod certificate;
mod choose;
pub mod expiry;
mod load;
pub mod names;
mod seal;
pub mod session;
pub mod settings;
pub mod words;

pub use load::TlsError;
pub use session::{Info, Session};
pub use settings::TlsSettings;

#[cfg(test)]
mod session_tests;
