//! A login whose outcome takes a bcrypt check: handed out by the directory, done on another thread.
//!
//! Owns how much work a failed login is. Invariant: whether the user is unknown, the hash is another's or the password is wrong,
//! a failed login costs what the dearest hash in use costs (up to [`PADDED_COST_MAX`]), so that time tells nobody who exists.
//! A check of cost `c` takes 2^c rounds, and 2^c + 2^c + 2^(c+1) + … + 2^(max-1) = 2^max: what is missing is made up with
//! checks of the costs in between.

use std::sync::Arc;

use super::grant::{Grant, Refusal};
use super::password::{self, BcryptHash};
use crate::secret::Secret;

/// Up to this cost failures are made to look alike. A hash that costs more is its owner's choice, and not everybody's who
/// knocks: a check of this cost takes seconds.
pub(super) const PADDED_COST_MAX: u8 = 16;

/// What there is to check, and what follows from it.
#[derive(Debug)]
pub struct BcryptCheck {
    /// `None`: nothing would match; the time is spent all the same.
    pub(super) hash: Option<BcryptHash>,
    pub(super) password: Secret,
    /// What the client gets where the password is right, or nothing is compared.
    pub(super) outcome: Result<Arc<Grant>, Refusal>,
    /// The dearest cost in use.
    pub(super) cost: u8,
}

impl BcryptCheck {
    /// Does the check: milliseconds to seconds of computing.
    pub fn run(self) -> Result<Arc<Grant>, Refusal> {
        if self.hash.as_ref().is_some_and(|hash| hash.matches(&self.password)) {
            return self.outcome;
        }
        for cost in self.made_up() {
            password::spend(cost, &self.password);
        }
        Err(self.outcome.err().unwrap_or(Refusal::Credentials))
    }

    /// The costs of what is done, where it fails, beside the check itself.
    pub(super) fn made_up(&self) -> std::ops::Range<u8> {
        self.hash.as_ref().map_or(self.cost..self.cost + 1, |hash| hash.cost..self.cost)
    }
}

/// It goes to another thread.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<BcryptCheck>();
};
