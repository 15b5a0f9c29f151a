//! Accounts and users as the cores share them: numbers of accounts, which stay the same over reloads, and who may come in.
//!
//! Owns which account has which number, and how many clients each has over all cores. The counters are touched when a client
//! logs in or goes, never on the message path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::auth::directory::{Directory, DirectoryError};
use crate::config::security::{AccountLimits, Security};
use crate::ids::AccountId;

/// Clients of one account, over all cores.
#[derive(Debug, Default)]
pub struct AccountCounters {
    connections: AtomicU64,
}

impl AccountCounters {
    /// How many there are.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// One more, where that is not more than `max`. Whether it was.
    pub(super) fn enter(&self, max: u64) -> bool {
        let more = |now: u64| (now < max).then_some(now + 1);
        self.connections.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// One less, where there are more than `max`. Whether there were: then one is to be closed.
    pub(super) fn leave_if_over(&self, max: u64) -> bool {
        let less = |now: u64| (now > max).then(|| now - 1);
        self.connections.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// One less.
    pub(super) fn leave(&self) {
        let before = self.connections.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "who leaves has entered");
    }
}

/// One account.
#[derive(Clone, Debug)]
pub struct AccountEntry {
    /// Its name.
    pub name: Arc<str>,
    /// It is one of those of now.
    pub is_configured: bool,
    /// Bounds on what its clients have.
    pub limits: AccountLimits,
    /// How many they are.
    pub counters: Arc<AccountCounters>,
}

/// All accounts that there are or were, by number, and who may come in.
#[derive(Clone, Debug)]
pub struct Access {
    /// By number.
    pub accounts: Vec<AccountEntry>,
    /// Who may come in.
    pub directory: Arc<Directory>,
}

impl Access {
    /// What a configuration says, where the accounts were known before as `known`: each name keeps its number, so that
    /// tables and interest of other cores stay right while a reload goes from core to core.
    ///
    /// # Errors
    /// Where the users contradict themselves.
    pub fn new(security: &Security, known: &[AccountEntry]) -> Result<Self, DirectoryError> {
        let mut accounts = known.to_vec();
        if accounts.is_empty() {
            accounts = [GLOBAL_NAME, SYSTEM_NAME].map(entry).to_vec();
        }
        for account in &mut accounts {
            account.limits = AccountLimits::default();
            account.is_configured = false;
        }
        let mut ids = Vec::with_capacity(security.accounts.len());
        for account in &security.accounts {
            let number = accounts.iter().position(|known| *known.name == *account.name).unwrap_or_else(|| {
                accounts.push(entry(&account.name));
                accounts.len() - 1
            });
            accounts[number].limits = account.limits;
            accounts[number].is_configured = true;
            ids.push(AccountId(u32::try_from(number).unwrap_or(u32::MAX)));
        }
        let directory = Arc::new(Directory::new(security, &ids)?);
        Ok(Self { accounts, directory })
    }
}

const GLOBAL_NAME: &str = "$G";
const SYSTEM_NAME: &str = "$SYS";

fn entry(name: &str) -> AccountEntry {
    AccountEntry { name: name.into(), is_configured: true, limits: AccountLimits::default(), counters: Arc::default() }
}
