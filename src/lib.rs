//! Dunlin: a NATS server, synchronous, one thread a core.
//!
//! Each *core* is a thread that runs one event loop ([`reactor`]) and owns its connections, timers and its own copy of the routing
//! table. Cores share nothing that both write; they send each other batches over rings ([`fabric`]). A message goes
//! `read → look at the mail → parse → check → match → deliver here, or into the batch of another core → push → write`.
//!
//! Two rules make the whole causal, over any chain of cores and sockets, without acknowledgements: before a core writes a socket it has
//! pushed all that it owes to other cores, interest first; and between reading a socket and acting on what it read it looks at its mail.
//!
//! What a part decides is in pure folders, which hold no socket, clock, thread or atomic: [`protocol`] (bytes to operations),
//! [`subject`], [`routing`] (who wants what), [`connection`] (one client without its socket). [`os`] is the fence to the
//! system; [`reactor`] carries out what the pure parts say, and speaks TLS through [`tls`]. [`config`] and [`cli`] make one checked [`Config`], [`log`] writes lines,
//! [`server`] starts and stops it all.
//!
//! To hold a server inside another program, see [`Server`].
#![deny(unsafe_code)]

pub mod auth;
pub mod buffer;
pub mod cli;
pub mod config;
pub mod connection;
pub mod fabric;
pub mod identity;
pub mod ids;
pub mod limits;
pub mod log;
pub mod monitor;
pub mod os;
pub mod protocol;
pub mod reactor;
pub mod routing;
pub mod secret;
pub mod server;
pub mod subject;
pub mod tls;

pub use config::Config;
pub use server::Server;
