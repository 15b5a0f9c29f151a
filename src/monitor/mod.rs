//! Pages for monitoring, over HTTP/1.1 on a thread of its own.
//!
//! Owns the listener, its connections and what the pages say. Asks the cores for copies of what they know
//! ([`crate::reactor::snapshot`]) and never touches what they own. The pages of the peer have its fields, in its order; Dunlin's own
//! have names that stay.
//!
//! - `serve`: the thread: accepting, reading, writing, deadlines
//! - `http`: bytes to a request, a response to bytes
//! - `query`: parameters of a request, and the peer's words for bad ones
//! - `site`: which page answers which path; logins
//! - `secure`: the same over TLS
//! - `json`: JSON as the peer writes it
//! - `pages`: what the pages say
//!
//! `tools/deploy/monitoring.md` is their description for who runs the server.

mod http;
mod json;
mod pages;
mod query;
mod secure;
mod serve;
mod site;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use crate::config::Config;
use crate::config::monitoring::MonitorListener;
use crate::log::Logger;
use crate::os::listener::{self, ClientSocketOptions, ListenError, ListenOptions};
use crate::reactor::settings::Settings;
use crate::reactor::snapshot::Cores;

/// Connections that the kernel may hold.
const BACKLOG: u32 = 1024;

/// What the pages may know of the server.
#[derive(Debug)]
pub struct View {
    /// The server's public key.
    pub server_id: String,
    /// Where clients connect.
    pub client_address: SocketAddr,
    /// Where pages are served.
    pub page_address: SocketAddr,
    /// The cores.
    pub cores: Cores,
    /// The CPU that each is pinned to.
    pub cpus: Vec<Option<usize>>,
    /// What the server goes by.
    pub config: Arc<Mutex<Config>>,
    /// What the cores go by, and when that was read.
    pub settings: Arc<Mutex<(Arc<Settings>, SystemTime)>>,
    /// When the server was started, by both clocks.
    pub started: (Instant, SystemTime),
    /// Clients are being sent away.
    pub lame_duck: Arc<AtomicBool>,
}

/// Why pages cannot be served.
#[derive(Debug)]
pub struct MonitorError(ListenError);

impl fmt::Display for MonitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Can't start monitoring: can't listen to the monitor port: {}", self.0.reason())
    }
}

impl std::error::Error for MonitorError {}

/// A listener that nobody serves yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    /// With the port that the kernel chose where any was asked for.
    pub address: SocketAddr,
}

/// Listens for requests.
///
/// # Errors
/// Where the address cannot be listened on.
pub fn bind(at: &MonitorListener) -> Result<Bound, MonitorError> {
    let options = ListenOptions { backlog: BACKLOG, reuse_port: false, client: ClientSocketOptions::default() };
    let listener::Bound { listener, address } = listener::bind(&at.host, at.port, &options).map_err(MonitorError)?;
    Ok(Bound { listener, address })
}

/// The thread that serves pages; it ends when this goes.
#[derive(Debug)]
pub struct Monitor(serve::Handle);

impl Monitor {
    /// Serves pages about the server that `view` shows.
    ///
    /// # Errors
    /// What the kernel says of one more poll or thread.
    pub fn start(bound: Bound, view: View, log: Logger) -> std::io::Result<Self> {
        serve::start(bound.listener, view, log).map(Self)
    }

    /// Ends.
    pub fn stop(self) {
        self.0.stop();
    }
}
