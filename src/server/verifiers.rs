//! Threads that check passwords which take long to check.
//!
//! Started when the first such password is configured. They end with the server.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::config::Config;
use crate::config::security::{Credential, SingleLogin};
use crate::fabric::mail::{MAIN_BIT, Mail};
use crate::reactor::shared::{Order, Shared};
use crate::secret::Secret;

/// At most so many: the CPUs are the cores'.
const THREADS_MAX: usize = 4;

/// Whether some password is a bcrypt hash.
pub(super) fn are_needed(config: &Config) -> bool {
    let is_hash = |secret: &Secret| secret.expose().starts_with("$2");
    let single = config.security.single.as_ref().is_some_and(|single| match single {
        SingleLogin::User { password, .. } | SingleLogin::Token(password) => is_hash(password),
    });
    single
        || config.security.users.iter().any(|user| match &user.credential {
            Credential::Password { password, .. } => is_hash(password),
            Credential::Nkey(_) => false,
        })
}

/// Starts them: one for every four CPUs.
///
/// # Errors
/// Where the kernel has no more threads.
pub(super) fn start(
    shared: &Arc<Shared>,
    mails: &Arc<[Mail]>,
    wakers: &Arc<[mio::Waker]>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let each = (0..(cpus / 4).clamp(1, THREADS_MAX)).map(|number| {
        let (shared, mails, wakers) = (Arc::clone(shared), Arc::clone(mails), Arc::clone(wakers));
        std::thread::Builder::new()
            .name(format!("verifier-{number}"))
            .spawn(move || while verify_next(&shared, &mails, &wakers) {})
    });
    each.collect()
}

/// Checks one. Whether there may be more.
fn verify_next(shared: &Shared, mails: &[Mail], wakers: &[mio::Waker]) -> bool {
    let Some(next) = shared.password_checks.wait_for_next() else { return false };
    let (conn, core) = (next.conn, next.conn.core);
    shared.order(core, Order::Checked { conn, grant: next.check.run() });
    mails[core.index()].post(MAIN_BIT);
    // An error means that the core's poll is gone: it has ended.
    drop(wakers[core.index()].wake());
    true
}
