//! Another configuration for a server that runs.
//!
//! What differs, and whether it can change, says `config::changes`, which has it from the table of keys. One change that cannot be
//! made refuses all of them, and the old configuration stays. Everything that can fail comes before the first change.
//! One reload comes after the other: the lock of [`Known`] is held until all cores go by the new settings.

use std::fmt;
use std::io;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::tls_files::{self, Fingerprint};
use super::{Server, reload_lines};
use crate::auth::directory::DirectoryError;
use crate::config::Config;
use crate::config::changes::{self, Change};
use crate::log::LogError;
use crate::reactor::access::{Access, AccountEntry};
use crate::reactor::settings::Settings;
use crate::reactor::shared::{Applied, Order};
use crate::tls::{TlsError, TlsSettings};

/// How long is waited for the cores before it is asked whether they are still there.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How long they are waited for at all: whoever reloads must not stand still with a core.
const WITHIN: Duration = Duration::from_secs(10);

/// What a reload goes on from, beside the configuration.
#[derive(Debug)]
pub(super) struct Known {
    /// Accounts keep their numbers.
    pub(super) accounts: Vec<AccountEntry>,
    /// What TLS is spoken with.
    pub(super) tls: Fingerprint,
}

/// Why a configuration is not taken over. Nothing has changed then.
#[derive(Debug)]
pub enum ReloadError {
    /// These settings cannot change while the server runs; there is one at least.
    Fixed(Vec<Change>),
    /// The log cannot be opened where it was to go.
    Log(LogError),
    /// TLS cannot be spoken as configured.
    Tls(TlsError),
    /// The users contradict themselves.
    Logins(DirectoryError),
    /// The kernel has no more threads.
    Threads(io::Error),
}

impl ReloadError {
    /// Each setting that cannot change, from what to what it was to, and why.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Fixed(changes) => changes.iter().map(reload_lines::reason).collect(),
            Self::Log(_) | Self::Tls(_) | Self::Logins(_) | Self::Threads(_) => Vec::new(),
        }
    }
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The peer names one of them.
            Self::Fixed(changes) => {
                let first = changes.first();
                let name = first.map_or("", |change| change.name);
                let values = first.and_then(|change| change.values.as_ref());
                let (old, new) = values.map_or(("", ""), |(old, new)| (old.as_str(), new.as_str()));
                write!(f, "config reload not supported for {name}: old={old}, new={new}")
            }
            Self::Log(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Logins(error) => error.fmt(f),
            Self::Threads(error) => write!(f, "No thread to check passwords: {error}"),
        }
    }
}

impl std::error::Error for ReloadError {}

impl Server {
    /// Goes by another configuration from now on, on every core between two of its turns; connections keep running, and
    /// those that can be told get an INFO where that has changed. The log says each setting that changes. When this returns,
    /// all cores go by it, and connections that are not let in any more, or are over a limit, are closed.
    ///
    /// # Errors
    /// Where a setting differs that cannot change while the server runs, or the log cannot be opened: then nothing changes.
    pub fn reload(&self, config: Config) -> Result<(), ReloadError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.config();
        let changes = changes::diff(&old, &config);
        let refused = reload_lines::refused(changes.clone());
        if !refused.is_empty() {
            return Err(ReloadError::Fixed(refused));
        }
        let fingerprint = tls_files::fingerprint(&config);
        let tls_differs = fingerprint != known.tls;
        let tls = if tls_differs || old.tls != config.tls {
            super::load_tls(&config).map_err(ReloadError::Tls)?
        } else {
            self.tls_of_now()
        };
        let access = Access::new(&config.security, &known.accounts).map_err(ReloadError::Logins)?;
        self.start_verifiers(&config).map_err(ReloadError::Threads)?;
        if old.logging != config.logging {
            self.log.reconfigure(&config.logging).map_err(ReloadError::Log)?;
        }
        *known = Known { accounts: access.accounts.clone(), tls: fingerprint };
        self.shared.limit_failed_logins(config.security.failed_logins_per_minute_max);
        let introduction = self.introduction(&config, &access.directory);
        let settings = Arc::new(Settings { tls, ..Settings::new(&config, introduction, &access) });
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = (Arc::clone(&settings), SystemTime::now());
        let lines = reload_lines::carried_out(&old, &config, &changes, tls_differs);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        let closed = self.go_by(&settings);
        if closed > 0 {
            self.log.info(format_args!("Closed {closed} connections to fall within max_connections"));
        }
        for line in lines {
            self.log.info(format_args!("{line}"));
        }
        drop(known);
        Ok(())
    }

    /// What handshakes go by.
    fn tls_of_now(&self) -> Option<Arc<TlsSettings>> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).0.tls.clone()
    }

    /// Has all cores go by other settings, and waits until they do. How many connections were closed since fewer are allowed.
    fn go_by(&self, settings: &Arc<Settings>) -> u64 {
        let (done, applied) = std::sync::mpsc::channel();
        self.order_all(|| Order::Settings { settings: Arc::clone(settings), done: done.clone() });
        drop(done);
        let (mut closed, mut cores, until) = (0, 0, Instant::now() + WITHIN);
        while cores < self.mails.len() && !self.shared.has_ended() && Instant::now() < until {
            match applied.recv_timeout(LOOK_AGAIN_AFTER) {
                Ok(Applied { closed: some }) => (closed, cores) = (closed + some, cores + 1),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        closed
    }
}
