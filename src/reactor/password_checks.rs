//! Passwords that take long to check, on their way to the threads that do so, so that no core waits for one.
//!
//! Owns the queue between cores and those threads, which is bounded: what does not fit waits on its core. Touched only when a
//! client logs in with such a password.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::auth::BcryptCheck;
use crate::ids::ConnId;
use crate::limits::PASSWORD_CHECKS_MAX;

/// A check, and who waits for it.
#[derive(Debug)]
pub struct PasswordCheck {
    /// The client.
    pub conn: ConnId,
    /// What is to be done.
    pub check: BcryptCheck,
    /// Unset when the client has gone: the work can be spared.
    pub wanted: Arc<AtomicBool>,
}

/// Checks that wait for a thread.
#[derive(Debug, Default)]
pub struct PasswordChecks {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<PasswordCheck>,
    ended: bool,
}

impl PasswordChecks {
    /// Leaves a check for a thread.
    ///
    /// # Errors
    /// Gives it back where too many wait.
    pub fn push(&self, check: PasswordCheck) -> Result<(), PasswordCheck> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.len() >= PASSWORD_CHECKS_MAX {
            return Err(check);
        }
        queue.waiting.push_back(check);
        self.changed.notify_one();
        Ok(())
    }

    /// The next check that somebody wants, if one is there.
    pub fn poll_next(&self) -> Option<PasswordCheck> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        next_wanted(&mut queue)
    }

    /// The next check that somebody wants; waits for one. `None`: there will be no more.
    pub fn wait_for_next(&self) -> Option<PasswordCheck> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.ended {
                return None;
            }
            if let Some(check) = next_wanted(&mut queue) {
                return Some(check);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No more checks: whoever waits for one ends.
    pub fn end(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.ended = true;
        queue.waiting.clear();
        self.changed.notify_all();
    }
}

fn next_wanted(queue: &mut Queue) -> Option<PasswordCheck> {
    while let Some(check) = queue.waiting.pop_front() {
        if check.wanted.load(Ordering::Relaxed) {
            return Some(check);
        }
    }
    None
}
